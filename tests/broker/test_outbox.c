#include "broker/session/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/origin.h"
#include "tests/failing_malloc.h"

static struct message *make(size_t payload)
{
	static uint8_t bytes[4096];
	struct origin *origin = origin_new("u", "c", "test");
	const struct message_parts parts = {
		.topic = slice_str("t"),
		.payload = slice_of(bytes, payload),
		.expires = MESSAGE_NO_EXPIRY,
		.origin = origin,
	};
	struct message *m = message_new(&parts);

	origin_unref(origin);
	assert_non_null(m);
	return m;
}

static struct outgoing *push(struct outbox *box, uint8_t qos)
{
	const struct outgoing o = {
		.message = make(9),
		.state = OUTGOING_QUEUED,
		.qos = qos,
	};
	struct outgoing *slot = outbox_push(box, &o);

	assert_non_null(slot);
	return slot;
}

static uint16_t id_of(const struct outbox *box, uint32_t i)
{
	return outbox_packet_id(outbox_seq(box, i));
}

static void test_what_is_acknowledged_in_order_leaves_nothing(void **state)
{
	struct outbox box;

	(void)state;
	outbox_init(&box);
	for (uint32_t i = 0; i < 20; i++) {
		push(&box, 1);
		outbox_mark_sent(&box, i);
	}
	assert_int_equal(box.inflight, 20);
	assert_int_equal(box.queued, 0);
	assert_int_equal(box.bytes, 200);
	for (uint32_t i = 0; i < 20; i++) {
		const int64_t at = outbox_find(&box, id_of(&box, 0));

		assert_int_equal(at, 0);
		outbox_finish(&box, 0);
	}
	assert_int_equal(box.count, 0);
	assert_int_equal(box.bytes, 0);
	outbox_clear(&box);
}

static void test_what_is_finished_out_of_order_holds_its_place(void **state)
{
	struct outbox box;
	uint16_t ids[4];

	(void)state;
	outbox_init(&box);
	for (uint32_t i = 0; i < 4; i++) {
		push(&box, 1);
		outbox_mark_sent(&box, i);
		ids[i] = id_of(&box, i);
	}
	outbox_finish(&box, (uint32_t)outbox_find(&box, ids[2]));
	outbox_finish(&box, (uint32_t)outbox_find(&box, ids[1]));
	assert_int_equal(box.count, 4);
	assert_int_equal(box.inflight, 2);
	assert_int_equal(outbox_find(&box, ids[1]), -1);
	assert_int_equal(outbox_find(&box, ids[3]), 3);
	outbox_finish(&box, 0);
	assert_int_equal(box.count, 1);
	assert_int_equal(outbox_find(&box, ids[3]), 0);
	outbox_finish(&box, 0);
	assert_int_equal(box.count, 0);
	outbox_clear(&box);
}

static void test_qos0_is_done_when_sent(void **state)
{
	struct outbox box;

	(void)state;
	outbox_init(&box);
	push(&box, 0);
	push(&box, 1);
	assert_int_equal(box.queued_qos0, 1);
	outbox_mark_sent(&box, 0);
	assert_int_equal(box.queued_qos0, 0);
	assert_int_equal(box.count, 1);
	assert_int_equal(box.queued, 1);
	assert_int_equal(box.inflight, 0);
	outbox_clear(&box);
}

static void test_what_was_not_sent_cannot_be_acknowledged(void **state)
{
	struct outbox box;

	(void)state;
	outbox_init(&box);
	push(&box, 1);
	push(&box, 1);
	outbox_mark_sent(&box, 0);
	assert_int_equal(outbox_find(&box, id_of(&box, 1)), -1);
	assert_int_equal(outbox_find(&box, 0), -1);
	assert_int_equal(outbox_find(&box, 40000), -1);
	outbox_clear(&box);
}

static void test_rewind_sends_again_all_but_what_is_done(void **state)
{
	struct outbox box;

	(void)state;
	outbox_init(&box);
	for (uint32_t i = 0; i < 4; i++) {
		push(&box, 2);
		if (i < 3)
			outbox_mark_sent(&box, i);
	}
	outbox_finish(&box, 1);
	outbox_release(&box, 2);
	outbox_rewind(&box);
	assert_int_equal(box.sent, 0);
	assert_int_equal(box.inflight, 0);
	assert_int_equal(box.queued, 3);
	assert_int_equal(outbox_at(&box, 0)->state, OUTGOING_SENT);
	assert_int_equal(outbox_at(&box, 2)->state, OUTGOING_RELEASED);
	assert_int_equal(outbox_at(&box, 3)->state, OUTGOING_QUEUED);
	/* A tombstone is passed over, what was released stays released. */
	outbox_mark_sent(&box, 0);
	outbox_mark_sent(&box, 1);
	outbox_mark_sent(&box, 2);
	assert_int_equal(box.inflight, 2);
	assert_int_equal(outbox_at(&box, 2)->state, OUTGOING_RELEASED);
	outbox_clear(&box);
}

