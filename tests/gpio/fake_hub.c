#include "tests/gpio/fake_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/buffer.h"
#include "broker/base/clock.h"
#include "broker/base/loop.h"
#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"

#define DEADLINE_MS 30000
#define PACKET_MAX (256 * 1024)
#define HEARD_MAX 4000
#define PEERS_MAX 4

struct heard {
	char *topic;
	char *payload;
	bool retain;
};

/* A connection of the node: it has one for each dialect besides its own. */
struct peer {
	struct loop_source source; /* fd < 0: none */
	struct fake_hub *hub;
	struct buffer in;
	uint16_t held[HEARD_MAX]; /* identifiers not acknowledged */
	size_t held_count;
	char will[128];
	char subscribed[1024];
	bool let_in;
	bool goodbye;
};

struct fake_hub {
	struct loop *loop;
	char path[80];
	char address[96];
	struct loop_source listener;
	struct peer peer[PEERS_MAX];
	bool hold;
	bool mute;
	bool full;
	const char *kept_out; /* by its will; NULL: nobody */
	struct heard heard[HEARD_MAX];
	size_t count;
	size_t seen;
};

static void send_all(struct peer *peer, const uint8_t *bytes, size_t len)
{
	assert_true(peer->source.fd >= 0);
	assert_int_equal(send(peer->source.fd, bytes, len, MSG_NOSIGNAL), len);
}

static char *text_of(struct slice bytes)
{
	char *text = malloc(bytes.len + 1);

	if (bytes.len)
		memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
	return text;
}

static void let_in(struct peer *peer)
{
	static struct mqtt_connack ack;
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof(bytes));

	peer->let_in = true;
	connack_encode(&w, MQTT_5_0, &ack);
	send_all(peer, bytes, w.len);
}

static void on_connect(struct peer *peer, struct slice body)
{
	struct mqtt_connect packet;

	assert_int_equal(connect_decode(body, &packet), MQTT_SUCCESS);
	assert_int_equal(packet.version, MQTT_5_0);
	assert_true(packet.clean_start);
	assert_true(packet.has_will && packet.will.retain);
	(void)snprintf(peer->will, sizeof(peer->will), "%.*s=%.*s",
		       (int)packet.will.topic.len,
		       (const char *)packet.will.topic.data,
		       (int)packet.will.payload.len,
		       (const char *)packet.will.payload.data);
	if (!peer->hub->kept_out ||
	    strcmp(peer->hub->kept_out, peer->will) != 0)
		let_in(peer);
}

static void acknowledge(struct peer *peer, uint16_t id)
{
	static struct mqtt_ack ack;
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ack.packet_id = id;
	ack.reason = peer->hub->full ? MQTT_QUOTA_EXCEEDED : MQTT_SUCCESS;
	ack_encode(&w, MQTT_5_0, MQTT_PUBACK, &ack);
	send_all(peer, bytes, w.len);
}

static void on_publish(struct peer *peer, const struct frame *frame)
{
	struct fake_hub *hub = peer->hub;
	struct mqtt_publish packet;

	assert_int_equal(
		publish_decode(MQTT_5_0, frame->flags, frame->body, &packet),
		MQTT_SUCCESS);
	assert_true(hub->count < HEARD_MAX);
	hub->heard[hub->count++] = (struct heard){
		.topic = text_of(packet.topic),
		.payload = text_of(packet.payload),
		.retain = packet.retain,
	};
	/* Readings: the next one comes soon. */
	if (packet.qos == 0)
		return;
	assert_int_equal(packet.qos, 1);
	if (hub->hold)
		peer->held[peer->held_count++] = packet.packet_id;
	else
		acknowledge(peer, packet.packet_id);
}

static void on_subscribe(struct peer *peer, struct slice body)
{
	static const uint8_t granted[] = { 1 };
	struct mqtt_subscribe packet;
	struct mqtt_subscription entry;
	struct mqtt_suback *ack = calloc(1, sizeof(*ack));
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof(bytes));
	size_t len = strlen(peer->subscribed);

	assert_int_equal(subscribe_decode(MQTT_5_0, body, &packet),
			 MQTT_SUCCESS);
	assert_true(subscribe_next(MQTT_5_0, &packet.entries, &entry));
	(void)snprintf(peer->subscribed + len, sizeof(peer->subscribed) - len,
		       "%.*s\n", (int)entry.filter.len,
		       (const char *)entry.filter.data);
	ack->packet_id = packet.packet_id;
	ack->reasons = slice_of(granted, 1);
	suback_encode(&w, MQTT_5_0, MQTT_SUBACK, ack);
	send_all(peer, bytes, w.len);
	free(ack);
}

