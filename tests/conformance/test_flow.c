/* Flow control, sizes, aliases, problem information (3.1.2.11, 4.9). */
#include "tests/conformance/dialogue.h"

static void test_other_packets_pass_a_full_window(void **state)
{
	struct sim_peer *peer = dialogue_limited(*state, "p", 1, 0);

	sim_peer_subscribed(peer, "t", 1);
	sim_peer_publish(peer, "t", "1", 1, false, 1);
	sim_peer_receive(peer, "t", "1", 1);
	sim_peer_acked(peer, MQTT_PUBACK, 1);
	sim_peer_publish(peer, "t", "2", 1, false, 2);
	sim_peer_acked(peer, MQTT_PUBACK, 2);
	sim_peer_expect_nothing(peer);

	SEND(peer, "\xc0\0");
	sim_peer_expect(peer, MQTT_PINGRESP);
	sim_peer_subscribed(peer, "u", 0);
	dialogue_publish(peer, "u", "x", 0, false);
	dialogue_receive(peer, "u", "x", 0);
	dialogue_publish(peer, "v", "x", 2, false);
	dialogue_unsubscribe(peer, "u");
	sim_peer_close(peer);
}

/* Back with a smaller window, a client is told at once what is released. */
static void test_a_full_window_holds_back_no_pubrel(void **state)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", false);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *peer = dialogue_connect(*state, &packet);
	uint16_t ids[3];

	sim_peer_subscribed(peer, "t", 2);
	for (uint16_t i = 0; i < 3; i++) {
		dialogue_publish(pub, "t", "x", 2, false);
		ids[i] = sim_peer_receive(peer, "t", "x", 2);
	}
	for (uint16_t i = 1; i < 3; i++) {
		sim_peer_ack(peer, MQTT_PUBREC, ids[i]);
		sim_peer_acked(peer, MQTT_PUBREL, ids[i]);
	}
	sim_peer_close(peer);
	packet.properties.receive_maximum = 1;
	properties_set(&packet.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	peer = dialogue_connect(*state, &packet);
	assert_int_equal(sim_peer_receive(peer, "t", "x", 2), ids[0]);
	sim_peer_acked(peer, MQTT_PUBREL, ids[1]);
	sim_peer_acked(peer, MQTT_PUBREL, ids[2]);
	sim_peer_close(peer);
	sim_peer_close(pub);
	sim_peer_close(sim_client(*state, MQTT_5_0, "p", true, NULL));
}

/* Ours begins at what CONNECT says, goes down with each and up again. */
static void test_the_send_quota_is_the_clients(void **state)
{
	for (uint16_t quota = 1; quota <= 3; quota++) {
		struct sim_peer *sub = dialogue_limited(*state, "s", quota, 0);
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		uint16_t first = 0;

		sim_peer_subscribed(sub, "t", 2);
		for (uint16_t i = 0; i < 5; i++)
			dialogue_publish(pub, "t", "x", i % 2 ? 1 : 2, false);
		for (uint16_t i = 0; i < quota; i++) {
			const uint16_t id =
				sim_peer_receive(sub, "t", "x", i % 2 ? 1 : 2);

			first = i == 0 ? id : first;
		}
		sim_peer_expect_nothing(sub);
		dialogue_finish(sub, 2, first);
		sim_peer_receive(sub, "t", "x", quota % 2 ? 1 : 2);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);
		sim_peer_close(pub);
	}
}

/* Not even by calling them duplicates. */
static void test_our_receive_maximum_holds(void **state)
{
	for (int dup = 0; dup <= 1; dup++) {
		struct mqtt_publish packet = {
			.topic = slice_str("t"),
			.qos = 2,
			.dup = dup,
		};
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		for (uint16_t i = 1; i <= LIMIT_RECEIVE_MAXIMUM; i++) {
			packet.packet_id = i;
			sim_peer_send_publish(peer, &packet);
			sim_peer_acked(peer, MQTT_PUBREC, i);
		}
		/* One of them again is not one more. */
		sim_peer_send_publish(peer, &packet);
		sim_peer_acked(peer, MQTT_PUBREC, packet.packet_id);
		packet.packet_id++;
		sim_peer_send_publish(peer, &packet);
		dialogue_ended(peer, MQTT_RECEIVE_MAXIMUM_EXCEEDED);
	}
}

/* What cannot be left out takes this much: two bytes of header, flags, reason,
 * length, and the three limits of ours. Nothing else may make it larger. */
#define CONNACK_SIZE (5 + 3 + 5 + 3)

