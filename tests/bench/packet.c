#include "tests/bench/packet.h"

#include <assert.h>
#include <string.h>

#define STAMP_MAGIC 0x68656172u

static size_t put_length(uint8_t *out, size_t length)
{
	size_t n = 0;

	assert(length < 268435456);
	do {
		out[n] = (uint8_t)(length % 128);
		length /= 128;
		if (length)
			out[n] |= 0x80;
		n++;
	} while (length);
	return n;
}

static size_t put_u16(uint8_t *out, size_t value)
{
	assert(value <= UINT16_MAX);
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return 2;
}

static size_t put_string(uint8_t *out, const char *text)
{
	size_t len = strlen(text);

	put_u16(out, len);
	memcpy(out + 2, text, len);
	return len + 2;
}

size_t packet_connect(uint8_t *out, int level, const char *id, bool clean)
{
	size_t body =
		10 + (level == 5 ? (clean ? 1u : 6u) : 0u) + 2 + strlen(id);
	size_t n = 0;

	out[n++] = PACKET_CONNECT << 4;
	n += put_length(out + n, body);
	n += put_string(out + n, "MQTT");
	out[n++] = (uint8_t)level;
	out[n++] = clean ? 0x02 : 0x00;
	n += put_u16(out + n, 0); /* no keep-alive: the load may be slow */
	if (level == 5 && clean) {
		out[n++] = 0;
	} else if (level == 5) {
		out[n++] = 5;
		out[n++] = 0x11; /* Session Expiry Interval: an hour */
		n += put_u16(out + n, 0);
		n += put_u16(out + n, 3600);
	}
	return n + put_string(out + n, id);
}

size_t packet_subscribe(uint8_t *out, int level, uint16_t id,
			const char *filter, int qos)
{
	size_t n = 0;

	out[n++] = PACKET_SUBSCRIBE << 4 | 0x02;
	n += put_length(out + n,
			2u + (level == 5 ? 1u : 0u) + 2u + strlen(filter) + 1u);
	n += put_u16(out + n, id);
	if (level == 5)
		out[n++] = 0;
	n += put_string(out + n, filter);
	out[n++] = (uint8_t)qos;
	return n;
}

size_t packet_ack(uint8_t *out, enum packet_type type, uint16_t id)
{
	out[0] = (uint8_t)((unsigned int)type << 4 |
			   (type == PACKET_PUBREL ? 0x02u : 0u));
	out[1] = 2;
	put_u16(out + 2, id);
	return 4;
}

size_t packet_disconnect(uint8_t *out)
{
	out[0] = PACKET_DISCONNECT << 4;
	out[1] = 0;
	return 2;
}

/* A byte that a payload must have at an offset: a shifted or mixed-up payload
 * does not look right. */
static uint8_t filling(size_t offset)
{
	return (uint8_t)(offset * 31 + 7);
}

size_t packet_publish(uint8_t *out, int level, const char *topic, int qos,
		      bool retain, size_t size, size_t *id_at, size_t *stamp_at)
{
	size_t n = 0;

	assert(size >= STAMP_SIZE);
	out[n++] = (uint8_t)(PACKET_PUBLISH << 4 | qos << 1 | (retain ? 1 : 0));
	n += put_length(out + n, 2 + strlen(topic) + (qos ? 2u : 0u) +
					 (level == 5 ? 1u : 0u) + size);
	n += put_string(out + n, topic);
	*id_at = qos ? n : 0;
	if (qos)
		n += put_u16(out + n, 1);
	if (level == 5)
		out[n++] = 0;
	*stamp_at = n;
	for (size_t i = 0; i < size; i++)
		out[n + i] = filling(i);
	return n + size;
}

void packet_stamp(uint8_t *at, const struct stamp *stamp)
{
	uint32_t magic = STAMP_MAGIC;

	memcpy(at, &magic, 4);
	memcpy(at + 4, &stamp->publisher, 4);
	memcpy(at + 8, &stamp->sequence, 8);
	memcpy(at + 16, &stamp->time, 8);
}

