#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/db/fault_vfs.h"
#include "tests/db/history_model.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

/* The clock that flush() and tidy() go by: of what was put last. */
static int flush(void)
{
	return history_writer_flush(writer, put_last);
}

static int tidy(void)
{
	return history_writer_tidy(writer, put_last);
}

/* One policy, and so many days for all. */
static void use(const char *filter, const struct history_policy *policy,
		uint32_t days)
{
	const struct history_limits limits = { .days = days };
	struct history_rules *rules = history_rules_new();

	assert_non_null(rules);
	history_rules_limit(rules, &limits);
	assert_int_equal(history_rules_add(rules, slice_str(filter), policy),
			 0);
	history_writer_set_rules(writer, rules);
	history_rules_unref(rules);
}

static void test_the_policy_thins_out(void **state)
{
	const struct history_policy policy = {
		.keep = true,
		.min_interval_ms = 1000,
		.on_change = true,
	};

	use("#", &policy, 30);
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
	const struct history_policy policy = { .keep = true, .averages = true };
	struct db_history_topic *topics;
	struct db_history_samples *got;
	size_t count;

	(void)state;
	use("#", &policy, 3);
	put(T0, "only on the first day", "1");
	for (int day = 0; day < 10; day++) {
		put(T0 + day * DAY, "t", "1");
		assert_int_equal(flush(), 0);
	}
	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(topics[0].topic, "t");
	assert_int_equal(topics[0].samples, 4);
	assert_int_equal(topics[0].first, T0 + 6 * DAY);
	free(topics);
	got = ask("t", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 4);
	free(got);

	/* A topic whose number is gone gets a new one. */
	put(T0 + 9 * DAY, "only on the first day", "2");
	assert_int_equal(flush(), 0);
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
	assert_int_equal(flush(), 0);
	put(5000, "t", "2");
	assert_int_equal(flush(), 0);
	put(T0 * 3, "t", "3");
	assert_int_equal(flush(), 0);
	put(T0 + 1, "t", "4");
	assert_int_equal(flush(), 0);
	got = ask("t", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 4);
	free(got);
}

/* Not even when it is the oldest, because the clock is wrong now. */
static void test_the_day_being_written_stays(void **state)
{
	const struct history_policy policy = { .keep = true };
	struct db_history_samples *got;

	(void)state;
	use("#", &policy, 1);
	put(T0, "t", "1");
	put(T0 + DAY, "t", "2");
	assert_int_equal(flush(), 0);
	put(5000, "t", "3");
	assert_int_equal(flush(), 0);
	got = ask("t", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 2);
	assert_int_equal(got->samples[0].time, 5000);
	assert_int_equal(got->samples[1].time, T0 + DAY);
	free(got);
}

static void test_the_file_is_kept_small(void **state)
{
	const struct history_writer_options options = { .bytes = 400000 };
	struct db_history_topic *topics;
	char payload[512];
	size_t count;

	(void)state;
	history_model_reopen(&options);
	memset(payload, 'x', sizeof(payload));
	payload[sizeof(payload) - 1] = '\0';
	for (int day = 0; day < 10; day++) {
		for (int i = 0; i < 200; i++)
			put(T0 + day * DAY + i, "t", payload);
		assert_int_equal(flush(), 0);
	}
	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	assert_int_equal(count, 1);
	assert_true(topics[0].samples >= 400 && topics[0].samples <= 800);
	assert_int_equal(topics[0].last, T0 + 9 * DAY + 199);
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
		" WHERE name GLOB 'i_2*'";
	struct db_history_samples *got;
	int r;

	(void)state;
	for (int day = 0; day < 3; day++)
		put(T0 + day * DAY, "t", "1");
	assert_int_equal(flush(), 0);
	while ((r = tidy()) > 0)
		;
	assert_int_equal(r, 0);
	assert_string_equal(scratch_ask("history.db", indexes),
			    "i_20261121,i_20261122");
	put(T0, "t", "late");
	assert_int_equal(flush(), 0);
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
		r = flush();
		if (fault_vfs_disarm()) {
			assert_true(r < 0);
			assert_int_equal(history_writer_rows(writer), 2);
			assert_int_equal(flush(), 0);
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
		history_model_renew();
	}
	assert_true(n > 3 && n < 60);
	(void)state;
}

static void test_what_waits_is_bounded(void **state)
{
	struct history_counts counts;
	char payload[8192];

	(void)state;
	memset(payload, 'x', sizeof(payload));
	payload[sizeof(payload) - 1] = '\0';
	for (int i = 0; i < HISTORY_ROWS_MAX + 10; i++)
		put(T0 + i, "t", "1");
	assert_int_equal(history_writer_rows(writer), HISTORY_ROWS_MAX);
	assert_true(history_writer_full(writer));
	history_writer_counts(writer, &counts);
	assert_int_equal(counts.lost, 10);
	for (int i = 0; i < 1000; i++)
		put(T0 + i, "t", payload);
	assert_true(history_writer_rows(writer) < 600);
	assert_int_equal(flush(), 0);
	assert_false(history_writer_full(writer));
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
		r = flush();
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

#define TEST(name)                                                 \
	cmocka_unit_test_setup_teardown(name, history_model_setup, \
					history_model_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_policy_thins_out),
		TEST(test_old_days_are_dropped),
		TEST(test_a_wrong_clock_drops_nothing),
		TEST(test_the_day_being_written_stays),
		TEST(test_the_file_is_kept_small),
		TEST(test_days_that_are_over_get_an_index),
		TEST(test_a_failed_commit_is_tried_again),
		TEST(test_what_waits_is_bounded),
		TEST(test_flush_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
