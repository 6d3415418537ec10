/*
 * When rows of messages that were delivered go: queued rows a moment later,
 * together, the messages' own a little after that. The store is stepped by hand
 * while its clock stands still.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/store.h"
#include "db/db.h"
#include "db/gather.h"
#include "db/leftovers.h"
#include "db/store_leftovers.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

#include <sqlite3.h>

#define OPS(m) ((m)->store->ops)
#define REMOVALS_MS (GATHER_REMOVALS_NS / 1000000)

static uint64_t now_ms;
static struct model model;

static uint64_t now_ns(void)
{
	return now_ms * 1000000;
}

static void open_store(struct model *m)
{
	const struct db_options options = { .dir = scratch_path(""),
					    .vfs = fault_vfs_name() };

	assert_int_equal(db_open(&options, &m->db), 0);
	assert_int_equal(db_store_open(m->db, NULL, &m->owner), 0);
	m->store = db_store_door(m->owner);
}

static int setup(void **state)
{
	scratch_make();
	now_ms = 1000000;
	clock_set_source(now_ns, NULL);
	open_store(&model);
	*state = &model;
	return 0;
}

static int teardown(void **state)
{
	struct model *m = *state;

	fault_vfs_disarm();
	db_store_free(m->owner);
	db_close(m->db);
	clock_set_source(NULL, NULL);
	scratch_remove();
	return 0;
}

/* Hand over what was put in, and let the store do what is due. */
static void turn(struct model *m)
{
	OPS(m)->flush(m->store);
	db_store_turn(m->owner);
}

static void turn_after(struct model *m, uint64_t ms)
{
	now_ms += ms;
	turn(m);
}

/* "queued/messages" on disk. */
static const char *rows(void)
{
	return scratch_ask("state.db", "SELECT (SELECT count(*) FROM queue) ||"
				       " '/' ||"
				       " (SELECT count(*) FROM messages)");
}

static void keep(struct model *m, uint64_t first, uint64_t last)
{
	model_session(m, 7, "anna");
	for (uint64_t i = first; i <= last; i++)
		model_queue(m, 7, i, i, "t", "1");
	turn(m);
}

static void deliver(struct model *m, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++) {
		assert_int_equal(OPS(m)->queue_remove(m->store, 7, i, i), 0);
		assert_int_equal(OPS(m)->message_remove(m->store, i), 0);
	}
}

static void test_removals_wait_for_more(void **state)
{
	struct model *m = *state;

	keep(m, 1, 3);
	assert_string_equal(rows(), "3/3");
	deliver(m, 1, 1);
	turn(m);
	turn_after(m, REMOVALS_MS - 1);
	deliver(m, 2, 2);
	turn(m);
	assert_string_equal(rows(), "3/3");
	turn_after(m, 1);
	assert_string_equal(rows(), "1/3");
}

/* A commit takes along what waits. */
static void test_what_is_promised_does_not_wait_for_removals(void **state)
{
	struct model *m = *state;
	uint64_t number;

	keep(m, 1, 2);
	deliver(m, 1, 1);
	turn(m);
	model_session(m, 8, "bert");
	number = OPS(m)->current(m->store);
	turn(m);
	assert_int_equal(OPS(m)->committed(m->store), number);
	assert_string_equal(rows(), "1/2");
}

/* What ends a QoS 2 delivery at the publisher's side is a promise. */
static void test_the_end_of_an_identifier_does_not_wait(void **state)
{
	struct model *m = *state;
	uint64_t number;

	keep(m, 1, 1);
	assert_int_equal(OPS(m)->inbound_add(m->store, 7, 5), 0);
	turn(m);
	assert_int_equal(OPS(m)->inbound_remove(m->store, 7, 5), 0);
	number = OPS(m)->current(m->store);
	turn(m);
	assert_int_equal(OPS(m)->committed(m->store), number);
}

static void test_many_removals_do_not_wait(void **state)
{
	struct model *m = *state;

	keep(m, 1, DB_STORE_TXN_OPS / 2);
	deliver(m, 1, DB_STORE_TXN_OPS / 2);
	turn(m);
	assert_string_equal(rows(), "0/2000");
}

