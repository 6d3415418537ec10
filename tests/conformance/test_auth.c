/* Enhanced authentication (4.12) by SCRAM-SHA-256, and AUTH (3.15). */
#include "tests/conformance/dialogue.h"

#include "broker/access.h"
#include "tests/broker/scram_client.h"
#include "tests/failing_malloc.h"

#define METHOD "SCRAM-SHA-256"
#define NONCE "fyko+d2lbbFgONRv9qkxdawL"

static const uint8_t secret[SCRAM_KEY_LEN] = "of this house";

static struct access *users(bool with_anna)
{
	const struct access_rule rule = { 1, NULL, "#", ACCESS_READWRITE,
					  true };
	static const char *const names[] = { "anna", "ben", "gone", "plain" };
	struct access *access = access_new();

	for (size_t i = with_anna ? 0 : 1; i < COUNT(names); i++) {
		char text[SCRAM_TEXT_SIZE] = "";
		const struct access_user user = {
			.name = names[i],
			.password_hash = "x",
			.enabled = strcmp(names[i], "gone") != 0,
			.scram = text,
		};

		if (strcmp(names[i], "plain") != 0)
			assert_int_equal(scram_keys_make(slice_str("pencil"),
							 4096, text),
					 0);
		assert_int_equal(access_add_user(access, &user), 0);
	}
	assert_int_equal(access_add_rule(access, &rule), 0);
	access_set_scram_secret(access, secret);
	return access;
}

static int setup(void **state)
{
	return dialogue_begin(state, users(true));
}

/* ---- the client --------------------------------------------------------- */

struct prover {
	struct sim_peer *peer;
	struct scram_client client;
};

static void set_method(struct mqtt_properties *p, const char *method)
{
	p->authentication_method = slice_str(method);
	properties_set(p, MQTT_PROP_AUTHENTICATION_METHOD);
}

static void set_data(struct mqtt_properties *p, const char *data)
{
	p->authentication_data = slice_str(data);
	properties_set(p, MQTT_PROP_AUTHENTICATION_DATA);
}

static void send_auth(struct sim_peer *peer, uint8_t reason, const char *method,
		      const char *data)
{
	struct mqtt_reason_packet packet = {
		.reason = (enum mqtt_reason)reason,
	};
	uint8_t bytes[2048];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (method)
		set_method(&packet.properties, method);
	if (data)
		set_data(&packet.properties, data);
	auth_encode(&w, &packet);
	sim_peer_send(peer, bytes, w.len);
}

/* AUTH is the next packet, of this reason and of our method; its data. */
static struct slice expect_auth(struct sim_peer *peer, uint8_t reason)
{
	struct mqtt_reason_packet packet = { 0 };

	assert_int_equal(auth_decode(sim_peer_expect(peer, MQTT_AUTH), &packet),
			 MQTT_SUCCESS);
	assert_int_equal(packet.reason, reason);
	assert_true(properties_has(&packet.properties,
				   MQTT_PROP_AUTHENTICATION_METHOD));
	assert_true(slice_equal(packet.properties.authentication_method,
				slice_str(METHOD)));
	assert_false(
		properties_has(&packet.properties, MQTT_PROP_REASON_STRING));
	if (!properties_has(&packet.properties, MQTT_PROP_AUTHENTICATION_DATA))
		return slice_of(NULL, 0);
	return packet.properties.authentication_data;
}

static struct mqtt_connect hello(const char *id, const char *method,
				 const char *data)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, id, true);

	if (method)
		set_method(&packet.properties, method);
	if (data)
		set_data(&packet.properties, data);
	return packet;
}

/* CONNECT has been sent, and our challenge is there. */
static struct slice begin(struct prover *login, struct broker *broker,
			  const char *user)
{
	struct mqtt_connect packet;

	scram_client_first(&login->client, user, NONCE);
	packet = hello("c", METHOD, login->client.message);
	login->peer = sim_peer_open(broker);
	sim_peer_connect(login->peer, &packet);
	return expect_auth(login->peer, MQTT_CONTINUE_AUTHENTICATION);
}

static void prove(struct prover *login, const char *password,
		  struct slice challenge)
{
	assert_true(scram_client_prove(&login->client, password, challenge));
	send_auth(login->peer, MQTT_CONTINUE_AUTHENTICATION, METHOD,
		  login->client.message);
}

