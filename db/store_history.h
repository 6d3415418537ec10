/*
 * The history's part of the store's thread: when what is written, and what is
 * told of it.
 */
#ifndef DB_STORE_HISTORY_H
#define DB_STORE_HISTORY_H

#include "db/store_thread.h"

struct message;

void store_history_put(struct store_thread *thread, struct message *message);

/* Write what is due, at clock_ms() now. */
void store_history_step(struct store_thread *thread, uint64_t now);

/* Write all that waits, at once. 0 or a negative errno, logged. */
int store_history_write(struct store_thread *thread);

/* Nothing else is to be done: 1: there is more. */
int store_history_tidy(struct store_thread *thread);

#endif
