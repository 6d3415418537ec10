/* hearthd starts, whatever lies in its data directory, and says what it found. */
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

#include "db/backup/generations.h"
#include "db/db.h"
#include "db/inspect.h"
#include "tests/db/scratch.h"

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	db_close(scratch_open());
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static void put(const char *name, const void *bytes, size_t len)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void lose(const char *name)
{
	assert_int_equal(unlink(scratch_path(name)), 0);
}

/* What may stand where a file of ours is expected. */
static void be_zeroes(const char *name)
{
	static const char zeroes[8192];

	put(name, zeroes, sizeof(zeroes));
}

static void be_text(const char *name)
{
	put(name, "SQLite format 4, to say it in advance\n", 38);
}

static void be_cut_short(const char *name)
{
	assert_int_equal(truncate(scratch_path(name), 5000), 0);
}

static void be_empty(const char *name)
{
	assert_int_equal(truncate(scratch_path(name), 0), 0);
}

static void be_directory(const char *name)
{
	lose(name);
	assert_int_equal(mkdir(scratch_path(name), 0700), 0);
}

static void be_link(const char *name)
{
	lose(name);
	assert_int_equal(symlink("/dev/null", scratch_path(name)), 0);
}

static void be_fifo(const char *name)
{
	lose(name);
	assert_int_equal(mkfifo(scratch_path(name), 0600), 0);
}

static void be_newer(const char *name)
{
	scratch_sql(name, "PRAGMA user_version = 99");
}

static void be_of_no_version(const char *name)
{
	scratch_sql(name, "PRAGMA user_version = -7");
}

/* Its tables are there already. */
static void be_older_than_it_is(const char *name)
{
	scratch_sql(name, "PRAGMA user_version = 0");
}

static void be_another_programs(const char *name)
{
	lose(name);
	scratch_sql(name, "CREATE TABLE bookmarks (url TEXT)");
}

static void be_another_programs_with_versions(const char *name)
{
	lose(name);
	scratch_sql(name, "CREATE TABLE bookmarks (url TEXT);"
			  "PRAGMA user_version = 1");
}

static void be_another_programs_with_an_id(const char *name)
{
	scratch_sql(name, "PRAGMA application_id = 252006674");
}

static void lack_a_table(const char *name)
{
	const char *sql = strcmp(name, "config.db") == 0 ? "DROP TABLE audit"
			  : strcmp(name, "state.db") == 0
				  ? "DROP TABLE retained"
				  : "DROP TABLE origins";

	scratch_sql(name, sql);
}

static void have_another_table_of_that_name(const char *name)
{
	lack_a_table(name);
	scratch_sql(name, strcmp(name, "config.db") == 0
				  ? "CREATE TABLE audit (x)"
			  : strcmp(name, "state.db") == 0
				  ? "CREATE TABLE retained (x)"
				  : "CREATE TABLE origins (x)");
}

static void have_a_directory_for_its_wal(const char *name)
{
	char wal[32];

	(void)snprintf(wal, sizeof(wal), "%s-wal", name);
	assert_int_equal(mkdir(scratch_path(wal), 0700), 0);
}

static void have_a_directory_for_its_index(const char *name)
{
	char shm[32];

	(void)snprintf(shm, sizeof(shm), "%s-shm", name);
	assert_int_equal(mkdir(scratch_path(shm), 0700), 0);
}

/* SQLite itself would delete it unread. */
static void be_a_wal_alone(const char *name)
{
	char wal[32];

	lose(name);
	(void)snprintf(wal, sizeof(wal), "%s-wal", name);
	put(wal, "what was said last", 18);
}

static const struct {
	const char *what;
	void (*become)(const char *name);
	enum db_why why;
} finds[] = {
	{ "zeroes", be_zeroes, DB_DAMAGED },
	{ "text", be_text, DB_DAMAGED },
	{ "cut short", be_cut_short, DB_DAMAGED },
	{ "empty", be_empty, DB_MISSING },
	{ "lost", lose, DB_MISSING },
	{ "a directory", be_directory, DB_FOREIGN },
	{ "a link", be_link, DB_FOREIGN },
	{ "a fifo", be_fifo, DB_FOREIGN },
	{ "newer", be_newer, DB_NEWER },
	{ "of no version", be_of_no_version, DB_DAMAGED },
	{ "older than it is", be_older_than_it_is, DB_DAMAGED },
	{ "another program's", be_another_programs, DB_FOREIGN },
	{ "another program's with versions", be_another_programs_with_versions,
	  DB_DAMAGED },
	{ "another program's with an id", be_another_programs_with_an_id,
	  DB_FOREIGN },
	{ "without a table", lack_a_table, DB_DAMAGED },
	{ "with another table", have_another_table_of_that_name, DB_DAMAGED },
	{ "with a directory for a WAL", have_a_directory_for_its_wal,
	  DB_FOREIGN },
	{ "with a directory for an index", have_a_directory_for_its_index,
	  DB_FOREIGN },
	{ "a WAL alone", be_a_wal_alone, DB_MISSING },
};

