/* A listener may be narrower than the broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/peer/connection.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"

static const struct listener_options listeners[] = {
	{ .name = "wide",
	  .address = "127.0.0.1",
	  .anonymous = true,
	  .max_packet_size = 1 << 20,
	  .max_keep_alive = 1000 },
	{ .name = "narrow",
	  .address = "127.0.0.1",
	  .anonymous = true,
	  .max_packet_size = 1024,
	  .max_keep_alive = 60 },
	{ .name = "not for strangers",
	  .address = "127.0.0.1",
	  .anonymous = true,
	  .users = { .names = { "kitchen", "hall" }, .count = 2 } },
	{ .name = "strangers and kitchen",
	  .type = LISTENER_TCP,
	  .address = "127.0.0.1",
	  .user = "kitchen",
	  .users = { .names = { "kitchen" }, .count = 1 } },
};

static int setup(void **state)
{
	const struct broker_options options = {
		.node = "test",
		.listeners = listeners,
		.listener_count = sizeof(listeners) / sizeof(listeners[0]),
		.max_packet_size = 4096,
		.max_keep_alive = 300,
	};

	sim_clock_start();
	*state = sim_broker_with(&options);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	sim_check(*state);
	broker_free(*state);
	sim_clock_stop();
	return 0;
}

static struct mqtt_connack come(struct broker *broker, size_t by,
				uint16_t keep_alive, struct sim_peer **peer)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "dev", true);
	struct mqtt_connack connack;

	packet.keep_alive = keep_alive;
	*peer = sim_peer_open_by(broker, broker->listeners[by]);
	sim_peer_connect(*peer, &packet);
	assert_int_equal(connack_decode(MQTT_5_0,
					sim_peer_expect(*peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	return connack;
}

/* The less of both holds, is told, and is kept to. */
static void test_packet_size(void **state)
{
	static const uint32_t most[] = { 4096, 1024 };
	static const uint8_t zeros[4096];

	for (size_t i = 0; i < 2; i++) {
		struct mqtt_publish packet = { .topic = slice_str("t") };
		struct sim_peer *peer;
		const struct mqtt_connack connack = come(*state, i, 0, &peer);

		assert_int_equal(connack.properties.maximum_packet_size,
				 most[i]);
		/* Fixed header 3, topic 3, properties 1. */
		packet.payload = slice_of(zeros, most[i] - 7);
		sim_peer_send_publish(peer, &packet);
		sim_peer_expect_nothing(peer);
		packet.payload.len++;
		sim_peer_send_publish(peer, &packet);
		assert_int_equal(sim_peer_disconnected(peer),
				 MQTT_PACKET_TOO_LARGE);
		sim_peer_close(peer);
	}
}

static void test_keep_alive(void **state)
{
	static const uint16_t most[] = { 300, 60 };

	for (size_t i = 0; i < 2; i++) {
		struct sim_peer *peer;
		struct mqtt_connack connack = come(*state, i, 0, &peer);

		assert_true(properties_has(&connack.properties,
					   MQTT_PROP_SERVER_KEEP_ALIVE));
		assert_int_equal(connack.properties.server_keep_alive, most[i]);
		sim_clock_advance(*state, most[i] * 1500u - 1);
		sim_peer_expect_nothing(peer);
		sim_clock_advance(*state, 1);
		assert_int_equal(sim_peer_disconnected(peer),
				 MQTT_KEEP_ALIVE_TIMEOUT);
		sim_peer_close(peer);
		connack = come(*state, i, (uint16_t)(most[i] - 1), &peer);
		assert_false(properties_has(&connack.properties,
					    MQTT_PROP_SERVER_KEEP_ALIVE));
		sim_peer_close(peer);
	}
}

/* However somebody has come to be a user. */
static void test_users(void **state)
{
	struct sim_peer *peer;

	assert_int_equal(come(*state, 1, 0, &peer).reason, MQTT_SUCCESS);
	sim_peer_close(peer);
	assert_int_equal(come(*state, 2, 0, &peer).reason, MQTT_NOT_AUTHORIZED);
	sim_peer_close(peer);
	assert_int_equal(come(*state, 3, 0, &peer).reason, MQTT_SUCCESS);
	sim_peer_close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_packet_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_keep_alive, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_users, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
