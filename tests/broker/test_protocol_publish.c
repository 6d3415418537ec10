/* Publishing and subscribing, as dialogues with a whole broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"

static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1, MQTT_5_0 };

static int setup(void **state)
{
	sim_clock_start();
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct broker *broker = *state;

	sim_run(broker);
	sim_check(broker);
	assert_int_equal(broker->connection_count, 0);
	assert_int_equal(broker->queued_bytes, 0);
	broker_free(broker);
	sim_clock_stop();
	return 0;
}

/* Publish and see the handshake through. */
static void publish(struct sim_peer *peer, const char *topic,
		    const char *payload, uint8_t qos, bool retain)
{
	sim_peer_publish(peer, topic, payload, qos, retain, 77);
	if (qos == 1)
		sim_peer_acked(peer, MQTT_PUBACK, 77);
	if (qos == 2) {
		sim_peer_acked(peer, MQTT_PUBREC, 77);
		sim_peer_ack(peer, MQTT_PUBREL, 77);
		assert_int_equal(sim_peer_acked(peer, MQTT_PUBCOMP, 77), 0);
	}
}

/* Receive and see the handshake through. */
static void receive(struct sim_peer *peer, const char *topic,
		    const char *payload, uint8_t qos)
{
	const uint16_t id = sim_peer_receive(peer, topic, payload, qos);

	if (qos == 1)
		sim_peer_ack(peer, MQTT_PUBACK, id);
	if (qos == 2) {
		sim_peer_ack(peer, MQTT_PUBREC, id);
		sim_peer_acked(peer, MQTT_PUBREL, id);
		sim_peer_ack(peer, MQTT_PUBCOMP, id);
	}
}

static void exchange(struct broker *broker, enum mqtt_version from,
		     enum mqtt_version to)
{
	struct sim_peer *pub = sim_client(broker, from, "pub", true, NULL);
	struct sim_peer *sub = sim_client(broker, to, "sub", true, NULL);

	for (uint8_t granted = 0; granted <= 2; granted++) {
		assert_int_equal(sim_peer_subscribed(sub, "a/+", granted),
				 granted);
		for (uint8_t qos = 0; qos <= 2; qos++) {
			publish(pub, "a/b", "x", qos, false);
			receive(sub, "a/b", "x", qos < granted ? qos : granted);
			sim_peer_expect_nothing(sub);
			sim_peer_expect_nothing(pub);
		}
	}
	sim_peer_close(pub);
	sim_peer_close(sub);
}

static void test_each_version_reaches_each_at_each_qos(void **state)
{
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++)
			exchange(*state, versions[i], versions[j]);
}

static void test_large_payloads_arrive_whole(void **state)
{
	static char large[100001];
	struct sim_peer *pub =
		sim_client(*state, MQTT_3_1_1, "pub", true, NULL);
	struct sim_peer *five = sim_client(*state, MQTT_5_0, "5", true, NULL);
	struct sim_peer *four = sim_client(*state, MQTT_3_1_1, "4", true, NULL);

	for (size_t i = 0; i + 1 < sizeof(large); i++)
		large[i] = (char)('a' + i % 23);
	sim_peer_subscribed(five, "t", 1);
	sim_peer_subscribed(four, "t", 0);
	publish(pub, "t", large, 1, false);
	receive(five, "t", large, 1);
	receive(four, "t", large, 0);
	sim_peer_close(pub);
	sim_peer_close(five);
	sim_peer_close(four);
}

static void test_a_publish_may_come_byte_by_byte(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	sim_peer_subscribed(peer, "t", 0);
	sim_peer_drip(peer, "\x30\x07\0\1t\0one\x30\x07\0\1t\0two", 18);
	sim_peer_receive(peer, "t", "one", 0);
	sim_peer_receive(peer, "t", "two", 0);
	sim_peer_close(peer);
}

