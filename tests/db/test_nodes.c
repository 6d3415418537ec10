#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "db/config.h"
#include "db/db.h"
#include "db/nodes.h"
#include "db/pins.h"
#include "db/settings.h"
#include "db/users.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"
#include "tests/failing_malloc.h"

static int add(const char *name, const char *hash)
{
	struct db_node node = { 0 };

	(void)snprintf(node.name, sizeof(node.name), "%s", name);
	(void)snprintf(node.hash, sizeof(node.hash), "%s", hash);
	return db_nodes_add(config, &node);
}

static void test_names_are_the_same_in_every_convention(void **state)
{
	static const char *const good[] = {
		"a",	  "7",	  "garage",
		"room-2", "a--b", "abcdefghijklmnopqrstuvwxyz-12345",
	};
	static const char *const bad[] = {
		"",	    "A",
		"a_b",	    "a b",
		"a/b",	    "-a",
		"a-",	    "-",
		"+",	    "#",
		"$a",	    "a.b",
		"\xc3\xbc", "abcdefghijklmnopqrstuvwxyz-123456",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(db_node_name_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(db_node_name_valid(bad[i]));
}

/* Nobody can be made who is called so. */
static void test_its_user_is_nobody_elses(void **state)
{
	char user[DB_NODE_USER_SIZE];

	(void)state;
	assert_string_equal(db_node_user(user, "garage"), "gpio/garage");
	assert_false(db_user_name_valid(user));
	assert_string_equal(
		db_node_user(user, "abcdefghijklmnopqrstuvwxyz-12345"),
		"gpio/abcdefghijklmnopqrstuvwxyz-12345");
}

static void test_a_node_comes_back_as_given(void **state)
{
	struct db_node *nodes;
	size_t count;

	(void)state;
	assert_int_equal(add("shed", "$b"), 0);
	assert_int_equal(add("garage", "$a"), 0);
	assert_int_equal(add("garage", "$c"), -EEXIST);
	assert_int_equal(add("a_b", "$c"), -EINVAL);
	assert_int_equal(add("barn", ""), -EINVAL);
	assert_int_equal(db_nodes_list(config, &nodes, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(nodes[0].name, "garage");
	assert_string_equal(nodes[0].hash, "$a");
	assert_true(nodes[0].created > 0);
	assert_true(nodes[0].id > nodes[1].id);
	free(nodes);
}

static void test_another_credential_takes_the_place_of_the_first(void **state)
{
	struct db_node *nodes;
	size_t count;

	(void)state;
	assert_int_equal(add("garage", "$a"), 0);
	assert_int_equal(db_nodes_rekey(config, "garage", "$b"), 0);
	assert_int_equal(db_nodes_rekey(config, "garage", ""), -EINVAL);
	assert_int_equal(db_nodes_rekey(config, "shed", "$b"), -ENOENT);
	assert_int_equal(db_nodes_list(config, &nodes, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(nodes[0].hash, "$b");
	assert_ptr_equal(db_node_named(nodes, count, "garage"), nodes);
	assert_null(db_node_named(nodes, count, "garages"));
	free(nodes);
}

static void put_pin(const char *node, const char *name, int want)
{
	struct db_pin pin = { .line = 17, .document = "{}" };
	char holder[DB_PIN_NAME_MAX + 1];

	(void)snprintf(pin.node, sizeof(pin.node), "%s", node);
	(void)snprintf(pin.name, sizeof(pin.name), "%s", name);
	assert_int_equal(db_pins_put(config, &pin, holder), want);
}

static size_t pins_of(const char *node)
{
	struct db_pin *pins;
	size_t count;

	assert_int_equal(db_pins_list(config, node, &pins, &count), 0);
	free(pins);
	return count;
}

/* The same names and lines on each board are other pins. */
static void test_pins_and_devices_go_with_their_node(void **state)
{
	char key[DB_NODE_DEVICES_SIZE];
	char *value;

	(void)state;
	assert_int_equal(add("garage", "$a"), 0);
	assert_int_equal(add("shed", "$a"), 0);
	put_pin("", "pump", 1);
	put_pin("garage", "pump", 1);
	put_pin("shed", "pump", 1);
	put_pin("garage", "other", -EADDRINUSE);
	assert_string_equal(db_node_devices(key, ""), "devices");
	assert_int_equal(db_settings_set(config, key, "[1]"), 0);
	assert_string_equal(db_node_devices(key, "garage"), "devices.garage");
	assert_int_equal(db_settings_set(config, key, "[2]"), 0);

	assert_int_equal(db_nodes_remove(config, "garage"), 0);
	assert_int_equal(db_nodes_remove(config, "garage"), -ENOENT);
	/* The hub's own cannot go. */
	assert_int_equal(db_nodes_remove(config, ""), -ENOENT);
	assert_int_equal(pins_of(""), 1);
	assert_int_equal(pins_of("garage"), 0);
	assert_int_equal(pins_of("shed"), 1);
	assert_int_equal(db_settings_get(config, key, &value), -ENOENT);
	assert_int_equal(db_settings_get(config, "devices", &value), 0);
	free(value);
	assert_int_equal(db_pins_remove(config, "shed", "pump"), 0);
	assert_int_equal(pins_of(""), 1);
}

/* A log line that names a rule of one must not come to mean another. */
static void test_a_number_is_never_used_again(void **state)
{
	struct db_node *nodes;
	uint32_t first;
	size_t count;

	(void)state;
	assert_int_equal(add("garage", "$a"), 0);
	assert_int_equal(db_nodes_list(config, &nodes, &count), 0);
	first = nodes[0].id;
	free(nodes);
	assert_int_equal(db_nodes_remove(config, "garage"), 0);
	assert_int_equal(add("garage", "$a"), 0);
	assert_int_equal(db_nodes_list(config, &nodes, &count), 0);
	assert_true(nodes[0].id > first);
	free(nodes);
}

static void test_nodes_have_a_limit(void **state)
{
	char name[DB_NODE_NAME_MAX + 1];

	(void)state;
	for (unsigned int i = 0; i < LIMIT_SATELLITES; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(add(name, "$a"), 0);
	}
	assert_int_equal(add("extra", "$a"), -ENFILE);
	assert_int_equal(add("n1", "$a"), -EEXIST);
	assert_int_equal(db_nodes_remove(config, "n1"), 0);
	assert_int_equal(add("extra", "$a"), 0);
}

static void test_list_survives_allocation_failure(void **state)
{
	struct db_node *nodes;
	size_t count;

	(void)state;
	assert_int_equal(add("garage", "$a"), 0);
	failing_malloc_arm(0);
	assert_int_equal(db_nodes_list(config, &nodes, &count), -ENOMEM);
	assert_true(failing_malloc_disarm());
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_the_same_in_every_convention),
		cmocka_unit_test(test_its_user_is_nobody_elses),
		TEST(test_a_node_comes_back_as_given),
		TEST(test_another_credential_takes_the_place_of_the_first),
		TEST(test_pins_and_devices_go_with_their_node),
		TEST(test_a_number_is_never_used_again),
		TEST(test_nodes_have_a_limit),
		TEST(test_list_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