static void test_rows_of_messages_go_together(void **state)
{
	struct model *m = *state;

	keep(m, 1, 5);
	deliver(m, 1, 2);
	turn(m);
	turn_after(m, REMOVALS_MS);
	deliver(m, 4, 5);
	turn(m);
	turn_after(m, REMOVALS_MS);
	turn_after(m, STORE_LEFTOVERS_MS - REMOVALS_MS - 1);
	assert_string_equal(rows(), "1/5");
	turn_after(m, 1);
	assert_string_equal(rows(), "1/1");
	assert_string_equal(scratch_ask("state.db", "SELECT id FROM messages"),
			    "3");
}

/* A retained message that waited for one may come to wait for another. */
static void test_a_message_that_is_saved_again_stays(void **state)
{
	struct model *m = *state;

	keep(m, 1, 3);
	deliver(m, 1, 3);
	turn(m);
	turn_after(m, REMOVALS_MS);
	assert_string_equal(rows(), "0/3");
	model_queue(m, 7, 4, 2, "t", "1");
	turn(m);
	turn_after(m, STORE_LEFTOVERS_MS);
	assert_string_equal(rows(), "1/1");
	assert_string_equal(scratch_ask("state.db", "SELECT id FROM messages"),
			    "2");
}

/* Ids far from one another: those for which there is no room go at once. */
static void test_scattered_messages_go_at_once(void **state)
{
	struct model *m = *state;

	model_session(m, 7, "anna");
	for (uint64_t i = 0; i <= LEFTOVERS_BLOCKS; i++)
		model_queue(m, 7, i + 1, i * LEFTOVERS_BLOCK + 1, "t", "1");
	turn(m);
	for (uint64_t i = 0; i <= LEFTOVERS_BLOCKS; i++)
		assert_int_equal(OPS(m)->message_remove(
					 m->store, i * LEFTOVERS_BLOCK + 1),
				 0);
	turn_after(m, REMOVALS_MS);
	turn_after(m, REMOVALS_MS);
	assert_string_equal(rows(), "65/64");
	now_ms += STORE_LEFTOVERS_MS;
	for (size_t i = 0; i < LEFTOVERS_BLOCKS; i++)
		turn(m);
	assert_string_equal(rows(), "65/0");
}

/* While nothing can be written, what goes makes room for what was promised. */
static void test_a_full_disk_gets_their_room(void **state)
{
	struct model *m = *state;
	uint64_t number;

	keep(m, 1, 3);
	deliver(m, 1, 2);
	turn(m);
	turn_after(m, REMOVALS_MS);
	assert_string_equal(rows(), "1/3");
	fault_vfs_arm("state.db", SQLITE_FULL, 0, false);
	model_session(m, 8, "bert");
	number = OPS(m)->current(m->store);
	turn(m);
	assert_true(fault_vfs_disarm());
	assert_true(OPS(m)->committed(m->store) < number);
	turn_after(m, 200);
	assert_int_equal(OPS(m)->committed(m->store), number);
	assert_string_equal(rows(), "1/1");
}

/* What could not be removed is tried again. */
static void test_a_failing_disk_keeps_them_for_later(void **state)
{
	struct model *m = *state;

	keep(m, 1, 3);
	deliver(m, 1, 2);
	turn(m);
	turn_after(m, REMOVALS_MS);
	fault_vfs_arm("state.db", SQLITE_IOERR, 0, false);
	turn_after(m, STORE_LEFTOVERS_MS);
	assert_true(fault_vfs_disarm());
	assert_string_equal(rows(), "1/3");
	turn_after(m, 200);
	turn_after(m, 1);
	assert_string_equal(rows(), "1/1");
}

static void test_all_rows_are_gone_at_the_stop(void **state)
{
	struct model *m = *state;

	keep(m, 1, 9);
	deliver(m, 1, 8);
	assert_int_equal(db_store_start(m->owner), 0);
	assert_int_equal(db_store_stop(m->owner), 0);
	assert_string_equal(rows(), "1/1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_removals_wait_for_more),
		TEST(test_what_is_promised_does_not_wait_for_removals),
		TEST(test_the_end_of_an_identifier_does_not_wait),
		TEST(test_many_removals_do_not_wait),
		TEST(test_rows_of_messages_go_together),
		TEST(test_a_message_that_is_saved_again_stays),
		TEST(test_scattered_messages_go_at_once),
		TEST(test_a_full_disk_gets_their_room),
		TEST(test_a_failing_disk_keeps_them_for_later),
		TEST(test_all_rows_are_gone_at_the_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
