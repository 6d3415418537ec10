/* Messages that wait to be written into history.db, the oldest first. Belongs to the
 * store's thread. */
#ifndef DB_HISTORY_QUEUE_H
#define DB_HISTORY_QUEUE_H

#include "broker/message.h"

/* While history.db cannot be written at most so many rows wait; then the oldest
 * are lost. */
#define HISTORY_ROWS_MAX 8000
#define HISTORY_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct history_queue {
	struct message **rows; /* HISTORY_ROWS_MAX */
	size_t count;
	size_t bytes;
	uint64_t lost;
};

/* Returns 0 or -ENOMEM. */
int history_queue_init(struct history_queue *queue);
/* What waits is given up. Also one that could not be begun. */
void history_queue_free(struct history_queue *queue);

/* A reference is taken. */
void history_queue_put(struct history_queue *queue, struct message *message);
/* The first n are written. */
void history_queue_drop(struct history_queue *queue, size_t n);

/* now, or the time of the oldest that waits, if that is before; never negative. */
int64_t history_queue_oldest(const struct history_queue *queue, int64_t now);

#endif
