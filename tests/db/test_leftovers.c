#include "db/leftovers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"

/* Every run of block n, "5-7 9-9 "; one static buffer. */
static const char *runs(const struct leftovers *l, size_t n)
{
	static char text[256];
	uint64_t first = 0;
	uint64_t last;
	size_t len = 0;

	text[0] = '\0';
	while (leftovers_run(l, n, &first, &last)) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%llu-%llu ", (unsigned long long)first,
					(unsigned long long)last);
		first = last + 1;
	}
	return text;
}

static void test_neighbours_are_one_run(void **state)
{
	static const uint64_t ids[] = { 7, 5, 9, 6, 5, 4095, 1 };
	struct leftovers l = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		assert_int_equal(leftovers_add(&l, ids[i], 0), 0);
	assert_int_equal(l.count, 1);
	assert_string_equal(runs(&l, 0), "1-1 5-7 9-9 4095-4095 ");
	leftovers_clear(&l);
	assert_int_equal(l.count, 0);
}

static void test_a_row_that_is_wanted_again_is_left_alone(void **state)
{
	struct leftovers l = { 0 };

	(void)state;
	for (uint64_t id = 62; id < 67; id++)
		assert_int_equal(leftovers_add(&l, id, 0), 0);
	leftovers_forget(&l, 64);
	leftovers_forget(&l, 100);
	leftovers_forget(&l, UINT64_MAX);
	assert_string_equal(runs(&l, 0), "62-63 65-66 ");
	leftovers_clear(&l);
}

/* Whatever the order they come in. */
static void test_blocks_lie_in_the_order_of_their_ids(void **state)
{
	struct leftovers l = { 0 };
	uint64_t since;

	(void)state;
	assert_int_equal(leftovers_add(&l, UINT64_MAX, 3), 0);
	assert_int_equal(leftovers_add(&l, 2 * LEFTOVERS_BLOCK, 1), 0);
	assert_int_equal(leftovers_add(&l, 0, 2), 0);
	assert_int_equal(leftovers_add(&l, LEFTOVERS_BLOCK - 1, 9), 0);
	assert_int_equal(l.count, 3);
	assert_string_equal(runs(&l, 0), "0-0 4095-4095 ");
	assert_string_equal(runs(&l, 1), "8192-8192 ");
	assert_int_equal(leftovers_oldest(&l, &since), 1);
	assert_int_equal(since, 1);
	leftovers_drop(&l, 1);
	assert_int_equal(leftovers_oldest(&l, &since), 0);
	assert_int_equal(since, 2);
	leftovers_drop(&l, 0);
	assert_int_equal(leftovers_oldest(&l, &since), 0);
	assert_int_equal(since, 3);
	leftovers_drop(&l, 0);
	assert_int_equal(leftovers_oldest(&l, &since), l.count);
}

static void test_a_block_too_many_is_refused(void **state)
{
	struct leftovers l = { 0 };

	(void)state;
	for (uint64_t n = 0; n < LEFTOVERS_BLOCKS; n++)
		assert_int_equal(leftovers_add(&l, n * LEFTOVERS_BLOCK, n), 0);
	assert_int_equal(leftovers_add(&l, UINT64_MAX, 0), -ENOBUFS);
	assert_int_equal(leftovers_add(&l, 5, 0), 0);
	assert_string_equal(runs(&l, 0), "0-0 5-5 ");
	leftovers_drop(&l, 0);
	assert_int_equal(leftovers_add(&l, UINT64_MAX, 0), 0);
	leftovers_clear(&l);
}

static void test_add_survives_allocation_failure(void **state)
{
	struct leftovers l = { 0 };

	(void)state;
	assert_int_equal(leftovers_add(&l, 1, 0), 0);
	failing_malloc_arm(0);
	assert_int_equal(leftovers_add(&l, LEFTOVERS_BLOCK, 0), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(l.count, 1);
	assert_string_equal(runs(&l, 0), "1-1 ");
	leftovers_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbours_are_one_run),
		cmocka_unit_test(test_a_row_that_is_wanted_again_is_left_alone),
		cmocka_unit_test(test_blocks_lie_in_the_order_of_their_ids),
		cmocka_unit_test(test_a_block_too_many_is_refused),
		cmocka_unit_test(test_add_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
