/* What the store kept is taken over whole, or the start fails and leaves nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/routing/retained.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = sim_store_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	sim_store_free(*state);
	return 0;
}

static void commit(struct sim_store *sim)
{
	struct store *store = sim_store_door(sim);

	store->ops->flush(store);
	sim_store_commit(sim);
}

static void put_session_of(struct sim_store *sim, uint64_t id, const char *name,
			   const char *user)
{
	struct store *store = sim_store_door(sim);
	const struct store_session row = {
		.id = id,
		.client_id = slice_str(name),
		.user = slice_str(user),
		.expiry = 3600,
		.version = 4,
	};

	assert_int_equal(store->ops->session_save(store, &row), 0);
}

static void put_session(struct sim_store *sim, uint64_t id, const char *name)
{
	put_session_of(sim, id, name, "anna");
}

static void put_expiring(struct sim_store *sim, uint64_t id, const char *topic,
			 bool retained, uint64_t expires)
{
	struct store *store = sim_store_door(sim);
	struct origin *origin = origin_new("u", "c", "test");
	const struct message_parts parts = {
		.topic = slice_str(topic),
		.payload = slice_str("payload"),
		.qos = 1,
		.retain = retained,
		.expires = expires,
		.origin = origin,
	};
	struct message *m = message_new(&parts);

	origin_unref(origin);
	m->id = id;
	if (retained)
		assert_int_equal(store->ops->retained_save(store, m, false), 0);
	else
		assert_int_equal(store->ops->message_save(store, m), 0);
	message_unref(m);
}

static void put_message(struct sim_store *sim, uint64_t id, const char *topic,
			bool retained)
{
	put_expiring(sim, id, topic, retained, MESSAGE_NO_EXPIRY);
}

static void put_queued(struct sim_store *sim, uint64_t session, uint64_t seq,
		       uint64_t message, enum store_queue_state row_state)
{
	static const uint8_t identifiers[] = { 0x0b, 5 };
	struct store *store = sim_store_door(sim);
	const struct store_queued row = {
		.session = session,
		.seq = seq,
		.message = message,
		.packet_id = outbox_packet_id(seq),
		.state = (uint8_t)row_state,
		.qos = 2,
		.identifiers = slice_of(identifiers, 2),
	};

	assert_int_equal(store->ops->queue_save(store, &row), 0);
}

static void put_subscription(struct sim_store *sim, uint64_t session,
			     const char *filter)
{
	struct store *store = sim_store_door(sim);
	const struct store_subscription row = {
		.filter = slice_str(filter),
		.options = 1,
	};

	assert_int_equal(store->ops->subscription_save(store, session, &row),
			 0);
}

/* A house with something of everything. */
static void fill(struct sim_store *sim)
{
	struct store *store = sim_store_door(sim);

	put_session(sim, 7, "seven");
	put_session(sim, 9, "nine");
	put_subscription(sim, 7, "a/#");
	put_subscription(sim, 7, "$share/g/b");
	put_subscription(sim, 9, "a/#");
	put_message(sim, 100, "a/x", false);
	put_message(sim, 101, "a/y", false);
	put_queued(sim, 7, 4, 100, STORE_RELEASED);
	put_queued(sim, 7, 6, 100, STORE_PUBLISHED);
	put_queued(sim, 7, 8, 101, STORE_QUEUED);
	put_queued(sim, 9, 1, 101, STORE_QUEUED);
	assert_int_equal(store->ops->inbound_add(store, 7, 33), 0);
	put_message(sim, 200, "r/1", true);
	commit(sim);
}

