#include "broker/peer/output.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/origin.h"
#include "tests/failing_malloc.h"

struct rig {
	struct output_pool *pool;
	struct output out;
	struct message *message; /* with a payload too long to copy */
};

static uint8_t pattern[200000];

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct origin *origin = origin_new("", "c", "test");
	const struct message_parts parts = {
		.topic = slice_str("t"),
		.payload = slice_of(pattern, 3 * OUTPUT_COPY_MAX),
		.origin = origin,
	};

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + i / 251);
	rig->pool = output_pool_new();
	rig->message = message_new(&parts);
	origin_unref(origin);
	*state = rig;
	return rig->pool && rig->message ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	output_clear(rig->pool, &rig->out);
	output_pool_free(rig->pool);
	assert_int_equal(atomic_load(&rig->message->refs), 1);
	message_unref(rig->message);
	free(rig);
	return 0;
}

/* Everything in it, taken off n bytes at a time, is these bytes. */
static void drain(struct rig *rig, const uint8_t *bytes, size_t len, size_t n)
{
	size_t at = 0;

	assert_int_equal(rig->out.len, len);
	while (rig->out.len > 0) {
		struct iovec iov[OUTPUT_IOVECS];
		size_t take = n < rig->out.len ? n : rig->out.len;
		int count = output_iovecs(&rig->out, iov);
		size_t seen = 0;

		assert_in_range(count, 1, OUTPUT_IOVECS);
		for (int i = 0; i < count; i++) {
			assert_true(iov[i].iov_len > 0);
			assert_memory_equal(iov[i].iov_base, bytes + at + seen,
					    iov[i].iov_len);
			seen += iov[i].iov_len;
		}
		output_consume(rig->pool, &rig->out, take);
		at += take;
	}
	assert_int_equal(at, len);
	assert_null(rig->out.first);
}

static void test_bytes_come_out_as_they_went_in(void **state)
{
	static const size_t sizes[] = { 1,    2,     1023,  1024,  1025,
					4096, 16384, 16385, 100000 };
	static const size_t steps[] = { 1000, 1, 7, 16384, 200000 };
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			if (sizes[i] > 5000 && steps[k] == 1)
				continue;
			assert_int_equal(output_append(rig->pool, &rig->out,
						       pattern, sizes[i]),
					 0);
			drain(rig, pattern, sizes[i], steps[k]);
		}
}

static void test_many_small_appends_are_one_stream(void **state)
{
	struct rig *rig = *state;
	size_t len = 0;

	for (size_t n = 0; len + n < sizeof(pattern) && n < 600; n++) {
		assert_int_equal(
			output_append(rig->pool, &rig->out, pattern + len, n),
			0);
		len += n;
	}
	drain(rig, pattern, len, 997);
}

static void test_appending_while_the_front_is_written(void **state)
{
	struct rig *rig = *state;
	size_t in = 0, out = 0;

	while (in < 150000) {
		struct iovec iov[OUTPUT_IOVECS];

		assert_int_equal(
			output_append(rig->pool, &rig->out, pattern + in, 777),
			0);
		in += 777;
		assert_true(output_iovecs(&rig->out, iov) > 0);
		assert_memory_equal(iov[0].iov_base, pattern + out,
				    iov[0].iov_len);
		output_consume(rig->pool, &rig->out, 700);
		out += 700;
	}
	drain(rig, pattern + out, in - out, 5000);
}

static void test_long_payloads_are_referenced(void **state)
{
	struct rig *rig = *state;
	struct slice payload = message_payload(rig->message);
	struct iovec iov[OUTPUT_IOVECS];

	assert_int_equal(output_append_message(rig->pool, &rig->out,
					       slice_of(pattern, 0),
					       rig->message, payload),
			 0);
	assert_int_equal(atomic_load(&rig->message->refs), 2);
	assert_int_equal(output_iovecs(&rig->out, iov), 1);
	assert_ptr_equal(iov[0].iov_base, payload.data);
	/* What is behind it is not written into it. */
	assert_int_equal(
		output_append(rig->pool, &rig->out, pattern + payload.len, 5),
		0);
	drain(rig, pattern, payload.len + 5, 1000);
	assert_int_equal(atomic_load(&rig->message->refs), 1);

	/* A short one is copied. */
	payload.len = OUTPUT_COPY_MAX - 1;
	assert_int_equal(output_append_message(rig->pool, &rig->out,
					       slice_of(NULL, 0), rig->message,
					       payload),
			 0);
	assert_int_equal(atomic_load(&rig->message->refs), 1);
	drain(rig, pattern, payload.len, 500);
}

static void test_move_empties_the_one_behind(void **state)
{
	struct rig *rig = *state;
	struct output other = { 0 };

	assert_int_equal(output_move(rig->pool, &rig->out, &other, 0), 0);
	assert_null(rig->out.first);
	assert_int_equal(output_append(rig->pool, &rig->out, pattern, 10), 0);
	assert_int_equal(output_append(rig->pool, &other, pattern + 10, 2000),
			 0);
	assert_int_equal(output_move(rig->pool, &rig->out, &other, 2000), 0);
	assert_int_equal(other.len, 0);
	assert_null(other.first);
	assert_int_equal(
		output_append(rig->pool, &rig->out, pattern + 2010, 5000), 0);
	drain(rig, pattern, 7010, 333);
}

