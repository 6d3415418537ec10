#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/history_table.h"
#include "tests/db/history_model.h"
#include "tests/failing_malloc.h"

static void test_values(void **state)
{
	static const struct {
		const char *text;
		bool has;
		double value;
	} cases[] = {
		{ "21.5", true, 21.5 }, { "-3", true, -3 },
		{ "+4", true, 4 },	{ "1e3", true, 1000 },
		{ ".5", true, 0.5 },	{ "0", true, 0 },
		{ "ON", true, 1 },	{ "off", true, 0 },
		{ "true", true, 1 },	{ "FALSE", true, 0 },
		{ "", false, 0 },	{ " 1", false, 0 },
		{ "1 ", false, 0 },	{ "1,5", false, 0 },
		{ "0x10", false, 0 },	{ "inf", false, 0 },
		{ "nan", false, 0 },	{ "1e999", false, 0 },
		{ "-", false, 0 },	{ "e", false, 0 },
		{ "21.5 C", false, 0 }, { "{\"a\":1}", false, 0 },
		{ "open", false, 0 },
	};
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool has = db_history_value(slice_str(cases[i].text), &value);

		if (has != cases[i].has ||
		    (has && fabs(value - cases[i].value) > 1e-12))
			fail_msg("'%s'", cases[i].text);
	}
	assert_false(db_history_value(slice_of("1\0", 2), &value));
	assert_false(db_history_value(slice_of("ON\0", 3), &value));
}

static void test_days(void **state)
{
	(void)state;
	assert_int_equal(history_day(0), 19700101);
	assert_int_equal(history_day(T0), 20261121);
	assert_int_equal(history_day(T0 - 1), 20261120);
	assert_int_equal(history_day(T0 + DAY - 1), 20261121);
	assert_int_equal(history_day(-1), 19700101);
	assert_int_equal(history_day(INT64_MAX), 19700101);
}

static void test_samples_come_back_in_order(void **state)
{
	struct db_history_samples *got;

	(void)state;
	put(T0 + 2, "t", "2");
	put(T0 + 1, "t", "1");
	put_bytes(T0 + DAY, "t", slice_str("OFF"), "bob");
	put(T0 + 3, "other", "9");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	assert_int_equal(history_writer_rows(writer), 0);

	got = ask("t", 0, INT64_MAX, 0, 10);
	assert_int_equal(got->count, 3);
	assert_false(got->more);
	assert_int_equal(got->samples[0].time, T0 + 1);
	assert_true(got->samples[0].has_value);
	assert_true(fabs(got->samples[0].value - 1) < 1e-12);
	assert_string_equal(got->samples[0].user, "anna");
	assert_string_equal(got->samples[0].client, "c1");
	assert_int_equal(got->samples[1].time, T0 + 2);
	assert_int_equal(got->samples[2].time, T0 + DAY);
	assert_string_equal(got->samples[2].user, "bob");
	assert_true(slice_equal(got->samples[2].payload, slice_str("OFF")));
	free(got);

	got = ask("nothing", 0, INT64_MAX, 0, 10);
	assert_int_equal(got->count, 0);
	free(got);
}

static void test_both_ends_are_included(void **state)
{
	struct db_history_samples *got;

	(void)state;
	for (int i = 0; i < 5; i++)
		put(T0 + i, "t", "1");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	got = ask("t", T0 + 1, T0 + 3, 0, 10);
	assert_int_equal(got->count, 3);
	assert_int_equal(got->samples[0].time, T0 + 1);
	assert_int_equal(got->samples[2].time, T0 + 3);
	free(got);
	got = ask("t", T0 + 3, T0 + 1, 0, 10);
	assert_int_equal(got->count, 0);
	free(got);
	got = ask("t", INT64_MIN, -1, 0, 10);
	assert_int_equal(got->count, 0);
	free(got);
	got = ask("t", INT64_MAX, INT64_MAX, 0, 10);
	assert_int_equal(got->count, 0);
	free(got);
}

/* Over pages, days and rows of one millisecond: each once, none left out. */
static void test_the_cursor_goes_through_all(void **state)
{
	uint64_t after = 0;
	size_t total = 0;
	int pages = 0;
	bool more = true;

	(void)state;
	for (int i = 0; i < 20; i++)
		put(T0 + i / 5 * DAY, "t", "1");
	for (int i = 0; i < 20; i++)
		put(T0 + i / 5 * DAY, "noise", "1");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	while (more) {
		struct db_history_samples *got =
			ask("t", T0, T0 + 9 * DAY, after, 7);

		for (size_t i = 0; i < got->count; i++) {
			assert_true(got->samples[i].cursor > after);
			after = got->samples[i].cursor;
		}
		total += got->count;
		more = got->more;
		free(got);
		pages++;
	}
	assert_int_equal(total, 20);
	assert_int_equal(pages, 3);
}