static void log_in(struct prover *login, struct broker *broker,
		   const char *user)
{
	struct mqtt_connack connack;

	prove(login, "pencil", begin(login, broker, user));
	connack = dialogue_connack(login->peer);
	assert_int_equal(connack.reason, MQTT_SUCCESS);
	assert_true(slice_equal(connack.properties.authentication_method,
				slice_str(METHOD)));
	assert_true(slice_equal(connack.properties.authentication_data,
				slice_str(login->client.expected)));
}

/* CONNACK with this reason is the last that comes. */
static void refused(struct sim_peer *peer, enum mqtt_reason reason)
{
	struct mqtt_connack connack = dialogue_connack(peer);

	assert_int_equal(connack.reason, reason);
	assert_false(properties_has(&connack.properties,
				    MQTT_PROP_AUTHENTICATION_DATA));
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

/* ---- when connecting ---------------------------------------------------- */

static void test_who_proves_its_password_is_let_in(void **state)
{
	struct broker *broker = *state;
	struct prover login;

	log_in(&login, broker, "anna");
	assert_string_equal(session_find(broker, slice_str("c"))->user, "anna");
	sim_peer_subscribed(login.peer, "t", 1);
	dialogue_publish(login.peer, "t", "x", 0, false);
	dialogue_receive(login.peer, "t", "x", 0);
	sim_peer_close(login.peer);
}

/* The method's first message is the client's: CONNECT may leave it out. */
static void test_data_may_come_with_the_first_auth(void **state)
{
	const struct mqtt_connect packet = hello("c", METHOD, NULL);
	struct prover login = { .peer = sim_peer_open(*state) };

	sim_peer_connect(login.peer, &packet);
	assert_int_equal(
		expect_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION).len, 0);
	scram_client_first(&login.client, "anna", NONCE);
	send_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION, METHOD,
		  login.client.message);
	prove(&login, "pencil",
	      expect_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION));
	assert_int_equal(dialogue_connack(login.peer).reason, MQTT_SUCCESS);
	sim_peer_close(login.peer);
}

static void test_a_method_we_do_not_know_is_refused(void **state)
{
	static const char *const methods[] = {
		"SCRAM-SHA-1",
		"SCRAM-SHA-256-PLUS",
		"scram-sha-256",
		"SCRAM-SHA-256 ",
		"PLAIN",
		"",
		"SCRAM-SHA-256\xc3\xa9",
	};

	for (size_t i = 0; i < COUNT(methods); i++) {
		const struct mqtt_connect packet =
			hello("c", methods[i], "n,,n=anna,r=x");
		struct sim_peer *peer = sim_peer_open(*state);

		sim_peer_connect(peer, &packet);
		refused(peer, MQTT_BAD_AUTHENTICATION_METHOD);
	}
}

static void test_a_wrong_proof_is_refused(void **state)
{
	/* Wrong; no such user; may not come in; has no keys. */
	static const char *const rows[][2] = {
		{ "anna", "Pencil" }, { "eve", "pencil" },
		{ "gone", "pencil" }, { "plain", "pencil" },
		{ "anna", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prover login;

		prove(&login, rows[i][1], begin(&login, *state, rows[i][0]));
		refused(login.peer, MQTT_NOT_AUTHORIZED);
	}
}

/* At each step, whatever is wrong with it; channel binding among them. */
static void test_bad_data_is_refused_at_any_step(void **state)
{
	static const char *const firsts[] = {
		"",
		"x",
		"p=tls-unique,,n=anna,r=x",
		"n,a=ben,n=anna,r=x",
	};
	struct prover login;

	for (size_t i = 0; i < COUNT(firsts); i++) {
		const struct mqtt_connect packet =
			hello("c", METHOD, firsts[i]);
		struct sim_peer *peer = sim_peer_open(*state);

		sim_peer_connect(peer, &packet);
		refused(peer, MQTT_NOT_AUTHORIZED);
	}
	begin(&login, *state, "anna");
	send_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION, METHOD, NULL);
	refused(login.peer, MQTT_NOT_AUTHORIZED);
	begin(&login, *state, "anna");
	send_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION, METHOD, "c=biws");
	refused(login.peer, MQTT_NOT_AUTHORIZED);
}

