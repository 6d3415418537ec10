#include "tests/crash/ram_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ram_file {
	sqlite3_file base;
	struct ram_node *node;
	int level; /* SQLITE_LOCK_* */
	bool sync_name;
	bool has_shm;
	bool shm_shared[SQLITE_SHM_NLOCK];
};

static struct ram_file *of(sqlite3_file *file)
{
	return (struct ram_file *)file;
}

void ram_node_resize(struct ram_node *node, size_t size)
{
	if (size > node->cap) {
		node->cap = size * 2 + 4096;
		node->data = realloc(node->data, node->cap);
		if (!node->data)
			abort();
	}
	if (size > node->size)
		memset(node->data + node->size, 0, size - node->size);
	node->size = size;
}

void ram_node_free_unused(struct ram_node *node)
{
	if (!node->unlinked || node->opens)
		return;
	for (size_t i = 0; i < RAM_REGIONS; i++)
		free(node->regions[i]);
	free(node->data);
	free(node);
}

static int do_unlock(sqlite3_file *file, int level)
{
	struct ram_file *f = of(file);
	struct ram_node *node = f->node;

	if (f->level <= level)
		return SQLITE_OK;
	if (f->level >= SQLITE_LOCK_RESERVED) {
		node->reserved = NULL;
		node->exclusive = false;
	}
	if (level == SQLITE_LOCK_NONE)
		node->shared--;
	f->level = level;
	return SQLITE_OK;
}

static int do_close(sqlite3_file *file)
{
	struct ram_file *f = of(file);

	do_unlock(file, SQLITE_LOCK_NONE);
	f->node->opens--;
	ram_node_free_unused(f->node);
	return SQLITE_OK;
}

static int do_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	const struct ram_node *node = of(file)->node;
	size_t have = (size_t)at < node->size ? node->size - (size_t)at : 0;

	if (have > (size_t)n)
		have = (size_t)n;
	if (have)
		memcpy(to, node->data + at, have);
	memset((char *)to + have, 0, (size_t)n - have);
	return have == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int do_write(sqlite3_file *file, const void *from, int n,
		    sqlite3_int64 at)
{
	struct ram_node *node = of(file)->node;

	if ((size_t)at + (size_t)n > node->size)
		ram_node_resize(node, (size_t)at + (size_t)n);
	memcpy(node->data + at, from, (size_t)n);
	ram_vfs_tell(node->path, DISK_WRITE, (size_t)at, from, (size_t)n);
	return SQLITE_OK;
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct ram_node *node = of(file)->node;

	ram_node_resize(node, (size_t)size);
	ram_vfs_tell(node->path, DISK_TRUNCATE, (size_t)size, NULL, 0);
	return SQLITE_OK;
}

static int do_sync(sqlite3_file *file, int flags)
{
	struct ram_file *f = of(file);

	(void)flags;
	if (ram_vfs_sync_fails(f->node->path)) {
		ram_vfs_tell(f->node->path, DISK_SYNC_FAILED, 0, NULL, 0);
		return SQLITE_IOERR_FSYNC;
	}
	ram_vfs_tell(f->node->path, DISK_SYNC, 0, NULL, 0);
	if (f->sync_name)
		ram_vfs_tell(f->node->path, DISK_SYNC_NAMES, 0, NULL, 0);
	f->sync_name = false;
	return SQLITE_OK;
}

static int do_size(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)of(file)->node->size;
	return SQLITE_OK;
}

static int do_lock(sqlite3_file *file, int level)
{
	struct ram_file *f = of(file);
	struct ram_node *node = f->node;

	if (f->level >= level)
		return SQLITE_OK;
	if (node->reserved && node->reserved != f &&
	    (node->exclusive || level > SQLITE_LOCK_SHARED))
		return SQLITE_BUSY;
	if (level == SQLITE_LOCK_EXCLUSIVE && node->shared > 1)
		return SQLITE_BUSY;
	if (f->level == SQLITE_LOCK_NONE)
		node->shared++;
	if (level >= SQLITE_LOCK_RESERVED)
		node->reserved = f;
	if (level == SQLITE_LOCK_EXCLUSIVE)
		node->exclusive = true;
	f->level = level;
	return SQLITE_OK;
}

