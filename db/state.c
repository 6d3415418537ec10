#include "db/state.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "broker/origin.h"
#include "db/db.h"
#include "db/state_load.h"
#include "db/statement.h"

enum sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_SESSION_SAVE,
	SQL_SESSION_REMOVE,
	SQL_SESSION_SUBSCRIPTIONS_REMOVE,
	SQL_SESSION_INBOUND_REMOVE,
	SQL_SUBSCRIPTION_SAVE,
	SQL_SUBSCRIPTION_REMOVE,
	SQL_MESSAGE_SAVE,
	SQL_MESSAGE_REMOVE,
	SQL_MESSAGES_REMOVE,
	SQL_QUEUE_SAVE,
	SQL_QUEUE_REMOVE,
	SQL_INBOUND_ADD,
	SQL_INBOUND_REMOVE,
	SQL_RETAINED_SAVE,
	SQL_RETAINED_REMOVE,
	SQL_WILL_SAVE,
	SQL_WILL_REMOVE,
	SQL_PAGES,
	SQL_PAGES_FREE,
	SQL_PAGES_MOST,
	SQL_COUNT
};

static const char *const texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_SESSION_SAVE] =
		"REPLACE INTO sessions (id, client, user, expiry, version)"
		" VALUES (?, ?, ?, ?, ?)",
	[SQL_SESSION_REMOVE] = "DELETE FROM sessions WHERE id = ?",
	[SQL_SESSION_SUBSCRIPTIONS_REMOVE] =
		"DELETE FROM subscriptions WHERE session = ?",
	[SQL_SESSION_INBOUND_REMOVE] = "DELETE FROM inbound WHERE session = ?",
	[SQL_SUBSCRIPTION_SAVE] =
		"REPLACE INTO subscriptions"
		" (session, filter, options, identifier) VALUES (?, ?, ?, ?)",
	[SQL_SUBSCRIPTION_REMOVE] =
		"DELETE FROM subscriptions WHERE session = ? AND filter = ?",
	[SQL_MESSAGE_SAVE] =
		"REPLACE INTO messages"
		" (id, time, expires, remaining, qos, user, client, address,"
		" properties, payload, topic, retain)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_MESSAGE_REMOVE] = "DELETE FROM messages WHERE id = ?",
	[SQL_MESSAGES_REMOVE] = "DELETE FROM messages WHERE id BETWEEN ? AND ?",
	[SQL_QUEUE_SAVE] =
		"REPLACE INTO queue (session, seq, message, packet_id, state,"
		" qos, retain, share, identifiers)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_QUEUE_REMOVE] = "DELETE FROM queue WHERE session = ? AND seq = ?"
			     " AND message = ?",
	[SQL_INBOUND_ADD] =
		"REPLACE INTO inbound (session, packet_id) VALUES (?, ?)",
	[SQL_INBOUND_REMOVE] =
		"DELETE FROM inbound WHERE session = ? AND packet_id = ?",
	[SQL_RETAINED_SAVE] =
		"REPLACE INTO retained"
		" (id, time, expires, remaining, qos, user, client, address,"
		" properties, payload, topic)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_RETAINED_REMOVE] = "DELETE FROM retained WHERE topic = ?",
	[SQL_WILL_SAVE] =
		"REPLACE INTO wills (session, delay, expiry, qos, retain, user,"
		" client, address, properties, payload, topic)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_WILL_REMOVE] = "DELETE FROM wills WHERE session = ?",
	[SQL_PAGES] = "PRAGMA page_count",
	[SQL_PAGES_FREE] = "PRAGMA freelist_count",
	[SQL_PAGES_MOST] = "PRAGMA max_page_count",
};

struct state {
	struct db *db;
	struct sqlite3 *sqlite;
	size_t page_size;
	size_t wal_bytes;
	size_t wal_pages; /* in it after the last commit; 0 at a checkpoint */
	size_t room; /* pages that may be written before it can be crowded */
	struct statement sql[SQL_COUNT];
};

/* Called after each commit with what the WAL then holds. */
static int note_wal(void *arg, struct sqlite3 *sqlite, const char *name,
		    int pages)
{
	struct state *state = arg;
	const size_t now = (size_t)pages;
	const size_t written =
		now > state->wal_pages ? now - state->wal_pages : now;

	(void)sqlite;
	(void)name;
	state->wal_bytes = now * state->page_size;
	state->wal_pages = now;
	/* The file has not grown by more. */
	state->room -= written < state->room ? written : state->room;

	return SQLITE_OK;
}

