/*
 * Reads the data types of MQTT (5.0, section 1.5) from a borrowed run of bytes.
 * Each call takes bytes off the front and answers false, changing nothing that
 * the caller may use, when there are too few or they are malformed. No
 * allocation: slices point into the input.
 */
#ifndef WIRE_READER_H
#define WIRE_READER_H

#include "broker/base/slice.h"

struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

struct reader reader_of(struct slice bytes);
size_t reader_left(const struct reader *r);

bool reader_u8(struct reader *r, uint8_t *out);
bool reader_u16(struct reader *r, uint16_t *out);
bool reader_u32(struct reader *r, uint32_t *out);
/* Variable Byte Integer, 1 to 4 bytes, in its shortest form [MQTT-1.5.5-1]. */
bool reader_varint(struct reader *r, uint32_t *out);
/* Binary Data: two-byte length and as many bytes. */
bool reader_binary(struct reader *r, struct slice *out);
/* UTF-8 Encoded String, checked by utf8_valid() [MQTT-1.5.4-1, -2]. */
bool reader_string(struct reader *r, struct slice *out);
/* The next len bytes as they are. */
bool reader_bytes(struct reader *r, size_t len, struct slice *out);

#endif
