#include "db/history_days.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/db.h"
#include "db/history_table.h"
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

int history_days_ask(struct sqlite3 *sqlite, const char *sql, int64_t *out)
{
	struct statement s;

	statement_open(&s, sqlite, sql);
	return statement_finish_int(&s, out);
}

int history_days_list(struct sqlite3 *sqlite, uint32_t **out, size_t *count)
{
	struct statement s;
	uint32_t *days;
	int64_t tables;
	size_t n = 0;
	int r;

	r = history_days_ask(sqlite, "SELECT count(*) " TABLES, &tables);
	if (r)
		return r;
	days = calloc((size_t)tables + 1, sizeof(*days));
	if (!days)
		return -ENOMEM;
	statement_open(&s, sqlite,
		       "SELECT substr(name, 3) " TABLES " ORDER BY name DESC");
	while (n < (size_t)tables && (r = statement_step(&s)) > 0)
		days[n++] = (uint32_t)statement_int_at(&s, 0);
	statement_close(&s);
	if (r < 0) {
		free(days);
		return r;
	}

	*out = days;
	*count = n;
	return 0;
}

int history_days_used(struct sqlite3 *sqlite, uint64_t *out)
{
	int64_t pages;
	int64_t unused;
	int64_t size;
	int r;

	r = history_days_ask(sqlite, "PRAGMA page_count", &pages);
	if (!r)
		r = history_days_ask(sqlite, "PRAGMA freelist_count", &unused);
	if (!r)
		r = history_days_ask(sqlite, "PRAGMA page_size", &size);
	if (!r)
		*out = (uint64_t)(pages - unused) * (uint64_t)size;

	return r;
}

static int forget_topics(struct sqlite3 *sqlite)
{
	return run(
		sqlite,
		"DELETE FROM topics WHERE id NOT IN"
		" (SELECT topic FROM days UNION SELECT topic FROM averages)");
}

int history_days_drop(struct sqlite3 *sqlite, uint32_t day)
{
	char table[HISTORY_TABLE_SIZE];
	char sql[192];
	int r;

	history_table(day, table);
	(void)snprintf(sql, sizeof(sql),
		       "DROP TABLE IF EXISTS %s;"
		       "DELETE FROM days WHERE day = %u;"
		       "DELETE FROM origins WHERE day = %u",
		       table, day, day);
	r = run(sqlite, sql);

	return r ? r : forget_topics(sqlite);
}

static int drop_averages(struct sqlite3 *sqlite, const char *table)
{
	char sql[128];
	int r;

	(void)snprintf(sql, sizeof(sql), "DROP TABLE %s", table);
	r = run(sqlite, sql);
	/* Of 5 minutes there are none without those of their hour. */
	if (!r && table[0] == 'h') {
		(void)snprintf(sql, sizeof(sql),
			       "DELETE FROM averages WHERE month = %s",
			       table + 5);
		r = run(sqlite, sql);
	}

	return r ? r : forget_topics(sqlite);
}

/* The oldest table of averages but for the newest ones; 1: it is put in name. */
static int oldest_averages(struct sqlite3 *sqlite, const char *like,
			   unsigned int spare, char name[HISTORY_TABLE_SIZE])
{
	struct statement s;
	int r;

	statement_open(&s, sqlite,
		       "SELECT name FROM sqlite_schema WHERE type = 'table'"
		       " AND name GLOB ? ORDER BY name DESC LIMIT -1 OFFSET ?");
	statement_text(&s, like);
	statement_int(&s, spare);
	name[0] = '\0';
	while ((r = statement_step(&s)) > 0) {
		if (!statement_copy_at(&s, 0, name, HISTORY_TABLE_SIZE))
			name[0] = '\0';
	}
	statement_close(&s);

	return r < 0 ? r : name[0] != '\0';
}

/* Down to so many tables. */
static int limit_averages(struct sqlite3 *sqlite, const char *like,
			  unsigned int spare)
{
	char name[HISTORY_TABLE_SIZE];
	int dropped = 0;
	int r;

	while ((r = oldest_averages(sqlite, like, spare, name)) > 0) {
		r = drop_averages(sqlite, name);
		if (r)
			break;
		dropped = 1;
	}

	return r ? r : dropped;
}

