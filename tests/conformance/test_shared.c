/* Shared subscriptions (4.8.2). */
#include "tests/conformance/dialogue.h"

static void test_a_share_name_has_its_rules(void **state)
{
	static const char *const bad[] = { "$share/",	  "$share/g",
					   "$share//t",	  "$share/g/",
					   "$share/+/t",  "$share/#/t",
					   "$share/g+/t", "$share/g#/t",
					   "$share/g/a#" };
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(sim_peer_subscribed(peer, bad[i], 0),
				 MQTT_TOPIC_FILTER_INVALID);
	assert_int_equal(sim_peer_subscribed(peer, "$share/g/t", 0), 0);
	dialogue_publish(peer, "t", "x", 0, false);
	dialogue_receive(peer, "t", "x", 0);
	sim_peer_close(peer);
}

/* Each member has its own. */
static void test_the_granted_qos_holds(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);

	for (uint8_t granted = 0; granted <= 2; granted++) {
		struct sim_peer *sub =
			sim_client(*state, MQTT_5_0, "sub", true, NULL);

		assert_int_equal(
			sim_peer_subscribed(sub, "$share/g/t", granted),
			granted);
		for (uint8_t qos = 0; qos <= 2; qos++) {
			dialogue_publish(pub, "t", "x", qos, false);
			dialogue_receive(sub, "t", "x",
					 qos < granted ? qos : granted);
		}
		sim_peer_close(sub);
	}
	sim_peer_close(pub);
}

/* Begun with one member, it waits for this one. */
static void test_qos_2_is_completed_with_the_one_chosen(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *a = sim_client(*state, MQTT_5_0, "a", false, NULL);
	struct sim_peer *b;
	uint16_t id;

	sim_peer_subscribed(a, "$share/g/t", 2);
	dialogue_publish(pub, "t", "work", 2, false);
	id = sim_peer_receive(a, "t", "work", 2);
	b = sim_client(*state, MQTT_5_0, "b", true, NULL);
	sim_peer_subscribed(b, "$share/g/t", 2);
	sim_peer_close(a);
	sim_peer_expect_nothing(b);
	a = sim_client(*state, MQTT_5_0, "a", false, NULL);
	assert_int_equal(sim_peer_receive(a, "t", "work", 2), id);
	dialogue_finish(a, 2, id);
	sim_peer_expect_nothing(b);
	sim_peer_close(a);
	sim_peer_close(b);
	sim_peer_close(sim_client(*state, MQTT_5_0, "a", true, NULL));
	sim_peer_close(pub);
}

/* Its session ends before it is back: nobody else gets the message. */
static void test_qos_2_under_way_ends_with_its_session(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *a = sim_client(*state, MQTT_5_0, "a", true, NULL);
	struct sim_peer *b;

	sim_peer_subscribed(a, "$share/g/t", 2);
	dialogue_publish(pub, "t", "work", 2, false);
	sim_peer_receive(a, "t", "work", 2);
	b = sim_client(*state, MQTT_5_0, "b", true, NULL);
	sim_peer_subscribed(b, "$share/g/t", 2);
	sim_peer_close(a);
	sim_peer_expect_nothing(b);
	sim_peer_close(b);
	sim_peer_close(pub);
}

static void test_what_a_member_refuses_goes_to_nobody(void **state)
{
	for (uint8_t qos = 1; qos <= 2; qos++) {
		const enum mqtt_packet_type type =
			qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;
		struct mqtt_ack ack = { .reason = MQTT_UNSPECIFIED_ERROR };
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *a =
			sim_client(*state, MQTT_5_0, "a", true, NULL);
		struct sim_peer *b;
		uint8_t bytes[16];
		struct writer w = writer_of(bytes, sizeof(bytes));

		sim_peer_subscribed(a, "$share/g/t", qos);
		dialogue_publish(pub, "t", "work", qos, false);
		ack.packet_id = sim_peer_receive(a, "t", "work", qos);
		b = sim_client(*state, MQTT_5_0, "b", true, NULL);
		sim_peer_subscribed(b, "$share/g/t", qos);
		ack_encode(&w, MQTT_5_0, type, &ack);
		sim_peer_send(a, bytes, w.len);
		sim_peer_expect_nothing(a);
		sim_peer_expect_nothing(b);
		sim_peer_close(a);
		sim_peer_expect_nothing(b);
		sim_peer_close(b);
		sim_peer_close(pub);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_a_share_name_has_its_rules),
		DIALOGUE(test_the_granted_qos_holds),
		DIALOGUE(test_qos_2_is_completed_with_the_one_chosen),
		DIALOGUE(test_qos_2_under_way_ends_with_its_session),
		DIALOGUE(test_what_a_member_refuses_goes_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
