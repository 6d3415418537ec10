#include "broker/client/client_put.h"

#include <assert.h>

#include "broker/wire/connect.h"
#include "broker/wire/subscribe.h"

/* Bytes of a DISCONNECT, PUBACK or PINGREQ as we send them. */
#define SMALL_PACKET 16

/* What a SUBSCRIBE has besides its filter. */
#define SUBSCRIBE_AROUND 32

static int put(struct buffer *out, const struct writer *w)
{
	assert(!w->overflow);
	return buffer_append(out, w->data, w->len);
}

int client_put_disconnect(struct buffer *out, enum mqtt_version version,
			  enum mqtt_reason reason)
{
	struct mqtt_reason_packet packet = { .reason = reason };
	uint8_t bytes[SMALL_PACKET];
	struct writer w = writer_of(bytes, sizeof(bytes));

	disconnect_encode(&w, version, &packet);
	return put(out, &w);
}

int client_put_puback(struct buffer *out, enum mqtt_version version,
		      uint16_t id)
{
	struct mqtt_ack packet = { .packet_id = id };
	uint8_t bytes[SMALL_PACKET];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ack_encode(&w, version, MQTT_PUBACK, &packet);
	return put(out, &w);
}

int client_put_ping(struct buffer *out)
{
	uint8_t bytes[SMALL_PACKET];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ping_encode(&w, MQTT_PINGREQ);
	return put(out, &w);
}

int client_put_subscribe(struct buffer *out, enum mqtt_version version,
			 uint16_t id, struct slice filter, uint8_t qos)
{
	static const struct mqtt_properties none;
	struct mqtt_subscription entry = { .filter = filter, .qos = qos };
	size_t size = filter.len + SUBSCRIBE_AROUND;
	struct writer w;
	int r = buffer_reserve(out, size);

	if (r)
		return r;
	w = writer_of(out->data + out->len, size);
	subscribe_encode(&w, version, id, &none, &entry, 1);
	assert(!w.overflow);
	out->len += w.len;
	return 0;
}

int client_put_publish(struct buffer *out, enum mqtt_version version,
		       const struct mqtt_publish *packet)
{
	size_t size = publish_size(version, packet);
	struct writer w;
	int r = buffer_reserve(out, size);

	if (r)
		return r;
	w = writer_of(out->data + out->len, size);
	publish_encode(&w, version, packet);
	assert(!w.overflow && w.len == size);
	out->len += size;
	return 0;
}
