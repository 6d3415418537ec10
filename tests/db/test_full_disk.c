/* A real disk of some megabytes is full: what was taken in is written all the
 * same, more is refused, and it goes on by itself when there is room again. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "broker/base/clock.h"
#include "db/db.h"
#include "db/space.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"
#include "tests/db/tiny_disk.h"

#define MB ((size_t)1024 * 1024)
#define WAIT_MS 60000

static void check(bool ok, int line)
{
	if (ok)
		return;
	(void)fprintf(stderr, "test_full_disk.c:%d fails\n", line);
	abort();
}

/* cmocka's own would long-jump out of the child. */
#define CHECK(condition) check(condition, __LINE__)

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return mkdir(scratch_path(""), 0700);
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static void run(size_t bytes, void (*body)(void))
{
	if (!tiny_disk_run(scratch_path(""), bytes, body))
		skip();
}

#define OPS(m) ((m).store->ops)

static bool wait_refuses(struct model *m, int error)
{
	const uint64_t end = clock_ms() + WAIT_MS;

	while (OPS(*m)->refuses(m->store) != error) {
		if (clock_ms() > end)
			return false;
		poll(NULL, 0, 5);
	}
	return true;
}

static bool there(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

static void put(struct model *m, uint64_t first, uint64_t last)
{
	static char payload[1000];

	memset(payload, 'x', sizeof(payload) - 1);
	for (uint64_t i = first; i <= last; i++)
		model_queue(m, 7, i, i, "t", payload);
	OPS(*m)->flush(m->store);
}

/* What had been taken in before anybody knew is written with the ballast's room;
 * then it refuses; then it takes again, with a new ballast. */
static void fill_and_make_room(void)
{
	const struct db_store_options options = { .ballast_mb = 4 };
	struct model m;

	model_open(&m, &options, NULL);
	CHECK(there("ballast"));
	CHECK(OPS(m)->refuses(m.store) == 0);
	model_session(&m, 7, "anna");
	model_commit(&m);

	tiny_disk_fill(scratch_path("big"));
	put(&m, 1, 500);
	CHECK(model_wait(&m, OPS(m)->current(m.store) - 1));
	CHECK(OPS(m)->refuses(m.store) == -ENOSPC);
	CHECK(!there("ballast"));
	CHECK(scratch_logged("the ballast is given up"));
	CHECK(scratch_logged("is refused from now on: No space left"));

	/* Deleting is what gets it out of there. */
	for (uint64_t i = 1; i <= 400; i++) {
		CHECK(OPS(m)->queue_remove(m.store, 7, i, i) == 0);
		CHECK(OPS(m)->message_remove(m.store, i) == 0);
	}
	model_commit(&m);
	CHECK(OPS(m)->refuses(m.store) == -ENOSPC);

	CHECK(unlink(scratch_path("big")) == 0);
	CHECK(wait_refuses(&m, 0));
	CHECK(there("ballast"));
	CHECK(scratch_logged("is taken again"));
	put(&m, 501, 510);
	CHECK(model_wait(&m, OPS(m)->current(m.store) - 1));
	CHECK(model_close(&m) == 0);
	CHECK(strcmp(scratch_ask("state.db", "SELECT count(*) || ' ' ||"
					     " min(seq) FROM queue"),
		     "110 401") == 0);
}

static void test_a_full_disk_and_room_again(void **state)
{
	(void)state;
	run(24 * MB, fill_and_make_room);
}

/* No ballast: nothing is acknowledged, nothing is lost, it waits for room. */
static void fill_without_ballast(void)
{
	uint64_t number;
	struct model m;

	model_open(&m, NULL, NULL);
	CHECK(!there("ballast"));
	model_session(&m, 7, "anna");
	model_commit(&m);
	tiny_disk_fill(scratch_path("big"));
	put(&m, 1, 500);
	number = OPS(m)->current(m.store) - 1;
	CHECK(wait_refuses(&m, -ENOSPC));
	CHECK(OPS(m)->health(m.store) == STORE_DEGRADED);
	CHECK(OPS(m)->committed(m.store) < number);

	CHECK(unlink(scratch_path("big")) == 0);
	CHECK(model_wait(&m, number));
	CHECK(wait_refuses(&m, 0));
	CHECK(model_close(&m) == 0);
	CHECK(strcmp(scratch_ask("state.db", "SELECT count(*) FROM queue"),
		     "500") == 0);
}

static void test_a_full_disk_without_ballast(void **state)
{
	(void)state;
	run(24 * MB, fill_without_ballast);
}

/* Days of history that were kept before, and their room. */
static void make_history(void)
{
	for (int day = 1; day <= 3; day++) {
		char sql[512];

		(void)snprintf(
			sql, sizeof(sql),
			"CREATE TABLE h_2025010%d (id INTEGER PRIMARY KEY,"
			" topic INTEGER NOT NULL, origin INTEGER NOT NULL,"
			" payload ANY NOT NULL) STRICT;"
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
			" SELECT i + 1 FROM n WHERE i < 2000)"
			" INSERT INTO h_2025010%d SELECT i, 1, 1,"
			" zeroblob(1000) FROM n;",
			day, day);
		scratch_sql("history.db", sql);
	}
	scratch_sql("history.db", "PRAGMA wal_checkpoint(TRUNCATE)");
}

/* Nobody removes anything: the oldest history makes the room. */
static void give_up_history(void)
{
	const struct db_store_options options = { .ballast_mb = 4 };
	struct model m;
	struct stat st;
	off_t before;

	db_close(scratch_open());
	make_history();
	CHECK(stat(scratch_path("history.db"), &st) == 0);
	before = st.st_size;
	model_open(&m, &options, NULL);
	CHECK(there("ballast"));
	model_session(&m, 7, "anna");
	model_commit(&m);
	tiny_disk_fill(scratch_path("big"));
	put(&m, 1, 500);
	CHECK(model_wait(&m, OPS(m)->current(m.store) - 1));
	CHECK(wait_refuses(&m, 0));
	CHECK(scratch_logged("its oldest day is given up"));
	CHECK(stat(scratch_path("history.db"), &st) == 0);
	CHECK(st.st_size < before - 1000000);
	CHECK(model_close(&m) == 0);
	CHECK(strcmp(scratch_ask("history.db",
				 "SELECT count(*) FROM sqlite_schema WHERE"
				 " name = 'h_20250101'"),
		     "0") == 0);
}

static void test_the_oldest_history_goes_first(void **state)
{
	(void)state;
	run(48 * MB, give_up_history);
}

static void test_ballast_of_another_size_is_made_anew(void **state)
{
	struct space space;
	struct stat st;
	int dir = open(scratch_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(dir >= 0);
	space_init(&space, dir, MB);
	assert_true(space.whole);
	space_init(&space, dir, 2 * MB);
	assert_int_equal(fstatat(dir, "ballast", &st, 0), 0);
	assert_int_equal(st.st_size, 2 * MB);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(space_release(&space));
	assert_false(space_release(&space));
	assert_true(space_enough(&space));
	assert_true(space.whole);
	space_init(&space, dir, 0);
	assert_false(there("ballast"));
	assert_true(space_enough(&space));
	close(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_full_disk_and_room_again),
		TEST(test_a_full_disk_without_ballast),
		TEST(test_the_oldest_history_goes_first),
		TEST(test_ballast_of_another_size_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
