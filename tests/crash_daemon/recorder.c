/* Of functions that come in two sizes each is wrapped under its own name. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#undef _FORTIFY_SOURCE
#include "tests/crash_daemon/recorder.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/relax.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *dir;
static int log_fd = -1;
static const _Atomic uint64_t *clock_ms;
static unsigned int slow_us;
static __thread uint64_t seen_ms;

void *recorder_next(void **cache, const char *name)
{
	void *found = __atomic_load_n(cache, __ATOMIC_RELAXED);

	if (!found) {
		found = dlsym(RTLD_NEXT, name);
		if (!found)
			abort();
		__atomic_store_n(cache, found, __ATOMIC_RELAXED);
	}
	return found;
}

static const char *must_have(const char *variable)
{
	const char *value = getenv(variable);

	if (!value)
		abort();
	return value;
}

__attribute__((constructor)) static void begin(void)
{
	const char *slow = getenv(RECORD_SLOW);
	void *memory;
	int fd;

	dir = must_have(RECORD_DIR);
	log_fd = (int)syscall(SYS_openat, AT_FDCWD, must_have(RECORD_LOG),
			      O_WRONLY | O_APPEND | O_CLOEXEC);
	fd = (int)syscall(SYS_openat, AT_FDCWD, must_have(RECORD_CLOCK),
			  O_RDONLY | O_CLOEXEC);
	if (log_fd < 0 || fd < 0)
		abort();
	memory = mmap(NULL, sizeof(*clock_ms), PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		abort();
	syscall(SYS_close, fd);
	clock_ms = memory;
	slow_us = slow ? (unsigned int)strtoul(slow, NULL, 10) : 0;
	if (getenv(RECORD_RELAX))
		relax_all(true);
}

const char *recorder_dir(void)
{
	return dir;
}

void recorder_dawdle(void)
{
	static _Atomic uint32_t state = 1;
	uint32_t random;

	if (!slow_us)
		return;
	/* An even spread is all that is asked for. */
	random = atomic_fetch_add(&state, 1) * UINT32_C(2654435761);
	usleep((random >> 8) % slow_us);
}

void recorder_lock(void)
{
	pthread_mutex_lock(&lock);
}

void recorder_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static void part(struct iovec *parts, int *count, const void *data, size_t len)
{
	if (!len)
		return;
	parts[*count].iov_base = (void *)(uintptr_t)data;
	parts[(*count)++].iov_len = len;
}

/* In one piece: who started this program adds to the log meanwhile. */
void recorder_add(const struct record *record)
{
	const int error = errno;
	size_t left = record->data_len;
	struct record_head head = {
		.data_len = (uint32_t)left,
		.type = (uint8_t)record->type,
		.fd = record->fd,
		.at = record->at,
		.now = seen_ms,
	};
	struct iovec parts[RECORD_PARTS];
	int count = 0;
	size_t whole;

	head.name_len = record->name ? (uint8_t)strlen(record->name) : 0;
	head.to_len = record->to ? (uint8_t)strlen(record->to) : 0;
	whole = sizeof(head) + head.name_len + head.to_len + left;
	part(parts, &count, &head, sizeof(head));
	part(parts, &count, record->name, head.name_len);
	part(parts, &count, record->to, head.to_len);
	for (int i = 0; i < record->data_count && left; i++) {
		size_t len = record->data[i].iov_len;

		if (count == RECORD_PARTS)
			abort();
		if (len > left)
			len = left;
		part(parts, &count, record->data[i].iov_base, len);
		left -= len;
	}
	/* A short write is a full disk: the test cannot go on. */
	if (syscall(SYS_writev, log_fd, parts, count) != (long)whole)
		abort();
	errno = error;
}

/* ---- the clock ---------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
	uint64_t ms;

	if (!clock_ms || clock == CLOCK_PROCESS_CPUTIME_ID ||
	    clock == CLOCK_THREAD_CPUTIME_ID)
		return (int)syscall(SYS_clock_gettime, clock, now);
	ms = seen_ms = atomic_load(clock_ms);
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ms += (uint64_t)RECORD_EPOCH_MS;
	now->tv_sec = (time_t)(ms / 1000);
	now->tv_nsec = (long)(ms % 1000 * 1000000);
	return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &t) < 0)
		return -1;
	now->tv_sec = t.tv_sec;
	now->tv_usec = (suseconds_t)(t.tv_nsec / 1000);
	return 0;
}

time_t time(time_t *out)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}
