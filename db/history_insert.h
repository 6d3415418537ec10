/*
 * Rows into the table of a day, under ids of their own, within a transaction of the
 * caller's. Belongs to the store's thread.
 */
#ifndef DB_HISTORY_INSERT_H
#define DB_HISTORY_INSERT_H

#include "broker/message.h"
#include "db/history_ids.h"
#include "db/statement.h"

struct history_insert {
	struct sqlite3 *sqlite; /* borrowed */
	struct history_ids ids;
	/* The table rows go to at the moment; 0: none. */
	uint32_t day;
	struct statement statement;
};

void history_insert_init(struct history_insert *insert, struct sqlite3 *sqlite);
void history_insert_close(struct history_insert *insert);

/* Rows go to the table of this day, which is made if it is not there. Returns 0 or
 * a negative errno. */
int history_insert_day(struct history_insert *insert, uint32_t day);

/* One row, of a time that history_ids_time() gave. Of its payload so much as is
 * kept. Returns 0 or a negative errno. */
int history_insert_row(struct history_insert *insert,
		       const struct message *message, int64_t time,
		       int64_t topic, int64_t origin);

/* The transaction did not happen, nor the table. */
void history_insert_forget(struct history_insert *insert);

#endif
