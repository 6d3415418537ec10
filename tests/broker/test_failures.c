/*
 * Memory runs out, the store takes nothing: one client may be closed, nobody
 * else notices, the broker lives, and nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

struct rig {
	struct sim_store *store;
	struct broker *broker;
	struct sim_peer *witness;
	struct sim_peer *publisher;
};

static int open_rig(void **state, bool with_store)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->store = with_store ? sim_store_new() : NULL;
	rig->broker = sim_broker(rig->store, NULL);
	rig->witness = sim_client(rig->broker, MQTT_5_0, "witness", true, NULL);
	sim_peer_subscribed(rig->witness, "witness", 1);
	rig->publisher =
		sim_client(rig->broker, MQTT_5_0, "publisher", true, NULL);
	*state = rig;
	return 0;
}

static int setup(void **state)
{
	return open_rig(state, false);
}

static int setup_with_store(void **state)
{
	return open_rig(state, true);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_peer_close(rig->witness);
	sim_peer_close(rig->publisher);
	sim_check(rig->broker);
	assert_int_equal(rig->broker->session_count, 0);
	assert_int_equal(rig->broker->queued_bytes, 0);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	free(rig);
	return 0;
}

/* ---- the script --------------------------------------------------------- */

#define STEPS_MAX 24

/* Whole packets, so that nothing but the broker allocates while they are said. */
struct script {
	uint8_t bytes[32768];
	size_t ends[STEPS_MAX];
	size_t count;
	struct writer w;
	enum mqtt_version version;
};

static void said(struct script *script)
{
	assert_false(script->w.overflow);
	assert_true(script->count < STEPS_MAX);
	script->ends[script->count++] = script->w.len;
}

static void say_connect(struct script *script)
{
	struct mqtt_connect packet =
		sim_connect(script->version, "actor", false);

	packet.has_will = true;
	packet.will.topic = slice_str("a/will");
	packet.will.payload = slice_str("gone");
	packet.will.qos = 1;
	packet.will.retain = true;
	connect_encode(&script->w, &packet);
	said(script);
}

