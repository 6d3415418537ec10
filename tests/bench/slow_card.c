/*
 * Preloaded into a broker: its files lie on a card that needs SLOW_CARD_MS for
 * each sync and one second for SLOW_CARD_MBS megabytes, one sync at a time, as a
 * card does. The files themselves should be on a tmpfs, which takes no time of its
 * own. SLOW_CARD names the file of struct card_count.
 *
 * What a sync writes are the blocks of 4 KiB written to since the last one. A file
 * that was written to past us (stdio inside of libc) is taken to be written whole.
 * The file system's own journal is not counted, nor a write that nobody syncs, for
 * which a real system would take its time later.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/card.h"

#define FILES 64
#define BLOCKS ((off_t)256 * 1024) /* 1 GiB of a file; what is above shares */

struct file {
	dev_t device;
	ino_t inode;
	uint64_t dirty; /* blocks */
	uint8_t blocks[BLOCKS / 8];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES];
static size_t file_count;
static struct card_count *count;
static unsigned long sync_ns, block_ns;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

static unsigned long number(const char *name)
{
	const char *text = getenv(name);

	if (!text)
		abort();
	return strtoul(text, NULL, 10);
}

__attribute__((constructor)) static void open_card(void)
{
	const char *path = getenv("SLOW_CARD");
	unsigned long speed = number("SLOW_CARD_MBS");
	void *memory;
	int fd;

	*(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
	sync_ns = number("SLOW_CARD_MS") * 1000000;
	if (!speed || !real_pwrite)
		abort();
	block_ns = CARD_BLOCK * 1000ul / speed;
	fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		abort();
	memory = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (memory == MAP_FAILED)
		abort();
	close(fd);
	count = memory;
}

/* NULL: not a file. known: whether we have seen it before. */
static struct file *file_of(int fd, struct stat *about, bool *known)
{
	if (fstat(fd, about) < 0 || !S_ISREG(about->st_mode))
		return NULL;
	*known = true;
	for (size_t i = 0; i < file_count; i++) {
		if (files[i].device == about->st_dev &&
		    files[i].inode == about->st_ino)
			return &files[i];
	}
	if (file_count == FILES)
		abort();
	*known = false;
	files[file_count].device = about->st_dev;
	files[file_count].inode = about->st_ino;
	return &files[file_count++];
}

static void mark(struct file *file, off_t from, off_t to)
{
	for (off_t i = from / CARD_BLOCK; i * CARD_BLOCK < to; i++) {
		uint8_t *byte = &file->blocks[i % BLOCKS / 8];
		uint8_t bit = (uint8_t)(1u << i % 8);

		if (!(*byte & bit)) {
			file->dirty++;
			atomic_fetch_add(&count->dirty, CARD_BLOCK);
		}
		*byte |= bit;
	}
}

/* offset -1: len bytes before where the descriptor is now. */
static void written(int fd, off_t offset, ssize_t len)
{
	const int error = errno;
	struct stat about;
	struct file *file;
	bool known;

	if (len <= 0 || !count)
		return;
	if (offset < 0)
		offset = lseek(fd, 0, SEEK_CUR) - len;
	if (offset < 0) /* a socket, mostly */
		goto out;
	pthread_mutex_lock(&lock);
	file = file_of(fd, &about, &known);
	if (file)
		mark(file, offset, offset + len);
	pthread_mutex_unlock(&lock);
out:
	errno = error;
}

static int synced(int fd)
{
	struct timespec time;
	struct stat about;
	struct file *file;
	uint64_t bytes = 0, ns;
	bool known;

	pthread_mutex_lock(&lock);
	file = file_of(fd, &about, &known);
	if (file && !known)
		mark(file, 0, about.st_size);
	if (file) {
		bytes = file->dirty * CARD_BLOCK;
		memset(file->blocks, 0, sizeof(file->blocks));
		file->dirty = 0;
	}
	ns = sync_ns + bytes / CARD_BLOCK * block_ns;
	time.tv_sec = (time_t)(ns / 1000000000);
	time.tv_nsec = (long)(ns % 1000000000);
	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
	atomic_fetch_add(&count->syncs, 1);
	atomic_fetch_add(&count->synced, bytes);
	atomic_fetch_sub(&count->dirty, bytes);
	pthread_mutex_unlock(&lock);
	return 0;
}

int fsync(int fd)
{
	return synced(fd);
}

int fdatasync(int fd)
{
	return synced(fd);
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t n = syscall(SYS_write, fd, data, len);

	written(fd, -1, n);
	return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t n = real_pwrite(fd, data, len, offset);

	written(fd, offset, n);
	return n;
}

#ifndef __USE_FILE_OFFSET64
#error "pwrite() must be pwrite64()"
#endif
