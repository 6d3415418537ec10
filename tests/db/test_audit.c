#include "db/audit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/config.h"
#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"
#include "tests/failing_malloc.h"

static void add(unsigned int n)
{
	struct db_audit entry = {
		.time = 1000 + n,
		.user = "anna",
		.address = "192.0.2.1:7",
	};

	(void)snprintf(entry.what, sizeof(entry.what), "change %u", n);
	assert_int_equal(db_audit_add(config, &entry), 0);
}

static void test_the_newest_come_first_and_in_pages(void **state)
{
	struct db_audit *list;
	int64_t before;
	size_t count;

	(void)state;
	for (unsigned int n = 1; n <= 5; n++)
		add(n);
	assert_int_equal(db_audit_list(config, 0, 2, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].what, "change 5");
	assert_string_equal(list[0].user, "anna");
	assert_string_equal(list[0].address, "192.0.2.1:7");
	assert_int_equal(list[0].time, 1005);
	assert_string_equal(list[1].what, "change 4");
	before = list[1].id;
	free(list);
	assert_int_equal(db_audit_list(config, before, 9, &list, &count), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[0].what, "change 3");
	assert_string_equal(list[2].what, "change 1");
	free(list);
}

static void test_the_oldest_are_forgotten(void **state)
{
	struct db_audit *list;
	size_t count;

	(void)state;
	assert_int_equal(db_config_begin(config), 0);
	for (unsigned int n = 1; n <= DB_AUDIT_MAX + 2; n++)
		add(n);
	assert_int_equal(db_config_end(config, true), 0);
	assert_int_equal(
		db_audit_list(config, 0, DB_AUDIT_MAX + 9, &list, &count), 0);
	assert_int_equal(count, DB_AUDIT_MAX);
	assert_string_equal(list[count - 1].what, "change 3");
	free(list);
}

static void test_without_memory_there_is_no_list(void **state)
{
	struct db_audit *list;
	size_t count;

	(void)state;
	add(1);
	failing_malloc_arm(0);
	assert_int_equal(db_audit_list(config, 0, 2, &list, &count), -ENOMEM);
	assert_true(failing_malloc_disarm());
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_newest_come_first_and_in_pages),
		TEST(test_the_oldest_are_forgotten),
		TEST(test_without_memory_there_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