/* Identifiers run 1..65535 and never 0, and are found across the turn. */
static void test_identifiers_go_round(void **state)
{
	struct outbox box;

	(void)state;
	outbox_init(&box);
	assert_int_equal(outbox_packet_id(1), 1);
	assert_int_equal(outbox_packet_id(65535), 65535);
	assert_int_equal(outbox_packet_id(65536), 1);
	box.next_seq = 65534;
	for (uint32_t i = 0; i < 4; i++) {
		push(&box, 1);
		outbox_mark_sent(&box, i);
		assert_int_not_equal(id_of(&box, i), 0);
	}
	assert_int_equal(id_of(&box, 0), 65534);
	assert_int_equal(id_of(&box, 2), 1);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(outbox_find(&box, id_of(&box, i)), i);
	outbox_clear(&box);
}

/* Many rounds through the ring, a long backlog now and then. */
static void test_the_ring_turns(void **state)
{
	struct outbox box;
	uint64_t expected = 1, pushed = 1;

	(void)state;
	outbox_init(&box);
	for (unsigned int round = 0; round < 200; round++) {
		const uint32_t n = round % 50 == 0 ? 3000 : 1 + round % 7;

		for (uint32_t i = 0; i < n; i++) {
			push(&box, 1);
			assert_int_equal(outbox_seq(&box, box.count - 1),
					 pushed++);
		}
		while (box.sent < box.count)
			outbox_mark_sent(&box, box.sent);
		while (box.count > (round % 3)) {
			assert_int_equal(outbox_seq(&box, 0), expected++);
			outbox_finish(&box, 0);
		}
	}
	outbox_clear(&box);
	assert_int_equal(box.bytes, 0);
}

/* One at QoS 2 that its client does not finish, and a month of others. */
static void test_one_that_stays_holds_no_places_of_others(void **state)
{
	struct outbox box;
	uint16_t head;

	(void)state;
	outbox_init(&box);
	push(&box, 2);
	outbox_mark_sent(&box, 0);
	head = id_of(&box, 0);
	for (uint32_t i = 0; i < 60000; i++) {
		uint16_t id;

		push(&box, 1);
		outbox_mark_sent(&box, box.count - 1);
		id = id_of(&box, box.count - 1);
		assert_int_equal(outbox_find(&box, id), box.count - 1);
		outbox_finish(&box, box.count - 1);
		assert_int_equal(outbox_find(&box, id), -1);
		assert_true(box.cap <= 16);
	}
	assert_int_equal(outbox_find(&box, head), 0);
	assert_int_equal(outbox_span(&box, box.next_seq), 60001);
	outbox_finish(&box, 0);
	assert_int_equal(box.count, 0);
	outbox_clear(&box);
}

/* Numbers are missing, in front of what was sent and of what waits. */
static void test_each_is_found_among_missing_numbers(void **state)
{
	struct outbox box;

	(void)state;
	outbox_init(&box);
	for (uint64_t i = 0; i < 300; i++) {
		struct outgoing *o = push(&box, 1);

		o->seq += i / 3;
		box.next_seq = o->seq + 1;
		if (i < 200)
			outbox_mark_sent(&box, (uint32_t)i);
	}
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(outbox_find(&box, id_of(&box, i)),
				 i < 200 ? (int64_t)i : -1);
	/* What is missing is not found. */
	assert_true(outbox_seq(&box, 3) > outbox_seq(&box, 2) + 1);
	assert_int_equal(outbox_find(&box, (uint16_t)(id_of(&box, 2) + 1)), -1);
	outbox_clear(&box);
}

