/*
 * How long charts of a large history take: bench_history [ROWS]. ROWS
 * (10,000,000) messages of 200 topics in 30 days are made by SQL, averaged and
 * indexed by the store's own code, and asked for as the dashboard does. With all
 * ten million, a day's chart must come within 50 ms.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/origin.h"
#include "db/db.h"
#include "db/history.h"
#include "db/history_average.h"
#include "db/history_days.h"
#include "db/history_steps.h"
#include "db/history_table.h"
#include "db/history_write.h"

#define TOPICS 200
#define DAYS 30
#define ALL INT64_C(10000000)
#define AIM_MS 50.0
#define RUNS 50
#define DAY_MS INT64_C(86400000)
/* 2026-11-01; the last day ends at half past three in the afternoon. */
#define FIRST INT64_C(1793491200000)
#define NOW (FIRST + (DAYS - 1) * DAY_MS + 55800000)

struct bench {
	int64_t rows;
	struct db *db;
	struct sqlite3 *sqlite;
	struct history_writer *writer;
	struct db_history *reader;
};

static void check(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "bench_history: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void run(struct bench *b, const char *sql)
{
	check(db_error(sqlite3_exec(b->sqlite, sql, NULL, NULL, NULL)), sql);
}

static double ms_since(uint64_t start)
{
	return (double)(clock_ns() - start) / 1e6;
}

/* ---- making it ----------------------------------------------------------- */

static void make_topics(struct bench *b)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		 " FROM n WHERE i < %d) INSERT INTO topics"
		 " SELECT i, 'house/room' || i || '/temperature' FROM n",
		 TOPICS);
	run(b, sql);
}

/* Evenly over the day, the topics in turn, values of one decimal. */
static void make_day(struct bench *b, int number)
{
	const int64_t start = FIRST + number * DAY_MS;
	const int64_t span = number == DAYS - 1 ? NOW - start : DAY_MS;
	const int64_t rows = b->rows / DAYS;
	const uint32_t day = history_day(start);
	char sql[1024];

	check(history_days_add(b->sqlite, day), "table");
	snprintf(sql, sizeof(sql),
		 "BEGIN; INSERT INTO origins VALUES (%d, %u, 'anna', 'c',"
		 " '192.0.2.7');"
		 "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1"
		 " FROM n WHERE i < %lld) INSERT INTO h_%08u"
		 " SELECT (%lld + i * %lld / %lld << 12) + i %% 64,"
		 " i %% %d + 1, %d, CAST(15 + (i * 7919 %% 100) / 10.0 AS TEXT)"
		 " FROM n;"
		 "INSERT INTO days SELECT %u, topic, count(*), min(id) >> 12,"
		 " max(id) >> 12 FROM h_%08u GROUP BY topic;"
		 "INSERT OR IGNORE INTO hours SELECT DISTINCT"
		 " (id >> 12) / 3600000 FROM h_%08u; COMMIT",
		 number + 1, day, (long long)rows - 1, day, (long long)start,
		 (long long)span, (long long)rows, TOPICS, number + 1, day, day,
		 day);
	run(b, sql);
}

/* As the store's thread does when there is time. */
static void tidy(struct bench *b)
{
	struct origin *origin = origin_new("anna", "c", "192.0.2.7:5");
	const struct message_parts parts = {
		.topic = slice_str("house/room1/temperature"),
		.payload = slice_str("20.5"),
		.time = NOW,
		.origin = origin,
		.expires = MESSAGE_NO_EXPIRY,
	};
	struct message *message = message_new(&parts);
	int r;

	if (!origin || !message)
		check(-ENOMEM, "message");
	history_writer_put(b->writer, message);
	message_unref(message);
	origin_unref(origin);
	check(history_writer_flush(b->writer, NOW), "flush");
	while ((r = history_writer_tidy(b->writer, NOW)) > 0)
		;
	check(r, "tidy");
}

static void open_all(struct bench *b, const char *dir)
{
	const struct history_limits limits = { .days = DAYS };
	const struct history_policy keep = { .keep = true, .averages = true };
	struct history_rules *rules = history_rules_new();
	struct history_writer_options options = { .rules = rules,
						  .bytes = UINT64_MAX };
	const struct db_options db = { .dir = dir, .max_history_mb = 4096 };

	check(rules ? 0 : -ENOMEM, "rules");
	history_rules_limit(rules, &limits);
	check(history_rules_add(rules, slice_str("#"), &keep), "rules");
	check(db_open(&db, &b->db), dir);
	check(db_connect(b->db, DB_HISTORY, false, &b->sqlite), dir);
	check(history_writer_open(b->db, &options, &b->writer), dir);
	check(db_history_open(b->db, &b->reader), dir);
	history_rules_unref(rules);
}

