#include "db/history_steps.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "db/history.h"
#include "db/history_average.h"
#include "db/history_reader.h"
#include "db/history_table.h"

#define FIVE_S (HISTORY_FIVE_MS / 1000)
#define HOUR_S (HISTORY_HOUR_MS / 1000)

/* 9999-12-31: later days have no table. */
#define TIME_MAX 253402300799999

struct walk {
	struct sqlite3 *sqlite;
	const struct db_history_steps_query *query;
	int64_t topic; /* its number */
	int64_t step_ms;
	int64_t from;
	int64_t to; /* the last ms */
	struct db_history_steps *out;
};

static double number_at(const struct statement *s, int n, double otherwise)
{
	return statement_null_at(s, n) ? otherwise
				       : sqlite3_column_double(s->stmt, n);
}

/* False: there is no room for a further step. */
static bool add(struct walk *w, int64_t time, const struct statement *s)
{
	const int64_t start = time - time % w->step_ms;
	const uint64_t n = (uint64_t)statement_int_at(s, 1);
	const double avg = number_at(s, 2, 0);
	const double low = number_at(s, 3, avg);
	const double high = number_at(s, 4, avg);
	struct db_history_steps *out = w->out;
	struct db_history_step *at = NULL;

	if (out->count)
		at = &out->steps[out->count - 1];
	if (!at || at->time != start) {
		if (out->count == w->query->limit) {
			out->more = true;
			return false;
		}
		out->steps[out->count++] = (struct db_history_step){
			.time = start,
			.count = n,
			.avg = avg,
			.min = low,
			.max = high,
		};
		return true;
	}
	at->avg += (avg - at->avg) * ((double)n / (double)(at->count + n));
	at->count += n;
	at->min = low < at->min ? low : at->min;
	at->max = high > at->max ? high : at->max;

	return true;
}

/* 1: the table is there. */
static int has_table(struct walk *w, const char *table)
{
	struct statement s;
	int r;

	statement_open(&s, w->sqlite,
		       "SELECT 1 FROM sqlite_schema"
		       " WHERE type = 'table' AND name = ?");
	statement_text(&s, table);
	r = statement_step(&s);
	statement_close(&s);

	return r;
}

/* What sql gives of the topic between two ids; its first column is the time.
 * 1: go on, 0: there is no more room. */
static int take(struct walk *w, const char *sql, int64_t first, int64_t last)
{
	struct statement s;
	int r;

	statement_open(&s, w->sqlite, sql);
	statement_int(&s, w->topic);
	statement_int(&s, first);
	statement_int(&s, last);
	while ((r = statement_step(&s)) > 0) {
		if (!add(w, statement_int_at(&s, 0), &s))
			break;
	}
	statement_close(&s);

	return r < 0 ? r : !r;
}

static int take_averages(struct walk *w, const char *table, int64_t from,
			 int64_t to)
{
	char sql[256];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT (id >> %d) * 1000, n, avg, min, max FROM %s"
		       " WHERE topic = ? AND id BETWEEN ? AND ? ORDER BY id",
		       HISTORY_AVERAGE_SHIFT, table);
	return take(w, sql, ((from + 999) / 1000) << HISTORY_AVERAGE_SHIFT,
		    ((to / 1000 + 1) << HISTORY_AVERAGE_SHIFT) - 1);
}

static int take_rows(struct walk *w, uint32_t day, int64_t from, int64_t to)
{
	char table[HISTORY_TABLE_SIZE];
	char sql[256];
	int r;

	history_table(day, table);
	r = has_table(w, table);
	if (r <= 0)
		return r < 0 ? r : 1;
	(void)snprintf(sql, sizeof(sql),
		       "SELECT id >> %d, 1, v, NULL, NULL FROM"
		       " (SELECT id, history_value(payload) AS v FROM %s"
		       " WHERE topic = ? AND id BETWEEN ? AND ?)"
		       " WHERE v IS NOT NULL ORDER BY id",
		       HISTORY_ID_SHIFT, table);

	return take(w, sql, from << HISTORY_ID_SHIFT,
		    ((to + 1) << HISTORY_ID_SHIFT) - 1);
}

/* The first hour from..to in ms that is not averaged yet; to + 1: there is
 * none. */
static int find_marked(struct walk *w, int64_t from, int64_t to, int64_t *out)
{
	struct statement s;
	int r;

	*out = to + 1;
	statement_open(&s, w->sqlite,
		       "SELECT hour FROM hours WHERE hour BETWEEN ? AND ?"
		       " ORDER BY hour LIMIT 1");
	statement_int(&s, from / HISTORY_HOUR_MS);
	statement_int(&s, to / HISTORY_HOUR_MS);
	r = statement_step(&s);
	if (r > 0)
		*out = statement_int_at(&s, 0) * HISTORY_HOUR_MS;
	statement_close(&s);
	if (*out < from)
		*out = from;

	return r < 0 ? r : 0;
}

/* A stretch of a day: averages up to where they end, rows for the marked hour,
 * and so on. */
