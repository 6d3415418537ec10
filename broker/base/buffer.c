#include "broker/base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* A small packet and its answer fit without growing. */
#define CAP_FIRST 128

void buffer_init(struct buffer *b, size_t max)
{
	*b = (struct buffer){ .max = max };
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	buffer_init(b, b->max);
}

/* Doubles: n bytes appended one by one are copied less than 2n times. */
static size_t next_cap(const struct buffer *b, size_t need)
{
	size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;

	if (cap < CAP_FIRST)
		cap = CAP_FIRST;
	if (cap < need)
		cap = need;
	return cap < b->max ? cap : b->max;
}

int buffer_reserve(struct buffer *b, size_t len)
{
	uint8_t *data;
	size_t cap;

	assert(b->len <= b->max);

	if (len > b->max - b->len)
		return -ENOBUFS;
	if (len <= b->cap - b->len)
		return 0;

	cap = next_cap(b, b->len + len);
	data = realloc(b->data, cap);
	if (!data)
		return -ENOMEM;

	b->data = data;
	b->cap = cap;
	return 0;
}

int buffer_append(struct buffer *b, const void *bytes, size_t len)
{
	int r;

	if (len == 0)
		return 0;

	r = buffer_reserve(b, len);
	if (r < 0)
		return r;

	memcpy(b->data + b->len, bytes, len);
	b->len += len;
	return 0;
}

void buffer_consume(struct buffer *b, size_t len)
{
	assert(len <= b->len);

	b->len -= len;
	if (len > 0 && b->len > 0)
		memmove(b->data, b->data + len, b->len);
}
