#include "db/history_write.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/origin.h"
#include "broker/wire/utf8.h"
#include "db/db.h"
#include "db/history.h"
#include "db/history_days.h"
#include "db/history_topics.h"
#include "db/statement.h"

enum sql {
	SQL_TOPIC_FIND,
	SQL_TOPIC_ADD,
	SQL_ORIGIN_FIND,
	SQL_ORIGIN_ADD,
	SQL_COUNT_ROW,
	SQL_COUNT
};

static const char *const texts[SQL_COUNT] = {
	[SQL_TOPIC_FIND] = "SELECT id FROM topics WHERE topic = ?",
	[SQL_TOPIC_ADD] = "INSERT INTO topics (topic) VALUES (?) RETURNING id",
	[SQL_ORIGIN_FIND] = "SELECT id FROM origins"
			    " WHERE day = ? AND user = ? AND client = ?",
	[SQL_ORIGIN_ADD] =
		"INSERT INTO origins (day, user, client) VALUES (?, ?, ?)"
		" RETURNING id",
	[SQL_COUNT_ROW] = "INSERT INTO days (day, topic, samples, first, last)"
			  " VALUES (?1, ?2, 1, ?3, ?3) ON CONFLICT (day, topic)"
			  " DO UPDATE SET samples = samples + 1,"
			  " first = min(first, ?3), last = max(last, ?3)",
};

struct history_writer {
	struct sqlite3 *sqlite;
	struct history_policy policy;
	struct statement sql[SQL_COUNT];
	struct history_topics topics;
	struct message **rows; /* HISTORY_ROWS_MAX */
	size_t count;
	size_t bytes;
	uint64_t lost;
	bool untidy; /* something was written since it was tidied */

	/* The table rows go to at the moment. */
	uint32_t day;
	struct statement insert;

	/* Who published last, and its number: most rows have few origins. */
	struct origin *origin;
	int64_t origin_id;
};

static int run(struct history_writer *writer, const char *sql)
{
	return db_error(sqlite3_exec(writer->sqlite, sql, NULL, NULL, NULL));
}

uint32_t history_day(int64_t time)
{
	time_t seconds = (time_t)(time / 1000);
	struct tm tm;

	/* 1970 to 9999: four digits, and no time before the epoch. */
	if (time < 0 || time > 253402300799999 || !gmtime_r(&seconds, &tm))
		return 19700101;

	return (uint32_t)(tm.tm_year + 1900) * 10000 +
	       (uint32_t)(tm.tm_mon + 1) * 100 + (uint32_t)tm.tm_mday;
}

void history_table(uint32_t day, char out[HISTORY_TABLE_SIZE])
{
	(void)snprintf(out, HISTORY_TABLE_SIZE, "h_%08u", day);
}

int history_writer_open(struct db *db, const struct history_policy *policy,
			struct history_writer **out)
{
	struct history_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	writer->policy = *policy;
	writer->rows = calloc(HISTORY_ROWS_MAX, sizeof(struct message *));
	r = writer->rows ? 0 : -ENOMEM;
	if (!r)
		r = history_topics_init(&writer->topics, HISTORY_TOPICS_MAX);
	if (!r)
		r = db_connect(db, DB_HISTORY, false, &writer->sqlite);
	for (size_t i = 0; !r && i < SQL_COUNT; i++)
		r = statement_keep(&writer->sql[i], writer->sqlite, texts[i]);
	if (r) {
		history_writer_close(writer);
		return r;
	}

	*out = writer;
	return 0;
}

static void drop_rows(struct history_writer *writer, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		writer->bytes -= message_size(writer->rows[i]);
		message_unref(writer->rows[i]);
	}
	writer->count -= n;
	if (!writer->count)
		return;
	memmove(writer->rows, writer->rows + n,
		writer->count * sizeof(struct message *));
}

static void forget_origin(struct history_writer *writer)
{
	if (writer->origin)
		origin_unref(writer->origin);
	writer->origin = NULL;
}

void history_writer_close(struct history_writer *writer)
{
	if (!writer)
		return;
	drop_rows(writer, writer->count);
	forget_origin(writer);
	history_topics_free(&writer->topics);
	for (size_t i = 0; i < SQL_COUNT; i++)
		statement_close(&writer->sql[i]);
	statement_close(&writer->insert);
	sqlite3_close(writer->sqlite);
	free(writer->rows);
	free(writer);
}