bool packet_read_publish(struct publish *publish, int level, uint8_t header,
			 const uint8_t *body, size_t len)
{
	size_t n = 2;

	if (len < 2)
		return false;
	publish->qos = header >> 1 & 3;
	publish->dup = header & 0x08;
	publish->retain = header & 0x01;
	publish->topic_len = (size_t)body[0] << 8 | body[1];
	publish->topic = (const char *)body + 2;
	n += publish->topic_len;
	if (publish->qos == 3 || len < n + (publish->qos ? 2u : 0u))
		return false;
	publish->id = 0;
	if (publish->qos) {
		publish->id = (uint16_t)(body[n] << 8 | body[n + 1]);
		n += 2;
		if (!publish->id)
			return false;
	}
	if (level == 5) {
		/* Shorter than 128 bytes: we send none to be forwarded. */
		if (len < n + 1 || body[n] > 127 || len < n + 1 + body[n])
			return false;
		n += 1 + (size_t)body[n];
	}
	publish->payload = body + n;
	publish->payload_len = len - n;
	return true;
}

bool packet_read_stamp(struct stamp *stamp, const uint8_t *payload, size_t len)
{
	uint32_t magic;

	if (len < STAMP_SIZE)
		return false;
	memcpy(&magic, payload, 4);
	if (magic != STAMP_MAGIC)
		return false;
	memcpy(&stamp->publisher, payload + 4, 4);
	memcpy(&stamp->sequence, payload + 8, 8);
	memcpy(&stamp->time, payload + 16, 8);
	/* Ends and middle: all of it would cost more than the broker does. */
	return len == STAMP_SIZE ||
	       (payload[STAMP_SIZE] == filling(STAMP_SIZE) &&
		payload[len / 2 + STAMP_SIZE / 2] ==
			filling(len / 2 + STAMP_SIZE / 2) &&
		payload[len - 1] == filling(len - 1));
}

static const char json_start[] = "{\"v\":50,\"s\":\"";
#define JSON_STAMP_AT (sizeof(json_start) - 1)

void packet_make_json(uint8_t *payload, size_t size)
{
	assert(size >= PACKET_JSON_SIZE);
	memset(payload, ' ', size);
	memcpy(payload, json_start, JSON_STAMP_AT);
	memcpy(payload + JSON_STAMP_AT + 2 * STAMP_SIZE, "\"}", 2);
}

/* Two letters for a byte. */
void packet_stamp_json(uint8_t *payload, const struct stamp *stamp)
{
	uint8_t bytes[STAMP_SIZE];

	packet_stamp(bytes, stamp);
	for (size_t i = 0; i < STAMP_SIZE; i++) {
		payload[JSON_STAMP_AT + 2 * i] = (uint8_t)('a' + bytes[i] / 16);
		payload[JSON_STAMP_AT + 2 * i + 1] =
			(uint8_t)('a' + bytes[i] % 16);
	}
}

bool packet_read_stamp_json(struct stamp *stamp, const uint8_t *payload,
			    size_t len)
{
	uint8_t bytes[STAMP_SIZE];

	if (len < PACKET_JSON_SIZE ||
	    memcmp(payload, json_start, JSON_STAMP_AT) != 0 ||
	    memcmp(payload + JSON_STAMP_AT + 2 * STAMP_SIZE, "\"}", 2) != 0)
		return false;
	payload += JSON_STAMP_AT;
	for (size_t i = 0; i < STAMP_SIZE; i++)
		bytes[i] = (uint8_t)((payload[2 * i] - 'a') * 16 +
				     (payload[2 * i + 1] - 'a'));
	return packet_read_stamp(stamp, bytes, STAMP_SIZE);
}

long packet_length(const uint8_t *data, size_t len, size_t *body)
{
	size_t length = 0;

	for (size_t n = 1; n <= 4; n++) {
		if (n >= len)
			return 0;
		length |= (size_t)(data[n] & 0x7f) << (7 * (n - 1));
		if (!(data[n] & 0x80)) {
			*body = n + 1;
			return (long)(n + 1 + length);
		}
	}
	return -1;
}
