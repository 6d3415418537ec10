/* Pages of stored messages for $history/... */
#include "db/history_replay.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/origin.h"
#include "broker/wire/topic.h"
#include "tests/db/history_model.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define MINUTE INT64_C(60000)

/* What a replay gives, one text for all: "topic=payload " for each. */
static char got[1 << 20];
static size_t got_count;
static unsigned int pages;

static struct sqlite3 *sqlite;
static atomic_uint replays;

static int setup(void **state)
{
	int r = history_model_setup(state);

	atomic_store(&replays, 0);
	if (r)
		return r;
	history_writer_watch(writer, &replays);
	return sqlite3_open_v2(scratch_path("history.db"), &sqlite,
			       SQLITE_OPEN_READONLY, NULL);
}

static int teardown(void **state)
{
	sqlite3_close(sqlite);
	return history_model_teardown(state);
}

static int flush(void)
{
	return history_writer_flush(writer, put_last);
}

/* last 0: since. */
static struct history_request *mark(const char *filter, uint32_t last,
				    int64_t since)
{
	struct history_request *r = history_request_new(slice_str(filter));

	assert_non_null(r);
	r->last = last;
	r->since = since;
	atomic_fetch_add(&replays, 1);
	assert_int_equal(history_replay_mark(r, writer), 0);
	return r;
}

static void read_all(struct history_request *r)
{
	int64_t last = 0;
	size_t len = 0;

	got[0] = '\0';
	got_count = 0;
	pages = 0;
	do {
		assert_int_equal(history_replay_page(r, sqlite), 0);
		assert_int_equal(r->result, 0);
		pages++;
		for (size_t i = 0; i < r->count; i++) {
			const struct message *m = r->rows[i].message;
			struct slice topic = message_topic(m);
			struct slice payload = message_payload(m);

			assert_true(m->time >= last);
			last = m->time;
			if (len + topic.len + payload.len + 3 < sizeof(got))
				len += (size_t)snprintf(
					got + len, sizeof(got) - len,
					"%.*s=%.*s ", (int)topic.len,
					(const char *)topic.data,
					(int)payload.len,
					(const char *)payload.data);
		}
		got_count += r->count;
		history_request_clear(r);
	} while (r->more);
	atomic_fetch_sub(&replays, 1);
	history_request_free(r);
}

static void replay(const char *filter, uint32_t last, int64_t since)
{
	read_all(mark(filter, last, since));
}

/* ---- what belongs to it ------------------------------------------------- */

/* Three days of two rooms; today's last two are not written yet. */
static void fill(void)
{
	put(T0 - 2 * DAY, "a/t", "1");
	put(T0 - 2 * DAY + MINUTE, "b/t", "2");
	put(T0 - DAY, "a/t", "3");
	put(T0 - DAY + MINUTE, "a/u", "4");
	put(T0, "b/t", "5");
	put(T0 + MINUTE, "a/t", "6");
	assert_int_equal(flush(), 0);
	put(T0 + 2 * MINUTE, "a/t", "7");
	put(T0 + 3 * MINUTE, "b/t", "8");
}

static void check_table(void)
{
	static const struct {
		const char *filter;
		uint32_t last;
		int64_t since;
		const char *want;
	} rows[] = {
		{ "a/t", 100, 0, "a/t=1 a/t=3 a/t=6 a/t=7 " },
		{ "a/t", 4, 0, "a/t=1 a/t=3 a/t=6 a/t=7 " },
		{ "a/t", 3, 0, "a/t=3 a/t=6 a/t=7 " },
		{ "a/t", 2, 0, "a/t=6 a/t=7 " },
		{ "a/t", 1, 0, "a/t=7 " },
		{ "a/u", 1, 0, "a/u=4 " },
		{ "b/+", 2, 0, "b/t=5 b/t=8 " },
		{ "+/t", 3, 0, "a/t=6 a/t=7 b/t=8 " },
		{ "+/t", 5, 0, "a/t=3 b/t=5 a/t=6 a/t=7 b/t=8 " },
		{ "#", 8, 0,
		  "a/t=1 b/t=2 a/t=3 a/u=4 b/t=5 a/t=6 a/t=7 b/t=8 " },
		{ "#", 7, 0, "b/t=2 a/t=3 a/u=4 b/t=5 a/t=6 a/t=7 b/t=8 " },
		{ "nowhere", 5, 0, "" },
		{ "a", 5, 0, "" },
		{ "a/t", 0, 0, "a/t=1 a/t=3 a/t=6 a/t=7 " },
		{ "a/t", 0, -5, "a/t=1 a/t=3 a/t=6 a/t=7 " },
		{ "a/t", 0, T0 - DAY, "a/t=3 a/t=6 a/t=7 " },
		{ "a/t", 0, T0 - DAY + 1, "a/t=6 a/t=7 " },
		{ "#", 0, T0 + MINUTE, "a/t=6 a/t=7 b/t=8 " },
		{ "#", 0, T0 + 3 * MINUTE, "b/t=8 " },
		{ "#", 0, T0 + 3 * MINUTE + 1, "" },
		{ "#", 0, INT64_C(253402300799999), "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		replay(rows[i].filter, rows[i].last, rows[i].since);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s %u %lld: %s", rows[i].filter, rows[i].last,
				 (long long)rows[i].since, got);
	}
}

