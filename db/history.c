#include "db/history.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "broker/base/buffer.h"
#include "db/db.h"
#include "db/history_average.h"
#include "db/history_reader.h"
#include "db/history_table.h"
#include "db/statement.h"

/* 9999-12-31: later days have no table. */
#define TIME_MAX 253402300799999

/* Longest number looked at: a double has 24 characters, with some to spare. */
#define NUMBER_MAX 64

/* Payload, user name and client identifier of every row of the largest answer,
 * all as long as can be, would be gigabytes; so much is enough for charts. */
#define TEXT_MAX ((size_t)32 * 1024 * 1024)

struct db_history {
	struct sqlite3 *sqlite;
};

int db_history_open(struct db *db, struct db_history **out)
{
	struct db_history *history = calloc(1, sizeof(*history));
	int r;

	if (!history)
		return -ENOMEM;
	r = db_connect(db, DB_HISTORY, true, &history->sqlite);
	if (!r)
		r = history_average_functions(history->sqlite);
	if (r) {
		db_history_close(history);
		return r;
	}

	*out = history;
	return 0;
}

void db_history_close(struct db_history *history)
{
	if (!history)
		return;
	sqlite3_close(history->sqlite);
	free(history);
}

struct sqlite3 *history_reader_sqlite(struct db_history *history)
{
	return history->sqlite;
}

int history_reader_begin(struct db_history *history)
{
	return db_error(
		sqlite3_exec(history->sqlite, "BEGIN", NULL, NULL, NULL));
}

void history_reader_end(struct db_history *history)
{
	/* Nothing was changed; there is nothing to lose. */
	sqlite3_exec(history->sqlite, "COMMIT", NULL, NULL, NULL);
}

static int measure_topics(struct db_history *history, size_t *count,
			  size_t *text)
{
	struct statement s;
	int r;

	statement_open(&s, history->sqlite,
		       "SELECT count(*), total(octets) FROM"
		       " (SELECT length(CAST(topic AS BLOB)) + 1 AS octets"
		       " FROM topics WHERE id IN (SELECT topic FROM days))");
	r = statement_step(&s);
	*count = r > 0 ? (size_t)statement_int_at(&s, 0) : 0;
	*text = r > 0 ? (size_t)statement_int_at(&s, 1) : 0;
	statement_close(&s);

	return r < 0 ? r : 0;
}

static int read_topics(struct db_history *history,
		       struct db_history_topic *topics, size_t count,
		       char *text, size_t room)
{
	struct statement s;
	size_t n = 0;
	int r = 0;

	statement_open(&s, history->sqlite,
		       "SELECT t.topic, sum(d.samples), min(d.first),"
		       " max(d.last) FROM days d JOIN topics t ON t.id ="
		       " d.topic GROUP BY t.id ORDER BY t.topic");
	while (n < count && (r = statement_step(&s)) > 0) {
		size_t len = statement_bytes_at(&s, 0).len;

		if (!statement_copy_at(&s, 0, text, room)) {
			r = -EBADMSG;
			break;
		}
		topics[n].topic = text;
		topics[n].samples = (uint64_t)statement_int_at(&s, 1);
		topics[n].first = statement_int_at(&s, 2);
		topics[n].last = statement_int_at(&s, 3);
		text += len + 1;
		room -= len + 1;
		n++;
	}
	statement_close(&s);

	return r < 0 ? r : 0;
}

static int topics(struct db_history *history, struct db_history_topic **out,
		  size_t *count)
{
	struct db_history_topic *list;
	size_t text;
	int r;

	r = measure_topics(history, count, &text);
	if (r)
		return r;
	list = calloc(1, *count * sizeof(*list) + text + 1);
	if (!list)
		return -ENOMEM;
	r = read_topics(history, list, *count, (char *)(list + *count), text);
	if (r) {
		free(list);
		return r;
	}

	*out = list;
	return 0;
}

