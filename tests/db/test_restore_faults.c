/* Taking backups back: a failure or a cut of the power at any place leaves the old
 * or the new. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/backup/restore.h"
#include "db/db.h"
#include "tests/db/failing_calls.h"
#include "tests/db/restore_house.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	failing_calls_disarm();
	scratch_remove();
	return 0;
}

static void test_each_call_of_the_check_may_fail(void **state)
{
	struct restore_info info;
	struct reason reason;
	int fd = house_prepare(NULL);
	const struct restore_source source = { fd, NULL };
	int dir = house_fd();
	unsigned int n;

	(void)state;
	for (n = 0; n < 500; n++) {
		int r;

		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		reason.text[0] = '\0';
		failing_calls_arm(n, EIO, false);
		r = restore_stage(scratch_path(""), dir, &source, &info,
				  &reason);
		if (!r)
			r = restore_commit(dir);
		if (!failing_calls_disarm()) {
			assert_int_equal(r, 0);
			break;
		}
		/* Tidying up afterwards may fail for nobody. */
		if (r)
			assert_int_equal(r, -EIO);
	}
	assert_true(n > 20 && n < 500);
	close(dir);
	close(fd);
}

static void test_each_allocation_may_fail(void **state)
{
	struct restore_info info;
	struct reason reason;
	int fd = house_prepare(NULL);
	unsigned int n;

	(void)state;
	for (n = 0; n < 100; n++) {
		int r;

		failing_malloc_arm(n);
		r = house_stage(fd, NULL, &info, &reason);
		if (!failing_malloc_disarm()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	assert_true(n >= 2 && n < 100);
	close(fd);
}

/* Every call from the nth on fails, as after a cut; then the machine starts. */
static void test_a_cut_at_any_place_is_gone_on_from(void **state)
{
	unsigned int n;
	bool cut = true;

	(void)state;
	for (n = 0; cut && n < 200; n++) {
		char aside[RESTORE_ASIDE_SIZE];
		struct restore_info info;
		struct reason reason;
		char path[128];
		int fd;
		int dir;

		scratch_remove();
		scratch_make();
		fd = house_prepare(NULL);
		assert_int_equal(house_stage(fd, NULL, &info, &reason), 0);
		close(fd);
		dir = house_fd();
		failing_calls_arm(n, EIO, true);
		(void)restore_apply(dir, aside);
		cut = failing_calls_disarm();
		close(dir);
		db_close(scratch_open());
		assert_string_equal(scratch_ask("state.db", ASK_VALUE), "new");
		assert_string_equal(
			scratch_ask("config.db", "SELECT value FROM settings"),
			"new");
		assert_int_equal(house_aside(aside), 1);
		(void)snprintf(path, sizeof(path), "%s/state.db", aside);
		assert_string_equal(scratch_ask(path, ASK_VALUE), "old");
		(void)snprintf(path, sizeof(path), "%s/config.db", aside);
		assert_string_equal(
			scratch_ask(path, "SELECT value FROM settings"), "old");
		assert_int_equal(access(scratch_path("restore-ready"), F_OK),
				 -1);
	}
	assert_true(n > 10 && n < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_each_call_of_the_check_may_fail),
		TEST(test_each_allocation_may_fail),
		TEST(test_a_cut_at_any_place_is_gone_on_from),
	};

	seal_set_cost(4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