static void test_what_was_asked_for_is_given(void **state)
{
	(void)state;
	fill();
	check_table();
	/* The same when all of it is written, and days have an index. */
	assert_int_equal(flush(), 0);
	check_table();
	scratch_sql("history.db",
		    "CREATE INDEX i_20261119 ON h_20261119 (topic);"
		    "CREATE INDEX i_20261120 ON h_20261120 (topic);");
	check_table();
}

static void test_a_history_of_nothing_is_over_at_once(void **state)
{
	(void)state;
	replay("#", 5, 0);
	assert_int_equal(pages, 1);
	assert_string_equal(got, "");
	put(T0, "t", "1");
	replay("#", 0, 0);
	assert_string_equal(got, "t=1 ");
}

/* The directory of a day decides, as for the charts. */
static void test_what_the_directory_does_not_name_is_gone(void **state)
{
	char sql[160];

	(void)state;
	fill();
	assert_int_equal(flush(), 0);
	(void)snprintf(sql, sizeof(sql),
		       "UPDATE days SET first = %lld WHERE day = 20261121 AND"
		       " topic = (SELECT id FROM topics WHERE topic = 'a/t');"
		       "DELETE FROM days WHERE day = 20261119;",
		       (long long)(T0 + 2 * MINUTE));
	scratch_sql("history.db", sql);
	replay("#", 0, 0);
	assert_string_equal(got, "a/t=3 a/u=4 b/t=5 a/t=7 b/t=8 ");
	replay("#", 4, 0);
	assert_string_equal(got, "a/u=4 b/t=5 a/t=7 b/t=8 ");
}

static void test_who_said_it_is_told(void **state)
{
	struct history_request *r;

	(void)state;
	put_bytes(T0, "t", slice_str("1"), "anna");
	put_bytes(T0, "t", slice_str("2"), "bob");
	assert_int_equal(flush(), 0);
	r = mark("t", 9, 0);
	assert_int_equal(history_replay_page(r, sqlite), 0);
	assert_int_equal(r->count, 2);
	assert_string_equal(r->rows[0].message->origin->user, "anna");
	assert_string_equal(r->rows[0].message->origin->client_id, "c1");
	assert_string_equal(r->rows[1].message->origin->user, "bob");
	assert_int_equal(r->rows[1].message->time, T0);
	history_request_free(r);
}

static void test_a_payload_that_may_be_cut_says_so(void **state)
{
	char payload[2000];
	struct history_request *r;

	(void)state;
	memset(payload, 'x', sizeof(payload));
	put_bytes(T0, "t", slice_of(payload, 1000), "a");
	put_bytes(T0 + 1, "t", slice_of(payload, 1025), "a");
	/* Of a character that does not fit nothing is kept. */
	memcpy(payload + 1023, "\xf0\x9f\x8f\xa0", 4);
	put_bytes(T0 + 2, "t", slice_of(payload, sizeof(payload)), "a");
	payload[5] = '\xff';
	put_bytes(T0 + 3, "t", slice_of(payload, sizeof(payload)), "a");
	put_bytes(T0 + 4, "t", slice_of("", 0), "a");
	assert_int_equal(flush(), 0);
	r = mark("t", 9, 0);
	assert_int_equal(history_replay_page(r, sqlite), 0);
	assert_int_equal(r->count, 5);
	assert_false(r->rows[0].cut);
	assert_int_equal(message_payload(r->rows[0].message).len, 1000);
	assert_true(r->rows[1].cut);
	assert_true(r->rows[2].cut);
	assert_int_equal(message_payload(r->rows[2].message).len, 1023);
	assert_true(r->rows[3].cut);
	assert_int_equal(message_payload(r->rows[3].message).len, 1024);
	assert_int_equal(message_payload(r->rows[4].message).len, 0);
	history_request_free(r);
}

