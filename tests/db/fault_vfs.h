/*
 * A SQLite VFS over the system's own that counts what is done to the files whose
 * name holds a word, and fails it when told to. Unless said otherwise these are
 * writes, truncations and syncs.
 */
#ifndef TESTS_DB_FAULT_VFS_H
#define TESTS_DB_FAULT_VFS_H

#include <stdbool.h>

/* The name to open with. */
const char *fault_vfs_name(void);

enum fault_kind {
	FAULT_WRITE = 1, /* write, truncate, sync */
	FAULT_READ = 2,
	FAULT_OPEN = 4,
	FAULT_SHARE = 8, /* locks and the WAL's index */
};

/* Until the next fault_vfs_disarm(): these kinds, put together by "|". */
void fault_vfs_kinds(unsigned int kinds);

/* The (after + 1)th call from now on a file named like word fails with code, a
 * SQLite result; forever: and all that follow. */
void fault_vfs_arm(const char *word, int code, unsigned int after,
		   bool forever);
/* True if something has failed. */
bool fault_vfs_disarm(void);

/* Calls on files named like the word of the last fault_vfs_watch(). */
void fault_vfs_watch(const char *word);
unsigned int fault_vfs_calls(void);

#endif
