#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/lines_sim.h"
#include "gpio/sim_play.h"

#define DAY_MS (24u * 60 * 60 * 1000)

static const enum sim_scenario all[] = {
	SIM_PLAY_DOOR,
	SIM_PLAY_NOISY_BUTTON,
	SIM_PLAY_FLOW_METER,
};

#define ALL (sizeof(all) / sizeof(all[0]))

/* Presses from the next one on, within so long; *now goes on. */
static unsigned int presses(struct sim_play *play, uint64_t *now, uint64_t ms)
{
	const uint64_t end = *now + ms;
	unsigned int count = 0;

	while (play->due < end) {
		*now = play->due;
		assert_int_not_equal(sim_play_pass(play, *now), 0);
		count++;
	}
	*now = end;
	return count;
}

static void test_each_has_a_name(void **state)
{
	enum sim_scenario found;

	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		assert_true(sim_play_find(sim_play_name(all[i]), &found));
		assert_int_equal(found, all[i]);
	}
	assert_null(sim_play_name(SIM_PLAY_NOTHING));
	assert_false(sim_play_find("", &found));
	assert_false(sim_play_find("doors", &found));
}

static void test_a_door_opens_twice_a_minute(void **state)
{
	struct sim_play play;
	uint64_t now = 5000;

	(void)state;
	sim_play_begin(&play, SIM_PLAY_DOOR, now);
	assert_int_equal(sim_play_pass(&play, now + 999), 0);
	assert_int_equal(sim_play_pass(&play, now + 1000), 5000);
	/* It closes before it opens again. */
	assert_int_equal(play.due, now + 1000 + 5000 + 29000);
	assert_in_range(presses(&play, &now, 600000), 17, 20);
}

static void test_water_flows_and_stops(void **state)
{
	struct sim_play play;
	uint64_t now = 0;

	(void)state;
	sim_play_begin(&play, SIM_PLAY_FLOW_METER, now);
	assert_int_equal(presses(&play, &now, 9999), 0);
	assert_int_equal(presses(&play, &now, 12000), 40);
	assert_int_equal(presses(&play, &now, 9000), 0);
	assert_int_equal(presses(&play, &now, 13000), 40);
}

static void test_a_noisy_button_chatters_first(void **state)
{
	struct sim_play play;
	uint64_t now = 0;

	(void)state;
	sim_play_begin(&play, SIM_PLAY_NOISY_BUTTON, now);
	assert_int_equal(presses(&play, &now, 4500), 0);
	assert_int_equal(presses(&play, &now, 100), 4);
	assert_int_equal(presses(&play, &now, 4000), 0);
}

static void test_nothing_plays_nothing(void **state)
{
	struct sim_play play;

	(void)state;
	sim_play_begin(&play, SIM_PLAY_NOTHING, 1);
	assert_int_equal(play.due, UINT64_MAX);
	assert_int_equal(sim_play_pass(&play, DAY_MS), 0);
}

/* Every press can be made, and what was slept through is not made up for. */
static void test_they_go_on_for_days(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		struct sim_play play;
		uint64_t now = 0;

		sim_play_begin(&play, all[i], now);
		while (now < 3 * (uint64_t)DAY_MS) {
			uint32_t ms = sim_play_pass(&play, play.due);

			assert_in_range(ms, 1, LINES_SIM_PRESS_MAX);
			assert_true(play.due > now);
			now = play.due;
		}
		assert_int_not_equal(sim_play_pass(&play, now + DAY_MS), 0);
		assert_int_equal(sim_play_pass(&play, now + DAY_MS), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_has_a_name),
		cmocka_unit_test(test_a_door_opens_twice_a_minute),
		cmocka_unit_test(test_water_flows_and_stops),
		cmocka_unit_test(test_a_noisy_button_chatters_first),
		cmocka_unit_test(test_nothing_plays_nothing),
		cmocka_unit_test(test_they_go_on_for_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
