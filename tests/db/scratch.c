#include "tests/db/scratch.h"

#include <assert.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/hash.h"
#include "broker/base/log.h"
#include "db/db.h"

static char root[64];
static char logged[16384];

static void keep_log(enum log_level level, const char *line)
{
	size_t used = strlen(logged);

	(void)level;
	(void)snprintf(logged + used, sizeof(logged) - used, "%s\n", line);
}

bool scratch_logged(const char *text)
{
	return strstr(logged, text) != NULL;
}

const char *scratch_make(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/hearth-db-XXXXXX");
	/* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	assert(mkdtemp(root));
	logged[0] = '\0';
	log_set_sink(keep_log);
	hash_seed();

	return root;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(void)
{
	log_set_sink(NULL);
	/* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
	static char paths[4][192];
	static unsigned int next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/data%s%s", root,
		       *name ? "/" : "", name);
	return path;
}

int scratch_try(struct db **db)
{
	struct db_options options = { .dir = scratch_path("") };

	return db_open(&options, db);
}

struct db *scratch_open(void)
{
	struct db *db = NULL;

	if (scratch_try(&db)) {
		(void)fprintf(stderr, "%s", logged);
		abort();
	}
	return db;
}

static struct sqlite3 *plain(const char *name)
{
	struct sqlite3 *sqlite;

	if (sqlite3_open(scratch_path(name), &sqlite) != SQLITE_OK)
		abort();
	sqlite3_busy_timeout(sqlite, 10000);
	return sqlite;
}

void scratch_sql(const char *name, const char *sql)
{
	struct sqlite3 *sqlite = plain(name);
	char *message = NULL;

	if (sqlite3_exec(sqlite, sql, NULL, NULL, &message)) {
		(void)fprintf(stderr, "%s: %s\n", sql, message);
		abort();
	}
	sqlite3_close(sqlite);
}

const char *scratch_ask(const char *name, const char *sql)
{
	static char answer[256];
	struct sqlite3 *sqlite = plain(name);
	struct sqlite3_stmt *stmt;

	answer[0] = '\0';
	if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL)) {
		(void)fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(sqlite));
		abort();
	}
	if (sqlite3_step(stmt) == SQLITE_ROW)
		(void)snprintf(answer, sizeof(answer), "%s",
			       (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);

	return answer;
}

void scratch_damage(const char *name, long offset, size_t len)
{
	FILE *file = fopen(scratch_path(name), "r+b");

	if (!file || fseek(file, offset, SEEK_SET))
		abort();
	for (size_t i = 0; i < len; i++)
		(void)fputc(0xa5, file);
	if (fclose(file))
		abort();
}
