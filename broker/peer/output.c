#include "broker/peer/output.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* The first chunk of an empty output is small, so that a fan-out to a thousand
 * sockets touches little memory; one that fills up goes on in large ones. */
#define CHUNK_SMALL 1024
#define CHUNK_LARGE 16384

/* Free chunks kept for the next turn: 4 MiB of large ones, 1 MiB of small. */
#define KEEP_LARGE 256
#define KEEP_SMALL 1024

struct output_piece {
	struct output_piece *next;
	struct message *message; /* referenced payload, or NULL: own bytes */
	const uint8_t *data;
	uint32_t start;
	uint32_t end;
	uint32_t cap; /* of bytes; 0 for a referenced payload */
	uint8_t bytes[];
};

struct free_list {
	struct output_piece *first;
	size_t count;
};

struct output_pool {
	struct free_list small;
	struct free_list large;
};

struct output_pool *output_pool_new(void)
{
	return calloc(1, sizeof(struct output_pool));
}

static void free_list_drain(struct free_list *list)
{
	while (list->first) {
		struct output_piece *piece = list->first;

		list->first = piece->next;
		free(piece);
	}
}

void output_pool_free(struct output_pool *pool)
{
	if (!pool)
		return;
	free_list_drain(&pool->small);
	free_list_drain(&pool->large);
	free(pool);
}

static struct output_piece *chunk_obtain(struct output_pool *pool, size_t cap)
{
	struct free_list *list =
		cap == CHUNK_SMALL ? &pool->small : &pool->large;
	struct output_piece *piece = list->first;

	if (piece) {
		list->first = piece->next;
		list->count--;
	} else {
		piece = malloc(sizeof(*piece) + cap);
		if (!piece)
			return NULL;
		piece->cap = (uint32_t)cap;
		piece->message = NULL;
		piece->data = piece->bytes;
	}
	piece->next = NULL;
	piece->start = 0;
	piece->end = 0;
	return piece;
}

static void piece_release(struct output_pool *pool, struct output_piece *piece)
{
	struct free_list *list;
	size_t keep;

	if (piece->message) {
		message_unref(piece->message);
		free(piece);
		return;
	}

	list = piece->cap == CHUNK_SMALL ? &pool->small : &pool->large;
	keep = piece->cap == CHUNK_SMALL ? KEEP_SMALL : KEEP_LARGE;
	if (list->count >= keep) {
		free(piece);
		return;
	}
	piece->next = list->first;
	list->first = piece;
	list->count++;
}

static void chain(struct output *out, struct output_piece *piece)
{
	if (out->last)
		out->last->next = piece;
	else
		out->first = piece;
	out->last = piece;
}

/* Undo what was added after last stood at the end with end bytes. */
static void truncate_to(struct output_pool *pool, struct output *out,
			struct output_piece *last, uint32_t end, size_t len)
{
	struct output_piece *piece = last ? last->next : out->first;

	while (piece) {
		struct output_piece *next = piece->next;

		piece_release(pool, piece);
		piece = next;
	}
	if (last) {
		last->next = NULL;
		last->end = end;
	} else {
		out->first = NULL;
	}
	out->last = last;
	out->len = len;
}

int output_append(struct output_pool *pool, struct output *out,
		  const void *bytes, size_t len)
{
	struct output_piece *const last = out->last;
	const uint32_t end = last ? last->end : 0;
	const size_t len_before = out->len;
	const uint8_t *from = bytes;

	while (len > 0) {
		struct output_piece *piece = out->last;
		size_t n;

		if (!piece || piece->end >= piece->cap) {
			piece = chunk_obtain(pool, piece || len > CHUNK_SMALL
							   ? CHUNK_LARGE
							   : CHUNK_SMALL);
			if (!piece) {
				truncate_to(pool, out, last, end, len_before);
				return -ENOMEM;
			}
			chain(out, piece);
		}
		n = piece->cap - piece->end;
		if (n > len)
			n = len;
		memcpy(piece->bytes + piece->end, from, n);
		piece->end += (uint32_t)n;
		out->len += n;
		from += n;
		len -= n;
	}
	return 0;
}

int output_append_message(struct output_pool *pool, struct output *out,
			  struct slice head, struct message *message,
			  struct slice tail)
{
	struct output_piece *const last = out->last;
	const uint32_t end = last ? last->end : 0;
	const size_t len = out->len;
	struct output_piece *piece;

	if (output_append(pool, out, head.data, head.len) < 0)
		return -ENOMEM;

	if (tail.len < OUTPUT_COPY_MAX) {
		if (output_append(pool, out, tail.data, tail.len) < 0)
			goto err_truncate;
		return 0;
	}

	piece = malloc(sizeof(*piece));
	if (!piece)
		goto err_truncate;
	*piece = (struct output_piece){
		.message = message_ref(message),
		.data = tail.data,
		.end = (uint32_t)tail.len,
	};
	chain(out, piece);
	out->len += tail.len;
	return 0;

err_truncate:
	truncate_to(pool, out, last, end, len);
	return -ENOMEM;
}

static struct output_piece *unchain_first(struct output *out)
{
	struct output_piece *piece = out->first;

	out->first = piece->next;
	if (!out->first)
		out->last = NULL;
	out->len -= piece->end - piece->start;
	piece->next = NULL;
	return piece;
}

int output_move(struct output_pool *pool, struct output *to,
		struct output *from, size_t len)
{
	assert(len <= from->len);

	while (len > 0) {
		struct output_piece *piece = from->first;
		size_t n = piece->end - piece->start;

		if (n <= len) {
			chain(to, unchain_first(from));
			to->len += n;
			len -= n;
			continue;
		}
		if (output_append(pool, to, piece->data + piece->start, len) <
		    0)
			return -ENOMEM;
		output_consume(pool, from, len);
		return 0;
	}
	return 0;
}

size_t output_peek(const struct output *from, uint8_t *bytes, size_t len)
{
	const struct output_piece *piece = from->first;
	size_t done = 0;

	for (; piece && done < len; piece = piece->next) {
		size_t n = piece->end - piece->start;

		if (n > len - done)
			n = len - done;
		memcpy(bytes + done, piece->data + piece->start, n);
		done += n;
	}
	return done;
}

int output_iovecs(const struct output *out, struct iovec iov[OUTPUT_IOVECS])
{
	int n = 0;

	for (struct output_piece *piece = out->first;
	     piece && n < OUTPUT_IOVECS; piece = piece->next) {
		if (piece->start == piece->end)
			continue;
		iov[n].iov_base =
			(void *)(uintptr_t)(piece->data + piece->start);
		iov[n].iov_len = piece->end - piece->start;
		n++;
	}
	return n;
}

void output_consume(struct output_pool *pool, struct output *out, size_t len)
{
	assert(len <= out->len);

	out->len -= len;
	while (out->first) {
		struct output_piece *piece = out->first;
		size_t n = piece->end - piece->start;

		if (n > len) {
			piece->start += (uint32_t)len;
			return;
		}
		len -= n;
		out->first = piece->next;
		if (!out->first)
			out->last = NULL;
		piece_release(pool, piece);
	}
}

void output_clear(struct output_pool *pool, struct output *out)
{
	output_consume(pool, out, out->len);
}
