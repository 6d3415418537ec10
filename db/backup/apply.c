/* Replacing the data: restore.h's restore_apply(). Each step is done or not done
 * after a cut of the power, and the next start goes on with the first that is
 * not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "db/backup/files.h"
#include "db/backup/restore.h"
#include "db/db.h"

#define READY "restore-ready"
#define NEW "new"

/* Names in one second. */
#define TRIES 60

static int move(int from, const char *name, int to, const char *as)
{
	return renameat2(from, name, to, as, RENAME_NOREPLACE) ? -errno : 0;
}

static int move_if_there(int from, const char *name, int to, const char *as)
{
	int r = move(from, name, to, as);

	return r == -ENOENT ? 0 : r;
}

static int remove_if_there(int dir, const char *name)
{
	return unlinkat(dir, name, 0) && errno != ENOENT ? -errno : 0;
}

/* The old file with its WAL goes aside before the new one comes: a WAL must never
 * lie beside a file that is not its own. */
static int replace_database(int data, int ready, int new, const char *name)
{
	char wal[32];
	char shm[32];
	int r;

	if (faccessat(new, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	(void)snprintf(wal, sizeof(wal), "%s-wal", name);
	(void)snprintf(shm, sizeof(shm), "%s-shm", name);
	r = move_if_there(data, name, ready, name);
	if (!r)
		r = move_if_there(data, wal, ready, wal);
	if (!r)
		r = remove_if_there(data, shm);
	if (!r && (fsync(ready) || fsync(data)))
		r = -errno;

	return r ? r : move(new, name, data, name);
}

static int replace_all(int data, int ready, int new)
{
	int r = 0;

	for (int file = 0; !r && file < DB_FILES; file++)
		r = replace_database(data, ready, new,
				     db_file_name((enum db_file)file));
	if (r)
		return r;
	r = move_if_there(new, "gpio.state", data, "gpio.state");
	if (r == -EEXIST)
		r = move_if_there(new, "gpio.state", ready,
				  "restored-gpio.state");
	/* Of the hub as it was; made anew if it is still nobody's. */
	if (!r)
		r = remove_if_there(data, "claim-token");
	if (!r && fsync(data))
		r = -errno;

	return r;
}

static int finish(int data, int ready, char aside[RESTORE_ASIDE_SIZE])
{
	int64_t now = clock_wall_ms();
	char stamp[FILES_STAMP_SIZE];

	if (unlinkat(ready, NEW, AT_REMOVEDIR) && errno != ENOENT)
		return -errno;
	for (int i = 0; i < TRIES; i++) {
		int r;

		files_stamp(now + i * 1000, stamp);
		(void)snprintf(aside, RESTORE_ASIDE_SIZE, "before-restore-%s",
			       stamp);
		r = move(data, READY, data, aside);
		if (!r)
			return fsync(data) ? -errno : 0;
		if (r != -EEXIST)
			return r;
	}

	return -EEXIST;
}

int restore_apply(int dir_fd, char aside[RESTORE_ASIDE_SIZE])
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int ready = openat(dir_fd, READY, flags);
	int new;
	int r;

	if (ready < 0)
		return errno == ENOENT ? 0 : -errno;
	new = openat(ready, NEW, flags);
	if (new >= 0) {
		r = replace_all(dir_fd, ready, new);
		close(new);
	} else {
		/* Nothing is left of it but its name. */
		r = errno == ENOENT ? 0 : -errno;
	}
	if (!r)
		r = finish(dir_fd, ready, aside);
	close(ready);

	return r ? r : 1;
}
