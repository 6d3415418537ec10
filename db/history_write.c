#include "db/history_write.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "db/db.h"
#include "db/history_average.h"
#include "db/history_budget.h"
#include "db/history_days.h"
#include "db/history_insert.h"
#include "db/history_names.h"
#include "db/history_queue.h"
#include "db/history_retain.h"
#include "db/history_shrink.h"
#include "db/history_table.h"
#include "db/statement.h"

/* A page of history.db in the WAL, and again when it is copied. */
#define PAGE_BYTES (2 * 4096 + 24)

/* About what a row costs besides its payload, and a commit however small. */
#define ROW_BYTES 32
#define COMMIT_BYTES (4 * PAGE_BYTES)

/* Averaging some hours of 100 sensors; without so much left they wait. */
#define AVERAGE_BYTES (48 * PAGE_BYTES)
#define AVERAGE_HOURS 6 /* in one transaction: some 10 ms */

/* What indexing a row costs: topic and id, in the WAL and copied. */
#define INDEX_BYTES 32

static const char count_row[] =
	"INSERT INTO days (day, topic, samples, first, last)"
	" VALUES (?1, ?2, 1, ?3, ?3) ON CONFLICT (day, topic)"
	" DO UPDATE SET samples = samples + 1,"
	" first = min(first, ?3), last = max(last, ?3)";

struct history_writer {
	struct sqlite3 *sqlite;
	struct history_rules *rules; /* NULL: keep all */
	uint64_t rules_serial; /* counts them; never 0 */
	uint64_t max_bytes;
	struct history_names names;
	struct history_average average;
	struct history_budget budget;
	bool waiting; /* for the budget */
	bool held_back; /* have waited for it since the last rows were written */
	struct statement count_row;
	struct history_queue queue;
	uint64_t thinned;
	bool untidy; /* something was written since it was tidied */
	int64_t retained; /* the hour it was looked what is over; -1: never */
	struct history_insert insert;
};

static int run(struct history_writer *writer, const char *sql)
{
	return db_error(sqlite3_exec(writer->sqlite, sql, NULL, NULL, NULL));
}

void history_writer_set_rules(struct history_writer *writer,
			      struct history_rules *rules)
{
	if (rules)
		history_rules_ref(rules);
	history_rules_unref(writer->rules);
	writer->rules = rules;
	writer->rules_serial++;
	writer->average.rules = rules;
	writer->budget.limit = history_rules_limits(rules).budget;
	writer->retained = -1;
}

int history_writer_open(struct db *db,
			const struct history_writer_options *options,
			struct history_writer **out)
{
	struct history_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	history_writer_set_rules(writer, options->rules);
	writer->max_bytes = options->bytes;
	r = history_queue_init(&writer->queue);
	if (!r)
		r = db_connect(db, DB_HISTORY, false, &writer->sqlite);
	history_insert_init(&writer->insert, writer->sqlite);
	if (!r)
		r = history_names_init(&writer->names, writer->sqlite);
	if (!r)
		r = history_average_init(&writer->average, writer->sqlite);
	if (!r)
		r = statement_keep(&writer->count_row, writer->sqlite,
				   count_row);
	if (r) {
		history_writer_close(writer);
		return r;
	}

	*out = writer;
	return 0;
}

void history_writer_close(struct history_writer *writer)
{
	if (!writer)
		return;
	history_queue_free(&writer->queue);
	history_names_free(&writer->names);
	history_average_free(&writer->average);
	history_rules_unref(writer->rules);
	statement_close(&writer->count_row);
	history_insert_close(&writer->insert);
	sqlite3_close(writer->sqlite);
	free(writer);
}

/* ---- what is kept -------------------------------------------------------- */

static const struct history_policy keep_all = { .keep = true,
						.averages = true };

static const struct history_policy *policy_of(struct history_writer *writer,
					      struct history_topic *known,
					      struct slice topic)
{
	const struct history_policy *policy = &keep_all;

	if (known && known->rules == writer->rules_serial)
		return &known->policy;
	if (writer->rules)
		policy = history_rules_find(writer->rules, topic);
	if (known && policy) {
		known->policy = *policy;
		known->rules = writer->rules_serial;
	}

	return policy;
}

