/*
 * The write-ahead log under load that never ends: it is copied back at its soft
 * size without waiting for a quiet moment, and memory does not grow with what is
 * written. The store is stepped by hand while its clock stands still, so there is
 * no quiet moment.
 */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

#define OPS(m) ((m)->store->ops)
#define SIZE 50000
#define TOPICS 20
/* Written in one turn: a transaction, and what SQLite adds. */
#define TURN ((size_t)TOPICS * SIZE * 5 / 4)
/* Of one connection: its cache, which has a limit of its own, and some. */
#define MEMORY ((int64_t)8 * 1024 * 1024)

static struct model model;
static char payload[SIZE + 1];
static uint64_t messages;

static uint64_t now_ns(void)
{
	return UINT64_C(1000000000000);
}

static int setup(void **state)
{
	struct db_options options = { 0 };

	scratch_make();
	options.dir = scratch_path("");
	clock_set_source(now_ns, NULL);
	memset(payload, 'x', SIZE);
	assert_int_equal(db_open(&options, &model.db), 0);
	assert_int_equal(db_store_open(model.db, NULL, &model.owner), 0);
	model.store = db_store_door(model.owner);
	*state = &model;
	return 0;
}

static int teardown(void **state)
{
	struct model *m = *state;

	db_store_free(m->owner);
	db_close(m->db);
	clock_set_source(NULL, NULL);
	scratch_remove();
	return 0;
}

static size_t wal_size(void)
{
	struct stat st;

	assert_int_equal(stat(scratch_path("state.db-wal"), &st), 0);
	return (size_t)st.st_size;
}

/* The largest that the WAL was in so many turns. */
static size_t load(struct model *m, unsigned int turns)
{
	size_t most = 0;
	char topic[32];

	while (turns--) {
		uint64_t number = OPS(m)->current(m->store);

		for (int i = 0; i < TOPICS; i++) {
			(void)snprintf(topic, sizeof(topic), "value/%d", i);
			model_retain(m, ++messages, topic, payload, false);
		}
		OPS(m)->flush(m->store);
		db_store_turn(m->owner);
		assert_int_equal(OPS(m)->committed(m->store), number);
		assert_false(OPS(m)->congested(m->store));
		if (wal_size() > most)
			most = wal_size();
	}
	return most;
}

static void test_endless_load_does_not_grow_it(void **state)
{
	struct model *m = *state;

	assert_true(load(m, 60) <= DB_STORE_WAL_SOFT + TURN);
	assert_true(sqlite3_memory_used() < MEMORY);
}

static struct sqlite3 *read_on(void)
{
	struct sqlite3 *reader;

	assert_int_equal(sqlite3_open(scratch_path("state.db"), &reader), 0);
	assert_int_equal(sqlite3_exec(reader,
				      "BEGIN; SELECT count(*) FROM retained",
				      NULL, NULL, NULL),
			 0);
	return reader;
}

/* While somebody reads it grows; after that it does not any more. */
static void test_a_reader_that_goes_leaves_it_bounded(void **state)
{
	struct model *m = *state;
	struct sqlite3 *reader;
	size_t most;

	load(m, 5);
	reader = read_on();
	most = load(m, 15);
	assert_true(most > DB_STORE_WAL_SOFT + TURN);
	assert_int_equal(sqlite3_close(reader), 0);
	assert_true(load(m, 60) <= most + 2 * TURN);
	assert_true(sqlite3_memory_used() < MEMORY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_endless_load_does_not_grow_it),
		TEST(test_a_reader_that_goes_leaves_it_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