int history_days_drop_averages(struct sqlite3 *sqlite)
{
	int five = limit_averages(sqlite, "five_*", HISTORY_FIVE_DAYS + 1);
	int hour = five < 0 ? 0
			    : limit_averages(sqlite, "hour_*",
					     HISTORY_HOUR_MONTHS + 1);

	if (five < 0 || hour < 0)
		return five < 0 ? five : hour;
	return five || hour;
}

/* The day of the oldest rows that are not of the one given; 0: none. */
static int oldest(struct sqlite3 *sqlite, uint32_t keep, int64_t *day)
{
	char sql[192];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT CAST(substr(name, 3) AS INTEGER) " TABLES
		       " AND name <> 'h_%08u' ORDER BY name LIMIT 1",
		       keep);

	return history_days_ask(sqlite, sql, day);
}

/* 1: something was there to be dropped. */
static int drop_oldest(struct sqlite3 *sqlite, uint32_t keep)
{
	char name[HISTORY_TABLE_SIZE];
	int64_t day;
	int r;

	r = oldest(sqlite, keep, &day);
	if (r)
		return r;
	if (day) {
		r = history_days_drop(sqlite, (uint32_t)day);
		return r ? r : 1;
	}
	r = oldest_averages(sqlite, "five_*", 1, name);
	if (!r)
		r = oldest_averages(sqlite, "hour_*", 1, name);
	if (r <= 0)
		return r;
	r = drop_averages(sqlite, name);

	return r ? r : 1;
}

int history_days_fit(struct sqlite3 *sqlite, uint32_t day, uint64_t max_bytes)
{
	int dropped = 0;
	uint64_t bytes;
	int r;

	while (!(r = history_days_used(sqlite, &bytes)) && bytes > max_bytes) {
		r = drop_oldest(sqlite, day);
		if (r <= 0)
			break;
		dropped = 1;
	}

	return r < 0 ? r : dropped;
}

/* Indexes are called like their tables, with i for the h of those of rows. */
static int first_unindexed(struct sqlite3 *sqlite, uint32_t day,
			   char name[HISTORY_TABLE_SIZE])
{
	char sql[512];
	struct statement s;
	int r;

	(void)snprintf(
		sql, sizeof(sql),
		"SELECT name FROM sqlite_schema t WHERE type = 'table' AND"
		" (name GLOB 'h_*' AND name <> 'h_%08u' OR"
		" name GLOB 'five_*' AND name < 'five_%08u' OR"
		" name GLOB 'hour_*' AND name < 'hour_%06u') AND NOT EXISTS"
		" (SELECT 1 FROM sqlite_schema i WHERE i.type = 'index' AND"
		" i.tbl_name = t.name)"
		" ORDER BY name GLOB 'h_*' DESC, name LIMIT 1",
		day, day, day / 100);
	statement_open(&s, sqlite, sql);
	r = statement_step(&s);
	if (r > 0 && !statement_copy_at(&s, 0, name, HISTORY_TABLE_SIZE))
		r = -EBADMSG;
	statement_close(&s);

	return r;
}

int history_days_unindexed(struct sqlite3 *sqlite, uint32_t day, uint64_t *rows)
{
	char name[HISTORY_TABLE_SIZE];
	char sql[96];
	int64_t count;
	int r;

	*rows = 0;
	r = first_unindexed(sqlite, day, name);
	if (r <= 0)
		return r;
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", name);
	r = history_days_ask(sqlite, sql, &count);
	if (!r)
		*rows = (uint64_t)count;

	return r;
}

int history_days_index_one(struct sqlite3 *sqlite, uint32_t day)
{
	char name[HISTORY_TABLE_SIZE];
	char sql[128];
	int r;

	r = first_unindexed(sqlite, day, name);
	if (r <= 0)
		return r;
	(void)snprintf(sql, sizeof(sql), "CREATE INDEX i%s ON %s (topic)",
		       name[0] == 'h' && name[1] == '_' ? name + 1 : name,
		       name);
	r = run(sqlite, sql);

	return r ? r : 1;
}
