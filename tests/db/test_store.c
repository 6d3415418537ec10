#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "db/db.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

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

static void test_everything_comes_back(void **state)
{
	struct store_queued row = {
		.session = 7,
		.seq = 2,
		.message = 100,
		.packet_id = 65535,
		.state = STORE_PUBLISHED,
		.qos = 2,
		.retain = true,
		.share = UINT32_MAX,
		.identifiers = slice_of("\x0b\x01", 2),
	};
	struct model m;

	(void)state;
	model_open(&m, NULL, NULL);
	model_session(&m, 9, "bob");
	model_session(&m, 7, "anna");
	model_subscribe(&m, 7, "b/#");
	model_subscribe(&m, 7, "$share/g/a/+");
	model_queue(&m, 7, 1, 100, "a/b", "21.5");
	assert_int_equal(OPS(m)->queue_save(m.store, &row), 0);
	row.session = 9;
	row.seq = 1;
	row.message = 0;
	row.state = STORE_RELEASED;
	row.identifiers.len = 0;
	row.share = 0;
	assert_int_equal(OPS(m)->queue_save(m.store, &row), 0);
	assert_int_equal(OPS(m)->inbound_add(m.store, 9, 65535), 0);
	assert_int_equal(OPS(m)->inbound_add(m.store, 9, 1), 0);
	model_retain(&m, 101, "hall/light", "ON", false);
	model_retain(&m, 102, "garden", "", true);
	model_commit(&m);
	assert_int_equal(model_close(&m), 0);

	assert_string_equal(
		model_load(),
		"session 7 anna user 3600 v5\n"
		"session 9 bob user 3600 v5\n"
		"subscription 7 $share/g/a/+ 45 268435455\n"
		"subscription 7 b/# 45 268435455\n"
		"message 100 a/b=21.5 t100 q1 r0 p2 user/client@192.0.2.7:1\n"
		"queued 7/1 m100 pid0 s0 q1 r0 i0\n"
		"queued 7/2 m100 pid65535 s1 q2 r1 i2 g4294967295\n"
		"queued 9/1 m0 pid65535 s2 q2 r1 i0\n"
		"inbound 9 1\n"
		"inbound 9 65535\n"
		"retained 102 garden= t102 q1 r1 p2 user/client@192.0.2.7:1\n"
		"retained 101 hall/light=ON t101 q1 r1 p2 "
		"user/client@192.0.2.7:1\n");
}

/* In one transaction and in several: a later operation wins. */
static void test_rows_are_replaced_and_removed(void **state)
{
	struct store_queued row = { .session = 7,
				    .seq = 1,
				    .message = 1,
				    .packet_id = 5,
				    .qos = 2,
				    .state = STORE_PUBLISHED };

	(void)state;
	for (int separate = 0; separate < 2; separate++) {
		struct model m;

		model_open(&m, NULL, NULL);
#define STEP()                            \
	do {                              \
		if (separate)             \
			model_commit(&m); \
	} while (0)
		model_session(&m, 7, "anna");
		model_subscribe(&m, 7, "a");
		model_subscribe(&m, 7, "b");
		model_queue(&m, 7, 1, 1, "t", "1");
		model_queue(&m, 7, 2, 2, "t", "2");
		model_retain(&m, 3, "x", "old", false);
		model_retain(&m, 4, "y", "gone", false);
		OPS(m)->inbound_add(m.store, 7, 1);
		OPS(m)->inbound_add(m.store, 7, 2);
		STEP();
		model_session(&m, 7, "anna2");
		OPS(m)->subscription_remove(m.store, 7, slice_str("a"));
		OPS(m)->queue_save(m.store, &row);
		OPS(m)->queue_remove(m.store, 7, 2, 2);
		OPS(m)->message_remove(m.store, 2);
		model_retain(&m, 5, "x", "new", false);
		OPS(m)->retained_remove(m.store, slice_str("y"));
		OPS(m)->inbound_remove(m.store, 7, 1);
		model_commit(&m);
		assert_int_equal(model_close(&m), 0);
		assert_string_equal(
			model_load(),
			"session 7 anna2 user 3600 v5\n"
			"subscription 7 b 45 268435455\n"
			"message 1 t=1 t1 q1 r0 p2 user/client@192.0.2.7:1\n"
			"queued 7/1 m1 pid5 s1 q2 r0 i0\n"
			"inbound 7 2\n"
			"retained 5 x=new t5 q1 r1 p2 "
			"user/client@192.0.2.7:1\n");
	}
}

