/* CONNECT and CONNACK (3.1, 3.2). */
#include "tests/conformance/dialogue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/access.h"

static void test_a_second_connect_ends_the_connection(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		const struct mqtt_connect again =
			sim_connect(versions[v], "p", true);
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_connect(peer, &again);
		dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
	}
}

static void test_another_first_packet_is_not_answered(void **state)
{
	static const struct slice packets[] = {
		LITERAL("\xc0\0"),
		LITERAL("\x30\3\0\1t"),
		LITERAL("\xe0\0"),
		LITERAL("\xf0\0"),
		/* Another type with the body of a CONNECT. */
		LITERAL("\x30\x0d\0\4MQTT\4\2\0\0\0\1a"),
		LITERAL("\xf0\x0d\0\4MQTT\4\2\0\0\0\1a"),
	};

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct sim_peer *peer = sim_peer_open(*state);

		sim_peer_send(peer, packets[i].data, packets[i].len);
		sim_peer_expect_nothing(peer);
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
	}
}

static void test_session_present_tells_if_state_was_kept(void **state)
{
	static const struct {
		bool kept, clean, present;
	} rows[] = {
		{ false, true, false },
		{ false, false, false },
		{ true, true, false },
		{ true, false, true },
	};

	/* 3.1 has no such flag. */
	for (size_t v = 1; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			bool present;

			if (rows[i].kept)
				sim_peer_close(sim_client(*state, versions[v],
							  "p", false, NULL));
			sim_peer_close(sim_client(*state, versions[v], "p",
						  rows[i].clean, &present));
			assert_int_equal(present, rows[i].present);
			sim_peer_close(sim_client(*state, versions[v], "p",
						  true, NULL));
		}
	}
}

static void test_a_clean_session_is_never_used_again(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		bool present;

		sim_peer_subscribed(peer, "t", 1);
		sim_peer_close(peer);
		peer = sim_client(*state, versions[v], "p", false, &present);
		assert_false(present);
		dialogue_publish(peer, "t", "x", 1, false);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

/* Somebody else's session is there, but is not his. */
static void test_a_refusal_never_says_session_present(void **state)
{
	static const uint8_t codes[] = { 2, 2, 0x85 };

	for (size_t v = 0; v < COUNT(versions); v++) {
		const struct mqtt_connect packet =
			sim_connect(versions[v], "p", false);
		struct sim_peer *peer;
		struct slice body;

		sim_peer_close(
			sim_client(*state, versions[v], "p", false, NULL));
		peer = sim_peer_open_as(*state, "eve");
		sim_peer_connect(peer, &packet);
		body = sim_peer_expect(peer, MQTT_CONNACK);
		assert_int_equal(body.data[0], 0);
		assert_int_equal(body.data[1], codes[v]);
		sim_peer_expect_nothing(peer);
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
	}
}

static void test_23_letters_and_digits_are_an_identifier(void **state)
{
	static const char *const ids[] = {
		"0123456789abcdefghijklm",
		"nopqrstuvwxyzABCDEFGHIJ",
		"KLMNOPQRSTUVWXYZ",
		"0",
	};

	for (size_t v = 0; v < COUNT(versions); v++)
		for (size_t i = 0; i < COUNT(ids); i++)
			sim_peer_close(sim_client(*state, versions[v], ids[i],
						  true, NULL));
}

static void test_a_refused_identifier_has_its_code(void **state)
{
	static const uint8_t codes[] = { 2, 2, 0x85 };

	for (size_t v = 0; v < COUNT(versions); v++) {
		const struct mqtt_connect packet =
			sim_connect(versions[v], "$p", true);
		struct sim_peer *peer = sim_peer_open(*state);

		sim_peer_connect(peer, &packet);
		assert_int_equal(sim_peer_expect(peer, MQTT_CONNACK).data[1],
				 codes[v]);
		sim_peer_expect_nothing(peer);
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
	}
}

static void test_an_empty_identifier_works_as_if_given(void **state)
{
	for (size_t v = 1; v < COUNT(versions); v++) {
		struct sim_peer *a =
			sim_client(*state, versions[v], "", true, NULL);
		struct sim_peer *b =
			sim_client(*state, versions[v], "", true, NULL);

		sim_peer_subscribed(a, "t", 1);
		dialogue_publish(b, "t", "x", 1, false);
		dialogue_receive(a, "t", "x", 1);
		sim_peer_close(a);
		sim_peer_close(b);
	}
}

/* All in one write: CONNECT, refused for its level, and a PUBLISH. */
static void test_nothing_behind_a_refused_connect_counts(void **state)
{
	struct sim_peer *sub = sim_client(*state, MQTT_5_0, "sub", true, NULL);
	struct sim_peer *peer = sim_peer_open(*state);

	sim_peer_subscribed(sub, "t", 0);
	SEND(peer, "\x10\x0d\0\4MQTT\3\2\0\0\0\1a\x31\4\0\1tx");
	assert_int_equal(sim_peer_expect(peer, MQTT_CONNACK).data[1], 1);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);

	peer = sim_peer_open(*state);
	SEND(peer, "\x10\x0f\0\4MQTT\5\2\0\0\0\0\2$a\x31\5\0\1t\0x");
	assert_int_equal(sim_peer_expect(peer, MQTT_CONNACK).data[1], 0x85);
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
	sim_peer_expect_nothing(sub);
	sim_peer_subscribed(sub, "t", 0);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
}