/* Asked twice, before and after the table of users was read anew, a name that
 * nobody has is answered like one that somebody has. */
static void test_nobody_can_tell_whom_there_is(void **state)
{
	static const char *const names[] = { "anna", "eve", "gone", "plain" };
	struct broker *broker = *state;

	for (size_t i = 0; i < COUNT(names); i++) {
		char before[256], after[256];
		struct prover login;
		struct slice out = begin(&login, broker, names[i]);
		const char *salt;

		snprintf(before, sizeof(before), "%.*s", (int)out.len,
			 (const char *)out.data);
		sim_peer_close(login.peer);
		out = begin(&login, broker, names[i]);
		snprintf(after, sizeof(after), "%.*s", (int)out.len,
			 (const char *)out.data);
		sim_peer_close(login.peer);
		/* Our nonce is new, salt and count are not. */
		assert_string_not_equal(before, after);
		salt = strstr(before, ",s=");
		assert_non_null(salt);
		assert_string_equal(salt, strstr(after, ",s="));
		assert_int_equal(strlen(salt),
				 strlen(",s=,i=4096") + 24 +
					 (strstr(salt, "600000") ? 2 : 0));
	}
}

static void test_another_packet_in_between_is_refused(void **state)
{
	static const struct slice packets[] = {
		LITERAL("\xc0\0"),
		LITERAL("\x30\3\0\1t"),
		LITERAL("\x82\6\0\1\0\0\1t\0"),
		LITERAL("\x10\x0d\0\4MQTT\5\2\0\0\0\0\0"),
	};

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct prover login;

		begin(&login, *state, "anna");
		sim_peer_send(login.peer, packets[i].data, packets[i].len);
		refused(login.peer, MQTT_PROTOCOL_ERROR);
	}
}

static void test_auth_out_of_turn_is_refused(void **state)
{
	struct prover login;

	begin(&login, *state, "anna");
	send_auth(login.peer, MQTT_REAUTHENTICATE, METHOD, "n,,n=anna,r=x");
	refused(login.peer, MQTT_PROTOCOL_ERROR);
	begin(&login, *state, "anna");
	SEND(login.peer, "\xf0\0"); /* success is not a client's to say */
	refused(login.peer, MQTT_PROTOCOL_ERROR);
	begin(&login, *state, "anna");
	send_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION, "PLAIN", "x");
	refused(login.peer, MQTT_PROTOCOL_ERROR);
	begin(&login, *state, "anna");
	SEND(login.peer, "\xf0\2\x18\0"); /* without a method */
	refused(login.peer, MQTT_PROTOCOL_ERROR);
}

static void test_a_client_may_leave_in_between(void **state)
{
	struct prover login;

	begin(&login, *state, "anna");
	SEND(login.peer, "\xe0\0");
	sim_peer_expect_nothing(login.peer);
	assert_true(sim_peer_ended(login.peer));
	sim_peer_close(login.peer);
	begin(&login, *state, "anna");
	sim_peer_close(login.peer);
}

static void test_silence_in_between_is_ended(void **state)
{
	struct prover login;

	begin(&login, *state, "anna");
	sim_clock_advance(*state, LIMIT_CONNECT_TIME);
	sim_run(*state);
	sim_peer_expect_nothing(login.peer);
	assert_true(sim_peer_ended(login.peer));
	sim_peer_close(login.peer);
}

/* AUTH comes as small as it can be; a Reason String or User Property that does
 * not fit is none that we ever send. */
