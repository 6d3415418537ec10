/* The door to what was stored, with its thread and that of the store. */
#include "db/history_door.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/limits.h"
#include "db/db.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

#define DEADLINE_MS 30000

struct rig {
	struct db *db;
	struct db_store *owner;
	struct store *store;
	struct db_history_door *owner_of_door;
	struct history *door;
	uint64_t said;
};

static int setup(void **state)
{
	/* Nothing is written by itself: what waits is asked for. */
	const struct db_store_options options = { .history_ms = 1000000 };
	struct rig *rig = calloc(1, sizeof(*rig));

	scratch_make();
	rig->db = scratch_open();
	assert_int_equal(db_store_open(rig->db, &options, &rig->owner), 0);
	assert_int_equal(
		db_history_door_open(rig->db, rig->owner, &rig->owner_of_door),
		0);
	assert_int_equal(db_store_start(rig->owner), 0);
	rig->store = db_store_door(rig->owner);
	rig->door = db_history_door_history(rig->owner_of_door);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	fault_vfs_disarm();
	db_store_stop(rig->owner);
	db_history_door_close(rig->owner_of_door);
	db_store_free(rig->owner);
	db_close(rig->db);
	scratch_remove();
	free(rig);
	return 0;
}

/* The next so many numbers on t. */
static void say(struct rig *rig, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		char payload[16];
		struct message *m;

		(void)snprintf(payload, sizeof(payload), "%llu",
			       (unsigned long long)rig->said);
		m = model_message(++rig->said, "t", payload);
		m->time = 1000 + (int64_t)rig->said;
		assert_int_equal(rig->store->ops->history(rig->store, m), 0);
		message_unref(m);
	}
}

static struct history_request *request(uint64_t token)
{
	struct history_request *r = history_request_new(slice_str("t"));

	assert_non_null(r);
	r->token = token;
	r->last = 100000;
	return r;
}

static struct history_request *answered(struct rig *rig)
{
	struct pollfd fd = { .fd = rig->door->ops->fd(rig->door),
			     .events = POLLIN };
	struct history_request *r;

	while (!(r = rig->door->ops->answer(rig->door)))
		assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
	return r;
}

/* The numbers from..: how many. */
static unsigned int take(struct history_request *r, unsigned int from)
{
	unsigned int n = 0;

	assert_int_equal(r->result, 0);
	for (; n < r->count; n++) {
		struct slice payload = message_payload(r->rows[n].message);
		char wanted[16];

		(void)snprintf(wanted, sizeof(wanted), "%u", from + n);
		assert_true(slice_equal(payload, slice_str(wanted)));
	}
	history_request_clear(r);
	return n;
}

/* What is said before the question belongs to it, what is said later does not,
 * though the store gets both in one batch. */
static void test_the_question_is_the_seam(void **state)
{
	struct rig *rig = *state;
	struct history_request *r = request(5);
	unsigned int n = 0;

	say(rig, 3000);
	assert_int_equal(rig->door->ops->ask(rig->door, r), 0);
	say(rig, 3000);
	rig->store->ops->flush(rig->store);
	do {
		assert_ptr_equal(answered(rig), r);
		assert_int_equal(r->token, 5);
		n += take(r, n);
		say(rig, 10);
		rig->store->ops->flush(rig->store);
	} while (r->more && rig->door->ops->ask(rig->door, r) == 0);
	assert_int_equal(n, 3000);
	rig->door->ops->over(rig->door, r);
	history_request_free(r);
}

