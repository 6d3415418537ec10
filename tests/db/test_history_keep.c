/* What the history makes of its rows later: averages, retention, the budget. */
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

#include "db/history_average.h"
#include "db/history_budget.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/history_model.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

#define HOUR HISTORY_HOUR_MS
#define MB ((uint64_t)1 << 20)

struct rule {
	const char *filter;
	struct history_policy policy;
};

static void use(const struct rule *all, size_t count,
		const struct history_limits *limits)
{
	struct history_rules *rules = history_rules_new();

	assert_non_null(rules);
	history_rules_limit(rules, limits);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(history_rules_add(rules,
						   slice_str(all[i].filter),
						   &all[i].policy),
				 0);
	history_writer_set_rules(writer, rules);
	history_rules_unref(rules);
}

static void flush(int64_t now)
{
	assert_int_equal(history_writer_flush(writer, now), 0);
}

static void tidy(int64_t now)
{
	int r;

	while ((r = history_writer_tidy(writer, now)) > 0)
		;
	assert_int_equal(r, 0);
}

static uint64_t samples_of(const char *topic)
{
	struct db_history_topic *topics;
	uint64_t samples = 0;
	size_t count;

	assert_int_equal(db_history_topics(reader, &topics, &count), 0);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(topics[i].topic, topic) == 0)
			samples = topics[i].samples;
	}
	free(topics);
	return samples;
}

static size_t count_of(const char *topic)
{
	struct db_history_samples *got = ask(topic, 0, INT64_MAX, 0, 10000);
	size_t count = got->count;

	free(got);
	return count;
}

/* ---- averages ------------------------------------------------------------ */

#define ALL_FIVE                                                           \
	"SELECT group_concat(((id >> 24) - 1795219200) || ' ' || n || ' '" \
	" || avg || ' ' || coalesce(min, '-') || ' ' ||"                   \
	" coalesce(max, '-'), ', ') FROM five_20261121"

#define ALL_HOURS                                                          \
	"SELECT group_concat(((id >> 24) - 1795219200) || ' ' || n || ' '" \
	" || avg || ' ' || coalesce(min, '-') || ' ' ||"                   \
	" coalesce(max, '-'), ', ') FROM hour_202611"

static void test_an_hour_that_is_over_is_averaged(void **state)
{
	(void)state;
	put(T0, "t", "1");
	put(T0 + 299999, "t", "2");
	put(T0 + 300000, "t", "7.5");
	put(T0 + 300001, "t", "no number");
	put(T0 + HOUR, "t", "4");
	put(T0, "text", "open");
	flush(T0 + HOUR);
	tidy(T0 + HOUR);
	assert_string_equal(scratch_ask("history.db", ALL_FIVE),
			    "0 2 1.5 1.0 2.0, 300 1 7.5 - -");
	assert_string_equal(scratch_ask("history.db", ALL_HOURS),
			    "0 3 3.5 1.0 7.5");
	/* Not yet over. */
	assert_string_equal(scratch_ask("history.db",
					"SELECT group_concat(hour - 498672)"
					" FROM hours"),
			    "1");
	put(T0 + 2 * HOUR, "t", "9");
	flush(T0 + 2 * HOUR);
	tidy(T0 + 2 * HOUR);
	assert_string_equal(scratch_ask("history.db", ALL_HOURS),
			    "0 3 3.5 1.0 7.5, 3600 1 4.0 - -");
}

/* What still waits in memory belongs to its hour, too. */
static void test_an_hour_is_not_averaged_while_rows_of_it_wait(void **state)
{
	(void)state;
	put(T0, "t", "1");
	flush(T0);
	put(T0 + 1, "t", "2");
	tidy(T0 + HOUR);
	assert_string_equal(
		scratch_ask("history.db", "SELECT count(*) FROM hours"), "1");
	flush(T0 + HOUR);
	tidy(T0 + HOUR);
	assert_string_equal(scratch_ask("history.db", ALL_HOURS),
			    "0 2 1.5 1.0 2.0");
}

