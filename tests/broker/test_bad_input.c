/*
 * Bad input in every state and version: only the sender is closed, with the
 * right reason where its version has one, told in one line of the log that names
 * it and why, and memory is where it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"

/* Nothing is sent: before 5.0 a connection that broke the protocol just ends. */
#define SILENCE (-1)

static char lines[8][512];
static unsigned int line_count;

static void keep_warnings(enum log_level level, const char *line)
{
	if (level > LOG_LEVEL_WARN && !strstr(line, "closed:"))
		return;
	if (line_count < 8)
		snprintf(lines[line_count], sizeof(lines[0]), "%s", line);
	line_count++;
}

struct rig {
	struct broker *broker;
	struct sim_peer *witness;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->broker = sim_broker(NULL, NULL);
	rig->witness = sim_client(rig->broker, MQTT_5_0, "witness", true, NULL);
	sim_peer_subscribed(rig->witness, "#", 0);
	log_set_sink(keep_warnings);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_peer_close(rig->witness);
	sim_check(rig->broker);
	broker_free(rig->broker);
	free(rig);
	return 0;
}

/* The witness lives and got nothing; all else is as before. */
static void check_innocent(struct rig *rig)
{
	struct broker *broker = rig->broker;

	sim_peer_send(rig->witness, "\xc0\0", 2);
	sim_peer_expect(rig->witness, MQTT_PINGRESP);
	sim_peer_expect_nothing(rig->witness);
	assert_int_equal(broker->connection_count, 1);
	assert_int_equal(broker->session_count, 1);
	assert_int_equal(broker->subscription_count, 1);
	assert_int_equal(broker->queued_bytes, 0);
	sim_check(broker);
}

static void check_log(const char *name, const char *why)
{
	if (line_count != 1 || !strstr(lines[0], name) ||
	    !strstr(lines[0], why)) {
		for (unsigned int i = 0; i < line_count && i < 8; i++)
			print_message("logged: %s\n", lines[i]);
		fail_msg("not one line with \"%s\" and \"%s\"", name, why);
	}
}

struct row {
	const char *bytes;
	size_t len;
	int reason; /* in 5.0's DISCONNECT; SILENCE: the peer ended properly */
	const char *why; /* in the log */
};

#define ROW(text, reason, why)                      \
	{                                           \
		text, sizeof(text) - 1, reason, why \
	}

/* ---- connected ---------------------------------------------------------- */

static void offend(struct rig *rig, enum mqtt_version version,
		   const struct row *row, bool drip)
{
	struct sim_peer *peer =
		sim_client(rig->broker, version, "villain", true, NULL);

	line_count = 0;
	(drip ? sim_peer_drip : sim_peer_send)(peer, row->bytes, row->len);
	if (version == MQTT_5_0)
		assert_int_equal(sim_peer_disconnected(peer), row->reason);
	else
		sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	check_log("villain (test:1)", row->why);
	sim_peer_close(peer);
	check_innocent(rig);
}

/* The same in all versions: what a fixed header may not say, and packets that
 * only servers send. */
