/* Which lines stay held when a node ends, and what is told of them to whoever
 * keeps them. */
#include <stdio.h>

#include "gpio/held.h"
#include "tests/base/notify_listener.h"
#include "tests/gpio/node_rig.h"

#define LAMP                                              \
	"{\"name\":\"lamp\",\"dir\":\"out\",\"line\":24," \
	"\"safe\":\"hold\",\"active_low\":true}"
#define LAMP_NAME "line 24 low pinctrl-bcm2711"
#define DESK_NAME "line 23 high pinctrl-bcm2711"

static int listen_up(void **state)
{
	(void)state;
	return notify_listener_open();
}

static int listen_down(void **state)
{
	(void)state;
	notify_listener_close();
	return 0;
}

/* The next datagram is this; NULL: there is none. */
static void assert_told(const char *wanted)
{
	char text[400];
	bool told = notify_listener_read(text, sizeof(text), NULL);

	assert_int_equal(told, wanted != NULL);
	if (wanted)
		assert_string_equal(text, wanted);
}

static void assert_kept(const char *name)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s",
		       name);
	assert_told(text);
}

static void assert_dropped(const char *name)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	assert_told(text);
}

static void test_names_say_which_line_it_is(void **state)
{
	static const char *const bad[] = {
		"",
		"line",
		"line x high a",
		"line 17 a",
		"line 17 high",
		"line 17 high ",
		"line 512 high a",
		"line -1 high a",
		"line 17 high aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"connection",
	};
	struct held held = { .label = "pinctrl-rp1", .line = 17 };
	char name[FDSTORE_NAME_MAX + 1];
	struct held again;

	(void)state;
	for (int low = 0; low < 2; low++) {
		held.active_low = low;
		assert_true(held_name(&held, name));
		assert_true(held_parse(name, &again));
		assert_int_equal(again.line, 17);
		assert_int_equal(again.active_low, low);
		assert_string_equal(again.label, "pinctrl-rp1");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(held_parse(bad[i], &again));
	/* What cannot be part of a name. */
	(void)snprintf(held.label, sizeof(held.label), "a:b");
	assert_false(held_name(&held, name));
	held.label[0] = '\0';
	assert_false(held_name(&held, name));
}

static void test_only_outputs_that_hold_are_kept(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP "," DESK "," FAN "," DOOR);
	assert_kept(DESK_NAME);
	assert_told(NULL);
}

static void test_what_holds_no_longer_is_dropped(void **state)
{
	struct rig *rig = *state;

	begin(rig, DESK "," LAMP);
	assert_kept(DESK_NAME);
	assert_kept(LAMP_NAME);
	/* hearth-gpiod --safe has to get at it now. */
	configure(rig, "{\"pins\":[{\"name\":\"desk\",\"dir\":\"out\","
		       "\"line\":23,\"kind\":\"light\"}," LAMP "]}");
	assert_dropped(DESK_NAME);
	configure(rig, "{\"pins\":[" DESK "," LAMP "]}");
	assert_kept(DESK_NAME);
	/* A new name is no new line. */
	configure(rig, "{\"pins\":[{\"name\":\"table\",\"dir\":\"out\","
		       "\"line\":23,\"safe\":\"hold\"}," LAMP "]}");
	assert_told(NULL);
	configure(rig, "{\"pins\":[]}");
	assert_dropped(DESK_NAME);
	assert_dropped(LAMP_NAME);
	assert_told(NULL);
}

static void ended(void *arg)
{
	struct rig *rig = arg;

	rig->stopped = true;
}

static void test_a_node_that_ends_leaves_them_held(void **state)
{
	struct rig *rig = *state;

	begin(rig, DESK);
	assert_kept(DESK_NAME);
	node_stop(rig->node, ended, rig);
	while (!rig->stopped)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	node_free(rig->node);
	rig->node = NULL;
	assert_told(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_say_which_line_it_is),
		NODE_TEST(test_only_outputs_that_hold_are_kept),
		NODE_TEST(test_what_holds_no_longer_is_dropped),
		NODE_TEST(test_a_node_that_ends_leaves_them_held),
	};

	return cmocka_run_group_tests(tests, listen_up, listen_down);
}