static void test_more_is_told_exactly(void **state)
{
	struct db_history_samples *got;

	(void)state;
	for (int i = 0; i < 4; i++)
		put(T0 + i, "t", "1");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	got = ask("t", T0, T0 + DAY, 0, 4);
	assert_int_equal(got->count, 4);
	assert_false(got->more);
	free(got);
	got = ask("t", T0, T0 + DAY, 0, 3);
	assert_int_equal(got->count, 3);
	assert_true(got->more);
	free(got);
}

static void test_limits_are_checked(void **state)
{
	struct db_history_query query = { .topic = slice_str("t") };
	struct db_history_samples *out;

	(void)state;
	assert_int_equal(db_history_samples(reader, &query, &out), -EINVAL);
	query.limit = DB_HISTORY_LIMIT_MAX + 1;
	assert_int_equal(db_history_samples(reader, &query, &out), -EINVAL);
}

static void test_large_and_binary_payloads(void **state)
{
	struct db_history_samples *got;
	char big[3000];

	(void)state;
	memset(big, 'x', sizeof(big));
	/* A character of two bytes lies across the cut. */
	big[DB_HISTORY_PAYLOAD_MAX - 1] = '\xc3';
	big[DB_HISTORY_PAYLOAD_MAX] = '\xbc';
	put_bytes(T0, "t", slice_of(big, sizeof(big)), "anna");
	put_bytes(T0 + 1, "t", slice_of("\x00\xff", 2), "anna");
	put_bytes(T0 + 2, "t", slice_of(NULL, 0), "anna");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	got = ask("t", T0, T0 + DAY, 0, 10);
	assert_int_equal(got->count, 3);
	assert_int_equal(got->samples[0].payload.len,
			 DB_HISTORY_PAYLOAD_MAX - 1);
	assert_false(got->samples[0].binary);
	assert_int_equal(got->samples[1].payload.len, 2);
	assert_true(got->samples[1].binary);
	assert_int_equal(got->samples[2].payload.len, 0);
	assert_false(got->samples[2].binary);
	free(got);
}

static void test_topics_tell_what_there_is(void **state)
{
	struct db_history_topic *topics;
	size_t count;

	(void)state;
	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	assert_int_equal(count, 0);
	free(topics);
	put(T0 + DAY, "b", "1");
	put(T0, "b", "1");
	put(T0 + 5, "a", "1");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	put(T0 + 7, "a", "1");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(topics[0].topic, "a");
	assert_int_equal(topics[0].samples, 2);
	assert_int_equal(topics[0].first, T0 + 5);
	assert_int_equal(topics[0].last, T0 + 7);
	assert_string_equal(topics[1].topic, "b");
	assert_int_equal(topics[1].samples, 2);
	assert_int_equal(topics[1].first, T0);
	assert_int_equal(topics[1].last, T0 + DAY);
	free(topics);
}

static void test_answers_survive_allocation_failure(void **state)
{
	struct db_history_query query = { .topic = slice_str("t"),
					  .to = INT64_MAX,
					  .limit = 10 };
	struct db_history_samples *out = NULL;
	struct db_history_topic *topics = NULL;
	unsigned int n = 0;
	size_t count;
	int r;

	(void)state;
	put(T0, "t", "1");
	assert_int_equal(history_writer_flush(writer, put_last), 0);
	do {
		failing_malloc_arm(n++);
		r = db_history_samples(reader, &query, &out);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 20);
	assert_int_equal(r, 0);
	assert_int_equal(n, 4);
	free(out);
	failing_malloc_arm(0);
	assert_int_equal(db_history_topics(reader, &topics, &count), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	free(topics);
}

#define TEST(name)                                                 \
	cmocka_unit_test_setup_teardown(name, history_model_setup, \
					history_model_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_days),
		TEST(test_samples_come_back_in_order),
		TEST(test_both_ends_are_included),
		TEST(test_the_cursor_goes_through_all),
		TEST(test_more_is_told_exactly),
		TEST(test_limits_are_checked),
		TEST(test_large_and_binary_payloads),
		TEST(test_topics_tell_what_there_is),
		TEST(test_answers_survive_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
