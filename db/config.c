#include "db/config.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "db/connection.h"
#include "db/db.h"

struct db_config {
	struct db *db;
	struct sqlite3 *sqlite;
	unsigned int depth; /* of db_config_begin() */
	bool failed;
};

int db_config_open(struct db *db, struct db_config **out)
{
	struct db_config *config = calloc(1, sizeof(*config));
	int r;

	if (!config)
		return -ENOMEM;
	config->db = db;
	r = db_connect(db, DB_CONFIG, false, &config->sqlite);
	if (r) {
		free(config);
		return r;
	}

	*out = config;
	return 0;
}

void db_config_close(struct db_config *config)
{
	if (!config)
		return;
	assert(!config->depth);
	sqlite3_close(config->sqlite);
	free(config);
}

struct db *db_config_db(const struct db_config *config)
{
	return config->db;
}

struct sqlite3 *db_config_sqlite(struct db_config *config)
{
	return config->sqlite;
}

static int run(struct db_config *config, const char *sql)
{
	return db_error(sqlite3_exec(config->sqlite, sql, NULL, NULL, NULL));
}

int db_config_begin(struct db_config *config)
{
	if (!config->depth) {
		int r = run(config, "BEGIN IMMEDIATE");

		if (r)
			return r;
		config->failed = false;
	}
	config->depth++;

	return 0;
}

int db_config_end(struct db_config *config, bool ok)
{
	int r;

	assert(config->depth);
	if (!ok)
		config->failed = true;
	if (--config->depth)
		return 0;

	r = config->failed ? -ECANCELED : run(config, "COMMIT");
	/* SQLite itself rolls back after some errors. */
	if (r && !sqlite3_get_autocommit(config->sqlite))
		run(config, "ROLLBACK");

	return r;
}

int db_config_finish(struct db_config *config, int result)
{
	int r = db_config_end(config, result >= 0);

	return result < 0 || !r ? result : r;
}
