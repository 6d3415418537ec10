/* What changes while a broker is at work. */
#include "broker/admin/reconfigure.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "broker/admin.h"
#include "broker/limits.h"
#include "tests/broker/live_broker.h"
#include "tests/failing_malloc.h"

struct rig {
	struct live_broker live;
	struct admin *admin;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	live_broker_start(&rig->live, NULL, false);
	rig->admin = admin_open(rig->live.broker);
	*state = rig;
	return rig->admin ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	admin_close(rig->admin);
	live_broker_stop(&rig->live);
	live_broker_free(&rig->live);
	free(rig);
	return 0;
}

static int change(struct rig *rig, const struct listener_options *listener,
		  uint16_t keep_alive)
{
	const struct broker_options options = {
		.listeners = listener,
		.listener_count = 1,
		.max_keep_alive = keep_alive,
		.max_packet_size = 2 * LIMIT_PACKET_SIZE,
		/* Not of those that change: a wrong one would be noticed. */
		.node = NULL,
		.closed = true,
	};
	struct tls *none = NULL;

	return reconfigure(rig->admin, &options, &none);
}

/* Connect asking for a keep-alive of 60: what was granted, and the largest packet
 * taken. -1: the door is shut. */
static int granted(struct rig *rig, uint32_t *packet_size)
{
	const struct mqtt_connect packet = {
		.version = MQTT_5_0,
		.client_id = slice_str("dev"),
		.clean_start = true,
		.keep_alive = 60,
	};
	struct mqtt_connack connack;
	struct live_peer peer;
	int r = -1;

	live_peer_dial(&peer, &rig->live, &packet);
	if (recv(peer.fd, peer.in, 1, MSG_PEEK) == 1) {
		const struct frame frame = live_peer_next(&peer);

		assert_int_equal(frame.type, MQTT_CONNACK);
		assert_int_equal(connack_decode(MQTT_5_0, frame.body, &connack),
				 MQTT_SUCCESS);
		assert_int_equal(connack.reason, MQTT_SUCCESS);
		*packet_size = connack.properties.maximum_packet_size;
		r = properties_has(&connack.properties,
				   MQTT_PROP_SERVER_KEEP_ALIVE)
			    ? connack.properties.server_keep_alive
			    : 60;
	}
	live_peer_close(&peer);
	return r;
}

static void test_numbers_and_listeners_change_at_once(void **state)
{
	struct listener_options listener = {
		.name = "test",
		.address = "127.0.0.1",
		.anonymous = true,
	};
	struct rig *rig = *state;
	struct live_peer inside;
	uint32_t size = 0;

	live_peer_open(&inside, &rig->live, "inside", 0);
	assert_int_equal(granted(rig, &size), 60);
	assert_int_equal(size, LIMIT_PACKET_SIZE);
	assert_int_equal(change(rig, &listener, 7), 0);
	assert_int_equal(granted(rig, &size), 7);
	/* Buffers were made for it. */
	assert_int_equal(size, LIMIT_PACKET_SIZE);
	assert_int_equal(change(rig, &listener, 0), 0); /* the default */
	assert_int_equal(granted(rig, &size), 60);
	listener.max_connections = 1;
	assert_int_equal(change(rig, &listener, 0), 0);
	assert_int_equal(granted(rig, &size), -1);
	live_peer_publish(&inside, "t", "x", false);
	/* The options are the broker's own copy. */
	listener.max_connections = 0;
	assert_int_equal(granted(rig, &size), -1);
	listener.name = "another";
	assert_int_equal(change(rig, &listener, 0), -EINVAL);
	assert_int_equal(granted(rig, &size), -1);
	live_peer_close(&inside);
}

static void test_without_memory_nothing_changes(void **state)
{
	static const struct listener_options listener = { .name = "test" };
	struct rig *rig = *state;
	uint32_t size = 0;

	for (unsigned int n = 0; n < 2; n++) {
		failing_malloc_arm(n);
		assert_int_equal(change(rig, &listener, 7), -ENOMEM);
		assert_true(failing_malloc_disarm());
	}
	assert_int_equal(granted(rig, &size), 60);
}

#define ELSEWHERE "hub2.example.org:1883"

static int move(struct rig *rig, const char *reference, bool moved,
		const char *user)
{
	const struct listener_options listener = {
		.name = "test",
		.address = "127.0.0.1",
		.anonymous = true,
		.user = user,
	};
	const struct broker_options options = {
		.listeners = &listener,
		.listener_count = 1,
		.server_reference = reference,
		.server_moved = moved,
	};
	struct tls *none = NULL;

	return reconfigure(rig->admin, &options, &none);
}

/* What a CONNECT is answered; reference is what 5.0 clients are told. */
static uint8_t answered(struct rig *rig, enum mqtt_version version,
			const char *reference)
{
	const struct mqtt_connect packet = {
		.version = version,
		.client_id = slice_str("dev"),
		.clean_start = true,
	};
	struct mqtt_connack connack = { 0 };
	struct live_peer peer;
	struct frame frame;
	uint8_t code;

	live_peer_dial(&peer, &rig->live, &packet);
	frame = live_peer_next(&peer);
	assert_int_equal(connack_decode(version, frame.body, &connack),
			 MQTT_SUCCESS);
	code = frame.body.data[1];
	assert_int_equal(
		properties_has(&connack.properties, MQTT_PROP_SERVER_REFERENCE),
		reference != NULL);
	if (reference)
		assert_true(slice_equal(connack.properties.server_reference,
					slice_str(reference)));
	live_peer_close(&peer);
	return code;
}

static void test_clients_are_sent_elsewhere(void **state)
{
	static const uint8_t codes[] = { MQTT_USE_ANOTHER_SERVER,
					 MQTT_SERVER_MOVED };
	struct rig *rig = *state;

	for (int moved = 0; moved < 2; moved++) {
		struct mqtt_reason_packet last;
		struct live_peer inside;
		struct frame frame;

		live_peer_open(&inside, &rig->live, "inside", 0);
		assert_int_equal(move(rig, ELSEWHERE, moved, NULL), 0);
		frame = live_peer_next(&inside);
		assert_int_equal(frame.type, MQTT_DISCONNECT);
		assert_int_equal(
			disconnect_decode(MQTT_5_0, false, frame.body, &last),
			MQTT_SUCCESS);
		assert_int_equal(last.reason, codes[moved]);
		assert_true(slice_equal(last.properties.server_reference,
					slice_str(ELSEWHERE)));
		live_peer_close(&inside);

		assert_int_equal(answered(rig, MQTT_5_0, ELSEWHERE),
				 codes[moved]);
		assert_int_equal(answered(rig, MQTT_3_1_1, NULL), 3);
		/* Programs on this machine stay. */
		assert_int_equal(move(rig, ELSEWHERE, moved, "program"), 0);
		assert_int_equal(answered(rig, MQTT_5_0, NULL), 0);
		/* And all are welcome again. */
		assert_int_equal(move(rig, NULL, moved, NULL), 0);
		assert_int_equal(answered(rig, MQTT_5_0, NULL), 0);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_numbers_and_listeners_change_at_once),
		T(test_without_memory_nothing_changes),
		T(test_clients_are_sent_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
