#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/db.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fault_vfs_disarm();
	scratch_remove();
	return 0;
}

#define OPS(m) ((m).store->ops)

static void check_failure(int code)
{
	struct model m;
	uint64_t number;

	scratch_make();
	model_open(&m, NULL, fault_vfs_name());
	model_session(&m, 7, "anna");
	model_commit(&m);

	fault_vfs_arm("state.db", code, 0, true);
	model_queue(&m, 7, 1, 1, "t", "1");
	number = OPS(m)->current(m.store);
	OPS(m)->flush(m.store);
	assert_true(model_wait_health(&m, STORE_DEGRADED));
	assert_true(OPS(m)->committed(m.store) < number);
	assert_true(scratch_logged("state.db: cannot be written"));

	/* More is taken in until it is too much. */
	for (uint64_t i = 2; !OPS(m)->congested(m.store); i++) {
		model_queue(&m, 7, i, i, "t", "more");
		OPS(m)->flush(m.store);
	}
	assert_true(OPS(m)->committed(m.store) < number);
	assert_true(fault_vfs_disarm());
	assert_true(model_commit(&m) > number);
	assert_int_equal(OPS(m)->health(m.store), STORE_OK);
	assert_false(OPS(m)->congested(m.store));
	assert_true(scratch_logged("state.db: is written again"));
	assert_int_equal(model_close(&m), 0);
	assert_string_equal(scratch_ask("state.db",
					"SELECT count(*) = max(seq) AND"
					" count(*) > 100 FROM queue"),
			    "1");
	scratch_remove();
}

static void test_a_full_disk_is_waited_for(void **state)
{
	(void)state;
	check_failure(SQLITE_FULL);
}

static void test_a_failing_disk_is_waited_for(void **state)
{
	(void)state;
	check_failure(SQLITE_IOERR_WRITE);
	check_failure(SQLITE_IOERR_FSYNC);
	/* After this one SQLite leaves the transaction open. */
	check_failure(SQLITE_BUSY);
}

/* Messages delivered while the disk was full need no room when it is not. */
static void test_what_is_undone_meanwhile_is_not_written(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, fault_vfs_name());
	model_session(&m, 7, "anna");
	model_commit(&m);
	fault_vfs_arm("state.db", SQLITE_FULL, 0, true);
	model_queue(&m, 7, 1, 1, "t", "1");
	OPS(m)->flush(m.store);
	assert_true(model_wait_health(&m, STORE_DEGRADED));
	OPS(m)->queue_remove(m.store, 7, 1, 1);
	OPS(m)->message_remove(m.store, 1);
	OPS(m)->flush(m.store);
	/* It succeeds although every write still fails. */
	model_commit(&m);
	assert_true(fault_vfs_disarm());
	assert_int_equal(OPS(m)->health(m.store), STORE_OK);
	assert_int_equal(model_close(&m), 0);
}

static void test_a_stop_with_a_full_disk_says_what_is_lost(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, fault_vfs_name());
	fault_vfs_arm("state.db", SQLITE_FULL, 0, true);
	model_session(&m, 7, "anna");
	OPS(m)->flush(m.store);
	assert_true(model_wait_health(&m, STORE_DEGRADED));
	assert_int_equal(model_close(&m), -ENOSPC);
	assert_true(scratch_logged("is lost"));
}

/* Each write and each sync fails once in turn: nothing is lost or doubled. */
static void test_each_write_may_fail_once(void **state)
{
	static const int codes[] = { SQLITE_FULL, SQLITE_IOERR_FSYNC };
	unsigned int n;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (n = 0; n < 100; n++) {
			struct model m;
			bool hit;

			scratch_make();
			model_open(&m, NULL, fault_vfs_name());
			fault_vfs_arm("state.db", codes[i], n, false);
			model_session(&m, 7, "anna");
			model_queue(&m, 7, 1, 1, "t", "1");
			model_commit(&m);
			OPS(m)->queue_remove(m.store, 7, 1, 1);
			model_queue(&m, 7, 2, 2, "t", "2");
			model_retain(&m, 3, "x", "y", false);
			model_commit(&m);
			hit = fault_vfs_disarm();
			assert_int_equal(model_close(&m), 0);
			assert_string_equal(model_load(),
					    "session 7 anna user 3600 v5\n"
					    "message 1 t=1 t1 q1 r0 p2 "
					    "user/client@192.0.2.7:1\n"
					    "message 2 t=2 t2 q1 r0 p2 "
					    "user/client@192.0.2.7:1\n"
					    "queued 7/2 m2 pid0 s0 q1 r0 i0\n"
					    "retained 3 x=y t3 q1 r1 p2 "
					    "user/client@192.0.2.7:1\n");
			scratch_remove();
			if (!hit)
				break;
		}
		assert_true(n > 5 && n < 100);
	}
	scratch_make();
}

