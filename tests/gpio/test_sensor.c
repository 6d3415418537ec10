/* Readings out of a tree of files as the kernel has it, and what is made of
 * them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/json_text.h"
#include "gpio/sensor.h"
#include "gpio/sensor_read.h"
#include "gpio/sources.h"
#include "gpio/sysfs_sim.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/tree.h"

#define W1 "28-0316a2791cff"
#define W1_FILE "bus/w1/devices/" W1 "/w1_slave"
#define IIO "bus/iio/devices/"
#define THROTTLED "devices/platform/soc/soc:firmware/get_throttled"

static char root[TREE_ROOT_SIZE];

static int setup(void **state)
{
	(void)state;
	tree_make(root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(root);
	return 0;
}

static int read_as(enum device_kind kind, const char *source, double *value)
{
	struct device device = { .kind = kind };

	memcpy(device.source, source, strlen(source));
	return sensor_read(root, &device, value);
}

static void test_a_ds18b20_is_believed_when_all_is_right(void **state)
{
	static const struct {
		const char *text;
		int error;
		double value;
	} table[] = {
		{ "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n"
		  "72 01 4b 46 7f ff 0e 10 57 t=23125\n",
		  0, 23.125 },
		/* Below zero. */
		{ "f8 ff 4b 46 7f ff 08 10 f8 : crc=f8 YES\n"
		  "f8 ff 4b 46 7f ff 08 10 f8 t=-500\n",
		  0, -0.5 },
		/* As it says itself, and as we find. */
		{ "72 01 4b 46 7f ff 0e 10 58 : crc=57 NO\n"
		  "72 01 4b 46 7f ff 0e 10 58 t=23125\n",
		  -EBADMSG, 0 },
		{ "73 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n"
		  "73 01 4b 46 7f ff 0e 10 57 t=23187\n",
		  -EBADMSG, 0 },
		/* The wire is at ground. */
		{ "00 00 00 00 00 00 00 00 00 : crc=00 YES\n"
		  "00 00 00 00 00 00 00 00 00 t=0\n",
		  -EBADMSG, 0 },
		/* It lost its power. */
		{ "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n"
		  "50 05 4b 46 7f ff 0c 10 1c t=85000\n",
		  -ENODATA, 0 },
		{ "", -EBADMSG, 0 },
		{ "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n", -EBADMSG, 0 },
		{ "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\nt=\n", -EBADMSG,
		  0 },
	};
	double value;

	(void)state;
	assert_int_equal(read_as(DEVICE_DS18B20, W1, &value), -ENODEV);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		tree_put(root, W1_FILE, table[i].text);
		assert_int_equal(read_as(DEVICE_DS18B20, W1, &value),
				 table[i].error);
		if (!table[i].error)
			assert_true(value == table[i].value);
	}
}

static bool near(double a, double b)
{
	return a - b < 1e-9 && b - a < 1e-9;
}

static void test_an_iio_channel_is_found_by_name_or_address(void **state)
{
	double value;

	(void)state;
	assert_int_equal(read_as(DEVICE_IIO, "bme280/in_temp", &value),
			 -ENODEV);
	tree_put(root, IIO "iio:device0/name", "ads1015\n");
	tree_put(root, "devices/i2c-1/1-0076/iio:device1/name", "bme280\n");
	tree_put(root, "devices/i2c-1/1-0076/iio:device1/in_temp_input",
		 "21430\n");
	tree_link(root, IIO "iio:device1", "devices/i2c-1/1-0076/iio:device1");
	assert_int_equal(read_as(DEVICE_IIO, "bme280/in_temp", &value), 0);
	assert_true(near(value, 21.43));
	assert_int_equal(read_as(DEVICE_IIO, "1-0076/in_temp", &value), 0);
	assert_true(near(value, 21.43));
	assert_int_equal(read_as(DEVICE_IIO, "1-007/in_temp", &value), -ENODEV);
	assert_int_equal(read_as(DEVICE_IIO, "bme280/in_pressure", &value),
			 -ENODEV);
}

static void test_a_raw_iio_channel_has_scale_and_offset(void **state)
{
	double value;

	(void)state;
	tree_put(root, IIO "iio:device0/name", "ads1015\n");
	tree_put(root, IIO "iio:device0/in_voltage3_raw", "100\n");
	assert_int_equal(read_as(DEVICE_IIO, "ads1015/in_voltage3", &value), 0);
	assert_true(near(value, 0.1));
	/* That of all its kind, then its own. */
	tree_put(root, IIO "iio:device0/in_voltage_scale", "2\n");
	tree_put(root, IIO "iio:device0/in_voltage_offset", "-10\n");
	assert_int_equal(read_as(DEVICE_IIO, "ads1015/in_voltage3", &value), 0);
	assert_true(near(value, 0.18));
	tree_put(root, IIO "iio:device0/in_voltage3_scale", "3\n");
	assert_int_equal(read_as(DEVICE_IIO, "ads1015/in_voltage3", &value), 0);
	assert_true(near(value, 0.27));
	tree_put(root, IIO "iio:device0/in_voltage3_raw", "many\n");
	assert_int_equal(read_as(DEVICE_IIO, "ads1015/in_voltage3", &value),
			 -EINVAL);
}

