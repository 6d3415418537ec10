/*
 * A SQLite VFS whose files are in memory. What changes a file below a watched
 * directory is told, in order: that is the recorder. It says about itself what
 * SQLite's own VFS says of a file on ext4 (a power cut leaves bytes outside a
 * write alone), and a new WAL's or journal's name is synced with its first sync,
 * as there.
 *
 * One thread.
 */
#ifndef TESTS_CRASH_RAM_VFS_H
#define TESTS_CRASH_RAM_VFS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/crash/disk.h"

typedef void ram_vfs_watch_fn(void *arg, const struct disk_op *op);

/* The name to open with; registers it at the first call. */
const char *ram_vfs_name(void);

/* Tell fn what is done to files in dir (borrowed); NULL: nobody. */
void ram_vfs_watch(const char *dir, ram_vfs_watch_fn *fn, void *arg);

/* So many of hundred syncs of watched files fail from now on. */
void ram_vfs_fail_syncs(unsigned int percent);

/* A file of dir as it is from now on; nobody may have it open. For card.h. */
void ram_vfs_put(void *dir, const char *name, const uint8_t *data, size_t len);
/* Forget all files of dir; nobody may have one open. */
void ram_vfs_clear(const char *dir);

/* What SQLite draws its salts from. */
void ram_vfs_seed(uint64_t seed);

#endif
