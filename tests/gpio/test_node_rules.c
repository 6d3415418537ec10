/* The rules of logic.h as a user meets them: in the configuration, on topics, in
 * the answers, and over a restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "gpio/file.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/node_rig.h"

#define UP "hearth/pi/out/up"
#define DOWN "hearth/pi/out/down"

#define SHUTTER(dead)                                                          \
	"{\"name\":\"up\",\"dir\":\"out\",\"line\":17,\"interlock\":\"gate\"," \
	"\"dead_ms\":" dead "},"                                               \
	"{\"name\":\"down\",\"dir\":\"out\",\"line\":23,"                      \
	"\"interlock\":\"gate\"}"

#define APPLIED_ON "{\"applied\":true,\"state\":\"ON\"}"

static void ask(struct rig *rig, const char *output, const char *payload)
{
	char topic[80];

	(void)snprintf(topic, sizeof(topic), "%s/set", output);
	command(rig, topic, payload);
}

static void await_result(struct rig *rig, const char *output,
			 const char *result)
{
	char topic[80];

	(void)snprintf(topic, sizeof(topic), "%s/result", output);
	fake_hub_await(rig->hub, topic, result);
}

static void test_the_second_of_a_group_is_answered_when_it_is_on(void **state)
{
	struct rig *rig = *state;

	begin(rig, SHUTTER("100"));
	ask(rig, UP, "ON");
	await_result(rig, UP, APPLIED_ON);
	ask(rig, DOWN, "{\"state\":\"ON\",\"id\":7}");
	fake_hub_await(rig->hub, UP, "OFF");
	assert_false(lines_sim_level(rig->lines, 23));
	fake_hub_await(rig->hub, DOWN, "ON");
	await_result(rig, DOWN, "{\"applied\":true,\"state\":\"ON\",\"id\":7}");
	assert_false(lines_sim_level(rig->lines, 17));
	assert_true(lines_sim_level(rig->lines, 23));
}

static void
test_who_waits_in_the_dead_time_hears_of_the_newer_order(void **state)
{
	struct rig *rig = *state;

	begin(rig, SHUTTER("60000"));
	/* A start counts as going off, so this has to wait for long. */
	ask(rig, UP, "{\"state\":\"ON\",\"id\":1}");
	ask(rig, DOWN, "{\"state\":\"ON\",\"id\":2}");
	await_result(rig, UP,
		     "{\"applied\":false,\"reason\":\"something newer came "
		     "first\",\"id\":1}");
	fake_hub_send(rig->hub, CONFIG, "{\"pins\":[" PUMP "]}", false);
	await_result(rig, DOWN,
		     "{\"applied\":false,\"reason\":\"something newer came "
		     "first\",\"id\":2}");
}

static void test_refusals_say_why(void **state)
{
	struct rig *rig = *state;
	const char *result;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"locked\":true},"
		   "{\"name\":\"b\",\"dir\":\"out\",\"line\":23,"
		   "\"min_off\":3600},"
		   "{\"name\":\"c\",\"dir\":\"out\",\"line\":24,"
		   "\"cycles\":1}");
	ask(rig, "hearth/pi/out/a", "ON");
	await_result(rig, "hearth/pi/out/a",
		     "{\"applied\":false,\"reason\":\"it is locked\"}");
	ask(rig, "hearth/pi/out/b", "ON");
	result = fake_hub_await(rig->hub, "hearth/pi/out/b/result", NULL);
	assert_non_null(strstr(result, "it must stay off for another "));
	ask(rig, "hearth/pi/out/c", "ON");
	ask(rig, "hearth/pi/out/c", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/c", "OFF");
	ask(rig, "hearth/pi/out/c", "ON");
	result = fake_hub_await(rig->hub, "hearth/pi/out/c/result", NULL);
	while (!strstr(result, "false"))
		result = fake_hub_await(rig->hub, "hearth/pi/out/c/result",
					NULL);
	assert_non_null(strstr(result, "it was started too often"));
}

static void test_the_hub_gone_for_long_means_safe(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"failsafe\":0.05}," DESK);
	ask(rig, "hearth/pi/out/a", "ON");
	await_result(rig, "hearth/pi/out/a", APPLIED_ON);
	ask(rig, "hearth/pi/out/desk", "ON");
	await_result(rig, "hearth/pi/out/desk", APPLIED_ON);
	fake_hub_free(rig->hub);
	while (lines_sim_level(rig->lines, 17))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_true(lines_sim_level(rig->lines, 23));
	rig->hub = fake_hub_new(rig->loop, rig->directory);
	/* It is told when it is back. */
	fake_hub_await(rig->hub, "hearth/pi/out/a", "OFF");
}

