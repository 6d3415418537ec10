/*
 * What the store's thread does about the rows of messages that everybody has
 * (leftovers.h): a part of store_thread.c.
 */
#ifndef DB_STORE_LEFTOVERS_H
#define DB_STORE_LEFTOVERS_H

#include <stdbool.h>
#include <stdint.h>

struct op;
struct store_thread;

/* So long they may take room: long enough that a hundred sessions which fetch
 * what waits for them free pages and not rows. */
#define STORE_LEFTOVERS_MS 2000

/* Within a transaction: an operation on a message's row. Returns what
 * state_apply() does. */
int store_leftovers_apply(struct store_thread *thread, const struct op *op);
/* Within a transaction: all of them, to make room for the rest of it. They are
 * forgotten only by store_leftovers_forget(), once it is committed. */
int store_leftovers_remove(struct store_thread *thread);
void store_leftovers_forget(struct store_thread *thread);

/* When the next block is due, clock_ms(); UINT64_MAX: there is none. */
uint64_t store_leftovers_due(const struct store_thread *thread);
/* A transaction of its own for the block that waits longest, which there is. 0 or
 * a negative errno: then nothing has changed. */
int store_leftovers_write(struct store_thread *thread);

#endif
