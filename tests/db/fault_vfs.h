/*
 * A SQLite VFS over the system's own that counts writes, truncations and syncs
 * of the files whose name holds a word, and fails them when told to.
 */
#ifndef TESTS_DB_FAULT_VFS_H
#define TESTS_DB_FAULT_VFS_H

#include <stdbool.h>

/* The name to open with. */
const char *fault_vfs_name(void);

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
