/*
 * A history in memory: what a broker gives its store, in order, and the door to it.
 * Answers wait until the test lets them go.
 */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include "broker/history.h"
#include "tests/broker/sim_store.h"

struct sim_history;

/* One at a time: the store's history() is taken over. page: rows of an answer. */
struct sim_history *sim_history_new(struct sim_store *store, size_t page);
/* The door must have nothing left of the broker's. */
void sim_history_free(struct sim_history *sim);
struct history *sim_history_door(struct sim_history *sim);
/* The store as the broker is to see it. */
struct store *sim_history_store(struct sim_history *sim);

/* A message stored before the broker runs. */
void sim_history_add(struct sim_history *sim, const char *topic,
		     const char *payload, int64_t time);
/* Rows from now on are told to be cut. */
void sim_history_set_cut(struct sim_history *sim, bool cut);
/* true (default): an answer comes at once. false: with sim_history_answer(). */
void sim_history_set_auto(struct sim_history *sim, bool on);
void sim_history_answer(struct sim_history *sim);
/* Answers from now on fail with this; 0: none. */
void sim_history_set_error(struct sim_history *sim, int error);
/* Asking from now on does. */
void sim_history_refuse(struct sim_history *sim, int error);

/* Requests that were asked and are not over; pages asked for so far. */
size_t sim_history_open(const struct sim_history *sim);
size_t sim_history_pages(const struct sim_history *sim);

#endif
