#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/authenticator.h"
#include "broker/base/mailbox.h"
#include "broker/limits.h"
#include "tests/failing_malloc.h"

#define FOR_EVER 120000

/* The hasher's work, made visible and stoppable: linked with --wrap. */
int __real_password_verify(const char *hash, struct slice password);
int __wrap_password_verify(const char *hash, struct slice password);
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);

static atomic_uint checks; /* hashes compared */
static atomic_bool held; /* the next slow check waits for the gate */
static sem_t entered;
static sem_t gate;
static bool no_thread;
static bool open_in_join;

int __wrap_password_verify(const char *hash, struct slice password)
{
	atomic_fetch_add(&checks, 1);
	if (strncmp(hash, "$scrypt$", 8) == 0 &&
	    atomic_exchange(&held, false)) {
		sem_post(&entered);
		while (sem_wait(&gate) < 0)
			;
	}
	return __real_password_verify(hash, password);
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
	if (open_in_join)
		sem_post(&gate);
	open_in_join = false;
	return __real_pthread_join(thread, result);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg)
{
	if (no_thread)
		return EAGAIN;
	return __real_pthread_create(thread, attr, run, arg);
}

static struct authenticator *hasher;
static struct mailbox *replies;
static char human[PASSWORD_HASH_SIZE]; /* of "correct horse" */
static char device[PASSWORD_HASH_SIZE]; /* of "0123456789abcdef" */

static int setup(void **state)
{
	(void)state;
	checks = 0;
	hasher = authenticator_new();
	replies = mailbox_new(AUTHENTICATOR_REQUESTS_MAX);
	return hasher && replies ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	authenticator_free(hasher);
	hasher = NULL;
	assert_null(mailbox_take(replies));
	mailbox_free(replies);
	return 0;
}

static int submit(const char *hash, const char *password, uint64_t token)
{
	struct authenticator_request *request = authenticator_request_new(
		AUTHENTICATOR_VERIFY, hash, slice_str(password));
	int r;

	assert_non_null(request);
	request->reply = replies;
	request->token = token;
	r = authenticator_submit(hasher, request);
	if (r < 0)
		authenticator_request_free(request);
	return r;
}

/* The next answer; its result, and in *token whose it is. */
static int answer(uint64_t *token)
{
	struct authenticator_request *request = mailbox_wait(replies, FOR_EVER);
	int r;

	assert_non_null(request);
	*token = request->token;
	r = request->result;
	authenticator_request_free(request);
	return r;
}

static int verify(const char *hash, const char *password)
{
	uint64_t token;
	int r;

	assert_int_equal(submit(hash, password, 7), 0);
	r = answer(&token);
	assert_int_equal(token, 7);
	return r;
}

static void close_gate(void)
{
	atomic_store(&held, true);
	assert_int_equal(submit(NULL, "opens later", 1000), 0);
	while (sem_wait(&entered) < 0)
		;
}

static void test_right_is_right_and_wrong_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(verify(human, "correct horse"), 1);
	assert_int_equal(verify(human, "correct horsf"), 0);
	assert_int_equal(verify(human, ""), 0);
	assert_int_equal(verify(device, "0123456789abcdef"), 1);
	assert_int_equal(verify(device, "0123456789abcdee"), 0);
	assert_int_equal(verify("$scrypt$damaged", "correct horse"), -EINVAL);
	assert_int_equal(verify(NULL, "correct horse"), 0);
	assert_int_equal(verify("", "correct horse"), 0);
}

