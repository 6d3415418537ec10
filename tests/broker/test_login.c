/* Who is let in as whom; the hasher is played by the test. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/authenticator.h"
#include "broker/bans.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "broker/wire/writer.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static struct authenticator_request *asked;
static bool busy;

int __wrap_authenticator_submit(struct authenticator *authenticator,
				struct authenticator_request *request);

int __wrap_authenticator_submit(struct authenticator *authenticator,
				struct authenticator_request *request)
{
	(void)authenticator;
	if (busy)
		return -EAGAIN;
	assert_null(asked);
	asked = request;
	return 0;
}

static struct authenticator_request *handed_on;

void __wrap_authenticator_hand_on(struct authenticator *authenticator,
				  struct authenticator_request *request);

void __wrap_authenticator_hand_on(struct authenticator *authenticator,
				  struct authenticator_request *request)
{
	(void)authenticator;
	authenticator_request_free(handed_on);
	handed_on = request;
}

static struct access *table(bool with_anna)
{
	const struct access_user users[] = {
		{ "anna", "hash of anna", false, with_anna, NULL },
		{ "gone", "hash of gone", false, false, NULL },
		{ "nobody", "", false, true, NULL },
	};
	const struct access_rule rule = { 1, NULL, "#", ACCESS_READWRITE,
					  true };
	struct access *access = access_new();

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(access_add_user(access, &users[i]), 0);
	assert_int_equal(access_add_rule(access, &rule), 0);
	return access;
}

static int setup(void **state)
{
	sim_clock_start();
	busy = false;
	*state = sim_broker(NULL, table(true));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct broker *broker = *state;

	sim_run(broker);
	sim_check(broker);
	assert_int_equal(broker->connection_count, 0);
	assert_int_equal(broker->by_serial.count, 0);
	authenticator_request_free(asked);
	asked = NULL;
	broker_free(broker);
	sim_clock_stop();
	return 0;
}

static void reply(struct broker *broker, int result)
{
	struct authenticator_request *request = asked;

	assert_non_null(request);
	asked = NULL;
	request->result = result;
	assert_int_equal(mailbox_post(request->reply, request), 0);
	sim_run(broker);
}

static struct mqtt_connect login(enum mqtt_version version, const char *user)
{
	struct mqtt_connect packet = sim_connect(version, "dev", true);

	packet.has_username = true;
	packet.username = slice_str(user);
	packet.has_password = true;
	packet.password = slice_str("secret");
	return packet;
}

static struct sim_peer *knock(struct broker *broker, enum mqtt_version version,
			      const char *user)
{
	const struct mqtt_connect packet = login(version, user);
	struct sim_peer *peer = sim_peer_open(broker);

	sim_peer_connect(peer, &packet);
	return peer;
}

static enum mqtt_reason verdict(struct sim_peer *peer)
{
	struct mqtt_connack connack;

	assert_int_equal(connack_decode(peer->version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	return connack.reason;
}

static void test_the_right_password_opens(void **state)
{
	for (int version = MQTT_3_1; version <= MQTT_5_0; version++) {
		struct sim_peer *peer =
			knock(*state, (enum mqtt_version)version, "anna");

		sim_peer_expect_nothing(peer);
		assert_string_equal(asked->hash, "hash of anna");
		assert_int_equal(asked->password_len, 6);
		assert_memory_equal(asked->password, "secret", 6);
		reply(*state, 1);
		assert_int_equal(verdict(peer), MQTT_SUCCESS);
		assert_string_equal(
			session_find(*state, slice_str("dev"))->user, "anna");
		sim_peer_close(peer);
	}
}

/* Nor is the hasher put to work for whoever is banned. */
static void test_a_banned_user_is_not_even_asked(void **state)
{
	const struct ban ban = {
		.id = 1,
		.kind = BAN_USER,
		.what = "anna",
		.reason = "noise",
		.ends = UINT64_MAX,
	};
	struct broker *broker = *state;
	struct sim_peer *peer;

	/* Banned while the hasher is at work: it does not help to be right. */
	peer = knock(broker, MQTT_5_0, "anna");
	assert_int_equal(bans_add(broker->bans, &ban), 0);
	reply(broker, 1);
	assert_int_equal(verdict(peer), MQTT_BANNED);
	sim_peer_close(peer);
	peer = knock(broker, MQTT_5_0, "anna");
	assert_null(asked);
	assert_int_equal(verdict(peer), MQTT_BANNED);
	sim_peer_close(peer);
	peer = sim_peer_open_as(broker, "anna");
	sim_peer_connect(
		peer, &(struct mqtt_connect){ .version = MQTT_5_0,
					      .client_id = slice_str("dev") });
	assert_int_equal(verdict(peer), MQTT_BANNED);
	sim_peer_close(peer);
	assert_int_equal(broker->count.banned, 3);
}

