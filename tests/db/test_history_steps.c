#include "db/history_steps.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "db/history_average.h"
#include "tests/db/history_model.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

#define HOUR HISTORY_HOUR_MS

static void write_all(int64_t now)
{
	int r;

	assert_int_equal(history_writer_flush(writer, now), 0);
	while ((r = history_writer_tidy(writer, now)) > 0)
		;
	assert_int_equal(r, 0);
}

static struct db_history_steps *steps(const char *topic, int64_t from,
				      int64_t to, uint32_t step, size_t limit)
{
	const struct db_history_steps_query query = {
		.topic = slice_str(topic),
		.from = from,
		.to = to,
		.step = step,
		.limit = limit,
	};
	struct db_history_steps *out = NULL;

	assert_int_equal(db_history_steps(reader, &query, &out), 0);
	return out;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

/* ---- against all rows --------------------------------------------------- */

#define ROWS 700

struct row {
	int64_t time;
	double value;
};

static struct row rows[ROWS];

/* Five days, two of them without a word, and values that repeat. */
static void make_rows(void)
{
	static const int days[] = { 0, 1, 4 };
	unsigned int seed = 7;
	char text[32];

	for (size_t i = 0; i < ROWS; i++) {
		seed = seed * 1103515245 + 12345;
		rows[i].time = T0 + days[i * 3 / ROWS] * DAY +
			       (int64_t)(i * 3 % ROWS) * DAY / ROWS +
			       (seed >> 20);
		rows[i].value = (double)(seed >> 16 & 15) / 2 - 3;
	}
	for (size_t i = 0; i < ROWS; i++) {
		(void)snprintf(text, sizeof(text), "%g", rows[i].value);
		put(rows[i].time, "t", text);
		put(rows[i].time, "other", "100");
		put(rows[i].time, "t", "no number");
	}
}

static void check_one(const struct db_history_step *got, int64_t step)
{
	double min = INFINITY, max = -INFINITY, sum = 0;
	uint64_t count = 0;

	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].time < got->time ||
		    rows[i].time >= got->time + step)
			continue;
		count++;
		sum += rows[i].value;
		min = fmin(min, rows[i].value);
		max = fmax(max, rows[i].value);
	}
	assert_true(got->time % step == 0);
	assert_int_equal(got->count, count);
	assert_true(near(got->avg, sum / (double)count));
	assert_true(near(got->min, min) && near(got->max, max));
}

static void check(uint32_t step, int64_t from, int64_t to)
{
	struct db_history_steps *got = steps("t", from, to, step, 10000);
	const int64_t ms = (int64_t)step * 1000;
	uint64_t wanted = 0;
	uint64_t count = 0;

	for (size_t i = 0; i < ROWS; i++) {
		int64_t start = rows[i].time - rows[i].time % ms;

		wanted += start >= from && start <= to;
	}
	for (size_t i = 0; i < got->count; i++) {
		assert_true(got->steps[i].time >= from &&
			    got->steps[i].time <= to);
		assert_true(!i || got->steps[i].time > got->steps[i - 1].time);
		check_one(&got->steps[i], ms);
		count += got->steps[i].count;
	}
	assert_int_equal(count, wanted);
	assert_false(got->more);
	free(got);
}

static void check_all(void)
{
	static const uint32_t all[] = { 1,    60,   300,   420,	  900,
					3600, 7200, 86400, 604800 };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		check(all[i], 0, INT64_MAX);
		check(all[i], T0 + HOUR + 1, T0 + DAY + 5 * HOUR + 1234);
	}
}

/* With averages of all hours, of some, of none: the same. */
static void test_steps_are_what_the_rows_say(void **state)
{
	(void)state;
	make_rows();
	assert_int_equal(history_writer_flush(writer, T0), 0);
	check_all();
	/* Hours up to the second day's seventh. */
	write_all(T0 + DAY + 7 * HOUR);
	check_all();
	put(T0 + 9 * DAY, "last", "1");
	write_all(T0 + 9 * DAY + HOUR);
	assert_string_equal(
		scratch_ask("history.db", "SELECT count(*) FROM hours"), "0");
	check_all();
}

/* Which the averages are for: what they were made of may be gone. */
static void test_steps_outlive_their_rows(void **state)
{
	struct db_history_steps *got;

	(void)state;
	put(T0, "t", "1");
	put(T0 + 1, "t", "3");
	put(T0 + 2 * HOUR, "t", "5");
	write_all(T0 + 9 * DAY);
	scratch_sql("history.db", "DROP TABLE h_20261121;"
				  "DELETE FROM days WHERE day = 20261121");
	got = steps("t", T0, T0 + DAY, 3600, 10);
	assert_int_equal(got->count, 2);
	assert_int_equal(got->steps[0].count, 2);
	assert_true(near(got->steps[0].avg, 2));
	assert_int_equal(got->steps[1].time, T0 + 2 * HOUR);
	free(got);
	/* And when the 5 minutes are, too. */
	scratch_sql("history.db", "DROP TABLE five_20261121");
	got = steps("t", T0, T0 + DAY, 7200, 10);
	assert_int_equal(got->count, 2);
	free(got);
}

static void test_steps_come_in_pages(void **state)
{
	struct db_history_steps *got;
	int64_t from = T0;
	int pages = 0;
	int count = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		put(T0 + i * HOUR, "t", "1");
	write_all(T0 + DAY);
	do {
		got = steps("t", from, T0 + DAY, 3600, 3);
		for (size_t i = 0; i < got->count; i++, count++)
			assert_int_equal(got->steps[i].time, T0 + count * HOUR);
		from = got->steps[got->count - 1].time + 1;
		pages++;
		if (!got->more)
			break;
		free(got);
	} while (pages < 10);
	free(got);
	assert_int_equal(pages, 4);
	assert_int_equal(count, 10);
}

static void test_what_cannot_be_asked(void **state)
{
	struct db_history_steps_query query = { .topic = slice_str("t"),
						.to = INT64_MAX };
	struct db_history_steps *got = NULL;

	(void)state;
	query.limit = 1;
	assert_int_equal(db_history_steps(reader, &query, &got), -EINVAL);
	query.step = DB_HISTORY_STEP_MAX + 1;
	assert_int_equal(db_history_steps(reader, &query, &got), -EINVAL);
	query.step = 1;
	query.limit = DB_HISTORY_STEPS_MAX + 1;
	assert_int_equal(db_history_steps(reader, &query, &got), -EINVAL);
	got = steps("unknown", 0, INT64_MAX, 60, 1);
	assert_int_equal(got->count, 0);
	free(got);
	got = steps("t", 5, 4, 60, 1);
	assert_int_equal(got->count, 0);
	free(got);
	query.limit = 1;
	failing_malloc_arm(0);
	assert_int_equal(db_history_steps(reader, &query, &got), -ENOMEM);
	assert_true(failing_malloc_disarm());
}

#define TEST(name)                                                 \
	cmocka_unit_test_setup_teardown(name, history_model_setup, \
					history_model_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_steps_are_what_the_rows_say),
		TEST(test_steps_outlive_their_rows),
		TEST(test_steps_come_in_pages),
		TEST(test_what_cannot_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