/* By the policy; what it needs to know next time is noted. */
static bool wanted(struct history_writer *writer, const struct message *message)
{
	struct slice topic = message_topic(message);
	struct history_topic *known =
		history_topics_get(&writer->names.topics, topic);
	const struct history_policy *policy = policy_of(writer, known, topic);
	uint32_t thin = history_budget_interval(
		&writer->budget, writer->waiting ? writer->queue.count : 0);
	uint64_t payload;
	int64_t since;

	if (!policy || !policy->keep)
		return false;
	if (!known || (!policy->min_interval_ms && !policy->on_change && !thin))
		return true;

	payload = hash_bytes(message_payload(message));
	since = message->time - known->last_time;
	if (known->seen && since >= 0 && since < policy->min_interval_ms)
		return false;
	if (known->seen && policy->on_change && payload == known->last_payload)
		return false;
	if (known->seen && since >= 0 && since < thin) {
		writer->thinned++;
		return false;
	}
	known->seen = true;
	known->last_time = message->time;
	known->last_payload = payload;

	return true;
}

void history_writer_put(struct history_writer *writer, struct message *message)
{
	if (wanted(writer, message))
		history_queue_put(&writer->queue, message);
}

size_t history_writer_rows(const struct history_writer *writer)
{
	return writer->queue.count;
}

bool history_writer_full(const struct history_writer *writer)
{
	return writer->queue.count >= HISTORY_ROWS ||
	       writer->queue.bytes >= HISTORY_BYTES;
}

void history_writer_counts(const struct history_writer *writer,
			   struct history_counts *out)
{
	*out = (struct history_counts){
		.lost = writer->queue.lost,
		.thinned = writer->thinned,
		.written = writer->budget.rows + writer->budget.rest,
		.budget = writer->budget.limit,
	};
}

/* ---- the budget ---------------------------------------------------------- */

/* Pages that went to the WAL since it was asked last, in bytes. */
static uint64_t take_written(struct history_writer *writer)
{
	int pages = 0;
	int most;

	sqlite3_db_status(writer->sqlite, SQLITE_DBSTATUS_CACHE_WRITE, &pages,
			  &most, 1);
	return pages > 0 ? (uint64_t)pages * PAGE_BYTES : 0;
}

/* What was written this day before this process. */
static void begin_day(struct history_writer *writer, uint32_t day)
{
	uint64_t rows = 0;
	uint64_t rest = 0;
	struct statement s;

	statement_open(&s, writer->sqlite,
		       "SELECT samples, first FROM days"
		       " WHERE day = ? AND topic = 0");
	statement_int(&s, day);
	if (statement_step(&s) > 0) {
		rows = (uint64_t)statement_int_at(&s, 0);
		rest = (uint64_t)statement_int_at(&s, 1);
	}
	statement_close(&s);
	history_budget_day(&writer->budget, day, rows, rest);
}

static void use_budget(struct history_writer *writer, int64_t now)
{
	uint32_t day = history_day(now);
	if (day != writer->budget.day)
		begin_day(writer, day);
}

uint64_t history_writer_wait(struct history_writer *writer, int64_t now)
{
	uint64_t wait;

	use_budget(writer, now);
	wait = history_budget_wait(&writer->budget, now,
				   2 * writer->queue.bytes +
					   writer->queue.count * ROW_BYTES +
					   COMMIT_BYTES);
	writer->waiting = wait > 0;
	writer->held_back |= writer->waiting;
	return wait;
}

/* So that a restart does not begin anew. Of the transaction itself nothing is
 * known yet: that comes with the next. */
static int save_budget(struct history_writer *writer)
{
	struct statement s;

	statement_open(&s, writer->sqlite,
		       "INSERT INTO days (day, topic, samples, first, last)"
		       " VALUES (?1, 0, ?2, ?3, 0) ON CONFLICT (day, topic)"
		       " DO UPDATE SET samples = ?2, first = ?3");
	statement_int(&s, writer->budget.day);
	statement_int(&s, (int64_t)writer->budget.rows);
	statement_int(&s, (int64_t)writer->budget.rest);

	return statement_finish(&s);
}

/* ---- writing ------------------------------------------------------------- */

static int write_row(struct history_writer *writer,
		     const struct message *message)
{
	struct statement *count = &writer->count_row;
	const int64_t time =
		history_ids_time(&writer->insert.ids, message->time);
	uint32_t day = history_day(time);
	int64_t origin;
	int64_t topic;
	int r;

	r = history_insert_day(&writer->insert, day);
	if (!r)
		r = history_names_topic(&writer->names, message_topic(message),
					&topic);
	if (!r)
		r = history_names_origin(&writer->names, day, message->origin,
					 &origin);
	if (!r)
		r = history_average_mark(&writer->average, time);
	if (!r)
		r = history_insert_row(&writer->insert, message, time, topic,
				       origin);
	if (r)
		return r;

	statement_int(count, day);
	statement_int(count, topic);
	statement_int(count, time);

	return statement_run(count);
}