static const struct row in_all[] = {
	ROW("\x00\0", 0x81, "bad fixed header"), /* type 0 */
	ROW("\xc1\0", 0x81, "bad fixed header"), /* flags of PINGREQ */
	ROW("\x80\2\0\1", 0x81, "bad fixed header"), /* of SUBSCRIBE */
	ROW("\xa0\2\0\1", 0x81, "bad fixed header"),
	ROW("\x60\2\0\1", 0x81, "bad fixed header"), /* of PUBREL */
	ROW("\x42\2\0\1", 0x81, "bad fixed header"), /* of PUBACK */
	ROW("\xe1\0", 0x81, "bad fixed header"), /* of DISCONNECT */
	ROW("\xc0\1x", 0x81, "bad fixed header"), /* PINGREQ with a body */
	ROW("\x30\x80\x80\x80\x80\x01", 0x81, "bad fixed header"),
	ROW("\x30\x82\x00xx", 0x81, "bad fixed header"), /* not the shortest */
	ROW("\x30\xff\xff\xff\x7f", 0x95, "packet too large"),
	ROW("\x20\2\0\0", 0x82, "only servers send in CONNACK"),
	ROW("\x90\3\0\1\0", 0x82, "only servers send in SUBACK"),
	ROW("\xb0\2\0\1", 0x82, "only servers send in UNSUBACK"),
	ROW("\xd0\0", 0x82, "only servers send in PINGRESP"),
	ROW("\x10\x0d\0\4MQTT\4\2\0\0\0\1v", 0x82, "a second one in CONNECT"),
	ROW("\x10\0", 0x82, "a second one in CONNECT"),
	ROW("\x36\5\0\1t\0\1", 0x81, "PUBLISH"), /* QoS 3 */
	ROW("\x30\0", 0x81, "PUBLISH"), /* no topic */
	ROW("\x30\1\0", 0x81, "PUBLISH"),
	ROW("\x30\4\0\5tt", 0x81, "PUBLISH"), /* longer than the packet */
	ROW("\x32\3\0\1t", 0x81, "PUBLISH"), /* no identifier */
	ROW("\x32\5\0\1t\0\0", 0x81, "PUBLISH"), /* identifier 0 */
	ROW("\x40\0", 0x81, "PUBACK"),
	ROW("\x40\2\0\0", 0x81, "PUBACK"),
	ROW("\x50\1\0", 0x81, "PUBREC"),
	ROW("\x62\2\0\0", 0x81, "PUBREL"),
	ROW("\x70\2\0\0", 0x81, "PUBCOMP"),
	ROW("\x82\0", 0x81, "SUBSCRIBE"),
	ROW("\x82\1\0", 0x81, "SUBSCRIBE"),
	ROW("\xa2\1\0", 0x81, "UNSUBSCRIBE"),
};

static void test_bad_in_every_version(void **state)
{
	for (int version = MQTT_3_1; version <= MQTT_5_0; version++)
		for (size_t i = 0; i < sizeof(in_all) / sizeof(in_all[0]); i++)
			for (int drip = 0; drip < 2; drip++)
				offend(*state, (enum mqtt_version)version,
				       &in_all[i], drip);
}

static const struct row before_5[] = {
	ROW("\x30\4\0\2\xff\xfe", 0, "PUBLISH"), /* no UTF-8 */
	ROW("\x30\5\0\3a/+", 0, "PUBLISH"), /* a wildcard */
	ROW("\x30\4\0\2#x", 0, "PUBLISH"),
	ROW("\x30\2\0\0", 0, "PUBLISH"), /* an empty name */
	ROW("\x30\3\0\1\0", 0, "PUBLISH"), /* U+0000 */
	ROW("\x40\3\0\1\0", 0, "PUBACK"), /* bytes left over */
	ROW("\x82\2\0\1", 0, "SUBSCRIBE"), /* no filter */
	ROW("\x82\6\0\1\0\1t\3", 0, "SUBSCRIBE"), /* QoS 3 */
	ROW("\x82\6\0\1\0\1t\x80", 0, "SUBSCRIBE"), /* reserved bits */
	ROW("\x82\6\0\0\0\1t\1", 0, "SUBSCRIBE"), /* identifier 0 */
	ROW("\x82\5\0\1\0\1t", 0, "SUBSCRIBE"), /* no options */
	ROW("\x82\6\0\1\0\1\xff\1", 0, "SUBSCRIBE"),
	ROW("\xa2\2\0\1", 0, "UNSUBSCRIBE"),
	ROW("\xa2\5\0\1\0\2t", 0, "UNSUBSCRIBE"),
	ROW("\xe0\1\0", 0, "DISCONNECT"), /* no reasons then */
	ROW("\xf0\0", 0, "AUTH"),
};

static void test_bad_before_5(void **state)
{
	for (size_t i = 0; i < sizeof(before_5) / sizeof(before_5[0]); i++) {
		offend(*state, MQTT_3_1, &before_5[i], false);
		offend(*state, MQTT_3_1_1, &before_5[i], false);
		offend(*state, MQTT_3_1_1, &before_5[i], true);
	}
}

