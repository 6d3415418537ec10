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
	struct db_notice notice;

	(void)state;
	make("state.db");
	make("state.db-wal");
	make("state.db-shm");
	assert_int_equal(quarantine(dir, DB_STATE, DB_DAMAGED, NOW, &notice),
			 0);
	assert_string_equal(notice.name, "state.db.corrupt-20261121T090000Z");
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
	struct db_notice first;
	struct db_notice second;

	(void)state;
	make("config.db");
	assert_int_equal(quarantine(dir, DB_CONFIG, DB_NEWER, NOW, &first), 0);
	make("config.db");
	assert_int_equal(quarantine(dir, DB_CONFIG, DB_NEWER, NOW, &second), 0);
	assert_string_not_equal(first.name, second.name);
	assert_int_equal(quarantine_list(dir, notices, 4), 2);
	assert_string_equal(notices[0].name, first.name);
	assert_string_equal(notices[1].name, second.name);
	assert_int_equal(notices[0].file, DB_CONFIG);
	assert_int_equal(notices[0].why, DB_NEWER);
	assert_int_equal(notices[0].time, NOW / 1000 * 1000);
	assert_int_equal(notices[0].instead, DB_INSTEAD_UNKNOWN);
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

/* What was lost leaves a name, and what is left of it goes along. */
static void test_a_missing_file_leaves_its_name(void **state)
{
	struct db_notice notices[4];
	struct db_notice notice;

	(void)state;
	make("state.db-wal");
	assert_int_equal(quarantine(dir, DB_STATE, DB_MISSING, NOW, &notice),
			 0);
	assert_string_equal(notice.name, "state.db.missing-20261121T090000Z");
	assert_true(holds("state.db.missing-20261121T090000Z", ""));
	assert_true(
		holds("state.db.missing-20261121T090000Z-wal", "state.db-wal"));
	assert_int_equal(quarantine_list(dir, notices, 4), 1);
	assert_int_equal(notices[0].why, DB_MISSING);
}

static void test_a_directory_is_moved_too(void **state)
{
	struct db_notice notice;

	(void)state;
	assert_int_equal(mkdirat(dir, "state.db", 0700), 0);
	assert_int_equal(mkdirat(dir, "state.db-shm", 0700), 0);
	assert_int_equal(quarantine(dir, DB_STATE, DB_FOREIGN, NOW, &notice),
			 0);
	assert_int_equal(faccessat(dir, "state.db", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "state.db-shm", F_OK, 0), -1);
	assert_int_equal(
		mkdirat(dir, "state.db.foreign-20261121T090000Z/sub", 0700), 0);
	assert_int_equal(quarantine_remove(dir, notice.name), -ENOTEMPTY);
	assert_int_equal(unlinkat(dir, "state.db.foreign-20261121T090000Z/sub",
				  AT_REMOVEDIR),
			 0);
	assert_int_equal(quarantine_remove(dir, notice.name), 0);
}

/* Every reason is read back as it was written, with what took the file's place. */
static void test_notes_are_read_back(void **state)
{
	struct db_notice notices[DB_WHYS];

	(void)state;
	for (int why = 0; why < DB_WHYS; why++) {
		struct db_notice notice;

		make("history.db");
		assert_int_equal(quarantine(dir, DB_HISTORY, (enum db_why)why,
					    NOW + 1000 * why, &notice),
				 0);
		notice.instead = why % 2 ? DB_INSTEAD_BACKUP : DB_INSTEAD_EMPTY;
		notice.backup_time = why % 2 ? NOW - why : 0;
		assert_int_equal(quarantine_note(dir, &notice), 0);
	}
	assert_int_equal(quarantine_list(dir, notices, DB_WHYS), DB_WHYS);
	for (int why = 0; why < DB_WHYS; why++) {
		assert_int_equal(notices[why].why, why);
		assert_int_equal(notices[why].instead,
				 why % 2 ? DB_INSTEAD_BACKUP
					 : DB_INSTEAD_EMPTY);
		assert_int_equal(notices[why].backup_time,
				 why % 2 ? NOW - why : 0);
	}
}

static void test_a_torn_note_says_nothing(void **state)
{
	static const char *const texts[] = { "", "emp", "backup ", "backup 12",
					     "backup x\n" };
	struct db_notice notice;
	struct db_notice found;

	(void)state;
	make("state.db");
	assert_int_equal(quarantine(dir, DB_STATE, DB_DAMAGED, NOW, &notice),
			 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int fd = openat(dir, "state.db.corrupt-20261121T090000Z.note",
				O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		assert_int_equal(write(fd, texts[i], strlen(texts[i])),
				 strlen(texts[i]));
		close(fd);
		assert_int_equal(quarantine_list(dir, &found, 1), 1);
		assert_int_equal(found.instead, DB_INSTEAD_UNKNOWN);
	}
}

static void test_remove_leaves_nothing(void **state)
{
	struct db_notice notice;

	(void)state;
	make("state.db");
	make("state.db-wal");
	assert_int_equal(quarantine(dir, DB_STATE, DB_DAMAGED, NOW, &notice),
			 0);
	assert_int_equal(quarantine_note(dir, &notice), 0);
	assert_int_equal(quarantine_remove(dir, notice.name), 0);
	assert_int_equal(unlinkat(AT_FDCWD, scratch_path(""), AT_REMOVEDIR), 0);
	assert_int_equal(quarantine_remove(dir, notice.name), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_wal_goes_along),
		TEST(test_earlier_evidence_is_not_overwritten),
		TEST(test_other_files_are_no_notices),
		TEST(test_a_missing_file_leaves_its_name),
		TEST(test_a_directory_is_moved_too),
		TEST(test_notes_are_read_back),
		TEST(test_a_torn_note_says_nothing),
		TEST(test_remove_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
