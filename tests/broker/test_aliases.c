/* Topic aliases towards a client that allows them: it follows what it is told, and
 * must come to know every topic as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/peer/output.h"
#include "broker/protocol/alias_out.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

struct client {
	struct sim_peer *peer;
	struct sim_peer *publisher;
	uint16_t max;
	char topics[LIMIT_TOPIC_ALIASES_SENT][64];
	unsigned int known; /* packets without a topic */
};

static int setup(void **state)
{
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct broker *broker = *state;

	sim_run(broker);
	sim_check(broker);
	assert_int_equal(broker->connection_count, 0);
	assert_int_equal(broker->session_count, 0);
	broker_free(broker);
	return 0;
}

static struct client connect_with(struct broker *broker, uint16_t max,
				  uint32_t max_packet, bool clean)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "client", clean);
	struct mqtt_properties *p = &packet.properties;
	struct client client = { .peer = sim_peer_open(broker), .max = max };

	p->topic_alias_maximum = max;
	properties_set(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
	p->session_expiry_interval = clean ? 0 : 1000;
	properties_set(p, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	if (max_packet) {
		p->maximum_packet_size = max_packet;
		properties_set(p, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	}
	sim_peer_connect(client.peer, &packet);
	sim_peer_expect(client.peer, MQTT_CONNACK);
	client.publisher = sim_client(broker, MQTT_5_0, "pub", true, NULL);
	return client;
}

static void leave(struct client *client)
{
	sim_peer_close(client->peer);
	sim_peer_close(client->publisher);
}

/* The next packet, its topic resolved as 3.3.2.3.4 says. */
static struct mqtt_publish receive(struct client *client, const char *topic,
				   const char *payload)
{
	struct mqtt_publish got = sim_peer_message(client->peer);
	uint16_t alias = 0;

	if (properties_has(&got.properties, MQTT_PROP_TOPIC_ALIAS)) {
		alias = got.properties.topic_alias;
		assert_in_range(alias, 1, client->max);
	}
	if (alias && got.topic.len > 0) {
		assert_true(got.topic.len < 64);
		snprintf(client->topics[alias - 1], 64, "%.*s",
			 (int)got.topic.len, (const char *)got.topic.data);
	}
	if (got.topic.len == 0) {
		assert_true(alias > 0);
		client->known++;
		got.topic = slice_str(client->topics[alias - 1]);
	}
	assert_int_equal(got.topic.len, strlen(topic));
	assert_memory_equal(got.topic.data, topic, got.topic.len);
	if (payload) {
		assert_int_equal(got.payload.len, strlen(payload));
		assert_memory_equal(got.payload.data, payload, got.payload.len);
	}
	return got;
}

/* Published at this QoS, received, and both handshakes seen through. */
static void pass(struct client *client, const char *topic, const char *payload,
		 uint8_t qos)
{
	struct mqtt_publish got;

	sim_peer_publish(client->publisher, topic, payload, qos, false,
			 qos ? 9 : 0);
	if (qos)
		sim_peer_acked(client->publisher,
			       qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, 9);
	got = receive(client, topic, payload);
	assert_int_equal(got.qos, qos);
	if (qos == 1)
		sim_peer_ack(client->peer, MQTT_PUBACK, got.packet_id);
	if (qos < 2)
		return;
	sim_peer_ack(client->publisher, MQTT_PUBREL, 9);
	sim_peer_acked(client->publisher, MQTT_PUBCOMP, 9);
	sim_peer_ack(client->peer, MQTT_PUBREC, got.packet_id);
	sim_peer_acked(client->peer, MQTT_PUBREL, got.packet_id);
	sim_peer_ack(client->peer, MQTT_PUBCOMP, got.packet_id);
}

static void test_a_busy_topic_is_sent_as_a_number(void **state)
{
	struct client client = connect_with(*state, 10, 0, true);

	sim_peer_subscribed(client.peer, "#", 2);
	for (uint8_t qos = 0; qos < 3; qos++) {
		client.known = 0;
		for (int i = 0; i < 5; i++)
			pass(&client, "home/hall/temperature", "21", qos);
		assert_int_equal(client.known, qos ? 5 : 4);
	}
	leave(&client);
}

static void test_many_topics_are_never_mixed_up(void **state)
{
	uint32_t random = 1;
	struct client client = connect_with(*state, 5, 0, true);

	sim_peer_subscribed(client.peer, "#", 2);
	for (int i = 0; i < 600; i++) {
		char topic[32], payload[16];

		random = random * 1664525 + 1013904223;
		snprintf(topic, sizeof(topic), "room/%u/value",
			 (random >> 20) % (1 + (random >> 10) % 12));
		snprintf(payload, sizeof(payload), "%d", i);
		pass(&client, topic, payload, (uint8_t)(random >> 28) % 3);
	}
	assert_true(client.known > 20);
	leave(&client);
}

/* Aliases of one are no other's, though the packets are made once for both. */
static void test_each_client_has_its_own_numbers(void **state)
{
	struct client a = connect_with(*state, 60, 0, true);
	struct sim_peer *plain =
		sim_client(*state, MQTT_5_0, "plain", true, NULL);
	struct sim_peer *old =
		sim_client(*state, MQTT_3_1_1, "old", true, NULL);
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "other", true);
	struct client b = { .peer = sim_peer_open(*state), .max = 2 };

	packet.properties.topic_alias_maximum = 2;
	properties_set(&packet.properties, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
	sim_peer_connect(b.peer, &packet);
	sim_peer_expect(b.peer, MQTT_CONNACK);
	b.publisher = a.publisher;
	sim_peer_subscribed(a.peer, "#", 1);
	sim_peer_subscribed(b.peer, "+/only", 1);
	sim_peer_subscribed(plain, "#", 1);
	sim_peer_subscribed(old, "#", 1);
	for (int i = 0; i < 12; i++) {
		const char *topic = i % 6 < 3 ? "kitchen/only" : "garden/only";
		char payload[16];

		snprintf(payload, sizeof(payload), "%d", i);
		sim_peer_publish(a.publisher, topic, payload, 1, false, 9);
		sim_peer_acked(a.publisher, MQTT_PUBACK, 9);
		sim_peer_ack(a.peer, MQTT_PUBACK,
			     receive(&a, topic, payload).packet_id);
		sim_peer_ack(b.peer, MQTT_PUBACK,
			     receive(&b, topic, payload).packet_id);
		sim_peer_ack(plain, MQTT_PUBACK,
			     sim_peer_receive(plain, topic, payload, 1));
		sim_peer_ack(old, MQTT_PUBACK,
			     sim_peer_receive(old, topic, payload, 1));
	}
	assert_true(a.known > 0);
	assert_true(b.known > 0);
	sim_peer_close(b.peer);
	sim_peer_close(plain);
	sim_peer_close(old);
	leave(&a);
}

/* With identifiers and properties of its own, and with a payload that is not
 * copied. */
static void test_aliases_go_with_everything_else(void **state)
{
	static char large[2 * OUTPUT_COPY_MAX];
	struct client client = connect_with(*state, 4, 0, true);
	const struct mqtt_subscription entry = {
		.filter = slice_str("numbered/topic"),
	};

	memset(large, 'x', sizeof(large) - 1);
	sim_peer_subscribed_with(client.peer, &entry, 77);
	sim_peer_subscribed(client.peer, "large/topic", 0);
	for (int i = 0; i < 4; i++) {
		struct mqtt_publish packet = {
			.topic = entry.filter,
			.payload = slice_str("p"),
			.properties.message_expiry_interval = 60,
			.properties.content_type = slice_str("text"),
		};
		struct mqtt_publish got;

		properties_set(&packet.properties,
			       MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
		properties_set(&packet.properties, MQTT_PROP_CONTENT_TYPE);
		sim_peer_send_publish(client.publisher, &packet);
		got = receive(&client, "numbered/topic", "p");
		assert_int_equal(got.properties.subscription_id_count, 1);
		assert_int_equal(got.properties.subscription_ids[0], 77);
		assert_int_equal(got.properties.message_expiry_interval, 60);
		assert_true(slice_equal(got.properties.content_type,
					slice_str("text")));
	}
	assert_int_equal(client.known, 3);
	/* One less if they share a place. */
	for (int i = 0; i < 4; i++)
		pass(&client, "large/topic", large, 0);
	assert_in_range(client.known, 5, 6);
	leave(&client);
}

static void test_a_short_topic_stays(void **state)
{
	struct client client = connect_with(*state, 4, 0, true);

	sim_peer_subscribed(client.peer, "#", 0);
	for (int i = 0; i < 4; i++)
		pass(&client, "t/abc", "x", 0);
	assert_int_equal(client.known, 0);
	leave(&client);
}

/* The form that is sent counts: the first with an alias would be too large, and
 * what is too large as a whole may fit without its topic. */
static void test_size_is_that_of_the_form_sent(void **state)
{
	static const char topic[] = "home/hall/temperature";
	static const char four[] = "1234";
	/* Header, topic's length, topic, properties' length. */
	const uint32_t size = 2 + 2 + sizeof(topic) - 1 + 1 + 4;
	struct client client = connect_with(*state, 4, size, true);

	sim_peer_subscribed(client.peer, "#", 0);
	for (int i = 0; i < 4; i++)
		pass(&client, topic, four, 0);
	assert_int_equal(client.known, 0);
	/* Three bytes less, and there is room to say what it stands for. */
	pass(&client, topic, "1", 0);
	pass(&client, topic, four, 0);
	assert_int_equal(client.known, 1);
	pass(&client, topic, "twelve bytes", 0);
	assert_int_equal(client.known, 2);
	/* One that fits in no form is not sent, and changes nothing. */
	sim_peer_publish(client.publisher, topic,
			 "more than fits into the packet by far", 0, false, 0);
	sim_peer_expect_nothing(client.peer);
	pass(&client, topic, four, 0);
	assert_int_equal(client.known, 3);
	leave(&client);
}

/* What was sent on one connection is not known on the next: what is sent again
 * has its topic. */
static void test_a_new_connection_begins_anew(void **state)
{
	static const char topic[] = "home/hall/temperature";
	struct client client = connect_with(*state, 4, 0, false);

	sim_peer_subscribed(client.peer, "#", 1);
	for (int i = 0; i < 3; i++) {
		sim_peer_publish(client.publisher, topic, "x", 1, false, 9);
		sim_peer_acked(client.publisher, MQTT_PUBACK, 9);
		receive(&client, topic, "x");
	}
	assert_int_equal(client.known, 2);
	leave(&client);
	client = connect_with(*state, 4, 0, false);
	for (int i = 0; i < 3; i++) {
		struct mqtt_publish got = receive(&client, topic, "x");

		assert_true(got.dup);
		sim_peer_ack(client.peer, MQTT_PUBACK, got.packet_id);
	}
	assert_int_equal(client.known, 2);
	leave(&client);
	client = connect_with(*state, 1, 0, true);
	leave(&client);
}

/* Who allows none, or is of another version, has no table. */
static void test_who_does_not_ask_pays_nothing(void **state)
{
	struct client client = connect_with(*state, 0, 0, true);
	struct connection *c;

	sim_peer_subscribed(client.peer, "#", 0);
	for (int i = 0; i < 4; i++)
		pass(&client, "home/hall/temperature", "x", 0);
	c = session_find(*state, slice_str("client"))->connection;
	assert_null(c->aliases_out);
	leave(&client);
	/* Nor one who allows them and is sent nothing; a great many are cut. */
	client = connect_with(*state, 65535, 0, true);
	c = session_find(*state, slice_str("client"))->connection;
	assert_null(c->aliases_out);
	assert_int_equal(c->aliases_allowed, LIMIT_TOPIC_ALIASES_SENT);
	leave(&client);
}

/* Whatever allocation of an alias fails, the message comes. All else it needs is
 * there: a message of the topic, too large to go with an alias, came before. */
static void test_no_memory_means_no_alias(void **state)
{
	static const char topic[] = "home/hall/temperature";
	const uint32_t size = 2 + 2 + sizeof(topic) - 1 + 1 + 4;
	const struct mqtt_publish packet = {
		.topic = slice_str(topic),
		.payload = slice_str("x"),
	};
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	unsigned int n = 0;
	bool failed = true;

	publish_encode(&w, MQTT_5_0, &packet);
	while (failed && n < 20) {
		struct client client = connect_with(*state, 4, size, true);

		sim_peer_subscribed(client.peer, "#", 0);
		pass(&client, topic, "1234", 0);
		failing_malloc_arm(n++);
		sim_peer_send(client.publisher, bytes, w.len);
		failed = failing_malloc_disarm();
		receive(&client, topic, "x");
		for (int i = 0; i < 3; i++)
			pass(&client, topic, "y", 0);
		leave(&client);
	}
	assert_in_range(n, 2, 19);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_busy_topic_is_sent_as_a_number),
		TEST(test_many_topics_are_never_mixed_up),
		TEST(test_each_client_has_its_own_numbers),
		TEST(test_aliases_go_with_everything_else),
		TEST(test_a_short_topic_stays),
		TEST(test_size_is_that_of_the_form_sent),
		TEST(test_a_new_connection_begins_anew),
		TEST(test_who_does_not_ask_pays_nothing),
		TEST(test_no_memory_means_no_alias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
