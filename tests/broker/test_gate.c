#include "broker/session/gate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "tests/failing_malloc.h"

static int push(struct gate *gate, uint64_t ticket, uint16_t id)
{
	const struct gated gated = { .ticket = ticket, .packet_id = id };

	return gate_push(gate, &gated);
}

static void expect(struct gate *gate, uint64_t committed, uint16_t id)
{
	struct gated out;

	assert_true(gate_pop(gate, committed, &out));
	assert_int_equal(out.packet_id, id);
}

static void test_it_opens_in_order_at_the_ticket(void **state)
{
	struct gated out;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	assert_false(gate_pop(&gate, UINT64_MAX, &out));
	assert_int_equal(push(&gate, 5, 1), 0);
	assert_int_equal(push(&gate, 0, 2), 0); /* behind the first */
	assert_int_equal(push(&gate, 7, 3), 0);
	assert_false(gate_pop(&gate, 4, &out));
	expect(&gate, 5, 1);
	expect(&gate, 5, 2);
	assert_false(gate_pop(&gate, 6, &out));
	expect(&gate, 7, 3);
	assert_false(gate_pop(&gate, 7, &out));
	gate_clear(&gate);
}

static void test_the_ring_turns_and_grows(void **state)
{
	uint16_t in = 0, out = 0;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < round % 40; i++)
			assert_int_equal(push(&gate, 1, in++), 0);
		for (int i = 0; i < round % 37 && out != in; i++)
			expect(&gate, 1, out++);
		assert_int_equal(gate.count, (uint16_t)(in - out));
	}
	while (out != in)
		expect(&gate, 1, out++);
	assert_null(gate.ring); /* an idle connection holds nothing */
}

static void test_clear_frees_what_waits(void **state)
{
	struct gated gated = { .ticket = 1, .packet_len = 1 };
	struct list head;
	struct gate gate;

	(void)state;
	list_init(&head);
	gate_init(&gate);
	list_append(&head, &gate.link);
	for (int i = 0; i < 3; i++) {
		gated.packet = malloc(1);
		assert_int_equal(gate_push(&gate, &gated), 0);
	}
	gate_clear(&gate);
	assert_true(list_empty(&head));
	assert_int_equal(gate.count, 0);
	gate_clear(&gate);
}

static void test_it_has_an_end(void **state)
{
	struct gate gate;

	(void)state;
	gate_init(&gate);
	for (uint32_t i = 0; i < LIMIT_GATED; i++)
		assert_int_equal(push(&gate, 1, (uint16_t)i), 0);
	assert_int_equal(push(&gate, 1, 0), -ENOBUFS);
	expect(&gate, 1, 0);
	assert_int_equal(push(&gate, 1, 0), 0);
	gate_clear(&gate);
}

static void test_a_push_without_memory_changes_nothing(void **state)
{
	struct gate gate;

	(void)state;
	gate_init(&gate);
	for (uint16_t i = 0; i < 100; i++) {
		failing_malloc_arm(0);
		if (push(&gate, 1, i) == -ENOMEM) {
			assert_true(failing_malloc_disarm());
			assert_int_equal(gate.count, i);
			assert_int_equal(push(&gate, 1, i), 0);
		}
		failing_malloc_disarm();
	}
	for (uint16_t i = 0; i < 100; i++)
		expect(&gate, 1, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_opens_in_order_at_the_ticket),
		cmocka_unit_test(test_the_ring_turns_and_grows),
		cmocka_unit_test(test_clear_frees_what_waits),
		cmocka_unit_test(test_it_has_an_end),
		cmocka_unit_test(test_a_push_without_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