static void test_rows_that_come_late_count(void **state)
{
	(void)state;
	put(T0, "t", "1");
	flush(T0 + HOUR);
	tidy(T0 + HOUR);
	put(T0 + 5, "t", "3");
	flush(T0 + 2 * HOUR);
	tidy(T0 + 2 * HOUR);
	assert_string_equal(scratch_ask("history.db", ALL_FIVE),
			    "0 2 2.0 1.0 3.0");
	assert_string_equal(scratch_ask("history.db", ALL_HOURS),
			    "0 2 2.0 1.0 3.0");
}

static void test_a_policy_may_want_no_averages(void **state)
{
	const struct rule rules[] = {
		{ "#", { .keep = true, .averages = true } },
		{ "private", { .keep = true } },
	};
	const struct history_limits limits = { .days = 30 };

	(void)state;
	use(rules, 2, &limits);
	put(T0, "private", "1");
	put(T0, "t", "2");
	flush(T0 + HOUR);
	tidy(T0 + HOUR);
	assert_string_equal(scratch_ask("history.db", ALL_FIVE), "0 1 2.0 - -");
}

/* The day that an older hearthd had begun. */
static void test_a_file_without_averages_gets_some(void **state)
{
	const struct history_writer_options options = { .bytes = UINT64_MAX };

	(void)state;
	put(T0, "t", "1");
	put(T0 + HOUR, "t", "2");
	flush(T0 + HOUR);
	scratch_sql("history.db", "DELETE FROM hours");
	history_model_reopen(&options);
	put(T0 + 5 * HOUR, "t", "3");
	flush(T0 + 5 * HOUR);
	tidy(T0 + 5 * HOUR);
	assert_string_equal(scratch_ask("history.db", ALL_HOURS),
			    "0 1 1.0 - -, 3600 1 2.0 - -");
}

static void test_a_failed_average_is_tried_again(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 0; n < 80; n++) {
		int r;

		put(T0, "t", "1");
		put(T0 + 1, "t", "2");
		flush(T0 + HOUR);
		fault_vfs_arm("history.db", SQLITE_IOERR_WRITE, n, false);
		while ((r = history_writer_tidy(writer, T0 + HOUR)) > 0)
			;
		if (!fault_vfs_disarm()) {
			assert_int_equal(r, 0);
			break;
		}
		put(T0 + 1 + (int64_t)n, "u", "x");
		flush(T0 + HOUR);
		tidy(T0 + HOUR);
		assert_string_equal(scratch_ask("history.db", ALL_FIVE),
				    "0 2 1.5 1.0 2.0");
		history_model_renew();
	}
	assert_true(n > 1 && n < 80);
}

/* ---- retention ----------------------------------------------------------- */

static void test_each_topic_is_kept_as_long_as_it_should(void **state)
{
	const struct rule rules[] = {
		{ "#", { .keep = true } },
		{ "short", { .keep = true, .days = 1 } },
		{ "long", { .keep = true, .days = 6 } },
	};
	const struct history_limits limits = { .days = 3 };

	(void)state;
	use(rules, 3, &limits);
	for (int day = 0; day < 10; day++) {
		put(T0 + day * DAY, "usual", "1");
		put(T0 + day * DAY, "short", "1");
		put(T0 + day * DAY, "long", "1");
		flush(T0 + day * DAY);
		tidy(T0 + day * DAY);
	}
	assert_int_equal(samples_of("usual"), 4);
	assert_int_equal(count_of("usual"), 4);
	assert_int_equal(samples_of("short"), 2);
	assert_int_equal(count_of("short"), 2);
	assert_int_equal(samples_of("long"), 7);
	assert_int_equal(count_of("long"), 7);
	/* Days of which less than half is wanted hold nothing else. */
	assert_string_equal(
		scratch_ask("history.db",
			    "SELECT group_concat(name) FROM"
			    " (SELECT name FROM sqlite_schema WHERE name GLOB "
			    "'h_2*' ORDER BY name)"),
		"h_20261124,h_20261125,h_20261126,h_20261127,h_20261128,"
		"h_20261129,h_20261130");
	assert_string_equal(
		scratch_ask("history.db", "SELECT count(*) FROM h_20261124"),
		"1");
}

