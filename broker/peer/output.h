/*
 * What waits to be written to one socket: a chain of pieces, small bytes copied
 * together into chunks, large payloads referenced. Chunks come from a pool that
 * all connections of a broker share, so an idle connection holds none and the
 * hot path asks the allocator for nothing.
 *
 * Broker thread only.
 */
#ifndef BROKER_PEER_OUTPUT_H
#define BROKER_PEER_OUTPUT_H

#include <sys/uio.h>

#include "broker/message.h"

/* A payload at least this long is referenced instead of copied: below it the
 * piece and the further iovec cost more than the copy. */
#define OUTPUT_COPY_MAX 2048

/* Pieces for one writev(2); more wait for the next. */
#define OUTPUT_IOVECS 64

struct output_pool;
struct output_piece;

struct output {
	struct output_piece *first;
	struct output_piece *last;
	size_t len; /* bytes in all pieces */
};

/* Returns NULL when out of memory. Free it after every output is cleared. */
struct output_pool *output_pool_new(void);
void output_pool_free(struct output_pool *pool);

/* Bytes are copied. Returns 0 or -ENOMEM: nothing was added then. */
int output_append(struct output_pool *pool, struct output *out,
		  const void *bytes, size_t len);
/* head is copied; tail lies in message, which gets a reference if tail is long.
 * Both or neither. */
int output_append_message(struct output_pool *pool, struct output *out,
			  struct slice head, struct message *message,
			  struct slice tail);
/* Move the first len bytes of from, at most all, behind to. Long payloads are not
 * copied. Returns 0; -ENOMEM: a part of them may have moved. */
int output_move(struct output_pool *pool, struct output *to,
		struct output *from, size_t len);
/* Copy what from begins with, at most len bytes. Returns how many. */
size_t output_peek(const struct output *from, uint8_t *bytes, size_t len);

/* The front as iovecs for writev(2). Returns how many. */
int output_iovecs(const struct output *out, struct iovec iov[OUTPUT_IOVECS]);
/* Drop len bytes from the front, len <= out->len. */
void output_consume(struct output_pool *pool, struct output *out, size_t len);
void output_clear(struct output_pool *pool, struct output *out);

#endif
