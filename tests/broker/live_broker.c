#include "tests/broker/live_broker.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/access.h"
#include "broker/base/log.h"

/* Only a test that has failed waits this long. */
#define DEADLINE_S 60

static void swallow(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static void *serve(void *arg)
{
	broker_run(arg);
	return NULL;
}

void live_broker_start(struct live_broker *live, struct access *access,
		       bool closed)
{
	static const struct listener_options listener = {
		.name = "test",
		.address = "127.0.0.1",
		.anonymous = true,
	};
	const struct broker_options options = {
		.node = "test",
		.listeners = &listener,
		.listener_count = 1,
		.access = access,
		.closed = closed,
	};

	log_set_sink(swallow);
	live->broker = broker_new(&options);
	assert_non_null(live->broker);
	assert_int_equal(
		pthread_create(&live->thread, NULL, serve, live->broker), 0);
}

void live_broker_stop(struct live_broker *live)
{
	broker_stop(live->broker);
	assert_int_equal(pthread_join(live->thread, NULL), 0);
}

void live_broker_free(struct live_broker *live)
{
	broker_free(live->broker);
	live->broker = NULL;
}

void live_peer_send(struct live_peer *peer, const void *bytes, size_t len)
{
	assert_int_equal(send(peer->fd, bytes, len, MSG_NOSIGNAL), len);
}

struct frame live_peer_next(struct live_peer *peer)
{
	static uint8_t packet[sizeof(peer->in)];
	struct frame frame;
	ssize_t n;

	while (framing_next(peer->in, peer->len, sizeof(peer->in), &frame) ==
	       0) {
		n = recv(peer->fd, peer->in + peer->len,
			 sizeof(peer->in) - peer->len, 0);
		assert_true(n > 0);
		peer->len += (size_t)n;
	}
	memcpy(packet, peer->in, frame.size);
	frame.body.data = packet + (frame.body.data - peer->in);
	peer->len -= frame.size;
	memmove(peer->in, peer->in + frame.size, peer->len);
	return frame;
}

static struct slice expect(struct live_peer *peer, enum mqtt_packet_type type)
{
	const struct frame frame = live_peer_next(peer);

	assert_int_equal(frame.type, type);
	return frame.body;
}

void live_peer_dial(struct live_peer *peer, const struct live_broker *live,
		    const struct mqtt_connect *packet)
{
	const struct timeval patience = { .tv_sec = DEADLINE_S };
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(broker_listener_port(live->broker, 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	uint8_t bytes[512];
	struct writer w = writer_of(bytes, sizeof(bytes));

	peer->len = 0;
	peer->version = packet->version;
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(peer->fd >= 0);
	assert_int_equal(setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO,
				    &patience, sizeof(patience)),
			 0);
	assert_int_equal(
		connect(peer->fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	connect_encode(&w, packet);
	live_peer_send(peer, bytes, w.len);
}

enum mqtt_reason live_peer_connect(struct live_peer *peer,
				   const struct live_broker *live,
				   const struct mqtt_connect *packet)
{
	struct mqtt_connack connack;

	live_peer_dial(peer, live, packet);
	assert_int_equal(connack_decode(peer->version,
					expect(peer, MQTT_CONNACK), &connack),
			 MQTT_SUCCESS);
	return connack.reason;
}

void live_peer_open(struct live_peer *peer, const struct live_broker *live,
		    const char *id, uint32_t expiry)
{
	struct mqtt_connect packet = {
		.version = MQTT_5_0,
		.client_id = slice_str(id),
		.clean_start = expiry == 0,
	};

	packet.properties.session_expiry_interval = expiry;
	properties_set(&packet.properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	assert_int_equal(live_peer_connect(peer, live, &packet), MQTT_SUCCESS);
}

void live_peer_subscribe(struct live_peer *peer, const char *filter,
			 uint8_t qos)
{
	const struct mqtt_subscription entry = {
		.filter = slice_str(filter),
		.qos = qos,
	};
	const struct mqtt_properties none = { 0 };
	uint8_t bytes[512];
	struct writer w = writer_of(bytes, sizeof(bytes));

	subscribe_encode(&w, peer->version, 10, &none, &entry, 1);
	live_peer_send(peer, bytes, w.len);
	expect(peer, MQTT_SUBACK);
}

static void publish(struct live_peer *peer, const char *topic,
		    const char *payload, uint8_t qos, bool retain)
{
	const struct mqtt_publish packet = {
		.topic = slice_str(topic),
		.payload = slice_str(payload),
		.qos = qos,
		.retain = retain,
		.packet_id = 7,
	};
	uint8_t bytes[512];
	struct writer w = writer_of(bytes, sizeof(bytes));

	publish_encode(&w, peer->version, &packet);
	live_peer_send(peer, bytes, w.len);
}

void live_peer_say(struct live_peer *peer, const char *topic,
		   const char *payload)
{
	publish(peer, topic, payload, 0, false);
}

void live_peer_publish(struct live_peer *peer, const char *topic,
		       const char *payload, bool retain)
{
	publish(peer, topic, payload, 1, retain);
	expect(peer, MQTT_PUBACK);
}

void live_peer_receive(struct live_peer *peer, const char *topic,
		       const char *payload)
{
	const struct frame frame = live_peer_next(peer);
	struct mqtt_publish packet;

	assert_int_equal(frame.type, MQTT_PUBLISH);
	assert_int_equal(
		publish_decode(peer->version, frame.flags, frame.body, &packet),
		MQTT_SUCCESS);
	assert_true(slice_equal(packet.topic, slice_str(topic)));
	assert_true(slice_equal(packet.payload, slice_str(payload)));
}

void live_peer_close(struct live_peer *peer)
{
	close(peer->fd);
}