static void test_a_connack_that_is_too_large_is_not_sent(void **state)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
	struct sim_peer *peer;

	properties_set(&packet.properties, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	packet.properties.maximum_packet_size = CONNACK_SIZE;
	sim_peer_close(dialogue_connect(*state, &packet));
	packet.properties.maximum_packet_size = CONNACK_SIZE - 1;
	peer = sim_peer_open(*state);
	sim_peer_connect(peer, &packet);
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
	/* Nor a refusal: four bytes and the length of no properties. */
	packet.client_id = slice_str("$p");
	packet.properties.maximum_packet_size = 5;
	peer = sim_peer_open(*state);
	sim_peer_connect(peer, &packet);
	assert_int_equal(dialogue_connack(peer).reason,
			 MQTT_CLIENT_IDENTIFIER_NOT_VALID);
	sim_peer_close(peer);
	packet.properties.maximum_packet_size = 4;
	peer = sim_peer_open(*state);
	sim_peer_connect(peer, &packet);
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

/* 20 answers do not fit into 20 bytes. */
static void test_an_answer_that_is_too_large_ends_it(void **state)
{
	static const struct slice filter = LITERAL("t");
	const struct mqtt_properties none = { 0 };
	struct mqtt_subscription entries[20];
	struct slice filters[20];

	for (size_t i = 0; i < COUNT(entries); i++) {
		entries[i] = (struct mqtt_subscription){ .filter = filter };
		filters[i] = filter;
	}
	for (int i = 0; i < 2; i++) {
		struct sim_peer *peer = dialogue_limited(*state, "p", 0, 20);
		uint8_t bytes[256];
		struct writer w = writer_of(bytes, sizeof(bytes));

		if (i == 0)
			subscribe_encode(&w, MQTT_5_0, 1, &none, entries, 20);
		else
			unsubscribe_encode(&w, MQTT_5_0, 1, filters, 20);
		sim_peer_send(peer, bytes, w.len);
		dialogue_ended(peer, MQTT_PACKET_TOO_LARGE);
	}
}

/* Every answer comes as small as it can be: a Reason String or User Property
 * that does not fit is left out. refused: as often as we can do so. */
static void test_answers_fit_a_client_that_takes_little(void **state)
{
	struct sim_peer *peer = dialogue_limited(*state, "p", 0, 18);

	sim_peer_subscribed(peer, "t", 2);
	sim_peer_subscribed(peer, "a#", 2);
	dialogue_publish(peer, "nobody", "x", 1, false);
	dialogue_publish(peer, "nobody", "x", 2, false);
	sim_peer_publish(peer, "$SYS/x", "x", 1, false, 1);
	sim_peer_acked(peer, MQTT_PUBACK, 1);
	sim_peer_publish(peer, "$SYS/x", "x", 2, false, 1);
	sim_peer_acked(peer, MQTT_PUBREC, 1);
	sim_peer_ack(peer, MQTT_PUBREL, 1);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBCOMP, 1),
			 MQTT_PACKET_IDENTIFIER_NOT_FOUND);
	sim_peer_ack(peer, MQTT_PUBREC, 1);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBREL, 1),
			 MQTT_PACKET_IDENTIFIER_NOT_FOUND);
	dialogue_unsubscribe(peer, "none");
	SEND(peer, "\xd0\0");
	dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
}

static bool has_problem_information(enum mqtt_packet_type type,
				    struct slice body)
{
	struct mqtt_suback suback = { 0 };
	struct mqtt_ack ack = { 0 };
	const uint64_t both = UINT64_C(1) << MQTT_PROP_REASON_STRING |
			      UINT64_C(1) << MQTT_PROP_USER_PROPERTY;

	if (type == MQTT_SUBACK || type == MQTT_UNSUBACK) {
		assert_int_equal(suback_decode(MQTT_5_0, type, body, &suback),
				 MQTT_SUCCESS);
		return suback.properties.present & both;
	}
	assert_int_equal(ack_decode(MQTT_5_0, type, body, &ack), MQTT_SUCCESS);
	return ack.properties.present & both;
}

