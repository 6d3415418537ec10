/* The will (3.1.2.5 to 3.1.2.7, 3.1.3.2). */
#include "tests/conformance/dialogue.h"

static struct mqtt_connect mortal(enum mqtt_version version, bool will)
{
	struct mqtt_connect packet = sim_connect(version, "mortal", false);

	packet.has_will = will;
	packet.will.topic = slice_str("will");
	packet.will.payload = slice_str("gone");
	return packet;
}

static struct sim_peer *heir(struct broker *broker)
{
	struct sim_peer *peer =
		sim_client(broker, MQTT_5_0, "heir", true, NULL);

	sim_peer_subscribed(peer, "will", 2);
	return peer;
}

static void test_a_will_is_published_once(void **state)
{
	struct sim_peer *sub = heir(*state);

	for (size_t v = 0; v < COUNT(versions); v++) {
		struct mqtt_connect packet = mortal(versions[v], true);

		sim_peer_close(dialogue_connect(*state, &packet));
		dialogue_receive(sub, "will", "gone", 0);
		/* The session is the same, but has no will any more. */
		packet = mortal(versions[v], false);
		sim_peer_close(dialogue_connect(*state, &packet));
		sim_peer_expect_nothing(sub);
	}
	sim_peer_close(sub);
}

static void test_disconnect_takes_the_will_back(void **state)
{
	struct sim_peer *sub = heir(*state);

	for (size_t v = 0; v < COUNT(versions); v++) {
		struct mqtt_connect packet = mortal(versions[v], true);
		struct sim_peer *peer = dialogue_connect(*state, &packet);

		SEND(peer, "\xe0\0");
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
		sim_clock_advance(*state, UINT64_C(3700) * 1000);
		sim_peer_expect_nothing(sub);
	}
	sim_peer_close(sub);
}

static void test_without_a_will_nothing_is_published(void **state)
{
	struct sim_peer *sub = heir(*state);

	sim_peer_subscribed(sub, "#", 0);
	for (size_t v = 0; v < COUNT(versions); v++) {
		const struct mqtt_connect packet = mortal(versions[v], false);

		sim_peer_close(dialogue_connect(*state, &packet));
		sim_peer_expect_nothing(sub);
	}
	sim_peer_close(sub);
}

static void test_a_will_is_retained_if_it_asks_for_it(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (int retain = 0; retain <= 1; retain++) {
			struct mqtt_connect packet = mortal(versions[v], true);
			struct sim_peer *sub;

			packet.will.retain = retain;
			sim_peer_close(dialogue_connect(*state, &packet));
			sub = sim_client(*state, MQTT_5_0, "heir", true, NULL);
			sim_peer_subscribed(sub, "will", 0);
			if (retain)
				assert_true(sim_peer_message(sub).retain);
			sim_peer_expect_nothing(sub);
			dialogue_publish(sub, "will", "", 0, true);
			sim_peer_close(sub);
		}
	}
}

/* At the keep-alive's end as well: that is a failure of the network. */
static void test_a_silent_clients_will_is_published(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct mqtt_connect packet = mortal(versions[v], true);
		struct sim_peer *sub = heir(*state);
		struct sim_peer *peer;

		packet.keep_alive = 10;
		peer = dialogue_connect(*state, &packet);
		sim_clock_advance(*state, 14900);
		sim_peer_expect_nothing(sub);
		sim_clock_advance(*state, 200);
		dialogue_receive(sub, "will", "gone", 0);
		dialogue_ended(peer, MQTT_KEEP_ALIVE_TIMEOUT);
		sim_peer_close(sub);
	}
}

static void test_a_wills_properties_go_with_it(void **state)
{
	static const uint8_t user[] =
		"\x26\0\1b\0\1x\x26\0\1a\0\1y\x26\0\1b\0\1x";
	struct mqtt_connect packet = mortal(MQTT_5_0, true);
	struct mqtt_properties *p = &packet.will.properties;
	struct sim_peer *sub = heir(*state);
	struct mqtt_publish got;

	p->content_type = slice_str("text");
	p->user_encoded = slice_of(user, sizeof(user) - 1);
	properties_set(p, MQTT_PROP_CONTENT_TYPE);
	properties_set(p, MQTT_PROP_USER_PROPERTY);
	p->will_delay_interval = 1;
	properties_set(p, MQTT_PROP_WILL_DELAY_INTERVAL);
	sim_peer_close(dialogue_connect(*state, &packet));
	sim_clock_advance(*state, 1100);
	got = sim_peer_message(sub);
	assert_true(
		slice_equal(got.properties.content_type, slice_str("text")));
	/* In their order, twice the same included; no Will Delay. */
	assert_int_equal(got.properties.raw.len, 7 + sizeof(user) - 1);
	assert_memory_equal(got.properties.raw.data + 7, user,
			    sizeof(user) - 1);
	sim_peer_close(sub);
}

/* Taken over, the old connection did end; its session goes on or it does not. */
static void test_a_take_over_publishes_the_will(void **state)
{
	struct mqtt_connect packet = mortal(MQTT_5_0, true);
	struct mqtt_connect next = mortal(MQTT_5_0, false);
	struct sim_peer *sub = heir(*state);
	struct sim_peer *old = dialogue_connect(*state, &packet);
	struct sim_peer *new = dialogue_connect(*state, &next);

	dialogue_receive(sub, "will", "gone", 0);
	sim_peer_close(old);
	sim_peer_close(new);

	/* With a delay there is none while the session goes on. */
	properties_set(&packet.will.properties, MQTT_PROP_WILL_DELAY_INTERVAL);
	packet.will.properties.will_delay_interval = 10;
	old = dialogue_connect(*state, &packet);
	new = dialogue_connect(*state, &next);
	sim_clock_advance(*state, 11000);
	sim_peer_expect_nothing(sub);
	sim_peer_close(old);
	sim_peer_close(new);

	/* A clean start ends it. */
	old = dialogue_connect(*state, &packet);
	next.clean_start = true;
	new = dialogue_connect(*state, &next);
	dialogue_receive(sub, "will", "gone", 0);
	sim_peer_close(old);
	sim_peer_close(new);
	sim_peer_close(sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_a_will_is_published_once),
		DIALOGUE(test_disconnect_takes_the_will_back),
		DIALOGUE(test_without_a_will_nothing_is_published),
		DIALOGUE(test_a_will_is_retained_if_it_asks_for_it),
		DIALOGUE(test_a_silent_clients_will_is_published),
		DIALOGUE(test_a_wills_properties_go_with_it),
		DIALOGUE(test_a_take_over_publishes_the_will),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
