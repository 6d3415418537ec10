/*
 * A store in memory: batches are held until the test lets them be committed, any
 * operation can be made to fail, and what was committed can be loaded by another
 * broker, as after a power cut.
 */
#ifndef TESTS_SIM_STORE_H
#define TESTS_SIM_STORE_H

#include "broker/store.h"

struct sim_store;

struct sim_store *sim_store_new(void);
void sim_store_free(struct sim_store *sim);
struct store *sim_store_door(struct sim_store *sim);

/* true (default): a flushed batch is committed at once. false: it waits for
 * sim_store_commit(). */
void sim_store_set_auto(struct sim_store *sim, bool on);
/* Commit what has been flushed. */
void sim_store_commit(struct sim_store *sim);
/* The plug is pulled: what was not committed is gone. */
void sim_store_cut(struct sim_store *sim);
/* The nth operation from now (0: the next) returns -ENOMEM, once. */
void sim_store_fail(struct sim_store *sim, unsigned int n);
bool sim_store_failed(const struct sim_store *sim);
/* From now on; 0: it takes everything again. */
void sim_store_set_refuses(struct sim_store *sim, int error);
/* What it says of itself; STORE_OK at first. */
void sim_store_set_health(struct sim_store *sim, enum store_health health);
void sim_store_set_congested(struct sim_store *sim, bool congested);

/* Rows on disk. */
size_t sim_store_sessions(const struct sim_store *sim);
size_t sim_store_subscriptions(const struct sim_store *sim);
size_t sim_store_messages(const struct sim_store *sim);
size_t sim_store_queued(const struct sim_store *sim);
size_t sim_store_inbound(const struct sim_store *sim);
size_t sim_store_retained(const struct sim_store *sim);
size_t sim_store_wills(const struct sim_store *sim);
size_t sim_store_history(const struct sim_store *sim);
/* How often it was told its policies. */
unsigned int sim_store_history_rules(const struct sim_store *sim);

#endif