static const struct row in_5[] = {
	ROW("\x30\5\0\2\xff\xfe\0", 0x81, "PUBLISH"),
	ROW("\x30\6\0\3a/+\0", 0x90, "PUBLISH"),
	ROW("\x30\5\0\2#x\0", 0x90, "PUBLISH"),
	ROW("\x30\3\0\0\0", 0x82, "PUBLISH"), /* no name, no alias */
	ROW("\x38\4\0\1t\0", 0x81, "PUBLISH"), /* DUP at QoS 0 */
	ROW("\x30\4\0\1t\5", 0x81, "PUBLISH"), /* properties cut short */
	ROW("\x30\6\0\1t\2\x7f\0", 0x81, "PUBLISH"), /* an unknown one */
	ROW("\x30\x09\0\1t\5\x11\0\0\0\1", 0x81, "PUBLISH"), /* not here */
	ROW("\x30\7\0\1t\3\x23\0\0", 0x94, "PUBLISH"), /* alias 0 */
	ROW("\x30\7\0\1t\3\x23\0\x21", 0x94, "PUBLISH"), /* above ours */
	ROW("\x30\6\0\0\3\x23\0\5", 0x82, "PUBLISH"), /* not given */
	ROW("\x30\x0a\0\1t\6\x23\0\1\x23\0\1", 0x82, "PUBLISH"), /* twice */
	ROW("\x30\6\0\1t\2\x0b\1", 0x82, "PUBLISH"), /* a client's may not */
	ROW("\x30\6\0\1t\2\1\2", 0x82, "PUBLISH"), /* format indicator 2 */
	ROW("\x30\7\0\1t\2\1\1\xff", 0x99, "PUBLISH"), /* is no UTF-8 */
	ROW("\x40\3\0\1\x7f", 0x82, "PUBACK"), /* no reason of PUBACK's */
	ROW("\x40\5\0\1\0\5x", 0x81, "PUBACK"),
	ROW("\x82\3\0\1\0", 0x82, "SUBSCRIBE"), /* no filter */
	ROW("\x82\7\0\1\0\0\1t\3", 0x82, "SUBSCRIBE"), /* QoS 3 */
	ROW("\x82\7\0\1\0\0\1t\x30", 0x82, "SUBSCRIBE"), /* handling 3 */
	ROW("\x82\7\0\1\0\0\1t\x40", 0x81, "SUBSCRIBE"),
	ROW("\x82\x09\0\1\2\x0b\0\0\1t\0", 0x82, "SUBSCRIBE"), /* id 0 */
	ROW("\x82\x10\0\1\0\0\x0a$share/g/t\4", 0x82, "SUBSCRIBE"),
	ROW("\xa2\3\0\1\0", 0x82, "UNSUBSCRIBE"),
	ROW("\xe0\1\x7f", 0x82, "DISCONNECT"),
	ROW("\xe0\1\x8b", 0x82, "DISCONNECT"), /* a server's reason */
	ROW("\xe0\7\0\5\x11\0\0\0\1", 0x82, "DISCONNECT"),
	ROW("\xe0\2\0\5", 0x81, "DISCONNECT"),
	ROW("\xf0\0", 0x82, "AUTH"),
	ROW("\xf0\2\x18\0", 0x82, "AUTH"),
};

static void test_bad_in_5(void **state)
{
	for (size_t i = 0; i < sizeof(in_5) / sizeof(in_5[0]); i++) {
		offend(*state, MQTT_5_0, &in_5[i], false);
		offend(*state, MQTT_5_0, &in_5[i], true);
	}
}