static void test_filters_meet_the_names_they_should(void **state)
{
	static const struct {
		const char *filter;
		const char *topic;
		bool met;
	} rows[] = {
		{ "sport/tennis/player1/#", "sport/tennis/player1", true },
		{ "sport/tennis/player1/#", "sport/tennis/player1/a/b", true },
		{ "sport/#", "sport", true },
		{ "#", "a/b/c", true },
		{ "sport/tennis/+", "sport/tennis/player1", true },
		{ "sport/tennis/+", "sport/tennis/player1/ranking", false },
		{ "sport/+", "sport", false },
		{ "sport/+", "sport/", true },
		{ "+/+", "/finance", true },
		{ "/+", "/finance", true },
		{ "+", "/finance", false },
		{ "+/tennis/#", "sport/tennis", true },
		{ "A", "a", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		sim_peer_subscribed(peer, rows[i].filter, 0);
		publish(peer, rows[i].topic, "x", 0, false);
		if (rows[i].met)
			receive(peer, rows[i].topic, "x", 0);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_filters_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "",		"a/#/b",    "a#",
					   "a+/b",	"$share/g", "$share//t",
					   "$share/+/t" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		assert_int_equal(sim_peer_subscribed(peer, bad[i], 0),
				 MQTT_TOPIC_FILTER_INVALID);
		sim_peer_close(peer);
		peer = sim_client(*state, MQTT_3_1_1, "p", true, NULL);
		assert_int_equal(sim_peer_subscribed(peer, bad[i], 0), 0x80);
		sim_peer_close(peer);
	}
}

static void test_the_servers_own_topics_are_not_for_all(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	sim_peer_subscribed(peer, "#", 0);
	sim_peer_publish(peer, "$SYS/x", "x", 1, false, 3);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBACK, 3),
			 MQTT_NOT_AUTHORIZED);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
}

/* ---- retained ----------------------------------------------------------- */

static void test_retained_is_set_replaced_and_cleared(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = sim_client(*state, MQTT_5_0, "sub", true, NULL);
	struct mqtt_publish got;

	publish(pub, "r", "one", 1, true);
	publish(pub, "r", "two", 2, true);
	assert_int_equal(sim_peer_subscribed(sub, "r", 1), 1);
	got = sim_peer_message(sub);
	assert_true(slice_equal(got.payload, slice_str("two")));
	assert_true(got.retain);
	assert_int_equal(got.qos, 1);
	sim_peer_ack(sub, MQTT_PUBACK, got.packet_id);

	/* To those who were there before it is no retained message. */
	publish(pub, "r", "three", 0, true);
	got = sim_peer_message(sub);
	assert_false(got.retain);
	publish(pub, "r", "", 1, true);
	got = sim_peer_message(sub);
	assert_int_equal(got.payload.len, 0);
	sim_peer_ack(sub, MQTT_PUBACK, got.packet_id);
	sim_peer_subscribed(sub, "r", 1);
	sim_peer_expect_nothing(sub);
	sim_peer_close(pub);
	sim_peer_close(sub);
}

static void test_retain_handling_says_when_they_are_sent(void **state)
{
	struct mqtt_subscription entry = { .filter = slice_str("r/+") };
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	publish(peer, "r/1", "x", 0, true);
	entry.retain_handling = 2;
	sim_peer_subscribed_with(peer, &entry, 0);
	sim_peer_expect_nothing(peer);
	/* 1: only with a new subscription, which this one is not. */
	entry.retain_handling = 1;
	sim_peer_subscribed_with(peer, &entry, 0);
	sim_peer_expect_nothing(peer);
	entry.retain_handling = 0;
	sim_peer_subscribed_with(peer, &entry, 0);
	receive(peer, "r/1", "x", 0);
	entry.filter = slice_str("r/#");
	entry.retain_handling = 1;
	sim_peer_subscribed_with(peer, &entry, 0);
	receive(peer, "r/1", "x", 0);
	sim_peer_expect_nothing(peer);
	publish(peer, "r/1", "", 0, true);
	sim_peer_close(peer);
}

static void test_retain_as_published_keeps_the_flag(void **state)
{
	const struct mqtt_subscription entry = {
		.filter = slice_str("t"),
		.retain_as_published = true,
	};
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	sim_peer_subscribed_with(peer, &entry, 0);
	publish(peer, "t", "x", 0, true);
	assert_true(sim_peer_message(peer).retain);
	publish(peer, "t", "x", 0, false);
	assert_false(sim_peer_message(peer).retain);
	sim_peer_close(peer);
}

/* ---- subscription options ----------------------------------------------- */

