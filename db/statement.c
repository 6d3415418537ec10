#include "db/statement.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>

#include "db/db.h"

static void prepare(struct statement *s, struct sqlite3 *sqlite,
		    const char *sql, unsigned int flags)
{
	s->stmt = NULL;
	s->bound = 0;
	s->error = sqlite3_prepare_v3(sqlite, sql, -1, flags, &s->stmt, NULL);
}

void statement_open(struct statement *s, struct sqlite3 *sqlite,
		    const char *sql)
{
	prepare(s, sqlite, sql, 0);
}

int statement_keep(struct statement *s, struct sqlite3 *sqlite, const char *sql)
{
	prepare(s, sqlite, sql, SQLITE_PREPARE_PERSISTENT);
	return db_error(s->error);
}

void statement_close(struct statement *s)
{
	sqlite3_finalize(s->stmt);
	s->stmt = NULL;
}

/* The first error sticks; a bug in the number of parameters is one of ours. */
static void note(struct statement *s, int rc)
{
	assert(rc != SQLITE_RANGE && rc != SQLITE_MISUSE);
	if (!s->error)
		s->error = rc;
}

void statement_int(struct statement *s, int64_t value)
{
	if (!s->error)
		note(s, sqlite3_bind_int64(s->stmt, ++s->bound, value));
}

void statement_null(struct statement *s)
{
	if (!s->error)
		note(s, sqlite3_bind_null(s->stmt, ++s->bound));
}

void statement_text(struct statement *s, const char *text)
{
	statement_text_slice(s, slice_str(text));
}

void statement_text_slice(struct statement *s, struct slice text)
{
	/* A NULL pointer would be SQL's NULL. */
	const char *data = text.data ? (const char *)text.data : "";

	if (!s->error)
		note(s, sqlite3_bind_text64(s->stmt, ++s->bound, data, text.len,
					    SQLITE_STATIC, SQLITE_UTF8));
}

void statement_blob(struct statement *s, struct slice bytes)
{
	const void *data = bytes.data ? (const void *)bytes.data : "";

	if (!s->error)
		note(s, sqlite3_bind_blob64(s->stmt, ++s->bound, data,
					    bytes.len, SQLITE_STATIC));
}

int statement_step(struct statement *s)
{
	int rc;

	if (s->error)
		return db_error(s->error);

	rc = sqlite3_step(s->stmt);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;

	note(s, rc);
	return db_error(rc);
}

void statement_reset(struct statement *s)
{
	/* Returns the error of the last step once more. */
	sqlite3_reset(s->stmt);
	s->bound = 0;
	s->error = SQLITE_OK;
}

int statement_run(struct statement *s)
{
	int r;

	do {
		r = statement_step(s);
	} while (r > 0);
	statement_reset(s);

	return r;
}

int statement_finish(struct statement *s)
{
	int r = statement_run(s);

	statement_close(s);
	return r;
}

int statement_finish_found(struct statement *s)
{
	int r = statement_step(s);

	/* To the end: rows are returned before the change is done. */
	if (r > 0)
		r = statement_run(s);
	else if (r == 0)
		r = -ENOENT;
	statement_close(s);

	return r;
}

int statement_finish_int(struct statement *s, int64_t *out)
{
	int r = statement_step(s);
	const int64_t value = r > 0 ? statement_int_at(s, 0) : 0;

	if (r > 0)
		r = statement_run(s);
	statement_close(s);
	if (!r)
		*out = value;

	return r;
}

int64_t statement_int_at(const struct statement *s, int n)
{
	return sqlite3_column_int64(s->stmt, n);
}

bool statement_null_at(const struct statement *s, int n)
{
	return sqlite3_column_type(s->stmt, n) == SQLITE_NULL;
}

bool statement_text_at(const struct statement *s, int n)
{
	return sqlite3_column_type(s->stmt, n) == SQLITE_TEXT;
}

struct slice statement_bytes_at(const struct statement *s, int n)
{
	const void *data = sqlite3_column_blob(s->stmt, n);
	int len = sqlite3_column_bytes(s->stmt, n);

	return slice_of(data ? data : "", data && len > 0 ? (size_t)len : 0);
}

bool statement_copy_at(const struct statement *s, int n, char *out, size_t size)
{
	struct slice text = statement_bytes_at(s, n);

	if (text.len >= size)
		return false;
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';

	return true;
}
