/*
 * Writes the data types of MQTT into a fixed piece of the caller's memory. Past
 * its end nothing is written and overflow is set, so a packet is encoded by a
 * row of calls and one look at the flag. No allocation.
 */
#ifndef WIRE_WRITER_H
#define WIRE_WRITER_H

#include "broker/base/slice.h"

struct writer {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool overflow;
};

struct writer writer_of(void *data, size_t cap);

void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);
void writer_u32(struct writer *w, uint32_t value);
/* value <= 268,435,455; larger sets overflow. */
void writer_varint(struct writer *w, uint32_t value);
void writer_bytes(struct writer *w, struct slice bytes);
/* Two-byte length, then the bytes; longer than 65,535 sets overflow. */
void writer_string(struct writer *w, struct slice bytes);
/* A fixed header: the packet's first byte and the Remaining Length. More than
 * MQTT allows sets overflow. */
void writer_header(struct writer *w, uint8_t first, size_t remaining);

/* Bytes that a Variable Byte Integer of this value takes, 1 to 4. */
size_t varint_size(uint32_t value);

#endif
