#include "tests/db/failing_calls.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

static bool armed;
static bool failed;
static bool for_ever;
static unsigned int left;
static int error_now;

void failing_calls_arm(unsigned int n, int error, bool forever)
{
	armed = true;
	failed = false;
	for_ever = forever;
	left = n;
	error_now = error;
}

bool failing_calls_disarm(void)
{
	armed = false;
	return failed;
}

static bool fails(void)
{
	if (!armed)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	failed = true;
	armed = for_ever;
	errno = error_now;
	return true;
}

/* The linker renames the calls. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __real_renameat(int from, const char *name, int to, const char *as);
int __wrap_renameat(int from, const char *name, int to, const char *as);
int __real_renameat2(int from, const char *name, int to, const char *as,
		     unsigned int flags);
int __wrap_renameat2(int from, const char *name, int to, const char *as,
		     unsigned int flags);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __real_fstatvfs64(int fd, struct statvfs *out);
int __wrap_fstatvfs64(int fd, struct statvfs *out);

int __wrap_openat64(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return fails() ? -1 : __real_openat64(dir, name, flags, mode);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	return fails() ? -1 : __real_write(fd, bytes, len);
}

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
	return fails() ? -1 : __real_read(fd, bytes, len);
}

int __wrap_fsync(int fd)
{
	return fails() ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	return fails() ? -1 : __real_fdatasync(fd);
}

int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
	return fails() ? -1 : __real_mkdirat(dir, name, mode);
}

int __wrap_renameat(int from, const char *name, int to, const char *as)
{
	return fails() ? -1 : __real_renameat(from, name, to, as);
}

int __wrap_renameat2(int from, const char *name, int to, const char *as,
		     unsigned int flags)
{
	return fails() ? -1 : __real_renameat2(from, name, to, as, flags);
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	return fails() ? -1 : __real_unlinkat(dir, name, flags);
}

int __wrap_fstatvfs64(int fd, struct statvfs *out)
{
	return fails() ? -1 : __real_fstatvfs64(fd, out);
}
/* NOLINTEND(bugprone-reserved-identifier) */
