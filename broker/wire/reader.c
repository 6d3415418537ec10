#include "broker/wire/reader.h"

#include "broker/wire/utf8.h"

struct reader reader_of(struct slice bytes)
{
	/* A null pointer may not be added to, not even 0. */
	if (bytes.len == 0)
		return (struct reader){ .at = bytes.data, .end = bytes.data };
	return (struct reader){
		.at = bytes.data,
		.end = bytes.data + bytes.len,
	};
}

size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

bool reader_u8(struct reader *r, uint8_t *out)
{
	if (reader_left(r) < 1)
		return false;
	*out = *r->at++;
	return true;
}

bool reader_u16(struct reader *r, uint16_t *out)
{
	if (reader_left(r) < 2)
		return false;
	*out = (uint16_t)(r->at[0] << 8 | r->at[1]);
	r->at += 2;
	return true;
}

bool reader_u32(struct reader *r, uint32_t *out)
{
	if (reader_left(r) < 4)
		return false;
	*out = (uint32_t)r->at[0] << 24 | (uint32_t)r->at[1] << 16 |
	       (uint32_t)r->at[2] << 8 | (uint32_t)r->at[3];
	r->at += 4;
	return true;
}

bool reader_varint(struct reader *r, uint32_t *out)
{
	const uint8_t *at = r->at;
	uint32_t value = 0;
	unsigned int shift;

	for (shift = 0; shift < 28; shift += 7) {
		uint8_t byte;

		if (at == r->end)
			return false;
		byte = *at++;
		value |= (uint32_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;

		/* A last byte of 0 adds nothing: one fewer would do. */
		if (byte == 0 && shift > 0)
			return false;
		r->at = at;
		*out = value;
		return true;
	}

	return false;
}

bool reader_bytes(struct reader *r, size_t len, struct slice *out)
{
	if (reader_left(r) < len)
		return false;
	*out = slice_of(r->at, len);
	if (len > 0)
		r->at += len;
	return true;
}

bool reader_binary(struct reader *r, struct slice *out)
{
	size_t len;

	if (reader_left(r) < 2)
		return false;
	len = (size_t)r->at[0] << 8 | r->at[1];
	if (reader_left(r) - 2 < len)
		return false;
	*out = slice_of(r->at + 2, len);
	r->at += 2 + len;
	return true;
}

bool reader_string(struct reader *r, struct slice *out)
{
	struct reader rest = *r;
	struct slice text;

	if (!reader_binary(&rest, &text) || !utf8_valid(text))
		return false;
	*r = rest;
	*out = text;
	return true;
}
