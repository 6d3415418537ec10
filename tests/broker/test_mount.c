/* Clients of a listener with a mount point, and the others. */
#include "broker/peer/mount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/peer/connection.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static const struct listener_options cabin = {
	.name = "cabin",
	.address = "127.0.0.1",
	.anonymous = true,
	.mount_point = "cabin/",
};

struct rig {
	struct sim_store *store;
	struct broker *broker;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct broker_options options = {
		.node = "test",
		.listeners = &cabin,
		.listener_count = 1,
	};

	rig->store = sim_store_new();
	options.store = sim_store_door(rig->store);
	rig->broker = sim_broker_with(&options);
	*state = rig;
	return rig->broker ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_run(rig->broker);
	sim_check(rig->broker);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	free(rig);
	return 0;
}

static uint8_t connected(struct sim_peer *peer,
			 const struct mqtt_connect *packet)
{
	struct mqtt_connack connack;

	sim_peer_connect(peer, packet);
	assert_int_equal(connack_decode(packet->version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	return (uint8_t)connack.reason;
}

/* A client of the listener with the mount point. */
static struct sim_peer *guest(struct broker *broker, enum mqtt_version version,
			      const char *id)
{
	const struct mqtt_connect packet = sim_connect(version, id, true);
	struct sim_peer *peer = sim_peer_open_by(broker, broker->listeners[0]);

	assert_int_equal(connected(peer, &packet), MQTT_SUCCESS);
	return peer;
}

static struct sim_peer *outsider(struct broker *broker,
				 enum mqtt_version version, const char *id)
{
	return sim_client(broker, version, id, true, NULL);
}

/* What a guest says is told with the prefix to others, and without to guests; also
 * a payload that is shared instead of copied, and at each QoS. */
static void test_topics_are_whole_outside_and_short_inside(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1_1, MQTT_5_0 };
	const struct rig *rig = *state;
	char large[4000];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	for (size_t i = 0; i < 2; i++) {
		struct sim_peer *a = guest(rig->broker, versions[i], "a");
		struct sim_peer *b = guest(rig->broker, versions[i], "b");
		struct sim_peer *o = outsider(rig->broker, versions[i], "o");

		sim_peer_subscribed(a, "lamp/#", 1);
		sim_peer_subscribed(b, "lamp/+", 0);
		sim_peer_subscribed(o, "cabin/lamp/1", 1);
		for (int j = 0; j < 2; j++) {
			const char *payload = j ? large : "on";
			uint16_t id;

			sim_peer_publish(a, "lamp/1", payload, 0, false, 0);
			sim_peer_receive(a, "lamp/1", payload, 0);
			sim_peer_receive(b, "lamp/1", payload, 0);
			sim_peer_receive(o, "cabin/lamp/1", payload, 0);
			sim_peer_publish(o, "cabin/lamp/1", payload, 1, false,
					 7);
			id = sim_peer_receive(a, "lamp/1", payload, 1);
			sim_peer_ack(a, MQTT_PUBACK, id);
			sim_peer_receive(b, "lamp/1", payload, 0);
			id = sim_peer_receive(o, "cabin/lamp/1", payload, 1);
			sim_peer_acked(o, MQTT_PUBACK, 7);
			sim_peer_ack(o, MQTT_PUBACK, id);
		}
		/* Nothing from outside, and nothing out to there. */
		sim_peer_publish(o, "lamp/1", "other", 0, false, 0);
		sim_peer_publish(o, "cabin", "other", 0, false, 0);
		sim_peer_publish(a, "cabin/lamp/1", "other", 0, false, 0);
		sim_peer_expect_nothing(a);
		sim_peer_expect_nothing(b);
		sim_peer_expect_nothing(o);
		sim_peer_close(a);
		sim_peer_close(b);
		sim_peer_close(o);
	}
}

/* All there is, for a guest: not what begins with '$' elsewhere either. */
static void test_everything_is_what_is_mounted(void **state)
{
	const struct rig *rig = *state;
	struct sim_peer *a = guest(rig->broker, MQTT_5_0, "a");
	struct sim_peer *o = outsider(rig->broker, MQTT_5_0, "o");

	sim_peer_subscribed(a, "#", 0);
	sim_peer_subscribed(a, "$SYS/#", 0);
	sim_peer_publish(o, "hall/lamp", "on", 0, false, 0);
	sim_peer_publish(o, "cabins/lamp", "on", 0, false, 0);
	sim_peer_publish(o, "cabin/lamp", "on", 0, false, 0);
	sim_peer_receive(a, "lamp", "on", 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
	sim_peer_close(o);
}

static void test_shared_and_selected_ones_too(void **state)
{
	const struct rig *rig = *state;
	struct sim_peer *a = guest(rig->broker, MQTT_5_0, "a");
	struct sim_peer *b = guest(rig->broker, MQTT_3_1_1, "b");
	struct sim_peer *o = outsider(rig->broker, MQTT_5_0, "o");

	assert_int_equal(sim_peer_subscribed(a, "$share/g/t", 0), 0);
	assert_int_equal(sim_peer_subscribed(b, "$match/$value>5/t", 0), 0);
	sim_peer_publish(o, "cabin/t", "7", 0, false, 0);
	sim_peer_receive(a, "t", "7", 0);
	sim_peer_receive(b, "t", "7", 0);
	sim_peer_publish(o, "cabin/t", "3", 0, false, 0);
	sim_peer_receive(a, "t", "3", 0);
	sim_peer_expect_nothing(b);
	/* What is no filter does not become one by the prefix. */
	assert_int_equal(sim_peer_subscribed(a, "$share/g/", 0),
			 MQTT_TOPIC_FILTER_INVALID);
	assert_int_equal(sim_peer_subscribed(a, "a+/b", 0),
			 MQTT_TOPIC_FILTER_INVALID);
	sim_peer_close(a);
	sim_peer_close(b);
	sim_peer_close(o);
}

static void test_unsubscribe_finds_its_filter(void **state)
{
	const struct rig *rig = *state;
	struct sim_peer *a = guest(rig->broker, MQTT_3_1_1, "a");
	const struct slice filter = slice_str("t");
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	sim_peer_subscribed(a, "t", 0);
	assert_int_equal(rig->broker->subscription_count, 1);
	unsubscribe_encode(&w, MQTT_3_1_1, 9, &filter, 1);
	sim_peer_send(a, bytes, w.len);
	sim_peer_expect(a, MQTT_UNSUBACK);
	assert_int_equal(rig->broker->subscription_count, 0);
	sim_peer_close(a);
}

static void test_retained_messages_and_wills(void **state)
{
	const struct rig *rig = *state;
	struct mqtt_connect packet = sim_connect(MQTT_3_1_1, "a", true);
	struct sim_peer *o = outsider(rig->broker, MQTT_3_1_1, "o");
	struct sim_peer *a =
		sim_peer_open_by(rig->broker, rig->broker->listeners[0]);
	struct sim_peer *b;

	packet.has_will = true;
	packet.will.topic = slice_str("status");
	packet.will.payload = slice_str("gone");
	packet.will.retain = true;
	assert_int_equal(connected(a, &packet), MQTT_SUCCESS);
	sim_peer_subscribed(o, "cabin/#", 0);
	sim_peer_close(a);
	sim_peer_receive(o, "cabin/status", "gone", 0);
	b = guest(rig->broker, MQTT_3_1_1, "b");
	sim_peer_subscribe(b, "status", 0);
	sim_peer_expect(b, MQTT_SUBACK);
	{
		const struct mqtt_publish found = sim_peer_message(b);

		assert_true(slice_equal(found.topic, slice_str("status")));
		assert_true(found.retain);
	}
	sim_peer_close(b);
	sim_peer_close(o);
}

/* An alias stands for the topic as each side calls it. */
static void test_aliases_mean_the_short_topic(void **state)
{
	const struct rig *rig = *state;
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "a", true);
	struct sim_peer *o = outsider(rig->broker, MQTT_5_0, "o");
	struct sim_peer *a =
		sim_peer_open_by(rig->broker, rig->broker->listeners[0]);
	struct mqtt_publish said = {
		.topic = slice_str("long/topic/name"),
		.payload = slice_str("on"),
		.properties.topic_alias = 3,
	};
	unsigned int aliased = 0;

	properties_set(&packet.properties, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
	packet.properties.topic_alias_maximum = 10;
	assert_int_equal(connected(a, &packet), MQTT_SUCCESS);
	sim_peer_subscribed(a, "#", 0);
	sim_peer_subscribed(o, "#", 0);
	properties_set(&said.properties, MQTT_PROP_TOPIC_ALIAS);
	for (int i = 0; i < 4; i++) {
		struct mqtt_publish heard;

		sim_peer_send_publish(a, &said);
		said.topic = slice_of(NULL, 0);
		sim_peer_receive(o, "cabin/long/topic/name", "on", 0);
		heard = sim_peer_message(a);
		if (heard.topic.len == 0)
			aliased++;
		else
			assert_true(slice_equal(heard.topic,
						slice_str("long/topic/name")));
	}
	assert_true(aliased > 0);
	sim_peer_close(a);
	sim_peer_close(o);
}

/* What waits for a guest is sent to it as live messages are; a session with
 * subscriptions elsewhere is not to be had through the mount point. */
static void test_a_session_is_of_its_mount_point(void **state)
{
	const struct rig *rig = *state;
	const struct mqtt_connect again = sim_connect(MQTT_5_0, "a", false);
	const struct mqtt_connect other = sim_connect(MQTT_5_0, "o", false);
	struct sim_peer *a =
		sim_peer_open_by(rig->broker, rig->broker->listeners[0]);
	struct sim_peer *o =
		sim_client(rig->broker, MQTT_5_0, "o", false, NULL);

	assert_int_equal(connected(a, &again), MQTT_SUCCESS);
	sim_peer_subscribed(a, "t", 1);
	sim_peer_subscribed(o, "t", 1);
	sim_peer_close(a);
	sim_peer_publish(o, "cabin/t", "late", 1, false, 5);
	a = sim_peer_open_by(rig->broker, rig->broker->listeners[0]);
	assert_int_equal(connected(a, &again), MQTT_SUCCESS);
	sim_peer_receive(a, "t", "late", 1);
	sim_peer_close(a);
	sim_peer_close(o);

	a = sim_peer_open_by(rig->broker, rig->broker->listeners[0]);
	assert_int_equal(connected(a, &other),
			 MQTT_CLIENT_IDENTIFIER_NOT_VALID);
	sim_peer_close(a);
}

/* 65,535 bytes with the prefix are the longest; one more ends the client. */
static void test_a_topic_may_not_grow_too_long(void **state)
{
	const struct rig *rig = *state;
	struct sim_peer *a = guest(rig->broker, MQTT_5_0, "a");
	const size_t most = 65535 - strlen("cabin/");
	char *topic = malloc(most + 2);

	memset(topic, 't', most + 1);
	topic[most] = '\0';
	sim_peer_publish(a, topic, "x", 1, false, 1);
	sim_peer_acked(a, MQTT_PUBACK, 1);
	topic[most] = 't';
	topic[most + 1] = '\0';
	sim_peer_publish(a, topic, "x", 1, false, 2);
	assert_int_equal(sim_peer_disconnected(a), MQTT_TOPIC_NAME_INVALID);
	free(topic);
	sim_peer_close(a);
}

static void test_every_allocation_may_fail(void **state)
{
	static const uint8_t subscribe[] = { 0x82, 7, 0, 1, 0, 0, 1, 't', 1 };
	static const uint8_t publish[] = { 0x32, 7, 0, 1, 't', 0, 1, 0, 'x' };
	const struct rig *rig = *state;
	unsigned int n = 0;
	bool failed;

	do {
		struct sim_peer *a = guest(rig->broker, MQTT_5_0, "a");
		struct sim_peer *b = guest(rig->broker, MQTT_5_0, "b");

		free(rig->broker->mount_buffer);
		rig->broker->mount_buffer = NULL;
		failing_malloc_arm(n++);
		sim_peer_send(a, subscribe, sizeof(subscribe));
		sim_peer_send(b, publish, sizeof(publish));
		failed = failing_malloc_disarm();
		if (!failed) {
			sim_peer_expect(a, MQTT_SUBACK);
			sim_peer_receive(a, "t", "x", 1);
		}
		sim_peer_close(a);
		sim_peer_close(b);
	} while (failed && n < 100);
	assert_true(n > 2 && n < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_topics_are_whole_outside_and_short_inside, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_everything_is_what_is_mounted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_shared_and_selected_ones_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_unsubscribe_finds_its_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_retained_messages_and_wills, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_aliases_mean_the_short_topic, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_session_is_of_its_mount_point, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_topic_may_not_grow_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_allocation_may_fail,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