/* Time stands still but for what a test adds. */
static uint64_t still_ns;

static uint64_t still(void)
{
	return still_ns;
}

/* How many milliseconds later, in steps of 20, the line goes off. */
static unsigned int off_after(struct rig *rig, unsigned int line)
{
	unsigned int ms = 0;

	while (lines_sim_level(rig->lines, line)) {
		assert_true(ms < 60000);
		ms += 20;
		still_ns += 20 * UINT64_C(1000000);
		assert_int_equal(loop_turn(rig->loop, 0), 0);
	}
	return ms;
}

/* Nobody closes a connection whose cable is cut. It is not the keep-alive of ten
 * seconds that says when the hub is gone. */
static void test_a_silent_hub_is_gone_since_its_last_word(void **state)
{
	struct rig *rig = *state;
	unsigned int ms;

	still_ns = clock_ns();
	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"failsafe\":2},{\"name\":\"b\",\"dir\":\"out\","
		   "\"line\":5,\"failsafe\":7}," DESK);
	ask(rig, "hearth/pi/out/a", "ON");
	await_result(rig, "hearth/pi/out/a", APPLIED_ON);
	ask(rig, "hearth/pi/out/b", "ON");
	await_result(rig, "hearth/pi/out/b", APPLIED_ON);
	ask(rig, "hearth/pi/out/desk", "ON");
	await_result(rig, "hearth/pi/out/desk", APPLIED_ON);

	still_ns = clock_ns();
	clock_set_source(still, NULL);
	/* While it answers, silence is none. */
	for (int i = 0; i < 500; i++) {
		still_ns += 20 * UINT64_C(1000000);
		assert_int_equal(loop_turn(rig->loop, 0), 0);
		assert_int_equal(loop_turn(rig->loop, 0), 0);
		assert_int_equal(loop_turn(rig->loop, 0), 0);
	}
	assert_true(lines_sim_level(rig->lines, 17));
	fake_hub_mute(rig->hub);
	/* At most a third was quiet before. */
	ms = off_after(rig, 17);
	assert_in_range(ms, 2000 - 2000 / 3 - 40, 2040);
	ms += off_after(rig, 5);
	assert_in_range(ms, 7000 - 2000 / 3 - 40, 7040);
	assert_true(lines_sim_level(rig->lines, 23));
}

static void test_a_lease_that_is_not_renewed_ends(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	ask(rig, "hearth/pi/out/pump", "{\"state\":\"ON\",\"lease\":0.05}");
	await_result(rig, "hearth/pi/out/pump", APPLIED_ON);
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "OFF");
}

/* hearth-gpiod dies and comes back: its lines have stayed as they were. */
static void restart(struct rig *rig)
{
	node_free(rig->node);
	make_node(rig);
	node_start(rig->node);
}

static void test_boot_values_are_for_a_start_of_the_board(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"boot\":\"off\"},{\"name\":\"b\",\"dir\":\"out\","
		   "\"line\":5,\"boot\":\"on\"}");
	ask(rig, "hearth/pi/out/a", "ON");
	await_result(rig, "hearth/pi/out/a", APPLIED_ON);
	ask(rig, "hearth/pi/out/b", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/b", "OFF");
	restart(rig);
	assert_true(lines_sim_level(rig->lines, 17));
	assert_false(lines_sim_level(rig->lines, 5));
}

static bool waits_to_go_on(struct rig *rig)
{
	uint64_t now = loop_now(rig->loop);
	uint64_t next = logic_next(&rig->node->logic, now);

	return !lines_sim_level(rig->lines, 17) && next > now &&
	       next <= now + 3600000;
}

/* The process dies while the value for the start waits for min_off. */
static void test_a_boot_value_that_waits_is_not_forgotten(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"boot\":\"on\",\"min_off\":3600}");
	assert_true(waits_to_go_on(rig));
	restart(rig);
	assert_true(waits_to_go_on(rig));
}

