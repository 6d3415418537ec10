/*
 * The open files of ram_vfs.c: bytes, locks and the shared memory of a WAL.
 */
#ifndef TESTS_CRASH_RAM_FILE_H
#define TESTS_CRASH_RAM_FILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/crash/ram_vfs.h"

#define RAM_PATH 128
#define RAM_REGIONS 32

struct ram_node {
	char path[RAM_PATH];
	uint8_t *data;
	size_t size;
	size_t cap;
	unsigned int opens;
	bool unlinked; /* freed with the last of them */

	unsigned int shared; /* holders of a lock on the file */
	const void *reserved; /* the one who may write, or NULL */
	bool exclusive; /* and nobody else may read */

	void *regions[RAM_REGIONS];
	unsigned int mapped; /* connections with shared memory */
	unsigned int shm_shared[SQLITE_SHM_NLOCK];
	const void *shm_exclusive[SQLITE_SHM_NLOCK];
};

/* New bytes are zero. */
void ram_node_resize(struct ram_node *node, size_t size);
/* If it is unlinked and nobody has it open. */
void ram_node_free_unused(struct ram_node *node);

size_t ram_file_size(void);
/* sync_name: the first sync is also one of the directory. */
void ram_file_open(sqlite3_file *file, struct ram_node *node, bool sync_name);

/* ram_vfs.c: is the sync of this file, now, one of those that fail? */
bool ram_vfs_sync_fails(const char *path);
/* ram_vfs.c: tell the watcher, if it watches this path. */
void ram_vfs_tell(const char *path, enum disk_op_type type, size_t at,
		  const void *data, size_t len);

#endif
