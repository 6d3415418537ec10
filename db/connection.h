/*
 * Inside of config.h, for the modules that keep a table in config.db.
 */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include "db/config.h"

struct sqlite3;

struct sqlite3 *db_config_sqlite(struct db_config *config);

/* End what db_config_begin() began: commit when result is not negative. Returns
 * result, or why the commit failed. */
int db_config_finish(struct db_config *config, int result);

#endif
