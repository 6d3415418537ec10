#include "broker/wire/framing.h"

#include <errno.h>

#include "broker/wire/reader.h"

#define ANY_FLAGS 0xff

/* Low four bits of the first byte by type, table 2-2. */
static const uint8_t flags_of_type[16] = {
	[MQTT_PUBLISH] = ANY_FLAGS,
	[MQTT_PUBREL] = 0x2,
	[MQTT_SUBSCRIBE] = 0x2,
	[MQTT_UNSUBSCRIBE] = 0x2,
};

/* Bit 3 where 3.1 speaks of DUP and the later versions of a reserved 0. */
#define DUP 0x8

static bool first_byte_valid(uint8_t first, uint8_t ignored)
{
	uint8_t flags = flags_of_type[first >> 4];

	if (first >> 4 == 0)
		return false;
	if (flags == 0) /* DUP is for packets that are acknowledged. */
		ignored = 0;
	return flags == ANY_FLAGS || flags == (first & 0x0f & ~ignored);
}

/* Is the length that starts here whole, or beyond repair? If neither, it is
 * merely not all there yet. */
static bool length_ended(const uint8_t *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!(at[i] & 0x80) || i == MQTT_FIXED_HEADER_MAX - 2)
			return true;
	}
	return false;
}

static int next(struct slice bytes, size_t max_size, uint8_t ignored,
		struct frame *frame)
{
	const uint8_t *data = bytes.data;
	size_t len = bytes.len;
	enum mqtt_packet_type type;
	struct reader r;
	uint32_t remaining;
	size_t header;

	if (len == 0)
		return 0;
	if (!first_byte_valid(data[0], ignored))
		return -EPROTO;

	r = reader_of(slice_of(data + 1, len - 1));
	if (!reader_varint(&r, &remaining))
		return length_ended(data + 1, len - 1) ? -EPROTO : 0;

	header = (size_t)(r.at - data);
	if (max_size < header || remaining > max_size - header)
		return -EMSGSIZE;

	type = (enum mqtt_packet_type)(data[0] >> 4);
	if (remaining > 0 && (type == MQTT_PINGREQ || type == MQTT_PINGRESP))
		return -EPROTO;
	if (remaining > len - header)
		return 0;
	frame->type = type;
	frame->flags = data[0] & 0x0f;
	frame->body = slice_of(data + header, remaining);
	frame->size = header + remaining;
	return 1;
}

int framing_next(const uint8_t *data, size_t len, size_t max_size,
		 struct frame *frame)
{
	return next(slice_of(data, len), max_size, 0, frame);
}

int framing_next_3_1(const uint8_t *data, size_t len, size_t max_size,
		     struct frame *frame)
{
	return next(slice_of(data, len), max_size, DUP, frame);
}

size_t framing_put_header(uint8_t out[MQTT_FIXED_HEADER_MAX], uint8_t first,
			  uint32_t remaining_length)
{
	size_t len = 0;

	out[len++] = first;
	while (remaining_length >= 128) {
		out[len++] = (uint8_t)(remaining_length | 0x80);
		remaining_length >>= 7;
	}
	out[len++] = (uint8_t)remaining_length;
	return len;
}

const char *framing_type_name(enum mqtt_packet_type type)
{
	static const char *const names[16] = {
		[MQTT_CONNECT] = "CONNECT",
		[MQTT_CONNACK] = "CONNACK",
		[MQTT_PUBLISH] = "PUBLISH",
		[MQTT_PUBACK] = "PUBACK",
		[MQTT_PUBREC] = "PUBREC",
		[MQTT_PUBREL] = "PUBREL",
		[MQTT_PUBCOMP] = "PUBCOMP",
		[MQTT_SUBSCRIBE] = "SUBSCRIBE",
		[MQTT_SUBACK] = "SUBACK",
		[MQTT_UNSUBSCRIBE] = "UNSUBSCRIBE",
		[MQTT_UNSUBACK] = "UNSUBACK",
		[MQTT_PINGREQ] = "PINGREQ",
		[MQTT_PINGRESP] = "PINGRESP",
		[MQTT_DISCONNECT] = "DISCONNECT",
		[MQTT_AUTH] = "AUTH",
	};
	unsigned int i = (unsigned int)type;

	return i < 16 && names[i] ? names[i] : "type 0";
}