static void test_the_processor_is_found_among_the_zones(void **state)
{
	double value;

	(void)state;
	assert_int_equal(read_as(DEVICE_CPU_TEMPERATURE, "", &value), -ENODEV);
	tree_put(root, "class/thermal/thermal_zone0/type", "acpitz\n");
	tree_put(root, "class/thermal/thermal_zone0/temp", "20000\n");
	assert_int_equal(read_as(DEVICE_CPU_TEMPERATURE, "", &value), 0);
	assert_true(near(value, 20));
	tree_put(root, "class/thermal/thermal_zone1/type", "cpu-thermal\n");
	tree_put(root, "class/thermal/thermal_zone1/temp", "48312\n");
	assert_int_equal(read_as(DEVICE_CPU_TEMPERATURE, "", &value), 0);
	assert_true(near(value, 48.312));
}

static void test_the_firmware_tells_of_power_and_of_haste(void **state)
{
	static const struct {
		const char *text;
		double under_voltage;
		double throttled;
	} table[] = {
		{ "0\n", 0, 0 },
		{ "1\n", 1, 0 },
		{ "50005\n", 1, 1 },
		/* Only since the start: not now. */
		{ "f0000\n", 0, 0 },
		{ "8\n", 0, 1 },
	};
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		tree_put(root, THROTTLED, table[i].text);
		assert_int_equal(read_as(DEVICE_UNDER_VOLTAGE, "", &value), 0);
		assert_true(near(value, table[i].under_voltage));
		assert_int_equal(read_as(DEVICE_THROTTLED, "", &value), 0);
		assert_true(near(value, table[i].throttled));
	}
	tree_put(root, THROTTLED, "?\n");
	assert_int_equal(read_as(DEVICE_THROTTLED, "", &value), -EINVAL);
}

static void test_another_kernel_tells_of_power_only(void **state)
{
	double value;

	(void)state;
	assert_int_equal(read_as(DEVICE_UNDER_VOLTAGE, "", &value), -ENODEV);
	tree_put(root, "class/hwmon/hwmon0/name", "cpu_thermal\n");
	tree_put(root, "class/hwmon/hwmon2/name", "rpi_volt\n");
	tree_put(root, "class/hwmon/hwmon2/in0_lcrit_alarm", "1\n");
	assert_int_equal(read_as(DEVICE_UNDER_VOLTAGE, "", &value), 0);
	assert_true(near(value, 1));
	assert_int_equal(read_as(DEVICE_THROTTLED, "", &value), -ENODEV);
}

static void test_what_changes_little_is_not_said(void **state)
{
	struct device device = { .factor = 2, .offset = -1, .delta = 0.5 };
	struct sensor sensor = { 0 };

	(void)state;
	assert_true(sensor_take(&sensor, &device, 10));
	assert_true(near(sensor.said, 19));
	assert_false(sensor_take(&sensor, &device, 10));
	assert_false(sensor_take(&sensor, &device, 10.2));
	/* By what was said last, not by what was read last. */
	assert_true(sensor_take(&sensor, &device, 10.25));
	assert_true(sensor_take(&sensor, &device, 9));

	device.delta = 0;
	assert_false(sensor_take(&sensor, &device, 9.0001));
	assert_true(sensor_take(&sensor, &device, 9.001));
}

static void test_a_value_is_taken_away_after_some_failures(void **state)
{
	struct device device = { .factor = 1 };
	struct sensor sensor = { 0 };

	(void)state;
	/* There was none. */
	for (unsigned int i = 0; i < 2 * SENSOR_FAILURES_MAX; i++)
		assert_false(sensor_fail(&sensor, -EIO));
	assert_true(sensor_take(&sensor, &device, 0));
	for (unsigned int i = 1; i < SENSOR_FAILURES_MAX; i++)
		assert_false(sensor_fail(&sensor, -EIO));
	assert_false(sensor_take(&sensor, &device, 0));
	for (unsigned int i = 1; i < SENSOR_FAILURES_MAX; i++)
		assert_false(sensor_fail(&sensor, -EIO));
	assert_true(sensor_fail(&sensor, -EIO));
	assert_false(sensor.known);
	assert_false(sensor_fail(&sensor, -EIO));
	/* The same value again is news. */
	assert_true(sensor_take(&sensor, &device, 0));
}