/* What of CONNACK tells of a lack is not there: we lack nothing. */
static void test_connack_says_what_it_must_and_no_more(void **state)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
	struct sim_peer *peer = sim_peer_open(*state);
	struct mqtt_connack connack = { 0 };
	struct slice body;

	packet.keep_alive = 60;
	sim_peer_connect(peer, &packet);
	body = sim_peer_expect(peer, MQTT_CONNACK);
	assert_int_equal(body.data[0], 0); /* bits 7 to 1, no session */
	assert_int_equal(connack_decode(MQTT_5_0, body, &connack),
			 MQTT_SUCCESS);
	assert_true(connack.properties.present ==
		    (UINT64_C(1) << MQTT_PROP_RECEIVE_MAXIMUM |
		     UINT64_C(1) << MQTT_PROP_MAXIMUM_PACKET_SIZE |
		     UINT64_C(1) << MQTT_PROP_TOPIC_ALIAS_MAXIMUM));
	assert_int_equal(connack.properties.receive_maximum,
			 LIMIT_RECEIVE_MAXIMUM);
	assert_int_equal(connack.properties.maximum_packet_size,
			 LIMIT_PACKET_SIZE);
	assert_int_equal(connack.properties.topic_alias_maximum,
			 LIMIT_TOPIC_ALIASES);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
}

/* No Maximum QoS, no Retain Available: everything is taken, wills too. */
static void test_every_qos_and_retain_are_taken(void **state)
{
	for (uint8_t qos = 0; qos <= 2; qos++) {
		struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
		struct sim_peer *peer;

		packet.has_will = true;
		packet.will.topic = slice_str("w");
		packet.will.payload = slice_str("gone");
		packet.will.qos = qos;
		packet.will.retain = true;
		peer = dialogue_connect(*state, &packet);
		assert_int_equal(sim_peer_subscribed(peer, "t", qos), qos);
		sim_peer_close(peer);

		peer = sim_client(*state, MQTT_5_0, "heir", true, NULL);
		sim_peer_subscribed(peer, "w", 2);
		dialogue_receive(peer, "w", "gone", qos);
		sim_peer_close(peer);
	}
}

/* Whose names stand in it, if they can be levels of a topic. */
static void test_response_information_is_given_when_asked(void **state)
{
	static const struct {
		const char *text, *id, *given;
	} rows[] = {
		{ "reply", "p", "reply" },
		{ "reply/%c", "p", "reply/p" },
		{ "reply/%u/%c/%c", "p", "reply/anna/p/p" },
		{ "100%/%%c%", "p", "100%/%p%" },
		{ "reply/%c", "a/b", NULL },
		{ "reply/%c", "+", NULL },
		{ "reply/%c", "#", NULL },
		{ "reply/%u", "#", "reply/anna" },
		{ NULL, "p", NULL },
	};
	struct broker *broker = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mqtt_connect packet =
			sim_connect(MQTT_5_0, rows[i].id, true);
		struct sim_peer *peer = sim_peer_open_as(broker, "anna");
		struct mqtt_connack connack;
		struct slice got;

		packet.properties.request_response_information = 1;
		properties_set(&packet.properties,
			       MQTT_PROP_REQUEST_RESPONSE_INFORMATION);
		broker->options.response_information = rows[i].text;
		sim_peer_connect(peer, &packet);
		connack = dialogue_connack(peer);
		got = connack.properties.response_information;
		assert_int_equal(properties_has(&connack.properties,
						MQTT_PROP_RESPONSE_INFORMATION),
				 rows[i].given != NULL);
		if (rows[i].given)
			assert_true(slice_equal(got, slice_str(rows[i].given)));
		sim_peer_close(peer);
	}
}

static void test_response_information_is_not_given_unasked(void **state)
{
	struct broker *broker = *state;

	broker->options.response_information = "reply";
	for (int said = 0; said < 2; said++) {
		struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
		struct sim_peer *peer = sim_peer_open(*state);
		struct mqtt_connack connack;

		packet.properties.request_response_information = 0;
		if (said)
			properties_set(&packet.properties,
				       MQTT_PROP_REQUEST_RESPONSE_INFORMATION);
		sim_peer_connect(peer, &packet);
		connack = dialogue_connack(peer);
		assert_int_equal(connack.reason, MQTT_SUCCESS);
		assert_false(properties_has(&connack.properties,
					    MQTT_PROP_RESPONSE_INFORMATION));
		sim_peer_close(peer);
	}
}

