/*
 * What a store in memory holds, table by table, and how it is loaded again.
 */
#ifndef TESTS_SIM_ROWS_H
#define TESTS_SIM_ROWS_H

#include "broker/store.h"

/* A row is a key (text) and a value: whatever the operation was given. */
enum sim_kind {
	SESSION,
	SUBSCRIPTION,
	MESSAGE,
	QUEUED,
	INBOUND,
	RETAINED,
	WILLS,
	HISTORY,
	KINDS
};

struct sim_row {
	char *key;
	void *value;
	size_t len;
	struct message *message;
};

struct sim_table {
	struct sim_row *rows;
	size_t count;
	size_t cap;
	size_t coming; /* operations not yet applied */
};

/* Drops what the row holds. */
void sim_row_clear(struct sim_row *row);

/* All tables in the order that store.h asks for. Returns 0 or the first error. */
int sim_rows_load(struct sim_table tables[KINDS],
		  const struct store_loader *loader, void *arg);

#endif
