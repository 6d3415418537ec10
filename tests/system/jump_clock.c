/*
 * Preloaded into hearthd: its clock of the wall is what tests/system/test_clock.py
 * says. JUMP_CLOCK names a file of one int64_t, seconds to add, which may change at
 * any time, as somebody or NTP sets a clock. The monotonic clock is not touched.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *jump;

/* Where time_t was once of 32 bits, ours is that of the newer call. */
#ifndef SYS_clock_gettime64
#define SYS_clock_gettime64 SYS_clock_gettime
#endif

__attribute__((constructor)) static void open_clock(void)
{
	const char *path = getenv("JUMP_CLOCK");
	void *memory;
	int fd;

	fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		abort();
	memory = mmap(NULL, sizeof(*jump), PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		abort();
	close(fd);
	jump = memory;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = (int)syscall(SYS_clock_gettime64, clock, now);

	/* Other libraries may ask before our turn comes. */
	if (r == 0 && jump &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += (time_t)*jump;
	return r;
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
