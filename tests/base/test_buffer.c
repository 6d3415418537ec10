#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/buffer.h"
#include "tests/failing_malloc.h"

static void test_bytes_come_out_as_they_went_in(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 1000);
	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	assert_int_equal(buffer_append(&b, NULL, 0), 0);
	assert_int_equal(buffer_append(&b, "defg", 4), 0);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "abcdefg", 7);

	buffer_consume(&b, 2);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "cdefg", 5);
	buffer_consume(&b, 0);
	assert_int_equal(b.len, 5);
	buffer_consume(&b, 5);
	assert_int_equal(b.len, 0);
	buffer_free(&b);
}

static void test_it_fills_to_its_limit_and_not_a_byte_more(void **state)
{
	struct buffer b;
	uint8_t byte;

	(void)state;
	buffer_init(&b, 1001);
	for (unsigned int i = 0; i < 1001; i++) {
		byte = (uint8_t)i;
		assert_int_equal(buffer_append(&b, &byte, 1), 0);
		assert_true(b.cap <= 1001);
	}
	assert_int_equal(buffer_append(&b, "x", 1), -ENOBUFS);
	assert_int_equal(buffer_reserve(&b, 1), -ENOBUFS);
	assert_int_equal(buffer_reserve(&b, SIZE_MAX), -ENOBUFS);
	assert_int_equal(buffer_reserve(&b, 0), 0);
	assert_int_equal(b.len, 1001);
	for (unsigned int i = 0; i < 1001; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
	buffer_free(&b);

	/* It can be used again, with the same limit. */
	assert_int_equal(buffer_reserve(&b, 1002), -ENOBUFS);
	assert_int_equal(buffer_reserve(&b, 1001), 0);
	buffer_free(&b);
}

static void test_room_reserved_can_be_written(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 4096);
	assert_int_equal(buffer_append(&b, "head", 4), 0);
	assert_int_equal(buffer_reserve(&b, 4092), 0);
	memset(b.data + b.len, 0xaa, 4092); /* AddressSanitizer watches */
	b.len += 4092;
	assert_memory_equal(b.data, "head\xaa", 5);
	buffer_free(&b);
}

static void test_a_limit_of_nothing_holds_nothing(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 0);
	assert_int_equal(buffer_append(&b, "", 0), 0);
	assert_int_equal(buffer_append(&b, "x", 1), -ENOBUFS);
	buffer_consume(&b, 0);
	buffer_free(&b);
}

static void test_a_small_limit_is_not_rounded_up(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 10);
	assert_int_equal(buffer_append(&b, "0123456789", 10), 0);
	assert_int_equal(b.cap, 10);
	assert_int_equal(buffer_append(&b, "x", 1), -ENOBUFS);
	buffer_free(&b);
}

static void test_out_of_memory_changes_nothing(void **state)
{
	char big[500] = { 0 };
	struct buffer b;

	(void)state;
	buffer_init(&b, 100000);
	failing_malloc_arm(0);
	assert_int_equal(buffer_append(&b, "x", 1), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(b.len, 0);
	assert_int_equal(b.cap, 0);

	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	failing_malloc_arm(0);
	assert_int_equal(buffer_append(&b, big, sizeof(big)), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "abc", 3);

	/* And no allocation while there is room. */
	failing_malloc_arm(0);
	assert_int_equal(buffer_append(&b, "d", 1), 0);
	assert_false(failing_malloc_disarm());
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_come_out_as_they_went_in),
		cmocka_unit_test(
			test_it_fills_to_its_limit_and_not_a_byte_more),
		cmocka_unit_test(test_room_reserved_can_be_written),
		cmocka_unit_test(test_a_limit_of_nothing_holds_nothing),
		cmocka_unit_test(test_a_small_limit_is_not_rounded_up),
		cmocka_unit_test(test_out_of_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
