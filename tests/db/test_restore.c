/* Taking backups back: what is put in place, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/backup/create.h"
#include "db/backup/files.h"
#include "db/backup/restore.h"
#include "db/db.h"
#include "db/schema/schema.h"
#include "tests/db/restore_house.h"
#include "tests/db/scratch.h"

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

static void test_the_next_start_takes_it(void **state)
{
	char aside[RESTORE_ASIDE_SIZE];
	char path[128];
	struct restore_info info;
	struct reason reason;
	int fd = house_prepare(PASSPHRASE);

	(void)state;
	house_write("claim-token", "x");
	assert_int_equal(house_stage(fd, PASSPHRASE, &info, &reason), 0);
	assert_true(info.has[ARCHIVE_STATE_DB]);
	assert_false(info.has[ARCHIVE_HISTORY_DB]);
	assert_string_equal(info.archive.node, "attic");
	/* Until then all is as it was. */
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "old");

	db_close(scratch_open());
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "new");
	assert_string_equal(
		scratch_ask("config.db", "SELECT value FROM settings"), "new");
	/* What is not in it stays. */
	assert_string_equal(
		scratch_ask("history.db", "SELECT topic FROM topics"), "kept");
	assert_int_equal(access(scratch_path("claim-token"), F_OK), -1);
	assert_true(scratch_logged("is restored from a backup"));
	assert_int_equal(house_aside(aside), 1);
	(void)snprintf(path, sizeof(path), "%s/state.db", aside);
	assert_string_equal(scratch_ask(path, ASK_VALUE), "old");

	/* Once. */
	scratch_sql("state.db", VALUE("newer"));
	db_close(scratch_open());
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "newer");
	close(fd);
}

/* A WAL that is not empty goes with its own file. */
static void test_a_wal_goes_with_its_file(void **state)
{
	char aside[RESTORE_ASIDE_SIZE];
	char path[128];
	struct restore_info info;
	struct reason reason;
	struct sqlite3 *sqlite;
	int fd = house_prepare(NULL);
	pid_t child;

	(void)state;
	assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
	child = fork();
	if (child == 0) {
		if (sqlite3_open(scratch_path("state.db"), &sqlite) ||
		    sqlite3_exec(sqlite, VALUE("in the wal"), NULL, NULL, NULL))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(access(scratch_path("state.db-wal"), F_OK), 0);
	db_close(scratch_open());
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "new");
	assert_int_equal(house_aside(aside), 1);
	(void)snprintf(path, sizeof(path), "%s/state.db", aside);
	assert_string_equal(scratch_ask(path, ASK_VALUE), "in the wal");
	close(fd);
}

/* A backup with what a card that is gone had, made here of files. */
static void test_other_files_are_laid_beside(void **state)
{
	struct db *db = scratch_open();
	char key[192];
	char conf[192];
	const char *tls[] = { key };
	const struct backup_source source = { .db = db,
					      .node = "attic",
					      .conf = conf,
					      .tls = tls,
					      .tls_count = 1 };
	const struct backup_options options = { 0 };
	int fd = memfd_create("backup", MFD_CLOEXEC);
	char aside[RESTORE_ASIDE_SIZE];
	char path[128];
	struct restore_info info;
	struct reason reason = { 0 };

	(void)state;
	(void)snprintf(key, sizeof(key), "%s", scratch_path("key\n;.pem"));
	(void)snprintf(conf, sizeof(conf), "%s", scratch_path("h.conf"));
	house_write("key\n;.pem", "a key");
	house_write("h.conf", "[hearth]");
	house_write("gpio.state", "pins of then");
	assert_int_equal(
		backup_create(&source, &options, fd, &info.archive, &reason),
		0);
	db_close(db);
	house_write("gpio.state", "pins of now");
	assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
	db_close(scratch_open());
	assert_string_equal(house_read("gpio.state"), "pins of now");
	assert_int_equal(house_aside(aside), 1);
	(void)snprintf(path, sizeof(path), "%s/restored-gpio.state", aside);
	assert_string_equal(house_read(path), "pins of then");
	(void)snprintf(path, sizeof(path), "%s/restored-hearth.conf", aside);
	assert_string_equal(house_read(path), "[hearth]");
	(void)snprintf(path, sizeof(path), "%s/restored-tls-01.pem", aside);
	assert_string_equal(house_read(path), "a key");
	(void)snprintf(path, sizeof(path), "%s/restored-tls.txt", aside);
	assert_non_null(strstr(house_read(path), "restored-tls-01.pem /tmp/"));
	assert_non_null(strstr(house_read(path), "/key?;.pem\n"));
	files_remove_tree(AT_FDCWD, scratch_path(aside));

	/* On a new card there is none. */
	unlink(scratch_path("gpio.state"));
	assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
	db_close(scratch_open());
	assert_string_equal(house_read("gpio.state"), "pins of then");
	close(fd);
}