/* Beyond the hard limit nothing more is taken, and nothing is broken by it. */
static void test_there_is_an_end_to_what_waits(void **state)
{
	static char payload[1024 * 1024];
	struct message *message;
	struct model m;
	int r = 0;
	int n;

	(void)state;
	memset(payload, 'x', sizeof(payload) - 1);
	model_open(&m, NULL, fault_vfs_name());
	fault_vfs_arm("state.db", SQLITE_FULL, 0, true);
	message = model_message(1, "big", payload);
	for (n = 0; !r && n < 1000; n++) {
		r = OPS(m)->retained_save(m.store, message, false);
		OPS(m)->flush(m.store);
	}
	assert_int_equal(r, -ENOMEM);
	assert_true(n > 60 && n < 70);
	assert_true(OPS(m)->congested(m.store));
	fault_vfs_disarm();
	assert_true(model_wait(&m, OPS(m)->current(m.store) - 1));
	assert_int_equal(OPS(m)->retained_save(m.store, message, false), 0);
	model_close(&m);
	assert_int_equal(atomic_load(&message->refs), 1);
	message_unref(message);
}

/* Each operation, each allocation: -ENOMEM, and nothing was put in. */
static int put(struct model *m, int op, struct message *message)
{
	const struct store_session session = { .id = 1,
					       .expiry = 1,
					       .version = 4 };
	const struct store_subscription subscription = {
		.filter = slice_str("a/b"),
	};
	const struct store_queued queued = { .session = 1, .seq = 1, .qos = 1 };
	const struct store_ops *ops = m->store->ops;

	switch (op) {
	case 0:
		return ops->session_save(m->store, &session);
	case 1:
		return ops->session_remove(m->store, 1);
	case 2:
		return ops->subscription_save(m->store, 1, &subscription);
	case 3:
		return ops->subscription_remove(m->store, 1, slice_str("a"));
	case 4:
		return ops->message_save(m->store, message);
	case 5:
		return ops->message_remove(m->store, 1);
	case 6:
		return ops->queue_save(m->store, &queued);
	case 7:
		return ops->queue_remove(m->store, 1, 1, 1);
	case 8:
		return ops->inbound_add(m->store, 1, 1);
	case 9:
		return ops->inbound_remove(m->store, 1, 1);
	case 10:
		return ops->retained_save(m->store, message, false);
	case 11:
		return ops->retained_save(m->store, message, true);
	case 12:
		return ops->retained_remove(m->store, slice_str("a"));
	case 13:
		return ops->history(m->store, message);
	default:
		return 1;
	}
}

static void test_operations_survive_allocation_failure(void **state)
{
	struct message *message = model_message(1, "t", "x");

	(void)state;
	for (int op = 0; op < 14; op++) {
		struct db_store *owner;
		struct model m;
		unsigned int n = 0;
		int r;

		/* Not started: the thread would take the failures. */
		m.db = scratch_open();
		assert_int_equal(db_store_open(m.db, NULL, &owner), 0);
		m.store = db_store_door(owner);
		do {
			failing_malloc_arm(n++);
			r = put(&m, op, message);
			if (!failing_malloc_disarm())
				break;
			assert_int_equal(r, -ENOMEM);
			assert_int_equal(atomic_load(&message->refs), 1);
		} while (n < 10);
		assert_int_equal(r, 0);
		assert_int_equal(n, 3);
		db_store_free(owner);
		db_close(m.db);
	}
	assert_int_equal(atomic_load(&message->refs), 1);
	message_unref(message);
}

static void test_open_survives_allocation_failure(void **state)
{
	struct db_store *owner = NULL;
	struct db *db = scratch_open();
	unsigned int n = 0;
	int r;

	(void)state;
	do {
		failing_malloc_arm(n++);
		r = db_store_open(db, NULL, &owner);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 100);
	assert_int_equal(r, 0);
	assert_true(n > 5);
	db_store_free(owner);
	db_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_full_disk_is_waited_for),
		cmocka_unit_test(test_a_failing_disk_is_waited_for),
		TEST(test_what_is_undone_meanwhile_is_not_written),
		TEST(test_a_stop_with_a_full_disk_says_what_is_lost),
		TEST(test_each_write_may_fail_once),
		TEST(test_there_is_an_end_to_what_waits),
		TEST(test_operations_survive_allocation_failure),
		TEST(test_open_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
