/* A data directory in which nothing can be written: the house goes on from
 * memory, and nothing is said to be kept. */
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
#include <unistd.h>

#include <cmocka.h>

#include "db/config.h"
#include "db/db.h"
#include "db/settings.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"
#include "tests/db/tiny_disk.h"
#include "tests/failing_malloc.h"

#define DISK ((size_t)4 * 1024 * 1024)

static void check(bool ok, int line)
{
	if (ok)
		return;
	(void)fprintf(stderr, "test_stand_in.c:%d fails\n", line);
	abort();
}

/* cmocka's own would long-jump out of the child. */
#define CHECK(condition) check(condition, __LINE__)

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return mkdir(scratch_path(""), 0700);
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static void run(void (*body)(void))
{
	if (!tiny_disk_run(scratch_path(""), DISK, body))
		skip();
}

static void set_language(struct db *db, const char *language, int expected)
{
	struct db_config *config;

	CHECK(db_config_open(db, &config) == 0);
	CHECK(db_settings_set(config, "language", language) == expected);
	db_config_close(config);
}

static bool language_is(struct db *db, const char *language)
{
	struct db_config *config;
	bool is = false;
	char *value;

	CHECK(db_config_open(db, &config) == 0);
	if (db_settings_get(config, "language", &value) == 0) {
		is = strcmp(value, language) == 0;
		free(value);
	}
	db_config_close(config);

	return is;
}

/* Left as by a pulled plug: the last words are in the WAL. */
static void leave_something(void)
{
	struct model m;
	struct db *db = scratch_open();

	set_language(db, "zh", 0);
	db_close(db);
	model_open(&m, NULL, NULL);
	model_session(&m, 7, "anna");
	model_commit(&m);
	CHECK(model_close(&m) == 0);
}

static void serve_from_memory(int error)
{
	struct db *db = scratch_open();
	char dir[128];
	struct stat st;

	CHECK(db_stand_in(db) == error);
	CHECK(scratch_logged("serving from memory"));
	(void)snprintf(dir, sizeof(dir), "%s", db_dir(db));
	CHECK(strcmp(dir, scratch_path("")) != 0);
	CHECK(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);

	/* What there was can be used; what is new is not said to be kept. */
	CHECK(language_is(db, "zh"));
	set_language(db, "en", -EROFS);
	db_close(db);
	CHECK(stat(dir, &st) < 0 && errno == ENOENT);
}

static void be_read_only(void)
{
	struct db *db;

	leave_something();
	tiny_disk_read_only(scratch_path(""), true);
	serve_from_memory(-EROFS);
	tiny_disk_read_only(scratch_path(""), false);
	db = scratch_open();
	CHECK(db_stand_in(db) == 0);
	set_language(db, "en", 0);
	db_close(db);
	CHECK(strstr(model_load(), "session 7 anna") != NULL);
}

static void test_a_read_only_disk(void **state)
{
	(void)state;
	run(be_read_only);
}

/* Not even the directory's lock was there. */
static void be_read_only_from_the_first(void)
{
	const struct db_notice *notices;
	struct db *db;

	tiny_disk_read_only(scratch_path(""), true);
	db = scratch_open();
	CHECK(db_stand_in(db) == -EROFS);
	CHECK(db_notices(db, &notices) == 0);
	db_close(db);
	tiny_disk_read_only(scratch_path(""), false);
}

static void test_a_read_only_disk_at_the_first_start(void **state)
{
	(void)state;
	run(be_read_only_from_the_first);
}

static void be_full(void)
{
	struct db *db;

	leave_something();
	tiny_disk_fill(scratch_path("big"));
	serve_from_memory(-ENOSPC);
	CHECK(unlink(scratch_path("big")) == 0);
	db = scratch_open();
	CHECK(db_stand_in(db) == 0);
	db_close(db);
}

static void test_a_full_disk(void **state)
{
	(void)state;
	run(be_full);
}

/* Two at once are as wrong here as anywhere. */
static void be_in_use(void)
{
	struct db *second;
	struct db *db;

	leave_something();
	tiny_disk_read_only(scratch_path(""), true);
	db = scratch_open();
	CHECK(scratch_try(&second) == -EBUSY);
	db_close(db);
	tiny_disk_read_only(scratch_path(""), false);
}

static void test_a_second_hearthd_is_refused(void **state)
{
	(void)state;
	run(be_in_use);
}

/* Sessions may be lost for a while; nobody gets in by the loss of users. */
static void have_no_users(void)
{
	struct db *db;

	leave_something();
	CHECK(truncate(scratch_path("state.db"), 65 * 1024 * 1024) == 0);
	tiny_disk_read_only(scratch_path(""), true);
	db = scratch_open();
	CHECK(scratch_logged("sessions and retained messages are not there"));
	CHECK(language_is(db, "zh"));
	db_close(db);

	tiny_disk_read_only(scratch_path(""), false);
	CHECK(truncate(scratch_path("config.db"), 65 * 1024 * 1024) == 0);
	tiny_disk_read_only(scratch_path(""), true);
	CHECK(scratch_try(&db) == -EROFS);
	tiny_disk_read_only(scratch_path(""), false);
}

static void test_without_users_there_is_no_start(void **state)
{
	(void)state;
	run(have_no_users);
}

/* A start for which there is no memory fails, and any other serves them all. */
static void be_without_memory(void)
{
	bool happened = true;
	unsigned int n = 0;

	leave_something();
	tiny_disk_read_only(scratch_path(""), true);
	for (; happened; n++) {
		struct db *db = NULL;
		int r;

		failing_malloc_arm(n);
		r = scratch_try(&db);
		happened = failing_malloc_disarm();
		CHECK(r == 0 || (happened && r == -ENOMEM));
		if (r)
			continue;
		CHECK(db_stand_in(db) == -EROFS);
		CHECK(language_is(db, "zh"));
		db_close(db);
	}
	CHECK(n > 3);
	tiny_disk_read_only(scratch_path(""), false);
}

static void test_each_allocation_fails_once(void **state)
{
	(void)state;
	run(be_without_memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_read_only_disk),
		TEST(test_a_read_only_disk_at_the_first_start),
		TEST(test_a_full_disk),
		TEST(test_a_second_hearthd_is_refused),
		TEST(test_without_users_there_is_no_start),
		TEST(test_each_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
