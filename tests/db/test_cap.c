/*
 * state.db grows to its cap, on a disk with room. The store is stepped by hand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/db.h"
#include "db/state.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

#define OPS(m) ((m)->store->ops)
#define CAP_MB 16
#define SIZE 60000

static struct model model;
static char payload[SIZE + 1];

static int setup(void **state)
{
	struct db_options options = { .max_state_mb = CAP_MB };

	scratch_make();
	options.dir = scratch_path("");
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
	scratch_remove();
	return 0;
}

/* Everything that was put in is on disk. */
static void commit(struct model *m)
{
	uint64_t number = OPS(m)->current(m->store);

	OPS(m)->flush(m->store);
	db_store_turn(m->owner);
	assert_int_equal(OPS(m)->committed(m->store), number);
	assert_int_equal(OPS(m)->health(m->store), STORE_OK);
}

static void retain(struct model *m, unsigned int n)
{
	char topic[32];

	(void)snprintf(topic, sizeof(topic), "value/%u", n);
	model_retain(m, n, topic, payload, false);
}

static void forget(struct model *m, unsigned int n)
{
	char topic[32];

	(void)snprintf(topic, sizeof(topic), "value/%u", n);
	assert_int_equal(OPS(m)->retained_remove(m->store, slice_str(topic)),
			 0);
}

/* How many it takes until it refuses more. */
static unsigned int fill(struct model *m,
			 void (*put)(struct model *m, unsigned int n))
{
	unsigned int n = 0;

	while (OPS(m)->refuses(m->store) == 0 && n < CAP_MB * 20) {
		put(m, ++n);
		commit(m);
	}
	assert_int_equal(OPS(m)->refuses(m->store), -ENOSPC);
	return n;
}

static void test_what_was_taken_in_before_is_kept(void **state)
{
	struct model *m = *state;
	const unsigned int reserve = STATE_RESERVE / SIZE * 9 / 10;
	unsigned int n = fill(m, retain);

	assert_in_range(n, 100, 250);
	assert_true(scratch_logged("as large as it may grow"));
	/* As much as waits for the disk at a time. */
	for (unsigned int i = 1; i <= reserve; i++)
		retain(m, n + i);
	commit(m);
	assert_int_equal(OPS(m)->refuses(m->store), -ENOSPC);
	assert_true(DB_STORE_PENDING_BYTES + SIZE < (size_t)reserve * SIZE);
}

static void test_it_takes_again_when_some_is_gone(void **state)
{
	struct model *m = *state;
	unsigned int n = fill(m, retain);

	forget(m, 1);
	commit(m);
	assert_int_equal(OPS(m)->refuses(m->store), -ENOSPC);
	for (unsigned int i = 2; i <= n / 2; i++)
		forget(m, i);
	commit(m);
	assert_int_equal(OPS(m)->refuses(m->store), 0);
	assert_true(scratch_logged("is taken again"));
	/* The file is as large as before: its free pages count as room. */
	retain(m, 1);
	commit(m);
	assert_int_equal(OPS(m)->refuses(m->store), 0);
}

static void queue(struct model *m, unsigned int n)
{
	model_queue(m, 7, n, n, "t", payload);
}

/* Their rows do not wait for others while there is no room. */
static void test_delivered_messages_make_room_at_once(void **state)
{
	struct model *m = *state;
	unsigned int n;

	model_session(m, 7, "anna");
	n = fill(m, queue);
	for (unsigned int i = 1; i <= n / 2; i++) {
		assert_int_equal(OPS(m)->queue_remove(m->store, 7, i, i), 0);
		assert_int_equal(OPS(m)->message_remove(m->store, i), 0);
	}
	model_session(m, 8, "bert");
	commit(m);
	assert_int_equal(OPS(m)->refuses(m->store), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_taken_in_before_is_kept),
		TEST(test_it_takes_again_when_some_is_gone),
		TEST(test_delivered_messages_make_room_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
