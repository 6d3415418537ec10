#include "tests/broker/sim_peer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "broker/peer/connection.h"

static void swallow(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

struct broker *sim_broker(struct sim_store *store, struct access *access)
{
	const struct broker_options options = {
		.node = "test",
		.store = store ? sim_store_door(store) : NULL,
		.access = access,
	};

	return sim_broker_with(&options);
}

struct broker *sim_broker_with(const struct broker_options *options)
{
	struct broker *broker;

	hash_seed();
	log_set_sink(swallow);
	broker = broker_new(options);
	if (broker && broker_load(broker) < 0) {
		broker_free(broker);
		return NULL;
	}
	return broker;
}

void sim_run(struct broker *broker)
{
	for (int i = 0; i < 8; i++)
		loop_turn(broker->loop, 0);
}

struct sim_peer *sim_peer_open(struct broker *broker)
{
	return sim_peer_open_as(broker, NULL);
}

static struct sim_peer *open_with(struct broker *broker,
				  struct connection_options options)
{
	struct sim_peer *peer = calloc(1, sizeof(*peer));
	int ends[2];

	assert_non_null(peer);
	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, ends),
			 0);
	options.fd = ends[0];
	peer->broker = broker;
	peer->fd = ends[1];
	if (!connection_new(broker, &options)) {
		close(ends[0]);
		close(ends[1]);
		free(peer);
		return NULL;
	}
	return peer;
}

struct sim_peer *sim_peer_open_as(struct broker *broker, const char *user)
{
	return open_with(broker, (struct connection_options){
					 .address = "test:1",
					 .cookie_user = user,
				 });
}

struct sim_peer *sim_peer_open_at(struct broker *broker, const char *address)
{
	return open_with(broker,
			 (struct connection_options){ .address = address });
}

struct sim_peer *sim_peer_open_by(struct broker *broker,
				  struct listener *listener)
{
	return open_with(broker, (struct connection_options){
					 .listener = listener,
					 .address = "192.0.2.7:49152" });
}

void sim_peer_close(struct sim_peer *peer)
{
	if (!peer)
		return;
	close(peer->fd);
	sim_run(peer->broker);
	free(peer);
}

void sim_peer_send(struct sim_peer *peer, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = send(peer->fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			break; /* the broker has closed: a test may want that */
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
		sim_run(peer->broker);
	}
	sim_run(peer->broker);
}

void sim_peer_drip(struct sim_peer *peer, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sim_peer_send(peer, (const uint8_t *)bytes + i, 1);
}

static void fill(struct sim_peer *peer)
{
	ssize_t n;

	while ((n = recv(peer->fd, peer->in + peer->len,
			 sizeof(peer->in) - peer->len, 0)) > 0) {
		peer->len += (size_t)n;
		sim_run(peer->broker);
	}
}

bool sim_peer_next(struct sim_peer *peer, struct frame *frame)
{
	static uint8_t packet[sizeof(peer->in)];
	int r;

	fill(peer);
	r = framing_next(peer->in, peer->len, sizeof(peer->in), frame);
	assert_true(r >= 0);
	if (r == 0)
		return false;
	memcpy(packet, peer->in, frame->size);
	frame->body.data = packet + (frame->body.data - peer->in);
	peer->len -= frame->size;
	memmove(peer->in, peer->in + frame->size, peer->len);
	return true;
}

struct slice sim_peer_expect(struct sim_peer *peer, enum mqtt_packet_type type)
{
	struct frame frame;

	assert_true(sim_peer_next(peer, &frame));
	assert_int_equal(frame.type, type);
	return frame.body;
}

void sim_peer_expect_nothing(struct sim_peer *peer)
{
	struct frame frame;

	assert_false(sim_peer_next(peer, &frame));
}

bool sim_peer_ended(struct sim_peer *peer)
{
	uint8_t byte;

	sim_run(peer->broker);
	return recv(peer->fd, &byte, 1, MSG_PEEK) == 0;
}

struct mqtt_connect sim_connect(enum mqtt_version version, const char *id,
				bool clean)
{
	struct mqtt_connect packet = {
		.version = version,
		.clean_start = clean,
		.client_id = slice_str(id),
	};

	if (version == MQTT_5_0 && !clean) {
		properties_set(&packet.properties,
			       MQTT_PROP_SESSION_EXPIRY_INTERVAL);
		packet.properties.session_expiry_interval = 3600;
	}
	return packet;
}

void sim_peer_connect(struct sim_peer *peer, const struct mqtt_connect *packet)
{
	uint8_t bytes[4096];
	struct writer w = writer_of(bytes, sizeof(bytes));

	peer->version = packet->version;
	connect_encode(&w, packet);
	assert_false(w.overflow);
	sim_peer_send(peer, bytes, w.len);
}

