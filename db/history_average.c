#include "db/history_average.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#include "broker/history_rules.h"
#include "db/db.h"
#include "db/history.h"
#include "db/history_table.h"

static int run(struct sqlite3 *sqlite, const char *sql)
{
	return db_error(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

uint32_t history_month(int64_t time)
{
	return history_day(time) / 100;
}

/* ---- functions for SQL --------------------------------------------------- */

static void value_of(sqlite3_context *context, int count,
		     sqlite3_value **values)
{
	const void *data = sqlite3_value_blob(values[0]);
	int len = sqlite3_value_bytes(values[0]);
	double value;

	(void)count;
	if (len > 0 && data &&
	    db_history_value(slice_of(data, (size_t)len), &value))
		sqlite3_result_double(context, value);
}

int history_average_functions(struct sqlite3 *sqlite)
{
	const int flags =
		SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

	return db_error(sqlite3_create_function_v2(sqlite, "history_value", 1,
						   flags, NULL, value_of, NULL,
						   NULL, NULL));
}

/* Whether a topic's numbers are wanted, by its policy. */
static void is_wanted(sqlite3_context *context, int count,
		      sqlite3_value **values)
{
	struct history_average *a = sqlite3_user_data(context);
	const int64_t topic = sqlite3_value_int64(values[0]);
	const struct history_policy *policy;
	int r;

	(void)count;
	if (!a->rules) {
		sqlite3_result_int(context, 1);
		return;
	}
	statement_int(&a->name, topic);
	r = statement_step(&a->name);
	policy = r > 0 ? history_rules_find(a->rules,
					    statement_bytes_at(&a->name, 0))
		       : NULL;
	statement_reset(&a->name);
	if (r < 0)
		sqlite3_result_error_code(context, SQLITE_ERROR);
	else
		sqlite3_result_int(context,
				   policy && policy->averages &&
					   topic < HISTORY_AVERAGE_TOPICS);
}

/* ---- marked hours -------------------------------------------------------- */

/* A file of an older hearthd, which made none: its last day gets some. */
static int mark_last_day(struct sqlite3 *sqlite)
{
	return run(
		sqlite,
		"WITH RECURSIVE last(day) AS (SELECT max(substr(name, 3))"
		" FROM sqlite_schema WHERE type = 'table' AND name GLOB 'h_*'"
		" AND NOT EXISTS (SELECT 1 FROM sqlite_schema"
		" WHERE name GLOB 'five_*')), each(n) AS (SELECT 0 UNION ALL"
		" SELECT n + 1 FROM each WHERE n < 23)"
		" INSERT OR IGNORE INTO hours SELECT"
		" unixepoch(substr(day, 1, 4) || '-' || substr(day, 5, 2) ||"
		" '-' || substr(day, 7, 2)) / 3600 + n FROM last, each"
		" WHERE day IS NOT NULL AND NOT EXISTS"
		" (SELECT 1 FROM hours)");
}

int history_average_init(struct history_average *a, struct sqlite3 *sqlite)
{
	int r;

	a->sqlite = sqlite;
	a->marked = -1;
	r = history_average_functions(sqlite);
	if (!r)
		r = db_error(sqlite3_create_function_v2(
			sqlite, "history_wanted", 1,
			SQLITE_UTF8 | SQLITE_DIRECTONLY, a, is_wanted, NULL,
			NULL, NULL));
	if (!r)
		r = statement_keep(&a->name, sqlite,
				   "SELECT topic FROM topics WHERE id = ?");
	if (!r)
		r = mark_last_day(sqlite);

	return r;
}

void history_average_free(struct history_average *a)
{
	statement_close(&a->name);
}

int history_average_mark(struct history_average *a, int64_t time)
{
	const int64_t hour = (time < 0 ? 0 : time) / HISTORY_HOUR_MS;
	struct statement s;
	int r;

	if (hour == a->marked)
		return 0;
	statement_open(&s, a->sqlite, "INSERT OR IGNORE INTO hours VALUES (?)");
	statement_int(&s, hour);
	r = statement_finish(&s);
	if (!r)
		a->marked = hour;

	return r;
}

void history_average_forget(struct history_average *a)
{
	a->marked = -1;
}

/* ---- one hour ------------------------------------------------------------ */

static int make_table(struct sqlite3 *sqlite, const char *table)
{
	char sql[256];

	(void)snprintf(sql, sizeof(sql),
		       "CREATE TABLE IF NOT EXISTS %s (id INTEGER PRIMARY KEY,"
		       " topic INTEGER NOT NULL, n INTEGER NOT NULL,"
		       " avg ANY NOT NULL, min ANY, max ANY) STRICT",
		       table);
	return run(sqlite, sql);
}

/* sql has two parameters: ids from, to. */
static int between(struct sqlite3 *sqlite, const char *sql, int64_t from,
		   int64_t to)
{
	struct statement s;

	statement_open(&s, sqlite, sql);
	statement_int(&s, from);
	statement_int(&s, to);

	return statement_finish(&s);
}

/* Numbers that are alike are written once. */
#define MIN_MAX(n, low, high)                                                  \
	"CASE WHEN " n " > 1 THEN " low " END, CASE WHEN " n " > 1 THEN " high \
	" END"

static int average_five(struct sqlite3 *sqlite, uint32_t day, int64_t from,
			int64_t to)
{
	char table[HISTORY_TABLE_SIZE];
	char rows[HISTORY_TABLE_SIZE];
	char sql[640];
	int r;

	history_table(day, rows);
	(void)snprintf(table, sizeof(table), "five_%08u", day);
	r = make_table(sqlite, table);
	if (r)
		return r;
	(void)snprintf(sql, sizeof(sql),
		       "DELETE FROM %s WHERE id BETWEEN ? AND ?", table);
	r = between(sqlite, sql, (from / 1000) << HISTORY_AVERAGE_SHIFT,
		    ((to / 1000) << HISTORY_AVERAGE_SHIFT) - 1);
	if (r)
		return r;
	(void)snprintf(
		sql, sizeof(sql),
		"INSERT INTO %s SELECT (slot * 300 << 24) + topic, topic,"
		" count(v), avg(v)," MIN_MAX(
			"count(v)", "min(v)",
			"max(v)") " FROM (SELECT (id >> 12) / 300000 AS slot, "
				  "topic,"
				  " history_value(payload) AS v FROM %s"
				  " WHERE id BETWEEN ? AND ?) WHERE v IS NOT "
				  "NULL"
				  " GROUP BY slot, topic HAVING "
				  "history_wanted(topic)",
		table, rows);

	return between(sqlite, sql, from << HISTORY_ID_SHIFT,
		       (to << HISTORY_ID_SHIFT) - 1);
}

static int average_hour(struct sqlite3 *sqlite, uint32_t day, int64_t from,
			int64_t to)
{
	const int64_t first = (from / 1000) << HISTORY_AVERAGE_SHIFT;
	const int64_t end = (to / 1000) << HISTORY_AVERAGE_SHIFT;
	const uint32_t month = day / 100;
	char table[HISTORY_TABLE_SIZE];
	char sql[512];
	int r;

	(void)snprintf(table, sizeof(table), "hour_%06u", month);
	r = make_table(sqlite, table);
	if (r)
		return r;
	(void)snprintf(sql, sizeof(sql),
		       "DELETE FROM %s WHERE id BETWEEN ? AND ?", table);
	r = between(sqlite, sql, first, end - 1);
	if (r)
		return r;
	(void)snprintf(
		sql, sizeof(sql),
		"INSERT INTO %s SELECT (?1 & ~0xffffff) + topic, topic, sum(n),"
		" sum(avg * n) / sum(n)," MIN_MAX(
			"sum(n)", "min(coalesce(min, avg))",
			"max(coalesce(max, avg))") " FROM five_%08u WHERE id "
						   "BETWEEN ?1 AND ?2 GROUP BY "
						   "topic",
		table, day);
	r = between(sqlite, sql, first, end - 1);
	if (r)
		return r;
	(void)snprintf(sql, sizeof(sql),
		       "INSERT OR IGNORE INTO averages SELECT %u, topic"
		       " FROM %s WHERE id BETWEEN ? AND ?",
		       month, table);

	return between(sqlite, sql, first, end - 1);
}

static int table_is_there(struct sqlite3 *sqlite, uint32_t day)
{
	char table[HISTORY_TABLE_SIZE];
	struct statement s;
	int r;

	history_table(day, table);
	statement_open(&s, sqlite,
		       "SELECT 1 FROM sqlite_schema WHERE name = ?");
	statement_text(&s, table);
	r = statement_step(&s);
	statement_close(&s);

	return r;
}

static int average(struct history_average *a, int64_t hour)
{
	const int64_t from = hour * HISTORY_HOUR_MS;
	const int64_t to = from + HISTORY_HOUR_MS;
	const uint32_t day = history_day(from);
	int r;

	/* The day may have been dropped meanwhile: then nothing is there to be
	 * averaged, and what was made of it before stays. */
	r = table_is_there(a->sqlite, day);
	if (r <= 0)
		return r;
	r = average_five(a->sqlite, day, from, to);

	return r ? r : average_hour(a->sqlite, day, from, to);
}

int history_average_next(struct history_average *a, int64_t before)
{
	struct statement s;
	int64_t hour = 0;
	int r;

	statement_open(&s, a->sqlite,
		       "SELECT hour FROM hours WHERE hour < ? LIMIT 1");
	statement_int(&s, before / HISTORY_HOUR_MS);
	r = statement_step(&s);
	if (r > 0)
		hour = statement_int_at(&s, 0);
	statement_close(&s);
	if (r <= 0)
		return r;

	r = average(a, hour);
	if (r)
		return r;
	if (hour == a->marked)
		a->marked = -1;
	statement_open(&s, a->sqlite, "DELETE FROM hours WHERE hour = ?");
	statement_int(&s, hour);
	r = statement_finish(&s);

	return r ? r : 1;
}