static void test_a_new_hash_comes_back_and_fits(void **state)
{
	struct authenticator_request *request = authenticator_request_new(
		AUTHENTICATOR_HASH, NULL, slice_str("battery staple"));
	int self;

	(void)state;
	assert_non_null(request);
	request->reply = replies;
	request->owner = &self;
	assert_int_equal(authenticator_submit(hasher, request), 0);
	assert_ptr_equal(mailbox_wait(replies, FOR_EVER), request);
	assert_int_equal(request->result, 0);
	assert_ptr_equal(request->owner, &self);
	assert_int_equal(verify(request->hash, "battery staple"), 1);
	authenticator_request_free(request);

	request = authenticator_request_new(AUTHENTICATOR_HASH, NULL,
					    slice_str("short"));
	assert_non_null(request);
	request->reply = replies;
	assert_int_equal(authenticator_submit(hasher, request), 0);
	assert_ptr_equal(mailbox_wait(replies, FOR_EVER), request);
	assert_int_equal(request->result, -EINVAL);
	authenticator_request_free(request);
}

/* Only where the owner wants them. */
static void test_scram_keys_are_made_when_told_to(void **state)
{
	(void)state;
	for (int made = 0; made < 2; made++) {
		struct authenticator_request *request =
			authenticator_request_new(AUTHENTICATOR_HASH, NULL,
						  slice_str("battery staple"));
		struct scram_keys keys, again;

		authenticator_make_scram(hasher, made);
		request->reply = replies;
		assert_int_equal(authenticator_submit(hasher, request), 0);
		assert_ptr_equal(mailbox_wait(replies, FOR_EVER), request);
		assert_int_equal(request->result, 0);
		assert_int_equal(scram_keys_parse(request->scram, &keys), made);
		if (made) {
			assert_int_equal(keys.iterations,
					 SCRAM_ITERATIONS_CHOSEN);
			assert_int_equal(
				scram_keys_derive(slice_str("battery staple"),
						  keys.iterations, keys.salt,
						  &again),
				0);
			assert_memory_equal(&keys, &again, sizeof(keys));
		} else {
			assert_string_equal(request->scram, "");
		}
		authenticator_request_free(request);
	}
	authenticator_make_scram(hasher, false);
}

/* With a login of somebody who has none: always of a generated password, also of
 * one that is remembered as right; never of a wrong one. */
