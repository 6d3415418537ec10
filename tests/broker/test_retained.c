#include "broker/routing/retained.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/hash.h"
#include "broker/limits.h"
#include "broker/origin.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	hash_seed();
	*state = retained_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	retained_free(*state);
	return 0;
}

static struct message *make(const char *topic, size_t payload, uint64_t expires)
{
	static uint8_t bytes[1 << 20];
	struct origin *origin = origin_new("", "c", "test");
	const struct message_parts parts = {
		.topic = slice_str(topic),
		.payload = slice_of(bytes, payload),
		.expires = expires,
		.origin = origin,
	};
	struct message *m = message_new(&parts);

	origin_unref(origin);
	assert_non_null(m);
	return m;
}

static int set(struct retained *retained, const char *topic, size_t payload,
	       uint64_t expires)
{
	struct message *m = make(topic, payload, expires);
	int r = retained_set(retained, m);

	message_unref(m);
	return r;
}

static int count_one(struct message *message, void *arg)
{
	(void)message;
	++*(int *)arg;
	return 0;
}

static int matches(const struct retained *retained, const char *filter,
		   uint64_t now)
{
	int count = 0;

	assert_int_equal(retained_match(retained, slice_str(filter), now,
					count_one, &count),
			 0);
	return count;
}

static void test_the_last_one_of_a_topic_is_kept(void **state)
{
	struct message *m;

	assert_int_equal(set(*state, "a", 10, MESSAGE_NO_EXPIRY), 0);
	assert_int_equal(set(*state, "a", 20, MESSAGE_NO_EXPIRY), 0);
	assert_int_equal(set(*state, "b", 5, MESSAGE_NO_EXPIRY), 0);
	assert_int_equal(retained_count(*state), 2);
	assert_int_equal(retained_bytes(*state), 27);
	m = retained_get(*state, slice_str("a"), 1);
	assert_int_equal(m->payload_len, 20);
	assert_int_equal(atomic_load(&m->refs), 1);
	assert_true(retained_holds(*state, slice_str("a")));
	assert_int_equal(retained_remove(*state, slice_str("a")), 0);
	assert_int_equal(retained_remove(*state, slice_str("a")), -ENOENT);
	assert_false(retained_holds(*state, slice_str("a")));
	assert_null(retained_get(*state, slice_str("a"), 1));
	assert_int_equal(retained_bytes(*state), 6);
}

static void test_filters_find_them(void **state)
{
	static const char *const topics[] = { "a",   "a/b",    "a/c", "a/b/c",
					      "x/b", "$SYS/a", "/" };

	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		assert_int_equal(set(*state, topics[i], 1, MESSAGE_NO_EXPIRY),
				 0);
	assert_int_equal(matches(*state, "a/b", 0), 1);
	assert_int_equal(matches(*state, "nobody", 0), 0);
	assert_int_equal(matches(*state, "#", 0), 6);
	assert_int_equal(matches(*state, "a/#", 0), 4);
	assert_int_equal(matches(*state, "a/+", 0), 2);
	assert_int_equal(matches(*state, "+/b", 0), 2);
	assert_int_equal(matches(*state, "+/+", 0), 4);
	assert_int_equal(matches(*state, "$SYS/#", 0), 1);
}

static int stop(struct message *message, void *arg)
{
	(void)message;
	++*(int *)arg;
	return -ECANCELED;
}

static void test_a_negative_answer_ends_the_walk(void **state)
{
	int count = 0;

	set(*state, "a", 1, MESSAGE_NO_EXPIRY);
	set(*state, "b", 1, MESSAGE_NO_EXPIRY);
	assert_int_equal(
		retained_match(*state, slice_str("#"), 0, stop, &count),
		-ECANCELED);
	assert_int_equal(count, 1);
}

static void test_expired_ones_are_not_given_out_and_swept(void **state)
{
	struct message *m;

	set(*state, "a", 1, 1000);
	set(*state, "b", 1, 2000);
	set(*state, "c", 1, MESSAGE_NO_EXPIRY);
	assert_int_equal(matches(*state, "#", 999), 3);
	assert_int_equal(matches(*state, "#", 1000), 2);
	assert_null(retained_get(*state, slice_str("a"), 1000));
	assert_true(retained_holds(*state, slice_str("a")));
	assert_null(retained_sweep(*state, 999));
	m = retained_sweep(*state, 1000);
	assert_true(slice_equal(message_topic(m), slice_str("a")));
	message_unref(m);
	assert_null(retained_sweep(*state, 1000));
	assert_int_equal(retained_count(*state), 2);
	/* Replaced by one that never expires: nothing is left to sweep. */
	set(*state, "b", 1, MESSAGE_NO_EXPIRY);
	assert_null(retained_sweep(*state, UINT64_MAX - 1));
	assert_int_equal(retained_count(*state), 2);
}

static void test_bytes_have_a_limit(void **state)
{
	const size_t each = (1 << 20) - 16;
	size_t n = 0;
	char topic[16];
	int r;

	do {
		snprintf(topic, sizeof(topic), "t/%06zu", n++);
		r = set(*state, topic, each, MESSAGE_NO_EXPIRY);
	} while (r == 0 && n < 100);
	assert_int_equal(r, -EDQUOT);
	assert_true(retained_bytes(*state) <= LIMIT_RETAINED_BYTES);
	assert_true(retained_bytes(*state) + each + 8 > LIMIT_RETAINED_BYTES);
	assert_int_equal(retained_count(*state), n - 1);
	/* One that is there may be replaced by one as large, not by more. */
	assert_int_equal(set(*state, "t/000000", each, MESSAGE_NO_EXPIRY), 0);
	assert_int_equal(set(*state, "t/000001", 4, MESSAGE_NO_EXPIRY), 0);
	assert_int_equal(set(*state, topic, each, MESSAGE_NO_EXPIRY), 0);
}

static void test_their_number_has_a_limit(void **state)
{
	char topic[16];

	for (unsigned int i = 0; i < LIMIT_RETAINED; i++) {
		snprintf(topic, sizeof(topic), "%u", i);
		assert_int_equal(set(*state, topic, 0, MESSAGE_NO_EXPIRY), 0);
	}
	assert_int_equal(set(*state, "one more", 0, MESSAGE_NO_EXPIRY),
			 -EDQUOT);
	assert_int_equal(set(*state, "7", 1, MESSAGE_NO_EXPIRY), 0);
}

static void test_without_memory_the_old_one_stays(void **state)
{
	struct message *m = make("a", 3, MESSAGE_NO_EXPIRY);
	struct retained *other;

	failing_malloc_arm(0);
	assert_int_equal(retained_set(*state, m), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(retained_count(*state), 0);
	assert_int_equal(retained_bytes(*state), 0);
	assert_int_equal(retained_set(*state, m), 0);
	/* To replace one takes no memory. */
	failing_malloc_arm(0);
	assert_int_equal(retained_set(*state, m), 0);
	failing_malloc_disarm();
	assert_int_equal(atomic_load(&m->refs), 2);
	message_unref(m);
	for (unsigned int n = 0; n < 2; n++) {
		failing_malloc_arm(n);
		other = retained_new();
		assert_true(failing_malloc_disarm());
		assert_null(other);
	}
	retained_free(NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_last_one_of_a_topic_is_kept),
		T(test_filters_find_them),
		T(test_a_negative_answer_ends_the_walk),
		T(test_expired_ones_are_not_given_out_and_swept),
		T(test_bytes_have_a_limit),
		T(test_their_number_has_a_limit),
		T(test_without_memory_the_old_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
