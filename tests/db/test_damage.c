/* A page of state.db is damaged, each in turn and in several ways: it is noticed
 * at the start, whatever kind of page it is. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

#define PAGE 2048

static char *whole; /* the file as it was */
static size_t pages;
static char *rows; /* what was in it */

/* Interior pages, leaves, overflow, a trunk and leaves of the list of free
 * pages. */
static void fill(void)
{
	static char payload[9000];
	struct model m;

	memset(payload, 'p', sizeof(payload) - 1);
	model_open(&m, NULL, NULL);
	for (uint64_t i = 1; i <= 40; i++) {
		char client[32];

		(void)snprintf(client, sizeof(client), "client-%03d", (int)i);
		model_session(&m, i, client);
		model_subscribe(&m, i, client);
		model_queue(&m, i, 1, i, "t", client);
	}
	model_queue(&m, 1, 2, 100, "long", payload);
	model_queue(&m, 1, 3, 101, "gone", payload);
	model_retain(&m, 200, "r", "x", false);
	model_commit(&m);
	m.store->ops->queue_remove(m.store, 1, 3, 3);
	m.store->ops->message_remove(m.store, 101);
	model_commit(&m);
	assert_int_equal(model_close(&m), 0);
}

static void keep(void)
{
	struct stat st;
	int fd;

	/* All of it in the file, nothing in the WAL. */
	scratch_sql("state.db", "PRAGMA wal_checkpoint(TRUNCATE)");
	fd = open(scratch_path("state.db"), O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	pages = (size_t)st.st_size / PAGE;
	whole = malloc((size_t)st.st_size);
	assert_non_null(whole);
	assert_int_equal(read(fd, whole, (size_t)st.st_size), st.st_size);
	close(fd);
	rows = strdup(model_load());
	assert_non_null(rows);
}

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	fill();
	keep();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	free(whole);
	free(rows);
	return 0;
}

/* From 1: "schema", "internal", "leaf", "overflow" or "free". */
static const char *kind_of(size_t page)
{
	static char kind[16];
	char sql[128];

	if (page == 1)
		return "schema";
	(void)snprintf(sql, sizeof(sql),
		       "SELECT pagetype FROM dbstat WHERE pageno = %zu", page);
	(void)snprintf(kind, sizeof(kind), "%s", scratch_ask("state.db", sql));
	return *kind ? kind : "free";
}

/* DAMAGES: none. */
enum damage { GARBAGE, ZEROES, ANOTHER_PAGE, HALF_GARBAGE, DAMAGES };

static void write_damaged(size_t page, enum damage how)
{
	char bytes[PAGE];
	int fd = open(scratch_path("state.db"), O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, whole, pages * PAGE), pages * PAGE);
	memcpy(bytes, whole + (page - 1) * PAGE, PAGE);
	if (how == GARBAGE)
		memset(bytes, 0xa5, PAGE);
	else if (how == ZEROES)
		memset(bytes, 0, PAGE);
	else if (how == HALF_GARBAGE)
		memset(bytes + PAGE / 2, 0xa5, PAGE / 2);
	else if (how == ANOTHER_PAGE)
		memcpy(bytes, whole + (page % pages) * PAGE, PAGE);
	assert_int_equal(pwrite(fd, bytes, PAGE, (off_t)((page - 1) * PAGE)),
			 PAGE);
	close(fd);
}

static void clean_up(struct db *db)
{
	const struct db_notice *notices;

	while (db_notices(db, &notices) > 0) {
		char name[sizeof(notices[0].name)];

		memcpy(name, notices[0].name, sizeof(name));
		assert_int_equal(db_notice_remove(db, name), 0);
	}
}

/* True: it was noticed. */
static bool open_damaged(void)
{
	const struct db_notice *notices;
	struct db *db = scratch_open();
	const bool noticed = db_notices(db, &notices) > 0;

	if (noticed) {
		assert_int_equal(notices[0].why, DB_DAMAGED);
		assert_int_equal(notices[0].file, DB_STATE);
	}
	clean_up(db);
	db_close(db);
	return noticed;
}

/* SQLite keeps no checksums: bytes of a payload, or a page that is as good as
 * another, cannot be told from what was written. */
static bool can_be_told(const char *kind, enum damage how)
{
	if (strcmp(kind, "free") == 0)
		return false;
	if (how == GARBAGE)
		return true;
	return how == ZEROES && strcmp(kind, "overflow") != 0;
}

static void check_page(size_t page, const char *kind)
{
	for (int how = 0; how < DAMAGES; how++) {
		bool noticed;

		write_damaged(page, (enum damage)how);
		noticed = open_damaged();
		if (!noticed && can_be_told(kind, (enum damage)how))
			fail_msg("page %zu, %s: damage %d is not noticed", page,
				 kind, how);
		/* What is not used harms nobody. */
		if (!noticed && strcmp(kind, "free") == 0)
			assert_string_equal(model_load(), rows);
	}
}

static void test_each_page_damaged_in_each_way(void **state)
{
	static const char *const kinds[] = { "schema", "internal", "leaf",
					     "overflow", "free" };
	unsigned int seen[sizeof(kinds) / sizeof(*kinds)] = { 0 };

	(void)state;
	for (size_t page = 1; page <= pages; page++) {
		char kind[16];

		write_damaged(page, DAMAGES);
		(void)snprintf(kind, sizeof(kind), "%s", kind_of(page));
		check_page(page, kind);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			seen[i] += strcmp(kind, kinds[i]) == 0;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!seen[i])
			fail_msg("no page of kind %s", kinds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_each_page_damaged_in_each_way, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