static void test_a_login_gives_scram_keys_when_asked(void **state)
{
	static const struct {
		bool of_person, make, wants, right, given;
	} rows[] = {
		{ true, true, true, true, true },
		{ true, true, true, true, true }, /* once more: it is known */
		{ true, true, false, true, false },
		{ true, false, true, true, false },
		{ true, true, true, false, false },
		{ false, false, true, true, true },
		{ false, true, false, true, false },
		{ false, true, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *password = rows[i].of_person ? "correct horse"
							 : "0123456789abcdef";
		struct authenticator_request *request =
			authenticator_request_new(
				AUTHENTICATOR_VERIFY,
				rows[i].of_person ? human : device,
				slice_str(rows[i].right ? password : "wrong"));
		struct scram_keys keys;

		authenticator_make_scram(hasher, rows[i].make);
		request->wants_scram = rows[i].wants;
		request->reply = replies;
		assert_int_equal(authenticator_submit(hasher, request), 0);
		assert_ptr_equal(mailbox_wait(replies, FOR_EVER), request);
		assert_int_equal(request->result, rows[i].right);
		assert_int_equal(scram_keys_parse(request->scram, &keys),
				 rows[i].given);
		if (rows[i].given)
			assert_int_equal(keys.iterations,
					 rows[i].of_person
						 ? SCRAM_ITERATIONS_CHOSEN
						 : SCRAM_ITERATIONS_GENERATED);
		authenticator_request_free(request);
	}
	authenticator_make_scram(hasher, false);
}

static void test_an_endless_password_is_wrong_and_not_kept(void **state)
{
	static char bytes[100000];
	struct authenticator_request *request;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	request = authenticator_request_new(AUTHENTICATOR_VERIFY, human,
					    slice_of(bytes, sizeof(bytes)));
	assert_non_null(request);
	assert_int_equal(request->password_len, PASSWORD_MAX + 1);
	request->reply = replies;
	assert_int_equal(authenticator_submit(hasher, request), 0);
	assert_ptr_equal(mailbox_wait(replies, FOR_EVER), request);
	assert_int_equal(request->result, 0);
	authenticator_request_free(request);
	authenticator_request_free(NULL);
}

static void test_the_password_is_wiped_before_it_comes_back(void **state)
{
	static const uint8_t nothing[13];
	struct authenticator_request *request = authenticator_request_new(
		AUTHENTICATOR_VERIFY, human, slice_str("correct horse"));

	(void)state;
	assert_non_null(request);
	assert_memory_equal(request->password, "correct horse", 13);
	request->reply = replies;
	assert_int_equal(authenticator_submit(hasher, request), 0);
	assert_ptr_equal(mailbox_wait(replies, FOR_EVER), request);
	assert_int_equal(request->result, 1);
	assert_memory_equal(request->password, nothing, 13);
	authenticator_request_free(request);
}

/* Otherwise the time an answer takes tells who lives here. */
static void test_a_user_there_is_not_costs_a_hash_too(void **state)
{
	(void)state;
	assert_int_equal(verify(NULL, "correct horse"), 0);
	assert_int_equal(checks, 1);
	assert_int_equal(verify(NULL, "correct horse"), 0);
	assert_int_equal(checks, 2);
	/* The damaged one is looked at before the work is done anyway. */
	assert_int_equal(verify("$scrypt$x", "correct horse"), -EINVAL);
	assert_int_equal(checks, 4);
}

static void test_what_was_right_once_is_not_hashed_again(void **state)
{
	(void)state;
	assert_int_equal(verify(human, "correct horse"), 1);
	assert_int_equal(checks, 1);
	assert_int_equal(verify(human, "correct horse"), 1);
	assert_int_equal(checks, 1);
	/* A wrong one is neither let in by that nor remembered itself. */
	assert_int_equal(verify(human, "correct horsf"), 0);
	assert_int_equal(verify(human, "correct horsf"), 0);
	assert_int_equal(checks, 3);
}

static void test_a_changed_password_is_not_found_in_memory(void **state)
{
	char changed[PASSWORD_HASH_SIZE];
	char *digit;

	(void)state;
	assert_int_equal(verify(human, "correct horse"), 1);
	assert_int_equal(password_hash(PASSWORD_HUMAN,
				       slice_str("battery staple"), changed),
			 0);
	assert_int_equal(verify(changed, "correct horse"), 0);
	assert_int_equal(checks, 2);

	/* Nor with one digit of the hash changed. */
	assert_int_equal(strlen(human), strlen(changed));
	memcpy(changed, human, sizeof(changed));
	digit = &changed[strlen(changed) - 1];
	*digit = *digit == 'A' ? 'E' : 'A';
	assert_int_equal(verify(changed, "correct horse"), 0);
	assert_int_equal(verify(human, "correct horse"), 1);
	assert_int_equal(checks, 3);
}

static void test_memory_forgets_the_one_unused_longest(void **state)
{
	char hashes[2][PASSWORD_HASH_SIZE];
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(password_hash(PASSWORD_HUMAN,
					       slice_str("12345678"),
					       hashes[i]),
				 0);
		assert_int_equal(verify(hashes[i], "12345678"), 1);
	}
	for (int i = 0; i < AUTHENTICATOR_REMEMBERED - 1; i++) {
		assert_int_equal(verify(hashes[0], "12345678"), 1);
		assert_int_equal(password_hash(PASSWORD_HUMAN,
					       slice_str("12345678"), hash),
				 0);
		assert_int_equal(verify(hash, "12345678"), 1);
	}
	checks = 0;
	assert_int_equal(verify(hashes[0], "12345678"), 1);
	assert_int_equal(checks, 0);
	assert_int_equal(verify(hashes[1], "12345678"), 1);
	assert_int_equal(checks, 1);
}

