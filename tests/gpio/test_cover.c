/* Where a cover stands, where it is to go, and what it is told; and a random life
 * of it on the real logic of its outputs, with crashes. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/cover.h"
#include "gpio/cover_command.h"
#include "gpio/cover_memory.h"
#include "gpio/logic.h"
#include "tests/failing_malloc.h"

static const struct cover_rules rules = {
	.up_ms = 20000,
	.down_ms = 10000,
	.end_ms = 2000,
};

static void assert_range(const struct cover *cover, uint64_t now, double low,
			 double high)
{
	double l, h;

	cover_at(cover, now, &l, &h);
	assert_true(fabs(l - low) < 1e-6);
	assert_true(fabs(h - high) < 1e-6);
}

static void test_a_run_to_an_end_tells_where_it_is(void **state)
{
	struct cover cover;
	struct cover_order order;

	(void)state;
	cover_init(&cover, &rules, 0, 100);
	assert_int_equal(cover_position(&cover, 0), -1);
	assert_string_equal(cover_text(&cover, 0), "stopped");
	order = cover_go(&cover, 0, 1000);
	assert_int_equal(order.motion, COVER_DOWN);
	assert_int_equal(order.ms, 12000);
	/* The relay comes later: its dead time. */
	cover_moves(&cover, COVER_DOWN, 1500);
	assert_string_equal(cover_text(&cover, 1500), "closing");
	assert_range(&cover, 6500, 0, 50);
	assert_range(&cover, 11500, 0, 0);
	cover_moves(&cover, COVER_STILL, 13500);
	assert_false(cover_go_on(&cover, 13500, &order));
	assert_int_equal(cover_position(&cover, 13500), 0);
	assert_string_equal(cover_text(&cover, 13500), "closed");
}

static void test_a_position_is_a_time(void **state)
{
	struct cover cover;
	struct cover_order order;

	(void)state;
	cover_init(&cover, &rules, 0, 0);
	order = cover_go(&cover, 30, 0);
	assert_int_equal(order.motion, COVER_UP);
	assert_int_equal(order.ms, 6000);
	cover_moves(&cover, COVER_UP, 0);
	assert_int_equal(cover_position(&cover, 3000), 15);
	cover_moves(&cover, COVER_STILL, 6000);
	assert_int_equal(cover_position(&cover, 6000), 30);
	assert_string_equal(cover_text(&cover, 6000), "open");
	/* It is as near as a relay can do. */
	assert_true(cover_go_on(&cover, 6000, &order) == false);
	order = cover_go(&cover, 30.2, 6000);
	assert_int_equal(order.motion, COVER_STILL);
	order = cover_go(&cover, 10, 6000);
	assert_int_equal(order.motion, COVER_DOWN);
	assert_int_equal(order.ms, 2000);
}

static void test_an_unknown_place_is_found_by_way_of_an_end(void **state)
{
	struct cover cover;
	struct cover_order order;

	(void)state;
	cover_init(&cover, &rules, 20, 60);
	order = cover_go(&cover, 70, 0);
	assert_int_equal(order.motion, COVER_UP);
	assert_int_equal(order.ms, 18000);
	cover_moves(&cover, COVER_UP, 0);
	cover_moves(&cover, COVER_STILL, 18000);
	assert_true(cover_go_on(&cover, 18000, &order));
	assert_int_equal(order.motion, COVER_DOWN);
	assert_int_equal(order.ms, 3000);
	cover_moves(&cover, COVER_DOWN, 18500);
	cover_moves(&cover, COVER_STILL, 21500);
	assert_false(cover_go_on(&cover, 21500, &order));
	assert_int_equal(cover_position(&cover, 21500), 70);
}

