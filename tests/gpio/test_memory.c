#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gpio/file.h"
#include "gpio/memory.h"
#include "tests/failing_malloc.h"

static char directory[32];
static struct memory written, back;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/test_memory.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, MEMORY_FILE);
	(void)unlink(path);
	return rmdir(directory);
}

/* All outputs there can be, with all the starts there can be. */
static void fill(void)
{
	written.count = PINS_MAX;
	for (unsigned int i = 0; i < PINS_MAX; i++) {
		struct logic_memory *m = &written.entry[i].memory;

		(void)snprintf(written.entry[i].chip,
			       sizeof(written.entry[i].chip), "%s",
			       i % 2 ? "a-chip-with-a-label-of-31-bytes" : "");
		written.entry[i].line = i;
		m->on = i % 2;
		m->told = i % 3;
		m->starting = i % 4;
		m->since = UINT64_C(1000000000000) + i;
		m->off_at = i % 5 ? m->since + 1 : 0;
		m->lease_at = i % 7 ? m->since + 2 : 0;
		m->started = LOGIC_CYCLES_MAX + i;
		for (unsigned int k = 0; k < LOGIC_CYCLES_MAX; k++)
			m->starts[k] = m->since + k;
	}
}

static int save(void)
{
	char *text = memory_text(&written);
	int r = text ? file_replace(directory, MEMORY_FILE, slice_str(text),
				    false)
		     : -ENOMEM;

	free(text);
	return r;
}

static void test_the_most_there_can_be_comes_back(void **state)
{
	(void)state;
	fill();
	assert_int_equal(save(), 0);
	assert_int_equal(memory_load(directory, &back), 0);
	assert_true(back.same_boot);
	assert_int_equal(back.count, PINS_MAX);
	for (unsigned int i = 0; i < PINS_MAX; i++) {
		const struct memory_entry *a = &written.entry[i];
		const struct memory_entry *found =
			memory_of(&back, a->chip, a->line);
		const struct logic_memory *b = &found->memory;

		assert_non_null(found);
		assert_false(found->live);
		assert_int_equal(b->on, a->memory.on);
		assert_int_equal(b->told, a->memory.told);
		assert_int_equal(b->starting, a->memory.starting);
		assert_int_equal(b->since, a->memory.since);
		assert_int_equal(b->off_at, a->memory.off_at);
		assert_int_equal(b->lease_at, a->memory.lease_at);
		assert_int_equal(b->started, LOGIC_CYCLES_MAX);
		/* The newest is the newest again. */
		assert_int_equal(b->starts[LOGIC_CYCLES_MAX - 1],
				 a->memory.starts[(a->memory.started - 1) %
						  LOGIC_CYCLES_MAX]);
	}
	assert_null(memory_of(&back, "another", 0));
	assert_null(memory_of(&back, "", 1));
}

static void test_what_is_let_go_is_kept(void **state)
{
	struct logic_memory what = { .on = true, .since = 7 };

	(void)state;
	back.count = 0;
	memory_keep(&back, "", 3, &what);
	what.since = 8;
	memory_keep(&back, "", 3, &what);
	assert_int_equal(back.count, 1);
	assert_true(back.entry[0].live);
	assert_int_equal(memory_of(&back, "", 3)->memory.since, 8);
	for (unsigned int i = 0; i < PINS_MAX; i++)
		memory_keep(&back, "chip", i, &what);
	assert_int_equal(back.count, PINS_MAX);
	assert_null(memory_of(&back, "", 3)); /* the oldest went */
	assert_non_null(memory_of(&back, "chip", PINS_MAX - 1));
}

static void test_nothing_there_is_nothing_remembered(void **state)
{
	(void)state;
	back.count = 7;
	assert_int_equal(memory_load(directory, &back), -ENOENT);
	assert_int_equal(back.count, 0);
	assert_false(back.same_boot);
	assert_int_equal(memory_load("/nowhere", &back), -ENOENT);
}

static void test_every_allocation_may_fail(void **state)
{
	unsigned int n = 0;
	bool failed;

	(void)state;
	fill();
	written.count = 2;
	do {
		int r;

		failing_malloc_arm(n++);
		r = save();
		failed = failing_malloc_disarm();
		/* Without the boot's identifier it is kept all the same,
		 * and later taken for that of another start. */
		assert_true(r == 0 || (failed && r == -ENOMEM));
		assert_true(n < 2000);
	} while (failed);
	n = 0;
	do {
		failing_malloc_arm(n++);
		(void)memory_load(directory, &back);
		failed = failing_malloc_disarm();
		assert_true(back.count == 0 || back.count == 2);
		assert_true(n < 2000);
	} while (failed);
	assert_int_equal(back.count, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_most_there_can_be_comes_back),
		T(test_what_is_let_go_is_kept),
		T(test_nothing_there_is_nothing_remembered),
		T(test_every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