static void test_quick_checks_overtake_slow_ones(void **state)
{
	/* 1 and 4 are quick, 3 is remembered, 5 becomes so by 2. */
	static const uint64_t order[] = { 1000, 1, 3, 4, 0, 2, 5 };
	char other[PASSWORD_HASH_SIZE];
	uint64_t token;

	(void)state;
	assert_int_equal(
		password_hash(PASSWORD_HUMAN, slice_str("12345678"), other), 0);
	assert_int_equal(verify(human, "correct horse"), 1);
	close_gate();
	assert_int_equal(submit(human, "wrong", 0), 0);
	assert_int_equal(submit(device, "0123456789abcdef", 1), 0);
	assert_int_equal(submit(other, "12345678", 2), 0);
	assert_int_equal(submit(human, "correct horse", 3), 0);
	assert_int_equal(submit(device, "wrong", 4), 0);
	assert_int_equal(submit(other, "12345678", 5), 0);
	checks = 0;
	sem_post(&gate);

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		int r = answer(&token);

		assert_int_equal(token, order[i]);
		assert_int_equal(r, token != 1000 && token != 0 && token != 4);
	}
	assert_int_equal(checks, 4); /* 0, 1, 2, 4 */
}

static void test_too_many_are_refused_and_room_comes_back(void **state)
{
	const unsigned int max = AUTHENTICATOR_REQUESTS_MAX;
	uint64_t token;

	(void)state;
	close_gate();
	for (unsigned int i = 1; i < LIMIT_AUTHENTICATIONS; i++)
		assert_int_equal(submit(NULL, "flood", i), 0);
	assert_int_equal(submit(NULL, "flood", 0), -EAGAIN);
	assert_int_equal(submit(human, "correct horse", 0), -EAGAIN);
	for (unsigned int i = LIMIT_AUTHENTICATIONS; i < max; i++)
		assert_int_equal(submit(device, "0123456789abcdef", i), 0);
	assert_int_equal(submit(device, "0123456789abcdef", 0), -EAGAIN);
	sem_post(&gate);

	for (unsigned int i = 0; i < max; i++) {
		int r = answer(&token);

		assert_int_equal(r, token != 1000 &&
					    token >= LIMIT_AUTHENTICATIONS);
	}
	assert_null(mailbox_take(replies));
	for (unsigned int i = 0; i < LIMIT_AUTHENTICATIONS; i++)
		assert_int_equal(submit(device, "0123456789abcdef", i), 0);
	for (unsigned int i = 0; i < LIMIT_AUTHENTICATIONS; i++)
		assert_int_equal(answer(&token), 1);
	assert_int_equal(verify(human, "correct horse"), 1);
}

static void test_a_full_mailbox_gets_its_answers_later(void **state)
{
	struct mailbox *all = replies;
	bool seen[20] = { false };
	uint64_t token;

	(void)state;
	replies = mailbox_new(1);
	assert_non_null(replies);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(submit(device, "0123456789abcdef", i), 0);
	/* The first is in the mailbox then, the others found it full. */
	while (checks < 20)
		sched_yield();
	for (int i = 0; i < 20; i++) {
		assert_int_equal(answer(&token), 1);
		assert_true(token < 20 && !seen[token]);
		seen[token] = true;
	}
	mailbox_free(replies);
	replies = all;
}

static void test_at_the_end_waiting_requests_come_back_cancelled(void **state)
{
	uint64_t token;

	(void)state;
	close_gate();
	assert_int_equal(submit(NULL, "waits", 1), 0);
	assert_int_equal(submit(human, "correct horse", 2), 0);
	open_in_join = true; /* once the end is on its way to the thread */
	authenticator_free(hasher);
	hasher = NULL;
	assert_int_equal(answer(&token), 0);
	assert_int_equal(token, 1000);
	assert_int_equal(answer(&token), -ECANCELED);
	assert_int_equal(token, 1);
	assert_int_equal(answer(&token), -ECANCELED);
	assert_int_equal(token, 2);
}