static void test_a_session_goes_with_its_rows(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, NULL);
	for (uint64_t id = 7; id < 9; id++) {
		model_session(&m, id, "c");
		model_subscribe(&m, id, "a");
		model_queue(&m, id, 1, id, "t", "1");
		OPS(m)->inbound_add(m.store, id, 1);
	}
	model_commit(&m);
	assert_int_equal(OPS(m)->session_remove(m.store, 7), 0);
	model_commit(&m);
	model_close(&m);
	assert_string_equal(
		model_load(),
		"session 8 c user 3600 v5\n"
		"subscription 8 a 45 268435455\n"
		"message 7 t=1 t7 q1 r0 p2 user/client@192.0.2.7:1\n"
		"message 8 t=1 t8 q1 r0 p2 user/client@192.0.2.7:1\n"
		"queued 8/1 m8 pid0 s0 q1 r0 i0\n"
		"inbound 8 1\n");
}

static bool readable(struct model *m)
{
	struct pollfd fd = { .fd = OPS(*m)->fd(m->store), .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void test_batches_are_numbered(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, NULL);
	assert_int_equal(OPS(m)->current(m.store), 1);
	assert_int_equal(OPS(m)->committed(m.store), 0);

	/* Nothing in it, or nothing promised: the number is not used. */
	OPS(m)->flush(m.store);
	model_retain(&m, 1, "lazy", "1", true);
	OPS(m)->flush(m.store);
	assert_int_equal(OPS(m)->current(m.store), 1);

	model_session(&m, 7, "anna");
	assert_int_equal(OPS(m)->current(m.store), 1);
	OPS(m)->flush(m.store);
	assert_int_equal(OPS(m)->current(m.store), 2);
	model_session(&m, 8, "bob");
	OPS(m)->flush(m.store);
	assert_int_equal(OPS(m)->current(m.store), 3);
	assert_true(model_wait(&m, 2));
	assert_int_equal(OPS(m)->committed(m.store), 2);
	assert_false(readable(&m));
	model_session(&m, 9, "carl");
	OPS(m)->flush(m.store);
	assert_true(model_wait(&m, 3));
	model_close(&m);
}

static void test_the_descriptor_tells_of_a_commit(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	struct model m;

	(void)state;
	model_open(&m, NULL, NULL);
	fd.fd = OPS(m)->fd(m.store);
	assert_false(readable(&m));
	model_session(&m, 7, "anna");
	OPS(m)->flush(m.store);
	assert_int_equal(poll(&fd, 1, 30000), 1);
	assert_int_equal(OPS(m)->committed(m.store), 1);
	assert_false(readable(&m));
	model_close(&m);
}

static void test_what_was_flushed_is_written_at_the_stop(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, NULL);
	for (uint64_t i = 1; i <= 500; i++) {
		model_session(&m, i, "c");
		OPS(m)->flush(m.store);
	}
	model_session(&m, 501, "unflushed");
	assert_int_equal(model_close(&m), 0);
	assert_string_equal(
		scratch_ask("state.db", "SELECT count(*) FROM sessions"),
		"501");
}

/* What everybody has acknowledged before its commit costs no write at all. */
static void test_what_undoes_itself_is_not_written(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, fault_vfs_name());
	model_session(&m, 7, "anna");
	model_commit(&m);
	fault_vfs_watch("state.db");
	model_queue(&m, 7, 1, 1, "t", "1");
	assert_int_equal(OPS(m)->queue_remove(m.store, 7, 1, 1), 0);
	assert_int_equal(OPS(m)->message_remove(m.store, 1), 0);
	model_commit(&m);
	assert_int_equal(fault_vfs_calls(), 0);
	model_queue(&m, 7, 2, 2, "t", "1");
	model_commit(&m);
	assert_true(fault_vfs_calls() > 0);
	model_close(&m);
}

static const char *retained_on_disk(void)
{
	return scratch_ask("state.db",
			   "SELECT group_concat(topic || '=' ||"
			   " CAST(payload AS TEXT)) FROM"
			   " (SELECT * FROM retained ORDER BY topic)");
}

static void test_lazy_values_wait_and_are_written_at_the_stop(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, fault_vfs_name());
	model_session(&m, 7, "anna");
	model_commit(&m);
	fault_vfs_watch("state.db");
	model_retain(&m, 1, "a", "1", true);
	model_retain(&m, 2, "a", "2", true);
	model_retain(&m, 3, "b", "3", true);
	OPS(m)->flush(m.store);
	model_session(&m, 7, "anna");
	model_commit(&m);
	assert_string_equal(retained_on_disk(), "(null)");
	assert_int_equal(model_close(&m), 0);
	assert_string_equal(retained_on_disk(), "a=2,b=3");
}

