#include "tests/crash/ram_vfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crash/ram_file.h"
#include "tests/crash/rng.h"

#define NODES 64

static struct ram_node *nodes[NODES];
static const char *watched;
static ram_vfs_watch_fn *watcher;
static void *watcher_arg;
static struct rng salts;
static unsigned int failing_percent;

static sqlite3_vfs vfs;
static sqlite3_vfs *system_vfs;

void ram_vfs_watch(const char *dir, ram_vfs_watch_fn *fn, void *arg)
{
	watched = dir;
	watcher = fn;
	watcher_arg = arg;
}

/* The name behind dir and a slash, or NULL for a file of elsewhere. */
static const char *inside(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strncmp(path, dir, len) != 0 || path[len] != '/')
		return NULL;
	return path + len + 1;
}

void ram_vfs_tell(const char *path, enum disk_op_type type, size_t at,
		  const void *data, size_t len)
{
	struct disk_op op = {
		.type = type,
		.at = at,
		.len = len,
		.data = data,
	};

	if (!watcher)
		return;
	op.name = inside(path, watched);
	/* All in one folder. */
	if (op.name && type == DISK_SYNC_NAMES)
		op.name = "";
	if (op.name)
		watcher(watcher_arg, &op);
}

void ram_vfs_fail_syncs(unsigned int percent)
{
	failing_percent = percent;
}

bool ram_vfs_sync_fails(const char *path)
{
	return failing_percent && watcher && inside(path, watched) &&
	       rng_percent(&salts, failing_percent);
}

static struct ram_node **slot_of(const char *path)
{
	for (size_t i = 0; i < NODES; i++)
		if (nodes[i] && strcmp(nodes[i]->path, path) == 0)
			return &nodes[i];
	return NULL;
}

static struct ram_node *node_make(const char *path)
{
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i])
			continue;
		nodes[i] = calloc(1, sizeof(**nodes));
		if (!nodes[i])
			abort();
		(void)snprintf(nodes[i]->path, sizeof(nodes[i]->path), "%s",
			       path);
		return nodes[i];
	}
	abort();
}

void ram_vfs_put(void *dir, const char *name, const uint8_t *data, size_t len)
{
	struct ram_node *node;
	char path[RAM_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", (const char *)dir, name);
	assert(!slot_of(path));
	node = node_make(path);
	ram_node_resize(node, len);
	if (len)
		memcpy(node->data, data, len);
}

static void unlink_slot(struct ram_node **slot)
{
	struct ram_node *node = *slot;

	*slot = NULL;
	node->unlinked = true;
	ram_node_free_unused(node);
}

static bool unlink_path(const char *path)
{
	struct ram_node **slot = slot_of(path);

	if (slot)
		unlink_slot(slot);
	return slot != NULL;
}

void ram_vfs_clear(const char *dir)
{
	for (size_t i = 0; i < NODES; i++) {
		if (!nodes[i] || !inside(nodes[i]->path, dir))
			continue;
		assert(nodes[i]->opens == 0);
		unlink_slot(&nodes[i]);
	}
}

void ram_vfs_seed(uint64_t seed)
{
	salts.state = seed;
}

#define NAMED_LATER \
	(SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)

static int do_open(sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file,
		   int flags, int *out_flags)
{
	struct ram_node **slot = name ? slot_of(name) : NULL;
	struct ram_node *node = slot ? *slot : NULL;

	(void)self;
	file->pMethods = NULL;
	if (!node && !(flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB)))
		return SQLITE_CANTOPEN;
	if (!node) {
		node = node_make(name ? name : "temporary");
		ram_vfs_tell(node->path, DISK_CREATE, 0, NULL, 0);
		/* db.c makes these itself and syncs the directory. */
		if (flags & SQLITE_OPEN_MAIN_DB)
			ram_vfs_tell(node->path, DISK_SYNC_NAMES, 0, NULL, 0);
	}
	ram_file_open(file, node, flags & NAMED_LATER);
	if (!name)
		unlink_path("temporary");
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *self, const char *name, int sync)
{
	(void)self;
	if (!unlink_path(name))
		return SQLITE_IOERR_DELETE_NOENT;
	ram_vfs_tell(name, DISK_DELETE, 0, NULL, 0);
	if (sync)
		ram_vfs_tell(name, DISK_SYNC_NAMES, 0, NULL, 0);
	return SQLITE_OK;
}

/* SQLite's own VFS takes an empty file for none, too. */
static int do_access(sqlite3_vfs *self, const char *name, int flags, int *out)
{
	struct ram_node **slot = slot_of(name);

	(void)self;
	*out = slot && ((*slot)->size > 0 || flags != SQLITE_ACCESS_EXISTS);
	return SQLITE_OK;
}

static int do_full_path(sqlite3_vfs *self, const char *name, int size,
			char *out)
{
	(void)self;
	(void)snprintf(out, (size_t)size, "%s", name);
	return SQLITE_OK;
}

static int do_randomness(sqlite3_vfs *self, int n, char *out)
{
	(void)self;
	for (int i = 0; i < n; i++)
		out[i] = (char)rng_next(&salts);
	return n;
}

const char *ram_vfs_name(void)
{
	if (system_vfs)
		return vfs.zName;

	system_vfs = sqlite3_vfs_find(NULL);
	if (!system_vfs)
		abort();
	vfs = *system_vfs;
	vfs.zName = "ram";
	vfs.szOsFile = (int)ram_file_size();
	vfs.mxPathname = RAM_PATH - 1;
	vfs.xOpen = do_open;
	vfs.xDelete = do_delete;
	vfs.xAccess = do_access;
	vfs.xFullPathname = do_full_path;
	vfs.xRandomness = do_randomness;
	vfs.pNext = NULL;
	if (sqlite3_vfs_register(&vfs, 0))
		abort();

	return vfs.zName;
}
