/*
 * The rows of state.db: what each operation of the broker means in SQL. One
 * connection; it belongs to main until the store's thread starts, then to that.
 */
#ifndef DB_STATE_H
#define DB_STATE_H

#include "db/batch.h"

struct db;
struct state;

int state_open(struct db *db, struct state **out);
/* NULL does nothing. */
void state_close(struct state *state);

/* See store_ops.load. */
int state_load(struct state *state, const struct store_loader *loader,
	       void *arg);

/* One transaction at a time. After an error of any of them: state_rollback(),
 * and nothing has changed on disk. */
int state_begin(struct state *state);
int state_apply(struct state *state, const struct op *op);
/* From the first to the last of these ids. */
int state_messages_remove(struct state *state, uint64_t first, uint64_t last);
int state_retained_save(struct state *state, const struct message *message);
int state_will_save(struct state *state, const struct store_will *will);
int state_commit(struct state *state);
void state_rollback(struct state *state);

/* Has the file so nearly come to its cap that no more should be taken in? What was
 * taken in before must still fit: STATE_RESERVE is kept for it. was: it had; then a
 * little less is still too much. */
#define STATE_RESERVE ((size_t)6 * 1024 * 1024)
bool state_crowded(struct state *state, bool was);

/* Bytes of the WAL that are not yet in the file itself. */
size_t state_wal_bytes(const struct state *state);
/* Copy the WAL into the file. hard: wait for readers, so that it starts anew. */
int state_checkpoint(struct state *state, bool hard);

#endif
