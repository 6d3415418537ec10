/* Making backups: what is in them, which are kept, and what a failure leaves. */
#include <dirent.h>
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "db/backup/backup.h"
#include "db/backup/files.h"
#include "db/backup/generations.h"
#include "db/backup/snapshot.h"
#include "db/db.h"
#include "tests/db/failing_calls.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

#define USERS "INSERT INTO users VALUES ('anna', 'x', 'person', 1, 1, 0, 1, '')"
#define VALUE(v)                                                           \
	"REPLACE INTO retained VALUES ('t', 1, 0, NULL, NULL, 0, '', '', " \
	"'', x'', CAST('" v "' AS BLOB))"
#define ASK_VALUE "SELECT CAST(payload AS TEXT) FROM retained"

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	failing_calls_disarm();
	scratch_remove();
	return 0;
}

static struct backup_source source_of(struct db *db)
{
	return (struct backup_source){ .db = db, .node = "attic" };
}

static void must_make(int dir, struct db *db, unsigned int keep,
		      struct generation *out)
{
	struct backup_source source = source_of(db);
	struct backup_options options = { 0 };
	struct reason reason = { 0 };
	int r = generations_make(dir, &source, &options, keep, out, &reason);

	if (r)
		fail_msg("%s", reason_text(&reason, r));
}

/* The entries of a backup as "config.db:5 state.db:1". */
static const char *contents(int fd, struct archive_info *info)
{
	static char text[512];
	struct archive_reader archive;
	struct archive_entry entry;
	struct seal_reader *reader;
	struct reason reason = { 0 };
	int r;

	text[0] = '\0';
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(
		seal_reader_new(seal_read_fd, &fd, NULL, &reader, &reason), 0);
	assert_int_equal(archive_open(&archive, reader, &reason), 0);
	while ((r = archive_next(&archive, &entry, &reason)) > 0) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "%s%s:%d%s%s",
			       used ? " " : "", archive_kind_name(entry.kind),
			       entry.schema, *entry.label ? "=" : "",
			       entry.label);
		assert_int_equal(archive_take(&archive, &entry, -1, &reason),
				 0);
	}
	assert_int_equal(r, 0);
	if (info)
		*info = archive.info;
	seal_reader_free(reader);
	return text;
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_a_backup_has_everything(void **state)
{
	struct db *db = scratch_open();
	struct backup_source source = source_of(db);
	struct backup_options options = { .history = true };
	const char *tls[] = { scratch_path("a.pem"), "/no/such.pem",
			      scratch_path("b.pem") };
	struct reason reason = { 0 };
	struct archive_info info;
	int fd = memfd_create("backup", MFD_CLOEXEC);
	char right[512];
	char conf[200];

	(void)state;
	(void)snprintf(conf, sizeof(conf), "%s", scratch_path("hearth.conf"));
	write_text(conf, "[hearth]\n");
	write_text(tls[0], "certificate");
	write_text(tls[2], "key");
	write_text(scratch_path("gpio.state"), "pins");
	source.conf = conf;
	source.tls = tls;
	source.tls_count = 3;
	assert_int_equal(backup_create(&source, &options, fd, &info, &reason),
			 0);
	assert_int_equal(info.entries, 7);
	(void)snprintf(right, sizeof(right),
		       "config.db:%zu state.db:%zu history.db:%zu gpio.state:0"
		       " hearth.conf:0=%s tls:0=%s tls:0=%s",
		       db_schema(DB_CONFIG, &(const char *const *){ NULL }),
		       db_schema(DB_STATE, &(const char *const *){ NULL }),
		       db_schema(DB_HISTORY, &(const char *const *){ NULL }),
		       conf, tls[0], tls[2]);
	assert_string_equal(contents(fd, &info), right);
	assert_string_equal(info.node, "attic");
	assert_string_equal(info.version, HEARTH_VERSION);
	assert_true(scratch_logged("/no/such.pem is left out"));
	/* Nothing of the copies is left. */
	assert_int_equal(access(scratch_path("snapshot"), F_OK), -1);
	close(fd);
	db_close(db);
}