static void test_everything_is_taken_over(void **state)
{
	struct broker *broker;
	struct session *s;

	fill(*state);
	broker = sim_broker(*state, NULL);
	assert_non_null(broker);
	sim_check(broker);
	assert_int_equal(broker->session_count, 2);
	assert_int_equal(broker->subscription_count, 3);
	assert_int_equal(retained_count(broker->retained), 1);
	s = session_find(broker, slice_str("seven"));
	assert_string_equal(s->user, "anna");
	assert_int_equal(s->subscription_count, 2);
	assert_true(session_inbound_has(s, 33));
	assert_int_equal(outbox_seq(&s->outbox, 0), 4);
	assert_int_equal(s->outbox.count, 3); /* two were delivered between */
	assert_int_equal(s->outbox.queued, 3);
	assert_int_equal(outbox_at(&s->outbox, 0)->state, OUTGOING_RELEASED);
	assert_int_equal(outbox_at(&s->outbox, 1)->state, OUTGOING_SENT);
	assert_int_equal(outbox_seq(&s->outbox, 1), 6);
	assert_int_equal(outbox_at(&s->outbox, 2)->state, OUTGOING_QUEUED);
	assert_int_equal(outbox_seq(&s->outbox, 2), 8);
	assert_int_equal(outgoing_identifiers(outbox_at(&s->outbox, 2)).len, 2);
	/* Numbers go on after the highest seen. */
	assert_true(broker->next_session > 9);
	assert_true(broker->next_message > 200);
	broker_free(broker);
}