static void test_who_stops_it_is_not_overruled(void **state)
{
	struct cover cover;
	struct cover_order order;

	(void)state;
	cover_init(&cover, &rules, 0, 100);
	(void)cover_go(&cover, 70, 0);
	cover_moves(&cover, COVER_UP, 0);
	/* Safety, or a wall switch. */
	cover_moves(&cover, COVER_STILL, 5000);
	assert_false(cover_go_on(&cover, 5000, &order));
	/* The wall switch alone. */
	cover_moves(&cover, COVER_DOWN, 6000);
	cover_moves(&cover, COVER_STILL, 20000);
	assert_false(cover_go_on(&cover, 20000, &order));
	assert_int_equal(cover_position(&cover, 20000), 0);
	/* An order that was given up before the relay came. */
	(void)cover_go(&cover, 70, 21000);
	(void)cover_stop(&cover);
	cover_moves(&cover, COVER_UP, 22000);
	cover_moves(&cover, COVER_STILL, 24000);
	assert_false(cover_go_on(&cover, 24000, &order));
}

static void test_it_turns_round_in_the_middle(void **state)
{
	struct cover cover;
	struct cover_order order;

	(void)state;
	cover_init(&cover, &rules, 0, 0);
	(void)cover_go(&cover, 100, 0);
	cover_moves(&cover, COVER_UP, 0);
	order = cover_go(&cover, 25, 10000);
	assert_int_equal(order.motion, COVER_DOWN);
	assert_int_equal(order.ms, 2500);
	cover_moves(&cover, COVER_STILL, 10000);
	assert_false(cover_go_on(&cover, 10000, &order));
	cover_moves(&cover, COVER_DOWN, 10500);
	cover_moves(&cover, COVER_STILL, 13000);
	assert_int_equal(cover_position(&cover, 13000), 25);
	/* Further the same way: the time begins now. */
	(void)cover_go(&cover, 50, 13000);
	cover_moves(&cover, COVER_UP, 13000);
	order = cover_go(&cover, 60, 14000);
	assert_int_equal(order.ms, 6000);
	cover_moves(&cover, COVER_STILL, 20000);
	assert_int_equal(cover_position(&cover, 20000), 60);
	assert_false(cover_go_on(&cover, 20000, &order));
}

static void test_lines_that_are_lost_take_the_place_with_them(void **state)
{
	struct cover cover;

	(void)state;
	cover_init(&cover, &rules, 50, 50);
	cover_lost(&cover);
	assert_int_equal(cover_position(&cover, 0), -1);
}

/* ---- memory ------------------------------------------------------------- */

static void test_what_is_kept_is_true_whenever_it_is_read(void **state)
{
	json_t *memory = json_object();
	struct cover cover;
	double low, high;

	(void)state;
	cover_memory_get(NULL, "x", &low, &high);
	assert_true(low == 0 && high == 100);
	cover_init(&cover, &rules, 30, 30);
	assert_int_equal(cover_memory_put(memory, "x", &cover, 0), 0);
	cover_memory_get(memory, "x", &low, &high);
	assert_true(low == 30 && high == 30);
	cover_moves(&cover, COVER_UP, 0);
	assert_int_equal(cover_memory_put(memory, "x", &cover, 0), 0);
	cover_memory_get(memory, "x", &low, &high);
	assert_true(low == 30 && high == 100);
	json_object_set_new(memory, "x", json_string("?"));
	cover_memory_get(memory, "x", &low, &high);
	assert_true(low == 0 && high == 100);
	json_decref(memory);
}

static void test_keeping_survives_each_failing_allocation(void **state)
{
	json_t *memory = json_object();
	struct cover cover;
	double low, high;
	int r;

	(void)state;
	cover_init(&cover, &rules, 30, 30);
	for (unsigned int n = 0;; n++) {
		failing_malloc_arm(n);
		r = cover_memory_put(memory, "x", &cover, 0);
		if (!failing_malloc_disarm())
			break;
		assert_int_not_equal(r, 0);
		cover_memory_get(memory, "x", &low, &high);
		assert_true(low == 0 && high == 100);
	}
	assert_int_equal(r, 0);
	json_decref(memory);
}

/* ---- commands ----------------------------------------------------------- */

