/*
 * When wills are written, and that they come back. The store is stepped by hand
 * while its clock stands still.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "broker/base/clock.h"
#include "broker/store.h"
#include "db/db.h"
#include "db/gather.h"
#include "db/wills.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"
#include "tests/failing_malloc.h"

#define OPS(m) ((m)->store->ops)
#define REMOVALS_MS (GATHER_REMOVALS_NS / 1000000)

static uint64_t now_ms;
static struct model model;

static uint64_t now_ns(void)
{
	return now_ms * 1000000;
}

static int setup(void **state)
{
	struct db_options options = { .vfs = fault_vfs_name() };

	scratch_make();
	options.dir = scratch_path("");
	now_ms = 1000000;
	clock_set_source(now_ns, NULL);
	assert_int_equal(db_open(&options, &model.db), 0);
	assert_int_equal(db_store_open(model.db, NULL, &model.owner), 0);
	model.store = db_store_door(model.owner);
	*state = &model;
	return 0;
}

static void close_store(struct model *m)
{
	db_store_free(m->owner);
	db_close(m->db);
	m->owner = NULL;
	m->db = NULL;
}

static int teardown(void **state)
{
	fault_vfs_disarm();
	close_store(*state);
	clock_set_source(NULL, NULL);
	scratch_remove();
	return 0;
}

static void turn_after(struct model *m, uint64_t ms)
{
	now_ms += ms;
	OPS(m)->flush(m->store);
	db_store_turn(m->owner);
}

static void save(struct model *m, uint64_t session, const char *payload)
{
	struct message *message = model_message(0, "will/a", payload);
	const struct store_will will = {
		.session = session,
		.message = message,
		.delay = 20,
		.expiry = 90,
	};

	assert_int_equal(OPS(m)->will_save(m->store, &will), 0);
	message_unref(message);
}

static void drop(struct model *m, uint64_t session)
{
	assert_int_equal(OPS(m)->will_remove(m->store, session), 0);
}

/* "session=payload ..." on disk. */
static const char *rows(void)
{
	return scratch_ask("state.db",
			   "SELECT coalesce(group_concat(session || '=' ||"
			   " CAST(payload AS TEXT), ' '), '') FROM wills");
}

static void test_a_will_is_written_after_some_seconds(void **state)
{
	struct model *m = *state;

	save(m, 7, "gone");
	turn_after(m, 0);
	turn_after(m, WILLS_MS - 1);
	assert_string_equal(rows(), "");
	turn_after(m, 1);
	assert_string_equal(rows(), "7=gone");
	assert_int_equal(OPS(m)->committed(m->store), 0);
}

/* With the first go those that came a little later. */
static void test_wills_are_written_together(void **state)
{
	struct model *m = *state;

	save(m, 7, "a");
	turn_after(m, 0);
	save(m, 8, "b");
	turn_after(m, WILLS_MS / 2);
	save(m, 9, "c");
	turn_after(m, 1);
	turn_after(m, WILLS_MS / 2 - 1);
	assert_string_equal(rows(), "7=a 8=b");
	turn_after(m, WILLS_MS);
	assert_string_equal(rows(), "7=a 8=b 9=c");
}

/* A sensor that wakes up, reports and sleeps again wears out no card. */
static void test_who_comes_and_goes_is_not_written(void **state)
{
	struct model *m = *state;

	fault_vfs_watch("state.db");
	save(m, 7, "gone");
	turn_after(m, 0);
	drop(m, 7);
	turn_after(m, WILLS_MS - 1);
	turn_after(m, WILLS_MS);
	assert_int_equal(fault_vfs_calls(), 0);
	assert_string_equal(rows(), "");
}

static void test_a_will_is_replaced_and_removed(void **state)
{
	struct model *m = *state;

	save(m, 7, "old");
	turn_after(m, 0);
	turn_after(m, WILLS_MS);
	save(m, 7, "newer");
	save(m, 7, "new");
	turn_after(m, 0);
	turn_after(m, WILLS_MS);
	assert_string_equal(rows(), "7=new");
	drop(m, 7);
	turn_after(m, 0);
	turn_after(m, REMOVALS_MS);
	assert_string_equal(rows(), "");
}

/* The removal is of the one before. */
static void test_one_that_comes_after_a_removal_stays(void **state)
{
	struct model *m = *state;

	save(m, 7, "old");
	turn_after(m, 0);
	turn_after(m, WILLS_MS);
	drop(m, 7);
	save(m, 7, "new");
	turn_after(m, 0);
	turn_after(m, REMOVALS_MS);
	assert_string_equal(rows(), "");
	turn_after(m, WILLS_MS);
	assert_string_equal(rows(), "7=new");
}

static void test_what_could_not_be_written_is_tried_again(void **state)
{
	struct model *m = *state;

	save(m, 7, "gone");
	turn_after(m, 0);
	fault_vfs_arm("state.db", SQLITE_IOERR, 0, false);
	turn_after(m, WILLS_MS);
	assert_true(fault_vfs_disarm());
	assert_string_equal(rows(), "");
	turn_after(m, 200);
	turn_after(m, 1);
	assert_string_equal(rows(), "7=gone");
}

static void test_wills_come_back(void **state)
{
	struct model *m = *state;
	char text[512];

	save(m, 7, "gone");
	assert_int_equal(db_store_start(m->owner), 0);
	assert_int_equal(db_store_stop(m->owner), 0);
	close_store(m);
	(void)snprintf(text, sizeof(text), "%s", model_load());
	assert_string_equal(text, "of session 7 after 20 for 90: "
				  "will 7 will/a=gone t0 q1 r0 p2 "
				  "user/client@192.0.2.7:1\n");
}

static void test_put_survives_allocation_failure(void **state)
{
	struct message *message = model_message(0, "will/a", "x");
	const struct store_will will = { .session = 7, .message = message };
	struct wills wills;

	(void)state;
	assert_int_equal(wills_init(&wills), 0);
	failing_malloc_arm(0);
	assert_int_equal(wills_put(&wills, &will, 0), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_null(wills_first(&wills));
	assert_int_equal(wills_put(&wills, &will, 0), 0);
	assert_non_null(wills_first(&wills));
	wills_free(&wills);
	message_unref(message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_will_is_written_after_some_seconds),
		TEST(test_wills_are_written_together),
		TEST(test_who_comes_and_goes_is_not_written),
		TEST(test_a_will_is_replaced_and_removed),
		TEST(test_one_that_comes_after_a_removal_stays),
		TEST(test_what_could_not_be_written_is_tried_again),
		TEST(test_wills_come_back),
		TEST(test_put_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