/* Good packets before a bad one count, those behind it do not. */
static void test_what_stands_around_a_bad_packet(void **state)
{
	static const char bytes[] = "\x30\5\0\1t\0x"
				    "\xd0\0"
				    "\x30\5\0\1t\0y";
	struct rig *rig = *state;
	struct sim_peer *peer =
		sim_client(rig->broker, MQTT_5_0, "villain", true, NULL);

	line_count = 0;
	sim_peer_send(peer, bytes, sizeof(bytes) - 1);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_PROTOCOL_ERROR);
	check_log("villain", "PINGRESP");
	sim_peer_receive(rig->witness, "t", "x", 0);
	sim_peer_close(peer);
	check_innocent(rig);
}

static void test_a_packet_past_the_limit_is_refused_by_its_header(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *peer =
		sim_client(rig->broker, MQTT_5_0, "villain", true, NULL);
	uint8_t header[MQTT_FIXED_HEADER_MAX];
	size_t len = framing_put_header(header, 0x30, LIMIT_PACKET_SIZE - 4);

	/* The header takes four bytes: just what is allowed. */
	assert_int_equal(len, 4);
	sim_peer_send(peer, header, len);
	sim_peer_expect_nothing(peer);
	assert_false(sim_peer_ended(peer));
	sim_peer_close(peer);
	peer = sim_client(rig->broker, MQTT_5_0, "villain", true, NULL);
	framing_put_header(header, 0x30, LIMIT_PACKET_SIZE - 3);
	sim_peer_send(peer, header, len);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_PACKET_TOO_LARGE);
	sim_peer_close(peer);
	check_innocent(rig);
}

/* ---- before CONNECT ----------------------------------------------------- */

static void test_nothing_comes_before_connect(void **state)
{
	struct rig *rig = *state;

	for (unsigned int type = 0; type <= 15; type++) {
		const uint8_t packet[] = { (uint8_t)(type << 4), 0 };
		struct sim_peer *peer;

		if (type == MQTT_CONNECT)
			continue;
		peer = sim_peer_open(rig->broker);
		line_count = 0;
		sim_peer_send(peer, packet, 1); /* its first byte is enough */
		sim_peer_expect_nothing(peer);
		assert_true(sim_peer_ended(peer));
		check_log("(test:1)", "first packet is not CONNECT");
		sim_peer_close(peer);
		check_innocent(rig);
	}
}

static const struct row connects[] = {
	/* The last byte of the CONNACK's head, or SILENCE. */
	ROW("\x11\x0d\0\4MQTT\4\2\0\0\0\1a", SILENCE, "bad fixed header"),
	ROW("\x10\xff\xff\xff\xff\x01", SILENCE, "bad fixed header"),
	ROW("\x10\xff\xff\x7f", SILENCE, "packet too large"),
	ROW("\x10\0", SILENCE, "foreign protocol"),
	ROW("\x10\x04\0\4MQ", SILENCE, "foreign protocol"),
	ROW("\x10\x0d\0\4HTTP\4\2\0\0\0\1a", SILENCE, "foreign protocol"),
	ROW("\x10\x06\0\4MQTT", SILENCE, "foreign protocol"),
	ROW("\x10\x0d\0\4MQTT\6\2\0\0\0\1a", 0x84, "CONNECT refused"),
	ROW("\x10\x0d\0\4MQTT\0\2\0\0\0\1a", 1, "CONNECT refused"),
	ROW("\x10\x0d\0\4MQTT\4\3\0\0\0\1a", SILENCE, "CONNECT refused"),
	ROW("\x10\x0e\0\4MQTT\5\3\0\0\0\0\1a", 0x81, "CONNECT refused"),
	ROW("\x10\x0d\0\4MQTT\4\2\0\0\0\5a", SILENCE, "CONNECT refused"),
	ROW("\x10\x0e\0\4MQTT\5\2\0\0\0\0\5a", 0x81, "CONNECT refused"),
	ROW("\x10\x0e\0\4MQTT\4\2\0\0\0\1ax", SILENCE, "CONNECT refused"),
	ROW("\x10\x0e\0\4MQTT\4\2\0\0\0\2\xc0\x80", SILENCE, "CONNECT refused"),
	/* A will with a wildcard; with QoS 3; without its flag. */
	ROW("\x10\x12\0\4MQTT\4\6\0\0\0\1a\0\1#\0\0", SILENCE,
	    "CONNECT refused"),
	ROW("\x10\x12\0\4MQTT\4\x1e\0\0\0\1a\0\1t\0\0", SILENCE,
	    "CONNECT refused"),
	ROW("\x10\x0d\0\4MQTT\4\x22\0\0\0\1a", SILENCE, "CONNECT refused"),
	/* Receive Maximum 0; a property that does not belong here. */
	ROW("\x10\x11\0\4MQTT\5\2\0\0\3\x21\0\0\0\1a", 0x82, "CONNECT refused"),
	ROW("\x10\x11\0\4MQTT\5\2\0\0\3\x23\0\1\0\1a", 0x81, "CONNECT refused"),
};