static void test_at_the_end_nobody_waits_for_a_full_mailbox(void **state)
{
	struct mailbox *all = replies;
	uint64_t token;

	(void)state;
	replies = mailbox_new(1);
	assert_non_null(replies);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(submit(device, "0123456789abcdef", i), 0);
	authenticator_free(hasher); /* LeakSanitizer counts the rest */
	hasher = NULL;
	assert_int_equal(answer(&token), 1);
	assert_null(mailbox_take(replies));
	mailbox_free(replies);
	replies = all;
}

static void *be_a_requester(void *arg)
{
	struct mailbox *mine = mailbox_new(AUTHENTICATOR_REQUESTS_MAX);
	struct authenticator_request *request;
	unsigned int *right = arg;

	for (int i = 0; mine && i < 50; i++) {
		request = authenticator_request_new(
			AUTHENTICATOR_VERIFY, i % 2 ? human : device,
			slice_str(i % 2 ? "correct horse"
					: "0123456789abcdef"));
		if (!request)
			break;
		request->reply = mine;
		while (authenticator_submit(hasher, request) < 0)
			sched_yield();
		request = mailbox_wait(mine, FOR_EVER);
		if (!request)
			break;
		*right += request->result == 1;
		authenticator_request_free(request);
	}
	mailbox_free(mine);
	return NULL;
}

static void test_several_threads_share_it(void **state)
{
	unsigned int right[4] = { 0 };
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						be_a_requester, &right[i]),
				 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(right[i], 50);
	}
}

static void test_what_it_cannot_have_is_told(void **state)
{
	char long_hash[PASSWORD_HASH_SIZE + 1];
	unsigned int n = 0;
	struct authenticator *a;

	(void)state;
	failing_malloc_arm(0);
	assert_null(authenticator_request_new(AUTHENTICATOR_VERIFY, human,
					      slice_str("x")));
	assert_true(failing_malloc_disarm());
	assert_int_equal(errno, ENOMEM);

	memset(long_hash, 'x', sizeof(long_hash) - 1);
	long_hash[sizeof(long_hash) - 1] = '\0';
	assert_null(authenticator_request_new(AUTHENTICATOR_VERIFY, long_hash,
					      slice_str("x")));
	assert_int_equal(errno, EINVAL);

	no_thread = true;
	for (;;) {
		failing_malloc_arm(n++);
		a = authenticator_new();
		assert_null(a);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(errno, ENOMEM);
	}
	no_thread = false;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(n, 3); /* itself, its mailbox, none left */
	authenticator_free(NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_right_is_right_and_wrong_is_wrong),
		WITH(test_a_new_hash_comes_back_and_fits),
		WITH(test_scram_keys_are_made_when_told_to),
		WITH(test_a_login_gives_scram_keys_when_asked),
		WITH(test_an_endless_password_is_wrong_and_not_kept),
		WITH(test_the_password_is_wiped_before_it_comes_back),
		WITH(test_a_user_there_is_not_costs_a_hash_too),
		WITH(test_what_was_right_once_is_not_hashed_again),
		WITH(test_a_changed_password_is_not_found_in_memory),
		WITH(test_memory_forgets_the_one_unused_longest),
		WITH(test_quick_checks_overtake_slow_ones),
		WITH(test_too_many_are_refused_and_room_comes_back),
		WITH(test_a_full_mailbox_gets_its_answers_later),
		WITH(test_at_the_end_waiting_requests_come_back_cancelled),
		WITH(test_at_the_end_nobody_waits_for_a_full_mailbox),
		WITH(test_several_threads_share_it),
		cmocka_unit_test(test_what_it_cannot_have_is_told),
	};

	password_set_cost(10);
	if (sem_init(&entered, 0, 0) < 0 || sem_init(&gate, 0, 0) < 0)
		return 1;
	if (password_hash(PASSWORD_HUMAN, slice_str("correct horse"), human) ||
	    password_hash(PASSWORD_GENERATED, slice_str("0123456789abcdef"),
			  device))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
