/*
 * What the store's thread does about wills (wills.h): a part of store_thread.c.
 */
#ifndef DB_STORE_WILLS_H
#define DB_STORE_WILLS_H

#include <stdint.h>

struct op;
struct store_thread;

/* OP_WILL_SAVE waits; OP_WILL_REMOVE takes away what waits, and stays in its
 * batch for what is on disk. When memory is short a will is lost: nobody was
 * promised it. */
void store_wills_take(struct store_thread *thread, const struct op *op);
/* When the first is due, clock_ms(); UINT64_MAX: there is none. */
uint64_t store_wills_due(const struct store_thread *thread);
/* One transaction of the first and some that came soon after it. 0 or a negative
 * errno: then nothing has changed. */
int store_wills_write(struct store_thread *thread);

#endif