int db_history_topics(struct db_history *history, struct db_history_topic **out,
		      size_t *count)
{
	int r = history_reader_begin(history);

	if (r)
		return r;
	r = topics(history, out, count);
	history_reader_end(history);

	return r;
}

bool db_history_value(struct slice payload, double *out)
{
	static const struct {
		const char *word;
		double value;
	} words[] = {
		{ "ON", 1 },
		{ "OFF", 0 },
		{ "true", 1 },
		{ "false", 0 },
	};
	char text[NUMBER_MAX];
	char *rest;

	if (!payload.len || payload.len >= sizeof(text))
		return false;
	memcpy(text, payload.data, payload.len);
	text[payload.len] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*out = words[i].value;
			return strlen(text) == payload.len;
		}
	}

	/* strtod() would take hexadecimal, infinity and leading blanks too. */
	if (text[strspn(text, "0123456789+-.eE")] ||
	    strlen(text) != payload.len)
		return false;
	*out = strtod(text, &rest);

	return rest != text && !*rest && isfinite(*out);
}

/* An answer being gathered. Offsets into text become pointers at the end,
 * because text moves while it grows. */
struct row {
	uint64_t id;
	size_t payload;
	size_t payload_len;
	size_t user;
	size_t client;
	size_t address;
	bool binary;
};

struct gathering {
	struct row *rows;
	size_t count;
	size_t max;
	struct buffer text;
	int64_t origin; /* whose texts the last row has */
};

/* With a NUL behind it. */
static int add_text(struct gathering *g, struct slice text, size_t *offset)
{
	int r = buffer_reserve(&g->text, text.len + 1);

	if (r)
		return r;
	*offset = g->text.len;
	r = buffer_append(&g->text, text.data, text.len);

	return r ? r : buffer_append(&g->text, "", 1);
}

static int add_row(struct gathering *g, const struct statement *s)
{
	int64_t origin = statement_int_at(s, 2);
	struct row *row = &g->rows[g->count];
	struct slice payload = statement_bytes_at(s, 1);
	int r;

	row->id = (uint64_t)statement_int_at(s, 0);
	row->binary = !statement_text_at(s, 1);
	row->payload_len = payload.len;
	r = add_text(g, payload, &row->payload);
	if (!r && g->count && origin == g->origin) {
		row->user = row[-1].user;
		row->client = row[-1].client;
		row->address = row[-1].address;
	} else if (!r) {
		r = add_text(g, statement_bytes_at(s, 3), &row->user);
		if (!r)
			r = add_text(g, statement_bytes_at(s, 4), &row->client);
		if (!r)
			r = add_text(g, statement_bytes_at(s, 5),
				     &row->address);
	}
	if (r)
		return r;

	g->origin = origin;
	g->count++;
	return 0;
}

/* The lowest and highest id asked for. */
struct range {
	int64_t first;
	int64_t last;
};

static struct range range_of(const struct db_history_query *query)
{
	int64_t from = query->from < 0 ? 0 : query->from;
	int64_t to = query->to > TIME_MAX ? TIME_MAX : query->to;
	struct range range = {
		.first = from > TIME_MAX ? INT64_MAX : from << HISTORY_ID_SHIFT,
		.last = to < 0 ? -1 : ((to + 1) << HISTORY_ID_SHIFT) - 1,
	};

	if (query->after >= INT64_MAX)
		range.first = INT64_MAX;
	else if (query->after && range.first <= (int64_t)query->after)
		range.first = (int64_t)query->after + 1;

	return range;
}