static void test_auth_fits_a_client_that_takes_little(void **state)
{
	/* Header, reason, properties: what there is in AUTH at least. */
	const uint32_t size = 2 + 1 + 1 + 3 + 13 + 3 + 2 + 24 + 24 + 27 + 7;
	struct mqtt_connect packet;
	struct scram_client client;

	scram_client_first(&client, "anna", NONCE);
	packet = hello("c", METHOD, client.message);
	properties_set(&packet.properties, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	for (uint32_t less = 0; less < 2; less++) {
		struct sim_peer *peer = sim_peer_open(*state);

		packet.properties.maximum_packet_size = size - less;
		sim_peer_connect(peer, &packet);
		if (!less)
			expect_auth(peer, MQTT_CONTINUE_AUTHENTICATION);
		sim_peer_expect_nothing(peer);
		assert_int_equal(sim_peer_ended(peer), less);
		sim_peer_close(peer);
	}
}

/* ---- once more (4.12.1) ------------------------------------------------- */

static struct slice begin_again(struct prover *login, const char *user)
{
	scram_client_first(&login->client, user, NONCE);
	send_auth(login->peer, MQTT_REAUTHENTICATE, METHOD,
		  login->client.message);
	return expect_auth(login->peer, MQTT_CONTINUE_AUTHENTICATION);
}

static void test_a_client_may_prove_it_again(void **state)
{
	struct prover login;
	struct slice data;

	log_in(&login, *state, "anna");
	sim_peer_subscribed(login.peer, "t", 1);
	for (int i = 0; i < 3; i++) {
		char challenge[256];

		data = begin_again(&login, "anna");
		snprintf(challenge, sizeof(challenge), "%.*s", (int)data.len,
			 (const char *)data.data);
		/* Everything else goes on. */
		dialogue_publish(login.peer, "t", "x", 0, false);
		dialogue_receive(login.peer, "t", "x", 0);
		prove(&login, "pencil", slice_str(challenge));
		data = expect_auth(login.peer, MQTT_SUCCESS);
		assert_true(
			slice_equal(data, slice_str(login.client.expected)));
	}
	dialogue_publish(login.peer, "t", "y", 0, false);
	dialogue_receive(login.peer, "t", "y", 0);
	sim_peer_close(login.peer);
}

static void test_who_cannot_prove_it_again_is_put_out(void **state)
{
	struct prover login;

	log_in(&login, *state, "anna");
	prove(&login, "Pencil", begin_again(&login, "anna"));
	dialogue_ended(login.peer, MQTT_NOT_AUTHORIZED);

	/* Another user's right proof is none. */
	log_in(&login, *state, "anna");
	scram_client_first(&login.client, "ben", NONCE);
	send_auth(login.peer, MQTT_REAUTHENTICATE, METHOD,
		  login.client.message);
	dialogue_ended(login.peer, MQTT_NOT_AUTHORIZED);

	log_in(&login, *state, "anna");
	send_auth(login.peer, MQTT_REAUTHENTICATE, METHOD, "p=x,,n=anna,r=x");
	dialogue_ended(login.peer, MQTT_NOT_AUTHORIZED);
}

static void test_again_goes_by_the_same_method(void **state)
{
	struct prover login;

	log_in(&login, *state, "anna");
	send_auth(login.peer, MQTT_REAUTHENTICATE, "PLAIN", "x");
	dialogue_ended(login.peer, MQTT_PROTOCOL_ERROR);
}

static void test_again_goes_in_turn(void **state)
{
	struct prover login;

	log_in(&login, *state, "anna");
	send_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION, METHOD, "x");
	dialogue_ended(login.peer, MQTT_PROTOCOL_ERROR);
	log_in(&login, *state, "anna");
	begin_again(&login, "anna");
	send_auth(login.peer, MQTT_REAUTHENTICATE, METHOD, "n,,n=anna,r=x");
	dialogue_ended(login.peer, MQTT_PROTOCOL_ERROR);
	log_in(&login, *state, "anna");
	SEND(login.peer, "\xf0\0");
	dialogue_ended(login.peer, MQTT_PROTOCOL_ERROR);
}

/* ---- rules of the house ------------------------------------------------- */

/* The user name of CONNECT is not asked for, but must not contradict. */
static void test_connect_may_name_the_same_user(void **state)
{
	static const char *const names[] = { "anna", "ben" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct prover login = { .peer = sim_peer_open(*state) };
		struct mqtt_connect packet;

		scram_client_first(&login.client, "anna", NONCE);
		packet = hello("c", METHOD, login.client.message);
		packet.has_username = true;
		packet.username = slice_str(names[i]);
		sim_peer_connect(login.peer, &packet);
		prove(&login, "pencil",
		      expect_auth(login.peer, MQTT_CONTINUE_AUTHENTICATION));
		assert_int_equal(dialogue_connack(login.peer).reason,
				 i ? MQTT_NOT_AUTHORIZED : MQTT_SUCCESS);
		sim_peer_close(login.peer);
	}
}