static void test_what_is_not_ours_is_refused(void **state)
{
	int fd = house_prepare(NULL);
	int foreign = memfd_create("foreign", MFD_CLOEXEC);

	(void)state;
	house_refuses(foreign, NULL, -EILSEQ, "no backup of hearth");
	assert_int_equal(write(foreign, "PK\3\4", 4), 4);
	house_refuses(foreign, NULL, -EILSEQ, "no backup of hearth");
	close(foreign);
	close(fd);
	fd = house_prepare(PASSPHRASE);
	house_refuses(fd, NULL, -ENOKEY, "a passphrase is needed");
	house_refuses(fd, "incorrect horse", -EKEYREJECTED,
		      "passphrase is wrong");
	close(fd);
}

static void test_damage_at_any_place_is_refused(void **state)
{
	int fd = house_prepare(PASSPHRASE);
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t byte;

	(void)state;
	for (off_t at = 100; at < size; at += size / 23) {
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		house_refuses(fd, PASSPHRASE, -EBADMSG, "is damaged");
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	/* At each chunk's border, and one byte to either side. */
	for (off_t at = SEAL_CHUNK + 100; size > at; size -= SEAL_CHUNK + 20) {
		off_t border = 80 + (size - 80) / (SEAL_CHUNK + 20) *
					    (SEAL_CHUNK + 20);

		for (int i = 1; i >= -1; i--) {
			assert_int_equal(ftruncate(fd, border + i), 0);
			house_refuses(fd, PASSPHRASE, -EBADMSG, "is cut off");
		}
		size = border;
	}
	close(fd);
}

/* ---- databases that are not hearth's --------------------------------------- */

/* A backup that has the file named as its config.db, whatever that is, and
 * perhaps a byte more than it should. */
static int forge(const char *name, const char *label, bool goes_on)
{
	struct archive_info info = { .entries = 1 };
	struct archive_entry entry = { .kind = ARCHIVE_CONFIG_DB };
	int fd = memfd_create("forged", MFD_CLOEXEC);
	int from = open(scratch_path(name), O_RDONLY);
	struct seal_writer *writer = seal_writer_new(fd, NULL);

	assert_non_null(writer);
	(void)snprintf(entry.label, sizeof(entry.label), "%s", label);
	entry.size = (uint64_t)lseek(from, 0, SEEK_END);
	assert_int_equal(lseek(from, 0, SEEK_SET), 0);
	assert_int_equal(archive_write_info(writer, &info), 0);
	assert_int_equal(archive_write_entry(writer, &entry, from), 0);
	if (goes_on)
		assert_int_equal(seal_write(writer, "", 1), 0);
	assert_int_equal(seal_writer_end(writer), 0);
	seal_writer_free(writer);
	close(from);
	return fd;
}

/* config.db as it is after sql, in a backup. */
static void forge_and_refuse(const char *sql, int error, const char *words)
{
	char vacuum[256];
	int fd;

	(void)snprintf(vacuum, sizeof(vacuum), "VACUUM INTO '%s'",
		       scratch_path("forged.db"));
	unlink(scratch_path("forged.db"));
	scratch_sql("config.db", vacuum);
	scratch_sql("forged.db", sql);
	fd = forge("forged.db", "", false);
	house_refuses(fd, NULL, error, words);
	close(fd);
}

static void test_foreign_databases_are_refused(void **state)
{
	int fd = house_prepare(NULL);

	(void)state;
	close(fd);
	forge_and_refuse("PRAGMA user_version = 999", -ENOTSUP,
			 "config.db in it was written by a newer hearth");
	forge_and_refuse("CREATE TABLE x (y)", -EBADMSG,
			 "is not hearth's: it has a table \"x\"");
	forge_and_refuse("CREATE VIEW v AS SELECT 1", -EBADMSG,
			 "it has a view \"v\"");
	forge_and_refuse("CREATE TRIGGER g AFTER INSERT ON users BEGIN"
			 " DELETE FROM rules; END",
			 -EBADMSG, "it has a trigger \"g\"");
	forge_and_refuse("DROP TABLE rules", -EBADMSG, "it has no \"rules\"");
	forge_and_refuse("ALTER TABLE users ADD COLUMN z TEXT", -EBADMSG,
			 "it has a table \"users\"");
	/* Somebody else's database altogether, which our steps do not fit. */
	forge_and_refuse("PRAGMA user_version = 1", -EBADMSG, "is damaged");
	house_write("forged.db", "this is no database, however long it may be");
	fd = forge("forged.db", "", false);
	house_refuses(fd, NULL, -EBADMSG, "config.db in it is damaged");
	close(fd);
	house_write("forged.db", "");
	fd = forge("forged.db", "", true);
	house_refuses(fd, NULL, -EBADMSG, "it goes on after its contents");
	close(fd);
	fd = forge("forged.db", "../../etc/passwd", false);
	/* Empty is a database of version 0, which becomes a fresh one: of a hub
	 * that is nobody's. Its name is not looked at. */
	{
		struct restore_info info;
		struct reason reason;

		assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
		assert_int_equal(access(scratch_path("restore-ready/new/"
						     "config.db"),
					F_OK),
				 0);
	}
	close(fd);
}

/* A house of the first version. */
static void test_an_older_version_is_brought_up(void **state)
{
	struct restore_info info;
	struct reason reason;
	int fd = house_prepare(NULL);

	(void)state;
	close(fd);
	scratch_sql("old.db", schema_config_001);
	scratch_sql("old.db", "PRAGMA user_version = 1;"
			      "INSERT INTO users VALUES"
			      " ('anna', 'x', 'person', 1, 1, 0, 1)");
	fd = forge("old.db", "", false);
	assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
	db_close(scratch_open());
	assert_string_equal(
		scratch_ask("config.db", "SELECT name || scram FROM users"),
		"anna");
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "old");
	close(fd);
}

