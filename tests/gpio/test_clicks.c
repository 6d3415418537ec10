#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/clicks.h"

/* What happened, as "press release single". */
static char heard[512];

static void hear(enum click click, void *arg)
{
	size_t len = strlen(heard);

	assert_ptr_equal(arg, heard);
	(void)snprintf(heard + len, sizeof(heard) - len, "%s%s", len ? " " : "",
		       click_text(click));
}

/* A script: "+100" pressed at 100 ms, "-150" released, "=900" time passes. */
static void play(struct clicks *clicks, const char *script)
{
	const char *at = script;
	char *end;

	heard[0] = '\0';
	while (*at) {
		uint64_t time = strtoul(at + 1, &end, 10);

		if (*at == '=')
			clicks_pass(clicks, time, hear, heard);
		else
			clicks_edge(clicks, *at == '+', time, hear, heard);
		at = *end ? end + 1 : end;
	}
}

static const struct clicks_times usual = { 300, 800, 200 };

static void test_what_was_meant(void **state)
{
	static const struct {
		const char *script;
		const char *heard;
	} cases[] = {
		{ "+100 -150", "press release" },
		{ "+100 -150 =449", "press release" },
		{ "+100 -150 =450", "press release single" },
		{ "+100 -150 =9999", "press release single" },
		{ "+100 -150 +300 -350 =650",
		  "press release press release double" },
		/* The third is known at once. */
		{ "+100 -150 +300 -350 +500 -550",
		  "press release press release press release triple" },
		{ "+100 -150 +300 -350 +500 -550 +700 -750 =1050",
		  "press release press release press release triple"
		  " press release single" },
		/* A pause too long, told by the next edge alone. */
		{ "+100 -150 +450 -500 =800",
		  "press release single press release single" },
		{ "+100 -150 +449 -500 =800",
		  "press release press release double" },
		{ "+100 =899", "press" },
		{ "+100 =900", "press long" },
		{ "+100 =900 -950 =2000", "press long release" },
		{ "+100 -899 =1199", "press release single" },
		{ "+100 =1100 =1300 -1350 =2000",
		  "press long hold hold release" },
		/* Told late, they do not come all at once. */
		{ "+100 =5000 =5100 =5200 -5300", "press long hold release" },
		/* A click and a long press. */
		{ "+100 -150 +300 =1100 -1150 =2000",
		  "press release press single long release" },
		/* Edges that change nothing. */
		{ "+100 +120 -150 -160 =450", "press release single" },
		{ "=500", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct clicks clicks;

		clicks_init(&clicks, &usual, false);
		play(&clicks, cases[i].script);
		assert_string_equal(heard, cases[i].heard);
	}
}

static void test_what_is_not_wanted_is_not_waited_for(void **state)
{
	const struct clicks_times single = { 0, 0, 0 };
	const struct clicks_times no_hold = { 300, 800, 0 };
	struct clicks clicks;

	(void)state;
	clicks_init(&clicks, &single, false);
	play(&clicks, "+100 =60000 -60100");
	assert_string_equal(heard, "press release single");
	assert_true(clicks.due == UINT64_MAX);
	clicks_init(&clicks, &no_hold, false);
	play(&clicks, "+100 =60000 -60100 =70000");
	assert_string_equal(heard, "press long release");
	assert_true(clicks.due == UINT64_MAX);
}

static void test_held_at_the_start_is_no_press(void **state)
{
	struct clicks clicks;

	(void)state;
	clicks_init(&clicks, &usual, true);
	assert_true(clicks.due == UINT64_MAX);
	play(&clicks, "=5000 -6000 =7000 +8000 -8050 =9000");
	assert_string_equal(heard, "release press release single");
}

static void test_it_says_when_something_is_due(void **state)
{
	struct clicks clicks;

	(void)state;
	clicks_init(&clicks, &usual, false);
	play(&clicks, "+100");
	assert_int_equal(clicks.due, 900);
	play(&clicks, "=900");
	assert_int_equal(clicks.due, 1100);
	play(&clicks, "-1000");
	assert_true(clicks.due == UINT64_MAX);
	play(&clicks, "+2000 -2100");
	assert_int_equal(clicks.due, 2400);
}

/* The same in each run. */
static uint32_t next_random(void)
{
	static uint32_t x = 7;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Whatever is pressed, each press has its release, and clicks are never more
 * than releases. */
static void test_random_pressing_adds_up(void **state)
{
	struct clicks clicks;
	uint64_t time = 0;

	(void)state;
	clicks_init(&clicks, &usual, false);
	for (int i = 0; i < 100000; i++) {
		unsigned int clicked = 0, released = 0;

		heard[0] = '\0';
		time += next_random() % 500;
		if (next_random() % 3)
			clicks_edge(&clicks, next_random() % 2, time, hear,
				    heard);
		else
			clicks_pass(&clicks, time, hear, heard);
		clicked += strstr(heard, "single") ? 1 : 0;
		clicked += strstr(heard, "double") ? 2 : 0;
		clicked += strstr(heard, "triple") ? 3 : 0;
		released += clicks.count;
		assert_true(clicks.count < 3);
		assert_true(clicked + released <= 5);
		assert_true(clicks.due > time);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_meant),
		cmocka_unit_test(test_what_is_not_wanted_is_not_waited_for),
		cmocka_unit_test(test_held_at_the_start_is_no_press),
		cmocka_unit_test(test_it_says_when_something_is_due),
		cmocka_unit_test(test_random_pressing_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
