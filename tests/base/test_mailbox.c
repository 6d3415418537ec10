#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/mailbox.h"
#include "tests/failing_malloc.h"

#define SENDERS 4
#define EACH 5000
#define FOR_EVER 60000

static bool readable(const struct mailbox *mailbox)
{
	struct pollfd p = { .fd = mailbox_fd(mailbox), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_the_oldest_comes_first_round_the_ring(void **state)
{
	struct mailbox *mailbox = mailbox_new(3);
	int items[10];

	(void)state;
	assert_non_null(mailbox);
	assert_int_equal(mailbox_post(mailbox, &items[0]), 0);
	assert_int_equal(mailbox_post(mailbox, &items[1]), 0);
	for (int i = 2; i < 10; i++) {
		assert_int_equal(mailbox_post(mailbox, &items[i]), 0);
		assert_ptr_equal(mailbox_take(mailbox), &items[i - 2]);
	}
	assert_ptr_equal(mailbox_take(mailbox), &items[8]);
	assert_ptr_equal(mailbox_take(mailbox), &items[9]);
	assert_null(mailbox_take(mailbox));
	mailbox_free(mailbox);
	mailbox_free(NULL);
}

/* Also after the taker has found nothing: it looks again, and finds nothing. */
static void test_a_taker_can_be_woken_without_an_item(void **state)
{
	struct mailbox *mailbox = mailbox_new(1);
	int a;

	(void)state;
	assert_null(mailbox_take(mailbox));
	assert_false(readable(mailbox));
	mailbox_wake(mailbox);
	mailbox_wake(mailbox);
	assert_true(readable(mailbox));
	assert_int_equal(mailbox_post(mailbox, &a), 0);
	assert_ptr_equal(mailbox_take(mailbox), &a);
	assert_true(readable(mailbox));
	assert_null(mailbox_take(mailbox));
	assert_false(readable(mailbox));
	mailbox_free(mailbox);
}

static void test_a_full_one_refuses_and_keeps_what_it_has(void **state)
{
	struct mailbox *mailbox = mailbox_new(2);
	int a;
	int b;
	int c;

	(void)state;
	assert_non_null(mailbox);
	assert_int_equal(mailbox_post(mailbox, &a), 0);
	assert_int_equal(mailbox_post(mailbox, &b), 0);
	assert_int_equal(mailbox_post(mailbox, &c), -EAGAIN);
	assert_ptr_equal(mailbox_take(mailbox), &a);
	assert_int_equal(mailbox_post(mailbox, &c), 0);
	assert_ptr_equal(mailbox_take(mailbox), &b);
	assert_ptr_equal(mailbox_take(mailbox), &c);
	mailbox_free(mailbox);
}

static void test_it_is_readable_until_found_empty(void **state)
{
	struct mailbox *mailbox = mailbox_new(4);
	int a;

	(void)state;
	assert_non_null(mailbox);
	assert_false(readable(mailbox));
	for (int round = 0; round < 3; round++) {
		assert_int_equal(mailbox_post(mailbox, &a), 0);
		assert_int_equal(mailbox_post(mailbox, &a), 0);
		assert_true(readable(mailbox));
		assert_non_null(mailbox_take(mailbox));
		assert_true(readable(mailbox));
		assert_non_null(mailbox_take(mailbox));
		assert_null(mailbox_take(mailbox));
		assert_false(readable(mailbox));
	}
	mailbox_free(mailbox);
}

static void test_waiting_ends_with_nothing_after_the_timeout(void **state)
{
	struct mailbox *mailbox = mailbox_new(1);
	int a;

	(void)state;
	assert_non_null(mailbox);
	assert_null(mailbox_wait(mailbox, 0));
	assert_null(mailbox_wait(mailbox, 5));
	assert_int_equal(mailbox_post(mailbox, &a), 0);
	assert_ptr_equal(mailbox_wait(mailbox, -1), &a);
	mailbox_free(mailbox);
}

static void test_without_memory_there_is_none(void **state)
{
	(void)state;
	failing_malloc_arm(0);
	assert_null(mailbox_new(8));
	assert_int_equal(errno, ENOMEM);
	assert_true(failing_malloc_disarm());
}

struct sender {
	pthread_t thread;
	struct mailbox *mailbox;
	unsigned int next; /* the taker's: what must come from this one */
	struct {
		struct sender *from;
		unsigned int number;
	} letters[EACH];
};

static void *send_all(void *arg)
{
	struct sender *sender = arg;

	for (unsigned int i = 0; i < EACH; i++) {
		sender->letters[i].from = sender;
		sender->letters[i].number = i;
		while (mailbox_post(sender->mailbox, &sender->letters[i]) < 0)
			sched_yield();
	}
	return NULL;
}

/* A ring far smaller than what passes through, so that it is often full and
 * often empty; the thread sanitizer watches what the letters hold. */
static void test_many_senders_lose_nothing_and_keep_their_order(void **state)
{
	static struct sender senders[SENDERS];
	struct mailbox *mailbox = mailbox_new(16);

	(void)state;
	assert_non_null(mailbox);
	for (int i = 0; i < SENDERS; i++) {
		senders[i].mailbox = mailbox;
		senders[i].next = 0;
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
						send_all, &senders[i]),
				 0);
	}
	for (int n = 0; n < SENDERS * EACH; n++) {
		struct {
			struct sender *from;
			unsigned int number;
		} *letter = mailbox_wait(mailbox, FOR_EVER);

		assert_non_null(letter);
		assert_int_equal(letter->number, letter->from->next);
		letter->from->next++;
	}
	for (int i = 0; i < SENDERS; i++) {
		assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
		assert_int_equal(senders[i].next, EACH);
	}
	assert_null(mailbox_take(mailbox));
	assert_false(readable(mailbox));
	mailbox_free(mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_oldest_comes_first_round_the_ring),
		cmocka_unit_test(test_a_taker_can_be_woken_without_an_item),
		cmocka_unit_test(test_a_full_one_refuses_and_keeps_what_it_has),
		cmocka_unit_test(test_it_is_readable_until_found_empty),
		cmocka_unit_test(
			test_waiting_ends_with_nothing_after_the_timeout),
		cmocka_unit_test(test_without_memory_there_is_none),
		cmocka_unit_test(
			test_many_senders_lose_nothing_and_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
