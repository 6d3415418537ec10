#include "db/history_ids.h"

#include <stdio.h>

#include "db/history_table.h"
#include "db/statement.h"

void history_ids_init(struct history_ids *ids)
{
	*ids = (struct history_ids){ .highest = -1 };
}

static bool replaying(const struct history_ids *ids)
{
	return ids->replays && atomic_load(ids->replays) > 0;
}

int64_t history_ids_time(const struct history_ids *ids, int64_t time)
{
	const int64_t highest = ids->highest >> HISTORY_ID_SHIFT;

	if (time < 0)
		time = 0;
	return replaying(ids) && time < highest ? highest : time;
}

int64_t history_ids_first(const struct history_ids *ids, int64_t time)
{
	const int64_t id = time << HISTORY_ID_SHIFT;

	if (id <= ids->highest &&
	    (replaying(ids) || time == ids->highest >> HISTORY_ID_SHIFT))
		return ids->highest + 1;
	return id;
}

void history_ids_use(struct history_ids *ids, int64_t id)
{
	if (id > ids->highest)
		ids->highest = id;
}

/* The newest table has it. */
static int read_highest(struct history_ids *ids, struct sqlite3 *sqlite)
{
	struct statement s;
	int64_t day;
	int64_t id;
	char sql[96];
	int r;

	statement_open(&s, sqlite,
		       "SELECT max(day) FROM days WHERE topic <> 0");
	r = statement_finish_int(&s, &day);
	if (r || !day)
		return r;

	(void)snprintf(sql, sizeof(sql), "SELECT max(id) FROM h_%08u",
		       (uint32_t)day);
	statement_open(&s, sqlite, sql);
	r = statement_finish_int(&s, &id);
	if (!r)
		history_ids_use(ids, id);

	return r;
}

int history_ids_mark(struct history_ids *ids, struct sqlite3 *sqlite,
		     int64_t *end)
{
	int r = ids->known ? 0 : read_highest(ids, sqlite);

	if (r < 0)
		return r;
	ids->known = true;
	*end = ids->highest;

	return 0;
}
