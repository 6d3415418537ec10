#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gpio/file.h"
#include "gpio/state.h"
#include "tests/failing_malloc.h"

struct scratch {
	char directory[32];
	char file[64];
	char temporary[64];
};

static struct pins pins;
static struct pin_errors errors;

static int setup(void **state)
{
	static struct scratch scratch;

	(void)snprintf(scratch.directory, sizeof(scratch.directory),
		       "/tmp/test_state.XXXXXX");
	if (!mkdtemp(scratch.directory))
		return -1;
	(void)snprintf(scratch.file, sizeof(scratch.file), "%s/%s",
		       scratch.directory, STATE_FILE);
	(void)snprintf(scratch.temporary, sizeof(scratch.temporary),
		       "%s/%s.new", scratch.directory, STATE_FILE);
	errors.count = 0;
	*state = &scratch;
	return pins_parse(slice_str("{\"revision\":3,\"pins\":[{\"name\":\"a\","
				    "\"dir\":\"out\",\"line\":17,"
				    "\"safe\":\"on\"}]}"),
			  &pins, &errors);
}

static int teardown(void **state)
{
	struct scratch *scratch = *state;

	(void)unlink(scratch->file);
	(void)rmdir(scratch->temporary);
	(void)unlink(scratch->temporary);
	return rmdir(scratch->directory);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void test_what_was_saved_is_loaded(void **state)
{
	struct scratch *scratch = *state;
	static struct pins back;

	assert_int_equal(state_load(scratch->directory, &back, &errors),
			 -ENOENT);
	assert_int_equal(state_save(scratch->directory, &pins), 0);
	assert_int_equal(state_load(scratch->directory, &back, &errors), 0);
	assert_int_equal(back.count, 1);
	assert_int_equal(back.revision, -1);
	assert_true(pin_same(&back.pin[0], &pins.pin[0]));
	assert_int_equal(access(scratch->temporary, F_OK), -1);
}

static void test_a_damaged_file_is_reported(void **state)
{
	struct scratch *scratch = *state;
	static struct pins back;

	write_file(scratch->file, "{\"pins\":[{\"name\":");
	assert_int_equal(state_load(scratch->directory, &back, &errors),
			 -EINVAL);
	assert_int_equal(errors.count, 1);
	/* The next good one repairs it. */
	assert_int_equal(state_save(scratch->directory, &pins), 0);
	assert_int_equal(state_load(scratch->directory, &back, &errors), 0);
}

static void test_an_endless_file_is_not_read(void **state)
{
	struct scratch *scratch = *state;
	static struct pins back;

	write_file(scratch->file, "");
	assert_int_equal(truncate(scratch->file, FILE_SIZE_MAX + 1), 0);
	assert_int_equal(state_load(scratch->directory, &back, &errors),
			 -EFBIG);
}

/* The card: the file is replaced only if it would be another one. */
static void test_the_same_again_is_not_written(void **state)
{
	struct scratch *scratch = *state;
	struct stat before;
	struct stat after;

	assert_int_equal(state_save(scratch->directory, &pins), 0);
	assert_int_equal(stat(scratch->file, &before), 0);
	assert_int_equal(state_save(scratch->directory, &pins), 0);
	assert_int_equal(stat(scratch->file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);

	pins.revision++;
	assert_int_equal(state_save(scratch->directory, &pins), 0);
	assert_int_equal(stat(scratch->file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);

	pins.pin[0].rules.safe = LOGIC_SAFE_OFF;
	assert_int_equal(state_save(scratch->directory, &pins), 0);
	assert_int_equal(stat(scratch->file, &after), 0);
	assert_true(before.st_ino != after.st_ino);
}

static void test_a_failed_save_leaves_the_old(void **state)
{
	struct scratch *scratch = *state;
	static struct pins back;

	assert_int_equal(state_save(scratch->directory, &pins), 0);
	pins.pin[0].rules.safe = LOGIC_SAFE_OFF;
	/* Where the new one is to be written, something is in the way. */
	assert_int_equal(mkdir(scratch->temporary, 0700), 0);
	assert_int_equal(state_save(scratch->directory, &pins), -EISDIR);
	assert_int_equal(state_load(scratch->directory, &back, &errors), 0);
	assert_int_equal(back.pin[0].rules.safe, LOGIC_SAFE_ON);
	assert_int_equal(state_save("/tmp/no/such/directory", &pins), -ENOENT);
}

static void test_save_and_load_survive_allocation_failure(void **state)
{
	struct scratch *scratch = *state;
	static struct pins back;
	int r;

	for (unsigned int n = 0;; n++) {
		failing_malloc_arm(n);
		r = state_save(scratch->directory, &pins);
		if (!failing_malloc_disarm())
			break;
		/* Not knowing the old file only costs a write. */
		assert_true(r == -ENOMEM || r == 0);
		assert_true(n < 1000);
	}
	assert_int_equal(r, 0);
	failing_malloc_arm(0);
	assert_int_equal(state_load(scratch->directory, &back, &errors),
			 -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(state_load(scratch->directory, &back, &errors), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_saved_is_loaded),
		TEST(test_a_damaged_file_is_reported),
		TEST(test_an_endless_file_is_not_read),
		TEST(test_the_same_again_is_not_written),
		TEST(test_a_failed_save_leaves_the_old),
		TEST(test_save_and_load_survive_allocation_failure),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
