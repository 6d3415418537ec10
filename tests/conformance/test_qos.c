/* The handshakes of QoS 0, 1 and 2 (4.3) and their identifiers (2.2.1). */
#include "tests/conformance/dialogue.h"

#include "broker/access.h"

#define MANY 8

/* Also where they begin anew after 65535. */
static void test_our_identifiers_are_unused_and_not_zero(void **state)
{
	for (uint8_t qos = 1; qos <= 2; qos++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);
		struct session *s = session_find(*state, slice_str("p"));
		uint16_t ids[MANY];

		sim_peer_subscribed(peer, "t", qos);
		s->outbox.next_seq = 65531;
		for (uint16_t i = 0; i < MANY; i++) {
			sim_peer_publish(peer, "t", "x", qos, false,
					 (uint16_t)(i + 1));
			ids[i] = sim_peer_receive(peer, "t", "x", qos);
			sim_peer_acked(peer,
				       qos == 1 ? MQTT_PUBACK : MQTT_PUBREC,
				       (uint16_t)(i + 1));
			assert_int_not_equal(ids[i], 0);
			for (size_t j = 0; j < i; j++)
				assert_int_not_equal(ids[i], ids[j]);
		}
		for (uint16_t i = 0; i < MANY; i++)
			dialogue_finish(peer, qos, ids[i]);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_an_identifier_is_free_after_puback(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_subscribed(peer, "t", 0);
		for (int i = 0; i < 2; i++) {
			const struct mqtt_publish packet = {
				.topic = slice_str("t"),
				.payload = slice_str("x"),
				.qos = 1,
				.dup = i,
				.packet_id = 4,
			};

			sim_peer_send_publish(peer, &packet);
			sim_peer_receive(peer, "t", "x", 0);
			sim_peer_acked(peer, MQTT_PUBACK, 4);
		}
		sim_peer_close(peer);
	}
}

static void test_qos_2_is_delivered_once_until_released(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_subscribed(peer, "t", 0);
		for (int i = 0; i < 2; i++) {
			sim_peer_publish(peer, "t", "x", 2, false, 4);
			sim_peer_receive(peer, "t", "x", 0);
			sim_peer_acked(peer, MQTT_PUBREC, 4);
			sim_peer_publish(peer, "t", "x", 2, false, 4);
			sim_peer_acked(peer, MQTT_PUBREC, 4);
			sim_peer_ack(peer, MQTT_PUBREL, 4);
			sim_peer_acked(peer, MQTT_PUBCOMP, 4);
		}
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

/* The sender's side of a delivery, and that nothing comes between the steps. */
static void test_qos_2_is_sent_step_by_step(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *sub =
			sim_client(*state, versions[v], "sub", false, NULL);
		struct mqtt_publish got;

		sim_peer_subscribed(sub, "t", 2);
		dialogue_publish(pub, "t", "x", 2, false);
		got = sim_peer_message(sub);
		assert_int_equal(got.qos, 2);
		assert_false(got.dup);
		sim_peer_ack(sub, MQTT_PUBREC, got.packet_id);
		sim_peer_acked(sub, MQTT_PUBREL, got.packet_id);
		/* The PUBREC again: PUBREL again, never the PUBLISH. */
		sim_peer_ack(sub, MQTT_PUBREC, got.packet_id);
		sim_peer_acked(sub, MQTT_PUBREL, got.packet_id);
		sim_peer_close(sub);
		sub = sim_client(*state, versions[v], "sub", false, NULL);
		sim_peer_acked(sub, MQTT_PUBREL, got.packet_id);
		sim_peer_ack(sub, MQTT_PUBCOMP, got.packet_id);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);
		sub = sim_client(*state, versions[v], "sub", true, NULL);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);
		sim_peer_close(pub);
	}
}

/* Until PUBACK or PUBREC the message is ours to deliver. */
static void test_what_is_not_acknowledged_is_not_forgotten(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (uint8_t qos = 1; qos <= 2; qos++) {
			struct sim_peer *pub =
				sim_client(*state, MQTT_5_0, "pub", true, NULL);
			struct sim_peer *sub = sim_client(*state, versions[v],
							  "sub", false, NULL);
			struct mqtt_publish got;
			uint16_t id;

			sim_peer_subscribed(sub, "t", qos);
			dialogue_publish(pub, "t", "x", qos, false);
			got = sim_peer_message(sub);
			assert_false(got.dup);
			id = got.packet_id;
			sim_peer_close(sub);
			sub = sim_client(*state, versions[v], "sub", false,
					 NULL);
			got = sim_peer_message(sub);
			assert_true(got.dup);
			assert_int_equal(got.packet_id, id);
			dialogue_finish(sub, qos, id);
			sim_peer_close(sub);
			sub = sim_client(*state, versions[v], "sub", false,
					 NULL);
			sim_peer_expect_nothing(sub);
			sim_peer_close(sub);
			sim_peer_close(sim_client(*state, versions[v], "sub",
						  true, NULL));
			sim_peer_close(pub);
		}
	}
}