int state_open(struct db *db, struct state **out)
{
	struct state *state = calloc(1, sizeof(*state));
	int r;

	if (!state)
		return -ENOMEM;
	state->db = db;
	/* What db.c makes the file with; a file from elsewhere only has its WAL
	 * bytes counted a little wrong. */
	state->page_size = 2048;

	r = db_connect(db, DB_STATE, false, &state->sqlite);
	for (size_t i = 0; !r && i < SQL_COUNT; i++)
		r = statement_keep(&state->sql[i], state->sqlite, texts[i]);
	if (r) {
		state_close(state);
		return r;
	}
	sqlite3_wal_hook(state->sqlite, note_wal, state);

	*out = state;
	return 0;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	for (size_t i = 0; i < SQL_COUNT; i++)
		statement_close(&state->sql[i]);
	sqlite3_close(state->sqlite);
	free(state);
}

int state_load(struct state *state, const struct store_loader *loader,
	       void *arg)
{
	return state_load_rows(state->sqlite, loader, arg);
}

int state_begin(struct state *state)
{
	return statement_run(&state->sql[SQL_BEGIN]);
}

int state_commit(struct state *state)
{
	return statement_run(&state->sql[SQL_COMMIT]);
}

void state_rollback(struct state *state)
{
	/* SQLite itself rolls back after some errors. */
	if (!sqlite3_get_autocommit(state->sqlite))
		sqlite3_exec(state->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

static int session_save(struct state *state, const struct store_session *row)
{
	struct statement *s = &state->sql[SQL_SESSION_SAVE];

	statement_int(s, (int64_t)row->id);
	statement_text_slice(s, row->client_id);
	statement_text_slice(s, row->user);
	statement_int(s, row->expiry);
	statement_int(s, row->version);

	return statement_run(s);
}

static int session_remove(struct state *state, uint64_t session)
{
	static const enum sql all[] = {
		SQL_SESSION_REMOVE,
		SQL_SESSION_SUBSCRIPTIONS_REMOVE,
		SQL_SESSION_INBOUND_REMOVE,
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(all) / sizeof(*all); i++) {
		statement_int(&state->sql[all[i]], (int64_t)session);
		r = statement_run(&state->sql[all[i]]);
	}

	return r;
}

static int subscription_save(struct state *state, uint64_t session,
			     const struct store_subscription *row)
{
	struct statement *s = &state->sql[SQL_SUBSCRIPTION_SAVE];

	statement_int(s, (int64_t)session);
	statement_text_slice(s, row->filter);
	statement_int(s, row->options);
	statement_int(s, row->identifier);

	return statement_run(s);
}

static int subscription_remove(struct state *state, uint64_t session,
			       struct slice filter)
{
	struct statement *s = &state->sql[SQL_SUBSCRIPTION_REMOVE];

	statement_int(s, (int64_t)session);
	statement_text_slice(s, filter);

	return statement_run(s);
}

/* The last columns of each message. */
static void bind_origin_and_data(struct statement *s,
				 const struct message *message)
{
	statement_text(s, message->origin->user);
	statement_text(s, message->origin->client_id);
	statement_text(s, message->origin->address);
	statement_blob(s, message_properties(message));
	statement_blob(s, message_payload(message));
	statement_text_slice(s, message_topic(message));
}

/* The columns that messages and retained have in common. */
static void bind_message(struct statement *s, const struct message *message)
{
	uint64_t now = clock_ms();

	statement_int(s, (int64_t)message->id);
	statement_int(s, message->time);
	if (message->expires == MESSAGE_NO_EXPIRY) {
		statement_null(s);
		statement_null(s);
	} else {
		uint64_t left =
			message->expires > now ? message->expires - now : 0;

		statement_int(s, (int64_t)message->expires);
		statement_int(s, (int64_t)left);
	}
	statement_int(s, message->qos);
	bind_origin_and_data(s, message);
}

static int message_save(struct state *state, const struct message *message)
{
	struct statement *s = &state->sql[SQL_MESSAGE_SAVE];

	bind_message(s, message);
	statement_int(s, message->retain);

	return statement_run(s);
}

int state_messages_remove(struct state *state, uint64_t first, uint64_t last)
{
	struct statement *s = &state->sql[SQL_MESSAGES_REMOVE];

	statement_int(s, (int64_t)first);
	statement_int(s, (int64_t)last);

	return statement_run(s);
}

int state_retained_save(struct state *state, const struct message *message)
{
	struct statement *s = &state->sql[SQL_RETAINED_SAVE];

	bind_message(s, message);

	return statement_run(s);
}

int state_will_save(struct state *state, const struct store_will *will)
{
	struct statement *s = &state->sql[SQL_WILL_SAVE];

	statement_int(s, (int64_t)will->session);
	statement_int(s, will->delay);
	if (will->expiry == STORE_EXPIRY_NEVER)
		statement_null(s);
	else
		statement_int(s, will->expiry);
	statement_int(s, will->message->qos);
	statement_int(s, will->message->retain);
	bind_origin_and_data(s, will->message);

	return statement_run(s);
}

static int queue_save(struct state *state, const struct store_queued *row)
{
	struct statement *s = &state->sql[SQL_QUEUE_SAVE];

	statement_int(s, (int64_t)row->session);
	statement_int(s, (int64_t)row->seq);
	statement_int(s, (int64_t)row->message);
	statement_int(s, row->packet_id);
	statement_int(s, row->state);
	statement_int(s, row->qos);
	statement_int(s, row->retain);
	statement_int(s, row->share);
	if (row->identifiers.len)
		statement_blob(s, row->identifiers);
	else
		statement_null(s);

	return statement_run(s);
}

/* Statements with one to three numbers for parameters. */
static int run_key(struct state *state, enum sql sql, const struct op *op)
{
	struct statement *s = &state->sql[sql];

	statement_int(s, (int64_t)op->u.key.session);
	if (op->type != OP_MESSAGE_REMOVE && op->type != OP_WILL_REMOVE)
		statement_int(s, (int64_t)op->u.key.seq);
	if (op->type == OP_QUEUE_REMOVE)
		statement_int(s, (int64_t)op->u.key.message);

	return statement_run(s);
}

static int retained_remove(struct state *state, struct slice topic)
{
	struct statement *s = &state->sql[SQL_RETAINED_REMOVE];

	statement_text_slice(s, topic);

	return statement_run(s);
}

int state_apply(struct state *state, const struct op *op)
{
	switch (op->type) {
	case OP_SESSION_SAVE:
		return session_save(state, &op->u.session);
	case OP_SESSION_REMOVE:
		return session_remove(state, op->u.key.session);
	case OP_SUBSCRIPTION_SAVE:
		return subscription_save(state, op->u.subscription.session,
					 &op->u.subscription.row);
	case OP_SUBSCRIPTION_REMOVE:
		return subscription_remove(state, op->u.subscription.session,
					   op->u.subscription.row.filter);
	case OP_MESSAGE_SAVE:
		return message_save(state, op->u.message);
	case OP_MESSAGE_REMOVE:
		return run_key(state, SQL_MESSAGE_REMOVE, op);
	case OP_QUEUE_SAVE:
		return queue_save(state, &op->u.queued);
	case OP_QUEUE_REMOVE:
		return run_key(state, SQL_QUEUE_REMOVE, op);
	case OP_INBOUND_ADD:
		return run_key(state, SQL_INBOUND_ADD, op);
	case OP_INBOUND_REMOVE:
		return run_key(state, SQL_INBOUND_REMOVE, op);
	case OP_RETAINED_SAVE:
		return state_retained_save(state, op->u.message);
	case OP_RETAINED_REMOVE:
		return retained_remove(state, op->u.topic);
	case OP_WILL_REMOVE:
		return run_key(state, SQL_WILL_REMOVE, op);
	case OP_RETAINED_LAZY:
	case OP_WILL_SAVE:
	case OP_HISTORY:
	case OP_HISTORY_MARK:
	case OP_TYPES:
		break;
	}

	return 0;
}

/* 0 when it cannot be told. */
static size_t number(struct state *state, enum sql sql)
{
	struct statement *s = &state->sql[sql];
	size_t n = 0;

	if (statement_step(s) > 0)
		n = (size_t)statement_int_at(s, 0);
	statement_reset(s);

	return n;
}

/* SQLite parses a PRAGMA anew each time it is asked: too dear for each commit. */
bool state_crowded(struct state *state, bool was)
{
	/* A gap between the two, so that it does not go to and fro. */
	size_t reserve = STATE_RESERVE + (was ? STATE_RESERVE / 4 : 0);
	size_t most;
	size_t used;

	if (state->room > 0 && !was)
		return false;
	most = number(state, SQL_PAGES_MOST);
	used = number(state, SQL_PAGES);
	reserve /= state->page_size;
	if (used + reserve >= most)
		used -= number(state, SQL_PAGES_FREE);
	state->room = used + reserve < most ? most - reserve - used : 0;
	return state->room == 0;
}

size_t state_wal_bytes(const struct state *state)
{
	return state->wal_bytes;
}

int state_checkpoint(struct state *state, bool hard)
{
	/* Not while a backup reads: that would be to wait until it has done. */
	int mode = hard && !db_held(state->db) ? SQLITE_CHECKPOINT_RESTART
					       : SQLITE_CHECKPOINT_PASSIVE;
	int frames = 0;
	int done = 0;
	int rc;

	rc = sqlite3_wal_checkpoint_v2(state->sqlite, "main", mode, &frames,
				       &done);
	state->wal_pages = 0; /* it may begin anew */
	if (!rc && frames >= done)
		state->wal_bytes = (size_t)(frames - done) * state->page_size;

	return db_error(rc);
}