static void test_there_are_so_many_at_a_time(void **state)
{
	struct rig *rig = *state;
	struct history_request *all[LIMIT_PLAYBACKS];
	struct history_request *r = request(0);

	say(rig, 5);
	for (unsigned int i = 0; i < LIMIT_PLAYBACKS; i++) {
		all[i] = request(i + 1);
		assert_int_equal(rig->door->ops->ask(rig->door, all[i]), 0);
	}
	assert_int_equal(rig->door->ops->ask(rig->door, r), -EAGAIN);
	rig->store->ops->flush(rig->store);
	for (unsigned int i = 0; i < LIMIT_PLAYBACKS; i++) {
		struct history_request *one = answered(rig);

		assert_int_equal(take(one, 0), 5);
		assert_false(one->more);
		rig->door->ops->over(rig->door, one);
		history_request_free(one);
	}
	assert_int_equal(rig->door->ops->ask(rig->door, r), 0);
	rig->store->ops->flush(rig->store);
	assert_int_equal(take(answered(rig), 0), 5);
	rig->door->ops->over(rig->door, r);
	history_request_free(r);
}

/* Messages that wait to be written are held by those who want them. */
static void test_what_waits_is_held_within_bounds(void **state)
{
	struct rig *rig = *state;
	char *payload = calloc(1, 40001);
	struct history_request *r;
	unsigned int refused = 0, taken = 0;

	memset(payload, 'x', 40000);
	/* 100 of 40 kB each for every replay. */
	for (unsigned int i = 0; i < LIMIT_PLAYBACKS; i++) {
		for (unsigned int n = 0; n < 100; n++) {
			struct message *m =
				model_message(++rig->said, "t", payload);

			m->time = 1000 + (int64_t)rig->said;
			assert_int_equal(
				rig->store->ops->history(rig->store, m), 0);
			message_unref(m);
		}
		assert_int_equal(rig->door->ops->ask(rig->door, request(i)), 0);
		rig->store->ops->flush(rig->store);
		r = answered(rig);
		refused += r->result == -ENOBUFS;
		taken += r->result == 0;
		/* Not over: it keeps what it has. */
		if (r->result == 0)
			history_request_clear(r);
		history_request_free(r);
	}
	assert_int_equal(refused + taken, LIMIT_PLAYBACKS);
	assert_true(refused > 0);
	assert_true(taken * (size_t)1000000 < 2 * DB_HISTORY_TAILS_MAX);
	free(payload);
}

/* Asked, answered, under way: whatever is where when all ends. */
static void test_nothing_is_left_at_the_end(void **state)
{
	struct rig *rig = *state;
	struct history_request *r;

	say(rig, 1000);
	assert_int_equal(rig->door->ops->ask(rig->door, request(1)), 0);
	rig->store->ops->flush(rig->store);
	r = answered(rig);
	assert_true(r->more);
	history_request_clear(r);
	assert_int_equal(rig->door->ops->ask(rig->door, r), 0);
	for (unsigned int i = 2; i < 20; i++)
		assert_int_equal(rig->door->ops->ask(rig->door, request(i)), 0);
	rig->store->ops->flush(rig->store);
	assert_int_equal(rig->door->ops->ask(rig->door, request(50)), 0);
}

static void test_what_cannot_be_read_is_told_once(void **state)
{
	struct rig *rig = *state;
	const uint64_t end = clock_ms() + DEADLINE_MS;
	struct history_request *r = request(1);

	/* So many that they are written. */
	say(rig, 3000);
	rig->store->ops->flush(rig->store);
	while (strcmp(scratch_ask("history.db", "SELECT count(*) FROM days"),
		      "0") == 0) {
		assert_true(clock_ms() < end);
		poll(NULL, 0, 2);
	}
	scratch_sql("history.db", "DROP TABLE days");
	assert_int_equal(rig->door->ops->ask(rig->door, r), 0);
	rig->store->ops->flush(rig->store);
	assert_ptr_equal(answered(rig), r);
	assert_true(r->result < 0);
	assert_int_equal(r->count, 0);
	assert_true(scratch_logged("cannot be replayed"));
	rig->door->ops->over(rig->door, r);
	history_request_free(r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_question_is_the_seam),
		T(test_there_are_so_many_at_a_time),
		T(test_what_waits_is_held_within_bounds),
		T(test_nothing_is_left_at_the_end),
		T(test_what_cannot_be_read_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