/* Wrong, damaged or given up: the same answer, and never let in. */
static void test_anything_else_does_not(void **state)
{
	static const int results[] = { 0, -EINVAL, -ENOMEM, -ECANCELED, 2 };

	for (size_t i = 0; i < 5; i++) {
		struct sim_peer *peer = knock(*state, MQTT_5_0, "anna");

		reply(*state, results[i]);
		assert_int_equal(verdict(peer), MQTT_BAD_USER_NAME_OR_PASSWORD);
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
	}
}

/* Who is not there, may not come in or has no password is asked about all the
 * same, without a hash: the time it takes tells nothing. */
static void test_users_that_are_not_there_take_as_long(void **state)
{
	static const char *const users[] = { "stranger", "gone", "nobody", "" };

	for (size_t i = 0; i < 4; i++) {
		struct sim_peer *peer = knock(*state, MQTT_3_1_1, users[i]);

		assert_non_null(asked);
		assert_string_equal(asked->hash, "");
		reply(*state, 0);
		assert_int_equal(verdict(peer), MQTT_BAD_USER_NAME_OR_PASSWORD);
		sim_peer_close(peer);
	}
}

static void test_a_user_taken_away_meanwhile_stays_out(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *peer = knock(broker, MQTT_5_0, "anna");

	access_free(broker->access);
	broker->access = table(false);
	broker->access_generation++;
	reply(broker, 1);
	assert_int_equal(verdict(peer), MQTT_BAD_USER_NAME_OR_PASSWORD);
	sim_peer_close(peer);
}

static void test_a_busy_hasher_is_told(void **state)
{
	struct sim_peer *peer;

	busy = true;
	peer = knock(*state, MQTT_5_0, "anna");
	assert_int_equal(verdict(peer), MQTT_SERVER_BUSY);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

static void test_who_goes_meanwhile_is_forgotten(void **state)
{
	struct sim_peer *peer = knock(*state, MQTT_5_0, "anna");
	const struct linger reset = { .l_onoff = 1 };

	assert_int_equal(setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &reset,
				    sizeof(reset)),
			 0);
	sim_peer_close(peer);
	assert_int_equal(((struct broker *)*state)->connection_count, 0);
	reply(*state, 1);
	assert_null(session_find(*state, slice_str("dev")));
}

/* What a client sends without waiting for CONNACK waits with it. */
static void test_what_comes_behind_the_login_waits(void **state)
{
	const struct mqtt_connect packet = login(MQTT_3_1_1, "anna");
	struct sim_peer *peer = sim_peer_open(*state);
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof(bytes));

	connect_encode(&w, &packet);
	writer_bytes(&w, slice_of("\x82\6\0\1\0\1t\0\x30\4\0\1tx\xc0\0", 16));
	peer->version = MQTT_3_1_1;
	sim_peer_send(peer, bytes, w.len);
	sim_peer_expect_nothing(peer);
	/* However long the hasher takes. */
	sim_clock_advance(*state, 5 * LIMIT_CONNECT_TIME);
	assert_false(sim_peer_ended(peer));
	reply(*state, 1);
	assert_int_equal(verdict(peer), MQTT_SUCCESS);
	sim_peer_expect(peer, MQTT_SUBACK);
	sim_peer_receive(peer, "t", "x", 0);
	sim_peer_expect(peer, MQTT_PINGRESP);
	sim_peer_close(peer);
}

/* CONNECT, and in the same breath more than any device has to say. */
static struct sim_peer *knock_loudly(struct broker *broker)
{
	static uint8_t bytes[1024 + 4 + LIMIT_CONNECT_USUAL];
	const struct mqtt_connect packet = login(MQTT_3_1_1, "anna");
	struct writer w = writer_of(bytes, 1024);
	struct sim_peer *peer = sim_peer_open(broker);

	peer->version = packet.version;
	connect_encode(&w, &packet);
	assert_false(w.overflow);
	/* A PUBLISH that has not come whole. */
	w.len += framing_put_header(bytes + w.len, 0x30, LIMIT_PACKET_SIZE / 2);
	sim_peer_send(peer, bytes, w.len + LIMIT_CONNECT_USUAL);
	return peer;
}

static void test_only_so_many_unknown_peers_may_send_much(void **state)
{
	struct authenticator_request *first = NULL;
	struct sim_peer *peers[LIMIT_CONNECTS_LONG], *late;
	struct broker *broker = *state;

	for (size_t i = 0; i < LIMIT_CONNECTS_LONG; i++) {
		peers[i] = knock_loudly(broker);
		assert_false(sim_peer_ended(peers[i]));
		if (!first)
			first = asked;
		else
			authenticator_request_free(asked);
		asked = NULL;
	}
	assert_int_equal(broker->long_connects, LIMIT_CONNECTS_LONG);
	late = knock_loudly(broker);
	assert_true(sim_peer_ended(late));
	sim_peer_close(late);
	authenticator_request_free(asked);
	/* Who is known makes room. */
	asked = first;
	reply(broker, 1);
	assert_int_equal(verdict(peers[0]), MQTT_SUCCESS);
	assert_int_equal(broker->long_connects, LIMIT_CONNECTS_LONG - 1);
	for (size_t i = 0; i < LIMIT_CONNECTS_LONG; i++)
		sim_peer_close(peers[i]);
	assert_int_equal(broker->long_connects, 0);
}