static bool ends_in(struct slice topic, const char *end)
{
	size_t len = strlen(end);

	return topic.len >= len &&
	       memcmp(topic.data + topic.len - len, end, len) == 0;
}

/* By the policy; what it needs to know next time is noted. */
static bool wanted(struct history_writer *writer, const struct message *message)
{
	struct slice topic = message_topic(message);
	struct history_topic *known;
	uint64_t payload;
	int64_t since;

	if (ends_in(topic, "/set") || ends_in(topic, "/result"))
		return false;
	if (!writer->policy.min_interval_ms && !writer->policy.on_change)
		return true;
	known = history_topics_get(&writer->topics, topic);
	if (!known)
		return true;

	payload = hash_bytes(message_payload(message));
	since = message->time - known->last_time;
	if (known->seen && since >= 0 &&
	    since < (int64_t)writer->policy.min_interval_ms)
		return false;
	if (known->seen && writer->policy.on_change &&
	    payload == known->last_payload)
		return false;
	known->seen = true;
	known->last_time = message->time;
	known->last_payload = payload;

	return true;
}

void history_writer_put(struct history_writer *writer, struct message *message)
{
	if (!wanted(writer, message))
		return;
	while (writer->count &&
	       (writer->count == HISTORY_ROWS_MAX ||
		writer->bytes + message_size(message) > HISTORY_BYTES_MAX)) {
		drop_rows(writer, 1);
		writer->lost++;
	}

	writer->rows[writer->count++] = message_ref(message);
	writer->bytes += message_size(message);
}

size_t history_writer_rows(const struct history_writer *writer)
{
	return writer->count;
}

bool history_writer_full(const struct history_writer *writer)
{
	return writer->count >= HISTORY_ROWS || writer->bytes >= HISTORY_BYTES;
}

uint64_t history_writer_lost(struct history_writer *writer)
{
	uint64_t lost = writer->lost;

	writer->lost = 0;
	return lost;
}

/* The id that find gives for its bound parameters, or 0. */
static int find_id(struct statement *find, int64_t *id)
{
	int r = statement_step(find);

	*id = r > 0 ? statement_int_at(find, 0) : 0;
	statement_reset(find);

	return r < 0 ? r : 0;
}

/* The same for an INSERT with RETURNING, which must be run to its end. */
static int add_id(struct statement *add, int64_t *id)
{
	int r = statement_step(add);

	if (r > 0) {
		*id = statement_int_at(add, 0);
		r = statement_step(add);
	}
	statement_reset(add);

	return r;
}

static int topic_id(struct history_writer *writer, struct slice topic,
		    int64_t *id)
{
	struct history_topic *known =
		history_topics_get(&writer->topics, topic);
	int r;

	if (!known)
		return -ENOMEM;
	if (known->id) {
		*id = known->id;
		return 0;
	}

	statement_text_slice(&writer->sql[SQL_TOPIC_FIND], topic);
	r = find_id(&writer->sql[SQL_TOPIC_FIND], id);
	if (!r && !*id) {
		statement_text_slice(&writer->sql[SQL_TOPIC_ADD], topic);
		r = add_id(&writer->sql[SQL_TOPIC_ADD], id);
	}
	if (!r)
		known->id = *id;

	return r;
}

static void bind_origin(struct statement *s, uint32_t day,
			const struct origin *origin)
{
	statement_int(s, day);
	statement_text(s, origin->user);
	statement_text(s, origin->client_id);
}

static int origin_id(struct history_writer *writer, struct origin *origin,
		     int64_t *id)
{
	struct statement *find = &writer->sql[SQL_ORIGIN_FIND];
	struct statement *add = &writer->sql[SQL_ORIGIN_ADD];
	int r;

	if (origin == writer->origin) {
		*id = writer->origin_id;
		return 0;
	}

	bind_origin(find, writer->day, origin);
	r = find_id(find, id);
	if (!r && !*id) {
		bind_origin(add, writer->day, origin);
		r = add_id(add, id);
	}
	if (r)
		return r;

	forget_origin(writer);
	writer->origin = origin_ref(origin);
	writer->origin_id = *id;
	return 0;
}

