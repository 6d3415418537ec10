#include "tests/db/restore_house.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/backup/create.h"
#include "db/db.h"
#include "tests/db/scratch.h"

static int backup(struct db *db, const char *passphrase, bool history)
{
	const struct backup_source source = { .db = db, .node = "attic" };
	const struct backup_options options = { .passphrase = passphrase,
						.history = history };
	int fd = memfd_create("backup", MFD_CLOEXEC);
	struct reason reason = { 0 };
	struct archive_info info;
	int r = backup_create(&source, &options, fd, &info, &reason);

	if (r)
		fail_msg("%s", reason_text(&reason, r));
	return fd;
}

int house_fd(void)
{
	int fd = open(scratch_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

int house_stage(int fd, const char *passphrase, struct restore_info *info,
		struct reason *reason)
{
	const struct restore_source source = { fd, passphrase };
	int dir = house_fd();
	int r;

	reason->text[0] = '\0';
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = restore_stage(scratch_path(""), dir, &source, info, reason);
	if (!r)
		r = restore_commit(dir);
	close(dir);
	return r;
}

/* A refusal changes nothing. */
void house_refuses(int fd, const char *passphrase, int error, const char *words)
{
	struct restore_info info;
	struct reason reason;
	int r = house_stage(fd, passphrase, &info, &reason);

	if (r != error || !strstr(reason_text(&reason, r), words))
		fail_msg("%d: %s", r, reason_text(&reason, r));
	assert_int_equal(access(scratch_path("restore-new"), F_OK), -1);
	assert_int_equal(access(scratch_path("restore-ready"), F_OK), -1);
	db_close(scratch_open());
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "old");
}

/* The name of what db_open() set aside, and 1; or 0. */
int house_aside(char out[RESTORE_ASIDE_SIZE])
{
	DIR *listing = opendir(scratch_path(""));
	struct dirent *entry;
	int count = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing))) {
		if (strncmp(entry->d_name, "before-restore-", 15) != 0)
			continue;
		(void)snprintf(out, RESTORE_ASIDE_SIZE, "%.39s", entry->d_name);
		count++;
	}
	closedir(listing);
	return count;
}

void house_write(const char *name, const char *text)
{
	FILE *file = fopen(scratch_path(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

const char *house_read(const char *name)
{
	static char text[256];
	FILE *file = fopen(scratch_path(name), "r");
	size_t len;

	if (!file)
		return "none";
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	(void)fclose(file);
	return text;
}

/* A data directory with the value "new" in a backup and "old" in its file. */
int house_prepare(const char *passphrase)
{
	struct db *db = scratch_open();
	int fd;

	scratch_sql("state.db", VALUE("new"));
	scratch_sql("config.db", "REPLACE INTO settings VALUES ('x', 'new')");
	fd = backup(db, passphrase, false);
	scratch_sql("state.db", VALUE("old"));
	scratch_sql("config.db", "UPDATE settings SET value = 'old'");
	scratch_sql("history.db", "REPLACE INTO topics VALUES (1, 'kept')");
	db_close(db);
	return fd;
}
