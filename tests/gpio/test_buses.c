#include "gpio/buses.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/gpio/tree.h"

#define TREE "firmware/devicetree/base"
#define I2C "/soc/i2c@7e804000"
#define SPI "/soc/spi@7e204000"
#define UART "/soc/serial@7e215040"
#define I2S "/soc/i2s@7e203000"

static char root[TREE_ROOT_SIZE];

/* With the NUL that the kernel shows. */
static void put_property(const char *path, const void *bytes, size_t size)
{
	char name[200];
	FILE *file;

	tree_put(root, path, "");
	(void)snprintf(name, sizeof(name), "%s/%s", root, path);
	file = fopen(name, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void put_text(const char *path, const char *text)
{
	put_property(path, text, strlen(text) + 1);
}

/* What a Raspberry Pi 4 with Raspberry Pi OS has, after dtparam=i2c_arm=on. */
static int recorded_pi4(void **state)
{
	(void)state;
	tree_make(root);
	put_text(TREE "/aliases/i2c_arm", I2C);
	put_text(TREE "/aliases/i2c1", I2C);
	put_text(TREE "/aliases/spi0", SPI);
	put_text(TREE "/aliases/serial0", UART);
	put_text(TREE "/aliases/i2s", I2S);
	put_text(TREE I2C "/status", "okay");
	put_text(TREE SPI "/status", "disabled");
	put_text(TREE UART "/status", "okay");
	put_text(TREE I2S "/status", "disabled");
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	tree_remove(root);
	return 0;
}

static void put_one_wire(const char *node, unsigned char line, size_t size)
{
	const unsigned char gpios[] = { 0, 0, 0, 7, 0, 0, 0, line, 0, 0, 0, 0 };
	char path[100];

	(void)snprintf(path, sizeof(path), TREE "/%s/gpios", node);
	put_property(path, gpios, size);
}

static void test_what_is_on_is_in_the_tree(void **state)
{
	(void)state;
	assert_int_equal(buses_state(root, BOARD_I2C, 2), BUS_ON);
	assert_int_equal(buses_state(root, BOARD_SPI, 10), BUS_OFF);
	assert_int_equal(buses_state(root, BOARD_UART, 14), BUS_ON);
	assert_int_equal(buses_state(root, BOARD_AUDIO, 18), BUS_OFF);
	assert_int_equal(buses_state(root, BOARD_ONE_WIRE, 4), BUS_OFF);
	/* Nobody says. */
	assert_int_equal(buses_state(root, BOARD_EEPROM, 0), BUS_UNKNOWN);
	assert_int_equal(buses_state(root, BOARD_FREE, 17), BUS_UNKNOWN);
}

static void test_a_tree_without_the_pis_alias_has_the_controllers(void **state)
{
	(void)state;
	tree_delete(root, TREE "/aliases/i2c_arm");
	assert_int_equal(buses_state(root, BOARD_I2C, 2), BUS_ON);
	put_text(TREE I2C "/status", "disabled");
	assert_int_equal(buses_state(root, BOARD_I2C, 2), BUS_OFF);
}

static void test_a_node_without_a_status_is_on(void **state)
{
	(void)state;
	put_text(TREE SPI "/name", "spi");
	tree_delete(root, TREE SPI "/status");
	assert_int_equal(buses_state(root, BOARD_SPI, 10), BUS_ON);
}

static void test_a_1_wire_bus_is_at_the_line_it_names(void **state)
{
	(void)state;
	put_one_wire("onewire@4", 4, 12);
	put_text(TREE "/onewire@4/status", "okay");
	assert_int_equal(buses_state(root, BOARD_ONE_WIRE, 4), BUS_ON);
	put_one_wire("onewire@4", 17, 12);
	assert_int_equal(buses_state(root, BOARD_ONE_WIRE, 4), BUS_OFF);
	/* A second one. */
	put_one_wire("onewire@0", 4, 12);
	assert_int_equal(buses_state(root, BOARD_ONE_WIRE, 4), BUS_ON);
	put_text(TREE "/onewire@0/status", "disabled");
	assert_int_equal(buses_state(root, BOARD_ONE_WIRE, 4), BUS_OFF);
}

/* Never off: that would be a promise. */
static void test_what_is_not_understood_is_not_known(void **state)
{
	static const char *const statuses[] = { "", "fail", "disabled ", "on",
						"reserved" };
	static const char *const nodes[] = { "",
					     "/",
					     "soc/spi@7e204000",
					     "/../../../etc",
					     "/soc/spi@1 x",
					     "/nowhere",
					     "/%s%n" };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		put_text(TREE SPI "/status", statuses[i]);
		assert_int_equal(buses_state(root, BOARD_SPI, 10), BUS_UNKNOWN);
	}
	put_text(TREE SPI "/status", "disabled");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		put_text(TREE "/aliases/spi0", nodes[i]);
		assert_int_equal(buses_state(root, BOARD_SPI, 10), BUS_UNKNOWN);
	}
	/* Longer than any: cut off, it would name another node. */
	{
		char node[400];

		memset(node, 'a', sizeof(node));
		node[0] = '/';
		put_property(TREE "/aliases/spi0", node, sizeof(node));
		assert_int_equal(buses_state(root, BOARD_SPI, 10), BUS_UNKNOWN);
	}
	tree_delete(root, TREE "/aliases/spi0");
	assert_int_equal(buses_state(root, BOARD_SPI, 10), BUS_UNKNOWN);
	/* Two cells. */
	put_one_wire("onewire@4", 4, 8);
	assert_int_equal(buses_state(root, BOARD_ONE_WIRE, 4), BUS_UNKNOWN);
}

static void test_without_a_tree_nothing_is_known(void **state)
{
	(void)state;
	for (int risk = BOARD_FREE; risk <= BOARD_AUDIO; risk++)
		assert_int_equal(
			buses_state("/nonexistent", (enum board_risk)risk, 4),
			BUS_UNKNOWN);
}

#define TREE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, recorded_pi4, remove_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_what_is_on_is_in_the_tree),
		TREE_TEST(
			test_a_tree_without_the_pis_alias_has_the_controllers),
		TREE_TEST(test_a_node_without_a_status_is_on),
		TREE_TEST(test_a_1_wire_bus_is_at_the_line_it_names),
		TREE_TEST(test_what_is_not_understood_is_not_known),
		cmocka_unit_test(test_without_a_tree_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
