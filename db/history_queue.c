#include "db/history_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int history_queue_init(struct history_queue *queue)
{
	*queue = (struct history_queue){
		.rows = calloc(HISTORY_ROWS_MAX, sizeof(struct message *)),
	};

	return queue->rows ? 0 : -ENOMEM;
}

void history_queue_free(struct history_queue *queue)
{
	if (queue->rows)
		history_queue_drop(queue, queue->count);
	free(queue->rows);
}

void history_queue_drop(struct history_queue *queue, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		queue->bytes -= message_size(queue->rows[i]);
		message_unref(queue->rows[i]);
	}
	queue->count -= n;
	if (queue->count)
		memmove(queue->rows, queue->rows + n,
			queue->count * sizeof(struct message *));
}

void history_queue_put(struct history_queue *queue, struct message *message)
{
	while (queue->count &&
	       (queue->count == HISTORY_ROWS_MAX ||
		queue->bytes + message_size(message) > HISTORY_BYTES_MAX)) {
		history_queue_drop(queue, 1);
		queue->lost++;
	}

	queue->rows[queue->count++] = message_ref(message);
	queue->bytes += message_size(message);
}

int64_t history_queue_oldest(const struct history_queue *queue, int64_t now)
{
	int64_t oldest = now;

	for (size_t i = 0; i < queue->count; i++) {
		if (queue->rows[i]->time < oldest)
			oldest = queue->rows[i]->time;
	}

	return oldest < 0 ? 0 : oldest;
}