static void say_subscribe(struct script *script, const char *filter,
			  uint8_t qos)
{
	const struct mqtt_subscription entry = {
		.filter = slice_str(filter),
		.qos = qos,
	};
	struct mqtt_properties properties = {
		.subscription_ids = { 4 },
		.subscription_id_count = 1,
	};

	properties_set(&properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
	subscribe_encode(&script->w, script->version, 1, &properties, &entry,
			 1);
	said(script);
}

static void say_publish(struct script *script, const char *topic,
			struct slice payload, uint8_t qos, uint16_t id)
{
	struct mqtt_publish packet = {
		.topic = slice_str(topic),
		.payload = payload,
		.qos = qos,
		.retain = id & 1,
		.packet_id = id,
		.properties.topic_alias = 3,
		.properties.content_type = slice_str("text/plain"),
	};

	properties_set(&packet.properties, MQTT_PROP_TOPIC_ALIAS);
	properties_set(&packet.properties, MQTT_PROP_CONTENT_TYPE);
	publish_encode(&script->w, script->version, &packet);
	said(script);
}

static void say_ack(struct script *script, enum mqtt_packet_type type,
		    uint16_t id)
{
	const struct mqtt_ack ack = { .packet_id = id };

	ack_encode(&script->w, script->version, type, &ack);
	said(script);
}

static void say_unsubscribe(struct script *script, const char *filter)
{
	const struct slice filters[] = { slice_str(filter) };

	unsubscribe_encode(&script->w, script->version, 5, filters, 1);
	said(script);
}

static void write_script(struct script *script, enum mqtt_version version)
{
	static uint8_t large[6000];

	script->version = version;
	script->count = 0;
	script->w = writer_of(script->bytes, sizeof(script->bytes));
	say_connect(script);
	say_subscribe(script, "a/+", 2);
	say_subscribe(script, "$share/g/a/b", 1);
	say_publish(script, "a/b", slice_str("zero"), 0, 0);
	say_publish(script, "a/b", slice_str("one"), 1, 1);
	say_publish(script, "a/b", slice_str("two"), 2, 2);
	say_publish(script, "a/large", slice_of(large, sizeof(large)), 2, 3);
	say_publish(script, "a/large", slice_of(large, sizeof(large)), 0, 0);
	say_ack(script, MQTT_PUBREL, 2);
	/* The first messages to it have these identifiers. */
	say_ack(script, MQTT_PUBACK, 2);
	say_ack(script, MQTT_PUBREC, 3);
	say_ack(script, MQTT_PUBREC, 4);
	say_ack(script, MQTT_PUBCOMP, 3);
	say_subscribe(script, "a/+", 1);
	say_publish(script, "a/b", slice_of(NULL, 0), 1, 5);
	say_unsubscribe(script, "a/+");
}

/* Says all, reading nothing, and goes without a word. */
static void perform(const struct script *script, struct sim_peer *peer)
{
	size_t at = 0;

	for (size_t i = 0; i < script->count; i++) {
		sim_peer_send(peer, script->bytes + at, script->ends[i] - at);
		at = script->ends[i];
	}
	close(peer->fd);
	sim_run(peer->broker);
}

static void forget_actor(struct rig *rig)
{
	static const char *const topics[] = { "a/b", "a/large", "a/will" };

	sim_peer_close(
		sim_client(rig->broker, MQTT_3_1_1, "actor", true, NULL));
	for (size_t i = 0; i < 3; i++) {
		sim_peer_publish(rig->publisher, topics[i], "", 1, true, 1);
		sim_peer_acked(rig->publisher, MQTT_PUBACK, 1);
	}
}

static void ask_witness(struct rig *rig)
{
	sim_peer_publish(rig->publisher, "witness", "well?", 1, false, 1);
	sim_peer_acked(rig->publisher, MQTT_PUBACK, 1);
	sim_peer_ack(rig->witness, MQTT_PUBACK,
		     sim_peer_receive(rig->witness, "witness", "well?", 1));
	sim_peer_expect_nothing(rig->witness);
	assert_int_equal(rig->broker->subscription_count, 1);
	sim_check(rig->broker);
}

static void fail_each_allocation(struct rig *rig, enum mqtt_version version)
{
	static struct script script;
	unsigned int n = 0;
	bool failed;

	write_script(&script, version);
	do {
		struct sim_peer *peer = sim_peer_open(rig->broker);

		assert_non_null(peer);
		failing_malloc_arm(n++);
		perform(&script, peer);
		failed = failing_malloc_disarm();
		free(peer);
		sim_check(rig->broker);
		forget_actor(rig);
		ask_witness(rig);
	} while (failed);
	assert_true(n > 20);
}

static void test_any_allocation_may_fail(void **state)
{
	fail_each_allocation(*state, MQTT_3_1_1);
	fail_each_allocation(*state, MQTT_5_0);
}

/* Each operation that the store is given. */
static void test_any_operation_of_the_store_may_fail(void **state)
{
	struct rig *rig = *state;
	static struct script script;
	unsigned int n = 0;

	write_script(&script, MQTT_5_0);
	do {
		struct sim_peer *peer = sim_peer_open(rig->broker);

		sim_store_fail(rig->store, n++);
		perform(&script, peer);
		free(peer);
		sim_check(rig->broker);
		if (!sim_store_failed(rig->store))
			sim_store_fail(rig->store, 1000000);
		else
			sim_store_set_auto(rig->store, true);
		forget_actor(rig);
		ask_witness(rig);
	} while (n < 60);
}

/* The message after one that could not be stored is sent as any other. */
static void test_a_client_goes_on_after_a_failed_store(void **state)
{
	struct rig *rig = *state;

	for (uint8_t qos = 1; qos <= 2; qos++) {
		struct sim_peer *sub =
			sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
		struct sim_peer *pub =
			sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

		sim_peer_subscribed(sub, "t", qos);
		sim_store_fail(rig->store, 1); /* the queue's row */
		sim_peer_publish(pub, "t", "lost", qos, false, 1);
		assert_true(sim_store_failed(rig->store));
		assert_int_equal(sim_peer_disconnected(pub),
				 MQTT_UNSPECIFIED_ERROR);
		sim_peer_close(pub);
		sim_check(rig->broker);
		for (int i = 0; i < 2; i++) {
			sim_peer_publish(rig->publisher, "t", "next", 1, false,
					 1);
			sim_peer_acked(rig->publisher, MQTT_PUBACK, 1);
			sim_peer_ack(sub, MQTT_PUBACK,
				     sim_peer_receive(sub, "t", "next", 1));
		}
		sim_peer_close(sub);
		sim_peer_close(
			sim_client(rig->broker, MQTT_5_0, "sub", true, NULL));
		assert_int_equal(sim_store_queued(rig->store), 0);
		assert_int_equal(sim_store_messages(rig->store), 0);
	}
}

/* Two publishers in one turn to a clean session: when memory runs out for the
 * first message, the second does not stumble over it. */
static void test_messages_of_one_turn_may_fail(void **state)
{
	static uint8_t payload[3000], bytes[3100];
	struct rig *rig = *state;
	struct writer w = writer_of(bytes, sizeof(bytes));
	const struct mqtt_publish packet = {
		.topic = slice_str("t"),
		.payload = slice_of(payload, sizeof(payload)),
		.qos = 1,
		.packet_id = 1,
	};
	unsigned int n = 0;
	bool failed;

	publish_encode(&w, MQTT_3_1_1, &packet);
	do {
		struct sim_peer *peers[3];

		for (size_t i = 0; i < 3; i++)
			peers[i] = sim_client(rig->broker, MQTT_3_1_1,
					      i == 0   ? "sub"
					      : i == 1 ? "one"
						       : "two",
					      true, NULL);
		sim_peer_subscribed(peers[0], "t", 1);
		for (size_t i = 1; i < 3; i++)
			assert_int_equal(send(peers[i]->fd, bytes, w.len, 0),
					 w.len);
		failing_malloc_arm(n++);
		sim_run(rig->broker);
		failed = failing_malloc_disarm();
		sim_check(rig->broker);
		for (size_t i = 0; i < 3; i++)
			sim_peer_close(peers[i]);
		ask_witness(rig);
	} while (failed);
	assert_true(n > 4);
}

/* What the store did not take is not done in memory either. */
static void test_a_failed_store_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *peer =
		sim_client(rig->broker, MQTT_5_0, "dev", false, NULL);
	const struct slice filters[] = { slice_str("t") };
	const struct session *s = session_find(rig->broker, slice_str("dev"));
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	assert_int_equal(sim_peer_subscribed(peer, "t", 1), 1);
	sim_store_fail(rig->store, 0);
	assert_int_equal(sim_peer_subscribed(peer, "t", 2),
			 MQTT_IMPLEMENTATION_SPECIFIC_ERROR);
	sim_store_fail(rig->store, 0);
	assert_int_equal(sim_peer_subscribed(peer, "new", 2),
			 MQTT_IMPLEMENTATION_SPECIFIC_ERROR);
	assert_int_equal(s->subscription_count, 1);
	sim_peer_publish(rig->publisher, "t", "x", 2, false, 1);
	sim_peer_acked(rig->publisher, MQTT_PUBREC, 1);
	sim_peer_ack(rig->publisher, MQTT_PUBREL, 1);
	sim_peer_acked(rig->publisher, MQTT_PUBCOMP, 1);
	sim_peer_ack(peer, MQTT_PUBACK, sim_peer_receive(peer, "t", "x", 1));

	sim_peer_publish(rig->publisher, "r", "kept", 1, true, 1);
	sim_peer_acked(rig->publisher, MQTT_PUBACK, 1);
	sim_store_fail(rig->store, 0);
	sim_peer_publish(peer, "r", "", 1, true, 1);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_UNSPECIFIED_ERROR);
	sim_peer_close(peer);
	peer = sim_client(rig->broker, MQTT_5_0, "dev", false, NULL);
	sim_peer_publish(peer, "r", "", 1, true, 1);
	sim_peer_acked(peer, MQTT_PUBACK, 1);
	assert_int_equal(sim_store_retained(rig->store), 0);

	sim_store_fail(rig->store, 0);
	unsubscribe_encode(&w, MQTT_5_0, 3, filters, 1);
	sim_peer_send(peer, bytes, w.len);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_UNSPECIFIED_ERROR);
	assert_int_equal(s->subscription_count, 1);
	sim_peer_close(peer);

	/* PUBREL: the identifier is still remembered, and asked for again. */
	peer = sim_client(rig->broker, MQTT_5_0, "dev", false, NULL);
	sim_peer_publish(peer, "q", "x", 2, false, 9);
	sim_peer_acked(peer, MQTT_PUBREC, 9);
	sim_store_fail(rig->store, 0);
	sim_peer_ack(peer, MQTT_PUBREL, 9);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_UNSPECIFIED_ERROR);
	sim_peer_close(peer);
	peer = sim_client(rig->broker, MQTT_5_0, "dev", false, NULL);
	sim_peer_ack(peer, MQTT_PUBREL, 9);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBCOMP, 9), MQTT_SUCCESS);
	assert_int_equal(sim_store_inbound(rig->store), 0);
	sim_peer_close(peer);
	sim_peer_close(sim_client(rig->broker, MQTT_5_0, "dev", true, NULL));
}

