/* For tests of what config.db keeps: one in a directory of its own, open. */
#ifndef TESTS_DB_SCRATCH_CONFIG_H
#define TESTS_DB_SCRATCH_CONFIG_H

#include "db/config.h"
#include "db/db.h"

extern struct db *db;
extern struct db_config *config;

/* For cmocka; *state is NULL. */
int scratch_config_setup(void **state);
int scratch_config_teardown(void **state);

#endif