/* However many numbers lie between: they went to QoS 0, or were dropped. */
static void test_no_gap_is_too_wide(void **state)
{
	struct sim_store *sim = *state;
	const uint64_t far[] = { 4, 70000, UINT32_MAX * (uint64_t)2 };
	struct broker *broker;
	struct session *s;

	put_session(sim, 7, "seven");
	put_message(sim, 100, "a/x", false);
	for (size_t i = 0; i < 3; i++)
		put_queued(sim, 7, far[i], 100, STORE_QUEUED);
	commit(sim);
	broker = sim_broker(sim, NULL);
	assert_non_null(broker);
	sim_check(broker);
	s = session_find(broker, slice_str("seven"));
	assert_int_equal(s->outbox.count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(outbox_seq(&s->outbox, i), far[i]);
	broker_free(broker);
}

/* What a message nobody waits for has on disk goes. */
static void test_payloads_without_a_row_are_cleaned_up(void **state)
{
	struct broker *broker;

	put_session(*state, 1, "one");
	put_message(*state, 5, "a", false);
	put_message(*state, 6, "b", false);
	put_queued(*state, 1, 1, 6, STORE_QUEUED);
	commit(*state);
	broker = sim_broker(*state, NULL);
	sim_run(broker);
	assert_int_equal(sim_store_messages(*state), 1);
	assert_int_equal(sim_store_queued(*state), 1);
	broker_free(broker);
}

/* Rows that name what is not there, as a damaged file would have them. */
/* Retained and waiting for anna: bob gets it, too, and has it first. */
static void test_a_retained_message_keeps_the_row_of_who_waits(void **state)
{
	struct sim_store *sim = *state;
	struct broker *broker;
	struct sim_peer *bob;

	put_session(sim, 7, "anna");
	put_message(sim, 5, "t", false);
	put_message(sim, 5, "t", true);
	put_queued(sim, 7, 1, 5, STORE_QUEUED);
	commit(sim);
	broker = sim_broker(sim, NULL);
	bob = sim_client(broker, MQTT_3_1_1, "bob", false, NULL);
	/* It comes before SUBACK, which waits for the disk. */
	sim_peer_subscribe(bob, "t", 1);
	sim_peer_ack(bob, MQTT_PUBACK,
		     sim_peer_receive(bob, "t", "payload", 1));
	sim_peer_expect(bob, MQTT_SUBACK);
	assert_int_equal(sim_store_messages(sim), 1);
	assert_int_equal(sim_store_queued(sim), 1);
	sim_check(broker);
	sim_peer_close(bob);
	broker_free(broker);
}

static void test_rows_that_make_no_sense_are_left_out(void **state)
{
	struct broker *broker;
	struct session *s;

	put_session(*state, 1, "one");
	put_subscription(*state, 77, "a");
	put_message(*state, 5, "a", false);
	put_queued(*state, 77, 1, 5, STORE_QUEUED);
	put_queued(*state, 1, 1, 99, STORE_QUEUED);
	put_queued(*state, 1, 2, 5, STORE_QUEUED);
	put_queued(*state, 1, UINT64_MAX, 5, STORE_QUEUED);
	assert_int_equal(sim_store_door(*state)->ops->inbound_add(
				 sim_store_door(*state), 77, 3),
			 0);
	commit(*state);
	broker = sim_broker(*state, NULL);
	assert_non_null(broker);
	sim_check(broker);
	s = session_find(broker, slice_str("one"));
	assert_int_equal(broker->session_count, 1);
	assert_int_equal(broker->subscription_count, 0);
	assert_int_equal(s->outbox.queued, 1);
	broker_free(broker);
}

/* Nobody knows whether it was sent before the start: the client may hold its
 * identifier. */
static void test_a_void_message_lets_its_identifier_go(void **state)
{
	struct sim_store *sim = *state;
	struct sim_peer *one;
	struct broker *broker;

	put_session_of(sim, 1, "one", "");
	put_subscription(sim, 1, "b");
	put_expiring(sim, 5, "a", false, 1);
	put_queued(sim, 1, 4, 5, STORE_QUEUED);
	commit(sim);
	for (int again = 0; again < 2; again++) {
		broker = sim_broker(sim, NULL);
		one = sim_client(broker, MQTT_3_1_1, "one", false, NULL);
		assert_int_equal(sim_peer_expect(one, MQTT_PUBREL).data[1], 4);
		sim_check(broker);
		if (again) {
			sim_peer_ack(one, MQTT_PUBCOMP, 4);
			sim_peer_expect_nothing(one);
		}
		sim_peer_close(one);
		broker_free(broker);
	}
	assert_int_equal(sim_store_queued(sim), 0);
	assert_int_equal(sim_store_messages(sim), 0);
}

static void test_sessions_expire_from_the_start(void **state)
{
	struct broker *broker;

	put_session(*state, 1, "one");
	commit(*state);
	broker = sim_broker(*state, NULL);
	assert_true(list_linked(
		&session_find(broker, slice_str("one"))->timer.link));
	broker_free(broker);
}

/* Whoever said so may be gone as well: satellites too. */
static void test_boards_are_offline_until_they_say_otherwise(void **state)
{
	static const char *const boards[] = { "hearth/a/status",
					      "hearth/b/status" };
	const struct broker_options options = {
		.node = "a",
		.store = sim_store_door(*state),
		.status_topics = boards,
		.status_count = 2,
	};
	struct broker *broker;

	put_message(*state, 200, "hearth/a/status", true);
	put_message(*state, 201, "hearth/b/status", true);
	put_message(*state, 202, "hearth/c/status", true);
	commit(*state);
	broker = sim_broker_with(&options);
	assert_non_null(broker);
	for (size_t i = 0; i < 3; i++) {
		static const char *const all[] = { "hearth/a/status",
						   "hearth/b/status",
						   "hearth/c/status" };
		const struct message *m =
			retained_get(broker->retained, slice_str(all[i]), 0);

		assert_non_null(m);
		assert_true(
			slice_equal(message_payload(m),
				    slice_str(i < 2 ? "offline" : "payload")));
		/* Those made here have numbers of their own. */
		assert_true(i < 2 ? m->id > 202 : m->id == 202);
	}
	broker_free(broker);
}

static void test_without_memory_nothing_is_left(void **state)
{
	const struct broker_options options = {
		.node = "test",
		.store = sim_store_door(*state),
	};
	unsigned int n = 0;
	int r;

	fill(*state);
	do {
		struct broker *broker = broker_new(&options);

		assert_non_null(broker);
		failing_malloc_arm(n++);
		r = broker_load(broker);
		assert_int_equal(failing_malloc_disarm(), r == -ENOMEM);
		broker_free(broker);
		assert_int_equal(sim_store_sessions(*state), 2);
		assert_int_equal(sim_store_queued(*state), 4);
	} while (r < 0);
	assert_true(n > 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_everything_is_taken_over),
		T(test_no_gap_is_too_wide),
		T(test_payloads_without_a_row_are_cleaned_up),
		T(test_a_retained_message_keeps_the_row_of_who_waits),
		T(test_rows_that_make_no_sense_are_left_out),
		T(test_a_void_message_lets_its_identifier_go),
		T(test_sessions_expire_from_the_start),
		T(test_boards_are_offline_until_they_say_otherwise),
		T(test_without_memory_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