static void test_commands_as_they_are_written(void **state)
{
	static const struct {
		const char *text;
		bool stop;
		double position; /* -1: refused */
	} table[] = {
		{ "OPEN", false, 100 },
		{ "close", false, 0 },
		{ "Stop", true, 0 },
		{ "30", false, 30 },
		{ "0", false, 0 },
		{ "{\"state\":\"OPEN\"}", false, 100 },
		{ "{\"position\":12.5,\"id\":7}", false, 12.5 },
		{ "{\"state\":\"STOP\",\"id\":\"x\"}", true, 0 },
		{ "101", false, -1 },
		{ "-1", false, -1 },
		{ "", false, -1 },
		{ "UP", false, -1 },
		{ "OPENING NOW", false, -1 },
		{ "{}", false, -1 },
		{ "[]", false, -1 },
		{ "\"OPEN\"", false, -1 },
		{ "{\"state\":\"OPEN\",\"position\":1}", false, -1 },
		{ "{\"state\":\"OPEN\",\"tilt\":1}", false, -1 },
		{ "{\"state\":1}", false, -1 },
		{ "{\"position\":\"1\"}", false, -1 },
		{ "{\"position\":1,\"id\":[]}", false, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct cover_command command;
		const char *reason = NULL;
		int r = cover_command_parse(slice_str(table[i].text), &command,
					    &reason);

		assert_int_equal(r, table[i].position < 0 ? -EINVAL : 0);
		assert_true(!r == !reason);
		if (r)
			continue;
		assert_int_equal(command.stop, table[i].stop);
		assert_true(command.position == table[i].position);
		cover_command_free(&command);
	}
}

/* ---- a life ------------------------------------------------------------- */

#define UP 0u
#define DOWN 1u
#define LIVES 300u
#define STEPS 400u

struct life {
	struct logic logic;
	struct cover cover;
	json_t *memory;
	uint64_t now;
	double truth; /* where the cover is, of wood and canvas */
	bool known; /* was the position known when it was sent? */
	double goal; /* it goes there and nobody has meddled; -1 */
	uint32_t token;
	uint32_t tokens;
	unsigned int arrivals;
};

static uint64_t seed;

static unsigned int chance(unsigned int of)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(seed >> 33) % of;
}

static enum cover_motion motion_of(const struct life *life)
{
	bool up = life->logic.output[UP].now.on;
	bool down = life->logic.output[DOWN].now.on;

	assert_false(up && down);
	return up ? COVER_UP : down ? COVER_DOWN : COVER_STILL;
}

static void pass(struct life *life, uint64_t ms)
{
	enum cover_motion motion = motion_of(life);

	if (motion == COVER_UP)
		life->truth += 100.0 * (double)ms / (double)rules.up_ms;
	if (motion == COVER_DOWN)
		life->truth -= 100.0 * (double)ms / (double)rules.down_ms;
	life->truth = fmin(fmax(life->truth, 0), 100);
	life->now += ms;
}

static void look(struct life *life)
{
	double low, high;

	if (life->cover.motion != motion_of(life)) {
		cover_moves(&life->cover, motion_of(life), life->now);
		assert_int_equal(cover_memory_put(life->memory, "x",
						  &life->cover, life->now),
				 0);
	}
	cover_at(&life->cover, life->now, &low, &high);
	assert_true(life->truth > low - 0.01 && life->truth < high + 0.01);
}

static void run(struct life *life)
{
	struct logic_action action;
	struct logic_verdict verdict;

	while (logic_act(&life->logic, life->now, &action)) {
		logic_done(&life->logic, &action, action.on, life->now);
		look(life);
	}
	while (logic_answer(&life->logic, &verdict))
		if (verdict.result != LOGIC_APPLIED &&
		    verdict.token == life->token)
			(void)cover_stop(&life->cover);
	look(life);
}

static void order(struct life *life, unsigned int output, bool on, uint64_t ms)
{
	struct logic_command command = {
		.verb = on ? LOGIC_ON : LOGIC_OFF,
		.on_time_ms = ms,
	};
	struct logic_verdict verdict = logic_order(
		&life->logic, output, &command, ++life->tokens, life->now);

	if (verdict.result != LOGIC_ACCEPTED && life->tokens == life->token)
		(void)cover_stop(&life->cover);
	run(life);
}

