/*
 * Databases as each version of hearth has left them, tests/db/old/<file>-<version>
 * .sql, are opened by this one: they get the schema that a new file has, and keep
 * every row. A dump is made once, by the steps of its time, and never changed: so
 * a change of a step that is out there fails here, too.
 *
 * A new step needs its dump: run the steps in the sqlite3 program, add a row to
 * each table, and write what .dump says behind "PRAGMA user_version = N;".
 */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/db.h"
#include "tests/db/scratch.h"

static const char *const names[DB_FILES] = { "config", "state", "history" };

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

static char *read_dump(const char *name, int version)
{
	char *text = calloc(1, 65536);
	char path[512];
	FILE *file;

	assert_non_null(text);
	(void)snprintf(path, sizeof(path), "%s/%s-%03d.sql", OLD_DUMPS, name,
		       version);
	file = fopen(path, "re");
	if (!file) {
		(void)fprintf(stderr, "missing: %s\n", path);
		fail();
	}
	assert_in_range(fread(text, 1, 65535, file), 1, 65534);
	(void)fclose(file);
	return text;
}

static struct sqlite3 *old_one(const char *name, int version)
{
	char *dump = read_dump(name, version);
	struct sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, dump, NULL, NULL, NULL),
			 SQLITE_OK);
	free(dump);
	return sqlite;
}

/* Copied by SQLite's own backup: the dump becomes a file of the house. */
static void put_file(struct sqlite3 *old, const char *file)
{
	struct sqlite3 *to;
	sqlite3_backup *copy;

	assert_int_equal(sqlite3_open(scratch_path(file), &to), SQLITE_OK);
	copy = sqlite3_backup_init(to, "main", old, "main");
	assert_non_null(copy);
	assert_int_equal(sqlite3_backup_step(copy, -1), SQLITE_DONE);
	assert_int_equal(sqlite3_backup_finish(copy), SQLITE_OK);
	sqlite3_close(to);
}

/* All of one column, as text that tells types apart. */
static void column(struct sqlite3 *sqlite, const char *table, const char *name,
		   char out[8192])
{
	sqlite3_stmt *stmt;
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT group_concat(v, ' ') FROM (SELECT"
		       " quote(\"%s\") AS v FROM \"%s\" ORDER BY 1)",
		       name, table);
	out[0] = '\0';
	if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW &&
	    sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		(void)snprintf(out, 8192, "%s",
			       (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

/* What was said of a pin in columns is said in its document since config 7:
 * test_migrate.c looks into it. */
static bool went_elsewhere(const char *table, const char *name)
{
	static const char *const stay[] = { "name", "chip", "line",
					    "document" };

	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		if (strcmp(name, stay[i]) == 0)
			return false;
	return strcmp(table, "pins") == 0;
}

static unsigned int check_rows(struct sqlite3 *old, struct sqlite3 *now)
{
	static char before[8192], after[8192];
	unsigned int columns = 0;
	sqlite3_stmt *stmt;

	assert_int_equal(
		sqlite3_prepare_v2(old,
				   "SELECT t.name, c.name FROM sqlite_schema t"
				   " JOIN pragma_table_info(t.name) c"
				   " WHERE t.type = 'table'",
				   -1, &stmt, NULL),
		SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(stmt, 0);
		const char *name = (const char *)sqlite3_column_text(stmt, 1);

		if (went_elsewhere(table, name))
			continue;
		column(old, table, name, before);
		column(now, table, name, after);
		assert_string_not_equal(before, ""); /* a row in each */
		assert_string_equal(after, before);
		columns++;
	}
	sqlite3_finalize(stmt);
	return columns;
}

/* Without tables of days, which rows made. */
static void schema_of(const char *file, char out[32768])
{
	static const char sql[] =
		"SELECT group_concat(name || ': ' || sql, char(10)) FROM"
		" (SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL"
		" AND name NOT LIKE 'h\\_%' ESCAPE '\\' ORDER BY name)";
	struct sqlite3 *sqlite;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(scratch_path(file), &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	(void)snprintf(out, 32768, "%s",
		       (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);
}

static int version_of(const char *file)
{
	return (int)strtol(scratch_ask(file, "PRAGMA user_version"), NULL, 10);
}

static void check_version(enum db_file file, int version, int newest)
{
	static char fresh[32768], now[32768];
	const char *name = db_file_name(file);
	struct sqlite3 *old = old_one(names[file], version);
	struct sqlite3 *opened;

	scratch_make();
	db_close(scratch_open());
	schema_of(name, fresh);
	assert_int_equal(unlink(scratch_path(name)), 0);
	put_file(old, name);
	assert_int_equal(version_of(name), version);

	db_close(scratch_open());
	assert_false(scratch_logged("set aside"));
	assert_int_equal(version_of(name), newest);
	schema_of(name, now);
	assert_string_equal(now, fresh);
	assert_int_equal(sqlite3_open(scratch_path(name), &opened), SQLITE_OK);
	assert_in_range(check_rows(old, opened), 5, 1000);
	sqlite3_close(opened);
	sqlite3_close(old);
	scratch_remove();
}

static void test_every_older_version_is_taken_over_whole(void **state)
{
	(void)state;
	for (int file = 0; file < DB_FILES; file++) {
		int newest;

		db_close(scratch_open());
		newest = version_of(db_file_name((enum db_file)file));
		scratch_remove();
		assert_true(newest >= 1);
		for (int version = 1; version <= newest; version++)
			check_version((enum db_file)file, version, newest);
		scratch_make();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_every_older_version_is_taken_over_whole, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
