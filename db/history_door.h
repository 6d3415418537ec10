/*
 * The broker's door to what was stored (broker/history.h), on SQLite: a thread that
 * reads history.db for it, so that neither the broker nor the store waits. It is
 * started with the first question, and its connection is closed when nobody has
 * asked for a while: a house that replays nothing has neither.
 */
#ifndef DB_HISTORY_DOOR_H
#define DB_HISTORY_DOOR_H

#include "broker/history.h"

struct db;
struct db_history_door;
struct db_store;

/* Bytes of messages that were not written yet when a replay of them began, and that
 * wait to be given out, over all replays. */
#define DB_HISTORY_TAILS_MAX ((size_t)16 * 1024 * 1024)

/* Before the store is started. Returns 0 or a negative errno. */
int db_history_door_open(struct db *db, struct db_store *store,
			 struct db_history_door **out);
/* When the broker has ended and the store has stopped, before that is freed. NULL
 * does nothing. */
void db_history_door_close(struct db_history_door *door);

/* What the broker is given; valid until the close. */
struct history *db_history_door_history(struct db_history_door *door);

#endif
