#include "db/state_load.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/hash.h"
#include "broker/origin.h"
#include "db/db.h"
#include "db/statement.h"

#define BOOT_ID_SIZE 64

struct loading {
	struct sqlite3 *sqlite;
	const struct store_loader *loader;
	void *arg;
	struct hash_table origins; /* so that each is made once */
};

struct known_origin {
	struct hash_node node;
	struct origin *origin;
};

/* "" when it cannot be told: then every start counts as one after a boot. */
static void read_boot_id(char out[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, out, BOOT_ID_SIZE - 1);

	if (fd >= 0)
		close(fd);
	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static int same_boot(struct sqlite3 *sqlite, const char *boot, bool *same)
{
	struct statement s;
	int r;

	statement_open(&s, sqlite, "SELECT boot FROM boot");
	r = statement_step(&s);
	*same = r > 0 && *boot &&
		slice_equal(statement_bytes_at(&s, 0), slice_str(boot));
	statement_close(&s);

	return r < 0 ? r : 0;
}

static int run_with(struct sqlite3 *sqlite, const char *sql, const char *text,
		    int64_t number)
{
	struct statement s;

	statement_open(&s, sqlite, sql);
	if (text)
		statement_text(&s, text);
	else
		statement_int(&s, number);

	return statement_finish(&s);
}

/* The monotonic clock has started anew: tell all deadlines by it. */
static int rebase(struct sqlite3 *sqlite, const char *boot)
{
	int64_t now = (int64_t)clock_ms();
	int r;

	r = db_error(sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	if (r)
		return r;
	r = run_with(sqlite,
		     "UPDATE messages SET expires = remaining + ?"
		     " WHERE expires IS NOT NULL",
		     NULL, now);
	if (!r)
		r = run_with(sqlite,
			     "UPDATE retained SET expires = remaining + ?"
			     " WHERE expires IS NOT NULL",
			     NULL, now);
	if (!r)
		r = run_with(sqlite, "UPDATE boot SET boot = ?", boot, 0);
	if (!r)
		r = db_error(sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL));
	if (r && !sqlite3_get_autocommit(sqlite))
		sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);

	return r;
}

/* Columns from n on: user, client, address; each ends in a NUL in SQLite. */
static struct origin *origin_at(struct loading *loading,
				const struct statement *s, int n)
{
	const char *text[3];
	struct known_origin *known;
	struct hash_node *node;
	uint64_t hash = 0;

	for (int i = 0; i < 3; i++) {
		text[i] = (const char *)sqlite3_column_text(s->stmt, n + i);
		if (!text[i])
			return NULL;
		hash = hash * 31 + hash_bytes(slice_str(text[i]));
	}
	node = hash_table_first(&loading->origins, hash);
	for (; node; node = hash_table_next(node)) {
		known = hash_entry(node, struct known_origin, node);
		if (strcmp(known->origin->user, text[0]) == 0 &&
		    strcmp(known->origin->client_id, text[1]) == 0 &&
		    strcmp(known->origin->address, text[2]) == 0)
			return known->origin;
	}

	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->origin = origin_new(text[0], text[1], text[2]);
	if (!known->origin) {
		free(known);
		return NULL;
	}
	hash_table_add(&loading->origins, &known->node, hash);

	return known->origin;
}

static void free_origins(struct loading *loading)
{
	struct hash_node *node;
	struct hash_node *next;
	size_t slot = 0;

	node = hash_table_walk(&loading->origins, &slot, NULL);
	for (; node; node = next) {
		struct known_origin *known =
			hash_entry(node, struct known_origin, node);

		next = hash_table_walk(&loading->origins, &slot, node);
		origin_unref(known->origin);
		free(known);
	}
	hash_table_free(&loading->origins);
}

#define MESSAGE_COLUMNS                                                      \
	"id, time, expires, qos, user, client, address, topic, properties, " \
	"payload"

static int message_at(struct loading *loading, const struct statement *s,
		      bool retain, struct message **out)
{
	struct message_parts parts = {
		.time = statement_int_at(s, 1),
		.expires = statement_null_at(s, 2)
				   ? MESSAGE_NO_EXPIRY
				   : (uint64_t)statement_int_at(s, 2),
		.qos = (uint8_t)statement_int_at(s, 3),
		.origin = origin_at(loading, s, 4),
		.topic = statement_bytes_at(s, 7),
		.properties = statement_bytes_at(s, 8),
		.payload = statement_bytes_at(s, 9),
		.retain = retain,
	};
	struct message *message;

	/* Not ours, whatever the checks of the file said. */
	if (!parts.topic.len || parts.topic.len > UINT16_MAX)
		return -EBADMSG;
	message = parts.origin ? message_new(&parts) : NULL;
	if (!message)
		return -ENOMEM;
	message->id = (uint64_t)statement_int_at(s, 0);

	*out = message;
	return 0;
}

