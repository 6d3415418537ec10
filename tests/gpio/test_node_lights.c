/* Lights that can be dimmed as a user meets them, on channels that are files. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "gpio/safe.h"
#include "tests/gpio/node_rig.h"

#define DUTY(n) "class/pwm/pwmchip0/pwm" n "/duty_cycle"
#define LED "class/leds/ACT/brightness"
#define LIGHT(more)                                          \
	"{\"name\":\"desk\",\"kind\":\"light\",\"gamma\":1," \
	"\"outputs\":\"pwm:fe20c000.pwm:0\"" more "}"
#define RGB                                                    \
	"{\"name\":\"desk\",\"kind\":\"light\",\"gamma\":1,"   \
	"\"outputs\":\"pwm:fe20c000.pwm:0 pwm:fe20c000.pwm:1 " \
	"led:ACT\"}"
#define DOCUMENT(revision, devices) \
	"{\"revision\":" revision ",\"pins\":[],\"devices\":[" devices "]}"

#define STATE "hearth/pi/light/desk"
#define SET "hearth/pi/light/desk/set"
#define RESULT "hearth/pi/light/desk/result"
#define IS(state, brightness)                                 \
	"{\"state\":\"" state "\",\"brightness\":" brightness \
	",\"color_mode\":\"brightness\"}"

static long duty(struct rig *rig, const char *path)
{
	return strtol(tree_get(rig->sysfs, path), NULL, 10);
}

static void await_duty(struct rig *rig, const char *path, long value)
{
	while (duty(rig, path) != value)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

static void set_up(struct rig *rig, const char *document)
{
	tree_put_lights(rig->sysfs);
	begin(rig, "");
	(void)configure(rig, document);
	while (!fake_hub_retained(rig->hub, STATE))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

static void test_it_is_dimmed_and_says_so(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", LIGHT("")));
	assert_string_equal(fake_hub_retained(rig->hub, STATE),
			    IS("OFF", "255"));
	command(rig, SET, "{\"state\":\"ON\",\"brightness\":51,\"id\":7}");
	fake_hub_await(rig->hub, STATE, IS("ON", "51"));
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":true,\"state\":\"ON\",\"id\":7}");
	assert_int_equal(duty(rig, DUTY("0")), 200000);
	command(rig, SET, "OFF");
	fake_hub_await(rig->hub, STATE, IS("OFF", "51"));
	assert_int_equal(duty(rig, DUTY("0")), 0);
	/* As bright as it was. */
	command(rig, SET, "TOGGLE");
	fake_hub_await(rig->hub, STATE, IS("ON", "51"));
	assert_int_equal(duty(rig, DUTY("0")), 200000);
	command(rig, SET, "{\"state\":\"ON\",\"brightness\":255}");
	fake_hub_await(rig->hub, STATE, IS("ON", "255"));
}

static void test_a_transition_comes_to_its_end(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", LIGHT(",\"transition\":0.1")));
	command(rig, SET, "ON");
	fake_hub_await(rig->hub, STATE, IS("ON", "255"));
	await_duty(rig, DUTY("0"), 1000000);
	command(rig, SET, "{\"state\":\"OFF\",\"transition\":0.2}");
	fake_hub_await(rig->hub, STATE, IS("OFF", "255"));
	await_duty(rig, DUTY("0"), 0);
}

static void test_colours_go_to_their_channels(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", RGB));
	command(rig, SET,
		"{\"state\":\"ON\",\"color\":{\"r\":255,\"g\":51,\"b\":102}}");
	fake_hub_await(rig->hub, STATE,
		       "{\"state\":\"ON\",\"brightness\":255,\"color_mode\":"
		       "\"rgb\",\"color\":{\"r\":255,\"g\":51,\"b\":102}}");
	assert_int_equal(duty(rig, DUTY("0")), 1000000);
	assert_int_equal(duty(rig, DUTY("1")), 200000);
	assert_int_equal(duty(rig, LED), 102);
}

static void test_its_rules_hold(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", LIGHT(",\"max_on\":0.2")));
	command(rig, SET, "ON");
	fake_hub_await(rig->hub, STATE, IS("ON", "255"));
	fake_hub_await(rig->hub, STATE, IS("OFF", "255"));
	assert_int_equal(duty(rig, DUTY("0")), 0);
	(void)configure(rig, DOCUMENT("3", LIGHT(",\"locked\":true")));
	command(rig, SET, "ON");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":false,\"reason\":\"it is locked\"}");
	assert_int_equal(duty(rig, DUTY("0")), 0);
}

static void test_it_fails_safe_without_the_hub(void **state)
{
	struct rig *rig = *state;

	set_up(rig,
	       DOCUMENT("2", LIGHT(",\"failsafe\":0.3,\"transition\":60")));
	command(rig, SET, "{\"state\":\"ON\",\"transition\":0}");
	fake_hub_await(rig->hub, STATE, IS("ON", "255"));
	fake_hub_free(rig->hub);
	rig->hub = NULL;
	/* At once: no transition of a minute. */
	await_duty(rig, DUTY("0"), 0);
}

static void on_stopped(void *arg)
{
	*(bool *)arg = true;
}

