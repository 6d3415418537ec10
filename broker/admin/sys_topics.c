#include "broker/admin/sys_topics.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/match/matcher.h"
#include "broker/origin.h"
#include "broker/routing/retained.h"
#include "broker/routing/router.h"
#include "broker/session/hold.h"
#include "broker/session/session.h"
#include "broker/store.h"

/* As Mosquitto's default sys_interval. */
#define SYS_TOPICS_MS 10000

#define PREFIX "$SYS/broker/"

/* Rates are moving averages over so many minutes, as load averages are: what is
 * kept of the old value at each step is e^(-SYS_TOPICS_MS / window). */
static const struct {
	unsigned int minutes;
	double keep;
} windows[] = {
	{ 1, 0.84648172489061 },
	{ 5, 0.96721610048201 },
	{ 15, 0.98895040550033 },
};

enum { WINDOWS = sizeof(windows) / sizeof(windows[0]) };

/* Counters that are also shown as rates per minute. */
struct rate {
	const char *name;
	uint64_t last;
	double average[WINDOWS];
};

enum rate_of {
	RECEIVED,
	SENT,
	PUBLISH_RECEIVED,
	PUBLISH_SENT,
	BYTES_RECEIVED,
	BYTES_SENT,
	DROPPED,
	SOCKETS,
	CONNECTIONS,
	RATES
};

struct sys_topics {
	struct broker *broker;
	struct origin *origin;
	struct loop_timer timer;
	struct rate rates[RATES];
	uint64_t heap_most;
};

bool sys_topics_own(struct slice topic)
{
	return topic.len >= 5 && memcmp(topic.data, "$SYS/", 5) == 0;
}

static void publish(struct sys_topics *sys, const char *name,
		    const char *payload)
{
	struct broker *broker = sys->broker;
	struct topic_entry *entry;
	struct message *old;
	struct publish p;
	char topic[128];
	int len = snprintf(topic, sizeof(topic), PREFIX "%s", name);

	p = (struct publish){
		.topic = slice_of(topic, (size_t)len),
		.payload = slice_str(payload),
		.expires = MESSAGE_NO_EXPIRY,
		.origin = sys->origin,
		.retain = true,
	};
	old = retained_get(broker->retained, p.topic, loop_now(broker->loop));
	if (old && slice_equal(message_payload(old), p.payload))
		return;
	entry = router_topic(broker, p.topic);
	if (!entry || router_publish(broker, &p, entry) < 0)
		log_debug("$SYS", "%s not published", name);
	publish_done(&p);
}

static void publish_number(struct sys_topics *sys, const char *name,
			   uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	publish(sys, name, text);
}

static void publish_rate(struct sys_topics *sys, struct rate *rate,
			 uint64_t now)
{
	const double minutes = SYS_TOPICS_MS / 60000.0;
	const double per_minute = (double)(now - rate->last) / minutes;
	char name[96], text[32];

	rate->last = now;
	for (size_t i = 0; i < WINDOWS; i++) {
		rate->average[i] = rate->average[i] * windows[i].keep +
				   per_minute * (1 - windows[i].keep);
		snprintf(name, sizeof(name), "load/%s/%umin", rate->name,
			 windows[i].minutes);
		snprintf(text, sizeof(text), "%.2f", rate->average[i]);
		publish(sys, name, text);
	}
}