static void connect_badly(struct rig *rig, const struct row *row, bool drip)
{
	struct sim_peer *peer = sim_peer_open(rig->broker);
	uint8_t bytes[64];

	memcpy(bytes, row->bytes, row->len);
	/* Where the length is right it is what follows. */
	if (bytes[1] < 0x80 && row->len > 2)
		bytes[1] = (uint8_t)(row->len - 2);
	line_count = 0;
	(drip ? sim_peer_drip : sim_peer_send)(peer, bytes, row->len);
	if (row->reason == SILENCE)
		sim_peer_expect_nothing(peer);
	else
		assert_int_equal(sim_peer_expect(peer, MQTT_CONNACK).data[1],
				 row->reason);
	assert_true(sim_peer_ended(peer));
	check_log("(test:1)", row->why);
	sim_peer_close(peer);
	check_innocent(rig);
}

static void test_bad_connects(void **state)
{
	for (size_t i = 0; i < sizeof(connects) / sizeof(connects[0]); i++) {
		connect_badly(*state, &connects[i], false);
		connect_badly(*state, &connects[i], true);
	}
}

static void test_a_connect_past_its_limit_is_refused_by_its_header(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *peer = sim_peer_open(rig->broker);
	uint8_t header[MQTT_FIXED_HEADER_MAX];
	size_t len = framing_put_header(header, 0x10, LIMIT_CONNECT_SIZE - 4);

	assert_int_equal(len, 4);
	sim_peer_send(peer, header, len);
	assert_false(sim_peer_ended(peer));
	sim_peer_close(peer);
	peer = sim_peer_open(rig->broker);
	len = framing_put_header(header, 0x10, LIMIT_CONNECT_SIZE);
	line_count = 0;
	sim_peer_send(peer, header, len);
	assert_true(sim_peer_ended(peer));
	check_log("(test:1)", "packet too large");
	sim_peer_close(peer);
	check_innocent(rig);
}

/* Half of a CONNECT longer than any device's, from somebody unknown. */
static struct sim_peer *begin_long_connect(struct rig *rig)
{
	struct sim_peer *peer = sim_peer_open(rig->broker);
	uint8_t start[LIMIT_CONNECT_USUAL + 1] = { 0 };

	framing_put_header(start, 0x10, LIMIT_CONNECT_SIZE - 4);
	sim_peer_send(peer, start, sizeof(start));
	return peer;
}

static void test_only_so_many_may_hold_half_of_a_long_connect(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *peers[LIMIT_CONNECTS_LONG], *late;

	for (size_t i = 0; i < LIMIT_CONNECTS_LONG; i++) {
		peers[i] = begin_long_connect(rig);
		assert_false(sim_peer_ended(peers[i]));
	}
	line_count = 0;
	late = begin_long_connect(rig);
	assert_true(sim_peer_ended(late));
	check_log("(test:1)", "too many unknown peers have sent much");
	sim_peer_close(late);

	sim_peer_close(peers[0]);
	late = begin_long_connect(rig);
	assert_false(sim_peer_ended(late));
	sim_peer_close(late);
	for (size_t i = 1; i < LIMIT_CONNECTS_LONG; i++)
		sim_peer_close(peers[i]);
	assert_int_equal(rig->broker->long_connects, 0);
	check_innocent(rig);
}

