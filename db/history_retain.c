#include "db/history_retain.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/history_rules.h"
#include "db/db.h"
#include "db/history_budget.h"
#include "db/history_days.h"
#include "db/history_table.h"
#include "db/statement.h"

/* Bytes that moving a row costs, at most in the ordinary case. */
#define ROW_BYTES 128

/* One topic of one day, of which less is wanted than there is. */
struct victim {
	uint32_t day;
	int64_t topic;
	uint64_t keep; /* so many rows, the newest */
};

struct retention {
	struct sqlite3 *sqlite;
	const struct history_rules *rules;
	const struct history_budget *budget;
	uint32_t day;
	uint32_t *days; /* that have a table, the newest first */
	size_t day_count;
	struct victim *victims;
	size_t count;
	size_t max;
};

static int add(struct retention *t, const struct victim *victim)
{
	if (t->count == t->max) {
		size_t max = t->max ? 2 * t->max : 64;
		struct victim *grown =
			realloc(t->victims, max * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->victims = grown;
		t->max = max;
	}
	t->victims[t->count++] = *victim;

	return 0;
}

/* How many days with a table came after it, the one being written among them. */
static size_t age(const struct retention *t, uint32_t day)
{
	size_t i = 0;

	if (day == t->day)
		return 0;
	while (i < t->day_count && t->days[i] > day)
		i++;

	return i + (t->day < day);
}

struct wants {
	uint32_t days;
	uint64_t rows; /* left, of those not yet seen */
};

static struct wants wants_of(const struct retention *t, struct slice topic)
{
	const struct history_policy *policy =
		history_rules_find(t->rules, topic);
	struct wants wants = {
		.days = history_rules_limits(t->rules).days,
		.rows = UINT64_MAX,
	};

	if (policy && policy->days)
		wants.days = policy->days;
	if (policy && policy->rows)
		wants.rows = policy->rows;

	return wants;
}

static int judge(struct retention *t, const struct victim *entry,
		 struct wants *wants)
{
	struct victim victim = *entry;

	if (age(t, entry->day) > wants->days)
		victim.keep = 0;
	else if (wants->rows < entry->keep)
		victim.keep = wants->rows;
	wants->rows -= victim.keep;

	return victim.keep < entry->keep ? add(t, &victim) : 0;
}

static int find_victims(struct retention *t)
{
	struct wants wants = { 0 };
	struct statement s;
	int64_t topic = 0;
	int r;

	statement_open(&s, t->sqlite,
		       "SELECT d.topic, d.day, d.samples, t.topic"
		       " FROM days d JOIN topics t ON t.id = d.topic"
		       " ORDER BY d.topic, d.day DESC");
	while ((r = statement_step(&s)) > 0) {
		struct victim entry = {
			.topic = statement_int_at(&s, 0),
			.day = (uint32_t)statement_int_at(&s, 1),
			.keep = (uint64_t)statement_int_at(&s, 2),
		};

		if (entry.topic != topic)
			wants = wants_of(t, statement_bytes_at(&s, 3));
		topic = entry.topic;
		r = judge(t, &entry, &wants);
		if (r)
			break;
	}
	statement_close(&s);

	return r < 0 ? r : 0;
}

/* The time from which on the newest rows are, so many of a topic. */
static int find_first(struct retention *t, const struct victim *victim,
		      int64_t *first)
{
	char table[HISTORY_TABLE_SIZE];
	struct statement s;
	char sql[128];
	int r;

	history_table(victim->day, table);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT id FROM %s WHERE topic = ?"
		       " ORDER BY id DESC LIMIT 1 OFFSET ?",
		       table);
	statement_open(&s, t->sqlite, sql);
	statement_int(&s, victim->topic);
	statement_int(&s, (int64_t)victim->keep - 1);
	r = statement_step(&s);
	if (r > 0)
		*first = statement_int_at(&s, 0) >> HISTORY_ID_SHIFT;
	statement_close(&s);

	return r;
}