/* ---- what comes meanwhile does not -------------------------------------- */

static void test_what_comes_later_does_not_belong_to_it(void **state)
{
	struct history_request *r;

	(void)state;
	put(T0, "t", "1");
	assert_int_equal(flush(), 0);
	put(T0, "t", "2");
	r = mark("t", 9, 0);
	/* Within the same millisecond; and what waited is written meanwhile. */
	put(T0, "t", "3");
	assert_int_equal(flush(), 0);
	put(T0, "t", "4");
	read_all(r);
	assert_string_equal(got, "t=1 t=2 ");
	replay("t", 9, 0);
	assert_string_equal(got, "t=1 t=2 t=3 t=4 ");
}

/* An hour back, a day back: never among what was stored before. */
static void test_nor_when_the_clock_goes_back(void **state)
{
	struct history_request *r;

	(void)state;
	put(T0, "t", "1");
	put(T0 + 60 * MINUTE, "t", "2");
	assert_int_equal(flush(), 0);
	r = mark("t", 0, 0);
	put(T0 + MINUTE, "t", "3");
	put(T0 - DAY, "t", "4");
	assert_int_equal(flush(), 0);
	read_all(r);
	assert_string_equal(got, "t=1 t=2 ");
	/* In order all the same; and when nobody is listening as the clock
	 * says. */
	put(T0 + 30 * MINUTE, "t", "5");
	assert_int_equal(flush(), 0);
	replay("t", 0, 0);
	assert_string_equal(got, "t=1 t=5 t=2 t=3 t=4 ");
}

/* Also what an earlier process has written. */
static void test_the_highest_number_is_known_at_the_start(void **state)
{
	static const struct history_writer_options keep_all = {
		.bytes = UINT64_MAX,
	};
	struct history_request *r;

	(void)state;
	put(T0, "t", "1");
	assert_int_equal(flush(), 0);
	history_model_reopen(&keep_all);
	history_writer_watch(writer, &replays);
	r = mark("t", 0, 0);
	put(T0 - MINUTE, "t", "2");
	assert_int_equal(flush(), 0);
	read_all(r);
	assert_string_equal(got, "t=1 ");
}

/* ---- pages -------------------------------------------------------------- */

static void put_many(unsigned int count, const char *topic, size_t len)
{
	char payload[1000];

	memset(payload, 'x', sizeof(payload));
	for (unsigned int i = 0; i < count; i++) {
		put_bytes(T0 + i, topic, slice_of(payload, len), "a");
		if (history_writer_full(writer))
			assert_int_equal(flush(), 0);
	}
	assert_int_equal(flush(), 0);
}

static void test_pages_are_bounded_in_rows_and_bytes(void **state)
{
	(void)state;
	put_many(1000, "t", 1);
	replay("t", 0, 0);
	assert_int_equal(got_count, 1000);
	assert_int_equal(pages, 1000 / HISTORY_PAGE + 1);
	put_many(1000, "u", 1000);
	replay("u", 1000, 0);
	assert_int_equal(got_count, 1000);
	assert_true(pages >= 1000 * 1001 / (HISTORY_PAGE_BYTES + 1001));
	/* What waits is in pages, too. */
	for (int i = 0; i < 600; i++)
		put(T0 + i, "v", "1");
	replay("v", 599, 0);
	assert_int_equal(got_count, 599);
	assert_int_equal(pages, 3);
}

/* So others get their turn: nothing is found for pages. */
static void test_what_is_looked_at_is_bounded(void **state)
{
	const unsigned int others = 3 * HISTORY_REPLAY_SCAN;

	(void)state;
	put(T0, "t", "1");
	put_many(others, "other", 1);
	put(T0 + DAY - 1, "t", "2");
	assert_int_equal(flush(), 0);
	replay("t", 0, 0);
	assert_string_equal(got, "t=1 t=2 ");
	assert_true(pages > others / HISTORY_REPLAY_SCAN);
	replay("t", 2, 0);
	assert_string_equal(got, "t=1 t=2 ");
	replay("t", 9, 0);
	assert_string_equal(got, "t=1 t=2 ");
	assert_true(pages > others / HISTORY_REPLAY_SCAN);
}

