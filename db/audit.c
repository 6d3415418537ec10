#include "db/audit.h"

#include <errno.h>

#include "db/connection.h"
#include "db/rows.h"
#include "db/statement.h"

static int insert(struct db_config *config, const struct db_audit *entry)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "INSERT INTO audit (time, user, address, what)"
		       " VALUES (?, ?, ?, ?)");
	statement_int(&s, entry->time);
	statement_text(&s, entry->user);
	statement_text(&s, entry->address);
	statement_text(&s, entry->what);

	return statement_finish(&s);
}

static int forget(struct db_config *config)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM audit"
		       " WHERE id <= (SELECT max(id) FROM audit) - ?");
	statement_int(&s, DB_AUDIT_MAX);

	return statement_finish(&s);
}

int db_audit_add(struct db_config *config, const struct db_audit *entry)
{
	int r = db_config_begin(config);

	if (r)
		return r;
	r = insert(config, entry);
	if (!r)
		r = forget(config);

	return db_config_finish(config, r);
}

static int entry_at(const struct statement *s, void *row)
{
	struct db_audit *out = row;
	out->id = statement_int_at(s, 0);
	out->time = statement_int_at(s, 1);
	if (!statement_copy_at(s, 2, out->user, sizeof(out->user)) ||
	    !statement_copy_at(s, 3, out->address, sizeof(out->address)) ||
	    !statement_copy_at(s, 4, out->what, sizeof(out->what)))
		return -EBADMSG;

	return 0;
}

static const struct rows_kind entry_rows = {
	.size = sizeof(struct db_audit),
	.read = entry_at,
};

int db_audit_list(struct db_config *config, int64_t before, size_t limit,
		  struct db_audit **out, size_t *count)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT id, time, user, address, what FROM audit"
		       " WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2");
	statement_int(&s, before);
	statement_int(&s, (int64_t)limit);
	return rows_list(&s, &entry_rows, limit, out, count);
}
