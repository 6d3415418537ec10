/*
 * Reading state.db at start.
 */
#ifndef DB_STATE_LOAD_H
#define DB_STATE_LOAD_H

#include "broker/store.h"

struct sqlite3;

/*
 * Give everything to loader, in the order store.h says. Messages that expire get
 * the time that was left to them: by the monotonic clock if the machine has not
 * been booted since, else what was left when they were saved. Returns 0, what a
 * callback returned, or a negative errno.
 */
int state_load_rows(struct sqlite3 *sqlite, const struct store_loader *loader,
		    void *arg);

#endif