static bool is_kept(struct rig *rig)
{
	size_t len;
	int r;
	char *kept = file_load(rig->directory, MEMORY_FILE, &len, &r);

	free(kept);
	return kept;
}

static void lose_memory(struct rig *rig)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/" MEMORY_FILE, rig->directory);
	assert_int_equal(unlink(path), 0);
}

/* A memory card wears out: what only has a value for the start of the board needs
 * no memory of each switch; what has rules does. */
static void test_only_switches_that_matter_are_written(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"boot\":\"off\"},{\"name\":\"b\",\"dir\":\"out\","
		   "\"line\":5,\"boot\":\"restore\"}");
	assert_true(is_kept(rig));
	lose_memory(rig);
	ask(rig, "hearth/pi/out/a", "ON");
	await_result(rig, "hearth/pi/out/a", APPLIED_ON);
	ask(rig, "hearth/pi/out/a", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/a", "OFF");
	assert_false(is_kept(rig));
	ask(rig, "hearth/pi/out/b", "ON");
	await_result(rig, "hearth/pi/out/b", APPLIED_ON);
	assert_true(is_kept(rig));
	lose_memory(rig);
	/* It goes off by itself, also after a restart. */
	ask(rig, "hearth/pi/out/a", "{\"state\":\"ON\",\"on_time\":3600}");
	await_result(rig, "hearth/pi/out/a", APPLIED_ON);
	assert_true(is_kept(rig));
	restart(rig);
	assert_true(logic_next(&rig->node->logic, loop_now(rig->loop)) <=
		    loop_now(rig->loop) + 3600000);
}

static void test_a_restart_does_not_lengthen_max_on(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"max_on\":3600}");
	ask(rig, "hearth/pi/out/a", "ON");
	await_result(rig, "hearth/pi/out/a", APPLIED_ON);
	restart(rig);
	assert_true(lines_sim_level(rig->lines, 17));
	assert_true(logic_next(&rig->node->logic, loop_now(rig->loop)) <=
		    loop_now(rig->loop) + 3600000);
}

static void forget_memory(struct rig *rig, const char *bytes)
{
	assert_int_equal(file_replace(rig->directory, MEMORY_FILE,
				      slice_str(bytes), false),
			 0);
}

static void test_nobody_knows_since_when_it_is_on(void **state)
{
	static const char *const damaged[] = {
		"",
		"{}",
		"no JSON",
		"{\"boot\":\"x\",\"outputs\":[7]}",
		"{\"boot\":\"x\",\"outputs\":[{\"chip\":\"\",\"line\":17,"
		"\"on\":true,\"told\":true,\"since\":-1,\"off_at\":0,"
		"\"lease_at\":0,\"starts\":[]}]}",
		/* good, but of another start of the board */
		"{\"boot\":\"x\",\"outputs\":[{\"chip\":\"\",\"line\":17,"
		"\"on\":true,\"told\":true,\"since\":1,\"off_at\":0,"
		"\"lease_at\":0,\"starts\":[1]}]}",
	};
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"max_on\":3600}");
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		ask(rig, "hearth/pi/out/a", "ON");
		await_result(rig, "hearth/pi/out/a", APPLIED_ON);
		forget_memory(rig, damaged[i]);
		restart(rig);
		assert_false(lines_sim_level(rig->lines, 17));
		fake_hub_await(rig->hub, REPORT, NULL);
	}
}

/* A change of the pull lets the line go and takes it again. */
static void test_an_output_that_comes_back_is_the_same(void **state)
{
	struct rig *rig = *state;
	const char *result;

	begin(rig, SHUTTER("0"));
	ask(rig, UP, "ON");
	await_result(rig, UP, APPLIED_ON);
	configure(rig, "{\"pins\":[{\"name\":\"up\",\"dir\":\"out\","
		       "\"line\":17,\"active_low\":true,\"min_off\":3600,"
		       "\"boot\":\"on\"}]}");
	/* Made safe just now, and this is no start of the board. */
	assert_false(state_of(rig, "up"));
	ask(rig, UP, "ON");
	result = fake_hub_await(rig->hub, UP "/result", NULL);
	assert_non_null(strstr(result, "it must stay off for another "));
}