static int use_day(struct history_writer *writer, uint32_t day)
{
	char table[HISTORY_TABLE_SIZE];
	char sql[128];
	int r;

	if (day == writer->day)
		return 0;

	r = history_days_add(writer->sqlite, day);
	if (r)
		return r;
	history_table(day, table);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT OR IGNORE INTO %s (id, topic, origin, payload)"
		       " VALUES (?, ?, ?, ?)",
		       table);
	statement_close(&writer->insert);
	r = statement_keep(&writer->insert, writer->sqlite, sql);
	writer->day = r ? 0 : day;
	forget_origin(writer);

	return r;
}

/* At most max bytes, and no half character at the end of a text. */
static struct slice cut(struct slice payload, size_t max)
{
	struct slice text = payload;

	if (payload.len <= max)
		return payload;
	text.len = max;
	for (int i = 0; i < 4; i++, text.len--) {
		if (utf8_valid(text))
			return text;
	}

	return slice_of(payload.data, max);
}

static int insert(struct history_writer *writer, const struct message *message,
		  int64_t topic, int64_t origin)
{
	struct slice payload =
		cut(message_payload(message), DB_HISTORY_PAYLOAD_MAX);
	int64_t time = message->time < 0 ? 0 : message->time;
	int64_t id = time << HISTORY_ID_SHIFT;
	struct statement *s = &writer->insert;
	int r;

	/* The first number that is free within the millisecond; when the clock
	 * was put back some are taken. */
	do {
		statement_int(s, id++);
		statement_int(s, topic);
		statement_int(s, origin);
		if (utf8_valid(payload))
			statement_text_slice(s, payload);
		else
			statement_blob(s, payload);
		r = statement_run(s);
	} while (!r && !sqlite3_changes(writer->sqlite));

	return r;
}

static int write_row(struct history_writer *writer,
		     const struct message *message)
{
	struct statement *count = &writer->sql[SQL_COUNT_ROW];
	uint32_t day = history_day(message->time);
	int64_t origin;
	int64_t topic;
	int r;

	r = use_day(writer, day);
	if (!r)
		r = topic_id(writer, message_topic(message), &topic);
	if (!r)
		r = origin_id(writer, message->origin, &origin);
	if (!r)
		r = insert(writer, message, topic, origin);
	if (r)
		return r;

	statement_int(count, day);
	statement_int(count, topic);
	statement_int(count, message->time < 0 ? 0 : message->time);

	return statement_run(count);
}

/* 0, or 1 when days were dropped. */
static int write_rows(struct history_writer *writer)
{
	int dropped = 0;
	int r;

	r = run(writer, "BEGIN IMMEDIATE");
	for (size_t i = 0; !r && i < writer->count; i++)
		r = write_row(writer, writer->rows[i]);
	if (!r)
		dropped = history_days_retain(writer->sqlite, writer->day,
					      writer->policy.days,
					      writer->policy.bytes);
	if (dropped < 0)
		r = dropped;
	if (!r)
		r = run(writer, "COMMIT");

	return r ? r : dropped;
}

/* What was learnt in a transaction that did not happen must be forgotten. */
static void undo(struct history_writer *writer)
{
	if (!sqlite3_get_autocommit(writer->sqlite))
		run(writer, "ROLLBACK");
	history_topics_forget_ids(&writer->topics);
	forget_origin(writer);
	statement_close(&writer->insert);
	writer->day = 0;
}

int history_writer_flush(struct history_writer *writer)
{
	int r;

	if (!writer->count)
		return 0;
	r = write_rows(writer);
	if (r < 0) {
		undo(writer);
		return r;
	}
	if (r > 0)
		history_topics_forget_ids(&writer->topics);

	drop_rows(writer, writer->count);
	writer->untidy = true;
	return 0;
}

int history_writer_tidy(struct history_writer *writer)
{
	int rc;
	int r;

	if (!writer->untidy || !writer->day)
		return 0;

	r = history_days_index_one(writer->sqlite, writer->day);
	if (r)
		return r;
	rc = sqlite3_wal_checkpoint_v2(writer->sqlite, "main",
				       SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	writer->untidy = false;

	return db_error(rc);
}
