/* Covers as a user meets them: commands in, where it stands out, both outputs
 * never on together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/cover_memory.h"
#include "gpio/file.h"
#include "tests/gpio/node_rig.h"

#define OUT(name, line, more)                                   \
	"{\"name\":\"" name "\",\"dir\":\"out\",\"line\":" line \
	",\"interlock\":\"blind\"" more "}"
#define PINS OUT("up", "17", ",\"dead_ms\":50") "," OUT("down", "27", "")
#define BLIND(times)                                                     \
	"{\"name\":\"blind\",\"kind\":\"cover\",\"up\":\"up\",\"down\":" \
	"\"down\"," times "}"
#define FAST "\"up_time\":0.4,\"down_time\":0.4,\"end_time\":0.1"
#define SLOW "\"up_time\":600,\"down_time\":600"
#define DOCUMENT(revision, pins, devices)                                      \
	"{\"revision\":" revision ",\"pins\":[" pins "],\"devices\":[" devices \
	"]}"

#define STATE "hearth/pi/cover/blind"
#define POSITION "hearth/pi/cover/blind/position"
#define SET "hearth/pi/cover/blind/set"
#define RESULT "hearth/pi/cover/blind/result"

static void set_up(struct rig *rig, const char *document)
{
	begin(rig, "");
	(void)configure(rig, document);
	await_retained(rig, STATE, "stopped");
	assert_null(fake_hub_retained(rig->hub, POSITION));
}

static void test_it_finds_its_end_and_then_any_place(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", PINS, BLIND(FAST)));
	command(rig, SET, "CLOSE");
	fake_hub_await(rig->hub, STATE, "closing");
	assert_true(state_of(rig, "down"));
	fake_hub_await(rig->hub, RESULT, "{\"applied\":true,\"state\":\"ON\"}");
	await_retained(rig, STATE, "closed");
	await_retained(rig, POSITION, "0");
	command(rig, SET, "{\"state\":\"OPEN\",\"id\":7}");
	fake_hub_await(rig->hub, STATE, "opening");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":true,\"state\":\"ON\",\"id\":7}");
	await_retained(rig, STATE, "open");
	await_retained(rig, POSITION, "100");
	assert_false(state_of(rig, "up"));
	assert_false(state_of(rig, "down"));
}

static void test_an_unknown_place_is_found_by_way_of_an_end(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", PINS, BLIND(FAST)));
	command(rig, SET, "60");
	fake_hub_await(rig->hub, STATE, "opening");
	fake_hub_await(rig->hub, STATE, "closing");
	fake_hub_await(rig->hub, STATE, "open");
	assert_non_null(fake_hub_retained(rig->hub, POSITION));
}

static void test_stop_stops_and_turning_waits(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", PINS, BLIND(SLOW)));
	command(rig, SET, "OPEN");
	fake_hub_await(rig->hub, STATE, "opening");
	/* The other direction: first it is still, for the dead time. */
	command(rig, SET, "CLOSE");
	fake_hub_await(rig->hub, STATE, "stopped");
	fake_hub_await(rig->hub, STATE, "closing");
	assert_false(state_of(rig, "up"));
	command(rig, SET, "STOP");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":true,\"state\":\"OFF\"}");
	await_retained(rig, STATE, "stopped");
	assert_false(state_of(rig, "down"));
	/* One that waits for its dead time is stopped too. */
	command(rig, SET, "OPEN");
	command(rig, SET, "STOP");
	fake_hub_await(rig->hub, RESULT, NULL);
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":true,\"state\":\"OFF\"}");
	assert_false(state_of(rig, "up"));
}

static void test_its_outputs_alone_move_it_too(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", PINS, BLIND(FAST)));
	command(rig, "hearth/pi/out/down/set", "ON");
	fake_hub_await(rig->hub, STATE, "closing");
	/* It stands at its end by then. */
	await_retained(rig, POSITION, "0");
	command(rig, "hearth/pi/out/down/set", "OFF");
	await_retained(rig, STATE, "closed");
}

