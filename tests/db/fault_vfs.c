#include "tests/db/fault_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fault_file {
	sqlite3_file base;
	const char *name;
	sqlite3_file *real; /* in the memory that follows */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char armed_word[32];
static int armed_code;
static unsigned int armed_after;
static bool armed_forever;
static unsigned int armed_kinds = FAULT_WRITE;
static bool armed;
static bool hit;
static char watched[32];
static unsigned int calls;

static sqlite3_vfs vfs;
static sqlite3_vfs *system_vfs;

void fault_vfs_arm(const char *word, int code, unsigned int after, bool forever)
{
	pthread_mutex_lock(&lock);
	(void)snprintf(armed_word, sizeof(armed_word), "%s", word);
	armed_code = code;
	armed_after = after;
	armed_forever = forever;
	armed = true;
	hit = false;
	pthread_mutex_unlock(&lock);
}

void fault_vfs_kinds(unsigned int kinds)
{
	pthread_mutex_lock(&lock);
	armed_kinds = kinds;
	pthread_mutex_unlock(&lock);
}

bool fault_vfs_disarm(void)
{
	bool was;

	pthread_mutex_lock(&lock);
	armed = false;
	armed_kinds = FAULT_WRITE;
	was = hit;
	pthread_mutex_unlock(&lock);

	return was;
}

void fault_vfs_watch(const char *word)
{
	pthread_mutex_lock(&lock);
	(void)snprintf(watched, sizeof(watched), "%s", word);
	calls = 0;
	pthread_mutex_unlock(&lock);
}

unsigned int fault_vfs_calls(void)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = calls;
	pthread_mutex_unlock(&lock);

	return n;
}

static struct fault_file *of(sqlite3_file *file)
{
	return (struct fault_file *)file;
}

/* The code to fail this call with, or SQLITE_OK. */
static int verdict_of(const char *name, enum fault_kind kind)
{
	int code = SQLITE_OK;

	pthread_mutex_lock(&lock);
	if (kind == FAULT_WRITE && name && *watched && strstr(name, watched))
		calls++;
	if (armed && (armed_kinds & kind) && name && strstr(name, armed_word)) {
		if (armed_after) {
			armed_after--;
		} else {
			code = armed_code;
			hit = true;
			armed = armed_forever;
		}
	}
	pthread_mutex_unlock(&lock);

	return code;
}

static int verdict(const struct fault_file *file)
{
	return verdict_of(file->name, FAULT_WRITE);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return of(file)->real;
}

static int do_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int do_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	int code = verdict_of(of(file)->name, FAULT_READ);

	if (code)
		return code;
	return real_of(file)->pMethods->xRead(real_of(file), to, n, at);
}

static int do_write(sqlite3_file *file, const void *from, int n,
		    sqlite3_int64 at)
{
	int code = verdict(of(file));

	if (code)
		return code;
	return real_of(file)->pMethods->xWrite(real_of(file), from, n, at);
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = verdict(of(file));

	if (code)
		return code;
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int do_sync(sqlite3_file *file, int flags)
{
	int code = verdict(of(file));

	if (code)
		return code;
	return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int do_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int do_lock(sqlite3_file *file, int level)
{
	int code = verdict_of(of(file)->name, FAULT_SHARE);

	if (code)
		return code;
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int do_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int do_check(sqlite3_file *file, int *out)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int do_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int do_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int do_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int do_shm_map(sqlite3_file *file, int n, int size, int extend,
		      void volatile **out)
{
	int code = verdict_of(of(file)->name, FAULT_SHARE);

	if (code)
		return code;
	return real_of(file)->pMethods->xShmMap(real_of(file), n, size, extend,
						out);
}

static int do_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n,
						 flags);
}

static void do_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int do_shm_unmap(sqlite3_file *file, int delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
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

static int do_open(sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file,
		   int flags, int *out_flags)
{
	struct fault_file *fault = of(file);
	int r;

	(void)self;
	fault->base.pMethods = NULL;
	r = verdict_of(name, FAULT_OPEN);
	if (r)
		return r;
	fault->name = name;
	fault->real = (sqlite3_file *)(fault + 1);
	r = system_vfs->xOpen(system_vfs, name, fault->real, flags, out_flags);
	if (!r)
		fault->base.pMethods = &methods;

	return r;
}

const char *fault_vfs_name(void)
{
	if (system_vfs)
		return vfs.zName;

	system_vfs = sqlite3_vfs_find(NULL);
	if (!system_vfs)
		abort();
	vfs = *system_vfs;
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct fault_file) + system_vfs->szOsFile;
	vfs.xOpen = do_open;
	vfs.pNext = NULL;
	if (sqlite3_vfs_register(&vfs, 0))
		abort();

	return vfs.zName;
}
