#include "db/inspect.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/schema_compare.h"
#include "db/statement.h"

enum beside { NOTHING, EMPTY, REGULAR, STRANGE };

static int look_beside(int dir_fd, enum db_file file, const char *suffix,
		       enum beside *out)
{
	char name[32];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s%s", db_file_name(file), suffix);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		*out = NOTHING;
		return errno == ENOENT ? 0 : -errno;
	}
	*out = !S_ISREG(st.st_mode) ? STRANGE : st.st_size ? REGULAR : EMPTY;

	return 0;
}

/* Somebody else's file in a directory of ours; where the directory is not ours
 * either, setting aside is no way out. */
static bool not_for_us(int dir_fd, enum db_file file)
{
	const char *name = db_file_name(file);

	return faccessat(dir_fd, name, R_OK | W_OK, AT_EACCESS) &&
	       errno == EACCES && !faccessat(dir_fd, ".", W_OK, AT_EACCESS);
}

int inspect_place(int dir_fd, enum db_file file, bool expected,
		  enum db_why *why)
{
	enum beside here;
	enum beside wal;
	enum beside shm;
	int r;

	r = look_beside(dir_fd, file, "", &here);
	if (!r)
		r = look_beside(dir_fd, file, "-wal", &wal);
	if (!r)
		r = look_beside(dir_fd, file, "-shm", &shm);
	if (r)
		return r;

	if (here == STRANGE || wal == STRANGE || shm == STRANGE) {
		*why = DB_FOREIGN;
		return 1;
	}
	if (here == NOTHING || here == EMPTY) {
		*why = DB_MISSING;
		return wal == REGULAR || expected;
	}
	*why = DB_UNREADABLE;

	return not_for_us(dir_fd, file);
}

static int ask(struct sqlite3 *sqlite, const char *sql, int64_t *out)
{
	struct statement s;

	statement_open(&s, sqlite, sql);
	return statement_finish_int(&s, out);
}

int inspect_identity(struct sqlite3 *sqlite, enum db_file file,
		     enum db_why *why)
{
	int64_t application;
	int64_t version;
	int64_t tables;
	const char *const *steps;
	size_t count;
	int r;

	count = db_schema(file, &steps);
	r = ask(sqlite, "PRAGMA application_id", &application);
	if (!r)
		r = ask(sqlite, "PRAGMA user_version", &version);
	if (!r)
		r = ask(sqlite, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r)
		return r;

	/* Those that hearthd made at first say nothing of whose they are. */
	*why = DB_FOREIGN;
	if (application && application != db_file_application(file))
		return 1;
	if (!application && tables && version == 0)
		return 1;
	*why = DB_DAMAGED;
	if (version < 0 || (!tables && version))
		return 1;
	*why = application ? DB_NEWER : DB_FOREIGN;

	return (uint64_t)version > count;
}

int inspect_pages(struct sqlite3 *sqlite)
{
	struct statement s;
	int r;

	statement_open(&s, sqlite, "PRAGMA quick_check(1)");
	r = statement_step(&s);
	if (r > 0 && !slice_equal(statement_bytes_at(&s, 0), slice_str("ok")))
		r = -EBADMSG;
	statement_close(&s);

	return r < 0 ? r : 0;
}

/* What a schema has: each table and index, by what tells it from all others. Made
 * once for each file; it never changes. */
#define OBJECTS_MAX 64

struct schema {
	size_t count; /* 0: not made yet */
	uint64_t objects[OBJECTS_MAX];
};

static struct schema schemas[DB_FILES];

/* FNV-1a: nobody who could choose the bytes would gain by a collision. */
static uint64_t fingerprint(const struct statement *s)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (int column = 0; column < 3; column++) {
		struct slice text = statement_bytes_at(s, column);

		for (size_t i = 0; i <= text.len; i++) {
			hash ^= i < text.len ? text.data[i] : 0;
			hash *= UINT64_C(1099511628211);
		}
	}

	return hash;
}

static int read_schema(struct sqlite3 *sqlite, struct schema *out)
{
	struct statement s;
	int r;

	statement_open(&s, sqlite,
		       "SELECT type, name, sql FROM sqlite_schema"
		       " WHERE sql IS NOT NULL");
	while ((r = statement_step(&s)) > 0 && out->count < OBJECTS_MAX)
		out->objects[out->count++] = fingerprint(&s);
	assert(r <= 0);
	statement_close(&s);

	return r;
}

static int make_schema(enum db_file file, struct schema *out)
{
	struct schema schema = { 0 };
	struct sqlite3 *right;
	int r = schema_make(file, &right);

	if (r)
		return r;
	r = read_schema(right, &schema);
	sqlite3_close(right);
	if (!r)
		*out = schema;

	return r;
}

static bool has(const struct schema *schema, uint64_t object)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->objects[i] == object)
			return true;
	}

	return false;
}

int inspect_schema(struct sqlite3 *sqlite, enum db_file file)
{
	struct schema *schema = &schemas[file];
	struct statement s;
	size_t found = 0;
	int r = 0;

	if (!schema->count)
		r = make_schema(file, schema);
	if (r)
		return r;
	/* There may be more: history.db has a table for each day. */
	statement_open(&s, sqlite,
		       "SELECT type, name, sql FROM sqlite_schema"
		       " WHERE sql IS NOT NULL");
	while ((r = statement_step(&s)) > 0)
		found += has(schema, fingerprint(&s));
	statement_close(&s);
	if (r < 0)
		return r;

	return found == schema->count ? 0 : -EBADMSG;
}
