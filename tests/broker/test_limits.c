/* Limits that a house has set: who reaches one is told which, nobody else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"

static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1, MQTT_5_0 };

static struct broker *with(struct broker_options options)
{
	options.node = "test";
	return sim_broker_with(&options);
}

static void end(struct broker *broker)
{
	sim_run(broker);
	sim_check(broker);
	assert_int_equal(broker->connection_count, 0);
	broker_free(broker);
}

/* The answer to a CONNECT: its reason, and its properties. */
static uint8_t try(struct broker *broker, const struct mqtt_connect *packet,
		   struct mqtt_properties *properties)
{
	struct sim_peer *peer = sim_peer_open(broker);
	struct mqtt_connack connack;

	sim_peer_connect(peer, packet);
	assert_int_equal(connack_decode(packet->version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	if (properties)
		*properties = connack.properties;
	sim_peer_close(peer);
	return (uint8_t)connack.reason;
}

/* What a publish that is not allowed ends with. */
static void ended(struct sim_peer *peer, enum mqtt_reason reason)
{
	if (peer->version == MQTT_5_0) {
		assert_int_equal(sim_peer_disconnected(peer), reason);
	} else {
		sim_peer_expect_nothing(peer);
		assert_true(sim_peer_ended(peer));
	}
	sim_peer_close(peer);
}

static void test_sessions(void **state)
{
	struct broker *broker =
		with((struct broker_options){ .max_sessions = 2 });
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "c", false);

	(void)state;
	sim_peer_close(sim_client(broker, MQTT_5_0, "a", false, NULL));
	sim_peer_close(sim_client(broker, MQTT_5_0, "b", false, NULL));
	assert_int_equal(try(broker, &packet, NULL), MQTT_QUOTA_EXCEEDED);
	/* Those that there are may come back. */
	packet.client_id = slice_str("a");
	packet.clean_start = true;
	assert_int_equal(try(broker, &packet, NULL), MQTT_SUCCESS);
	end(broker);
}

static void test_subscriptions(void **state)
{
	struct broker *broker = with((struct broker_options){
		.max_subscriptions = 3,
		.max_subscriptions_per_session = 2,
	});
	struct sim_peer *a = sim_client(broker, MQTT_5_0, "a", true, NULL);
	struct sim_peer *b = sim_client(broker, MQTT_3_1_1, "b", true, NULL);

	(void)state;
	assert_int_equal(sim_peer_subscribed(a, "1", 0), 0);
	assert_int_equal(sim_peer_subscribed(a, "2", 0), 0);
	assert_int_equal(sim_peer_subscribed(a, "3", 0), MQTT_QUOTA_EXCEEDED);
	assert_int_equal(sim_peer_subscribed(a, "1", 1), 1);
	assert_int_equal(sim_peer_subscribed(b, "3", 0), 0);
	assert_int_equal(sim_peer_subscribed(b, "4", 0), 0x80);
	sim_peer_close(a);
	assert_int_equal(sim_peer_subscribed(b, "4", 0), 0);
	sim_peer_close(b);
	end(broker);
}

static void test_retained_messages(void **state)
{
	static char large[201];
	struct broker *broker = with((struct broker_options){
		.max_retained = 2,
		.max_retained_bytes = 200,
	});
	struct sim_peer *pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	sim_peer_publish(pub, "large", large, 1, true, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_publish(pub, "a", "x", 0, true, 0);
	sim_peer_publish(pub, "b", "x", 0, true, 0);
	sim_peer_publish(pub, "c", "x", 1, true, 2);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 2),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_publish(pub, "a", "", 0, true, 0);
	sim_peer_publish(pub, "c", "x", 1, true, 3);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 3),
			 MQTT_NO_MATCHING_SUBSCRIBERS);
	sim_peer_close(pub);
	end(broker);
}

