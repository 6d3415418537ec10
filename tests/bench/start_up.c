/*
 * How long a start takes with much to take over: so many messages that wait for
 * absent sessions, and as many retained ones. Makes such a state.db below the
 * directory given, opens it as hearthd does, three times, and prints the shortest
 * time of each part. The files are in the page cache.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/broker.h"
#include "broker/origin.h"
#include "db/db.h"
#include "db/store.h"

#define SESSIONS 20
#define ROUNDS 3

enum part { OPEN, STORE, LOAD, PARTS };

static void must(int r, const char *what)
{
	if (r) {
		(void)fprintf(stderr, "%s: %s\n", what, strerrordesc_np(-r));
		exit(1);
	}
}

static struct message *make(uint64_t id, const char *kind, bool retain)
{
	static const char payload[64] = "{\"temperature\": 21.5}";
	struct origin *origin = origin_new("user", "sensor", "192.0.2.7:1234");
	struct message_parts parts = {
		.payload = slice_of(payload, sizeof(payload)),
		.qos = 1,
		.retain = retain,
		.expires = MESSAGE_NO_EXPIRY,
		.time = clock_wall_ms(),
		.origin = origin,
	};
	struct message *message;
	char topic[64];

	(void)snprintf(topic, sizeof(topic), "house/%s/%" PRIu64 "/state", kind,
		       id);
	parts.topic = slice_str(topic);
	message = origin ? message_new(&parts) : NULL;
	if (!message)
		must(-ENOMEM, "message");
	origin_unref(origin);
	message->id = id;
	return message;
}

static void put_sessions(struct store *store)
{
	const struct store_subscription all = {
		.filter = slice_str("house/#"),
		.options = 1,
	};
	char name[32];

	for (uint64_t i = 1; i <= SESSIONS; i++) {
		(void)snprintf(name, sizeof(name), "phone-%" PRIu64, i);
		must(store->ops->session_save(
			     store,
			     &(struct store_session){
				     .id = i,
				     .client_id = slice_str(name),
				     .user = slice_str("user"),
				     .expiry = STORE_EXPIRY_NEVER,
				     .version = 4,
			     }),
		     "session");
		must(store->ops->subscription_save(store, i, &all),
		     "subscription");
	}
}

static void put(struct store *store, uint64_t id, uint64_t count)
{
	struct message *queued = make(id, "queued", false);
	struct message *retained = make(count + id, "retained", true);
	const struct store_queued row = {
		.session = id % SESSIONS + 1,
		.seq = id / SESSIONS + 1,
		.message = id,
		.qos = 1,
	};

	must(store->ops->message_save(store, queued), "message");
	must(store->ops->queue_save(store, &row), "queue");
	must(store->ops->retained_save(store, retained, false), "retained");
	message_unref(queued);
	message_unref(retained);
}

static void fill(const char *dir, uint64_t count)
{
	const struct db_options options = { .dir = dir };
	struct db_store *owner;
	struct store *store;
	struct db *db;

	must(db_open(&options, &db), "db_open");
	must(db_store_open(db, NULL, &owner), "db_store_open");
	must(db_store_start(owner), "db_store_start");
	store = db_store_door(owner);
	put_sessions(store);
	for (uint64_t id = 1; id <= count; id++) {
		put(store, id, count);
		if (id % 1000 == 0)
			store->ops->flush(store);
	}
	must(db_store_stop(owner), "db_store_stop");
	db_store_free(owner);
	db_close(db);
}

static void keep_shortest(uint64_t *best, uint64_t *since)
{
	uint64_t now = clock_ns();

	if (*best == 0 || now - *since < *best)
		*best = now - *since;
	*since = clock_ns();
}

static void start(const char *dir, uint64_t best[PARTS])
{
	const struct db_options db_options = { .dir = dir };
	struct broker_options options = { .max_queue_messages = 1000000 };
	uint64_t since = clock_ns();
	struct broker *broker;
	struct db_store *owner;
	struct db *db;

	must(db_open(&db_options, &db), "db_open");
	keep_shortest(&best[OPEN], &since);
	must(db_store_open(db, NULL, &owner), "db_store_open");
	options.store = db_store_door(owner);
	broker = broker_new(&options);
	if (!broker)
		must(-errno, "broker_new");
	keep_shortest(&best[STORE], &since);
	must(broker_load(broker), "broker_load");
	keep_shortest(&best[LOAD], &since);
	broker_free(broker);
	db_store_free(owner);
	db_close(db);
}

int main(int argc, char *argv[])
{
	const uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
	uint64_t best[PARTS] = { 0 };

	if (argc < 2) {
		(void)fprintf(stderr, "bench_start DIRECTORY [COUNT]\n");
		return 2;
	}
	fill(argv[1], count);
	for (int i = 0; i < ROUNDS; i++)
		start(argv[1], best);
	printf("%" PRIu64
	       " queued and as many retained messages: files checked "
	       "in %.0f ms, opened in %.0f ms, taken over in %.0f ms\n",
	       count, (double)best[OPEN] / 1e6, (double)best[STORE] / 1e6,
	       (double)best[LOAD] / 1e6);
	return 0;
}
