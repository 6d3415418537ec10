/*
 * Memory runs out while a damaged database is recovered: of ours and of SQLite's,
 * each allocation in turn. The start fails or it does not; nothing is given up for
 * it that the next one could have had.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/backup/generations.h"
#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

/* ---- SQLite's allocations ---------------------------------------------- */

static sqlite3_mem_methods real;
static unsigned int left; /* allocations until one fails */
static bool armed, for_ever, failed;

static bool fails(void)
{
	if (!armed)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	failed = true;
	armed = for_ever;
	return true;
}

static void *failing_alloc(int size)
{
	return fails() ? NULL : real.xMalloc(size);
}

static void *failing_realloc(void *old, int size)
{
	return fails() ? NULL : real.xRealloc(old, size);
}

static int group_setup(void **state)
{
	sqlite3_mem_methods mine;

	*state = NULL;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
		return -1;
	mine = real;
	mine.xMalloc = failing_alloc;
	mine.xRealloc = failing_realloc;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
}

static void arm_sqlite(unsigned int n, bool ever)
{
	left = n;
	for_ever = ever;
	failed = false;
	armed = true;
}

static bool disarm_sqlite(void)
{
	armed = false;
	return failed;
}

/* ---- a house with a backup --------------------------------------------- */

static void make_backup(void)
{
	struct backup_source source = { .node = "attic" };
	struct backup_options options = { 0 };
	struct generation made;
	struct reason reason = { 0 };
	int dir;

	source.db = scratch_open();
	dir = generations_dir(db_dir_fd(source.db), NULL);
	assert_true(dir >= 0);
	assert_int_equal(
		generations_make(dir, &source, &options, 0, &made, &reason), 0);
	close(dir);
	db_close(source.db);
}

/* All three have something that an empty file has not. */
static void make_house(void)
{
	scratch_make();
	db_close(scratch_open());
	scratch_sql("config.db",
		    "INSERT INTO settings VALUES ('word', 'kept')");
	scratch_sql("state.db", "INSERT INTO sessions VALUES"
				" (7, 'anna', 'user', 3600, 5)");
	make_backup();
}

static void lose_most_of(enum db_file file)
{
	assert_int_equal(truncate(scratch_path(db_file_name(file)), 5000), 0);
}

/* Only the damaged file is set aside, and what it had is there: a house for the
 * next one. */
static void check_recovered(enum db_file file, unsigned int n)
{
	const struct db_notice *notices;
	struct db *db = scratch_open();
	const size_t count = db_notices(db, &notices);
	bool good = count > 0 && db_stand_in(db) == 0;

	for (size_t i = 0; i < count; i++)
		good = good && notices[i].file == file;
	for (size_t i = count; i-- > 0;) {
		char name[sizeof(notices[i].name)];

		memcpy(name, notices[i].name, sizeof(name));
		assert_int_equal(db_notice_remove(db, name), 0);
	}
	db_close(db);
	good = good && strcmp(scratch_ask("config.db", "SELECT value FROM"
						       " settings WHERE key ="
						       " 'word'"),
			      "kept") == 0;
	good = good &&
	       strcmp(scratch_ask("state.db", "SELECT client FROM sessions"),
		      "anna") == 0;
	if (!good)
		fail_msg("%s: allocation %u", db_file_name(file), n);
}

static void test_each_allocation_of_ours(void **state)
{
	(void)state;
	for (int file = DB_CONFIG; file <= DB_STATE; file++) {
		struct db *db = NULL;
		unsigned int n = 0;
		bool happened = true;

		make_house();
		for (; happened; n++) {
			int r;

			lose_most_of((enum db_file)file);
			failing_malloc_arm(n);
			r = scratch_try(&db);
			happened = failing_malloc_disarm();
			assert_true(r == 0 || (happened && r == -ENOMEM));
			if (r == 0)
				db_close(db);
			check_recovered((enum db_file)file, n);
		}
		scratch_remove();
		assert_true(n > 5);
	}
}

/* There are thousands: all of the beginning, then fewer and fewer. */
static void each_of_sqlite(enum db_file file, bool ever)
{
	bool happened = true;
	unsigned int runs = 0;

	make_house();
	for (unsigned int n = 0; happened; n += 1 + n / 6) {
		struct db *db = NULL;
		int r;

		lose_most_of(file);
		arm_sqlite(n, ever);
		r = scratch_try(&db);
		happened = disarm_sqlite();
		assert_true(r == 0 || (happened && r == -ENOMEM));
		if (r == 0)
			db_close(db);
		check_recovered(file, n);
		runs++;
	}
	scratch_remove();
	assert_true(runs > 20);
}

static void test_each_allocation_of_sqlite_once(void **state)
{
	(void)state;
	each_of_sqlite(DB_CONFIG, false);
	each_of_sqlite(DB_STATE, false);
}

static void test_each_allocation_of_sqlite_and_all_after_it(void **state)
{
	(void)state;
	each_of_sqlite(DB_CONFIG, true);
	each_of_sqlite(DB_STATE, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_of_ours),
		cmocka_unit_test(test_each_allocation_of_sqlite_once),
		cmocka_unit_test(
			test_each_allocation_of_sqlite_and_all_after_it),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