static int hide(struct retention *t, const struct victim *victim)
{
	struct statement s;
	int64_t first = 0;
	int r;

	if (!victim->keep) {
		statement_open(&s, t->sqlite,
			       "DELETE FROM days WHERE day = ? AND topic = ?");
		statement_int(&s, victim->day);
		statement_int(&s, victim->topic);
		return statement_finish(&s);
	}
	r = find_first(t, victim, &first);
	if (r <= 0)
		return r;
	statement_open(&s, t->sqlite,
		       "UPDATE days SET samples = ?, first = ?"
		       " WHERE day = ? AND topic = ?");
	statement_int(&s, (int64_t)victim->keep);
	statement_int(&s, first);
	statement_int(&s, victim->day);
	statement_int(&s, victim->topic);

	return statement_finish(&s);
}

/* A fresh table with what is wanted takes the place of a day's. */
static int write_anew(struct sqlite3 *sqlite, uint32_t day)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
		       "ALTER TABLE h_%08u RENAME TO old_%08u", day, day);
	if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL))
		return db_error(sqlite3_extended_errcode(sqlite));
	if (history_days_add(sqlite, day))
		return db_error(sqlite3_extended_errcode(sqlite));
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO h_%08u SELECT h.* FROM old_%08u h JOIN days"
		       " d ON d.day = %u AND d.topic = h.topic"
		       " AND h.id >= d.first << 12 ORDER BY h.id;"
		       "DROP TABLE old_%08u",
		       day, day, day, day);

	return db_error(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

/* 1: dropped or written anew. */
static int shrink(struct retention *t, uint32_t day)
{
	int64_t wanted;
	int64_t rows;
	char sql[128];
	int r;

	if (day == t->day)
		return 0;
	(void)snprintf(sql, sizeof(sql),
		       "SELECT sum(samples) FROM days WHERE day = %u"
		       " AND topic > 0",
		       day);
	r = history_days_ask(t->sqlite, sql, &wanted);
	if (r)
		return r;
	if (!wanted) {
		r = history_days_drop(t->sqlite, day);
		return r ? r : 1;
	}
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM h_%08u", day);
	r = history_days_ask(t->sqlite, sql, &rows);
	if (r || 2 * wanted >= rows ||
	    !history_budget_rest(t->budget, (uint64_t)wanted * ROW_BYTES))
		return r;
	r = write_anew(t->sqlite, day);

	return r ? r : 1;
}

static int by_day(const void *a, const void *b)
{
	const struct victim *left = a;
	const struct victim *right = b;

	return (left->day > right->day) - (left->day < right->day);
}

static int apply(struct retention *t)
{
	int dropped = 0;
	int r = 0;

	for (size_t i = 0; !r && i < t->count; i++)
		r = hide(t, &t->victims[i]);
	if (t->count)
		qsort(t->victims, t->count, sizeof(*t->victims), by_day);
	for (size_t i = 0; r >= 0 && i < t->count; i++) {
		if (i && t->victims[i].day == t->victims[i - 1].day)
			continue;
		r = shrink(t, t->victims[i].day);
		dropped |= r > 0;
	}

	return r < 0 ? r : dropped;
}

int history_retain(struct sqlite3 *sqlite, const struct history_rules *rules,
		   const struct history_budget *budget, uint32_t day)
{
	struct retention t = {
		.sqlite = sqlite,
		.rules = rules,
		.budget = budget,
		.day = day,
	};
	int averages;
	int r;

	r = history_days_list(sqlite, &t.days, &t.day_count);
	if (!r)
		r = find_victims(&t);
	if (!r)
		r = apply(&t);
	free(t.days);
	free(t.victims);
	if (r < 0)
		return r;
	averages = history_days_drop_averages(sqlite);

	return averages < 0 ? averages : r || averages;
}
