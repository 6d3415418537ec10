/*
 * A store under test: opened on the scratch directory, filled in short form,
 * and what it gives back at start as text, one line for each row.
 */
#ifndef TESTS_DB_STORE_MODEL_H
#define TESTS_DB_STORE_MODEL_H

#include "db/store.h"

struct db;

struct model {
	struct db *db;
	struct db_store *owner;
	struct store *store;
};

/* Open and start; fails the test. options and vfs may be NULL. */
void model_open(struct model *m, const struct db_store_options *options,
		const char *vfs);
/* Stop and close: everything is written. Returns what the stop returned. */
int model_close(struct model *m);

/* Wait until number is committed, at most half a minute. */
bool model_wait(struct model *m, uint64_t number);
bool model_wait_health(struct model *m, enum store_health health);
/* Flush and wait; the number committed. */
uint64_t model_commit(struct model *m);

/* A message of one reference; published by user/client. expires in ms from now,
 * 0 never. */
struct message *model_message(uint64_t id, const char *topic,
			      const char *payload);
struct message *model_expiring(uint64_t id, const char *topic,
			       uint64_t expires);

void model_session(struct model *m, uint64_t id, const char *client);
void model_subscribe(struct model *m, uint64_t id, const char *filter);
/* A message and a row of the queue for it. */
void model_queue(struct model *m, uint64_t session, uint64_t seq, uint64_t id,
		 const char *topic, const char *payload);
void model_retain(struct model *m, uint64_t id, const char *topic,
		  const char *payload, bool lazy);

/* Everything that load() gives of the files on disk, which nobody has open; one
 * static buffer. */
const char *model_load(void);

#endif