static void check_whole(enum db_file file)
{
	struct sqlite3 *sqlite;
	struct db *db = scratch_open();

	assert_int_equal(db_connect(db, file, false, &sqlite), 0);
	assert_int_equal(inspect_pages(sqlite), 0);
	assert_int_equal(inspect_schema(sqlite, file), 0);
	assert_int_equal(db_stand_in(db), 0);
	sqlite3_close(sqlite);
	db_close(db);
}

static void check_find(size_t i, enum db_file file)
{
	const char *name = db_file_name(file);
	const struct db_notice *notices;
	struct db *db;

	scratch_make();
	db_close(scratch_open());
	finds[i].become(name);
	db = scratch_open();
	if (db_notices(db, &notices) != 1 || notices[0].why != finds[i].why)
		fail_msg("%s %s", name, finds[i].what);
	assert_int_equal(notices[0].file, file);
	assert_int_equal(notices[0].instead, DB_INSTEAD_EMPTY);
	assert_true(notices[0].time > 1600000000000);
	assert_int_equal(faccessat(AT_FDCWD, scratch_path(notices[0].name),
				   F_OK, AT_SYMLINK_NOFOLLOW),
			 0);
	assert_true(scratch_logged(notices[0].name));
	assert_true(scratch_logged("starting with an empty one"));
	db_close(db);
	check_whole(file);

	/* Told again, until it is taken away. */
	db = scratch_open();
	assert_int_equal(db_notices(db, &notices), 1);
	assert_int_equal(notices[0].instead, DB_INSTEAD_EMPTY);
	db_close(db);
	scratch_remove();
}

static void test_whatever_is_found_is_set_aside(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(finds) / sizeof(*finds); i++) {
		for (int file = 0; file < DB_FILES; file++)
			check_find(i, (enum db_file)file);
	}
	scratch_make();
}

static void test_all_at_once(void **state)
{
	const struct db_notice *notices;
	struct db *db;

	(void)state;
	be_directory("config.db");
	be_zeroes("state.db");
	be_a_wal_alone("history.db");
	db = scratch_open();
	assert_int_equal(db_notices(db, &notices), 3);
	db_close(db);
}

static void test_the_wal_of_a_lost_file_is_kept(void **state)
{
	const struct db_notice *notices;
	char wal[128];
	struct stat st;
	struct db *db;

	(void)state;
	be_a_wal_alone("state.db");
	db = scratch_open();
	assert_int_equal(db_notices(db, &notices), 1);
	(void)snprintf(wal, sizeof(wal), "%s-wal", notices[0].name);
	assert_int_equal(stat(scratch_path(wal), &st), 0);
	assert_int_equal(st.st_size, 18);
	db_close(db);
}

/* A first start that was cut off has lost nothing. */
static void test_a_first_start_cut_off_is_no_loss(void **state)
{
	const struct db_notice *notices;
	struct db *db;

	(void)state;
	be_empty("lock");
	be_empty("state.db");
	lose("history.db");
	db = scratch_open();
	assert_int_equal(db_notices(db, &notices), 0);
	db_close(db);
	check_whole(DB_STATE);
	check_whole(DB_HISTORY);
}

/* Files of the first versions of hearthd say nothing of whose they are. */
static void test_an_unsigned_file_of_ours_is_signed(void **state)
{
	const struct db_notice *notices;
	struct db *db;

	(void)state;
	for (int file = 0; file < DB_FILES; file++)
		scratch_sql(db_file_name((enum db_file)file),
			    "PRAGMA application_id = 0");
	db = scratch_open();
	assert_int_equal(db_notices(db, &notices), 0);
	db_close(db);
	assert_string_equal(scratch_ask("config.db", "PRAGMA application_id"),
			    "1214473831");
	assert_string_equal(scratch_ask("state.db", "PRAGMA application_id"),
			    "1215525985");
	assert_string_equal(scratch_ask("history.db", "PRAGMA application_id"),
			    "1214802291");
}