/* Who has no keys for SCRAM is given some with the right password, one at a time. */
static void test_a_login_makes_keys_for_scram(void **state)
{
	struct sim_peer *peer = knock(*state, MQTT_3_1_1, "anna");
	struct authenticator_request *first = asked;
	struct sim_peer *other;

	assert_true(first->wants_scram);
	assert_string_equal(first->user, "anna");
	asked = NULL;
	other = knock(*state, MQTT_5_0, "anna");
	assert_false(asked->wants_scram);
	reply(*state, 1);
	assert_int_equal(verdict(other), MQTT_SUCCESS);
	sim_peer_close(other);
	assert_null(handed_on);
	asked = first;
	memcpy(first->scram, "keys", 5);
	reply(*state, 1);
	assert_int_equal(verdict(peer), MQTT_SUCCESS);
	assert_ptr_equal(handed_on, first);
	sim_peer_close(peer);
	/* Again, for none have been kept; and with a wrong one there are none. */
	peer = knock(*state, MQTT_3_1_1, "anna");
	assert_true(asked->wants_scram);
	reply(*state, 0);
	assert_int_equal(verdict(peer), MQTT_BAD_USER_NAME_OR_PASSWORD);
	assert_ptr_equal(handed_on, first);
	sim_peer_close(peer);
	authenticator_request_free(handed_on);
	handed_on = NULL;
}

static void test_without_a_name_nobody_comes_in(void **state)
{
	const struct mqtt_connect packet = sim_connect(MQTT_5_0, "dev", true);
	struct sim_peer *peer = sim_peer_open(*state);

	sim_peer_connect(peer, &packet);
	assert_null(asked);
	assert_int_equal(verdict(peer), MQTT_NOT_AUTHORIZED);
	sim_peer_close(peer);
}

static void test_a_browsers_cookie_needs_no_password(void **state)
{
	struct connection_options options = { .address = "web:1",
					      .cookie_user = "anna" };
	const struct mqtt_connect packet = sim_connect(MQTT_5_0, "tab", true);
	struct broker *broker = *state;
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct connection *c;

	options.fd = -1;
	c = connection_new(broker, &options);
	connect_encode(&w, &packet);
	connection_feed(c, slice_of(w.data, w.len));
	assert_int_equal(c->state, CONNECTION_CONNECTED);
	assert_string_equal(c->session->user, "anna");
	connection_close(c, MQTT_SUCCESS, "test");
	sim_run(broker);
}

/* A session belongs to its user: another may neither take it over nor end it. */
static void test_a_session_is_its_users(void **state)
{
	static const struct access_user bert = { "bert", "hash", false, true,
						 NULL };
	struct broker *broker = *state;
	struct mqtt_connect packet = login(MQTT_5_0, "anna");
	struct sim_peer *anna = sim_peer_open(broker), *thief;

	assert_int_equal(access_add_user(broker->access, &bert), 0);
	sim_peer_connect(anna, &packet);
	reply(broker, 1);
	assert_int_equal(verdict(anna), MQTT_SUCCESS);
	thief = knock(broker, MQTT_5_0, "bert");
	reply(broker, 1);
	assert_int_equal(verdict(thief), MQTT_CLIENT_IDENTIFIER_NOT_VALID);
	sim_peer_close(thief);
	sim_peer_send(anna, "\xc0\0", 2);
	sim_peer_expect(anna, MQTT_PINGRESP);
	sim_peer_close(anna);
}

static void test_memory_may_run_out_at_each_step(void **state)
{
	const struct mqtt_connect packet = login(MQTT_5_0, "anna");
	unsigned int n = 0;
	bool failed;

	do {
		struct sim_peer *peer = sim_peer_open(*state);

		failing_malloc_arm(n++);
		sim_peer_connect(peer, &packet);
		if (asked)
			reply(*state, 1);
		failed = failing_malloc_disarm();
		sim_check(*state);
		sim_peer_close(peer);
	} while (failed);
	assert_true(n > 6);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_right_password_opens),
		T(test_a_banned_user_is_not_even_asked),
		T(test_anything_else_does_not),
		T(test_users_that_are_not_there_take_as_long),
		T(test_a_user_taken_away_meanwhile_stays_out),
		T(test_a_busy_hasher_is_told),
		T(test_who_goes_meanwhile_is_forgotten),
		T(test_what_comes_behind_the_login_waits),
		T(test_only_so_many_unknown_peers_may_send_much),
		T(test_a_login_makes_keys_for_scram),
		T(test_without_a_name_nobody_comes_in),
		T(test_a_browsers_cookie_needs_no_password),
		T(test_a_session_is_its_users),
		T(test_memory_may_run_out_at_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
