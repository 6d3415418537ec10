/*
 * The connection to config.db. It belongs to one thread at a time: main until
 * the web thread starts, then that. Every change is on disk when its function
 * returns.
 */
#ifndef DB_CONFIG_H
#define DB_CONFIG_H

#include <stdbool.h>

struct db;
struct db_config;

/* Returns 0 or a negative errno. */
int db_config_open(struct db *db, struct db_config **out);
/* NULL does nothing. */
void db_config_close(struct db_config *config);

struct db *db_config_db(const struct db_config *config);

/*
 * Several changes that happen together or not at all. Nestable: only the
 * outermost pair counts. db_config_end() with ok false, at any depth, undoes
 * all. It returns 0 or a negative errno: then nothing has changed.
 */
int db_config_begin(struct db_config *config);
int db_config_end(struct db_config *config, bool ok);

#endif