/* Asked again while the first answer waits for the disk, it waits, too. */
/* A client that ends its session for good is told when that cannot be: what the
 * disk still holds would be back one day. */
static void test_a_session_that_cannot_end_stays(void **state)
{
	struct rig *rig = *state;
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "s", false);
	struct sim_peer *peer;
	struct mqtt_connack connack;

	packet.properties.session_expiry_interval = 60;
	properties_set(&packet.properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	for (int i = 0; i < 2; i++) {
		peer = sim_peer_open(rig->broker);
		if (i == 1) {
			packet.properties.session_expiry_interval = 0;
			sim_store_fail(rig->store, 0);
		}
		sim_peer_connect(peer, &packet);
		connack_decode(MQTT_5_0, sim_peer_expect(peer, MQTT_CONNACK),
			       &connack);
		assert_int_equal(connack.reason,
				 i == 0 ? MQTT_SUCCESS
					: MQTT_SERVER_UNAVAILABLE);
		if (i == 0)
			sim_peer_subscribed(peer, "t", 1);
		sim_peer_close(peer);
	}
	assert_true(sim_store_failed(rig->store));
	assert_int_equal(sim_store_sessions(rig->store), 1);
	assert_int_equal(session_find(rig->broker, slice_str("s"))->expiry, 60);
	/* The next time it can. */
	peer = sim_peer_open(rig->broker);
	sim_peer_connect(peer, &packet);
	sim_peer_expect(peer, MQTT_CONNACK);
	sim_peer_close(peer);
	assert_int_equal(sim_store_sessions(rig->store), 0);
}

