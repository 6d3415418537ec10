/* What the system holds of a log is forgotten before the log is read. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/magic.h>

#include "db/db.h"
#include "db/reread.h"
#include "tests/db/scratch.h"

#define PAGES 16

static char asked[4][64]; /* names of files, in order */
static unsigned int count;

int __real_posix_fadvise64(int fd, off_t at, off_t len, int advice);
int __wrap_posix_fadvise64(int fd, off_t at, off_t len, int advice);

int __wrap_posix_fadvise64(int fd, off_t at, off_t len, int advice)
{
	char link[64], path[256];
	ssize_t n;

	assert_int_equal(at, 0);
	assert_int_equal(len, 0);
	assert_int_equal(advice, POSIX_FADV_DONTNEED);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	assert_true(count < 4);
	(void)snprintf(asked[count++], sizeof(asked[0]), "%s",
		       strrchr(path, '/') + 1);
	return __real_posix_fadvise64(fd, at, len, advice);
}

static int setup(void **state)
{
	*state = NULL;
	count = 0;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

/* Pages of the file that need not be read from the disk. */
static unsigned int held(const char *path)
{
	const size_t size = PAGES * (size_t)getpagesize();
	unsigned char there[PAGES];
	unsigned int n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mincore(map, size, there), 0);
	munmap(map, size);
	close(fd);
	for (size_t i = 0; i < PAGES; i++)
		n += there[i] & 1;
	return n;
}

static void test_synced_pages_are_forgotten(void **state)
{
	const size_t size = PAGES * (size_t)getpagesize();
	uint8_t *bytes = calloc(1, size);
	struct statfs fs;
	int dir, fd;

	(void)state;
	assert_non_null(bytes);
	db_close(scratch_open());
	dir = open(scratch_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dir, "x.db-wal", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(fstatfs(fd, &fs), 0);
	close(fd);
	free(bytes);
	assert_int_equal(held(scratch_path("x.db-wal")), PAGES);
	reread_log(dir, "x.db");
	if (fs.f_type != TMPFS_MAGIC)
		assert_int_equal(held(scratch_path("x.db-wal")), 0);
	close(dir);
}

static void test_no_log_is_nothing_to_forget(void **state)
{
	(void)state;
	db_close(scratch_open());
	count = 0;
	reread_log(AT_FDCWD, "no-such-file");
	assert_int_equal(count, 0);
}

/* Each file's, before SQLite has opened it. */
static void test_every_start_forgets_what_was_left(void **state)
{
	static const char *const names[] = { "config.db-wal", "state.db-wal",
					     "history.db-wal" };

	(void)state;
	db_close(scratch_open());
	for (size_t i = 0; i < 3; i++)
		close(open(scratch_path(names[i]),
			   O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	count = 0;
	db_close(scratch_open());
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(asked[i], names[i]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_synced_pages_are_forgotten),
		T(test_no_log_is_nothing_to_forget),
		T(test_every_start_forgets_what_was_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