/* All as they were when it began, though they go on being written. */
static void test_a_snapshot_is_of_one_instant(void **state)
{
	struct db *db = scratch_open();
	struct reason reason = { 0 };
	struct snapshot *snapshot;
	uint16_t schema;

	(void)state;
	scratch_sql("config.db", USERS);
	scratch_sql("state.db", VALUE("before"));
	assert_false(db_held(db));
	assert_int_equal(snapshot_pin(db, true, &snapshot), 0);
	assert_true(db_held(db));
	assert_true(snapshot_bytes(snapshot) > 10 * 4096);
	scratch_sql("state.db", VALUE("after"));
	scratch_sql("config.db", "DELETE FROM users");
	assert_int_equal(snapshot_copy(snapshot, DB_STATE, scratch_path("s.db"),
				       NULL, &schema, &reason),
			 0);
	assert_false(db_held(db));
	assert_int_equal(schema,
			 db_schema(DB_STATE, &(const char *const *){ NULL }));
	assert_int_equal(snapshot_copy(snapshot, DB_CONFIG,
				       scratch_path("c.db"), NULL, &schema,
				       &reason),
			 0);
	snapshot_free(snapshot);
	assert_string_equal(scratch_ask("s.db", ASK_VALUE), "before");
	assert_string_equal(scratch_ask("c.db", "SELECT name FROM users"),
			    "anna");
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "after");
	db_close(db);
}

static void test_a_hub_that_stops_ends_a_copy(void **state)
{
	struct db *db = scratch_open();
	struct reason reason = { 0 };
	struct snapshot *snapshot;
	atomic_bool stop = true;
	uint16_t schema;

	(void)state;
	/* More than one step. */
	scratch_sql("history.db",
		    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		    " FROM n WHERE i < 2000) INSERT INTO topics"
		    " SELECT i, printf('%01000d', i) FROM n");
	assert_int_equal(snapshot_pin(db, true, &snapshot), 0);
	assert_int_equal(snapshot_copy(snapshot, DB_HISTORY,
				       scratch_path("h.db"), &stop, &schema,
				       &reason),
			 -ECANCELED);
	assert_int_equal(access(scratch_path("h.db"), F_OK), -1);
	snapshot_free(snapshot);
	assert_false(db_held(db));
	db_close(db);
}

static void test_a_damaged_database_gives_no_backup(void **state)
{
	struct db *db = scratch_open();
	struct backup_source source = source_of(db);
	struct backup_options options = { 0 };
	struct reason reason = { 0 };
	struct generation made;
	int dir = generations_dir(db_dir_fd(db), NULL);

	(void)state;
	must_make(dir, db, 1, &made);
	scratch_sql("state.db", VALUE("x") "; PRAGMA wal_checkpoint(TRUNCATE)");
	scratch_damage("state.db", 2 * 2048, 3 * 2048);
	assert_int_equal(
		generations_make(dir, &source, &options, 1, &made, &reason),
		-EBADMSG);
	assert_string_equal(reason.text, "state.db is damaged");
	/* The good one is still there, and nothing else. */
	assert_int_equal(generations_list(dir, &made, 1), 1);
	assert_int_equal(made.number, 1);
	close(dir);
	db_close(db);
}

static void test_short_passphrases_are_refused(void **state)
{
	struct db *db = scratch_open();
	struct backup_source source = source_of(db);
	struct backup_options options = { .passphrase = "seven77" };
	struct reason reason = { 0 };
	struct archive_info info;
	char *longest = calloc(1, SEAL_PASSPHRASE_MAX + 2);

	(void)state;
	assert_int_equal(backup_create(&source, &options, -1, &info, &reason),
			 -EINVAL);
	assert_non_null(longest);
	memset(longest, 'x', SEAL_PASSPHRASE_MAX + 1);
	options.passphrase = longest;
	assert_int_equal(backup_create(&source, &options, -1, &info, &reason),
			 -EINVAL);
	free(longest);
	db_close(db);
}

/* ---- generations ---------------------------------------------------------- */

static int64_t now_ms = 1795230000000; /* 2026-11-21T03:00:00Z */

static int64_t wall(void)
{
	return now_ms;
}

static uint64_t monotonic(void)
{
	return 1;
}

