#include "tests/fuzz/world.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/authenticator.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/history_rules.h"
#include "broker/limits.h"
#include "broker/local_client.h"
#include "broker/peer/connection.h"
#include "broker/protocol/scram.h"
#include "broker/routing/retained.h"
#include "tests/broker/sim_check.h"

/* Small, so that inputs reach the limits. */
#define PACKET_MAX 8192
#define QUEUE_MESSAGES 6
#define QUEUE_BYTES 4096

/* Further away than any session may live. */
#define LATER (LIMIT_SESSION_EXPIRY + 60u)

static uint64_t now_ns;
static struct authenticator_request *logins[WORLD_PEERS * 4];
static size_t login_count;

int __wrap_authenticator_submit(struct authenticator *authenticator,
				struct authenticator_request *request);
int __wrap_scram_final(struct scram *scram, struct slice message,
		       struct slice *out);
int __real_scram_final(struct scram *scram, struct slice message,
		       struct slice *out);

static uint64_t monotonic(void)
{
	return now_ns;
}

static int64_t wall(void)
{
	return (int64_t)(now_ns / 1000000) + INT64_C(1795251600000);
}

static void swallow(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

/* The hasher is asked here and answers when the input says so. */
int __wrap_authenticator_submit(struct authenticator *authenticator,
				struct authenticator_request *request)
{
	(void)authenticator;
	if (login_count == sizeof(logins) / sizeof(logins[0]))
		return -EAGAIN;
	logins[login_count++] = request;
	return 0;
}

/* Nobody finds a proof: this one is. */
int __wrap_scram_final(struct scram *scram, struct slice message,
		       struct slice *out)
{
	if (!slice_equal(message, slice_str("right")))
		return __real_scram_final(scram, message, out);
	*out = slice_str("v=");
	return 0;
}

void world_answer_login(struct world *world, bool right)
{
	struct authenticator_request *request;

	(void)world;
	if (login_count == 0)
		return;
	request = logins[0];
	login_count--;
	for (size_t i = 0; i < login_count; i++)
		logins[i] = logins[i + 1];
	request->result = right;
	if (mailbox_post(request->reply, request) < 0)
		authenticator_request_free(request);
}

static void forget_logins(void)
{
	while (login_count > 0)
		authenticator_request_free(logins[--login_count]);
}

#define SCRAM_KEYS                                     \
	"$scram-sha-256$i=4096$W22ZaJ0SNY7soEsUEjb6gQ" \
	"$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY" \
	"$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU"

static struct access *make_access(void)
{
	static const struct access_user users[] = {
		{ "u0", "hash", true, true, SCRAM_KEYS },
		{ "u1", "hash", false, true, NULL },
		{ "u2", "hash", false, false, NULL },
	};
	static const struct access_rule rules[] = {
		{ 1, NULL, "t/#", ACCESS_READWRITE, true },
		{ 2, "u1", "own/%u/%c/#", ACCESS_READWRITE, true },
		{ 3, "u1", "t/secret", ACCESS_READ, false },
		{ 4, NULL, "+/+", ACCESS_READ, true },
	};
	struct access *access = access_new();

	assert(access);
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		assert(access_add_user(access, &users[i]) == 0);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		assert(access_add_rule(access, &rules[i]) == 0);
	return access;
}

static void start(struct world *world)
{
	const struct history_policy keep = { .keep = true };
	struct history_rules *history = history_rules_new();
	const struct broker_options options = {
		.node = "fuzz",
		.store =
			world->with_store ? sim_store_door(world->store) : NULL,
		.access = world->with_access ? make_access() : NULL,
		.history_rules = history,
		.max_packet_size = PACKET_MAX,
		.max_queue_messages = QUEUE_MESSAGES,
		.max_queue_bytes = QUEUE_BYTES,
	};

	assert(history_rules_add(history, slice_str("t/+"), &keep) == 0);
	world->broker = broker_new(&options);
	assert(world->broker);
	history_rules_unref(history);
	assert(broker_load(world->broker) == 0);
	sim_check(world->broker);
}

void world_open(struct world *world, bool with_store, bool with_access)
{
	log_set_sink(swallow);
	now_ns = UINT64_C(1000000000000);
	clock_set_source(monotonic, wall);
	*world = (struct world){
		.with_store = with_store,
		.with_access = with_access,
	};
	world->store = sim_store_new();
	assert(world->store);
	start(world);
}

void world_turn(struct world *world)
{
	loop_turn(world->broker->loop, 0);
	sim_check(world->broker);
}

void world_advance(uint64_t seconds)
{
	now_ns += seconds * 1000000000;
}

static void settle(struct world *world)
{
	sim_store_set_congested(world->store, false);
	for (int i = 0; i < 4; i++) {
		sim_store_commit(world->store);
		world_turn(world);
	}
}

void world_swap_access(struct world *world)
{
	if (!world->with_access)
		return;
	access_free(world->broker->access);
	world->broker->access = make_access();
	world->broker->access_generation++;
}

static void take_events(struct world *world)
{
	struct local_event *event;

	while ((event = local_client_next(world->local)))
		local_event_free(event);
}

static void local_go(struct world *world)
{
	local_client_free(world->local);
	world->local = NULL;
	world_turn(world);
}

/* Calls may be refused while the broker's mailbox is full. */
void world_local(struct world *world, uint8_t what)
{
	static const struct local_client_options options = {
		.client_id = "$local",
		.user = "u1",
		.mailbox = 3,
	};
	static const char *const topics[] = { "t/a", "own/u1/$local/x", "t/b",
					      "other" };
	static const char *const filters[] = { "t/#", "#", "$share/g/t/#",
					       "own/+/+/+" };
	const uint8_t qos = what % 3;

	if (!world->local) {
		world->local = local_client_new(world->broker, &options);
		assert(world->local);
	}
	switch (what >> 5) {
	case 0:
	case 1:
		local_client_subscribe(world->local,
				       slice_str(filters[what >> 2 & 3]), qos,
				       what);
		break;
	case 2:
		local_client_unsubscribe(
			world->local, slice_str(filters[what >> 2 & 3]), what);
		break;
	case 3:
	case 4:
	case 5:
		local_client_publish(world->local,
				     slice_str(topics[what >> 2 & 3]),
				     slice_str(what & 16 ? "hello" : ""), qos,
				     what & 1, what);
		break;
	case 6:
		take_events(world);
		break;
	default:
		local_go(world);
		break;
	}
}

void world_restart(struct world *world)
{
	size_t sessions, subscriptions, retained;

	/* Its owner's thread ends before the broker does. */
	if (world->local)
		local_go(world);
	if (world->with_store)
		sim_store_cut(world->store);
	sessions = sim_store_sessions(world->store);
	subscriptions = sim_store_subscriptions(world->store);
	retained = sim_store_retained(world->store);
	forget_logins();
	broker_free(world->broker);
	start(world);
	if (!world->with_store)
		return;
	assert(world->broker->session_count == sessions);
	assert(world->broker->subscription_count == subscriptions);
	assert(retained_count(world->broker->retained) == retained);
}

static struct connection *peer_of(struct world *world, unsigned int peer)
{
	struct list *at, *after;

	list_for_each (at, after, &world->broker->connections) {
		struct connection *c = list_entry(at, struct connection, link);

		if (c->tag == world->peers[peer].tag &&
		    c->state < CONNECTION_CLOSING)
			return c;
	}
	return NULL;
}

static struct connection *open_peer(struct world *world, unsigned int peer)
{
	static const char *const users[] = { "u0", "u1", NULL, "u1" };
	const struct connection_options options = {
		.fd = -1,
		.websocket = peer == WORLD_WEBSOCKET,
		.address = "fuzz",
		.cookie_user = world->with_access ? users[peer] : NULL,
		.tag = ++world->last_tag,
	};
	struct connection *c = connection_new(world->broker, &options);

	assert(c);
	world->peers[peer].tag = c->tag;
	return c;
}

void world_feed(struct world *world, unsigned int peer, struct slice bytes)
{
	struct connection *c = peer_of(world, peer);

	if (!c)
		c = open_peer(world, peer);
	/* A socket that is not read keeps its bytes; so many the test drops. */
	if (!c->input_paused)
		connection_feed(c, bytes);
}

void world_send(struct world *world, unsigned int peer, struct slice packet)
{
	uint8_t frame[8 + PACKET_MAX * 2];
	size_t len = 2;

	if (peer != WORLD_WEBSOCKET) {
		world_feed(world, peer, packet);
		return;
	}
	if (packet.len > sizeof(frame) - 8)
		return;
	frame[0] = 0x82;
	frame[1] = 0x80 | 126;
	frame[len++] = (uint8_t)(packet.len >> 8);
	frame[len++] = (uint8_t)packet.len;
	if (packet.len < 126) {
		frame[1] = (uint8_t)(0x80 | packet.len);
		len = 2;
	}
	memset(frame + len, 0, 4); /* a key that changes nothing */
	len += 4;
	if (packet.len)
		memcpy(frame + len, packet.data, packet.len);
	world_feed(world, peer, slice_of(frame, len + packet.len));
}

void world_hang_up(struct world *world, unsigned int peer)
{
	struct connection *c = peer_of(world, peer);

	if (!c)
		return;
	c->peer_gone = true;
	connection_close(c, MQTT_SUCCESS, "closed by the client");
}

void world_close(struct world *world)
{
	for (unsigned int i = 0; i < WORLD_PEERS; i++)
		world_hang_up(world, i);
	if (world->local)
		local_go(world);
	settle(world);
	assert(world->broker->connection_count == 0);
	/* Those a hasher still had, and wills that came late. */
	for (int i = 0; i < 3; i++) {
		world_advance(LATER);
		settle(world);
	}
	assert(world->broker->session_count == 0);
	assert(world->broker->subscription_count == 0);
	assert(world->broker->queued_bytes == 0);
	assert(list_empty(&world->broker->gated));
	assert(list_empty(&world->broker->waiting));
	assert(list_empty(&world->broker->paused));
	if (!world->faulty) {
		assert(sim_store_sessions(world->store) == 0);
		assert(sim_store_subscriptions(world->store) == 0);
		assert(sim_store_queued(world->store) == 0);
		assert(sim_store_messages(world->store) == 0);
		assert(sim_store_inbound(world->store) == 0);
	}
	forget_logins();
	broker_free(world->broker);
	sim_store_free(world->store);
	clock_set_source(NULL, NULL);
}