static int gather_day(struct db_history *history, uint32_t day, int64_t topic,
		      const struct range *range, struct gathering *g)
{
	char table[HISTORY_TABLE_SIZE];
	struct statement s;
	char sql[256];
	int r = 0;

	history_table(day, table);
	(void)snprintf(
		sql, sizeof(sql),
		"SELECT h.id, h.payload, h.origin, o.user, o.client, o.address"
		" FROM %s h LEFT JOIN origins o ON o.id = h.origin"
		" WHERE h.topic = ? AND h.id BETWEEN ? AND ? ORDER BY h.id",
		table);
	statement_open(&s, history->sqlite, sql);
	statement_int(&s, topic);
	statement_int(&s, range->first);
	statement_int(&s, range->last);
	while (g->count < g->max && (r = statement_step(&s)) > 0) {
		r = add_row(g, &s);
		if (r)
			break;
	}
	statement_close(&s);

	/* Text without end: what is there is the answer, and there is more. */
	if (r == -ENOBUFS && g->count) {
		g->max = g->count;
		r = 0;
	}
	return r < 0 ? r : 0;
}

/* From day to day until there is enough; only days that hold the topic. */
static int gather(struct db_history *history, struct slice topic,
		  const struct range *range, struct gathering *g)
{
	struct statement s;
	int r = 0;

	statement_open(
		&s, history->sqlite,
		"SELECT d.day, d.topic, d.first FROM days d JOIN topics t"
		" ON t.id = d.topic WHERE t.topic = ?"
		" AND d.day BETWEEN ? AND ? ORDER BY d.day");
	statement_text_slice(&s, topic);
	statement_int(&s, history_day(range->first >> HISTORY_ID_SHIFT));
	statement_int(&s, history_day(range->last >> HISTORY_ID_SHIFT));
	while (g->count < g->max && (r = statement_step(&s)) > 0) {
		struct range kept = *range;
		int64_t first = statement_int_at(&s, 2) << HISTORY_ID_SHIFT;

		/* What is older is there no more, by its policy. */
		if (kept.first < first)
			kept.first = first;
		r = gather_day(history, (uint32_t)statement_int_at(&s, 0),
			       statement_int_at(&s, 1), &kept, g);
		if (r)
			break;
	}
	statement_close(&s);

	return r < 0 ? r : 0;
}

static struct db_history_samples *assemble(const struct gathering *g,
					   size_t limit)
{
	size_t count = g->count > limit ? limit : g->count;
	size_t head = sizeof(struct db_history_samples) +
		      count * sizeof(struct db_history_sample);
	struct db_history_samples *out = calloc(1, head + g->text.len);
	char *text;

	if (!out)
		return NULL;
	text = (char *)out + head;
	if (g->text.len)
		memcpy(text, g->text.data, g->text.len);
	out->count = count;
	/* One more was asked for than is wanted. */
	out->more = g->count == g->max && g->count > 0 &&
		    (g->count > limit || g->max <= limit);
	for (size_t i = 0; i < count; i++) {
		struct db_history_sample *sample = &out->samples[i];
		const struct row *row = &g->rows[i];

		sample->cursor = row->id;
		sample->time = (int64_t)(row->id >> HISTORY_ID_SHIFT);
		sample->payload =
			slice_of(text + row->payload, row->payload_len);
		sample->binary = row->binary;
		sample->user = text + row->user;
		sample->client = text + row->client;
		sample->address = text + row->address;
		sample->has_value =
			db_history_value(sample->payload, &sample->value);
	}

	return out;
}

int db_history_samples(struct db_history *history,
		       const struct db_history_query *query,
		       struct db_history_samples **out)
{
	struct range range = range_of(query);
	struct gathering g = { .max = query->limit + 1 };
	int r = -EINVAL;

	if (!query->limit || query->limit > DB_HISTORY_LIMIT_MAX)
		return r;
	buffer_init(&g.text, TEXT_MAX);
	g.rows = calloc(g.max, sizeof(*g.rows));
	r = g.rows ? history_reader_begin(history) : -ENOMEM;
	if (r)
		goto out;

	if (range.first <= range.last)
		r = gather(history, query->topic, &range, &g);
	history_reader_end(history);
	if (!r) {
		*out = assemble(&g, query->limit);
		r = *out ? 0 : -ENOMEM;
	}
out:
	free(g.rows);
	buffer_free(&g.text);
	return r;
}
