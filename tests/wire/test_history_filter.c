#include "broker/wire/history_filter.h"

#include <errno.h>
#include <time.h>

#include "tests/wire/bytes.h"

#define MOST 100000

static void test_texts_are_taken_apart(void **state)
{
	static const struct {
		const char *text;
		struct history_filter want;
	} rows[] = {
		{ "$history/last/1/a", { HISTORY_LAST, 1, 0, 0 } },
		{ "$history/last/100000/#", { HISTORY_LAST, 100000, 0, 0 } },
		{ "$history/last/0000000000000000007/a/+",
		  { HISTORY_LAST, 7, 0, 0 } },
		{ "$history/last/5/$match/x=1/a", { HISTORY_LAST, 5, 0, 0 } },
		{ "$history/last/5//", { HISTORY_LAST, 5, 0, 0 } },
		{ "$history/since/0/a", { HISTORY_AGO, 0, 0, 0 } },
		{ "$history/since/3600/a", { HISTORY_AGO, 0, 3600, 0 } },
		{ "$history/since/315360000/a",
		  { HISTORY_AGO, 0, 315360000, 0 } },
		/* RFC 3339, 5.8: its examples, the years before 1970 apart. */
		{ "$history/since/1985-04-12T23:20:50.52Z/a",
		  { HISTORY_TIME, 0, 0, 482196050520 } },
		{ "$history/since/1996-12-19T16:39:57-08:00/a",
		  { HISTORY_TIME, 0, 0, 851042397000 } },
		{ "$history/since/1990-12-31T23:59:60Z/a",
		  { HISTORY_TIME, 0, 0, 662688000000 } },
		{ "$history/since/1990-12-31T15:59:60-08:00/a",
		  { HISTORY_TIME, 0, 0, 662688000000 } },
		{ "$history/since/1970-01-01T00:00:00Z/a",
		  { HISTORY_TIME, 0, 0, 0 } },
		{ "$history/since/2026-11-21t15:30:00z/a",
		  { HISTORY_TIME, 0, 0, 1795275000000 } },
		{ "$history/since/2026-11-21T16:30:00+01:00/a",
		  { HISTORY_TIME, 0, 0, 1795275000000 } },
		{ "$history/since/2026-11-21T16:30:00%2B01:00/a",
		  { HISTORY_TIME, 0, 0, 1795275000000 } },
		{ "$history/since/2026-11-21T16:30:00%2b01:00/a",
		  { HISTORY_TIME, 0, 0, 1795275000000 } },
		{ "$history/since/2026-11-21T15:30:00.1239999Z/a",
		  { HISTORY_TIME, 0, 0, 1795275000123 } },
		{ "$history/since/2024-02-29T00:00:00Z/a",
		  { HISTORY_TIME, 0, 0, 1709164800000 } },
		{ "$history/since/2000-02-29T00:00:00Z/a",
		  { HISTORY_TIME, 0, 0, 951782400000 } },
		{ "$history/since/9999-12-31T23:59:59.999Z/a",
		  { HISTORY_TIME, 0, 0, 253402300799999 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct history_error error = { 0 };
		struct history_filter got;
		int r = history_filter_parse(slice_str(rows[i].text), MOST,
					     &got, &error);

		if (r < 0)
			fail_msg("%s: byte %zu: %s", rows[i].text, error.at,
				 error.why);
		if (got.start != rows[i].want.start ||
		    got.count != rows[i].want.count ||
		    got.seconds != rows[i].want.seconds ||
		    got.time != rows[i].want.time)
			fail_msg("%s: %lld", rows[i].text, (long long)got.time);
	}
}

struct refusal {
	const char *text;
	size_t at;
	const char *why;
};

static void refuse_all(const struct refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct slice text = slice_str(rows[i].text);
		struct history_error error = { 0 };
		struct history_filter got;

		assert_true(history_filter_meant(text));
		if (history_filter_parse(text, MOST, &got, &error) != -EINVAL)
			fail_msg("%s: taken", rows[i].text);
		if (error.at != rows[i].at ||
		    strcmp(error.why, rows[i].why) != 0)
			fail_msg("%s: byte %zu: %s", rows[i].text, error.at,
				 error.why);
	}
}

static void test_what_is_wrong_is_told_with_its_place(void **state)
{
	static const char unknown[] = "$history/ is followed by last/ or "
				      "since/";
	static const char missing[] = "a topic filter is missing";
	static const char many[] = "more messages than may be asked for";
	static const char count[] = "last/ is followed by a number";
	static const char share[] = "a shared subscription has no history";
	static const struct refusal rows[] = {
		{ "$history/", 10, unknown },
		{ "$history/a", 10, unknown },
		{ "$history/last", 10, unknown },
		{ "$history/lasts/5/a", 10, unknown },
		{ "$history/LAST/5/a", 10, unknown },
		{ "$history//5/a", 10, unknown },
		{ "$history/#", 10, unknown },
		{ "$history/last/", 15, missing },
		{ "$history/last/5", 15, missing },
		{ "$history/last/5/", 17, missing },
		{ "$history/since/5/", 18, missing },
		{ "$history/last//a", 15, count },
		{ "$history/last/+/a", 15, count },
		{ "$history/last/-5/a", 15, count },
		{ "$history/last/5 /a", 15, count },
		{ "$history/last/0x5/a", 15, count },
		{ "$history/last/0/a", 15,
		  "at least one message is asked for" },
		{ "$history/last/100001/a", 15, many },
		{ "$history/last/4294967297/a", 15, many },
		{ "$history/last/18446744073709551617/a", 15, many },
		{ "$history/last/5/$history/last/5/a", 17,
		  "$history stands there twice" },
		{ "$history/last/5/$share/g/a", 17, share },
		{ "$share/g/$history/last/5/a", 1, share },
		{ "$match/x=1/$history/last/5/a", 1,
		  "$history stands before $match" },
	};

	(void)state;
	refuse_all(rows, COUNT(rows));
}

static void test_times_that_are_none_are_refused(void **state)
{
	static const char time[] = "since/ is followed by seconds, or a time "
				   "like 2026-11-21T15:30:00Z";
	static const struct refusal rows[] = {
		{ "$history/since/315360001/a", 16, "more than ten years" },
		{ "$history/since/99999999999999999999/a", 16,
		  "more than ten years" },
		{ "$history/since//a", 16, time },
		{ "$history/since/yesterday/a", 16, time },
		{ "$history/since/2026-11-21/a", 16, time },
		{ "$history/since/2026-11-21T15:30:00/a", 16, time },
		{ "$history/since/2026-11-21 15:30:00Z/a", 16, time },
		{ "$history/since/2026-11-21T15:30:00Zx/a", 16, time },
		{ "$history/since/2026-11-21T15:30:00.Z/a", 16, time },
		{ "$history/since/2026-13-21T15:30:00Z/a", 16, time },
		{ "$history/since/2026-00-21T15:30:00Z/a", 16, time },
		{ "$history/since/2026-11-31T15:30:00Z/a", 16, time },
		{ "$history/since/2026-11-00T15:30:00Z/a", 16, time },
		{ "$history/since/2026-02-29T15:30:00Z/a", 16, time },
		{ "$history/since/2100-02-29T15:30:00Z/a", 16, time },
		{ "$history/since/2026-11-21T24:00:00Z/a", 16, time },
		{ "$history/since/2026-11-21T15:60:00Z/a", 16, time },
		{ "$history/since/2026-11-21T15:30:61Z/a", 16, time },
		{ "$history/since/2026-11-21T15:30:00+1:00/a", 16, time },
		{ "$history/since/2026-11-21T15:30:00+01:60/a", 16, time },
		{ "$history/since/2026-11-21T15:30:00%2C01:00/a", 16, time },
		{ "$history/since/1969-12-31T23:59:59Z/a", 16, time },
		{ "$history/since/1970-01-01T00:00:00+01:00/a", 16, time },
	};

	(void)state;
	refuse_all(rows, COUNT(rows));
}

/* The C library agrees: a day of each month. */
static void test_days_are_counted_as_the_calendar_does(void **state)
{
	(void)state;
	for (int year = 1970; year <= 2400; year += 1) {
		for (int month = 1; month <= 12; month++) {
			struct tm tm = { .tm_year = year - 1900,
					 .tm_mon = month - 1,
					 .tm_mday = 28 };
			struct history_error error;
			struct history_filter got;
			char text[64];

			(void)snprintf(text, sizeof(text),
				       "$history/since/"
				       "%04d-%02d-28T00:00:00Z/a",
				       year, month);
			assert_int_equal(history_filter_parse(slice_str(text),
							      MOST, &got,
							      &error),
					 0);
			assert_int_equal(got.time, (int64_t)timegm(&tm) * 1000);
		}
	}
}

static void test_other_texts_are_not_meant(void **state)
{
	static const char *const rows[] = {
		"",
		"a",
		"$history",
		"$histor",
		"a/$history/last/5/a",
		"$share/g/a",
		"$match/x=1/a",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(history_filter_meant(slice_str(rows[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_are_taken_apart),
		cmocka_unit_test(test_what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(test_times_that_are_none_are_refused),
		cmocka_unit_test(test_days_are_counted_as_the_calendar_does),
		cmocka_unit_test(test_other_texts_are_not_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