static void test_messages_under_way_to_a_client(void **state)
{
	struct broker *broker =
		with((struct broker_options){ .max_inflight = 2 });
	struct sim_peer *pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct sim_peer *sub =
			sim_client(broker, versions[i], "sub", true, NULL);
		uint16_t id;

		sim_peer_subscribed(sub, "t", 1);
		for (uint16_t k = 1; k <= 3; k++)
			sim_peer_publish(pub, "t", "x", 1, false, k);
		for (uint16_t k = 1; k <= 3; k++)
			sim_peer_acked(pub, MQTT_PUBACK, k);
		id = sim_peer_receive(sub, "t", "x", 1);
		sim_peer_receive(sub, "t", "x", 1);
		sim_peer_expect_nothing(sub);
		sim_peer_ack(sub, MQTT_PUBACK, id);
		sim_peer_receive(sub, "t", "x", 1);
		sim_peer_close(sub);
	}
	sim_peer_close(pub);
	end(broker);
}

/* A broker whose acknowledgements wait for the test's disk. */
static struct broker *gated(struct sim_store *store)
{
	struct broker *broker = with((struct broker_options){
		.store = sim_store_door(store),
		.receive_maximum = 3,
	});
	struct sim_peer *sub = sim_client(broker, MQTT_5_0, "sub", false, NULL);

	sim_peer_subscribed(sub, "t", 2);
	sim_peer_close(sub);
	sim_store_set_auto(store, false);
	return broker;
}

/* Neither one too few nor one too many, whatever the acknowledgement waits for. */
static void test_what_our_receive_maximum_counts(void **state)
{
	struct sim_store *store = sim_store_new();
	struct broker *broker = gated(store);
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "pub", true);
	struct mqtt_properties properties;
	struct sim_peer *pub;

	(void)state;
	assert_int_equal(try(broker, &packet, &properties), MQTT_SUCCESS);
	assert_int_equal(properties.receive_maximum, 3);
	pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);
	for (int round = 0; round < 3; round++) {
		sim_peer_publish(pub, "t", "x", 1, false, 1);
		sim_peer_publish(pub, "t", "x", 2, false, 2);
		sim_peer_publish(pub, "t", "x", 1, false, 3);
		/* Neither QoS 0 nor a repetition is one more. */
		sim_peer_publish(pub, "t", "x", 0, false, 0);
		sim_peer_publish(pub, "t", "x", 2, false, 2);
		sim_peer_expect_nothing(pub);
		sim_store_commit(store);
		sim_run(broker);
		sim_peer_acked(pub, MQTT_PUBACK, 1);
		sim_peer_acked(pub, MQTT_PUBREC, 2);
		sim_peer_acked(pub, MQTT_PUBACK, 3);
		sim_peer_acked(pub, MQTT_PUBREC, 2);
		sim_peer_ack(pub, MQTT_PUBREL, 2);
		/* An identifier that is not in use frees nothing. */
		sim_peer_ack(pub, MQTT_PUBREL, 99);
		sim_store_commit(store);
		sim_run(broker);
		sim_peer_acked(pub, MQTT_PUBCOMP, 2);
		sim_peer_acked(pub, MQTT_PUBCOMP, 99);
	}
	for (uint16_t i = 1; i <= 3; i++)
		sim_peer_publish(pub, "t", "x", i == 2 ? 2 : 1, false, i);
	sim_peer_expect_nothing(pub);
	sim_peer_publish(pub, "t", "x", 1, false, 4);
	ended(pub, MQTT_RECEIVE_MAXIMUM_EXCEEDED);
	sim_store_set_auto(store, true);
	sim_store_commit(store);
	end(broker);
	sim_store_free(store);
}

/* What it was told when it came holds while it is there. */
static void test_a_reload_leaves_the_quota_as_it_was_told(void **state)
{
	struct broker *broker =
		with((struct broker_options){ .receive_maximum = 3 });
	struct sim_peer *sub = sim_client(broker, MQTT_5_0, "sub", true, NULL);
	const uint32_t others[] = { 1, 9 };

	(void)state;
	sim_peer_subscribed(sub, "t", 0);
	for (size_t i = 0; i < 2; i++) {
		struct sim_peer *pub;

		broker->options.receive_maximum = 3;
		pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);
		broker->options.receive_maximum = others[i];
		for (uint16_t id = 1; id <= 3; id++) {
			sim_peer_publish(pub, "t", "x", 2, false, id);
			sim_peer_acked(pub, MQTT_PUBREC, id);
		}
		sim_peer_publish(pub, "t", "x", 2, false, 4);
		ended(pub, MQTT_RECEIVE_MAXIMUM_EXCEEDED);
		for (int n = 0; n < 3; n++)
			sim_peer_receive(sub, "t", "x", 0);
	}
	sim_peer_close(sub);
	end(broker);
}