static int do_check(sqlite3_file *file, int *out)
{
	*out = of(file)->node->reserved != NULL;
	return SQLITE_OK;
}

static int do_control(sqlite3_file *file, int op, void *arg)
{
	(void)file;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

/* As SQLite's own VFS has it for Linux. */
static int do_sector(sqlite3_file *file)
{
	(void)file;
	return 4096;
}

static int do_traits(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int do_shm_map(sqlite3_file *file, int n, int size, int extend,
		      void volatile **out)
{
	struct ram_file *f = of(file);
	struct ram_node *node = f->node;

	if (n >= RAM_REGIONS)
		return SQLITE_IOERR_SHMMAP;
	if (!f->has_shm)
		node->mapped++;
	f->has_shm = true;
	if (!node->regions[n] && extend) {
		node->regions[n] = calloc(1, (size_t)size);
		if (!node->regions[n])
			return SQLITE_NOMEM;
	}
	*out = node->regions[n];
	return SQLITE_OK;
}

static void shm_release(struct ram_file *f, int i)
{
	struct ram_node *node = f->node;

	if (node->shm_exclusive[i] == f)
		node->shm_exclusive[i] = NULL;
	if (f->shm_shared[i])
		node->shm_shared[i]--;
	f->shm_shared[i] = false;
}

static bool shm_taken(const struct ram_file *f, int i, bool exclusive)
{
	const struct ram_node *node = f->node;

	if (node->shm_exclusive[i] && node->shm_exclusive[i] != f)
		return true;
	return exclusive &&
	       node->shm_shared[i] > (unsigned int)f->shm_shared[i];
}

static int do_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	const bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
	struct ram_file *f = of(file);

	if (flags & SQLITE_SHM_UNLOCK) {
		for (int i = offset; i < offset + n; i++)
			shm_release(f, i);
		return SQLITE_OK;
	}
	for (int i = offset; i < offset + n; i++)
		if (shm_taken(f, i, exclusive))
			return SQLITE_BUSY;
	for (int i = offset; i < offset + n; i++) {
		if (exclusive) {
			f->node->shm_exclusive[i] = f;
		} else if (!f->shm_shared[i]) {
			f->shm_shared[i] = true;
			f->node->shm_shared[i]++;
		}
	}
	return SQLITE_OK;
}

static void do_shm_barrier(sqlite3_file *file)
{
	(void)file;
}

static int do_shm_unmap(sqlite3_file *file, int delete)
{
	struct ram_file *f = of(file);
	struct ram_node *node = f->node;

	(void)delete;
	if (!f->has_shm)
		return SQLITE_OK;
	f->has_shm = false;
	for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
		shm_release(f, i);
	if (--node->mapped > 0)
		return SQLITE_OK;
	for (size_t i = 0; i < RAM_REGIONS; i++) {
		free(node->regions[i]);
		node->regions[i] = NULL;
	}
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = do_close,
	.xRead = do_read,
	.xWrite = do_write,
	.xTruncate = do_truncate,
	.xSync = do_sync,
	.xFileSize = do_size,
	.xLock = do_lock,
	.xUnlock = do_unlock,
	.xCheckReservedLock = do_check,
	.xFileControl = do_control,
	.xSectorSize = do_sector,
	.xDeviceCharacteristics = do_traits,
	.xShmMap = do_shm_map,
	.xShmLock = do_shm_lock,
	.xShmBarrier = do_shm_barrier,
	.xShmUnmap = do_shm_unmap,
};

size_t ram_file_size(void)
{
	return sizeof(struct ram_file);
}

void ram_file_open(sqlite3_file *file, struct ram_node *node, bool sync_name)
{
	struct ram_file *f = of(file);

	memset(f, 0, sizeof(*f));
	f->base.pMethods = &methods;
	f->node = node;
	f->sync_name = sync_name;
	node->opens++;
}