static void test_values_are_written_without_tail(void **state)
{
	static const struct {
		double value;
		const char *text;
	} table[] = {
		{ 21.5, "21.5" },      { 0, "0" },
		{ -0.0001, "0" },      { 100, "100" },
		{ 21.4375, "21.438" }, { -7.1, "-7.1" },
		{ 1e9, "1000000000" },
	};
	char text[SENSOR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(sensor_text(table[i].value, text),
				    table[i].text);
}

static void furnish(void)
{
	tree_put(root, W1_FILE, "");
	tree_put(root, "bus/w1/devices/w1_bus_master1/uevent", "");
	tree_put(root, IIO "iio:device0/name", "bme280\n");
	tree_put(root, IIO "iio:device0/in_temp_input", "1\n");
	tree_put(root, IIO "iio:device0/in_temp_raw", "1\n");
	tree_put(root, IIO "iio:device0/in_temp_oversampling_ratio", "1\n");
	tree_put(root, "class/thermal/thermal_zone0/temp", "1\n");
	tree_put(root, "class/hwmon/hwmon2/name", "rpi_volt\n");
}

static void test_what_is_there_is_offered(void **state)
{
	json_t *list;
	char *text;

	(void)state;
	list = sources_list(root);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);

	furnish();
	list = sources_list(root);
	text = json_text(list, JSON_COMPACT);
	assert_string_equal(
		text, "[{\"kind\":\"cpu_temperature\",\"source\":\"\"},"
		      "{\"kind\":\"under_voltage\",\"source\":\"\"},"
		      "{\"kind\":\"ds18b20\",\"source\":\"" W1 "\"},"
		      "{\"kind\":\"iio\",\"source\":\"bme280/in_temp\"}]");
	free(text);
	json_decref(list);
	tree_put(root, THROTTLED, "0\n");
	list = sources_list(root);
	assert_int_equal(json_array_size(list), 5);
	json_decref(list);
}

static void test_the_simulated_board_offers_all_kinds(void **state)
{
	double value;
	json_t *list;

	(void)state;
	assert_int_equal(sysfs_sim_make(root), 0);
	list = sources_list(root);
	/* Processor, power, haste, 1-Wire, three of a BME280, PWM, a LED. */
	assert_int_equal(json_array_size(list), 3 + 1 + 3 + 4 + 1);
	json_decref(list);
	assert_int_equal(read_as(DEVICE_DS18B20, "28-00000a51b0a7", &value), 0);
	assert_true(near(value, 23.125));
	assert_int_equal(read_as(DEVICE_IIO, "bme280/in_pressure", &value), 0);
	assert_true(near(value, 1013.25));
	/* What was written stays. */
	tree_put(root, "class/thermal/thermal_zone0/temp", "60000\n");
	assert_int_equal(sysfs_sim_make(root), 0);
	assert_int_equal(read_as(DEVICE_CPU_TEMPERATURE, "", &value), 0);
	assert_true(near(value, 60));
	assert_int_equal(sysfs_sim_make("/proc/hearth"), -ENOENT);
}

static void test_an_offer_survives_each_failing_allocation(void **state)
{
	unsigned int n = 0;
	json_t *list;
	bool failed;

	(void)state;
	furnish();
	do {
		failing_malloc_arm(n++);
		list = sources_list(root);
		failed = failing_malloc_disarm();
		/* A directory that cannot be looked at offers nothing. */
		if (list && !failed)
			assert_int_equal(json_array_size(list), 4);
		json_decref(list);
	} while (failed);
	assert_true(n > 8);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_a_ds18b20_is_believed_when_all_is_right),
		TREE_TEST(test_an_iio_channel_is_found_by_name_or_address),
		TREE_TEST(test_a_raw_iio_channel_has_scale_and_offset),
		TREE_TEST(test_the_processor_is_found_among_the_zones),
		TREE_TEST(test_the_firmware_tells_of_power_and_of_haste),
		TREE_TEST(test_another_kernel_tells_of_power_only),
		cmocka_unit_test(test_what_changes_little_is_not_said),
		cmocka_unit_test(
			test_a_value_is_taken_away_after_some_failures),
		cmocka_unit_test(test_values_are_written_without_tail),
		TREE_TEST(test_what_is_there_is_offered),
		TREE_TEST(test_the_simulated_board_offers_all_kinds),
		TREE_TEST(test_an_offer_survives_each_failing_allocation),
	};

	/* Through here, so that failing_malloc reaches the library too. */
	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
