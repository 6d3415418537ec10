#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/message.h"
#include "broker/origin.h"
#include "db/db.h"
#include "db/history.h"
#include "db/history_write.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

#define DAY 86400000
/* 2026-11-21 00:00 UTC */
#define T0 INT64_C(1795219200000)

static struct db *db;
static struct history_writer *writer;
static struct db_history *reader;

static const struct history_policy keep_all = { .days = 30,
						.bytes = UINT64_MAX };

static int open_all(const struct history_policy *policy)
{
	struct db_options options = { .dir = scratch_path(""),
				      .vfs = fault_vfs_name() };

	return db_open(&options, &db) ||
	       history_writer_open(db, policy, &writer) ||
	       db_history_open(db, &reader);
}

static void close_all(void)
{
	db_history_close(reader);
	history_writer_close(writer);
	db_close(db);
}

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return open_all(&keep_all);
}

static int teardown(void **state)
{
	(void)state;
	fault_vfs_disarm();
	close_all();
	scratch_remove();
	return 0;
}

static void put_bytes(int64_t time, const char *topic, struct slice payload,
		      const char *user)
{
	struct origin *origin = origin_new(user, "c1", "a");
	struct message_parts parts = {
		.topic = slice_str(topic),
		.payload = payload,
		.time = time,
		.origin = origin,
		.expires = MESSAGE_NO_EXPIRY,
	};
	struct message *message = message_new(&parts);

	history_writer_put(writer, message);
	message_unref(message);
	origin_unref(origin);
}

static void put(int64_t time, const char *topic, const char *payload)
{
	put_bytes(time, topic, slice_str(payload), "anna");
}

static struct db_history_samples *ask(const char *topic, int64_t from,
				      int64_t to, uint64_t after, size_t limit)
{
	struct db_history_query query = {
		.topic = slice_str(topic),
		.from = from,
		.to = to,
		.after = after,
		.limit = limit,
	};
	struct db_history_samples *out = NULL;

	assert_int_equal(db_history_samples(reader, &query, &out), 0);
	return out;
}

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
	assert_int_equal(history_writer_flush(writer), 0);
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
	assert_int_equal(history_writer_flush(writer), 0);
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
	assert_int_equal(history_writer_flush(writer), 0);
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
	assert_int_equal(history_writer_flush(writer), 0);
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
	memcpy(big + DB_HISTORY_PAYLOAD_MAX - 1, "\xc3\xbc", 2);
	put_bytes(T0, "t", slice_of(big, sizeof(big)), "anna");
	put_bytes(T0 + 1, "t", slice_of("\x00\xff", 2), "anna");
	put_bytes(T0 + 2, "t", slice_of(NULL, 0), "anna");
	assert_int_equal(history_writer_flush(writer), 0);
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
	put(T0 + 5, "a/set", "1");
	put(T0 + 5, "a/result", "1");
	assert_int_equal(history_writer_flush(writer), 0);
	put(T0 + 7, "a", "1");
	assert_int_equal(history_writer_flush(writer), 0);
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

static void test_the_policy_thins_out(void **state)
{
	const struct history_policy policy = {
		.days = 30,
		.bytes = UINT64_MAX,
		.min_interval_ms = 1000,
		.on_change = true,
	};

	close_all();
	assert_int_equal(open_all(&policy), 0);
	put(T0, "t", "1"); /* the first */
	put(T0 + 500, "t", "2"); /* too soon */
	put(T0 + 1000, "t", "1"); /* the same */
	put(T0 + 1001, "t", "2");
	put(T0 + 1002, "u", "2"); /* another topic */
	put(T0 - DAY, "t", "3"); /* the clock was put back */
	assert_int_equal(history_writer_rows(writer), 4);
	(void)state;
}

static void test_old_days_are_dropped(void **state)
{
	const struct history_policy policy = { .days = 3, .bytes = UINT64_MAX };
	struct db_history_topic *topics;
	struct db_history_samples *got;
	size_t count;

	(void)state;
	close_all();
	assert_int_equal(open_all(&policy), 0);
	put(T0, "only on the first day", "1");
	for (int day = 0; day < 10; day++) {
		put(T0 + day * (int64_t)DAY, "t", "1");
		assert_int_equal(history_writer_flush(writer), 0);
	}
	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(topics[0].topic, "t");
	assert_int_equal(topics[0].samples, 4);
	assert_int_equal(topics[0].first, T0 + 6 * (int64_t)DAY);
	free(topics);
	got = ask("t", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 4);
	free(got);

	/* A topic whose number is gone gets a new one. */
	put(T0 + 9 * (int64_t)DAY, "only on the first day", "2");
	assert_int_equal(history_writer_flush(writer), 0);
	got = ask("only on the first day", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 1);
	free(got);
	assert_string_equal(
		scratch_ask("history.db", "SELECT count(*) FROM origins"), "4");
}

/* A clock that starts in 1970, or once was far ahead, drops no good day but by
 * the count. */
static void test_a_wrong_clock_drops_nothing(void **state)
{
	struct db_history_samples *got;

	(void)state;
	put(T0, "t", "1");
	assert_int_equal(history_writer_flush(writer), 0);
	put(5000, "t", "2");
	assert_int_equal(history_writer_flush(writer), 0);
	put(T0 * 3, "t", "3");
	assert_int_equal(history_writer_flush(writer), 0);
	put(T0 + 1, "t", "4");
	assert_int_equal(history_writer_flush(writer), 0);
	got = ask("t", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 4);
	free(got);
}