/* The same filter again and again would be looked for as often. */
static void test_a_subscribe_of_too_many_filters_is_refused(void **state)
{
	struct rig *rig = *state;
	const size_t count = LIMIT_SUBSCRIPTIONS_PER_SESSION + 1;
	struct sim_peer *peer =
		sim_client(rig->broker, MQTT_5_0, "villain", true, NULL);
	uint8_t *packet = calloc(count + 2, 4);
	size_t len =
		framing_put_header(packet, 0x82, (uint32_t)(3 + 4 * count));

	packet[len + 1] = 1; /* packet identifier; no properties */
	len += 3;
	for (size_t i = 0; i < count; i++, len += 4)
		memcpy(packet + len, "\0\1a", 4);
	sim_peer_send(peer, packet, len);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_QUOTA_EXCEEDED);
	sim_peer_close(peer);
	free(packet);
	check_innocent(rig);
}

static void send_in_steps(struct sim_peer *peer, struct slice bytes,
			  size_t step)
{
	while (bytes.len > 0) {
		size_t n = bytes.len < step ? bytes.len : step;

		sim_peer_send(peer, bytes.data, n);
		bytes = slice_of(bytes.data + n, bytes.len - n);
	}
}

/* A will as long as may be, in one piece and in many. */
static void test_a_connect_with_the_longest_will_is_served(void **state)
{
	static const char start[] = "\0\4MQTT\4\6\0\0\0\5world";
	const size_t string = 2 + UINT16_MAX;
	const size_t body = sizeof(start) - 1 + 2 * string;
	struct rig *rig = *state;
	uint8_t *packet = calloc(1, MQTT_FIXED_HEADER_MAX + body);
	size_t len = framing_put_header(packet, 0x10, (uint32_t)body);

	assert_non_null(packet);
	memcpy(packet + len, start, sizeof(start) - 1);
	len += sizeof(start) - 1;
	for (int i = 0; i < 2; i++, len += string) {
		memset(packet + len, 'x', string);
		packet[len] = packet[len + 1] = 0xff;
	}
	for (size_t step = len; step > 1000; step /= 10) {
		struct sim_peer *peer = sim_peer_open(rig->broker);

		send_in_steps(peer, slice_of(packet, len), step);
		sim_peer_expect(peer, MQTT_CONNACK);
		sim_peer_send(peer, "\xe0\0", 2);
		sim_peer_close(peer);
		assert_int_equal(rig->broker->long_connects, 0);
	}
	free(packet);
	check_innocent(rig);
}

/* ---- any bytes ---------------------------------------------------------- */

/* A small generator of our own: the same bytes each time. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void test_noise_harms_nobody(void **state)
{
	struct rig *rig = *state;
	uint32_t seed = 7;

	for (int round = 0; round < 300; round++) {
		struct sim_peer *peer =
			round % 4
				? sim_client(rig->broker,
					     (enum mqtt_version)(2 + round % 4),
					     "villain", true, NULL)
				: sim_peer_open(rig->broker);
		uint8_t bytes[200];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)next_random(&seed);
		sim_peer_send(peer, bytes, sizeof(bytes));
		sim_peer_close(peer);
		sim_run(rig->broker);
		sim_check(rig->broker);
	}
	assert_int_equal(rig->broker->connection_count, 1);
	assert_int_equal(rig->broker->queued_bytes, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_bad_in_every_version),
		T(test_bad_before_5),
		T(test_bad_in_5),
		T(test_what_stands_around_a_bad_packet),
		T(test_a_packet_past_the_limit_is_refused_by_its_header),
		T(test_nothing_comes_before_connect),
		T(test_bad_connects),
		T(test_a_connect_past_its_limit_is_refused_by_its_header),
		T(test_a_subscribe_of_too_many_filters_is_refused),
		T(test_only_so_many_may_hold_half_of_a_long_connect),
		T(test_a_connect_with_the_longest_will_is_served),
		T(test_noise_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