static void test_a_repeated_request_does_not_overtake_the_first(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *first =
		sim_client(rig->broker, MQTT_5_0, "one", true, NULL);
	struct sim_peer *second =
		sim_client(rig->broker, MQTT_5_0, "two", true, NULL);

	sim_peer_publish(first, "r", "kept", 1, true, 1);
	sim_peer_acked(first, MQTT_PUBACK, 1);
	sim_store_set_auto(rig->store, false);
	sim_peer_publish(first, "r", "", 1, true, 2);
	sim_peer_publish(second, "r", "", 1, true, 2);
	sim_peer_expect_nothing(first);
	sim_peer_expect_nothing(second);
	sim_store_commit(rig->store);
	sim_run(rig->broker);
	sim_peer_acked(first, MQTT_PUBACK, 2);
	sim_peer_acked(second, MQTT_PUBACK, 2);
	sim_store_set_auto(rig->store, true);
	sim_peer_close(first);
	sim_peer_close(second);
}

static void test_a_connection_is_made_whole_or_not(void **state)
{
	struct rig *rig = *state;
	struct connection_options options = {
		.fd = -1,
		.websocket = true,
		.address = "test:2",
		.cookie_user = "someone",
	};
	struct connection *c;
	unsigned int n = 0;

	do {
		failing_malloc_arm(n++);
		c = connection_new(rig->broker, &options);
		assert_int_equal(failing_malloc_disarm(), !c);
		sim_check(rig->broker);
	} while (!c);
	assert_true(n > 2);
	connection_close(c, MQTT_SUCCESS, "test");
	sim_run(rig->broker);
}

static void test_a_broker_is_made_whole_or_not(void **state)
{
	const struct broker_options options = { .node = "test" };
	struct broker *broker;
	unsigned int n = 0;

	(void)state;
	do {
		failing_malloc_arm(n++);
		broker = broker_new(&options);
		assert_int_equal(failing_malloc_disarm(), !broker);
	} while (!broker);
	assert_true(n > 10);
	broker_free(broker);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define S(name) \
	cmocka_unit_test_setup_teardown(name, setup_with_store, teardown)
	const struct CMUnitTest tests[] = {
		T(test_any_allocation_may_fail),
		{ "test_any_allocation_may_fail_with_a_store",
		  test_any_allocation_may_fail, setup_with_store, teardown,
		  NULL },
		S(test_any_operation_of_the_store_may_fail),
		S(test_a_client_goes_on_after_a_failed_store),
		T(test_messages_of_one_turn_may_fail),
		S(test_a_session_that_cannot_end_stays),
		S(test_a_failed_store_changes_nothing),
		S(test_a_repeated_request_does_not_overtake_the_first),
		T(test_a_connection_is_made_whole_or_not),
		cmocka_unit_test(test_a_broker_is_made_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