static void test_no_more_is_kept_than_wanted(void **state)
{
	const struct rule rules[] = {
		{ "#", { .keep = true } },
		{ "few", { .keep = true, .rows = 25 } },
	};
	const struct history_limits limits = { .days = 30 };
	struct db_history_samples *got;

	(void)state;
	use(rules, 2, &limits);
	for (int day = 0; day < 4; day++) {
		for (int i = 0; i < 10; i++) {
			put(T0 + day * DAY + i, "few", "1");
			put(T0 + day * DAY + i, "all", "1");
		}
		flush(T0 + day * DAY);
		tidy(T0 + day * DAY);
	}
	assert_int_equal(samples_of("few"), 25);
	assert_int_equal(samples_of("all"), 40);
	got = ask("few", 0, INT64_MAX, 0, 100);
	assert_int_equal(got->count, 25);
	assert_int_equal(got->samples[0].time, T0 + DAY + 5);
	free(got);
	/* Also within the day that is being written. */
	for (int i = 0; i < 40; i++)
		put(T0 + 4 * DAY + i, "few", "1");
	flush(T0 + 4 * DAY);
	assert_int_equal(samples_of("few"), 25);
	assert_int_equal(count_of("few"), 25);
}

static void test_averages_stay_when_their_rows_are_gone(void **state)
{
	const struct rule rules[] = { { "#",
					{ .keep = true, .averages = true } } };
	const struct history_limits limits = { .days = 2 };

	(void)state;
	use(rules, 1, &limits);
	put(T0, "once", "5");
	for (int day = 0; day < 10; day++) {
		put(T0 + day * DAY, "t", "1");
		flush(T0 + day * DAY + HOUR);
		tidy(T0 + day * DAY + HOUR);
	}
	assert_int_equal(samples_of("t"), 3);
	assert_string_equal(
		scratch_ask("history.db", "SELECT count(*) FROM hour_202611"),
		"11");
	assert_string_equal(
		scratch_ask("history.db",
			    "SELECT topic FROM topics WHERE topic = 'once'"),
		"once");
}

static void test_old_averages_are_dropped(void **state)
{
	(void)state;
	for (int i = 0; i < 96; i++) {
		char sql[128];

		(void)snprintf(sql, sizeof(sql),
			       "CREATE TABLE five_%08d (x); CREATE TABLE"
			       " hour_%06d (x)",
			       20200101 + i, 202001 + i);
		scratch_sql("history.db", sql);
	}
	put(T0, "t", "1");
	flush(T0);
	assert_string_equal(
		scratch_ask("history.db",
			    "SELECT count(*) || ' ' || min(name) FROM"
			    " sqlite_schema WHERE name GLOB 'five_*'"),
		"93 five_20200104");
	assert_string_equal(scratch_ask("history.db",
					"SELECT count(*) FROM sqlite_schema"
					" WHERE name GLOB 'hour_*'"),
			    "62");
}

/* ---- the budget ---------------------------------------------------------- */

