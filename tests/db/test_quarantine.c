#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/quarantine.h"
#include "tests/db/scratch.h"

/* 2026-11-21 09:00:00 UTC */
#define NOW INT64_C(1795251600123)

static int dir;

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	if (mkdir(scratch_path(""), 0700))
		return -1;
	dir = open(scratch_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dir);
	scratch_remove();
	return 0;
}

static void make(const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

static bool holds(const char *name, const char *text)
{
	char got[64] = "";
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, got, sizeof(got) - 1) < 0)
		got[0] = '\0';
	close(fd);
	return strcmp(got, text) == 0;
}

/* Nothing is lost, and nothing stays that a fresh file would be read with. */
static void test_the_wal_goes_along(void **state)
{
	char name[64];

	(void)state;
	make("state.db");
	make("state.db-wal");
	make("state.db-shm");
	assert_int_equal(quarantine(dir, "state.db", NOW, name), 0);
	assert_string_equal(name, "state.db.corrupt-20261121T090000Z");
	assert_true(holds("state.db.corrupt-20261121T090000Z", "state.db"));
	assert_true(
		holds("state.db.corrupt-20261121T090000Z-wal", "state.db-wal"));
	assert_int_equal(faccessat(dir, "state.db", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "state.db-wal", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "state.db-shm", F_OK, 0), -1);
}

static void test_earlier_evidence_is_not_overwritten(void **state)
{
	struct db_notice notices[4];
	char first[64];
	char second[64];

	(void)state;
	make("config.db");
	assert_int_equal(quarantine(dir, "config.db", NOW, first), 0);
	make("config.db");
	assert_int_equal(quarantine(dir, "config.db", NOW, second), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(quarantine_list(dir, notices, 4), 2);
	assert_string_equal(notices[0].name, first);
	assert_string_equal(notices[1].name, second);
	assert_int_equal(notices[0].file, DB_CONFIG);
	assert_int_equal(notices[0].time, NOW / 1000 * 1000);
}

static void test_other_files_are_no_notices(void **state)
{
	struct db_notice notices[4];

	(void)state;
	make("state.db");
	make("state.db.corrupt-");
	make("state.db.corrupt-2026");
	make("state.db.corrupt-20261121T090000Z-wal");
	make("state.db.corrupt-20261121T090000Zx");
	make("other.db.corrupt-20261121T090000Z");
	assert_int_equal(quarantine_list(dir, notices, 4), 0);
	make("history.db.corrupt-20261121T090000Z");
	assert_int_equal(quarantine_list(dir, notices, 4), 1);
	assert_int_equal(notices[0].file, DB_HISTORY);
	assert_int_equal(quarantine_list(dir, notices, 0), 0);
}

static void test_a_missing_file_is_an_error(void **state)
{
	char name[64];

	(void)state;
	assert_int_equal(quarantine(dir, "state.db", NOW, name), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_wal_goes_along),
		TEST(test_earlier_evidence_is_not_overwritten),
		TEST(test_other_files_are_no_notices),
		TEST(test_a_missing_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
