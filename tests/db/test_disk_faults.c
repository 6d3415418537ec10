/* Each kind of call on each database fails, once or from then on, with each error:
 * no good file is set aside, nothing is acknowledged that is not there, and it goes
 * on when the disk does. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "db/config.h"
#include "db/db.h"
#include "db/settings.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

#define OPS(m) ((m).store->ops)

static const struct fault {
	const char *what;
	unsigned int kinds;
	int code;
} faults[] = {
	{ "ENOSPC writing", FAULT_WRITE, SQLITE_FULL },
	{ "EIO writing", FAULT_WRITE, SQLITE_IOERR_WRITE },
	{ "EIO syncing", FAULT_WRITE, SQLITE_IOERR_FSYNC },
	{ "EIO reading", FAULT_READ, SQLITE_IOERR_READ },
	{ "ENOMEM reading", FAULT_READ, SQLITE_IOERR_NOMEM },
	{ "ENOMEM", FAULT_WRITE | FAULT_SHARE, SQLITE_IOERR_NOMEM },
	{ "EMFILE", FAULT_OPEN, SQLITE_CANTOPEN },
	{ "ENOSPC for the index", FAULT_SHARE, SQLITE_IOERR_SHMSIZE },
	{ "EIO locking", FAULT_SHARE, SQLITE_IOERR_LOCK },
};

#define HISTORY_ROWS "SELECT count(*) FROM h_20231114"

#define FAULTS (sizeof(faults) / sizeof(*faults))

/* More calls than this does nobody here on one file. */
#define CALLS_MAX 400

static void arm(const struct fault *fault, const char *name, unsigned int after,
		bool forever)
{
	fault_vfs_kinds(fault->kinds);
	fault_vfs_arm(name, fault->code, after, forever);
}

static void prepare(void)
{
	struct model m;

	scratch_make();
	model_open(&m, NULL, fault_vfs_name());
	model_session(&m, 7, "anna");
	model_commit(&m);
	assert_int_equal(model_close(&m), 0);
}

/* True: something has failed. */
static bool start(const struct fault *fault, const char *name,
		  unsigned int after)
{
	const struct db_options options = { .dir = scratch_path(""),
					    .vfs = fault_vfs_name() };
	const struct db_notice *notices;
	struct db *db = NULL;
	bool hit;
	int r;

	arm(fault, name, after, false);
	r = db_open(&options, &db);
	hit = fault_vfs_disarm();
	if (!r && db_notices(db, &notices) > 0)
		fail_msg("%s of %s, call %u: a good file is set aside",
			 fault->what, name, after);
	if (!r)
		db_close(db);

	return hit;
}

/* Once, at each call of a start: it starts, or says why not, and no file that is
 * good is taken for damaged. */
static void test_a_fault_at_the_start_condemns_nothing(void **state)
{
	(void)state;
	prepare();
	for (size_t i = 0; i < FAULTS; i++) {
		for (int file = 0; file < DB_FILES; file++) {
			const char *name = db_file_name((enum db_file)file);
			unsigned int n = 0;

			while (n < CALLS_MAX && start(&faults[i], name, n))
				n += n < 10 ? 1 : 7;
			assert_true(n < CALLS_MAX);
		}
	}
	assert_non_null(strstr(model_load(), "session 7 anna"));
	scratch_remove();
}

/* Once, in the middle of work: what is acknowledged is there. */
static void check_once(const struct fault *fault, unsigned int after)
{
	struct model m;

	model_open(&m, NULL, fault_vfs_name());
	arm(fault, "state.db", after, false);
	model_queue(&m, 7, 1, 1, "t", "1");
	model_commit(&m);
	model_queue(&m, 7, 2, 2, "t", "2");
	model_commit(&m);
	fault_vfs_disarm();
	assert_int_equal(OPS(m)->health(m.store), STORE_OK);
	assert_int_equal(model_close(&m), 0);
	if (strcmp(scratch_ask("state.db", "SELECT count(*) FROM queue"),
		   "2") != 0)
		fail_msg("%s, call %u: lost", fault->what, after);
	scratch_sql("state.db", "DELETE FROM queue; DELETE FROM messages");
}

static void test_a_fault_at_work_loses_nothing(void **state)
{
	(void)state;
	prepare();
	for (size_t i = 0; i < FAULTS; i++) {
		for (unsigned int after = 0; after < 12; after += 3)
			check_once(&faults[i], after);
	}
	scratch_remove();
}

/* From now on: nothing is acknowledged, the state is told, and over it is when the
 * disk is well again. */