/* ---- asking it ----------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;

	return (left > right) - (left < right);
}

/* step 0: the messages themselves. */
static size_t ask(struct bench *b, int topic, int64_t from, int64_t to,
		  uint32_t step)
{
	char name[64];
	size_t count;

	snprintf(name, sizeof(name), "house/room%d/temperature", topic);
	if (step) {
		const struct db_history_steps_query query = {
			.topic = slice_str(name),
			.from = from,
			.to = to,
			.step = step,
			.limit = DB_HISTORY_STEPS_MAX,
		};
		struct db_history_steps *steps;

		check(db_history_steps(b->reader, &query, &steps), "steps");
		count = steps->count;
		free(steps);
	} else {
		const struct db_history_query query = {
			.topic = slice_str(name),
			.from = from,
			.to = to,
			.limit = DB_HISTORY_LIMIT_MAX,
		};
		struct db_history_samples *samples;

		check(db_history_samples(b->reader, &query, &samples), "rows");
		count = samples->count;
		free(samples);
	}

	return count;
}

/* The median in ms. */
static double measure(struct bench *b, const char *what, int64_t from,
		      int64_t to, uint32_t step)
{
	double times[RUNS];
	size_t count = 0;

	for (int i = 0; i < RUNS; i++) {
		uint64_t start = clock_ns();

		count = ask(b, i * 7 % TOPICS + 1, from, to, step);
		times[i] = ms_since(start);
	}
	qsort(times, RUNS, sizeof(times[0]), by_value);
	printf("%-38s %6zu points  p50 %8.2f ms  p90 %8.2f ms  max %8.2f ms\n",
	       what, count, times[RUNS / 2], times[RUNS * 9 / 10],
	       times[RUNS - 1]);

	return times[RUNS / 2];
}

static bool ask_all(struct bench *b)
{
	double worst;
	double other;

	worst = measure(b, "the last 24 hours, every 5 minutes", NOW - DAY_MS,
			NOW, 300);
	other = measure(b, "a day of two weeks ago, every 5 minutes",
			FIRST + 14 * DAY_MS, FIRST + 15 * DAY_MS - 1, 300);
	worst = other > worst ? other : worst;
	measure(b, "the last 7 days, every hour", NOW - 7 * DAY_MS, NOW, 3600);
	measure(b, "the last 30 days, every 2 hours", NOW - 30 * DAY_MS, NOW,
		7200);
	measure(b, "a day of two weeks ago, its messages", FIRST + 14 * DAY_MS,
		FIRST + 15 * DAY_MS - 1, 0);
	if (b->rows < ALL)
		return true;
	printf("a day's chart: %.2f ms, aim %.0f ms: %s\n", worst, AIM_MS,
	       worst < AIM_MS ? "reached" : "missed");

	return worst < AIM_MS;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/hearth-history-XXXXXX";
	struct bench b = {
		.rows = argc > 1 ? strtoll(argv[1], NULL, 10) : ALL,
	};
	char path[64];
	uint64_t start;
	int64_t pages;
	bool reached;

	if (b.rows < DAYS * TOPICS || b.rows > 10 * ALL || !mkdtemp(dir)) {
		fputs("usage: bench_history [ROWS]\n", stderr);
		return 2;
	}
	open_all(&b, dir);
	start = clock_ns();
	make_topics(&b);
	for (int day = 0; day < DAYS; day++)
		make_day(&b, day);
	printf("%lld messages of %d topics in %d days made in %.1f s\n",
	       (long long)b.rows, TOPICS, DAYS, ms_since(start) / 1e3);
	start = clock_ns();
	tidy(&b);
	check(history_days_ask(b.sqlite, "PRAGMA page_count", &pages), "size");
	printf("averaged and indexed in %.1f s, %.1f MB\n",
	       ms_since(start) / 1e3, (double)pages / 256);
	reached = ask_all(&b);

	db_history_close(b.reader);
	history_writer_close(b.writer);
	sqlite3_close(b.sqlite);
	db_close(b.db);
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "config.db", "state.db",
						     "history.db", "lock" };

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);

	return reached ? 0 : 1;
}