static void test_a_user_taken_away_meanwhile_is_refused(void **state)
{
	struct broker *broker = *state;
	struct prover login;
	struct slice challenge = begin(&login, broker, "anna");

	access_free(broker->access);
	broker->access = users(false);
	prove(&login, "pencil", challenge);
	refused(login.peer, MQTT_NOT_AUTHORIZED);
}

/* Nobody unknown may make us keep a long CONNECT. */
static void test_a_long_connect_is_not_kept(void **state)
{
	struct mqtt_connect packet = hello("c", METHOD, "n,,n=anna,r=x");
	uint8_t *payload = calloc(1, LIMIT_CONNECT_USUAL);
	uint8_t *bytes = malloc(2 * LIMIT_CONNECT_USUAL);
	struct writer w = writer_of(bytes, 2 * LIMIT_CONNECT_USUAL);
	struct sim_peer *peer = sim_peer_open(*state);

	packet.has_will = true;
	packet.will.topic = slice_str("t");
	packet.will.payload = slice_of(payload, LIMIT_CONNECT_USUAL);
	peer->version = MQTT_5_0;
	connect_encode(&w, &packet);
	assert_false(w.overflow);
	sim_peer_send(peer, bytes, w.len);
	refused(peer, MQTT_PACKET_TOO_LARGE);
	free(bytes);
	free(payload);
}

/* Whichever is refused, the connection ends or goes on, and nothing is left. */
static void test_a_login_survives_allocation_failure(void **state)
{
	unsigned int n = 0;
	bool failed = true;

	while (failed && n < 100) {
		struct prover login = { .peer = sim_peer_open(*state) };
		struct mqtt_connect packet;
		struct frame frame;
		uint8_t bytes[256];
		struct writer w = writer_of(bytes, sizeof(bytes));

		scram_client_first(&login.client, "anna", NONCE);
		packet = hello("c", METHOD, login.client.message);
		connect_encode(&w, &packet);
		login.peer->version = MQTT_5_0;
		failing_malloc_arm(n++);
		sim_peer_send(login.peer, bytes, w.len);
		failed = failing_malloc_disarm();
		if (!failed) {
			prove(&login, "pencil",
			      expect_auth(login.peer,
					  MQTT_CONTINUE_AUTHENTICATION));
			assert_int_equal(dialogue_connack(login.peer).reason,
					 MQTT_SUCCESS);
		} else if (sim_peer_next(login.peer, &frame)) {
			assert_true(frame.type == MQTT_CONNACK ||
				    frame.type == MQTT_AUTH);
		}
		sim_peer_close(login.peer);
	}
	assert_in_range(n, 3, 99);
}

#define AUTH_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, dialogue_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(test_who_proves_its_password_is_let_in),
		AUTH_TEST(test_data_may_come_with_the_first_auth),
		AUTH_TEST(test_a_method_we_do_not_know_is_refused),
		AUTH_TEST(test_a_wrong_proof_is_refused),
		AUTH_TEST(test_bad_data_is_refused_at_any_step),
		AUTH_TEST(test_nobody_can_tell_whom_there_is),
		AUTH_TEST(test_another_packet_in_between_is_refused),
		AUTH_TEST(test_auth_out_of_turn_is_refused),
		AUTH_TEST(test_a_client_may_leave_in_between),
		AUTH_TEST(test_silence_in_between_is_ended),
		AUTH_TEST(test_auth_fits_a_client_that_takes_little),
		AUTH_TEST(test_a_client_may_prove_it_again),
		AUTH_TEST(test_who_cannot_prove_it_again_is_put_out),
		AUTH_TEST(test_again_goes_by_the_same_method),
		AUTH_TEST(test_again_goes_in_turn),
		AUTH_TEST(test_connect_may_name_the_same_user),
		AUTH_TEST(test_a_user_taken_away_meanwhile_is_refused),
		AUTH_TEST(test_a_long_connect_is_not_kept),
		AUTH_TEST(test_a_login_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