static void test_a_notice_can_be_removed(void **state)
{
	const struct db_notice *notices;
	char name[64];
	struct db *db;

	(void)state;
	be_zeroes("state.db");
	be_directory("history.db");
	db = scratch_open();
	assert_int_equal(db_notices(db, &notices), 2);
	assert_int_equal(db_notice_remove(db, "state.db"), -ENOENT);
	assert_int_equal(db_notice_remove(db, "../data/state.db"), -ENOENT);
	for (int i = 1; i >= 0; i--) {
		memcpy(name, notices[i].name, sizeof(name));
		assert_int_equal(db_notice_remove(db, name), 0);
	}
	assert_int_equal(db_notices(db, &notices), 0);
	db_close(db);
}

/* Run body as a user who owns the directory and all in it but the one file. */
static void as_nobody(const char *not_his, mode_t mode, void (*body)(void))
{
	static const char *const names[] = { "", "config.db", "state.db",
					     "history.db", "lock" };
	int status;
	pid_t child;

	assert_int_equal(chmod(scratch_path(".."), 0755), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const uid_t owner = strcmp(names[i], not_his) == 0 ? 0 : 65534;

		assert_int_equal(chown(scratch_path(names[i]), owner, owner),
				 0);
	}
	assert_int_equal(chmod(scratch_path(not_his), mode), 0);
	child = fork();
	if (child == 0) {
		if (setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534))
			_exit(9);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void open_what_is_not_ours(void)
{
	const struct db_notice *notices;
	struct db *db = scratch_open();

	if (db_notices(db, &notices) != 1 || notices[0].why != DB_UNREADABLE ||
	    notices[0].file != DB_STATE || db_stand_in(db))
		_exit(1);
	db_close(db);
}

static void open_what_we_may_write(void)
{
	const struct db_notice *notices;
	struct db *db = scratch_open();

	if (db_notices(db, &notices) || !scratch_logged("belongs to another"))
		_exit(1);
	db_close(db);
}

/* Only root can make files of others; without it this is tested by nobody. */
static void test_a_file_of_another_user(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	as_nobody("state.db", 0666, open_what_we_may_write);
	as_nobody("state.db", 0600, open_what_is_not_ours);
}

static void make_backup(void)
{
	struct backup_source source = { .node = "attic" };
	struct backup_options options = { 0 };
	struct generation made;
	struct reason reason;
	struct db *db;
	int dir;

	scratch_sql("state.db", "INSERT INTO sessions VALUES"
				" (7, 'anna', 'user', 3600, 5)");
	db = scratch_open();
	source.db = db;
	dir = generations_dir(db_dir_fd(db), NULL);
	assert_true(dir >= 0);
	assert_int_equal(
		generations_make(dir, &source, &options, 0, &made, &reason), 0);
	close(dir);
	db_close(db);
}

/* Whatever was found, the newest good backup takes its place. */
static void test_a_backup_takes_the_place(void **state)
{
	(void)state;
	make_backup();
	for (size_t i = 0; i < sizeof(finds) / sizeof(*finds); i++) {
		const struct db_notice *notices;
		char name[sizeof(notices->name)];
		struct db *db;

		finds[i].become("state.db");
		db = scratch_open();
		assert_true(db_notices(db, &notices) > 0);
		assert_int_equal(notices[0].instead, DB_INSTEAD_BACKUP);
		assert_true(notices[0].backup_time > 1600000000000);
		assert_true(scratch_logged("starting with the backup of 20"));
		memcpy(name, notices[0].name, sizeof(name));
		assert_int_equal(db_notice_remove(db, name), 0);
		db_close(db);
		if (strcmp(scratch_ask("state.db",
				       "SELECT client FROM sessions"),
			   "anna") != 0)
			fail_msg("%s", finds[i].what);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whatever_is_found_is_set_aside),
		TEST(test_all_at_once),
		TEST(test_a_backup_takes_the_place),
		TEST(test_the_wal_of_a_lost_file_is_kept),
		TEST(test_a_first_start_cut_off_is_no_loss),
		TEST(test_an_unsigned_file_of_ours_is_signed),
		TEST(test_a_notice_can_be_removed),
		TEST(test_a_file_of_another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
