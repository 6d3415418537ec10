/*
 * Room on the disk. A file of some megabytes, the ballast, is given up when the
 * disk is full: what was promised already can then still be written, and what is
 * not needed any more be deleted, which in SQLite takes room first. It is made
 * again when there is enough for both.
 *
 * One thread at a time.
 */
#ifndef DB_SPACE_H
#define DB_SPACE_H

#include <stdbool.h>
#include <stdint.h>

/* More than the log of state.db may grow to (DB_STORE_WAL_HARD), or its
 * checkpoint finds no room either: measured. */
#define SPACE_BALLAST_MB 48u

struct space {
	int dir_fd; /* borrowed */
	uint64_t bytes; /* of the ballast; 0: there is to be none */
	bool whole; /* it is there */
};

/* Makes the ballast if it is not there and there is room. */
void space_init(struct space *space, int dir_fd, uint64_t bytes);

/* Give it up. False: there was none to give. */
bool space_release(struct space *space);

/* There is room again: as much as to make the ballast and have half of it over,
 * and it was made. */
bool space_enough(struct space *space);

/* Bytes free for us, and of the whole disk. 0 or a negative errno. */
int space_of(int dir_fd, uint64_t *available, uint64_t *size);

#endif