static void test_a_promised_value_replaces_a_lazy_one(void **state)
{
	struct model m;

	(void)state;
	model_open(&m, NULL, NULL);
	model_retain(&m, 1, "a", "lazy", true);
	model_retain(&m, 2, "b", "lazy", true);
	model_retain(&m, 3, "c", "sure", false);
	OPS(m)->flush(m.store);
	model_retain(&m, 4, "a", "sure", false);
	assert_int_equal(OPS(m)->retained_remove(m.store, slice_str("b")), 0);
	model_retain(&m, 5, "c", "lazy", true);
	model_commit(&m);
	assert_string_equal(retained_on_disk(), "a=sure,c=sure");
	model_close(&m);
	assert_string_equal(retained_on_disk(), "a=sure,c=lazy");
}

static void test_lazy_values_are_written_when_due(void **state)
{
	const struct db_store_options options = { .lazy_ms = 1 };
	uint64_t end = clock_ms() + 30000;
	char topic[16];
	struct model m;

	(void)state;
	model_open(&m, &options, NULL);
	for (uint64_t i = 1; i <= 1200; i++) {
		(void)snprintf(topic, sizeof(topic), "t/%llu",
			       (unsigned long long)i);
		model_retain(&m, i, topic, "1", true);
	}
	OPS(m)->flush(m.store);
	while (strcmp(scratch_ask("state.db", "SELECT count(*) FROM retained"),
		      "1200") != 0 &&
	       clock_ms() < end)
		poll(NULL, 0, 5);
	assert_string_equal(
		scratch_ask("state.db", "SELECT count(*) FROM retained"),
		"1200");
	model_close(&m);
}

/* Within one boot a deadline is exact, after another what was left is left. */
static void test_no_jump_of_the_clock_expires_a_message(void **state)
{
	struct message *message;
	struct model m;

	(void)state;
	model_open(&m, NULL, NULL);
	message = model_expiring(1, "soon", 7000000);
	OPS(m)->message_save(m.store, message);
	message_unref(message);
	message = model_expiring(2, "late", 100000000);
	OPS(m)->retained_save(m.store, message, false);
	message_unref(message);
	model_commit(&m);
	model_close(&m);
	assert_non_null(strstr(model_load(), "expires~7000s"));
	assert_non_null(strstr(model_load(), "expires~100000s"));

	/* The same boot, 1000 s later by its clock; and another boot. */
	scratch_sql("state.db", "UPDATE messages SET expires = expires - "
				"1000000");
	assert_non_null(strstr(model_load(), "expires~6000s"));
	scratch_sql("state.db",
		    "UPDATE boot SET boot = 'another';"
		    "UPDATE messages SET expires = 5;"
		    "UPDATE retained SET expires = 9000000000000000");
	assert_non_null(strstr(model_load(), "expires~7000s"));
	assert_non_null(strstr(model_load(), "expires~100000s"));
	/* And that is now told by this boot's clock. */
	assert_non_null(strstr(model_load(), "expires~7000s"));
}

static int end_load(void *arg, const struct store_session *row)
{
	(void)row;
	++*(int *)arg;
	return -ECANCELED;
}

static void test_rows_that_are_not_ours_are_refused(void **state)
{
	static const struct store_loader loader;
	struct db_store *owner;
	struct store *store;
	struct model m;
	struct db *db;

	(void)state;
	model_open(&m, NULL, NULL);
	model_retain(&m, 1, "t", "x", false);
	model_commit(&m);
	model_close(&m);
	scratch_sql("state.db", "UPDATE retained SET topic = ''");
	db = scratch_open();
	assert_int_equal(db_store_open(db, NULL, &owner), 0);
	store = db_store_door(owner);
	assert_int_equal(store->ops->load(store, &loader, NULL), -EBADMSG);
	db_store_free(owner);
	db_close(db);
}

static void test_a_callback_ends_the_load(void **state)
{
	const struct store_loader loader = { .session = end_load };
	struct db_store *owner;
	struct store *store;
	struct model m;
	struct db *db;
	int calls = 0;

	(void)state;
	model_open(&m, NULL, NULL);
	model_session(&m, 7, "anna");
	model_session(&m, 8, "bob");
	model_close(&m);
	db = scratch_open();
	assert_int_equal(db_store_open(db, NULL, &owner), 0);
	store = db_store_door(owner);
	assert_int_equal(store->ops->load(store, &loader, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
	db_store_free(owner);
	db_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everything_comes_back),
		TEST(test_rows_are_replaced_and_removed),
		TEST(test_a_session_goes_with_its_rows),
		TEST(test_batches_are_numbered),
		TEST(test_the_descriptor_tells_of_a_commit),
		TEST(test_what_was_flushed_is_written_at_the_stop),
		TEST(test_what_undoes_itself_is_not_written),
		TEST(test_lazy_values_wait_and_are_written_at_the_stop),
		TEST(test_a_promised_value_replaces_a_lazy_one),
		TEST(test_lazy_values_are_written_when_due),
		TEST(test_no_jump_of_the_clock_expires_a_message),
		TEST(test_rows_that_are_not_ours_are_refused),
		TEST(test_a_callback_ends_the_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