/* Whatever is moved at a time, bytes stay in order and long payloads shared. */
static void test_move_takes_a_part(void **state)
{
	static const size_t sizes[] = { 1, 7, 1024, 2048, 5000, 16384, 40000 };
	struct rig *rig = *state;
	struct slice payload = message_payload(rig->message);
	const size_t len = 20000 + payload.len;
	static uint8_t bytes[20000 + 3 * OUTPUT_COPY_MAX];

	memcpy(bytes, pattern, 20000);
	memcpy(bytes + 20000, payload.data, payload.len);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct output other = { 0 };
		uint8_t front[5];

		assert_int_equal(output_append_message(rig->pool, &other,
						       slice_of(bytes, 20000),
						       rig->message, payload),
				 0);
		assert_int_equal(output_peek(&other, front, 5), 5);
		assert_memory_equal(front, bytes, 5);
		while (other.len > 0) {
			size_t n = sizes[i] < other.len ? sizes[i] : other.len;
			size_t before = other.len;

			assert_int_equal(
				output_move(rig->pool, &rig->out, &other, n),
				0);
			assert_int_equal(other.len, before - n);
		}
		assert_null(other.first);
		drain(rig, bytes, len, 3000);
		assert_int_equal(atomic_load(&rig->message->refs), 1);
	}
}

static void test_peek_looks_over_pieces(void **state)
{
	struct rig *rig = *state;
	uint8_t front[4] = { 0 };

	assert_int_equal(output_peek(&rig->out, front, 4), 0);
	assert_int_equal(output_append(rig->pool, &rig->out, pattern, 1), 0);
	assert_int_equal(output_peek(&rig->out, front, 4), 1);
	assert_int_equal(output_append_message(rig->pool, &rig->out,
					       slice_of(NULL, 0), rig->message,
					       message_payload(rig->message)),
			 0);
	assert_int_equal(output_peek(&rig->out, front, 4), 4);
	assert_int_equal(front[0], pattern[0]);
	assert_memory_equal(front + 1, pattern, 3);
}

static void test_more_pieces_than_one_write_takes(void **state)
{
	struct rig *rig = *state;
	struct slice payload = message_payload(rig->message);
	struct iovec iov[OUTPUT_IOVECS];
	size_t n = 3 * OUTPUT_IOVECS;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(output_append_message(rig->pool, &rig->out,
						       slice_of(NULL, 0),
						       rig->message, payload),
				 0);
	assert_int_equal(output_iovecs(&rig->out, iov), OUTPUT_IOVECS);
	output_consume(rig->pool, &rig->out, (n - 1) * payload.len + 1);
	assert_int_equal(atomic_load(&rig->message->refs), 2);
	drain(rig, pattern + 1, payload.len - 1, 100);
}

static void test_without_memory_nothing_is_added(void **state)
{
	struct rig *rig = *state;
	struct slice payload = message_payload(rig->message);
	unsigned int n = 0;
	int r;

	assert_int_equal(output_append(rig->pool, &rig->out, pattern, 3), 0);
	do {
		struct output_pool *fresh = output_pool_new();

		failing_malloc_arm(n++);
		r = output_append(fresh, &rig->out, pattern + 3, 60000);
		assert_int_equal(failing_malloc_disarm(), r == -ENOMEM);
		output_pool_free(fresh);
		if (r < 0)
			assert_int_equal(rig->out.len, 3);
	} while (r < 0);
	assert_true(n > 3);
	drain(rig, pattern, 60003, 1000);

	n = 0;
	do {
		struct output_pool *fresh = output_pool_new();

		failing_malloc_arm(n++);
		r = output_append_message(fresh, &rig->out,
					  slice_of(pattern, 2000), rig->message,
					  payload);
		assert_int_equal(failing_malloc_disarm(), r == -ENOMEM);
		output_pool_free(fresh);
		if (r < 0) {
			assert_int_equal(rig->out.len, 0);
			assert_null(rig->out.first);
			assert_int_equal(atomic_load(&rig->message->refs), 1);
		}
	} while (r < 0);
	assert_int_equal(n, 3);
}

/* The hot path asks the allocator for nothing. */
static void test_chunks_are_used_again(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(output_append(rig->pool, &rig->out, pattern, 50000),
			 0);
	output_clear(rig->pool, &rig->out);
	failing_malloc_arm(0);
	assert_int_equal(output_append(rig->pool, &rig->out, pattern, 50000),
			 0);
	assert_false(failing_malloc_disarm());
	drain(rig, pattern, 50000, 10000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_bytes_come_out_as_they_went_in),
		T(test_many_small_appends_are_one_stream),
		T(test_appending_while_the_front_is_written),
		T(test_long_payloads_are_referenced),
		T(test_move_empties_the_one_behind),
		T(test_move_takes_a_part),
		T(test_peek_looks_over_pieces),
		T(test_more_pieces_than_one_write_takes),
		T(test_without_memory_nothing_is_added),
		T(test_chunks_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