static void test_nothing_goes_on_beside_one_without_a_line(void **state)
{
	struct rig *rig = *state;
	const char *result;

	begin(rig, "{\"name\":\"up\",\"dir\":\"out\",\"line\":17,"
		   "\"interlock\":\"gate\"},{\"name\":\"down\",\"dir\":"
		   "\"out\",\"line\":2,\"interlock\":\"gate\"}");
	ask(rig, UP, "ON");
	result = fake_hub_await(rig->hub, UP "/result", NULL);
	assert_non_null(strstr(result, "nobody knows if down is on"));
	assert_false(lines_sim_level(rig->lines, 17));
	ask(rig, UP, "OFF");
	await_result(rig, UP, "{\"applied\":true,\"state\":\"OFF\"}");
}

static void test_restore_is_for_a_start_of_the_board(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17,"
		   "\"boot\":\"restore\"}");
	forget_memory(rig, "{\"boot\":\"x\",\"outputs\":[{\"chip\":\"\","
			   "\"line\":17,\"on\":true,\"told\":true,"
			   "\"since\":1,\"off_at\":0,\"lease_at\":0,"
			   "\"starts\":[1]}]}");
	assert_false(lines_sim_level(rig->lines, 17));
	restart(rig);
	assert_true(lines_sim_level(rig->lines, 17));
}

static void test_mistakes_name_pin_and_field(void **state)
{
	static const struct {
		const char *fields;
		const char *field;
	} rows[] = {
		{ "\"boot\":\"maybe\"", "boot" },
		{ "\"max_on\":-1", "max_on" },
		{ "\"max_on\":604801", "max_on" },
		{ "\"max_on\":\"3\"", "max_on" },
		{ "\"max_on\":5,\"min_on\":5", "max_on" },
		{ "\"max_on\":5,\"safe\":\"on\"", "safe" },
		{ "\"cycles\":61", "cycles" },
		{ "\"cycles\":1.5", "cycles" },
		{ "\"locked\":1", "locked" },
		{ "\"dead_ms\":5", "dead_ms" },
		{ "\"interlock\":\"g\",\"dead_ms\":60001", "dead_ms" },
		{ "\"interlock\":\"g\"", "interlock" },
		{ "\"interlock\":7", "interlock" },
		{ "\"interlock\":\"g\",\"safe\":\"on\"", "safe" },
		{ "\"interlock\":\"g\",\"boot\":\"on\"", "boot" },
		{ "\"failsafe\":true", "failsafe" },
		{ "\"max_off\":5", "max_off" },
	};
	struct rig *rig = *state;
	char config[300], expected[80];

	begin(rig, PUMP);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *report;

		(void)snprintf(config, sizeof(config),
			       "{\"pins\":[{\"name\":\"x\",\"dir\":\"out\","
			       "\"line\":5,%s}]}",
			       rows[i].fields);
		(void)snprintf(expected, sizeof(expected),
			       "{\"pin\":\"x\",\"field\":\"%s\",",
			       rows[i].field);
		report = configure(rig, config);
		if (!strstr(report, expected))
			fail_msg("%s: %s", rows[i].fields, report);
		assert_false(is_held(rig, 5));
	}
	(void)snprintf(config, sizeof(config),
		       "{\"pins\":[{\"name\":\"x\",\"dir\":\"in\",\"line\":5,"
		       "\"max_on\":5}]}");
	assert_non_null(strstr(configure(rig, config), "is for outputs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_the_second_of_a_group_is_answered_when_it_is_on),
		NODE_TEST(
			test_who_waits_in_the_dead_time_hears_of_the_newer_order),
		NODE_TEST(test_refusals_say_why),
		NODE_TEST(test_the_hub_gone_for_long_means_safe),
		NODE_TEST(test_a_silent_hub_is_gone_since_its_last_word),
		NODE_TEST(test_a_lease_that_is_not_renewed_ends),
		NODE_TEST(test_boot_values_are_for_a_start_of_the_board),
		NODE_TEST(test_only_switches_that_matter_are_written),
		NODE_TEST(test_a_boot_value_that_waits_is_not_forgotten),
		NODE_TEST(test_a_restart_does_not_lengthen_max_on),
		NODE_TEST(test_nobody_knows_since_when_it_is_on),
		NODE_TEST(test_an_output_that_comes_back_is_the_same),
		NODE_TEST(test_nothing_goes_on_beside_one_without_a_line),
		NODE_TEST(test_restore_is_for_a_start_of_the_board),
		NODE_TEST(test_mistakes_name_pin_and_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