static void test_the_budget_is_spread_over_the_day(void **state)
{
	struct history_budget b = { .limit = 8 * MB };

	(void)state;
	history_budget_day(&b, 20261121, 0, 0);
	assert_int_equal(history_budget_wait(&b, T0, 9 * MB), 0);
	/* Five eighths are for rows, an eighth of these at once. */
	b.rows = 1;
	assert_int_equal(history_budget_wait(&b, T0, 5 * MB / 8 - 2), 0);
	b.rows = 5 * MB / 8 + 5 * MB / 8 * 7 / 2 - 1000;
	assert_in_range(history_budget_wait(&b, T0, 1000), DAY / 2 - 1,
			DAY / 2 + 1);
	assert_int_equal(history_budget_wait(&b, T0 + DAY / 2 + 1, 1000), 0);
	/* All: until tomorrow. */
	b.rows = 5 * MB;
	assert_int_equal(history_budget_wait(&b, T0 + DAY - 1, 0), 1);
	history_budget_day(&b, 20261122, 0, 0);
	assert_int_equal(history_budget_wait(&b, T0 + DAY, 0), 0);
	assert_int_equal(history_budget_wait(&b, -1, 0), 0);

	assert_true(history_budget_rest(&b, 3 * MB));
	assert_false(history_budget_rest(&b, 3 * MB + 1));
	b.rest = MB;
	assert_false(history_budget_rest(&b, 2 * MB + 1));
	b.limit = 0;
	b.rows = b.rest = UINT64_MAX;
	assert_true(history_budget_rest(&b, 1));
	assert_int_equal(history_budget_wait(&b, T0, MB), 0);
}

static void test_more_is_left_out_the_more_waits(void **state)
{
	struct history_budget b = { .limit = MB };

	(void)state;
	assert_int_equal(history_budget_interval(&b, HISTORY_ROWS - 1), 0);
	assert_int_equal(history_budget_interval(&b, HISTORY_ROWS), 1000);
	assert_int_equal(history_budget_interval(&b, HISTORY_ROWS + 500), 2000);
	assert_int_equal(history_budget_interval(&b, 1000000), 2048000);
	history_budget_wrote(&b, (size_t)2 * HISTORY_ROWS);
	assert_int_equal(history_budget_interval(&b, 0), 1000);
	history_budget_wrote(&b, HISTORY_ROWS);
	assert_int_equal(history_budget_interval(&b, 0), 1000);
	history_budget_wrote(&b, 0);
	assert_int_equal(history_budget_interval(&b, 0), 0);
}

static void test_what_was_written_survives_a_restart(void **state)
{
	const struct history_writer_options options = { .bytes = UINT64_MAX };
	struct history_counts before;
	struct history_counts after;

	(void)state;
	for (int i = 0; i < 3; i++) {
		put(T0 + i, "t", "1");
		flush(T0 + i);
	}
	history_writer_counts(writer, &before);
	assert_true(before.written > 3 * 4096);
	history_model_reopen(&options);
	assert_int_equal(history_writer_wait(writer, T0 + 5), 0);
	history_writer_counts(writer, &after);
	/* All but the last commit, which could not know of itself. */
	assert_true(after.written >= before.written / 2);
	assert_true(after.written < before.written);
	assert_int_equal(history_writer_wait(writer, T0 + DAY), 0);
	history_writer_counts(writer, &after);
	assert_int_equal(after.written, 0);
}

/*
 * A month in which ten sensors say more than the budget allows and one
 * switch is pressed now and then. Each day stays within it, all of the month is
 * kept as far as it may be, and what is kept is spread over the day.
 */
struct month {
	uint64_t written; /* of the worst day */
	uint64_t thinned;
	unsigned int commits;
};

static void say(int64_t now, unsigned int *seed)
{
	char topic[16];
	char text[16];

	for (int sensor = 0; sensor < 10; sensor++) {
		*seed = *seed * 1103515245 + 12345;
		(void)snprintf(topic, sizeof(topic), "s/%d", sensor);
		(void)snprintf(text, sizeof(text), "%u.%u", *seed >> 16 & 31,
			       *seed >> 24 & 7);
		put(now, topic, text);
	}
	if (now % (3 * HOUR) == 0)
		put(now, "switch", now / HOUR % 2 ? "ON" : "OFF");
}