static void test_no_local_keeps_ones_own_away(void **state)
{
	struct mqtt_subscription entry = {
		.filter = slice_str("t"),
		.no_local = true,
	};
	struct sim_peer *a = sim_client(*state, MQTT_5_0, "a", true, NULL);
	struct sim_peer *b = sim_client(*state, MQTT_5_0, "b", true, NULL);

	sim_peer_subscribed_with(a, &entry, 0);
	sim_peer_subscribed_with(b, &entry, 0);
	publish(a, "t", "x", 0, false);
	sim_peer_expect_nothing(a);
	receive(b, "t", "x", 0);
	/* Subscribed otherwise as well, it gets it after all. */
	entry = (struct mqtt_subscription){ .filter = slice_str("#") };
	sim_peer_subscribed_with(a, &entry, 0);
	publish(a, "t", "y", 0, false);
	receive(a, "t", "y", 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
	sim_peer_close(b);
}

static void test_overlapping_subscriptions_are_one_message(void **state)
{
	struct mqtt_subscription entry = { .filter = slice_str("a/b"),
					   .qos = 1 };
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	struct mqtt_publish got;
	uint32_t sum = 0;

	sim_peer_subscribed_with(peer, &entry, 5);
	entry.filter = slice_str("a/+");
	entry.qos = 2;
	sim_peer_subscribed_with(peer, &entry, 300);
	entry.filter = slice_str("#");
	entry.qos = 0;
	sim_peer_subscribed_with(peer, &entry, 0);
	sim_peer_publish(peer, "a/b", "x", 1, false, 9);
	got = sim_peer_message(peer);
	assert_int_equal(got.qos, 1); /* published with 1, the highest is 2 */
	assert_int_equal(got.properties.subscription_id_count, 2);
	for (size_t i = 0; i < 2; i++)
		sum += got.properties.subscription_ids[i];
	assert_int_equal(sum, 305);
	sim_peer_ack(peer, MQTT_PUBACK, got.packet_id);
	sim_peer_acked(peer, MQTT_PUBACK, 9);
	sim_peer_expect_nothing(peer);

	/* A replaced subscription has the new identifier. */
	entry.filter = slice_str("a/b");
	sim_peer_subscribed_with(peer, &entry, 7);
	publish(peer, "a/b", "x", 0, false);
	got = sim_peer_message(peer);
	sum = got.properties.subscription_ids[0] +
	      got.properties.subscription_ids[1];
	assert_int_equal(sum, 307);
	sim_peer_close(peer);
}

static void test_unsubscribe_ends_it_and_says_if_there_was_one(void **state)
{
	const struct slice filters[] = { slice_str("t"), slice_str("none") };
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_suback answer;

	sim_peer_subscribed(peer, "t", 1);
	unsubscribe_encode(&w, MQTT_5_0, 3, filters, 2);
	sim_peer_send(peer, bytes, w.len);
	assert_int_equal(suback_decode(MQTT_5_0, MQTT_UNSUBACK,
				       sim_peer_expect(peer, MQTT_UNSUBACK),
				       &answer),
			 MQTT_SUCCESS);
	assert_int_equal(answer.packet_id, 3);
	assert_int_equal(answer.reasons.len, 2);
	assert_int_equal(answer.reasons.data[0], MQTT_SUCCESS);
	assert_int_equal(answer.reasons.data[1], MQTT_NO_SUBSCRIPTION_EXISTED);
	publish(peer, "t", "x", 0, false);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
}

/* ---- properties --------------------------------------------------------- */

static void test_alias_stands_for_its_topic(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	struct mqtt_publish packet = {
		.topic = slice_str("a/long/topic"),
		.payload = slice_str("1"),
	};

	sim_peer_subscribed(peer, "#", 0);
	packet.properties.topic_alias = LIMIT_TOPIC_ALIASES;
	properties_set(&packet.properties, MQTT_PROP_TOPIC_ALIAS);
	sim_peer_send_publish(peer, &packet);
	receive(peer, "a/long/topic", "1", 0);
	packet.topic.len = 0;
	sim_peer_send_publish(peer, &packet);
	receive(peer, "a/long/topic", "1", 0);
	/* Given anew it stands for the new one. */
	packet.topic = slice_str("b");
	sim_peer_send_publish(peer, &packet);
	receive(peer, "b", "1", 0);
	packet.topic.len = 0;
	sim_peer_send_publish(peer, &packet);
	receive(peer, "b", "1", 0);

	packet.properties.topic_alias = LIMIT_TOPIC_ALIASES + 1;
	sim_peer_send_publish(peer, &packet);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_TOPIC_ALIAS_INVALID);
	sim_peer_close(peer);
}

static void test_an_alias_nobody_gave_ends_the_connection(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	struct mqtt_publish packet = { .properties.topic_alias = 1 };

	properties_set(&packet.properties, MQTT_PROP_TOPIC_ALIAS);
	sim_peer_send_publish(peer, &packet);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_PROTOCOL_ERROR);
	sim_peer_close(peer);
}