/* ---- against a naive reading -------------------------------------------- */

#define MODEL 400

static void test_it_agrees_with_a_list(void **state)
{
	static const char *const topics[] = { "a", "a/b", "a/c", "b", "b/c/d" };
	static const char *const filters[] = { "#",   "a",     "a/#", "+",
					       "+/+", "b/c/d", "x" };
	static const char *said[MODEL];
	static int64_t when[MODEL];
	int64_t time = T0;
	unsigned int seed = 7;

	(void)state;
	for (size_t i = 0; i < MODEL; i++) {
		char payload[16];

		seed = seed * 1103515245 + 12345;
		time += (int64_t)(seed >> 16) % (2 * 60 * MINUTE);
		said[i] = topics[(seed >> 8) % COUNT(topics)];
		when[i] = time;
		(void)snprintf(payload, sizeof(payload), "%zu", i);
		put(time, said[i], payload);
		if (seed % 13 == 0)
			assert_int_equal(flush(), 0);
	}
	for (unsigned int n = 0; n < 200; n++) {
		static char want[1 << 16];
		const char *filter;
		uint32_t last;
		int64_t since;
		size_t len = 0, first = MODEL, left;

		seed = seed * 1103515245 + 12345;
		filter = filters[(seed >> 8) % COUNT(filters)];
		last = n % 2 ? 1 + (seed >> 16) % MODEL : 0;
		since = last ? 0 : when[(seed >> 16) % MODEL];
		left = last ? last : MODEL;
		while (first > 0 && left > 0 && when[first - 1] >= since)
			left -= topic_matches(slice_str(filter),
					      slice_str(said[--first]));
		want[0] = '\0';
		for (; first < MODEL; first++)
			if (topic_matches(slice_str(filter),
					  slice_str(said[first])))
				len += (size_t)snprintf(
					want + len, sizeof(want) - len,
					"%s=%zu ", said[first], first);
		replay(filter, last, since);
		assert_string_equal(got, want);
	}
}

/* ---- what may go wrong -------------------------------------------------- */

static void test_every_allocation_may_fail(void **state)
{
	bool failed = true;

	(void)state;
	fill();
	for (unsigned int n = 0; failed; n++) {
		struct history_request *r = history_request_new(slice_str("#"));
		int done;

		r->last = 7;
		failing_malloc_arm(n);
		done = history_replay_mark(r, writer);
		if (!done)
			done = history_replay_page(r, sqlite);
		failed = failing_malloc_disarm();
		if (failed && done) {
			assert_int_equal(done, -ENOMEM);
			assert_int_equal(r->count, 0);
		} else {
			assert_int_equal(done, 0);
			assert_int_equal(r->count, 7);
		}
		history_request_free(r);
		assert_true(n < 2000);
	}
	/* Nothing is left open. */
	assert_int_equal(sqlite3_get_autocommit(sqlite), 1);
	replay("a/u", 1, 0);
	assert_string_equal(got, "a/u=4 ");
}

static void test_a_damaged_file_is_told(void **state)
{
	struct history_request *r;

	(void)state;
	put_many(1000, "t", 100);
	r = mark("t", 0, 0);
	sqlite3_close(sqlite);
	sqlite = NULL;
	scratch_sql("history.db", "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(sqlite3_open_v2(scratch_path("history.db"), &sqlite,
					 SQLITE_OPEN_READONLY, NULL),
			 0);
	scratch_damage("history.db", 4096, 65536);
	assert_true(history_replay_page(r, sqlite) < 0);
	assert_int_equal(r->count, 0);
	assert_false(r->more);
	history_request_free(r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_was_asked_for_is_given),
		T(test_a_history_of_nothing_is_over_at_once),
		T(test_what_the_directory_does_not_name_is_gone),
		T(test_who_said_it_is_told),
		T(test_a_payload_that_may_be_cut_says_so),
		T(test_what_comes_later_does_not_belong_to_it),
		T(test_nor_when_the_clock_goes_back),
		T(test_the_highest_number_is_known_at_the_start),
		T(test_pages_are_bounded_in_rows_and_bytes),
		T(test_what_is_looked_at_is_bounded),
		T(test_it_agrees_with_a_list),
		T(test_every_allocation_may_fail),
		T(test_a_damaged_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
