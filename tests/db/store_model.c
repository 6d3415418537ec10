#include "tests/db/store_model.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/origin.h"
#include "db/db.h"
#include "tests/db/scratch.h"

#define WAIT_MS 30000

static char text[65536];

static void must(int r)
{
	if (r) {
		(void)fprintf(stderr, "store_model: %s\n", strerrordesc_np(-r));
		abort();
	}
}

void model_open(struct model *m, const struct db_store_options *options,
		const char *vfs)
{
	struct db_options db = { .dir = scratch_path(""), .vfs = vfs };

	must(db_open(&db, &m->db));
	must(db_store_open(m->db, options, &m->owner));
	must(db_store_start(m->owner));
	m->store = db_store_door(m->owner);
}

int model_close(struct model *m)
{
	int r = db_store_stop(m->owner);

	db_store_free(m->owner);
	db_close(m->db);
	return r;
}

bool model_wait(struct model *m, uint64_t number)
{
	uint64_t end = clock_ms() + WAIT_MS;
	struct pollfd fd = { .fd = m->store->ops->fd(m->store),
			     .events = POLLIN };

	while (m->store->ops->committed(m->store) < number) {
		if (clock_ms() > end)
			return false;
		poll(&fd, 1, 100);
	}
	return true;
}

bool model_wait_health(struct model *m, enum store_health health)
{
	uint64_t end = clock_ms() + WAIT_MS;

	while (m->store->ops->health(m->store) != health) {
		if (clock_ms() > end)
			return false;
		poll(NULL, 0, 2);
	}
	return true;
}

uint64_t model_commit(struct model *m)
{
	uint64_t number;

	m->store->ops->flush(m->store);
	number = m->store->ops->current(m->store) - 1;
	if (!model_wait(m, number))
		must(-ETIMEDOUT);
	return number;
}

struct message *model_expiring(uint64_t id, const char *topic, uint64_t expires)
{
	struct message *message = model_message(id, topic, "x");

	message->expires = clock_ms() + expires;
	return message;
}

struct message *model_message(uint64_t id, const char *topic,
			      const char *payload)
{
	struct origin *origin = origin_new("user", "client", "192.0.2.7:1");
	struct message_parts parts = {
		.topic = slice_str(topic),
		.properties = slice_of("\x01\x01", 2),
		.payload = slice_str(payload),
		.qos = 1,
		.expires = MESSAGE_NO_EXPIRY,
		.time = 1700000000000 + (int64_t)id,
		.origin = origin,
	};
	struct message *message = origin ? message_new(&parts) : NULL;

	if (!message)
		must(-ENOMEM);
	origin_unref(origin);
	message->id = id;
	return message;
}

void model_session(struct model *m, uint64_t id, const char *client)
{
	struct store_session row = {
		.id = id,
		.client_id = slice_str(client),
		.user = slice_str("user"),
		.expiry = 3600,
		.version = 5,
	};

	must(m->store->ops->session_save(m->store, &row));
}

void model_subscribe(struct model *m, uint64_t id, const char *filter)
{
	struct store_subscription row = {
		.filter = slice_str(filter),
		.options = 0x2d,
		.identifier = 268435455,
	};

	must(m->store->ops->subscription_save(m->store, id, &row));
}

void model_queue(struct model *m, uint64_t session, uint64_t seq, uint64_t id,
		 const char *topic, const char *payload)
{
	struct message *message = model_message(id, topic, payload);
	struct store_queued row = {
		.session = session,
		.seq = seq,
		.message = id,
		.qos = 1,
	};

	must(m->store->ops->message_save(m->store, message));
	must(m->store->ops->queue_save(m->store, &row));
	message_unref(message);
}

void model_retain(struct model *m, uint64_t id, const char *topic,
		  const char *payload, bool lazy)
{
	struct message *message = model_message(id, topic, payload);

	must(m->store->ops->retained_save(m->store, message, lazy));
	message_unref(message);
}

__attribute__((format(printf, 1, 2))) static int say(const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is not. */
	(void)vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	return 0;
}

#define TEXT(slice) (int)(slice).len, (const char *)(slice).data

static int on_session(void *arg, const struct store_session *row)
{
	(void)arg;
	return say("session %llu %.*s %.*s %u v%u\n",
		   (unsigned long long)row->id, TEXT(row->client_id),
		   TEXT(row->user), row->expiry, row->version);
}

static int on_subscription(void *arg, uint64_t session,
			   const struct store_subscription *row)
{
	(void)arg;
	return say("subscription %llu %.*s %u %u\n",
		   (unsigned long long)session, TEXT(row->filter), row->options,
		   row->identifier);
}

static int describe(const char *what, struct message *m)
{
	char left[32] = "";

	if (m->expires != MESSAGE_NO_EXPIRY)
		/* To 100 s: neither a slow machine nor rounding shows. */
		(void)snprintf(
			left, sizeof(left), " expires~%llus",
			(unsigned long long)(m->expires - clock_ms() + 50000) /
				100000 * 100);
	say("%s %llu %.*s=%.*s t%lld q%u r%u p%u %s/%s@%s%s\n", what,
	    (unsigned long long)m->id, TEXT(message_topic(m)),
	    TEXT(message_payload(m)), (long long)m->time - 1700000000000,
	    m->qos, m->retain, m->properties_len, m->origin->user,
	    m->origin->client_id, m->origin->address, left);
	message_unref(m);
	return 0;
}

static int on_message(void *arg, struct message *message)
{
	(void)arg;
	return describe("message", message);
}

static int on_retained(void *arg, struct message *message)
{
	(void)arg;
	return describe("retained", message);
}

static int on_queued(void *arg, const struct store_queued *row)
{
	char group[16] = "";

	(void)arg;
	if (row->share)
		(void)snprintf(group, sizeof(group), " g%u", row->share);
	return say("queued %llu/%llu m%llu pid%u s%u q%u r%u i%zu%s\n",
		   (unsigned long long)row->session,
		   (unsigned long long)row->seq,
		   (unsigned long long)row->message, row->packet_id, row->state,
		   row->qos, row->retain, row->identifiers.len, group);
}

static int on_inbound(void *arg, uint64_t session, uint16_t packet_id)
{
	(void)arg;
	return say("inbound %llu %u\n", (unsigned long long)session, packet_id);
}

static int on_will(void *arg, const struct store_will *row)
{
	(void)arg;
	say("of session %llu after %u for %d: ",
	    (unsigned long long)row->session, row->delay, (int)row->expiry);
	row->message->time = 1700000000000;
	return describe("will", row->message);
}

const char *model_load(void)
{
	static const struct store_loader loader = {
		.session = on_session,
		.subscription = on_subscription,
		.message = on_message,
		.queued = on_queued,
		.inbound = on_inbound,
		.retained = on_retained,
		.will = on_will,
	};
	struct db *db = scratch_open();
	struct db_store *owner;
	struct store *store;

	text[0] = '\0';
	must(db_store_open(db, NULL, &owner));
	store = db_store_door(owner);
	must(store->ops->load(store, &loader, NULL));
	db_store_free(owner);
	db_close(db);

	return text;
}
