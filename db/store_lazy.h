/*
 * What the store's thread does about retained values that nobody was promised
 * (lazy.h): a part of store_thread.c.
 */
#ifndef DB_STORE_LAZY_H
#define DB_STORE_LAZY_H

#include <stdbool.h>
#include <stdint.h>

struct store_thread;

/* One transaction of those that wait longest. 0 or a negative errno: then nothing
 * has changed. */
int store_lazy_write(struct store_thread *thread);
/* What is due now is all there is now; those that come later wait for the next
 * time. True: some of it is left to be written. */
bool store_lazy_due(struct store_thread *thread, uint64_t now);

#endif