static void on_frame(struct peer *peer, const struct frame *frame)
{
	uint8_t bytes[4];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (frame->type == MQTT_CONNECT) {
		on_connect(peer, frame->body);
	} else if (frame->type == MQTT_PUBLISH) {
		on_publish(peer, frame);
	} else if (frame->type == MQTT_SUBSCRIBE) {
		on_subscribe(peer, frame->body);
	} else if (frame->type == MQTT_DISCONNECT) {
		peer->goodbye = true;
	} else if (frame->type == MQTT_PINGREQ) {
		ping_encode(&w, MQTT_PINGRESP);
		send_all(peer, bytes, w.len);
	} else {
		assert_int_equal(frame->type, MQTT_PUBACK);
	}
}

static void drop_peer(struct peer *peer)
{
	int fd = peer->source.fd;

	if (fd < 0)
		return;
	loop_remove(peer->hub->loop, &peer->source);
	(void)close(fd);
	peer->source.fd = -1;
	peer->in.len = 0;
	peer->will[0] = '\0';
	peer->subscribed[0] = '\0';
	peer->held_count = 0;
}

static void on_peer(struct loop_source *source, uint32_t events)
{
	struct peer *peer = list_entry(source, struct peer, source);
	uint8_t bytes[8192];
	ssize_t n = recv(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct frame frame;

	(void)events;
	if (n <= 0) {
		drop_peer(peer);
		return;
	}
	if (peer->hub->mute)
		return;
	assert_int_equal(buffer_append(&peer->in, bytes, (size_t)n), 0);
	while (framing_next(peer->in.data, peer->in.len, PACKET_MAX, &frame) ==
	       1) {
		on_frame(peer, &frame);
		buffer_consume(&peer->in, frame.size);
	}
}

static void on_listener(struct loop_source *source, uint32_t events)
{
	struct fake_hub *hub = list_entry(source, struct fake_hub, listener);
	struct peer *peer = hub->peer;
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	assert_true(fd >= 0);
	while (peer->source.fd >= 0)
		assert_true(++peer < hub->peer + PEERS_MAX);
	peer->goodbye = false;
	peer->let_in = false;
	assert_int_equal(
		loop_add(hub->loop, &peer->source, fd, EPOLLIN, on_peer), 0);
}

struct fake_hub *fake_hub_new(struct loop *loop, const char *directory)
{
	struct fake_hub *hub = calloc(1, sizeof(*hub));
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	hub->loop = loop;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		hub->peer[i].source.fd = -1;
		hub->peer[i].hub = hub;
		buffer_init(&hub->peer[i].in, PACKET_MAX);
	}
	(void)snprintf(hub->path, sizeof(hub->path), "%s/hub", directory);
	(void)snprintf(hub->address, sizeof(hub->address), "unix:%s",
		       hub->path);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", hub->path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&un, sizeof(un)),
			 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(
		loop_add(loop, &hub->listener, fd, EPOLLIN, on_listener), 0);
	return hub;
}

void fake_hub_free(struct fake_hub *hub)
{
	int fd = hub->listener.fd;

	for (size_t i = 0; i < PEERS_MAX; i++) {
		drop_peer(&hub->peer[i]);
		buffer_free(&hub->peer[i].in);
	}
	loop_remove(hub->loop, &hub->listener);
	(void)close(fd);
	(void)unlink(hub->path);
	for (size_t i = 0; i < hub->count; i++) {
		free(hub->heard[i].topic);
		free(hub->heard[i].payload);
	}
	free(hub);
}

const char *fake_hub_address(const struct fake_hub *hub)
{
	return hub->address;
}

const char *fake_hub_will(const struct fake_hub *hub)
{
	return hub->peer[0].will;
}

bool fake_hub_has_will(const struct fake_hub *hub, const char *will)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (hub->peer[i].source.fd >= 0 &&
		    strcmp(hub->peer[i].will, will) == 0)
			return true;
	return false;
}

void fake_hub_send_bytes(struct fake_hub *hub, const char *topic,
			 struct slice payload, bool retain)
{
	struct mqtt_publish *packet = calloc(1, sizeof(*packet));
	size_t size;
	uint8_t *bytes;
	struct writer w;