/* An access table, and nobody has said who he is. */
static void test_who_may_not_come_is_told_and_closed(void **state)
{
	static const uint8_t codes[] = { 5, 5, 0x87 };
	struct broker *broker = sim_broker(NULL, access_new());

	(void)state;
	for (size_t v = 0; v < COUNT(versions); v++) {
		const struct mqtt_connect packet =
			sim_connect(versions[v], "p", true);
		struct sim_peer *peer = sim_peer_open(broker);

		sim_peer_connect(peer, &packet);
		assert_int_equal(sim_peer_expect(peer, MQTT_CONNACK).data[1],
				 codes[v]);
		sim_peer_expect_nothing(peer);
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
	}
	broker_free(broker);
}

static void test_each_identifier_has_its_own_session(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, versions[v], "pub", true, NULL);
		struct sim_peer *peer =
			sim_client(*state, versions[v], "a", false, NULL);

		sim_peer_subscribed(peer, "t", 1);
		sim_peer_close(peer);
		dialogue_publish(pub, "t", "x", 1, false);
		peer = sim_client(*state, versions[v], "A", false, NULL);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
		peer = sim_client(*state, versions[v], "a", false, NULL);
		dialogue_receive(peer, "t", "x", 1);
		sim_peer_close(peer);
		sim_peer_close(pub);
		sim_peer_close(
			sim_client(*state, versions[v], "a", true, NULL));
	}
}

/* Without a method in CONNECT there is none in CONNACK, and no AUTH comes. */
static void test_without_a_method_there_is_no_auth(void **state)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
	struct sim_peer *peer = sim_peer_open(*state);
	struct mqtt_connack connack;

	sim_peer_connect(peer, &packet);
	connack = dialogue_connack(peer);
	assert_false(properties_has(&connack.properties,
				    MQTT_PROP_AUTHENTICATION_METHOD));
	assert_false(properties_has(&connack.properties,
				    MQTT_PROP_AUTHENTICATION_DATA));
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
}

static void test_an_unknown_method_is_refused(void **state)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", true);
	struct sim_peer *peer = sim_peer_open(*state);

	packet.properties.authentication_method = slice_str("K9");
	properties_set(&packet.properties, MQTT_PROP_AUTHENTICATION_METHOD);
	sim_peer_connect(peer, &packet);
	assert_int_equal(dialogue_connack(peer).reason,
			 MQTT_BAD_AUTHENTICATION_METHOD);
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

/* An ordered stream of bytes without loss: TCP. */
static void test_tcp_is_served(void **state)
{
	const struct listener_options listener = {
		.name = "test",
		.address = "127.0.0.1",
		.anonymous = true,
	};
	const struct broker_options options = {
		.listeners = &listener,
		.listener_count = 1,
		.node = "test",
	};
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct broker *broker = broker_new(&options);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t in[8];
	ssize_t n;

	(void)state;
	assert_non_null(broker);
	to.sin_port = htons(broker_listener_port(broker, 0));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, "\x10\x0d\0\4MQTT\4\2\0\0\0\1a\xc0\0", 17,
			      MSG_NOSIGNAL),
			 17);
	do {
		sim_run(broker);
		n = recv(fd, in, sizeof(in), MSG_DONTWAIT | MSG_PEEK);
	} while ((n < 0 && errno == EAGAIN) || (n > 0 && n < 6));
	assert_int_equal(n, 6);
	recv(fd, in, sizeof(in), 0);
	assert_memory_equal(in, "\x20\2\0\0\xd0\0", 6);
	close(fd);
	broker_free(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_a_second_connect_ends_the_connection),
		DIALOGUE(test_another_first_packet_is_not_answered),
		DIALOGUE(test_session_present_tells_if_state_was_kept),
		DIALOGUE(test_a_clean_session_is_never_used_again),
		DIALOGUE(test_a_refusal_never_says_session_present),
		DIALOGUE(test_23_letters_and_digits_are_an_identifier),
		DIALOGUE(test_a_refused_identifier_has_its_code),
		DIALOGUE(test_an_empty_identifier_works_as_if_given),
		DIALOGUE(test_nothing_behind_a_refused_connect_counts),
		DIALOGUE(test_connack_says_what_it_must_and_no_more),
		DIALOGUE(test_every_qos_and_retain_are_taken),
		DIALOGUE(test_response_information_is_given_when_asked),
		DIALOGUE(test_response_information_is_not_given_unasked),
		DIALOGUE(test_who_may_not_come_is_told_and_closed),
		DIALOGUE(test_each_identifier_has_its_own_session),
		DIALOGUE(test_without_a_method_there_is_no_auth),
		DIALOGUE(test_an_unknown_method_is_refused),
		DIALOGUE(test_tcp_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
