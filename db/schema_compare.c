#include "db/schema_compare.h"

#include <sqlite3.h>
#include <stdio.h>

#include "db/migrate.h"
#include "db/statement.h"

/* SQLite's own come and go with ours. */
#define EACH_OBJECT                                                      \
	"SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name" \
	" NOT LIKE 'sqlite\\_%' ESCAPE '\\'"

int schema_make(enum db_file file, struct sqlite3 **out)
{
	const char *const *steps;
	size_t count = db_schema(file, &steps);
	int r = db_error(sqlite3_open(":memory:", out));

	if (!r)
		r = migrate(*out, steps, count);
	if (r) {
		sqlite3_close(*out);
		*out = NULL;
	}

	return r;
}

/* 1: in is what row says; 0: it is not. */
static int has(struct sqlite3 *in, const struct statement *row)
{
	struct statement s;
	int r;

	statement_open(&s, in,
		       "SELECT 1 FROM sqlite_schema WHERE type = ? AND name = ?"
		       " AND tbl_name = ? AND sql = ?");
	for (int i = 0; i < 4; i++)
		statement_text_slice(&s, statement_bytes_at(row, i));
	r = statement_step(&s);
	statement_close(&s);

	return r;
}

static bool is_of_a_day(const struct statement *row)
{
	struct slice type = statement_bytes_at(row, 0);

	return slice_equal(type, slice_str("table")) ||
	       slice_equal(type, slice_str("index"));
}

static void name_it(const struct statement *row, struct schema_object *out)
{
	struct slice type = statement_bytes_at(row, 0);
	struct slice name = statement_bytes_at(row, 1);

	(void)snprintf(out->type, sizeof(out->type), "%.*s", (int)type.len,
		       (const char *)type.data);
	(void)snprintf(out->name, sizeof(out->name), "%.*s", (int)name.len,
		       name.len ? (const char *)name.data : "");
}

/* 1: *out is in one, and not in other. */
static int compare(struct sqlite3 *one, struct sqlite3 *other, bool days,
		   struct schema_object *out)
{
	struct statement s;
	int r;

	statement_open(&s, one, EACH_OBJECT);
	while ((r = statement_step(&s)) > 0) {
		r = has(other, &s);
		if (r < 0)
			break;
		if (r > 0 || (days && is_of_a_day(&s)))
			continue;
		name_it(&s, out);
		r = 1;
		break;
	}
	statement_close(&s);

	return r;
}

int schema_lacks(struct sqlite3 *sqlite, struct sqlite3 *right,
		 struct schema_object *out)
{
	return compare(right, sqlite, false, out);
}

int schema_has_more(struct sqlite3 *sqlite, struct sqlite3 *right, bool days,
		    struct schema_object *out)
{
	return compare(sqlite, right, days, out);
}