static void give(struct life *life, const struct cover_order *what)
{
	if (what->motion == COVER_STILL) {
		order(life, UP, false, 0);
		order(life, DOWN, false, 0);
		return;
	}
	life->token = life->tokens + 1;
	order(life, what->motion == COVER_UP ? UP : DOWN, true, what->ms);
}

static void go(struct life *life, double goal)
{
	struct cover_order what = cover_go(&life->cover, goal, life->now);

	life->goal = goal;
	give(life, &what);
}

/* It runs out, and goes on where there is more to do. */
static void wait(struct life *life, uint64_t ms)
{
	uint64_t end = life->now + ms;
	struct cover_order what;

	while (life->now < end) {
		uint64_t next = logic_next(&life->logic, life->now);

		next = next < end ? next : end;
		pass(life, next > life->now ? next - life->now : 0);
		run(life);
		if (cover_go_on(&life->cover, life->now, &what))
			give(life, &what);
		else if (next == end &&
			 logic_next(&life->logic, life->now) <= life->now)
			pass(life, 1);
	}
}

static void begin(struct life *life)
{
	static const struct logic_rules relay = { .group = 1, .dead_ms = 500 };
	struct logic_start start = { .on = false };
	double low, high;

	logic_init(&life->logic, life->now);
	logic_add(&life->logic, UP, &relay, start, life->now);
	logic_add(&life->logic, DOWN, &relay, start, life->now);
	cover_memory_get(life->memory, "x", &low, &high);
	cover_init(&life->cover, &rules, low, high);
	life->goal = -1;
	life->token = 0;
}

/* The process dies; the relays go off some time later. */
static void crash(struct life *life)
{
	pass(life, chance(3000));
	begin(life);
	run(life);
}

static void step(struct life *life)
{
	struct cover_order what;

	switch (chance(8)) {
	case 0:
	case 1:
		go(life, chance(5) == 0 ? 100 * chance(2) : chance(101));
		break;
	case 2:
		what = cover_stop(&life->cover);
		life->goal = -1;
		give(life, &what);
		break;
	case 3: /* a wall switch */
		life->goal = -1;
		order(life, chance(2), chance(2), 0);
		break;
	case 4:
		if (chance(4) == 0)
			crash(life);
		break;
	default:
		break;
	}
	/* Time to get there by way of an end, or less. */
	wait(life, chance(2) ? 60000 : chance(9000));
	if (life->goal >= 0 && !life->cover.going &&
	    life->cover.motion == COVER_STILL) {
		assert_true(fabs(life->truth - life->goal) < 1.5);
		life->arrivals++;
	}
}

static void test_a_random_life_never_lies_about_its_place(void **state)
{
	unsigned int arrivals = 0;

	(void)state;
	for (unsigned int n = 0; n < LIVES; n++) {
		struct life life = { .memory = json_object(),
				     .now = 1000,
				     .goal = -1 };

		seed = n + 1;
		life.truth = chance(101);
		begin(&life);
		for (unsigned int i = 0; i < STEPS; i++)
			step(&life);
		arrivals += life.arrivals;
		json_decref(life.memory);
	}
	/* They did go somewhere. */
	assert_true(arrivals > LIVES * STEPS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_run_to_an_end_tells_where_it_is),
		cmocka_unit_test(test_a_position_is_a_time),
		cmocka_unit_test(
			test_an_unknown_place_is_found_by_way_of_an_end),
		cmocka_unit_test(test_who_stops_it_is_not_overruled),
		cmocka_unit_test(test_it_turns_round_in_the_middle),
		cmocka_unit_test(
			test_lines_that_are_lost_take_the_place_with_them),
		cmocka_unit_test(test_what_is_kept_is_true_whenever_it_is_read),
		cmocka_unit_test(test_keeping_survives_each_failing_allocation),
		cmocka_unit_test(test_commands_as_they_are_written),
		cmocka_unit_test(test_a_random_life_never_lies_about_its_place),
	};

	/* Through here, so that failing_malloc reaches the library too. */
	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