static int give_session(struct loading *loading, const struct statement *s)
{
	struct store_session row = {
		.id = (uint64_t)statement_int_at(s, 0),
		.client_id = statement_bytes_at(s, 1),
		.user = statement_bytes_at(s, 2),
		.expiry = (uint32_t)statement_int_at(s, 3),
		.version = (uint8_t)statement_int_at(s, 4),
	};

	return loading->loader->session(loading->arg, &row);
}

static int give_subscription(struct loading *loading, const struct statement *s)
{
	struct store_subscription row = {
		.filter = statement_bytes_at(s, 1),
		.options = (uint8_t)statement_int_at(s, 2),
		.identifier = (uint32_t)statement_int_at(s, 3),
	};

	return loading->loader->subscription(
		loading->arg, (uint64_t)statement_int_at(s, 0), &row);
}

static int give_message(struct loading *loading, const struct statement *s)
{
	struct message *message;
	int r = message_at(loading, s, statement_int_at(s, 10) != 0, &message);

	return r ? r : loading->loader->message(loading->arg, message);
}

static int give_retained(struct loading *loading, const struct statement *s)
{
	struct message *message;
	int r = message_at(loading, s, true, &message);

	return r ? r : loading->loader->retained(loading->arg, message);
}

static int give_queued(struct loading *loading, const struct statement *s)
{
	struct store_queued row = {
		.session = (uint64_t)statement_int_at(s, 0),
		.seq = (uint64_t)statement_int_at(s, 1),
		.message = (uint64_t)statement_int_at(s, 2),
		.packet_id = (uint16_t)statement_int_at(s, 3),
		.state = (uint8_t)statement_int_at(s, 4),
		.qos = (uint8_t)statement_int_at(s, 5),
		.retain = statement_int_at(s, 6) != 0,
		.share = (uint32_t)statement_int_at(s, 7),
		.identifiers = statement_bytes_at(s, 8),
	};

	return loading->loader->queued(loading->arg, &row);
}

static int give_inbound(struct loading *loading, const struct statement *s)
{
	return loading->loader->inbound(loading->arg,
					(uint64_t)statement_int_at(s, 0),
					(uint16_t)statement_int_at(s, 1));
}

static int give_will(struct loading *loading, const struct statement *s)
{
	struct store_will row = {
		.session = (uint64_t)statement_int_at(s, 0),
		.delay = (uint32_t)statement_int_at(s, 11),
		.expiry = statement_null_at(s, 12)
				  ? STORE_EXPIRY_NEVER
				  : (uint32_t)statement_int_at(s, 12),
	};
	int r = message_at(loading, s, statement_int_at(s, 10) != 0,
			   &row.message);

	return r ? r : loading->loader->will(loading->arg, &row);
}

static const struct {
	const char *sql;
	int (*give)(struct loading *loading, const struct statement *s);
} tables[] = {
	{ "SELECT id, client, user, expiry, version FROM sessions ORDER BY id",
	  give_session },
	{ "SELECT session, filter, options, identifier FROM subscriptions"
	  " ORDER BY session, filter",
	  give_subscription },
	{ "SELECT " MESSAGE_COLUMNS ", retain FROM messages ORDER BY id",
	  give_message },
	{ "SELECT session, seq, message, packet_id, state, qos, retain,"
	  " share, identifiers FROM queue ORDER BY session, seq",
	  give_queued },
	{ "SELECT session, packet_id FROM inbound ORDER BY session, packet_id",
	  give_inbound },
	{ "SELECT " MESSAGE_COLUMNS " FROM retained ORDER BY topic",
	  give_retained },
	/* As the columns of a message; its times begin when it is published. */
	{ "SELECT session, 0, NULL, qos, user, client, address, topic,"
	  " properties, payload, retain, delay, expiry FROM wills"
	  " ORDER BY session",
	  give_will },
};

static int load_table(struct loading *loading, size_t n)
{
	struct statement s;
	int r;

	statement_open(&s, loading->sqlite, tables[n].sql);
	while ((r = statement_step(&s)) > 0) {
		r = tables[n].give(loading, &s);
		if (r < 0)
			break;
	}
	statement_close(&s);

	return r;
}

int state_load_rows(struct sqlite3 *sqlite, const struct store_loader *loader,
		    void *arg)
{
	struct loading loading = {
		.sqlite = sqlite,
		.loader = loader,
		.arg = arg,
	};
	char boot[BOOT_ID_SIZE];
	bool same;
	int r;

	read_boot_id(boot);
	r = same_boot(sqlite, boot, &same);
	if (!r && !same)
		r = rebase(sqlite, boot);
	if (!r)
		r = hash_table_init(&loading.origins);
	if (r)
		return r;

	/* What a session that was removed left behind; harmless if it stays. */
	sqlite3_exec(sqlite,
		     "DELETE FROM queue"
		     " WHERE session NOT IN (SELECT id FROM sessions)",
		     NULL, NULL, NULL);

	for (size_t i = 0; !r && i < sizeof(tables) / sizeof(*tables); i++)
		r = load_table(&loading, i);
	free_origins(&loading);

	return r;
}