/* Bytes that the allocator has handed out; 0 where it does not tell. */
static uint64_t heap(void)
{
#ifdef __GLIBC__
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

static uint64_t queued(const struct broker *b)
{
	struct hash_node *at = NULL;
	uint64_t count = 0;
	size_t slot = 0;

	while ((at = hash_table_walk(&b->sessions, &slot, at)))
		count += hash_entry(at, struct session, by_id)->outbox.queued;
	return count;
}

static void publish_clients(struct sys_topics *sys)
{
	const struct broker *b = sys->broker;
	const uint64_t connected = b->attached_count;
	const uint64_t away = b->session_count - b->attached_count;

	publish_number(sys, "clients/connected", connected);
	publish_number(sys, "clients/active", connected); /* its old name */
	publish_number(sys, "clients/total", b->session_count);
	publish_number(sys, "clients/disconnected", away);
	publish_number(sys, "clients/inactive", away); /* its old name */
	publish_number(sys, "clients/maximum", b->attached_most);
	publish_number(sys, "clients/expired", b->count.sessions_expired);
	publish_number(sys, "subscriptions/count", b->subscription_count);
	publish_number(sys, "shared_subscriptions/count", b->shared_count);
}

/* Mosquitto's messages/ are packets of any kind, its publish/ are PUBLISH. */
static void publish_messages(struct sys_topics *sys)
{
	const struct broker *b = sys->broker;
	const uint64_t waiting = queued(b);
	const uint64_t retained = retained_count(b->retained);

	publish_number(sys, "messages/received", b->count.packets_received);
	publish_number(sys, "messages/sent",
		       b->count.packets_sent + b->count.messages_sent);
	publish_number(sys, "messages/stored", retained + waiting);
	publish_number(sys, "publish/messages/received",
		       b->count.messages_received);
	publish_number(sys, "publish/messages/sent", b->count.messages_sent);
	publish_number(sys, "publish/messages/dropped",
		       b->count.messages_dropped);
	publish_number(sys, "publish/messages/refused",
		       b->count.publishes_refused);
	publish_number(sys, "publish/bytes/received",
		       b->count.payload_received);
	publish_number(sys, "publish/bytes/sent", b->count.payload_sent);
	publish_number(sys, "bytes/received", b->count.bytes_received);
	publish_number(sys, "bytes/sent", b->count.bytes_sent);
	publish_number(sys, "store/messages/count", retained + waiting);
	publish_number(sys, "store/messages/bytes",
		       retained_bytes(b->retained) + b->queued_bytes);
	publish_number(sys, "retained messages/count", retained);
}

static const char *store_state(const struct store *store)
{
	if (!store)
		return "none";
	if (store->ops->refuses(store))
		return "refusing";
	return store->ops->health(store) == STORE_OK ? "ok" : "degraded";
}

/* What Mosquitto does not tell. */
static void publish_own(struct sys_topics *sys)
{
	const struct broker *b = sys->broker;
	const struct guard_counters *guard = guard_counters(b->guard);
	const struct matcher_counts match = matcher_counts(b->matcher);

	publish_number(sys, "hearth/flapping", guard->flapping);
	publish_number(sys, "hearth/takeovers", guard->takeovers);
	publish_number(sys, "hearth/login bans", guard->login_bans);
	publish_number(sys, "hearth/banned", b->count.banned);
	publish_number(sys, "hearth/refused", b->count.connects_refused);
	publish_number(sys, "hearth/too fast", guard->too_fast);
	publish_number(sys, "hearth/held back", b->count.held_back);
	publish_number(sys, "hearth/predicates", match.predicates);
	publish_number(sys, "hearth/predicates cut short", match.cut_short);
	publish_number(sys, "hearth/replays", b->count.playbacks);
	publish_number(sys, "hearth/replays going on", b->playback_count);
	publish_number(sys, "hearth/messages replayed",
		       b->count.messages_played);
	publish_number(sys, "hearth/rows held", hold_count(sys->broker));
	publish_number(sys, "hearth/files set aside", b->options.set_aside);
	publish(sys, "hearth/store", store_state(b->store));
}

static void publish_rates(struct sys_topics *sys)
{
	const struct broker *b = sys->broker;
	const uint64_t now[RATES] = {
		[RECEIVED] = b->count.packets_received,
		[SENT] = b->count.packets_sent + b->count.messages_sent,
		[PUBLISH_RECEIVED] = b->count.messages_received,
		[PUBLISH_SENT] = b->count.messages_sent,
		[BYTES_RECEIVED] = b->count.bytes_received,
		[BYTES_SENT] = b->count.bytes_sent,
		[DROPPED] = b->count.messages_dropped,
		[SOCKETS] = b->count.sockets,
		[CONNECTIONS] = b->count.connects,
	};

	for (size_t i = 0; i < RATES; i++)
		publish_rate(sys, &sys->rates[i], now[i]);
}

static void publish_all(struct sys_topics *sys)
{
	const struct broker *b = sys->broker;
	const uint64_t bytes = heap();
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 " seconds",
		 (loop_now(b->loop) - b->started) / 1000);
	publish(sys, "uptime", text);
	if (sys->heap_most < bytes)
		sys->heap_most = bytes;
	publish_number(sys, "heap/current", bytes);
	publish_number(sys, "heap/maximum", sys->heap_most);
	publish_clients(sys);
	publish_messages(sys);
	publish_own(sys);
	publish_rates(sys);
}

static void on_timer(struct loop_timer *timer)
{
	struct sys_topics *sys = list_entry(timer, struct sys_topics, timer);

	publish_all(sys);
	loop_timer_set(sys->broker->loop, timer, SYS_TOPICS_MS);
}

struct sys_topics *sys_topics_new(struct broker *broker)
{
	static const char *const names[RATES] = {
		[RECEIVED] = "messages/received",
		[SENT] = "messages/sent",
		[PUBLISH_RECEIVED] = "publish/received",
		[PUBLISH_SENT] = "publish/sent",
		[BYTES_RECEIVED] = "bytes/received",
		[BYTES_SENT] = "bytes/sent",
		[DROPPED] = "publish/dropped",
		[SOCKETS] = "sockets",
		[CONNECTIONS] = "connections",
	};
	struct sys_topics *sys = calloc(1, sizeof(*sys));

	if (!sys)
		return NULL;
	sys->broker = broker;
	sys->origin = origin_new("", "$SYS", "local");
	if (!sys->origin) {
		free(sys);
		return NULL;
	}
	for (size_t i = 0; i < RATES; i++)
		sys->rates[i].name = names[i];
	sys->timer.fn = on_timer;
	publish(sys, "version", "hearth version " HEARTH_VERSION);
	publish_all(sys);
	loop_timer_set(broker->loop, &sys->timer, SYS_TOPICS_MS);
	return sys;
}

void sys_topics_free(struct sys_topics *sys)
{
	if (!sys)
		return;
	loop_timer_cancel(sys->broker->loop, &sys->timer);
	origin_unref(sys->origin);
	free(sys);
}