static void live(struct month *month, int days, int64_t interval)
{
	struct history_counts counts;
	unsigned int seed = 1;

	for (int64_t now = T0; now < T0 + days * DAY; now += interval) {
		say(now, &seed);
		if (history_writer_wait(writer, now))
			continue;
		flush(now);
		month->commits++;
		tidy(now);
		history_writer_counts(writer, &counts);
		if (counts.written > month->written)
			month->written = counts.written;
	}
	history_writer_counts(writer, &counts);
	month->thinned = counts.thinned;
	assert_int_equal(counts.lost, 0);
}

static void test_a_month_keeps_to_retention_and_budget(void **state)
{
	const struct rule rules[] = {
		{ "s/#", { .keep = true, .averages = true, .days = 6 } },
		{ "s/7", { .keep = true, .rows = 100 } },
		{ "switch", { .keep = true } },
	};
	const struct history_limits limits = { .days = 20, .budget = 2 * MB };
	struct month month = { 0 };
	struct db_history_samples *got;
	int64_t before = T0 + 28 * DAY;

	(void)state;
	use(rules, 3, &limits);
	live(&month, 31, 300000);

	/* But for a day's last commit of rows, and what is dropped with it. */
	if (month.written > limits.budget + limits.budget / 16)
		fail_msg("%llu bytes", (unsigned long long)month.written);
	assert_true(month.written > limits.budget / 3);
	assert_true(month.commits > (unsigned int)31 * 24);
	/* Retention, by days and by number. */
	assert_in_range(samples_of("s/1"), 7 * 24, 7 * 288);
	/* That of the number looks once an hour. */
	assert_in_range(samples_of("s/7"), 100, 112);
	assert_int_equal(count_of("s/7"), samples_of("s/7"));
	got = ask("s/1", 0, T0 + 24 * DAY - 1, 0, 1);
	assert_int_equal(got->count, 0);
	free(got);
	/* What is said rarely is all there, however chatty the others are. */
	assert_int_equal(count_of("switch"), 21 * 8);
	/* No hole of an hour in a day that is all there. */
	got = ask("s/1", T0 + 28 * DAY, T0 + 29 * DAY - 1, 0, 10000);
	for (size_t i = 0; i < got->count; i++) {
		assert_true(got->samples[i].time - before <= HOUR);
		before = got->samples[i].time;
	}
	assert_true(got->count >= 24);
	free(got);
	/* The last day's may wait for the next. */
	assert_in_range(strtol(scratch_ask("history.db",
					   "SELECT count(*) FROM sqlite_schema"
					   " WHERE name GLOB 'five_*'"),
			       NULL, 10),
			30, 31);
}

/* With the budget off, every row of a day is there. */
static void test_without_a_budget_all_is_kept(void **state)
{
	const struct rule rules[] = { { "#", { .keep = true } } };
	const struct history_limits limits = { .days = 20 };
	struct month month = { 0 };

	(void)state;
	use(rules, 1, &limits);
	live(&month, 2, 300000);
	assert_int_equal(month.thinned, 0);
	assert_int_equal(count_of("s/3"), 2 * 288);
}

#define TEST(name)                                                 \
	cmocka_unit_test_setup_teardown(name, history_model_setup, \
					history_model_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_hour_that_is_over_is_averaged),
		TEST(test_an_hour_is_not_averaged_while_rows_of_it_wait),
		TEST(test_rows_that_come_late_count),
		TEST(test_a_policy_may_want_no_averages),
		TEST(test_a_file_without_averages_gets_some),
		TEST(test_a_failed_average_is_tried_again),
		TEST(test_each_topic_is_kept_as_long_as_it_should),
		TEST(test_no_more_is_kept_than_wanted),
		TEST(test_averages_stay_when_their_rows_are_gone),
		TEST(test_old_averages_are_dropped),
		TEST(test_the_budget_is_spread_over_the_day),
		TEST(test_more_is_left_out_the_more_waits),
		TEST(test_what_was_written_survives_a_restart),
		TEST(test_a_month_keeps_to_retention_and_budget),
		TEST(test_without_a_budget_all_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
