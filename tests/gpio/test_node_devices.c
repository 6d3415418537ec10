/* Sensors as a user meets them: values on their topics, silence, changes. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/gpio/node_rig.h"
#include "tests/gpio/tree.h"

#define ZONE "class/thermal/thermal_zone0/temp"
#define CPU "hearth/pi/sensor/cpu"
#define CPU_DEVICE(more) \
	"{\"name\":\"cpu\",\"kind\":\"cpu_temperature\",\"interval\":1" more "}"
#define DOCUMENT(revision, devices) \
	"{\"revision\":" revision ",\"pins\":[],\"devices\":[" devices "]}"

static void await_report_with(struct rig *rig, const char *what)
{
	const char *now = fake_hub_retained(rig->hub, REPORT);

	while (!now || !strstr(now, what)) {
		assert_int_equal(loop_turn(rig->loop, 20), 0);
		now = fake_hub_retained(rig->hub, REPORT);
	}
}

static void test_a_sensor_is_read_and_said(void **state)
{
	struct rig *rig = *state;

	tree_put(rig->sysfs, ZONE, "48500\n");
	begin(rig, "");
	configure(rig, DOCUMENT("2", CPU_DEVICE("")));
	await_retained(rig, CPU, "48.5");
	tree_put(rig->sysfs, ZONE, "50000\n");
	await_retained(rig, CPU, "50");
	/* It calls itself otherwise, and the old topic is taken away. */
	configure(rig, DOCUMENT("3", "{\"name\":\"chip\","
				     "\"kind\":\"cpu_temperature\","
				     "\"factor\":2}"));
	await_gone(rig, CPU);
	await_retained(rig, "hearth/pi/sensor/chip", "100");
	configure(rig, DOCUMENT("4", ""));
	await_gone(rig, "hearth/pi/sensor/chip");
}

static void test_a_silent_sensor_has_no_value_and_a_reason(void **state)
{
	struct rig *rig = *state;

	tree_put(rig->sysfs, ZONE, "48500\n");
	begin(rig, "");
	configure(rig, DOCUMENT("2", CPU_DEVICE("")));
	await_retained(rig, CPU, "48.5");
	tree_delete(rig->sysfs, ZONE);
	await_report_with(rig, "\"pin\":\"cpu\",\"field\":\"source\","
			       "\"message\":\"it is not there\"");
	await_gone(rig, CPU);
	tree_put(rig->sysfs, ZONE, "48500\n");
	await_retained(rig, CPU, "48.5");
	await_report_with(rig, "\"errors\":[]");
}

static void test_a_hub_that_comes_back_is_told(void **state)
{
	struct rig *rig = *state;

	tree_put(rig->sysfs, ZONE, "48500\n");
	begin(rig, "");
	configure(rig, DOCUMENT("2", CPU_DEVICE(",\"delta\":5")));
	await_retained(rig, CPU, "48.5");
	fake_hub_kick(rig->hub);
	fake_hub_await(rig->hub, CPU, "48.5");
}

/* A DS18B20 takes most of a second: switches must not wait for it. A pipe keeps
 * its reader waiting until somebody writes. */
static void test_nothing_waits_for_a_slow_sensor(void **state)
{
	struct rig *rig = *state;
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/" ZONE, rig->sysfs);
	tree_put(rig->sysfs, ZONE, "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	begin(rig, "");
	configure(rig, "{\"revision\":2,\"pins\":[" PUMP
		       "],\"devices\":[" CPU_DEVICE("") "]}");
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
	assert_null(fake_hub_retained(rig->hub, CPU));
	/* It is another one by the time it answers. */
	configure(rig, "{\"revision\":3,\"pins\":[" PUMP
		       "],\"devices\":[" CPU_DEVICE(",\"offset\":100") "]}");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	tree_put(rig->sysfs, ZONE, "1000\n");
	assert_int_equal(write(fd, "5000\n", 5), 5);
	(void)close(fd);
	assert_string_equal(fake_hub_await(rig->hub, CPU, NULL), "101");
}

static void test_devices_are_kept_without_the_hub(void **state)
{
	struct rig *rig = *state;

	tree_put(rig->sysfs, ZONE, "48500\n");
	begin(rig, "");
	configure(rig, DOCUMENT("2", CPU_DEVICE("")));
	await_retained(rig, CPU, "48.5");
	node_free(rig->node);
	make_node(rig);
	assert_false(rig->node->devices.device[0].used);
	node_start(rig->node);
	assert_true(rig->node->devices.device[0].used);
	assert_string_equal(rig->node->devices.device[0].device.name, "cpu");
}

static void test_what_can_be_read_is_reported(void **state)
{
	struct rig *rig = *state;

	tree_put(rig->sysfs, ZONE, "48500\n");
	assert_non_null(strstr(begin(rig, ""),
			       "\"sources\":[{\"kind\":\"cpu_temperature\","
			       "\"source\":\"\"}]"));
}

static void test_a_bad_device_refuses_all_of_it(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	assert_non_null(
		strstr(configure(rig, DOCUMENT("2", CPU_DEVICE(",\"x\":1"))),
		       "\"pin\":\"cpu\",\"field\":\"x\""));
	assert_false(rig->node->devices.device[0].used);
	assert_true(is_held(rig, 17));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_a_sensor_is_read_and_said),
		NODE_TEST(test_a_silent_sensor_has_no_value_and_a_reason),
		NODE_TEST(test_a_hub_that_comes_back_is_told),
		NODE_TEST(test_nothing_waits_for_a_slow_sensor),
		NODE_TEST(test_devices_are_kept_without_the_hub),
		NODE_TEST(test_what_can_be_read_is_reported),
		NODE_TEST(test_a_bad_device_refuses_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
