/*
 * A stream of packets: wherever it is cut, the same packets come out; and what a
 * decoder took, encoded and decoded again, is what it was. Input: a byte for
 * version and side, two for the place of the cut, then the stream.
 */
#include <errno.h>

#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"
#include "tests/fuzz/fuzz_user.h"

#define MAX_SIZE 65536 /* of a packet; larger claims must be refused */
#define ENTRIES_MAX 1024 /* of a SUBSCRIBE that is encoded again */

struct context {
	enum mqtt_version version;
	bool from_client;
};

static int next(const struct context *c, struct slice bytes,
		struct frame *frame)
{
	if (c->version == MQTT_3_1)
		return framing_next_3_1(bytes.data, bytes.len, MAX_SIZE, frame);
	return framing_next(bytes.data, bytes.len, MAX_SIZE, frame);
}

/* Each transcoder decodes a body and, if it is taken, writes the packet. */
static bool transcode_connect(struct slice body, struct writer *w)
{
	struct mqtt_connect packet;
	uint8_t *user, *will_user;

	if (connect_decode(body, &packet) != MQTT_SUCCESS)
		return false;
	user = fuzz_user_encode(&packet.properties);
	will_user = fuzz_user_encode(&packet.will.properties);
	connect_encode(w, &packet);
	free(will_user);
	free(user);
	return true;
}

static bool transcode_connack(const struct context *c, struct slice body,
			      struct writer *w)
{
	struct mqtt_connack packet;
	uint8_t *user;

	if (connack_decode(c->version, body, &packet) != MQTT_SUCCESS)
		return false;
	user = fuzz_user_encode(&packet.properties);
	connack_encode(w, c->version, &packet);
	free(user);
	return true;
}

static bool transcode_publish(const struct context *c, uint8_t flags,
			      struct slice body, struct writer *w)
{
	struct mqtt_publish packet;
	uint8_t *user;

	if (publish_decode(c->version, flags, body, &packet) != MQTT_SUCCESS)
		return false;
	user = fuzz_user_encode(&packet.properties);
	publish_encode(w, c->version, &packet);
	assert(w->len == publish_size(c->version, &packet));
	free(user);
	return true;
}

static bool transcode_ack(const struct context *c, enum mqtt_packet_type type,
			  struct slice body, struct writer *w)
{
	struct mqtt_ack packet;
	uint8_t *user;

	if (ack_decode(c->version, type, body, &packet) != MQTT_SUCCESS)
		return false;
	assert(packet.packet_id != 0);
	user = fuzz_user_encode(&packet.properties);
	ack_encode(w, c->version, type, &packet);
	free(user);
	return true;
}

static bool transcode_subscribe(const struct context *c, struct slice body,
				struct writer *w)
{
	static struct mqtt_subscription entries[ENTRIES_MAX];
	struct mqtt_subscribe packet;
	uint8_t *user;
	size_t i;

	if (subscribe_decode(c->version, body, &packet) != MQTT_SUCCESS ||
	    packet.count > ENTRIES_MAX)
		return false;
	assert(packet.count > 0);
	for (i = 0; i < packet.count; i++)
		assert(subscribe_next(c->version, &packet.entries,
				      &entries[i]));
	assert(packet.entries.len == 0);
	user = fuzz_user_encode(&packet.properties);
	subscribe_encode(w, c->version, packet.packet_id, &packet.properties,
			 entries, packet.count);
	free(user);
	return true;
}

static bool transcode_unsubscribe(const struct context *c, struct slice body,
				  struct writer *w)
{
	static struct slice filters[ENTRIES_MAX];
	struct mqtt_subscribe packet;
	size_t i;

	if (unsubscribe_decode(c->version, body, &packet) != MQTT_SUCCESS ||
	    packet.count > ENTRIES_MAX)
		return false;
	assert(packet.count > 0);
	for (i = 0; i < packet.count; i++)
		assert(unsubscribe_next(&packet.entries, &filters[i]));
	assert(packet.entries.len == 0);
	unsubscribe_encode(w, c->version, packet.packet_id, filters,
			   packet.count);
	return true;
}

static bool transcode_suback(const struct context *c,
			     enum mqtt_packet_type type, struct slice body,
			     struct writer *w)
{
	struct mqtt_suback packet;
	uint8_t *user;

	if (suback_decode(c->version, type, body, &packet) != MQTT_SUCCESS)
		return false;
	user = fuzz_user_encode(&packet.properties);
	suback_encode(w, c->version, type, &packet);
	free(user);
	return true;
}

static bool transcode_reason(const struct context *c,
			     enum mqtt_packet_type type, struct slice body,
			     struct writer *w)
{
	struct mqtt_reason_packet packet;
	enum mqtt_reason verdict;
	uint8_t *user;