/* ---- contents that are sealed well and wrong all the same ------------------- */

struct piece {
	const char *bytes;
	size_t len;
};
#define PIECE(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
#define INFO "\1\0\0\0\0\0\0\0\0\1v\1n"

static void test_wrong_contents_are_refused(void **state)
{
	static const struct {
		struct piece piece;
		int error;
	} cases[] = {
		{ PIECE(""), -EBADMSG },
		{ PIECE("\2\0\0\0\0\0\0\0\0\1v\1n\1"), -ENOTSUP },
		{ PIECE(INFO "\0"), -EBADMSG }, /* no entry */
		{ PIECE(INFO "\106"), -EBADMSG }, /* too many */
		{ PIECE("\1\0\0\0\0\0\0\0\0\40"), -EBADMSG }, /* long version */
		{ PIECE("\1\0\0\0\0\0\0\0\0\1\377"), -EBADMSG }, /* no UTF-8 */
		/* state.db first; a kind there is not; 2^63 bytes of config.db */
		{ PIECE(INFO "\1\1\0\1\0\0\0\0\0\0\0\0\0"), -EBADMSG },
		{ PIECE(INFO "\1\7\0\1\0\0\0\0\0\0\0\0\0"), -EBADMSG },
		{ PIECE(INFO "\1\0\0\1\0\200\0\0\0\0\0\0\0"), -EBADMSG },
		/* The digest of nothing is not zero. */
		{ PIECE(INFO "\1\0\0\1\0\0\0\0\0\0\0\0\0"
			     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		  -EBADMSG },
	};
	int fd = house_prepare(NULL);

	(void)state;
	close(fd);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seal_writer *writer;

		fd = memfd_create("wrong", MFD_CLOEXEC);
		writer = seal_writer_new(fd, NULL);
		assert_non_null(writer);
		assert_int_equal(seal_write(writer, cases[i].piece.bytes,
					    cases[i].piece.len),
				 0);
		assert_int_equal(seal_writer_end(writer), 0);
		seal_writer_free(writer);
		house_refuses(fd, NULL, cases[i].error, "");
		close(fd);
	}
}

/* Nobody has agreed to it. */
static void test_what_is_only_checked_is_not_taken(void **state)
{
	struct restore_info info;
	struct reason reason = { 0 };
	int fd = house_prepare(NULL);
	const struct restore_source source = { fd, NULL };
	int dir = house_fd();

	(void)state;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(
		restore_stage(scratch_path(""), dir, &source, &info, &reason),
		0);
	db_close(scratch_open());
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "old");
	assert_int_equal(restore_forget(dir), 0);
	assert_int_equal(restore_commit(dir), -ENOENT);
	close(dir);
	close(fd);
}

/* One that fails does not take away what an earlier one has laid ready. */
static void test_what_lies_ready_stays(void **state)
{
	struct restore_info info;
	struct reason reason;
	int fd = house_prepare(NULL);
	int bad = memfd_create("bad", MFD_CLOEXEC);
	int dir;

	(void)state;
	assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
	assert_int_equal(house_stage(bad, NULL, &info, &reason), -EILSEQ);
	assert_int_equal(access(scratch_path("restore-ready"), F_OK), 0);
	assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
	dir = house_fd();
	assert_int_equal(restore_forget(dir), 0);
	assert_int_equal(restore_forget(dir), 0);
	close(dir);
	db_close(scratch_open());
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "old");
	close(bad);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_the_next_start_takes_it),
		TEST(test_a_wal_goes_with_its_file),
		TEST(test_other_files_are_laid_beside),
		TEST(test_what_is_not_ours_is_refused),
		TEST(test_damage_at_any_place_is_refused),
		TEST(test_foreign_databases_are_refused),
		TEST(test_an_older_version_is_brought_up),
		TEST(test_wrong_contents_are_refused),
		TEST(test_what_is_only_checked_is_not_taken),
		TEST(test_what_lies_ready_stays),
	};

	seal_set_cost(4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
