/* A node that speaks Homie: its second connection, and what is left behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/client/client.h"
#include "tests/gpio/node_rig.h"

#define SPOKEN "{\"revision\":2,\"dialects\":{\"homie\":true},\"pins\":["
#define SILENT "{\"revision\":3,\"pins\":[" PUMP "]}"
#define WILL "homie/5/pi/$state=lost"
#define READY "homie/5/pi/$state", "ready"

static void speak(struct rig *rig)
{
	begin(rig, "");
	fake_hub_send(rig->hub, CONFIG, SPOKEN PUMP "," DOOR "]}", false);
	fake_hub_await(rig->hub, READY);
}

static json_t *description(struct rig *rig)
{
	json_t *document = json_loads(
		fake_hub_retained(rig->hub, "homie/5/pi/$description"), 0,
		NULL);

	assert_non_null(document);
	return document;
}

static void test_it_has_a_will_of_its_own(void **state)
{
	struct rig *rig = *state;
	json_t *document;

	speak(rig);
	assert_true(fake_hub_has_will(rig->hub, WILL));
	assert_true(fake_hub_has_will(rig->hub, "hearth/pi/status=offline"));
	document = description(rig);
	assert_int_equal(json_object_size(json_object_get(document, "nodes")),
			 2);
	assert_string_equal(
		fake_hub_retained(rig->hub, "homie/5/pi/pump/state"), "false");
	json_decref(document);
}

static void test_a_command_is_obeyed_and_said(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	command(rig, "homie/5/pi/pump/state/set", "true");
	fake_hub_await(rig->hub, "homie/5/pi/pump/state", "true");
	assert_true(state_of(rig, "pump"));
	fake_hub_send(rig->hub, "homie/5/pi/pump/state/set", "false", true);
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	assert_true(state_of(rig, "pump"));
}

/* More than a queue holds happens while nothing is acknowledged: the last word is
 * the true one all the same. */
static void test_what_had_no_room_is_said_later(void **state)
{
	struct rig *rig = *state;
	bool on = false;

	speak(rig);
	fake_hub_hold(rig->hub, true);
	for (unsigned int i = 0; i <= CLIENT_QUEUE_MESSAGES || on; i++) {
		on = !on;
		node_order_locally(rig->node, &rig->node->pins[0],
				   on ? LOGIC_ON : LOGIC_OFF, "test");
	}
	assert_true(rig->node->homie->behind);
	fake_hub_hold(rig->hub, false);
	while (rig->node->homie->behind ||
	       client_pending(rig->node->homie->client) > 0)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_string_equal(
		fake_hub_retained(rig->hub, "homie/5/pi/pump/state"), "false");
	assert_string_equal(fake_hub_retained(rig->hub, "homie/5/pi/$state"),
			    "ready");
}

static void await_nothing(struct rig *rig)
{
	static const char *const topics[] = {
		"homie/5/pi/$state",
		"homie/5/pi/$description",
		"homie/5/pi/pump/state",
		"homie/5/pi/door/state",
	};

	while (rig->node->homie)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		assert_null(fake_hub_retained(rig->hub, topics[i]));
}

static void test_unspoken_it_leaves_nothing(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	configure(rig, SILENT);
	await_nothing(rig);
	while (fake_hub_has_will(rig->hub, WILL))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

/* The connection is just down: what it said is still taken away. */
static void test_unspoken_while_away_it_leaves_nothing(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	fake_hub_kick(rig->hub);
	while (client_connected(rig->node->homie->client))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	rig->node->dialects.homie = false;
	node_dialects_apply(rig->node);
	await_nothing(rig);
}

static void test_spoken_again_while_it_leaves_it_comes_back(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	fake_hub_hold(rig->hub, true);
	configure(rig, SILENT);
	assert_true(rig->node->homie->leaving);
	configure(rig, SPOKEN PUMP "]}");
	assert_true(rig->node->homie->leaving);
	fake_hub_hold(rig->hub, false);
	fake_hub_await(rig->hub, READY);
	assert_false(rig->node->homie->leaving);
	assert_non_null(fake_hub_retained(rig->hub, "homie/5/pi/pump/state"));
	assert_null(fake_hub_retained(rig->hub, "homie/5/pi/door/state"));
}

static void on_done(void *arg)
{
	((struct rig *)arg)->stopped = true;
}

static void test_stopping_it_says_goodbye(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	node_stop(rig->node, on_done, rig);
	fake_hub_await(rig->hub, "homie/5/pi/$state", "disconnected");
	while (!rig->stopped)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_it_has_a_will_of_its_own),
		NODE_TEST(test_a_command_is_obeyed_and_said),
		NODE_TEST(test_what_had_no_room_is_said_later),
		NODE_TEST(test_unspoken_it_leaves_nothing),
		NODE_TEST(test_unspoken_while_away_it_leaves_nothing),
		NODE_TEST(test_spoken_again_while_it_leaves_it_comes_back),
		NODE_TEST(test_stopping_it_says_goodbye),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