/* Request Problem Information 0 [MQTT-3.1.2-29]. */
static void test_no_problem_information_where_none_is_wanted(void **state)
{
	static const struct {
		struct slice packet;
		enum mqtt_packet_type answer;
	} rows[] = {
		{ LITERAL("\x82\x08\0\1\0\0\2a#\0"), MQTT_SUBACK },
		{ LITERAL("\xa2\6\0\1\0\0\1n"), MQTT_UNSUBACK },
		{ LITERAL("\x32\x0b\0\6$SYS/x\0\1\0"), MQTT_PUBACK },
		{ LITERAL("\x34\x0b\0\6$SYS/x\0\1\0"), MQTT_PUBREC },
		{ LITERAL("\x62\2\0\1"), MQTT_PUBCOMP },
		{ LITERAL("\x50\2\0\1"), MQTT_PUBREL },
	};
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
	struct sim_peer *peer;

	packet.properties.request_problem_information = 0;
	properties_set(&packet.properties,
		       MQTT_PROP_REQUEST_PROBLEM_INFORMATION);
	peer = dialogue_connect(*state, &packet);
	for (size_t i = 0; i < COUNT(rows); i++) {
		sim_peer_send(peer, rows[i].packet.data, rows[i].packet.len);
		assert_false(has_problem_information(
			rows[i].answer, sim_peer_expect(peer, rows[i].answer)));
	}
	sim_peer_close(peer);
}

/* ---- topic aliases ------------------------------------------------------ */

static void send_alias(struct sim_peer *peer, const char *topic, uint16_t alias)
{
	struct mqtt_publish packet = {
		.topic = slice_str(topic),
		.payload = slice_str("x"),
		.properties.topic_alias = alias,
	};

	properties_set(&packet.properties, MQTT_PROP_TOPIC_ALIAS);
	sim_peer_send_publish(peer, &packet);
}

static void test_every_alias_up_to_our_maximum_is_taken(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	char topic[16];

	sim_peer_subscribed(peer, "#", 0);
	for (uint16_t i = 1; i <= LIMIT_TOPIC_ALIASES; i++) {
		snprintf(topic, sizeof(topic), "t/%d", i);
		send_alias(peer, topic, i);
		dialogue_receive(peer, topic, "x", 0);
	}
	for (uint16_t i = 1; i <= LIMIT_TOPIC_ALIASES; i++) {
		snprintf(topic, sizeof(topic), "t/%d", i);
		send_alias(peer, "", i);
		dialogue_receive(peer, topic, "x", 0);
	}
	send_alias(peer, "t", LIMIT_TOPIC_ALIASES + 1);
	dialogue_ended(peer, MQTT_TOPIC_ALIAS_INVALID);
}

static void test_alias_0_ends_the_connection(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	send_alias(peer, "t", 0);
	dialogue_ended(peer, MQTT_TOPIC_ALIAS_INVALID);
}

static void test_aliases_end_with_the_connection(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", false, NULL);

	send_alias(peer, "t", 1);
	sim_peer_close(peer);
	peer = sim_client(*state, MQTT_5_0, "p", false, NULL);
	send_alias(peer, "", 1);
	dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
	sim_peer_close(sim_client(*state, MQTT_5_0, "p", true, NULL));
}

/* Towards a client: none above what it allows, which may be none at all. */
static void test_no_alias_is_sent_that_is_not_allowed(void **state)
{
	for (uint16_t max = 0; max <= 2; max++) {
		unsigned int aliases = 0;
		struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
		struct sim_peer *peer;
		char topic[16];

		packet.properties.topic_alias_maximum = max;
		if (max)
			properties_set(&packet.properties,
				       MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
		peer = dialogue_connect(*state, &packet);
		sim_peer_subscribed(peer, "#", 0);
		for (int i = 0; i < 12; i++) {
			struct mqtt_publish got;

			snprintf(topic, sizeof(topic), "topic/%d", i / 4);
			dialogue_publish(peer, topic, "x", 0, false);
			got = sim_peer_message(peer);
			if (!properties_has(&got.properties,
					    MQTT_PROP_TOPIC_ALIAS))
				continue;
			aliases++;
			assert_in_range(got.properties.topic_alias, 1, max);
		}
		/* It is used at all. */
		assert_int_equal(aliases > 0, max > 0);
		sim_peer_close(peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_other_packets_pass_a_full_window),
		DIALOGUE(test_a_full_window_holds_back_no_pubrel),
		DIALOGUE(test_the_send_quota_is_the_clients),
		DIALOGUE(test_our_receive_maximum_holds),
		DIALOGUE(test_a_connack_that_is_too_large_is_not_sent),
		DIALOGUE(test_an_answer_that_is_too_large_ends_it),
		DIALOGUE(test_answers_fit_a_client_that_takes_little),
		DIALOGUE(test_no_problem_information_where_none_is_wanted),
		DIALOGUE(test_every_alias_up_to_our_maximum_is_taken),
		DIALOGUE(test_alias_0_ends_the_connection),
		DIALOGUE(test_aliases_end_with_the_connection),
		DIALOGUE(test_no_alias_is_sent_that_is_not_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
