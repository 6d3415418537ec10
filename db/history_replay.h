/*
 * Pages of a replay ($history/..., broker/history.h) out of history.db: rows as
 * they were stored, day by day, oldest first; and behind them the messages that
 * were waiting to be written when the replay began.
 *
 * Any one thread, with a connection of its own.
 */
#ifndef DB_HISTORY_REPLAY_H
#define DB_HISTORY_REPLAY_H

#include "broker/history.h"

struct history_writer;
struct sqlite3;

/* Rows looked at for one page, whether they belong to it or not: so others get
 * their turn. */
#define HISTORY_REPLAY_SCAN 20000

/* Fix what belongs to it. By the store's thread. Returns 0 or a negative errno. */
int history_replay_mark(struct history_request *request,
			struct history_writer *writer);

/* Fill in the answer. Returns what is its result then. */
int history_replay_page(struct history_request *request,
			struct sqlite3 *sqlite);

#endif