static void test_properties_go_on_to_those_who_know_them(void **state)
{
	static const uint8_t user[] = "\x26\0\1k\0\1v\x26\0\1k\0\1w";
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = sim_client(*state, MQTT_5_0, "sub", true, NULL);
	struct sim_peer *old = sim_client(*state, MQTT_3_1_1, "o", true, NULL);
	struct mqtt_publish got, packet = {
		.topic = slice_str("t"),
		.payload = slice_str("x"),
	};
	struct mqtt_properties *p = &packet.properties;

	p->content_type = slice_str("text/plain");
	p->response_topic = slice_str("answer");
	p->correlation_data = slice_str("7");
	p->payload_format_indicator = 1;
	p->user_encoded = slice_of(user, sizeof(user) - 1);
	properties_set(p, MQTT_PROP_CONTENT_TYPE);
	properties_set(p, MQTT_PROP_RESPONSE_TOPIC);
	properties_set(p, MQTT_PROP_CORRELATION_DATA);
	properties_set(p, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR);
	properties_set(p, MQTT_PROP_USER_PROPERTY);
	sim_peer_subscribed(sub, "t", 0);
	sim_peer_subscribed(old, "t", 0);
	sim_peer_send_publish(pub, &packet);
	got = sim_peer_message(sub);
	assert_true(slice_equal(got.properties.content_type, p->content_type));
	assert_true(
		slice_equal(got.properties.response_topic, p->response_topic));
	assert_true(slice_equal(got.properties.correlation_data,
				p->correlation_data));
	assert_int_equal(got.properties.payload_format_indicator, 1);
	/* User Properties in their order, at the end as we encode them. */
	assert_memory_equal(got.properties.raw.data + got.properties.raw.len -
				    p->user_encoded.len,
			    user, p->user_encoded.len);
	receive(old, "t", "x", 0);

	/* What it says it is, it must be. */
	packet.payload = slice_str("\xff");
	sim_peer_send_publish(pub, &packet);
	assert_int_equal(sim_peer_disconnected(pub),
			 MQTT_PAYLOAD_FORMAT_INVALID);
	sim_peer_close(pub);
	sim_peer_close(sub);
	sim_peer_close(old);
}

static void test_expiry_is_counted_down_and_kept(void **state)
{
	struct mqtt_publish got, packet = {
		.topic = slice_str("t"),
		.payload = slice_str("x"),
		.qos = 1,
		.packet_id = 1,
		.properties.message_expiry_interval = 10,
	};
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);

	properties_set(&packet.properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
	sim_peer_subscribed(sub, "t", 1);
	sim_peer_close(sub);
	sim_peer_send_publish(pub, &packet);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	packet.properties.message_expiry_interval = 3;
	packet.packet_id = 2;
	sim_peer_send_publish(pub, &packet);
	sim_peer_acked(pub, MQTT_PUBACK, 2);
	sim_clock_advance(*state, 4000);
	sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);
	got = sim_peer_message(sub);
	assert_true(properties_has(&got.properties,
				   MQTT_PROP_MESSAGE_EXPIRY_INTERVAL));
	assert_int_equal(got.properties.message_expiry_interval, 6);
	sim_peer_ack(sub, MQTT_PUBACK, got.packet_id);
	sim_peer_expect_nothing(sub); /* the other has expired */
	sim_peer_close(sub);
	sim_peer_close(sim_client(*state, MQTT_5_0, "sub", true, NULL));
	sim_peer_close(pub);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_each_version_reaches_each_at_each_qos),
		T(test_large_payloads_arrive_whole),
		T(test_a_publish_may_come_byte_by_byte),
		T(test_filters_meet_the_names_they_should),
		T(test_filters_that_are_none_are_refused),
		T(test_the_servers_own_topics_are_not_for_all),
		T(test_retained_is_set_replaced_and_cleared),
		T(test_retain_handling_says_when_they_are_sent),
		T(test_retain_as_published_keeps_the_flag),
		T(test_no_local_keeps_ones_own_away),
		T(test_overlapping_subscriptions_are_one_message),
		T(test_unsubscribe_ends_it_and_says_if_there_was_one),
		T(test_alias_stands_for_its_topic),
		T(test_an_alias_nobody_gave_ends_the_connection),
		T(test_properties_go_on_to_those_who_know_them),
		T(test_expiry_is_counted_down_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
