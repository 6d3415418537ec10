#include "db/bans.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/cidr.h"
#include "broker/base/clock.h"
#include "broker/wire/utf8.h"
#include "db/connection.h"
#include "db/rows.h"
#include "db/statement.h"

static int ban_at(const struct statement *s, void *row)
{
	struct db_ban *out = row;
	const int64_t id = statement_int_at(s, 0);
	char kind[16];

	if (id <= 0 || id >= (int64_t)BAN_AUTOMATIC ||
	    !statement_copy_at(s, 1, kind, sizeof(kind)) ||
	    ban_kind_parse(kind, &out->kind) ||
	    !statement_copy_at(s, 2, out->what, sizeof(out->what)) ||
	    !statement_copy_at(s, 3, out->reason, sizeof(out->reason)) ||
	    !statement_copy_at(s, 6, out->by, sizeof(out->by)))
		return -EBADMSG;
	out->id = (uint32_t)id;
	out->until = statement_int_at(s, 4);
	out->created = statement_int_at(s, 5);

	return 0;
}

static const struct rows_kind ban_rows = {
	.size = sizeof(struct db_ban),
	.read = ban_at,
};

int db_bans_list(struct db_config *config, int64_t now, struct db_ban **out,
		 size_t *count)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT id, kind, what, reason, until, created, by"
		       " FROM bans WHERE until = 0 OR until > ? ORDER BY id");
	statement_int(&s, now);
	return rows_list(&s, &ban_rows, LIMIT_BANS, out, count);
}

static int normalize(struct db_ban *ban)
{
	struct cidr network;

	if (!ban->what[0] || !utf8_valid(slice_str(ban->what)) ||
	    !utf8_valid(slice_str(ban->reason)) || ban->until < 0)
		return -EINVAL;
	if (ban->kind != BAN_ADDRESS)
		return 0;
	if (cidr_parse(ban->what, &network) < 0)
		return -EINVAL;
	cidr_text(&network, ban->what);

	return 0;
}

/* Those that are over go, so that they are not in the way of new ones. */
static int make_room(struct db_config *config, const struct db_ban *ban)
{
	struct statement s;
	int64_t others;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM bans WHERE until <> 0 AND until <= ?");
	statement_int(&s, ban->created);
	r = statement_finish(&s);
	if (r)
		return r;
	statement_open(&s, db_config_sqlite(config),
		       "SELECT count(*) FROM bans"
		       " WHERE NOT (kind = ? AND what = ?)");
	statement_text(&s, ban_kind_text(ban->kind));
	statement_text(&s, ban->what);
	r = statement_finish_int(&s, &others);
	if (r)
		return r;

	return others < LIMIT_BANS ? 0 : -ENFILE;
}

static int insert(struct db_config *config, struct db_ban *ban)
{
	struct statement s;
	int64_t id = 0;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "INSERT INTO bans"
		       " (kind, what, reason, until, created, by)"
		       " VALUES (?, ?, ?, ?, ?, ?)"
		       " ON CONFLICT (kind, what) DO UPDATE SET"
		       " reason = excluded.reason, until = excluded.until,"
		       " created = excluded.created, by = excluded.by"
		       " RETURNING id");
	statement_text(&s, ban_kind_text(ban->kind));
	statement_text(&s, ban->what);
	statement_text(&s, ban->reason);
	statement_int(&s, ban->until);
	statement_int(&s, ban->created);
	statement_text(&s, ban->by);
	r = statement_finish_int(&s, &id);
	if (!r && id >= (int64_t)BAN_AUTOMATIC)
		r = -ENFILE;
	if (!r)
		ban->id = (uint32_t)id;

	return r;
}

int db_bans_add(struct db_config *config, struct db_ban *ban)
{
	int r;

	r = normalize(ban);
	if (r)
		return r;
	r = db_config_begin(config);
	if (r)
		return r;
	r = make_room(config, ban);
	if (!r)
		r = insert(config, ban);

	return db_config_finish(config, r);
}

int db_bans_remove(struct db_config *config, uint32_t id)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM bans WHERE id = ? RETURNING id");
	statement_int(&s, id);
	return statement_finish_found(&s);
}

/* What is left of it by the wall clock, from now on by the monotonic one. */
static uint64_t ends(const struct db_ban *ban, int64_t wall)
{
	if (!ban->until)
		return UINT64_MAX;
	return clock_ms() + (uint64_t)(ban->until - wall);
}

int db_bans_build(struct db_config *config, struct bans **out)
{
	const int64_t wall = clock_wall_ms();
	struct db_ban *rows;
	struct bans *bans;
	size_t count;
	int r;

	r = db_bans_list(config, wall, &rows, &count);
	if (r)
		return r;
	bans = bans_new();
	if (!bans)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < count; i++) {
		const struct ban ban = {
			.id = rows[i].id,
			.kind = rows[i].kind,
			.what = rows[i].what,
			.reason = rows[i].reason,
			.until = rows[i].until,
			.ends = ends(&rows[i], wall),
		};

		r = bans_add(bans, &ban);
	}
	free(rows);
	if (r) {
		bans_free(bans);
		return r;
	}

	*out = bans;
	return 0;
}
