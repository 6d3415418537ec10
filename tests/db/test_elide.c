#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/origin.h"
#include "db/batch.h"
#include "db/elide.h"
#include "tests/failing_malloc.h"

#define BATCHES_MAX 3

static struct list txn;
static struct batch *batches[BATCHES_MAX];
static struct origin *origin;

static int setup(void **state)
{
	*state = NULL;
	hash_seed();
	origin = origin_new("u", "c", "a");
	list_init(&txn);
	for (int i = 0; i < BATCHES_MAX; i++) {
		batches[i] = batch_new();
		list_append(&txn, &batches[i]->link);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < BATCHES_MAX; i++)
		batch_free(batches[i]);
	origin_unref(origin);
	return 0;
}

static void add_key(int batch, enum op_type type, uint64_t a, uint64_t b)
{
	struct op *op = batch_add(batches[batch], type, 0);

	op->u.key.session = a;
	op->u.key.seq = b;
}

static void add_queued(int batch, uint64_t session, uint64_t seq)
{
	struct op *op = batch_add(batches[batch], OP_QUEUE_SAVE, 0);

	op->u.queued.session = session;
	op->u.queued.seq = seq;
}

static void add_message(int batch, enum op_type type, uint64_t id,
			const char *topic)
{
	struct message_parts parts = {
		.topic = slice_str(topic),
		.origin = origin,
		.expires = MESSAGE_NO_EXPIRY,
	};
	struct message *message = message_new(&parts);

	message->id = id;
	assert_non_null(batch_add_message(batches[batch], type, message));
	message_unref(message);
}

static void add_topic(int batch, const char *topic)
{
	struct op *op =
		batch_add(batches[batch], OP_RETAINED_REMOVE, strlen(topic));

	memcpy(batch_text(op), topic, strlen(topic));
	op->u.topic = slice_of(batch_text(op), strlen(topic));
}

/* One letter for each operation, in order: L lives, x is dead. */
static const char *lives(void)
{
	static char text[64];
	size_t n = 0;

	elide(&txn);
	for (int i = 0; i < BATCHES_MAX; i++) {
		for (struct op *op = batches[i]->first; op; op = op->next)
			text[n++] = op->dead ? 'x' : 'L';
	}
	text[n] = '\0';

	return text;
}

static void test_a_message_that_all_have_is_not_written(void **state)
{
	(void)state;
	add_message(0, OP_MESSAGE_SAVE, 1, "t");
	add_queued(0, 7, 1);
	add_queued(0, 8, 1);
	add_key(1, OP_QUEUE_REMOVE, 7, 1);
	add_key(1, OP_QUEUE_REMOVE, 8, 1);
	add_key(2, OP_MESSAGE_REMOVE, 1, 0);
	assert_string_equal(lives(), "xxxLLx");
}

/* The row is from an earlier transaction: its removal must be written. */
static void test_a_removal_alone_is_written(void **state)
{
	(void)state;
	add_key(0, OP_QUEUE_REMOVE, 7, 1);
	add_key(0, OP_MESSAGE_REMOVE, 1, 0);
	add_key(0, OP_INBOUND_REMOVE, 7, 1);
	add_topic(0, "t");
	assert_string_equal(lives(), "LLLL");
}

static void test_the_last_of_several_counts(void **state)
{
	(void)state;
	add_queued(0, 7, 1);
	add_queued(1, 7, 1);
	add_message(0, OP_RETAINED_SAVE, 1, "t");
	add_message(1, OP_RETAINED_SAVE, 2, "t");
	add_topic(1, "t");
	add_message(2, OP_RETAINED_SAVE, 3, "t");
	assert_string_equal(lives(), "xxLxxL");
}

static void test_other_keys_are_left_alone(void **state)
{
	(void)state;
	add_queued(0, 7, 1);
	add_queued(0, 7, 2);
	add_queued(0, 8, 1);
	add_key(0, OP_INBOUND_ADD, 7, 1);
	add_message(0, OP_MESSAGE_SAVE, 7, "t");
	add_message(0, OP_RETAINED_SAVE, 7, "t");
	add_message(0, OP_RETAINED_SAVE, 8, "t2");
	add_key(1, OP_QUEUE_REMOVE, 8, 2);
	add_key(1, OP_INBOUND_REMOVE, 8, 1);
	add_key(1, OP_MESSAGE_REMOVE, 8, 0);
	add_topic(1, "t/2");
	assert_string_equal(lives(), "LLLLLLLLLLL");
}

static void test_after_a_removal_a_new_row_counts(void **state)
{
	(void)state;
	add_key(0, OP_INBOUND_ADD, 7, 1);
	add_key(0, OP_INBOUND_REMOVE, 7, 1);
	add_key(0, OP_INBOUND_ADD, 7, 1);
	assert_string_equal(lives(), "xxL");
}

static void test_lazy_values_and_history_are_no_part_of_it(void **state)
{
	(void)state;
	add_message(0, OP_RETAINED_LAZY, 1, "t");
	add_message(0, OP_RETAINED_SAVE, 2, "t");
	add_message(0, OP_HISTORY, 2, "t");
	add_message(0, OP_RETAINED_LAZY, 3, "t");
	assert_string_equal(lives(), "LLLL");
	assert_int_equal(batches[0]->ops, 4);
	assert_int_equal(batches[0]->promised, 1);
}

/* Without memory nothing is left out, and nothing is wrong. */
static void test_elide_survives_allocation_failure(void **state)
{
	(void)state;
	add_message(0, OP_MESSAGE_SAVE, 1, "t");
	add_key(0, OP_MESSAGE_REMOVE, 1, 0);
	failing_malloc_arm(0);
	assert_string_equal(lives(), "LL");
	assert_true(failing_malloc_disarm());
	assert_string_equal(lives(), "xx");
}

/* Operations stay where they are while a batch grows over many chunks. */
static void test_a_batch_keeps_its_texts(void **state)
{
	static char text[70000];
	struct op *op;
	size_t n = 0;

	(void)state;
	for (size_t len = 1; len < sizeof(text); len = len * 3 + 1) {
		memset(text, 'a' + (int)(len % 26), len);
		text[len] = '\0';
		add_topic(0, text);
		n++;
	}
	assert_int_equal(batches[0]->ops, n);
	for (op = batches[0]->first; op; op = op->next) {
		size_t len = op->u.topic.len;

		assert_int_equal(op->u.topic.data[0], 'a' + (int)(len % 26));
		assert_int_equal(op->u.topic.data[len - 1],
				 'a' + (int)(len % 26));
	}
}

static void test_a_batch_survives_allocation_failure(void **state)
{
	struct batch *batch = batches[0];

	(void)state;
	failing_malloc_arm(0);
	assert_null(batch_add(batch, OP_SESSION_SAVE, 10));
	assert_true(failing_malloc_disarm());
	assert_int_equal(batch->ops, 0);
	assert_int_equal(batch->bytes, 0);
	assert_null(batch->first);
	failing_malloc_arm(0);
	assert_null(batch_new());
	assert_true(failing_malloc_disarm());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_that_all_have_is_not_written),
		TEST(test_a_removal_alone_is_written),
		TEST(test_the_last_of_several_counts),
		TEST(test_other_keys_are_left_alone),
		TEST(test_after_a_removal_a_new_row_counts),
		TEST(test_lazy_values_and_history_are_no_part_of_it),
		TEST(test_elide_survives_allocation_failure),
		TEST(test_a_batch_keeps_its_texts),
		TEST(test_a_batch_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
