#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static unsigned int mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void test_open_makes_private_files(void **state)
{
	struct db *db;
	mode_t old = umask(0);

	(void)state;
	db = scratch_open();
	umask(old);
	assert_int_equal(mode_of(scratch_path("")), 0700);
	assert_int_equal(mode_of(scratch_path("config.db")), 0600);
	assert_int_equal(mode_of(scratch_path("state.db")), 0600);
	assert_int_equal(mode_of(scratch_path("history.db")), 0600);
	assert_int_equal(mode_of(scratch_path("lock")), 0600);
	db_close(db);

	/* Also those that somebody has opened to all. */
	assert_int_equal(chmod(scratch_path("config.db"), 0644), 0);
	db_close(scratch_open());
	assert_int_equal(mode_of(scratch_path("config.db")), 0600);
}

static void test_open_closes_a_directory_to_others(void **state)
{
	(void)state;
	assert_int_equal(mkdir(scratch_path(""), 0755), 0);
	assert_int_equal(chmod(scratch_path(""), 0755), 0);
	db_close(scratch_open());
	assert_int_equal(mode_of(scratch_path("")), 0700);
}

static void test_the_wal_is_private_too(void **state)
{
	struct sqlite3 *sqlite;
	struct db *db;
	mode_t old = umask(0);

	(void)state;
	db = scratch_open();
	assert_int_equal(db_connect(db, DB_STATE, false, &sqlite), 0);
	assert_int_equal(
		sqlite3_exec(sqlite, "CREATE TABLE x (y)", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(mode_of(scratch_path("state.db-wal")), 0600);
	sqlite3_close(sqlite);
	db_close(db);
	umask(old);
}

static void test_a_second_hearthd_is_refused(void **state)
{
	struct db *first = scratch_open();
	struct db *second = NULL;

	(void)state;
	assert_int_equal(scratch_try(&second), -EBUSY);
	assert_true(scratch_logged("is in use by another hearthd"));
	db_close(first);
	assert_int_equal(scratch_try(&second), 0);
	db_close(second);
}

/* The lock is the kernel's: it does not outlive a killed process. */
static void test_the_lock_goes_with_the_process(void **state)
{
	struct db *db = NULL;
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		scratch_open();
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(scratch_try(&db), 0);
	db_close(db);
}

static void test_errors_say_which_directory(void **state)
{
	struct db_options options = { 0 };
	struct db *db = NULL;
	char path[200];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", scratch_path("no/parent"));
	options.dir = path;
	assert_int_equal(db_open(&options, &db), -ENOENT);
	assert_true(scratch_logged("no/parent"));
	options.dir = "/dev/null";
	assert_int_equal(db_open(&options, &db), -ENOTDIR);
}

struct pragma {
	enum db_file file;
	const char *name;
	const char *value;
};

static const char *ask(struct sqlite3 *sqlite, const char *name)
{
	static char answer[64];
	struct sqlite3_stmt *stmt;
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA %s", name);
	assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), 0);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	(void)snprintf(answer, sizeof(answer), "%s",
		       (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);

	return answer;
}

static void test_pragmas_are_set(void **state)
{
	static const struct pragma pragmas[] = {
		{ DB_CONFIG, "synchronous", "2" },
		{ DB_CONFIG, "journal_mode", "wal" },
		{ DB_CONFIG, "secure_delete", "1" },
		{ DB_STATE, "synchronous", "2" },
		{ DB_STATE, "journal_mode", "wal" },
		{ DB_STATE, "page_size", "2048" },
		{ DB_STATE, "wal_autocheckpoint", "0" },
		{ DB_STATE, "journal_size_limit", "16777216" },
		{ DB_STATE, "mmap_size", "0" },
		{ DB_STATE, "trusted_schema", "0" },
		{ DB_STATE, "cell_size_check", "1" },
		{ DB_STATE, "max_page_count", "262144" },
		{ DB_HISTORY, "synchronous", "1" },
		{ DB_HISTORY, "journal_mode", "wal" },
	};
	struct db *db = scratch_open();

	(void)state;
	for (size_t i = 0; i < sizeof(pragmas) / sizeof(*pragmas); i++) {
		struct sqlite3 *sqlite;

		assert_int_equal(
			db_connect(db, pragmas[i].file, false, &sqlite), 0);
		assert_string_equal(ask(sqlite, pragmas[i].name),
				    pragmas[i].value);
		sqlite3_close(sqlite);
	}
	db_close(db);
}

static void test_a_reader_cannot_write(void **state)
{
	struct db *db = scratch_open();
	struct sqlite3 *sqlite;

	(void)state;
	assert_int_equal(db_connect(db, DB_HISTORY, true, &sqlite), 0);
	assert_int_equal(db_error(sqlite3_exec(sqlite, "CREATE TABLE x (y)",
					       NULL, NULL, NULL)),
			 -EROFS);
	sqlite3_close(sqlite);
	db_close(db);
}

/* Damage at several places: always noticed, set aside, replaced, told. */
static void test_a_damaged_file_is_set_aside(void **state)
{
	static const struct {
		const char *name;
		enum db_file file;
		long offset;
	} cases[] = {
		{ "config.db", DB_CONFIG, 0 },
		{ "state.db", DB_STATE, 16 },
		{ "state.db", DB_STATE, 100 },
		{ "state.db", DB_STATE, 2048 },
		{ "history.db", DB_HISTORY, 4096 },
	};
	size_t n = sizeof(cases) / sizeof(*cases);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct db_notice *notices;
		static const char *const versions[] = {
			[DB_CONFIG] = "9",
			[DB_STATE] = "4",
			[DB_HISTORY] = "2",
		};
		struct db *db;

		db_close(scratch_open());
		scratch_damage(cases[i].name, cases[i].offset, 64);
		db = scratch_open();
		assert_int_equal(db_notices(db, &notices), i + 1);
		assert_true(access(scratch_path(notices[i].name), R_OK) == 0);
		assert_true(notices[i].time > 1600000000000);
		assert_true(scratch_logged(notices[i].name));
		db_close(db);
		assert_string_equal(
			scratch_ask(cases[i].name, "PRAGMA quick_check"), "ok");
		assert_string_equal(
			scratch_ask(cases[i].name, "PRAGMA user_version"),
			versions[cases[i].file]);
	}
}

static void test_no_notice_without_damage(void **state)
{
	const struct db_notice *notices;
	struct db *db;

	(void)state;
	db_close(scratch_open());
	db = scratch_open();
	assert_int_equal(db_notices(db, &notices), 0);
	db_close(db);
}

static void test_open_survives_allocation_failure(void **state)
{
	struct db *db = NULL;
	unsigned int n = 0;
	int r;

	(void)state;
	do {
		failing_malloc_arm(n++);
		r = scratch_try(&db);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 100);
	assert_int_equal(r, 0);
	assert_int_equal(n, 4);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open_makes_private_files,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_open_closes_a_directory_to_others, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_the_wal_is_private_too,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_second_hearthd_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_lock_goes_with_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors_say_which_directory,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_pragmas_are_set, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_reader_cannot_write,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_damaged_file_is_set_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_notice_without_damage,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_open_survives_allocation_failure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