struct sim_peer *sim_client(struct broker *broker, enum mqtt_version version,
			    const char *id, bool clean, bool *session_present)
{
	struct mqtt_connect packet = sim_connect(version, id, clean);
	struct sim_peer *peer = sim_peer_open(broker);
	struct mqtt_connack connack;

	assert_non_null(peer);
	sim_peer_connect(peer, &packet);
	assert_int_equal(connack_decode(version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	assert_int_equal(connack.reason, MQTT_SUCCESS);
	if (session_present)
		*session_present = connack.session_present;
	return peer;
}

void sim_peer_subscribe(struct sim_peer *peer, const char *filter, uint8_t qos)
{
	const struct mqtt_subscription entry = {
		.filter = slice_str(filter),
		.qos = qos,
	};
	const struct mqtt_properties none = { 0 };
	uint8_t bytes[4096];
	struct writer w = writer_of(bytes, sizeof(bytes));

	subscribe_encode(&w, peer->version, 10, &none, &entry, 1);
	sim_peer_send(peer, bytes, w.len);
}

uint8_t sim_peer_subscribed(struct sim_peer *peer, const char *filter,
			    uint8_t qos)
{
	struct mqtt_suback suback;

	sim_peer_subscribe(peer, filter, qos);
	assert_int_equal(suback_decode(peer->version, MQTT_SUBACK,
				       sim_peer_expect(peer, MQTT_SUBACK),
				       &suback),
			 MQTT_SUCCESS);
	assert_int_equal(suback.packet_id, 10);
	assert_int_equal(suback.reasons.len, 1);
	return suback.reasons.data[0];
}

void sim_peer_publish(struct sim_peer *peer, const char *topic,
		      const char *payload, uint8_t qos, bool retain,
		      uint16_t packet_id)
{
	const struct mqtt_publish packet = {
		.topic = slice_str(topic),
		.payload = slice_str(payload),
		.qos = qos,
		.retain = retain,
		.packet_id = packet_id,
	};
	size_t size = publish_size(peer->version, &packet);
	uint8_t *bytes = malloc(size);
	struct writer w = writer_of(bytes, size);

	assert_non_null(bytes);
	publish_encode(&w, peer->version, &packet);
	sim_peer_send(peer, bytes, w.len);
	free(bytes);
}

void sim_peer_ack(struct sim_peer *peer, enum mqtt_packet_type type,
		  uint16_t packet_id)
{
	const struct mqtt_ack packet = { .packet_id = packet_id };
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ack_encode(&w, peer->version, type, &packet);
	sim_peer_send(peer, bytes, w.len);
}

uint16_t sim_peer_receive(struct sim_peer *peer, const char *topic,
			  const char *payload, uint8_t qos)
{
	struct mqtt_publish packet;
	struct frame frame;

	assert_true(sim_peer_next(peer, &frame));
	assert_int_equal(frame.type, MQTT_PUBLISH);
	assert_int_equal(
		publish_decode(peer->version, frame.flags, frame.body, &packet),
		MQTT_SUCCESS);
	assert_true(slice_equal(packet.topic, slice_str(topic)));
	assert_true(slice_equal(packet.payload, slice_str(payload)));
	assert_int_equal(packet.qos, qos);
	return packet.packet_id;
}

uint8_t sim_peer_acked(struct sim_peer *peer, enum mqtt_packet_type type,
		       uint16_t packet_id)
{
	struct mqtt_ack ack;

	assert_int_equal(ack_decode(peer->version, type,
				    sim_peer_expect(peer, type), &ack),
			 MQTT_SUCCESS);
	assert_int_equal(ack.packet_id, packet_id);
	return (uint8_t)ack.reason;
}

struct mqtt_publish sim_peer_message(struct sim_peer *peer)
{
	struct mqtt_publish packet = { 0 };
	struct frame frame;

	assert_true(sim_peer_next(peer, &frame));
	assert_int_equal(frame.type, MQTT_PUBLISH);
	assert_int_equal(
		publish_decode(peer->version, frame.flags, frame.body, &packet),
		MQTT_SUCCESS);
	return packet;
}

void sim_peer_send_publish(struct sim_peer *peer,
			   const struct mqtt_publish *packet)
{
	size_t size = publish_size(peer->version, packet);
	uint8_t *bytes = malloc(size);
	struct writer w = writer_of(bytes, size);

	assert_non_null(bytes);
	publish_encode(&w, peer->version, packet);
	assert_false(w.overflow);
	sim_peer_send(peer, bytes, w.len);
	free(bytes);
}

uint8_t sim_peer_subscribed_with(struct sim_peer *peer,
				 const struct mqtt_subscription *entry,
				 uint32_t identifier)
{
	struct mqtt_properties properties = { 0 };
	uint8_t bytes[4096];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_suback suback;

	if (identifier) {
		properties_set(&properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
		properties.subscription_ids[0] = identifier;
		properties.subscription_id_count = 1;
	}
	subscribe_encode(&w, peer->version, 10, &properties, entry, 1);
	sim_peer_send(peer, bytes, w.len);
	assert_int_equal(suback_decode(peer->version, MQTT_SUBACK,
				       sim_peer_expect(peer, MQTT_SUBACK),
				       &suback),
			 MQTT_SUCCESS);
	return suback.reasons.data[0];
}

uint8_t sim_peer_disconnected(struct sim_peer *peer)
{
	struct mqtt_reason_packet packet;

	assert_int_equal(
		disconnect_decode(peer->version, false,
				  sim_peer_expect(peer, MQTT_DISCONNECT),
				  &packet),
		MQTT_SUCCESS);
	assert_true(sim_peer_ended(peer));
	return (uint8_t)packet.reason;
}