static int take_mixed(struct walk *w, uint32_t day, const char *averages,
		      int64_t from, int64_t to)
{
	int64_t marked;
	int r = 1;

	while (r > 0 && from <= to) {
		int64_t end;

		r = find_marked(w, from, to, &marked);
		if (r)
			return r;
		r = marked > from ? take_averages(w, averages, from, marked - 1)
				  : 1;
		if (r <= 0 || marked > to)
			return r;
		end = (marked / HISTORY_HOUR_MS + 1) * HISTORY_HOUR_MS - 1;
		r = take_rows(w, day, marked, end < to ? end : to);
		from = end + 1;
	}

	return r;
}

/* Its policy may want no averages. */
static int is_averaged(struct walk *w, uint32_t day)
{
	struct statement s;
	int r;

	statement_open(&s, w->sqlite,
		       "SELECT 1 FROM averages WHERE month = ? AND topic = ?");
	statement_int(&s, day / 100);
	statement_int(&s, w->topic);
	r = statement_step(&s);
	statement_close(&s);

	return r;
}

/* Whole hours, whole 5 minutes, or as it was said. */
static int take_day(struct walk *w, uint32_t day, int64_t from, int64_t to)
{
	const uint32_t step = w->query->step;
	char table[HISTORY_TABLE_SIZE];
	int r;

	r = is_averaged(w, day);
	if (r <= 0)
		return r < 0 ? r : take_rows(w, day, from, to);
	r = 0;
	if (step % HOUR_S == 0) {
		(void)snprintf(table, sizeof(table), "hour_%06u", day / 100);
		r = has_table(w, table);
		/* A month may have begun without averages. */
		if (r > 0) {
			char five[HISTORY_TABLE_SIZE];
			char rows[HISTORY_TABLE_SIZE];

			(void)snprintf(five, sizeof(five), "five_%08u", day);
			history_table(day, rows);
			r = has_table(w, five);
			if (!r) {
				r = has_table(w, rows);
				r = r < 0 ? r : !r;
			}
		}
	}
	if (!r && step % FIVE_S == 0) {
		(void)snprintf(table, sizeof(table), "five_%08u", day);
		r = has_table(w, table);
	}
	if (r < 0)
		return r;

	return r ? take_mixed(w, day, table, from, to)
		 : take_rows(w, day, from, to);
}

/* The next day that holds anything of the topic, at or after one; 0: none. */
static int next_day(struct walk *w, uint32_t day, uint32_t *out)
{
	struct statement s;
	int r;

	statement_open(&s, w->sqlite,
		       "SELECT min(day) FROM (SELECT min(day) AS day FROM days"
		       " WHERE topic = ?1 AND day >= ?2 UNION ALL"
		       " SELECT max(min(month) * 100 + 1, ?2) FROM averages"
		       " WHERE topic = ?1 AND month >= ?2 / 100)");
	statement_int(&s, w->topic);
	statement_int(&s, day);
	r = statement_step(&s);
	*out = r > 0 ? (uint32_t)statement_int_at(&s, 0) : 0;
	statement_close(&s);

	return r < 0 ? r : 0;
}

static int64_t start_of(uint32_t day)
{
	struct tm tm = {
		.tm_year = (int)(day / 10000) - 1900,
		.tm_mon = (int)(day / 100 % 100) - 1,
		.tm_mday = (int)(day % 100),
	};

	return (int64_t)timegm(&tm) * 1000;
}

static int walk_days(struct walk *w)
{
	int64_t at = w->from;
	int r = 1;

	while (r > 0 && at <= w->to) {
		int64_t start;
		int64_t end;
		uint32_t day;

		r = next_day(w, history_day(at), &day);
		if (r || !day)
			return r;
		start = start_of(day);
		if (start < at)
			start = at;
		if (start > w->to)
			return 0;
		end = start_of(day) + 86399999;
		r = take_day(w, day, start, end < w->to ? end : w->to);
		at = end + 1;
	}

	return r < 0 ? r : 0;
}

static int find_topic(struct walk *w)
{
	struct statement s;

	statement_open(&s, w->sqlite, "SELECT id FROM topics WHERE topic = ?");
	statement_text_slice(&s, w->query->topic);
	return statement_finish_int(&s, &w->topic);
}

static int walk(struct walk *w)
{
	const int64_t step = w->step_ms;
	int64_t from = w->query->from < 0 ? 0 : w->query->from;
	int64_t to = w->query->to > TIME_MAX ? TIME_MAX : w->query->to;
	int r;

	if (from > to)
		return 0;
	/* Whole steps, also the last one. */
	w->from = (from + step - 1) / step * step;
	w->to = to / step * step + step - 1;
	r = find_topic(w);

	return r || !w->topic ? r : walk_days(w);
}

int db_history_steps(struct db_history *history,
		     const struct db_history_steps_query *query,
		     struct db_history_steps **out)
{
	struct walk w = {
		.sqlite = history_reader_sqlite(history),
		.query = query,
		.step_ms = (int64_t)query->step * 1000,
	};
	int r;

	if (!query->step || query->step > DB_HISTORY_STEP_MAX ||
	    !query->limit || query->limit > DB_HISTORY_STEPS_MAX)
		return -EINVAL;
	w.out = calloc(1,
		       sizeof(*w.out) + query->limit * sizeof(w.out->steps[0]));
	if (!w.out)
		return -ENOMEM;
	r = history_reader_begin(history);
	if (!r) {
		r = walk(&w);
		history_reader_end(history);
	}
	if (r) {
		free(w.out);
		return r;
	}

	*out = w.out;
	return 0;
}
