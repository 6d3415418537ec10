#include "broker/wire/writer.h"

#include "broker/wire/framing.h"

struct writer writer_of(void *data, size_t cap)
{
	return (struct writer){ .data = data, .cap = cap };
}

/* Where to write len bytes, or NULL. Once one piece did not fit no later one is
 * written either, so that what is there is always a prefix of the packet. */
static uint8_t *room(struct writer *w, size_t len)
{
	uint8_t *at;

	if (w->overflow || len > w->cap - w->len) {
		w->overflow = true;
		return NULL;
	}
	at = w->data + w->len;
	w->len += len;
	return at;
}

void writer_u8(struct writer *w, uint8_t value)
{
	uint8_t *at = room(w, 1);

	if (at)
		*at = value;
}

void writer_u16(struct writer *w, uint16_t value)
{
	uint8_t *at = room(w, 2);

	if (!at)
		return;
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void writer_u32(struct writer *w, uint32_t value)
{
	uint8_t *at = room(w, 4);

	if (!at)
		return;
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

size_t varint_size(uint32_t value)
{
	if (value < 128)
		return 1;
	if (value < 16384)
		return 2;
	return value < 2097152 ? 3 : 4;
}

void writer_varint(struct writer *w, uint32_t value)
{
	uint8_t *at;

	if (value > MQTT_REMAINING_LENGTH_MAX) {
		w->overflow = true;
		return;
	}
	at = room(w, varint_size(value));
	if (!at)
		return;
	while (value >= 128) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at = (uint8_t)value;
}

void writer_bytes(struct writer *w, struct slice bytes)
{
	uint8_t *at;

	/* An empty slice may have no address, which memcpy() must not see. */
	if (bytes.len == 0)
		return;
	at = room(w, bytes.len);
	if (at)
		memcpy(at, bytes.data, bytes.len);
}

void writer_string(struct writer *w, struct slice bytes)
{
	if (bytes.len > UINT16_MAX) {
		w->overflow = true;
		return;
	}
	writer_u16(w, (uint16_t)bytes.len);
	writer_bytes(w, bytes);
}

void writer_header(struct writer *w, uint8_t first, size_t remaining)
{
	if (remaining > MQTT_REMAINING_LENGTH_MAX) {
		w->overflow = true;
		return;
	}
	writer_u8(w, first);
	writer_varint(w, (uint32_t)remaining);
}