static void test_the_oldest_make_room(void **state)
{
	struct generation list[GENERATIONS_MAX];
	struct db *db = scratch_open();
	int dir = generations_dir(db_dir_fd(db), NULL);

	(void)state;
	clock_set_source(monotonic, wall);
	for (unsigned int i = 1; i <= 5; i++) {
		must_make(dir, db, 3, &list[0]);
		assert_int_equal(list[0].number, i);
		assert_int_equal(list[0].time, now_ms);
		/* A clock that jumps back does not make it older. */
		now_ms += i == 3 ? -86400000 : 86400000;
	}
	clock_set_source(NULL, NULL);
	assert_int_equal(generations_list(dir, list, GENERATIONS_MAX), 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(list[i].number, 5 - i);
		assert_true(list[i].bytes > 50000);
	}
	assert_string_equal(list[2].name,
			    "backup-000003-20261123T030000Z.hearth");
	assert_int_equal(generations_list(dir, list, 2), 2);
	assert_int_equal(list[1].number, 4);
	close(dir);
	db_close(db);
}

static void test_foreign_files_are_left_alone(void **state)
{
	static const char *const names[] = {
		"backups/notes.txt",
		"backups/backup-00001-20261123T030000Z.hearth",
		"backups/backup-00000x-20261123T030000Z.hearth",
		"backups/backup-000009-20261323T030000Z.hearth",
		"backups/backup-000009-20261123T030000Z.hearthx",
		"backups/Backup-000009-20261123T030000Z.hearth",
	};
	struct db *db = scratch_open();
	int dir = generations_dir(db_dir_fd(db), NULL);
	struct generation made;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		write_text(scratch_path(names[i]), "");
	/* Nor is a link followed, whatever it is called. */
	assert_int_equal(
		symlink("/etc/passwd",
			scratch_path("backups/"
				     "backup-000009-20261123T030000Z.hearth")),
		0);
	must_make(dir, db, 1, &made);
	assert_int_equal(made.number, 1);
	must_make(dir, db, 1, &made);
	assert_int_equal(made.number, 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(access(scratch_path(names[i]), F_OK), 0);
	assert_int_equal(generations_open(dir, 9), -ENOENT);
	assert_int_equal(generations_open(dir, 1), -ENOENT);
	close(dir);
	db_close(db);
}

static void test_backups_are_private(void **state)
{
	mode_t old = umask(0);
	struct db *db = scratch_open();
	int dir = generations_dir(db_dir_fd(db), NULL);
	struct generation made;
	struct stat st;

	(void)state;
	must_make(dir, db, 1, &made);
	umask(old);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstatat(dir, made.name, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	close(dir);
	db_close(db);
}

static void test_a_directory_elsewhere_is_not_made(void **state)
{
	struct db *db = scratch_open();
	int dir;

	(void)state;
	/* A medium that is not mounted must not become a folder of the card. */
	assert_int_equal(generations_dir(db_dir_fd(db), "/no/usb"), -ENOENT);
	dir = generations_dir(db_dir_fd(db), "/tmp");
	assert_true(dir >= 0);
	close(dir);
	db_close(db);
}

/* There is a whole backup, and nothing half made. */
static void check_left(int dir)
{
	struct generation list[GENERATIONS_MAX];
	int count = generations_list(dir, list, GENERATIONS_MAX);

	assert_true(count >= 1);
	for (int i = 0; i < count; i++) {
		int fd = generations_open(dir, list[i].number);

		assert_true(fd >= 0);
		assert_non_null(strstr(contents(fd, NULL), "state.db:"));
		close(fd);
	}
	assert_int_equal(access(scratch_path("backups/backup.new"), F_OK), -1);
}

static void test_each_call_may_fail(void **state)
{
	struct db *db = scratch_open();
	struct backup_source source = source_of(db);
	struct backup_options options = { 0 };
	int dir = generations_dir(db_dir_fd(db), NULL);
	struct generation made;
	unsigned int n;

	(void)state;
	must_make(dir, db, 1, &made);
	for (n = 0; n < 500; n++) {
		struct reason reason = { 0 };
		bool failed;
		int r;

		failing_calls_arm(n, ENOSPC, false);
		r = generations_make(dir, &source, &options, 1, &made, &reason);
		failed = failing_calls_disarm();
		if (r)
			assert_true(failed);
		check_left(dir);
		if (!failed)
			break;
	}
	assert_true(n > 20 && n < 500);
	assert_int_equal(generations_list(dir, &made, 1), 1);
	close(dir);
	db_close(db);
}

static void test_each_allocation_may_fail(void **state)
{
	struct db *db = scratch_open();
	struct backup_source source = source_of(db);
	struct backup_options options = { 0 };
	int dir = generations_dir(db_dir_fd(db), NULL);
	struct generation made;
	unsigned int n;

	(void)state;
	must_make(dir, db, 1, &made);
	for (n = 0; n < 100; n++) {
		struct reason reason = { 0 };
		int r;

		failing_malloc_arm(n);
		r = generations_make(dir, &source, &options, 1, &made, &reason);
		if (!failing_malloc_disarm()) {
			assert_int_equal(r, 0);
			break;
		}
		if (r)
			assert_int_equal(r, -ENOMEM);
	}
	assert_int_equal(n, 5);
	close(dir);
	db_close(db);
}

/* ---- the newest good copy ------------------------------------------------- */

static struct backup_place place_of(struct db *db)
{
	return (struct backup_place){ .dir = db_dir(db),
				      .dir_fd = db_dir_fd(db) };
}

/* Generations 1 to 3, with the value of their number. */
static void make_three(struct db *db)
{
	int dir = generations_dir(db_dir_fd(db), NULL);
	struct generation made;

	scratch_sql("config.db", USERS);
	clock_set_source(monotonic, wall);
	scratch_sql("state.db", VALUE("1"));
	must_make(dir, db, 7, &made);
	scratch_sql("state.db", VALUE("2"));
	must_make(dir, db, 7, &made);
	scratch_sql("state.db", VALUE("3"));
	must_make(dir, db, 7, &made);
	clock_set_source(NULL, NULL);
	close(dir);
}

static void damage_generation(struct db *db, unsigned int number)
{
	int dir = generations_dir(db_dir_fd(db), NULL);
	struct generation list[3];
	char path[sizeof("backups/") + GENERATION_NAME_SIZE];

	assert_int_equal(generations_list(dir, list, 3), 3);
	(void)snprintf(path, sizeof(path), "backups/%.*s",
		       (int)GENERATION_NAME_SIZE - 1, list[3 - number].name);
	scratch_damage(path, 5000, 1);
	close(dir);
}

static void lose_state(void)
{
	unlink(scratch_path("state.db"));
	unlink(scratch_path("state.db-wal"));
	unlink(scratch_path("state.db-shm"));
}

static void test_the_newest_good_one_is_taken(void **state)
{
	struct db *db = scratch_open();
	struct backup_place place = place_of(db);
	int64_t time = 0;

	(void)state;
	make_three(db);
	assert_int_equal(backup_newest(&place, DB_STATE, &time), -EEXIST);
	lose_state();
	assert_int_equal(backup_newest(&place, DB_STATE, &time), 0);
	assert_int_equal(time, now_ms);
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "3");

	damage_generation(db, 3);
	damage_generation(db, 2);
	lose_state();
	assert_int_equal(backup_newest(&place, DB_STATE, &time), 0);
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "1");
	assert_true(scratch_logged("gives no state.db: chunk 1 is damaged"));

	damage_generation(db, 1);
	lose_state();
	assert_int_equal(backup_newest(&place, DB_STATE, &time), -ENOENT);
	assert_int_equal(access(scratch_path("state.db"), F_OK), -1);
	assert_int_equal(access(scratch_path("restore-new"), F_OK), -1);
	db_close(db);
}

static void test_no_backup_gives_nothing(void **state)
{
	struct db *db = scratch_open();
	struct backup_place place = place_of(db);
	int64_t time;

	(void)state;
	make_three(db);
	/* They have no history. */
	unlink(scratch_path("history.db"));
	assert_int_equal(backup_newest(&place, DB_HISTORY, &time), -ENOENT);
	lose_state();
	place.path = "/no/usb";
	assert_int_equal(backup_newest(&place, DB_STATE, &time), -ENOENT);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_backup_has_everything),
		TEST(test_a_snapshot_is_of_one_instant),
		TEST(test_a_hub_that_stops_ends_a_copy),
		TEST(test_a_damaged_database_gives_no_backup),
		TEST(test_short_passphrases_are_refused),
		TEST(test_the_oldest_make_room),
		TEST(test_foreign_files_are_left_alone),
		TEST(test_backups_are_private),
		TEST(test_a_directory_elsewhere_is_not_made),
		TEST(test_each_call_may_fail),
		TEST(test_each_allocation_may_fail),
		TEST(test_the_newest_good_one_is_taken),
		TEST(test_no_backup_gives_nothing),
	};

	seal_set_cost(4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