static void test_bad_commands_are_answered(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", PINS, BLIND(FAST)));
	command(rig, SET, "UP");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":false,\"reason\":\"neither OPEN, CLOSE, "
		       "STOP, a position nor valid JSON\"}");
	command(rig, "hearth/pi/cover/nobody/set", "OPEN");
	fake_hub_await(rig->hub, "hearth/pi/cover/nobody/result",
		       "{\"applied\":false,\"reason\":\"there is no such "
		       "cover\"}");
	fake_hub_send(rig->hub, SET, "OPEN", true);
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	assert_false(state_of(rig, "up"));
}

static void test_a_refused_order_moves_nothing(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2",
			     OUT("up", "17",
				 ",\"locked\":true") "," OUT("down", "27", ""),
			     BLIND(FAST)));
	command(rig, SET, "OPEN");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":false,\"reason\":\"it is locked\"}");
	assert_false(rig->node->devices.device[0].cover.going);
	assert_string_equal(fake_hub_retained(rig->hub, STATE), "stopped");
}

static void test_a_line_that_is_busy_is_told(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", OUT("up", "2", "") "," OUT("down", "27", ""),
			     BLIND(FAST)));
	command(rig, SET, "CLOSE");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":false,\"reason\":\"one of its outputs "
		       "has no line\"}");
}

static void test_its_place_is_kept_over_a_restart(void **state)
{
	struct rig *rig = *state;
	size_t len;
	int r;
	char *text;

	set_up(rig, DOCUMENT("2", PINS, BLIND(FAST)));
	command(rig, SET, "OPEN");
	fake_hub_await(rig->hub, STATE, "open");
	node_free(rig->node);
	make_node(rig);
	node_start(rig->node);
	fake_hub_await(rig->hub, POSITION, "100");
	/* A crash on the way: somewhere from here to there. */
	command(rig, SET, "CLOSE");
	fake_hub_await(rig->hub, STATE, "closing");
	text = file_load(rig->directory, COVERS_FILE, &len, &r);
	assert_non_null(text);
	assert_non_null(strstr(text, "0.0"));
	assert_non_null(strstr(text, "100.0"));
	free(text);
	await_retained(rig, STATE, "closed");
}

static void on_stopped(void *arg)
{
	*(bool *)arg = true;
}

static void test_a_stop_of_the_node_stops_it(void **state)
{
	struct rig *rig = *state;
	bool stopped = false;

	set_up(rig, DOCUMENT("2", PINS, BLIND(SLOW)));
	command(rig, SET, "OPEN");
	fake_hub_await(rig->hub, STATE, "opening");
	node_stop(rig->node, on_stopped, &stopped);
	assert_false(state_of(rig, "up"));
	while (!stopped)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_string_equal(fake_hub_retained(rig->hub, STATE), "stopped");
}

static void test_one_that_leaves_stops_and_is_gone(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", PINS, BLIND(SLOW)));
	command(rig, SET, "OPEN");
	fake_hub_await(rig->hub, STATE, "opening");
	(void)configure(rig, DOCUMENT("3", PINS, ""));
	await_gone(rig, STATE);
	assert_false(state_of(rig, "up"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_it_finds_its_end_and_then_any_place),
		NODE_TEST(test_an_unknown_place_is_found_by_way_of_an_end),
		NODE_TEST(test_stop_stops_and_turning_waits),
		NODE_TEST(test_its_outputs_alone_move_it_too),
		NODE_TEST(test_bad_commands_are_answered),
		NODE_TEST(test_a_refused_order_moves_nothing),
		NODE_TEST(test_a_line_that_is_busy_is_told),
		NODE_TEST(test_its_place_is_kept_over_a_restart),
		NODE_TEST(test_a_stop_of_the_node_stops_it),
		NODE_TEST(test_one_that_leaves_stops_and_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