static struct mqtt_publish mortal(uint8_t qos, uint16_t id)
{
	struct mqtt_publish packet = {
		.topic = slice_str("t"),
		.payload = slice_str("x"),
		.qos = qos,
		.packet_id = id,
		.properties.message_expiry_interval = 1,
	};

	properties_set(&packet.properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
	return packet;
}

static void test_what_has_been_sent_does_not_expire(void **state)
{
	const struct mqtt_publish packet = mortal(2, 1);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);
	uint16_t id;

	sim_peer_subscribed(sub, "t", 2);
	sim_peer_send_publish(pub, &packet);
	sim_peer_acked(pub, MQTT_PUBREC, 1);
	id = sim_peer_receive(sub, "t", "x", 2);
	sim_peer_close(sub);
	sim_clock_advance(*state, 5000);
	sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);
	assert_int_equal(sim_peer_receive(sub, "t", "x", 2), id);
	dialogue_finish(sub, 2, id);
	sim_peer_close(sub);
	sim_peer_close(sim_client(*state, MQTT_5_0, "sub", true, NULL));
	sim_peer_close(pub);
}

static void test_the_handshake_goes_on_after_expiry(void **state)
{
	const struct mqtt_publish packet = mortal(2, 1);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);

	sim_peer_send_publish(pub, &packet);
	sim_peer_acked(pub, MQTT_PUBREC, 1);
	sim_clock_advance(*state, 5000);
	sim_peer_send_publish(pub, &packet);
	sim_peer_acked(pub, MQTT_PUBREC, 1);
	sim_peer_ack(pub, MQTT_PUBREL, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBCOMP, 1), MQTT_SUCCESS);
	sim_peer_close(pub);
}

/* What has not been sent yet is deleted instead, at each QoS. */
static void test_what_waited_too_long_is_not_sent(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);

	sim_peer_subscribed(sub, "t", 2);
	sim_peer_close(sub);
	for (uint8_t qos = 1; qos <= 2; qos++) {
		const struct mqtt_publish packet = mortal(qos, qos);

		sim_peer_send_publish(pub, &packet);
		sim_peer_acked(pub, qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, qos);
	}
	sim_clock_advance(*state, 1000);
	sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
	sim_peer_close(sim_client(*state, MQTT_5_0, "sub", true, NULL));
	sim_peer_close(pub);
}

/* Refused with 0x80 or above: the next one under it is another message. */
static void test_a_refused_identifier_is_free(void **state)
{
	struct access *access = access_new();
	const struct access_rule rule = {
		.id = 1,
		.filter = "yes",
		.action = ACCESS_READWRITE,
		.allow = true,
	};
	const struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
	struct broker *broker;
	struct sim_peer *peer;

	(void)state;
	assert_int_equal(access_add_rule(access, &rule), 0);
	broker = sim_broker(NULL, access);
	peer = sim_peer_open_as(broker, "user");
	sim_peer_connect(peer, &packet);
	assert_int_equal(dialogue_connack(peer).reason, MQTT_SUCCESS);
	sim_peer_subscribed(peer, "yes", 0);
	sim_peer_publish(peer, "no", "x", 2, false, 8);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBREC, 8),
			 MQTT_NOT_AUTHORIZED);
	sim_peer_publish(peer, "yes", "y", 2, false, 8);
	sim_peer_receive(peer, "yes", "y", 0);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBREC, 8), MQTT_SUCCESS);
	sim_peer_close(peer);
	broker_free(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_our_identifiers_are_unused_and_not_zero),
		DIALOGUE(test_an_identifier_is_free_after_puback),
		DIALOGUE(test_qos_2_is_delivered_once_until_released),
		DIALOGUE(test_qos_2_is_sent_step_by_step),
		DIALOGUE(test_what_is_not_acknowledged_is_not_forgotten),
		DIALOGUE(test_what_has_been_sent_does_not_expire),
		DIALOGUE(test_the_handshake_goes_on_after_expiry),
		DIALOGUE(test_what_waited_too_long_is_not_sent),
		DIALOGUE(test_a_refused_identifier_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