	packet->topic = slice_str(topic);
	packet->payload = payload;
	packet->retain = retain;
	packet->qos = 1;
	packet->packet_id = 7;
	size = publish_size(MQTT_5_0, packet);
	bytes = malloc(size);
	w = writer_of(bytes, size);
	publish_encode(&w, MQTT_5_0, packet);
	/* Nobody obeys what is not for him. */
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (hub->peer[i].source.fd >= 0 && hub->peer[i].let_in)
			send_all(&hub->peer[i], bytes, size);
	free(bytes);
	free(packet);
}

void fake_hub_send(struct fake_hub *hub, const char *topic, const char *payload,
		   bool retain)
{
	fake_hub_send_bytes(hub, topic, slice_str(payload), retain);
}

/* One turn; fails the test when it has waited long enough. */
static void wait_more(struct fake_hub *hub, uint64_t start, const char *topic,
		      const char *payload)
{
	if (clock_ms() > start + DEADLINE_MS) {
		print_message("still waiting for %s=%s\n", topic,
			      payload ? payload : "(any)");
		for (size_t i = hub->seen; i < hub->count; i++)
			print_message("heard %s=%s\n", hub->heard[i].topic,
				      hub->heard[i].payload);
		fail();
	}
	assert_int_equal(loop_turn(hub->loop, 20), 0);
}

const char *fake_hub_await(struct fake_hub *hub, const char *topic,
			   const char *payload)
{
	uint64_t start = clock_ms();

	for (size_t i = hub->seen;;) {
		const struct heard *h = &hub->heard[i];

		if (i == hub->count) {
			wait_more(hub, start, topic, payload);
			continue;
		}
		if (strcmp(h->topic, topic) == 0 &&
		    (!payload || strcmp(h->payload, payload) == 0)) {
			hub->seen = i + 1;
			return h->payload;
		}
		i++;
	}
}

const char *fake_hub_retained(struct fake_hub *hub, const char *topic)
{
	for (size_t i = hub->count; i-- > 0;)
		if (hub->heard[i].retain &&
		    strcmp(hub->heard[i].topic, topic) == 0)
			return hub->heard[i].payload[0] ? hub->heard[i].payload
							: NULL;
	return NULL;
}

bool fake_hub_heard(const struct fake_hub *hub, const char *topic)
{
	for (size_t i = hub->seen; i < hub->count; i++)
		if (strcmp(hub->heard[i].topic, topic) == 0)
			return true;
	return false;
}

static bool any_subscribed(const struct fake_hub *hub, const char *line)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (strstr(hub->peer[i].subscribed, line))
			return true;
	return false;
}

void fake_hub_await_subscribe(struct fake_hub *hub, const char *filter)
{
	uint64_t start = clock_ms();
	char line[200];

	(void)snprintf(line, sizeof(line), "%s\n", filter);
	while (!any_subscribed(hub, line))
		wait_more(hub, start, "subscribe", filter);
}

void fake_hub_hold(struct fake_hub *hub, bool hold)
{
	hub->hold = hold;
	for (size_t i = 0; !hold && i < PEERS_MAX; i++) {
		struct peer *peer = &hub->peer[i];

		for (size_t j = 0; j < peer->held_count; j++)
			acknowledge(peer, peer->held[j]);
		peer->held_count = 0;
	}
}

void fake_hub_fill(struct fake_hub *hub, bool full)
{
	hub->full = full;
}

void fake_hub_keep_out(struct fake_hub *hub, const char *will)
{
	hub->kept_out = will;
	for (size_t i = 0; !will && i < PEERS_MAX; i++) {
		struct peer *peer = &hub->peer[i];

		if (peer->source.fd >= 0 && peer->will[0] && !peer->let_in)
			let_in(peer);
	}
}

void fake_hub_mute(struct fake_hub *hub)
{
	hub->mute = true;
}

void fake_hub_kick(struct fake_hub *hub)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		drop_peer(&hub->peer[i]);
}

void fake_hub_await_goodbye(struct fake_hub *hub)
{
	uint64_t start = clock_ms();

	for (;;) {
		for (size_t i = 0; i < PEERS_MAX; i++)
			if (hub->peer[i].goodbye)
				return;
		wait_more(hub, start, "goodbye", NULL);
	}
}
