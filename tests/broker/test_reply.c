/* Who is told why, in which packet, and who is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/protocol/reply.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LITERAL(text)                                     \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

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
	broker_free(broker);
	return 0;
}

struct wishes {
	uint32_t max_packet; /* 0: any */
	bool silence; /* Request Problem Information 0 */
	enum mqtt_version version;
	const char *id;
};

static struct sim_peer *open_with(struct broker *broker,
				  const struct wishes *wishes)
{
	struct mqtt_connect packet =
		sim_connect(wishes->version, wishes->id, true);
	struct sim_peer *peer = sim_peer_open(broker);

	if (wishes->max_packet) {
		packet.properties.maximum_packet_size = wishes->max_packet;
		properties_set(&packet.properties,
			       MQTT_PROP_MAXIMUM_PACKET_SIZE);
	}
	if (wishes->silence) {
		packet.properties.request_problem_information = 0;
		properties_set(&packet.properties,
			       MQTT_PROP_REQUEST_PROBLEM_INFORMATION);
	}
	sim_peer_connect(peer, &packet);
	return peer;
}

static struct sim_peer *connect_with(struct broker *broker,
				     const struct wishes *wishes)
{
	struct sim_peer *peer = open_with(broker, wishes);
	struct mqtt_connack connack;

	assert_int_equal(connack_decode(peer->version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	assert_int_equal(connack.reason, MQTT_SUCCESS);
	assert_false(
		properties_has(&connack.properties, MQTT_PROP_REASON_STRING));
	return peer;
}

static struct wishes nothing(void)
{
	return (struct wishes){ .version = MQTT_5_0, .id = "p" };
}

/* The properties of any packet that may carry a Reason String. */
static struct mqtt_properties properties_of(enum mqtt_packet_type type,
					    struct slice body)
{
	struct mqtt_reason_packet disconnect = { 0 };
	struct mqtt_connack connack = { 0 };
	struct mqtt_suback suback = { 0 };
	struct mqtt_ack ack = { 0 };

	if (type == MQTT_CONNACK) {
		assert_int_equal(connack_decode(MQTT_5_0, body, &connack), 0);
		return connack.properties;
	}
	if (type == MQTT_DISCONNECT) {
		assert_int_equal(
			disconnect_decode(MQTT_5_0, false, body, &disconnect),
			0);
		return disconnect.properties;
	}
	if (type == MQTT_SUBACK || type == MQTT_UNSUBACK) {
		assert_int_equal(suback_decode(MQTT_5_0, type, body, &suback),
				 0);
		return suback.properties;
	}
	assert_int_equal(ack_decode(MQTT_5_0, type, body, &ack), 0);
	return ack.properties;
}

/* The next packet, and what it says; NULL: nothing. */
static void expect(struct sim_peer *peer, enum mqtt_packet_type type,
		   const char *why)
{
	const struct mqtt_properties p =
		properties_of(type, sim_peer_expect(peer, type));

	assert_int_equal(properties_has(&p, MQTT_PROP_REASON_STRING), !!why);
	if (!why)
		return;
	assert_int_equal(p.reason_string.len, strlen(why));
	assert_memory_equal(p.reason_string.data, why, strlen(why));
}

static const struct {
	struct slice packet;
	enum mqtt_packet_type answer;
	const char *why;
} refusals[] = {
	{ LITERAL("\x82\x08\0\1\0\0\2a#\0"), MQTT_SUBACK,
	  "filter 1: not a valid topic filter" },
	{ LITERAL("\x82\x0c\0\1\0\0\1t\0\0\2a#\0"), MQTT_SUBACK,
	  "filter 2: not a valid topic filter" },
	{ LITERAL("\x82\x14\0\1\0\0\2a#\0\0\1t\0\0\5b+/+/\0"), MQTT_SUBACK,
	  "filter 1: not a valid topic filter" },
	{ LITERAL("\xa2\7\0\1\0\0\2a#"), MQTT_UNSUBACK,
	  "filter 1: not a valid topic filter" },
	{ LITERAL("\x32\x0b\0\6$SYS/x\0\1\0"), MQTT_PUBACK,
	  "user anonymous may not publish to this topic" },
	{ LITERAL("\x34\x0b\0\6$SYS/x\0\1\0"), MQTT_PUBREC,
	  "user anonymous may not publish to this topic" },
};

static void test_a_refusal_says_why(void **state)
{
	const struct wishes wishes = nothing();
	struct sim_peer *peer = connect_with(*state, &wishes);

	for (size_t i = 0; i < COUNT(refusals); i++) {
		sim_peer_send(peer, refusals[i].packet.data,
			      refusals[i].packet.len);
		expect(peer, refusals[i].answer, refusals[i].why);
	}
	sim_peer_send(peer, "\xd0\1\0", 3);
	expect(peer, MQTT_DISCONNECT, "bad fixed header");
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

static void test_a_refused_connect_says_why(void **state)
{
	struct wishes wishes = nothing();
	struct sim_peer *peer;

	wishes.id = "$p";
	peer = open_with(*state, &wishes);
	expect(peer, MQTT_CONNACK, "client identifier begins with $");
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

/* What went well needs no words, nor does what nobody was there for. */
static void test_success_says_nothing(void **state)
{
	const struct wishes wishes = nothing();
	struct sim_peer *peer = connect_with(*state, &wishes);

	sim_peer_subscribe(peer, "t", 0);
	expect(peer, MQTT_SUBACK, NULL);
	sim_peer_publish(peer, "nobody", "x", 1, false, 1);
	expect(peer, MQTT_PUBACK, NULL);
	sim_peer_send(peer, "\xa2\6\0\1\0\0\1n", 8);
	expect(peer, MQTT_UNSUBACK, NULL);
	sim_peer_close(peer);
}

static void test_who_wants_no_words_gets_none(void **state)
{
	struct wishes wishes = nothing();
	struct sim_peer *peer;

	wishes.silence = true;
	peer = connect_with(*state, &wishes);
	for (size_t i = 0; i < COUNT(refusals); i++) {
		sim_peer_send(peer, refusals[i].packet.data,
			      refusals[i].packet.len);
		expect(peer, refusals[i].answer, NULL);
	}
	sim_peer_send(peer, "\xd0\1\0", 3);
	expect(peer, MQTT_DISCONNECT, NULL);
	sim_peer_close(peer);

	wishes.id = "$p";
	peer = open_with(*state, &wishes);
	expect(peer, MQTT_CONNACK, NULL);
	sim_peer_close(peer);
}

/* The word goes, at one byte too many; the answer stays. */
static void test_a_word_that_does_not_fit_is_left_out(void **state)
{
	static const char why[] = "filter 1: not a valid topic filter";
	/* Header, identifier, properties' length, property, reason. */
	const uint32_t whole = 2 + 2 + 1 + 3 + sizeof(why) - 1 + 1;
	struct wishes wishes = nothing();

	for (uint32_t less = 0; less < 2; less++) {
		struct sim_peer *peer;

		wishes.max_packet = whole - less;
		peer = connect_with(*state, &wishes);
		sim_peer_send(peer, refusals[0].packet.data,
			      refusals[0].packet.len);
		expect(peer, MQTT_SUBACK, less ? NULL : why);
		sim_peer_close(peer);
	}
	for (size_t i = 3; i < COUNT(refusals); i++) {
		struct sim_peer *peer;

		wishes.max_packet = 36;
		peer = connect_with(*state, &wishes);
		sim_peer_send(peer, refusals[i].packet.data,
			      refusals[i].packet.len);
		expect(peer, refusals[i].answer, NULL);
		sim_peer_send(peer, "\x10\0", 2);
		expect(peer, MQTT_DISCONNECT, "a second one in CONNECT");
		sim_peer_close(peer);
	}
	wishes.max_packet = 20;
	wishes.id = "$p";
	for (int i = 0; i < 2; i++) {
		struct sim_peer *peer = open_with(*state, &wishes);

		expect(peer, MQTT_CONNACK, NULL);
		sim_peer_close(peer);
	}
}

/* 3.1.1 knows no words: the packets are as they always were. */
static void test_older_clients_get_plain_answers(void **state)
{
	struct wishes wishes = nothing();
	struct sim_peer *peer;
	struct slice body;

	wishes.version = MQTT_3_1_1;
	peer = connect_with(*state, &wishes);
	sim_peer_subscribe(peer, "a#", 0);
	body = sim_peer_expect(peer, MQTT_SUBACK);
	assert_int_equal(body.len, 3);
	assert_int_equal(body.data[2], 0x80);
	sim_peer_publish(peer, "$SYS/x", "x", 1, false, 1);
	assert_int_equal(sim_peer_expect(peer, MQTT_PUBACK).len, 2);
	sim_peer_send(peer, "\xd0\1\0", 3);
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);

	wishes.id = "$p";
	peer = open_with(*state, &wishes);
	assert_int_equal(sim_peer_expect(peer, MQTT_CONNACK).len, 2);
	sim_peer_close(peer);
}

static struct connection *connection_of(struct broker *broker)
{
	return session_find(broker, slice_str("p"))->connection;
}

/* Of a long sentence whole characters are sent, whatever their length. */
static void test_a_long_word_is_cut_between_characters(void **state)
{
	static const char *const characters[] = { "x", "\xc3\xa9",
						  "\xe2\x82\xac",
						  "\xf0\x9f\x94\xa5" };
	const struct wishes wishes = nothing();

	for (size_t i = 0; i < COUNT(characters); i++) {
		struct sim_peer *peer = connect_with(*state, &wishes);
		const size_t size = strlen(characters[i]);
		char why[2 * LIMIT_REASON_STRING] = "!";
		size_t len = 1;

		while (len + size < sizeof(why)) {
			memcpy(why + len, characters[i], size + 1);
			len += size;
		}
		reply_disconnect(connection_of(*state), MQTT_NOT_AUTHORIZED,
				 why);
		sim_run(*state);
		len = 1 + (LIMIT_REASON_STRING - 1) / size * size;
		why[len] = '\0';
		expect(peer, MQTT_DISCONNECT, why);
		sim_peer_close(peer);
	}
}

/* Where to go matters more than why: it is the last to be left out. */
static void test_a_reference_is_left_out_last(void **state)
{
	static const char there[] = "hub2:1883";
	static const struct {
		uint32_t max_packet;
		bool reason, reference;
	} rows[] = {
		/* Header, reason, properties' length, and each with its own. */
		{ 2 + 2 + 3 + 9 + 3 + 3, true, true },
		{ 2 + 2 + 3 + 9 + 3 + 2, false, true },
		{ 2 + 2 + 3 + 9, false, true },
		{ 2 + 2 + 3 + 8, false, false },
	};
	struct broker *broker = *state;
	const struct wishes wishes = nothing();

	broker->options.server_reference = there;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sim_peer *peer = connect_with(broker, &wishes);
		struct connection *c = connection_of(broker);
		struct mqtt_properties p;

		c->max_packet = rows[i].max_packet;
		reply_disconnect(c, MQTT_SERVER_MOVED, "why");
		sim_run(broker);
		p = properties_of(MQTT_DISCONNECT,
				  sim_peer_expect(peer, MQTT_DISCONNECT));
		assert_int_equal(properties_has(&p, MQTT_PROP_REASON_STRING),
				 rows[i].reason);
		assert_int_equal(properties_has(&p, MQTT_PROP_SERVER_REFERENCE),
				 rows[i].reference);
		sim_peer_close(peer);
	}
	/* With no other reason does it make sense. */
	for (int i = 0; i < 2; i++) {
		struct sim_peer *peer = connect_with(broker, &wishes);

		reply_disconnect(connection_of(broker),
				 i ? MQTT_SERVER_BUSY : MQTT_NOT_AUTHORIZED,
				 NULL);
		sim_run(broker);
		assert_int_equal(sim_peer_expect(peer, MQTT_DISCONNECT).len, 1);
		sim_peer_close(peer);
	}
}

/* Each of them is waited for as if it had no words. */
static void test_answers_survive_allocation_failure(void **state)
{
	static const uint8_t reasons[] = { 0x8f };
	const struct wishes wishes = nothing();
	struct sim_peer *peer = connect_with(*state, &wishes);
	struct connection *c = connection_of(*state);
	unsigned int n = 0;
	int r;

	/* Nothing is committed without a store: this waits. */
	do {
		failing_malloc_arm(n++);
		r = reply_suback(c, MQTT_SUBACK, 1, slice_of(reasons, 1), "why",
				 1);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(c->gate.count, 0);
	} while (n < 10);
	assert_int_equal(r, 0);
	assert_in_range(n, 3, 9);
	assert_int_equal(c->gate.count, 1);
	assert_int_equal(
		reply_ack(c, MQTT_PUBACK, 2, MQTT_QUOTA_EXCEEDED, "why not", 1),
		0);
	assert_int_equal(connection_ack(c, MQTT_PUBACK, 3, MQTT_SUCCESS, 0), 0);
	sim_peer_expect_nothing(peer);

	((struct broker *)*state)->committed = 1;
	connection_open_gate(c);
	sim_run(*state);
	expect(peer, MQTT_SUBACK, "why");
	expect(peer, MQTT_PUBACK, "why not");
	expect(peer, MQTT_PUBACK, NULL);
	sim_peer_close(peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_refusal_says_why),
		TEST(test_a_refused_connect_says_why),
		TEST(test_success_says_nothing),
		TEST(test_who_wants_no_words_gets_none),
		TEST(test_a_word_that_does_not_fit_is_left_out),
		TEST(test_older_clients_get_plain_answers),
		TEST(test_a_long_word_is_cut_between_characters),
		TEST(test_a_reference_is_left_out_last),
		TEST(test_answers_survive_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