	if (type == MQTT_DISCONNECT)
		verdict = disconnect_decode(c->version, c->from_client, body,
					    &packet);
	else
		verdict = auth_decode(body, &packet);
	if (verdict != MQTT_SUCCESS)
		return false;
	user = fuzz_user_encode(&packet.properties);
	if (type == MQTT_DISCONNECT)
		disconnect_encode(w, c->version, &packet);
	else
		auth_encode(w, &packet);
	free(user);
	return true;
}

static bool transcode(const struct context *c, const struct frame *frame,
		      struct writer *w)
{
	switch (frame->type) {
	case MQTT_CONNECT:
		return transcode_connect(frame->body, w);
	case MQTT_CONNACK:
		return transcode_connack(c, frame->body, w);
	case MQTT_PUBLISH:
		return transcode_publish(c, frame->flags, frame->body, w);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		return transcode_ack(c, frame->type, frame->body, w);
	case MQTT_SUBSCRIBE:
		return transcode_subscribe(c, frame->body, w);
	case MQTT_UNSUBSCRIBE:
		return transcode_unsubscribe(c, frame->body, w);
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		return transcode_suback(c, frame->type, frame->body, w);
	case MQTT_DISCONNECT:
	case MQTT_AUTH:
		return transcode_reason(c, frame->type, frame->body, w);
	case MQTT_PINGREQ:
	case MQTT_PINGRESP:
		assert(frame->body.len == 0);
		ping_encode(w, frame->type);
		return true;
	}
	assert(false); /* framing_next() lets no other type through */
	return false;
}

/* What may be left out, our encoders leave out; all else keeps its length. */
static bool may_shrink(const struct context *c, const struct frame *frame)
{
	switch ((unsigned int)frame->type) {
	case MQTT_CONNECT:
	case MQTT_PUBLISH:
	case MQTT_CONNACK:
	case MQTT_SUBSCRIBE:
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		return false;
	default:
		return c->version == MQTT_5_0;
	}
}

static void check_packet(const struct context *c, const uint8_t *bytes,
			 const struct frame *frame)
{
	struct fuzz_copy body = fuzz_copy(frame->body.data, frame->body.len);
	struct frame exact = *frame, again;
	uint8_t *first = malloc(frame->size), *second = malloc(frame->size);
	struct writer w = writer_of(first, frame->size);
	struct writer w2 = writer_of(second, frame->size);

	assert(first && second);
	exact.body = body.bytes;
	if (!transcode(c, &exact, &w))
		goto out;
	assert(!w.overflow);
	assert(w.len == frame->size || may_shrink(c, frame));
	/* A CONNECT names its version itself, whatever ours is. */
	if (c->version == MQTT_3_1_1 && frame->type != MQTT_CONNECT &&
	    frame->type != MQTT_AUTH)
		assert(memcmp(first, bytes, frame->size) == 0);

	assert(framing_next(first, w.len, w.len, &again) == 1);
	assert(again.size == w.len && again.type == frame->type);
	assert(transcode(c, &again, &w2));
	assert(w2.len == w.len && memcmp(first, second, w.len) == 0);
out:
	free(second);
	free(first);
	fuzz_copy_free(&body);
}

/* With fewer bytes there may be no answer yet, but never another one. */
static void check_cut(const struct context *c, struct slice stream, size_t cut,
		      int whole, const struct frame *frame)
{
	struct fuzz_copy part;
	struct frame early;
	int r;

	if (cut > stream.len)
		return;
	part = fuzz_copy(stream.data, cut);
	r = next(c, part.bytes, &early);
	assert(r == 0 || r == whole);
	if (r == 1)
		assert(early.size == frame->size && early.type == frame->type &&
		       early.body.len == frame->body.len);
	if (whole == 1)
		assert((r == 1) == (cut >= frame->size));
	fuzz_copy_free(&part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1,
						      MQTT_5_0, MQTT_5_0 };
	struct context c;
	struct slice stream;
	size_t cut;

	if (size < 3)
		return 0;
	c.version = versions[data[0] & 3];
	c.from_client = data[0] & 4;
	cut = (size_t)data[1] << 8 | data[2];
	stream = slice_of(data + 3, size - 3);

	while (stream.len > 0) {
		struct frame frame;
		int r = next(&c, stream, &frame);

		check_cut(&c, stream, cut % (stream.len + 1), r, &frame);
		if (r != 1)
			break;
		assert(frame.size <= stream.len && frame.size <= MAX_SIZE);
		check_packet(&c, stream.data, &frame);
		stream = slice_of(stream.data + frame.size,
				  stream.len - frame.size);
	}
	return 0;
}
