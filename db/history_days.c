#include "db/history_days.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>

#include "db/db.h"
#include "db/history_write.h"
#include "db/statement.h"

static int run(struct sqlite3 *sqlite, const char *sql)
{
	return db_error(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

/* Names of tables and days are the same digits, so they sort by time. */
#define TABLES "FROM sqlite_schema WHERE type = 'table' AND name GLOB 'h_*'"

int history_days_add(struct sqlite3 *sqlite, uint32_t day)
{
	char table[HISTORY_TABLE_SIZE];
	char sql[160];

	history_table(day, table);
	(void)snprintf(sql, sizeof(sql),
		       "CREATE TABLE IF NOT EXISTS %s (id INTEGER PRIMARY KEY,"
		       " topic INTEGER NOT NULL, origin INTEGER NOT NULL,"
		       " payload ANY NOT NULL) STRICT",
		       table);

	return run(sqlite, sql);
}

static int ask(struct sqlite3 *sqlite, const char *sql, int64_t *out)
{
	struct statement s;
	int r;

	statement_open(&s, sqlite, sql);
	r = statement_step(&s);
	*out = r > 0 ? statement_int_at(&s, 0) : 0;
	statement_close(&s);

	return r < 0 ? r : 0;
}

static int used_bytes(struct sqlite3 *sqlite, uint64_t *out)
{
	int64_t pages;
	int64_t unused;
	int64_t size;
	int r;

	r = ask(sqlite, "PRAGMA page_count", &pages);
	if (!r)
		r = ask(sqlite, "PRAGMA freelist_count", &unused);
	if (!r)
		r = ask(sqlite, "PRAGMA page_size", &size);
	if (!r)
		*out = (uint64_t)(pages - unused) * (uint64_t)size;

	return r;
}

/* The day of the oldest table that is not the one given; 0: none. */
static int oldest(struct sqlite3 *sqlite, uint32_t keep, int64_t *day)
{
	char sql[192];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT CAST(substr(name, 3) AS INTEGER) " TABLES
		       " AND name <> 'h_%08u' ORDER BY name LIMIT 1",
		       keep);

	return ask(sqlite, sql, day);
}

static int drop(struct sqlite3 *sqlite, uint32_t day)
{
	char table[HISTORY_TABLE_SIZE];
	char sql[320];

	history_table(day, table);
	(void)snprintf(
		sql, sizeof(sql),
		"DROP TABLE %s; DELETE FROM days WHERE day = %u;"
		"DELETE FROM origins WHERE day = %u;"
		"DELETE FROM topics WHERE id NOT IN (SELECT topic FROM days)",
		table, day, day);

	return run(sqlite, sql);
}

/* 1: the oldest day must go, which is put in *day. */
static int overdue(struct sqlite3 *sqlite, uint32_t keep, uint32_t max_days,
		   uint64_t max_bytes, int64_t *day)
{
	uint64_t bytes;
	int64_t tables;
	int r;

	r = ask(sqlite, "SELECT count(*) " TABLES, &tables);
	if (!r)
		r = used_bytes(sqlite, &bytes);
	if (!r)
		r = oldest(sqlite, keep, day);
	if (r)
		return r;

	return *day && (tables > (int64_t)max_days + 1 || bytes > max_bytes);
}

int history_days_retain(struct sqlite3 *sqlite, uint32_t day, uint32_t max_days,
			uint64_t max_bytes)
{
	int dropped = 0;
	int64_t first;
	int r;

	while ((r = overdue(sqlite, day, max_days, max_bytes, &first)) > 0) {
		r = drop(sqlite, (uint32_t)first);
		if (r)
			break;
		dropped = 1;
	}

	return r ? r : dropped;
}

int history_days_index_one(struct sqlite3 *sqlite, uint32_t day)
{
	char sql[320];
	int64_t first;
	int r;

	(void)snprintf(sql, sizeof(sql),
		       "SELECT CAST(substr(name, 3) AS INTEGER) " TABLES
		       " AND name <> 'h_%08u' AND substr(name, 3) NOT IN"
		       " (SELECT substr(name, 3) FROM sqlite_schema"
		       " WHERE type = 'index' AND name GLOB 'i_*')"
		       " ORDER BY name LIMIT 1",
		       day);
	r = ask(sqlite, sql, &first);
	if (r || !first)
		return r;

	(void)snprintf(sql, sizeof(sql),
		       "CREATE INDEX i_%08u ON h_%08u (topic)", (uint32_t)first,
		       (uint32_t)first);
	r = run(sqlite, sql);

	return r ? r : 1;
}