static void test_a_disk_that_goes_on_failing(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAULTS; i++) {
		uint64_t number;
		struct model m;

		if (!(faults[i].kinds & FAULT_WRITE))
			continue;
		prepare();
		model_open(&m, NULL, fault_vfs_name());
		arm(&faults[i], "state.db", 0, true);
		model_queue(&m, 7, 1, 1, "t", "1");
		number = OPS(m)->current(m.store);
		OPS(m)->flush(m.store);
		assert_true(model_wait_health(&m, STORE_DEGRADED));
		assert_true(scratch_logged("state.db: cannot be written"));
		assert_true(OPS(m)->committed(m.store) < number);
		assert_true(fault_vfs_disarm());
		assert_true(model_wait(&m, number));
		assert_int_equal(OPS(m)->refuses(m.store), 0);
		assert_int_equal(model_close(&m), 0);
		scratch_remove();
	}
}

/* A setting is changed, or it is said that it is not. */
static void change(const struct fault *fault, unsigned int after, bool forever)
{
	const struct db_options options = { .dir = scratch_path(""),
					    .vfs = fault_vfs_name() };
	struct db_config *config;
	struct db *db;
	char *value;
	int r;

	assert_int_equal(db_open(&options, &db), 0);
	assert_int_equal(db_config_open(db, &config), 0);
	assert_int_equal(db_settings_set(config, "language", "en"), 0);
	arm(fault, "config.db", after, forever);
	r = db_settings_set(config, "language", "zh");
	fault_vfs_disarm();
	db_config_close(config);
	assert_int_equal(db_config_open(db, &config), 0);
	assert_int_equal(db_settings_get(config, "language", &value), 0);
	if (strcmp(value, r ? "en" : "zh") != 0)
		fail_msg("%s, call %u: %s after %d", fault->what, after, value,
			 r);
	free(value);
	assert_int_equal(db_settings_set(config, "language", "de"), 0);
	db_config_close(config);
	db_close(db);
}

static void test_a_setting_is_kept_or_refused(void **state)
{
	(void)state;
	prepare();
	for (size_t i = 0; i < FAULTS; i++) {
		for (unsigned int after = 0; after < 6; after++) {
			change(&faults[i], after, false);
			change(&faults[i], after, true);
		}
	}
	scratch_remove();
}

#define WAIT_MS 30000

static void say(struct model *m, uint64_t id)
{
	struct message *message = model_message(id, "t", "1");

	assert_int_equal(OPS(*m)->history(m->store, message), 0);
	OPS(*m)->flush(m->store);
	message_unref(message);
}

static bool wait_history(struct model *m, bool failing, uint64_t waiting)
{
	const uint64_t end = clock_ms() + WAIT_MS;
	struct db_store_history now;

	for (;;) {
		db_store_history(m->owner, &now);
		if (now.failing == failing && now.waiting == waiting)
			return true;
		if (clock_ms() > end)
			return false;
		poll(NULL, 0, 2);
	}
}

/* What the history cannot keep for a while, nobody else waits for. */
static void fail_history(const struct fault *fault, unsigned int after,
			 bool forever)
{
	const struct db_store_options options = { .history_ms = 1 };
	struct db_store_history history;
	struct model m;

	prepare();
	model_open(&m, &options, fault_vfs_name());
	say(&m, 1);
	model_session(&m, 7, "anna");
	model_commit(&m);
	assert_true(wait_history(&m, false, 0));
	arm(fault, "history.db", after, forever);
	say(&m, 2);
	if (forever && fault->kinds & FAULT_WRITE)
		assert_true(wait_history(&m, true, 1));
	model_queue(&m, 7, 1, 1, "t", "1");
	model_commit(&m);
	assert_int_equal(OPS(m)->health(m.store), STORE_OK);
	assert_int_equal(OPS(m)->refuses(m.store), 0);
	fault_vfs_disarm();
	assert_true(wait_history(&m, false, 0));
	db_store_history(m.owner, &history);
	assert_int_equal(history.lost, 0);
	assert_int_equal(model_close(&m), 0);
	if (strcmp(scratch_ask("history.db", HISTORY_ROWS), "2") != 0)
		fail_msg("%s, call %u%s: %s rows", fault->what, after,
			 forever ? " and on" : "",
			 scratch_ask("history.db", HISTORY_ROWS));
	assert_int_equal(scratch_logged("history.db: cannot be written"),
			 scratch_logged("history.db: is written again"));
	scratch_remove();
}

static void test_a_history_that_fails_hurts_nobody(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAULTS; i++) {
		fail_history(&faults[i], (unsigned int)i, false);
		fail_history(&faults[i], 0, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_fault_at_the_start_condemns_nothing),
		cmocka_unit_test(test_a_fault_at_work_loses_nothing),
		cmocka_unit_test(test_a_disk_that_goes_on_failing),
		cmocka_unit_test(test_a_setting_is_kept_or_refused),
		cmocka_unit_test(test_a_history_that_fails_hurts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
