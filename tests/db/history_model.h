/*
 * A history under test: a writer and a reader on the scratch directory, filled
 * and asked in short form.
 */
#ifndef TESTS_DB_HISTORY_MODEL_H
#define TESTS_DB_HISTORY_MODEL_H

#include "db/history.h"
#include "db/history_write.h"

#define DAY INT64_C(86400000)
/* 2026-11-21 00:00 UTC */
#define T0 INT64_C(1795219200000)

extern struct history_writer *writer;
extern struct db_history *reader;
extern int64_t put_last; /* the time of what was put last */

/* cmocka's; the policy keeps all. */
int history_model_setup(void **state);
int history_model_teardown(void **state);

/* Close and open again, with other options; fails the test. */
void history_model_reopen(const struct history_writer_options *options);
/* The same on a fresh directory, keeping all. */
void history_model_renew(void);

void put(int64_t time, const char *topic, const char *payload);
void put_bytes(int64_t time, const char *topic, struct slice payload,
	       const char *user);

/* Freed by free(); fails the test. */
struct db_history_samples *ask(const char *topic, int64_t from, int64_t to,
			       uint64_t after, size_t limit);

#endif