/* What is refused is over, and makes room for the next. */
static void test_a_refusal_gives_the_quota_back(void **state)
{
	struct broker *broker = with((struct broker_options){
		.receive_maximum = 1,
		.max_retained = 1,
	});
	struct sim_peer *pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);

	(void)state;
	sim_peer_publish(pub, "a", "x", 0, true, 0);
	for (uint16_t i = 1; i <= 6; i++) {
		const uint8_t qos = i % 2 ? 1 : 2;

		sim_peer_publish(pub, "b", "x", qos, true, i);
		assert_int_equal(
			sim_peer_acked(pub,
				       qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, i),
			MQTT_QUOTA_EXCEEDED);
	}
	sim_peer_close(pub);
	end(broker);
}

static void test_the_highest_qos(void **state)
{
	(void)state;
	for (uint8_t most = 0; most <= 1; most++) {
		struct broker *broker = with((struct broker_options){
			.refused_qos = most + 1u,
		});

		for (size_t i = 0; i < 3; i++) {
			struct mqtt_connect packet =
				sim_connect(versions[i], "c", true);
			struct mqtt_properties properties = { 0 };
			struct sim_peer *peer;

			assert_int_equal(try(broker, &packet, &properties),
					 MQTT_SUCCESS);
			if (versions[i] == MQTT_5_0) {
				assert_true(properties_has(
					&properties, MQTT_PROP_MAXIMUM_QOS));
				assert_int_equal(properties.maximum_qos, most);
			}
			peer = sim_client(broker, versions[i], "c", true, NULL);
			/* [MQTT-3.2.2-9] */
			assert_int_equal(sim_peer_subscribed(peer, "t", 2),
					 most);
			sim_peer_publish(peer, "t", "x", most, false, 1);
			sim_peer_receive(peer, "t", "x", most);
			if (most)
				sim_peer_acked(peer, MQTT_PUBACK, 1);
			sim_peer_publish(peer, "t", "x", most + 1, false, 2);
			ended(peer, MQTT_QOS_NOT_SUPPORTED);

			packet.has_will = true;
			packet.will.topic = slice_str("w");
			packet.will.qos = most;
			assert_int_equal(try(broker, &packet, NULL),
					 MQTT_SUCCESS);
			packet.will.qos++;
			assert_int_not_equal(try(broker, &packet, &properties),
					     MQTT_SUCCESS);
		}
		end(broker);
	}
}

static void test_no_retained_messages(void **state)
{
	struct broker *broker =
		with((struct broker_options){ .refuse_retained = true });

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct mqtt_connect packet =
			sim_connect(versions[i], "c", true);
		struct mqtt_properties properties = { .retain_available = 1 };
		struct sim_peer *peer;

		assert_int_equal(try(broker, &packet, &properties),
				 MQTT_SUCCESS);
		if (versions[i] == MQTT_5_0)
			assert_int_equal(properties.retain_available, 0);
		for (uint8_t qos = 0; qos <= 2; qos++) {
			peer = sim_client(broker, versions[i], "c", true, NULL);
			sim_peer_publish(peer, "t", "x", qos, true, 1);
			ended(peer, MQTT_RETAIN_NOT_SUPPORTED);
		}
		packet.has_will = true;
		packet.will.topic = slice_str("w");
		packet.will.retain = true;
		if (versions[i] == MQTT_5_0)
			assert_int_equal(try(broker, &packet, NULL),
					 MQTT_RETAIN_NOT_SUPPORTED);
		else
			assert_int_not_equal(try(broker, &packet, NULL),
					     MQTT_SUCCESS);
	}
	end(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_subscriptions),
		cmocka_unit_test(test_retained_messages),
		cmocka_unit_test(test_messages_under_way_to_a_client),
		cmocka_unit_test(test_what_our_receive_maximum_counts),
		cmocka_unit_test(test_a_reload_leaves_the_quota_as_it_was_told),
		cmocka_unit_test(test_a_refusal_gives_the_quota_back),
		cmocka_unit_test(test_the_highest_qos),
		cmocka_unit_test(test_no_retained_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
