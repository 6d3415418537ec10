#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/session/load_ids.h"
#include "tests/failing_malloc.h"

static void put(struct load_ids *ids, uint64_t id)
{
	assert_int_equal(load_ids_put(ids, id, (void *)(uintptr_t)id), 0);
}

static void check(struct load_ids *ids, uint64_t id)
{
	assert_ptr_equal(load_ids_get(ids, id), (void *)(uintptr_t)id);
}

static void test_all_are_found_in_any_order(void **state)
{
	struct load_ids ids = { 0 };

	(void)state;
	assert_null(load_ids_get(&ids, 1));
	for (uint64_t id = 3; id < 3000; id += 3)
		put(&ids, id);
	for (uint64_t id = 3; id < 3000; id += 3) {
		check(&ids, id);
		check(&ids, id);
		assert_null(load_ids_get(&ids, id - 1));
	}
	for (uint64_t id = 2997; id > 0; id -= 3)
		check(&ids, id);
	for (uint64_t i = 0; i < 999; i++)
		check(&ids, (i * 500 % 999 + 1) * 3);
	assert_null(load_ids_get(&ids, 3000));
	assert_null(load_ids_get(&ids, 0));
	assert_null(load_ids_get(&ids, UINT64_MAX));
	load_ids_clear(&ids);
	assert_null(load_ids_get(&ids, 3));
}

/* As a damaged file would have them. */
static void test_what_comes_out_of_order_is_found(void **state)
{
	static const uint64_t some[] = { 50, 7, 90, 8, 1, 70, 51 };
	struct load_ids ids = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		put(&ids, some[i]);
		for (size_t j = 0; j <= i; j++)
			check(&ids, some[j]);
	}
	assert_null(load_ids_get(&ids, 52));
	load_ids_clear(&ids);
}

static void test_without_memory_the_others_stay(void **state)
{
	struct load_ids ids = { 0 };
	uint64_t id = 1;

	(void)state;
	failing_malloc_arm(0);
	assert_int_equal(load_ids_put(&ids, id, &ids), -ENOMEM);
	assert_true(failing_malloc_disarm());
	while (ids.count == 0 || ids.count < ids.cap)
		put(&ids, id++);
	failing_malloc_arm(0);
	assert_int_equal(load_ids_put(&ids, id, &ids), -ENOMEM);
	assert_true(failing_malloc_disarm());
	while (--id > 0)
		check(&ids, id);
	load_ids_clear(&ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_found_in_any_order),
		cmocka_unit_test(test_what_comes_out_of_order_is_found),
		cmocka_unit_test(test_without_memory_the_others_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
