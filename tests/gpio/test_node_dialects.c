/* Dialects that are there while the node's own connection is not yet. */
#include <stdio.h>
#include <string.h>

#include "tests/gpio/node_rig.h"

#define SPOKEN(dialects)                                              \
	"{\"revision\":2,\"dialects\":{" dialects                     \
	"},\"pins\":[{\"name\":\"pump\",\"dir\":\"out\",\"line\":17," \
	"\"locked\":true}]}"
#define HOMIE "\"homie\":true"
#define TASMOTA "\"tasmota\":true"
#define HOMIE_SET "homie/5/pi/pump/state/set"
#define POWER "cmnd/hearth_pi/POWER1"
#define ERROR "hearth/pi/error"
#define RESULT "hearth/pi/out/pump/result"
#define STATUS "hearth/pi/status"

static const struct {
	const char *config;
	const char *subscribed;
	const char *topic;
	const char *on;
} table[] = {
	{ SPOKEN(HOMIE), "homie/5/pi/#", HOMIE_SET, "true" },
	{ SPOKEN(TASMOTA), "cmnd/hearth_pi/+", POWER, "ON" },
	{ SPOKEN(HOMIE "," TASMOTA), "cmnd/hearth_pi/+", POWER, "ON" },
	{ SPOKEN(HOMIE "," TASMOTA), "homie/5/pi/#", HOMIE_SET, "true" },
};

/* The hub restarts, and the node's own connection is the last to come back. */
static void come_back_late(struct rig *rig, size_t which)
{
	fake_hub_await_subscribe(rig->hub, table[which].subscribed);
	fake_hub_keep_out(rig->hub, STATUS "=offline");
	fake_hub_kick(rig->hub);
	fake_hub_await_subscribe(rig->hub, table[which].subscribed);
}

static void test_what_is_refused_is_told_by_whoever_is_there(void **state)
{
	struct rig *rig = *state;
	const char *text;

	begin(rig, "");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		configure(rig, table[i].config);
		come_back_late(rig, i);
		fake_hub_send(rig->hub, table[i].topic, table[i].on, true);
		text = fake_hub_await(rig->hub, ERROR, NULL);
		assert_non_null(strstr(text, "a retained command is old"));
		command(rig, table[i].topic, table[i].on);
		text = fake_hub_await(rig->hub, RESULT, NULL);
		assert_non_null(strstr(text, "it is locked"));
		fake_hub_keep_out(rig->hub, NULL);
		fake_hub_await(rig->hub, STATUS, "online");
		/* Once was enough. */
		assert_false(fake_hub_heard(rig->hub, ERROR));
		assert_false(fake_hub_heard(rig->hub, RESULT));
		fake_hub_await_subscribe(rig->hub, CONFIG);
	}
}

/* That is said when the node comes: what was said last there must not come first
 * by another way. */
static void test_what_holds_is_left_to_the_nodes_own(void **state)
{
	static const char config[] = "{\"revision\":2,\"dialects\":{" TASMOTA
				     "},\"pins\":[" PUMP "]}";
	struct rig *rig = *state;

	begin(rig, "");
	configure(rig, config);
	come_back_late(rig, 1);
	command(rig, POWER, "ON");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER1", "ON");
	command(rig, "cmnd/hearth_pi/STATE", "");
	while (!fake_hub_heard(rig->hub, "stat/hearth_pi/RESULT"))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_false(fake_hub_heard(rig->hub, "hearth/pi/out/pump"));
	fake_hub_keep_out(rig->hub, NULL);
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_what_is_refused_is_told_by_whoever_is_there),
		NODE_TEST(test_what_holds_is_left_to_the_nodes_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
