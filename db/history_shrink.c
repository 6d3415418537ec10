#include "db/history_shrink.h"

#include <sqlite3.h>

#include "db/db.h"
#include "db/history_days.h"

static int run(struct sqlite3 *sqlite, const char *sql)
{
	return db_error(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

/* One table fewer is less than there is. */
static int drop_one(struct sqlite3 *sqlite, uint32_t day)
{
	uint64_t used;
	int dropped;
	int r;

	r = run(sqlite, "BEGIN IMMEDIATE");
	if (r)
		return r;
	r = history_days_used(sqlite, &used);
	dropped = r ? r : history_days_fit(sqlite, day, used - 1);
	r = dropped < 0 ? dropped : run(sqlite, "COMMIT");
	if (r && !sqlite3_get_autocommit(sqlite))
		run(sqlite, "ROLLBACK");

	return r ? r : dropped;
}

int history_shrink(struct sqlite3 *sqlite, uint32_t day)
{
	int r = drop_one(sqlite, day);

	if (r <= 0)
		return r;

	/* Of a file that an older hearthd made pages are only used again. */
	r = run(sqlite, "PRAGMA incremental_vacuum");
	if (!r)
		r = db_error(sqlite3_wal_checkpoint_v2(
			sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL,
			NULL));

	return r ? r : 1;
}
