/*
 * Bytes that grow to a stated limit. A buffer cannot be made without saying how
 * large it may become. The struct is open, because the hot path reads it; only
 * these functions write it.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "broker/base/slice.h"

struct buffer {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
};

void buffer_init(struct buffer *b, size_t max);
/* Gives the memory back; the buffer is empty and usable with the same limit. */
void buffer_free(struct buffer *b);

/* Returns 0, -ENOBUFS past max, or -ENOMEM. On error nothing has changed. */
int buffer_append(struct buffer *b, const void *bytes, size_t len);
/* Room for len more bytes at data + len. Same errors. */
int buffer_reserve(struct buffer *b, size_t len);
/* Drop len bytes from the front; len <= b->len. */
void buffer_consume(struct buffer *b, size_t len);

#endif