/* Not even when it is the oldest, because the clock is wrong now. */
static void test_the_day_being_written_stays(void **state)
{
	const struct history_policy policy = { .days = 1,
					       .bytes = UINT64_MAX };
	struct db_history_samples *got;

	(void)state;
	close_all();
	assert_int_equal(open_all(&policy), 0);
	put(T0, "t", "1");
	put(T0 + DAY, "t", "2");
	assert_int_equal(history_writer_flush(writer), 0);
	put(5000, "t", "3");
	assert_int_equal(history_writer_flush(writer), 0);
	got = ask("t", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 2);
	assert_int_equal(got->samples[0].time, 5000);
	assert_int_equal(got->samples[1].time, T0 + DAY);
	free(got);
}

static void test_the_file_is_kept_small(void **state)
{
	const struct history_policy policy = { .days = 30, .bytes = 400000 };
	struct db_history_topic *topics;
	char payload[512];
	size_t count;

	(void)state;
	close_all();
	assert_int_equal(open_all(&policy), 0);
	memset(payload, 'x', sizeof(payload));
	payload[sizeof(payload) - 1] = '\0';
	for (int day = 0; day < 10; day++) {
		for (int i = 0; i < 200; i++)
			put(T0 + day * (int64_t)DAY + i, "t", payload);
		assert_int_equal(history_writer_flush(writer), 0);
	}
	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	assert_int_equal(count, 1);
	assert_true(topics[0].samples >= 400 && topics[0].samples <= 800);
	assert_int_equal(topics[0].last, T0 + 9 * (int64_t)DAY + 199);
	free(topics);
	assert_true(strtol(scratch_ask("history.db", "PRAGMA page_count"), NULL,
			   10) *
			    4096 <
		    700000);
}

static void test_days_that_are_over_get_an_index(void **state)
{
	static const char indexes[] =
		"SELECT coalesce(group_concat(name), '') FROM sqlite_schema"
		" WHERE name GLOB 'i_*'";
	struct db_history_samples *got;

	(void)state;
	for (int day = 0; day < 3; day++)
		put(T0 + day * (int64_t)DAY, "t", "1");
	assert_int_equal(history_writer_flush(writer), 0);
	assert_int_equal(history_writer_tidy(writer), 1);
	assert_int_equal(history_writer_tidy(writer), 1);
	assert_int_equal(history_writer_tidy(writer), 0);
	assert_string_equal(scratch_ask("history.db", indexes),
			    "i_20261121,i_20261122");
	put(T0, "t", "late");
	assert_int_equal(history_writer_flush(writer), 0);
	got = ask("t", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 4);
	free(got);
}

/* What was learnt in a transaction that did not happen is not believed. */
static void test_a_failed_commit_is_tried_again(void **state)
{
	struct db_history_samples *got;
	unsigned int n;

	for (n = 0; n < 60; n++) {
		int r;

		put(T0, "t", "1");
		put(T0 + DAY, "u", "2");
		fault_vfs_arm("history.db", SQLITE_FULL, n, false);
		r = history_writer_flush(writer);
		if (fault_vfs_disarm()) {
			assert_true(r < 0);
			assert_int_equal(history_writer_rows(writer), 2);
			assert_int_equal(history_writer_flush(writer), 0);
		}
		got = ask("t", 0, INT64_MAX, 0, 100);
		assert_int_equal(got->count, 1);
		assert_string_equal(got->samples[0].user, "anna");
		free(got);
		got = ask("u", 0, INT64_MAX, 0, 100);
		assert_int_equal(got->count, 1);
		free(got);
		if (r == 0)
			break;
		close_all();
		scratch_remove();
		scratch_make();
		assert_int_equal(open_all(&keep_all), 0);
	}
	assert_true(n > 3 && n < 60);
	(void)state;
}

static void test_what_waits_is_bounded(void **state)
{
	char payload[8192];

	(void)state;
	memset(payload, 'x', sizeof(payload));
	payload[sizeof(payload) - 1] = '\0';
	for (int i = 0; i < HISTORY_ROWS_MAX + 10; i++)
		put(T0 + i, "t", "1");
	assert_int_equal(history_writer_rows(writer), HISTORY_ROWS_MAX);
	assert_true(history_writer_full(writer));
	assert_int_equal(history_writer_lost(writer), 10);
	assert_int_equal(history_writer_lost(writer), 0);
	for (int i = 0; i < 1000; i++)
		put(T0 + i, "t", payload);
	assert_true(history_writer_rows(writer) < 600);
	assert_int_equal(history_writer_flush(writer), 0);
	assert_false(history_writer_full(writer));
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
	assert_int_equal(history_writer_flush(writer), 0);
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

static void test_flush_survives_allocation_failure(void **state)
{
	struct db_history_samples *got;
	unsigned int n = 0;
	int r;

	(void)state;
	put(T0, "t", "1");
	do {
		failing_malloc_arm(n++);
		r = history_writer_flush(writer);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(history_writer_rows(writer), 1);
	} while (n < 20);
	assert_int_equal(r, 0);
	got = ask("t", 0, INT64_MAX, 0, 10);
	assert_int_equal(got->count, 1);
	free(got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(test_the_policy_thins_out),
		TEST(test_old_days_are_dropped),
		TEST(test_a_wrong_clock_drops_nothing),
		TEST(test_the_day_being_written_stays),
		TEST(test_the_file_is_kept_small),
		TEST(test_days_that_are_over_get_an_index),
		TEST(test_a_failed_commit_is_tried_again),
		TEST(test_what_waits_is_bounded),
		TEST(test_answers_survive_allocation_failure),
		TEST(test_flush_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