/* The walk to the oldest begins where the last one ended. */
static void test_the_oldest_of_each_kind(void **state)
{
	struct outbox box;

	(void)state;
	outbox_init(&box);
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNSENT), -1);
	for (uint8_t i = 0; i < 6; i++)
		push(&box, i % 3); /* 0 1 2 0 1 2 */
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNANSWERED), -1);
	for (uint32_t i = 0; i < 2; i++)
		outbox_mark_sent(&box, 0);
	outbox_mark_sent(&box, 1); /* 1 2 are sent; 0 1 2 wait */
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNANSWERED), -1);
	outbox_rewind(&box);
	assert_int_equal(box.sums->begun, 1);
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNANSWERED), 0);
	assert_int_equal(outbox_oldest(&box, OUTBOX_QOS0), 2);
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNSENT), 2);
	outbox_finish(&box, 2);
	assert_int_equal(outbox_oldest(&box, OUTBOX_QOS0), -1);
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNSENT), 3);
	outbox_finish(&box, 3);
	outbox_finish(&box, 4);
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNSENT), -1);
	push(&box, 1);
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNSENT), 5);
	outbox_finish(&box, 0);
	assert_int_equal(outbox_oldest(&box, OUTBOX_UNANSWERED), -1);
	assert_int_equal(box.sums->begun_bytes, 10);
	outbox_clear(&box);
}

static void test_replays_are_not_among_the_bytes(void **state)
{
	struct outgoing o = {
		.message = make(9),
		.state = OUTGOING_QUEUED,
		.qos = 2,
		.replay = true,
	};
	struct outbox box;

	(void)state;
	outbox_init(&box);
	assert_non_null(outbox_push(&box, &o));
	assert_int_equal(box.bytes, 0);
	assert_int_equal(box.sums->replayed_bytes, 10);
	outbox_mark_sent(&box, 0);
	assert_int_equal(box.sums->replayed_bytes, 0);
	outbox_release(&box, 0);
	assert_int_equal(box.sums->begun, 0);
	outbox_rewind(&box);
	outbox_mark_sent(&box, 0);
	outbox_finish(&box, 0);
	assert_int_equal(box.bytes, 0);
	assert_int_equal(box.count, 0);
	outbox_clear(&box);
}

static void test_identifiers_of_subscriptions_are_copied(void **state)
{
	struct outgoing o = { 0 };
	uint8_t bytes[300];

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	assert_true(outgoing_set_identifiers(&o, slice_of(NULL, 0)));
	assert_null(o.identifiers);
	assert_int_equal(outgoing_identifiers(&o).len, 0);
	assert_true(outgoing_set_identifiers(&o, slice_of(bytes, 300)));
	assert_true(
		slice_equal(outgoing_identifiers(&o), slice_of(bytes, 300)));
	free(o.identifiers);
	o.identifiers = NULL;
	failing_malloc_arm(0);
	assert_false(outgoing_set_identifiers(&o, slice_of(bytes, 3)));
	assert_true(failing_malloc_disarm());
	assert_null(o.identifiers);
}

static void test_a_push_without_memory_changes_nothing(void **state)
{
	struct outgoing o = { .state = OUTGOING_QUEUED, .qos = 1 };
	struct outbox box;

	(void)state;
	outbox_init(&box);
	o.message = make(1);
	for (uint32_t n = 0; n < 40;) {
		const struct outbox before = box;

		failing_malloc_arm(0);
		if (outbox_push(&box, &o)) {
			failing_malloc_disarm();
			message_ref(o.message);
			n++;
			continue;
		}
		assert_true(failing_malloc_disarm());
		assert_memory_equal(&box, &before, sizeof(box));
		assert_non_null(outbox_push(&box, &o));
		message_ref(o.message);
		n++;
	}
	assert_int_equal(box.count, 40);
	message_unref(o.message);
	outbox_clear(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_is_acknowledged_in_order_leaves_nothing),
		cmocka_unit_test(
			test_what_is_finished_out_of_order_holds_its_place),
		cmocka_unit_test(test_qos0_is_done_when_sent),
		cmocka_unit_test(test_what_was_not_sent_cannot_be_acknowledged),
		cmocka_unit_test(test_rewind_sends_again_all_but_what_is_done),
		cmocka_unit_test(test_identifiers_go_round),
		cmocka_unit_test(test_the_ring_turns),
		cmocka_unit_test(test_one_that_stays_holds_no_places_of_others),
		cmocka_unit_test(test_each_is_found_among_missing_numbers),
		cmocka_unit_test(test_the_oldest_of_each_kind),
		cmocka_unit_test(test_replays_are_not_among_the_bytes),
		cmocka_unit_test(test_identifiers_of_subscriptions_are_copied),
		cmocka_unit_test(test_a_push_without_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