/* 1: something was dropped. */
static int drop_old(struct history_writer *writer, int64_t hour)
{
	int fitted;
	int r = 0;

	if (hour != writer->retained)
		r = history_retain(writer->sqlite, writer->rules,
				   &writer->budget, writer->insert.day);
	if (r < 0)
		return r;
	fitted = history_days_fit(writer->sqlite, writer->insert.day,
				  writer->max_bytes);

	return fitted < 0 ? fitted : r || fitted;
}

/* 0, or 1 when something was dropped. */
static int write_rows(struct history_writer *writer, int64_t hour)
{
	int dropped = 0;
	int r;

	r = run(writer, "BEGIN IMMEDIATE");
	for (size_t i = 0; !r && i < writer->queue.count; i++)
		r = write_row(writer, writer->queue.rows[i]);
	if (!r)
		r = save_budget(writer);
	if (!r)
		dropped = drop_old(writer, hour);
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
	history_names_forget(&writer->names);
	history_average_forget(&writer->average);
	history_insert_forget(&writer->insert);
}

int history_writer_flush(struct history_writer *writer, int64_t now)
{
	int64_t hour = now / HISTORY_HOUR_MS;
	int r;

	if (!writer->queue.count)
		return 0;
	use_budget(writer, now);
	r = write_rows(writer, hour);
	writer->budget.rows += take_written(writer);
	if (r < 0) {
		undo(writer);
		return r;
	}
	if (r > 0)
		history_names_forget(&writer->names);
	history_budget_wrote(&writer->budget,
			     writer->held_back ? writer->queue.count : 0);
	writer->held_back = false;
	history_queue_drop(&writer->queue, writer->queue.count);
	writer->retained = hour;
	writer->untidy = true;
	return 0;
}

void history_writer_watch(struct history_writer *writer,
			  const atomic_uint *replays)
{
	writer->insert.ids.replays = replays;
}

int history_writer_mark(struct history_writer *writer, int64_t *end)
{
	return history_ids_mark(&writer->insert.ids, writer->sqlite, end);
}

struct message *const *
history_writer_waiting(const struct history_writer *writer, size_t *count)
{
	*count = writer->queue.count;
	return writer->queue.rows;
}

/* ---- when there is time -------------------------------------------------- */

static int average_some(struct history_writer *writer, int64_t now)
{
	/* Rows of an hour that is over may still wait. */
	const int64_t before = history_queue_oldest(&writer->queue, now);
	int done = 1;
	int r;

	if (!history_budget_rest(&writer->budget, AVERAGE_BYTES))
		return 0;
	r = run(writer, "BEGIN IMMEDIATE");
	if (r)
		return r;
	for (int i = 0; done > 0 && i < AVERAGE_HOURS; i++)
		done = history_average_next(&writer->average, before);
	r = done < 0 ? done : run(writer, "COMMIT");
	if (r) {
		undo(writer);
		return r;
	}

	return done;
}

static int index_one(struct history_writer *writer, int64_t now)
{
	const uint32_t today = history_day(now);
	uint64_t rows;
	int r;

	r = history_days_unindexed(writer->sqlite, today, &rows);
	if (r || !rows ||
	    !history_budget_rest(&writer->budget, rows * INDEX_BYTES))
		return r;

	return history_days_index_one(writer->sqlite, today);
}

int history_writer_shrink(struct history_writer *writer)
{
	const uint32_t day = writer->insert.day ? writer->insert.day
						: history_day(clock_wall_ms());
	int r = history_shrink(writer->sqlite, day);

	if (r)
		undo(writer);

	return r;
}

int history_writer_tidy(struct history_writer *writer, int64_t now)
{
	int rc;
	int r;

	if (!writer->untidy)
		return 0;

	use_budget(writer, now);
	r = average_some(writer, now);
	if (!r)
		r = index_one(writer, now);
	writer->budget.rest += take_written(writer);
	if (r)
		return r;
	rc = sqlite3_wal_checkpoint_v2(writer->sqlite, "main",
				       SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	writer->untidy = false;

	return db_error(rc);
}