static void test_a_stop_makes_it_safe_at_once(void **state)
{
	struct rig *rig = *state;
	bool stopped = false;

	set_up(rig, DOCUMENT("2", LIGHT(",\"transition\":60")));
	command(rig, SET, "{\"state\":\"ON\",\"transition\":0}");
	fake_hub_await(rig->hub, STATE, IS("ON", "255"));
	node_stop(rig->node, on_stopped, &stopped);
	assert_int_equal(duty(rig, DUTY("0")), 0);
	while (!stopped)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

static void test_safe_makes_it_safe_alone(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", LIGHT("")));
	command(rig, SET, "ON");
	fake_hub_await(rig->hub, STATE, IS("ON", "255"));
	node_free(rig->node);
	rig->node = NULL;
	assert_int_equal(duty(rig, DUTY("0")), 1000000);
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs), 0);
	assert_int_equal(duty(rig, DUTY("0")), 0);
	tree_delete(rig->sysfs, "class/pwm/pwmchip0");
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs),
			 -ENODEV);
}

static void test_a_restart_does_not_flicker(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", LIGHT("")));
	command(rig, SET, "{\"state\":\"ON\",\"brightness\":51}");
	fake_hub_await(rig->hub, STATE, IS("ON", "51"));
	node_free(rig->node);
	assert_int_equal(duty(rig, DUTY("0")), 200000);
	make_node(rig);
	node_start(rig->node);
	fake_hub_await(rig->hub, STATE, IS("ON", "51"));
	assert_int_equal(duty(rig, DUTY("0")), 200000);
}

static void test_other_words_do_not_switch_it(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", LIGHT(",\"boot\":\"off\"")));
	command(rig, SET, "{\"state\":\"ON\",\"brightness\":51}");
	fake_hub_await(rig->hub, STATE, IS("ON", "51"));
	(void)configure(rig, DOCUMENT("3", LIGHT(",\"boot\":\"off\","
						 "\"label\":\"Desk\"")));
	assert_int_equal(duty(rig, DUTY("0")), 200000);
	assert_string_equal(fake_hub_retained(rig->hub, STATE), IS("ON", "51"));
	/* One that leaves becomes safe. */
	(void)configure(rig, DOCUMENT("4", ""));
	await_gone(rig, STATE);
	assert_int_equal(duty(rig, DUTY("0")), 0);
}

static void test_one_that_is_not_there_is_told(void **state)
{
	struct rig *rig = *state;

	begin(rig, "");
	(void)configure(rig, DOCUMENT("2", LIGHT("")));
	assert_non_null(strstr(fake_hub_retained(rig->hub, REPORT),
			       "\"pin\":\"desk\",\"field\":\"outputs\""));
	command(rig, SET, "ON");
	fake_hub_await(rig->hub, RESULT, NULL);
	assert_null(fake_hub_retained(rig->hub, STATE));
}

static void test_what_could_not_be_written_is_not_said(void **state)
{
	struct rig *rig = *state;
	struct rlimit limit, none;

	set_up(rig, DOCUMENT("2", LIGHT("")));
	/* No file may be written. */
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	command(rig, SET, "{\"state\":\"ON\",\"brightness\":51}");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":false,\"reason\":\"File too large\"}");
	assert_string_equal(fake_hub_retained(rig->hub, STATE),
			    IS("OFF", "255"));
	assert_int_equal(rig->node->devices.device[0].light.brightness, 255);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_non_null(strstr(fake_hub_retained(rig->hub, REPORT),
			       "\"pin\":\"desk\",\"field\":\"outputs\""));
	command(rig, SET, "{\"state\":\"ON\",\"brightness\":51}");
	fake_hub_await(rig->hub, STATE, IS("ON", "51"));
	assert_non_null(
		strstr(fake_hub_retained(rig->hub, REPORT), "\"errors\":[]"));
}

static void test_bad_commands_are_answered(void **state)
{
	struct rig *rig = *state;

	set_up(rig, DOCUMENT("2", LIGHT("")));
	command(rig, SET, "{\"state\":\"ON\",\"brightness\":0}");
	fake_hub_await(rig->hub, RESULT,
		       "{\"applied\":false,\"reason\":\"brightness must be "
		       "from 1 to 255\"}");
	fake_hub_send(rig->hub, SET, "ON", true);
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	assert_int_equal(duty(rig, DUTY("0")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_it_is_dimmed_and_says_so),
		NODE_TEST(test_a_transition_comes_to_its_end),
		NODE_TEST(test_colours_go_to_their_channels),
		NODE_TEST(test_its_rules_hold),
		NODE_TEST(test_it_fails_safe_without_the_hub),
		NODE_TEST(test_a_stop_makes_it_safe_at_once),
		NODE_TEST(test_safe_makes_it_safe_alone),
		NODE_TEST(test_a_restart_does_not_flicker),
		NODE_TEST(test_other_words_do_not_switch_it),
		NODE_TEST(test_one_that_is_not_there_is_told),
		NODE_TEST(test_what_could_not_be_written_is_not_said),
		NODE_TEST(test_bad_commands_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
