#include "db/migrate.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#include "db/db.h"
#include "db/statement.h"

static int user_version(struct sqlite3 *sqlite, int64_t *version)
{
	struct statement s;

	statement_open(&s, sqlite, "PRAGMA user_version");
	return statement_finish_int(&s, version);
}

static int set_user_version(struct sqlite3 *sqlite, size_t version)
{
	char sql[48];

	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %zu", version);
	return db_error(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

static int run(struct sqlite3 *sqlite, const char *const *steps, size_t from,
	       size_t count)
{
	for (size_t i = from; i < count; i++) {
		int rc = sqlite3_exec(sqlite, steps[i], NULL, NULL, NULL);

		/* The steps are right: the file is not of the version that it
		 * says. */
		if (rc)
			return rc == SQLITE_ERROR ? -EBADMSG : db_error(rc);
	}

	return set_user_version(sqlite, count);
}

int migrate(struct sqlite3 *sqlite, const char *const *steps, size_t count)
{
	int64_t version;
	int r;

	r = user_version(sqlite, &version);
	if (r)
		return r;
	if (version < 0 || (uint64_t)version > count)
		return -ENOTSUP;
	if ((uint64_t)version == count)
		return 0;

	r = db_error(sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	if (r)
		return r;
	r = run(sqlite, steps, (size_t)version, count);
	if (!r)
		r = db_error(sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL));
	if (r && !sqlite3_get_autocommit(sqlite))
		sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);

	return r;
}
