#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/dialects.h"
#include "db/access_rules.h"
#include "db/config.h"
#include "db/db.h"
#include "db/nodes.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"
#include "tests/failing_malloc.h"

static void add_user(const char *name, bool admin, enum db_user_kind kind)
{
	struct db_user user = {
		.hash = "$x", .admin = admin, .enabled = true, .kind = kind
	};

	(void)snprintf(user.name, sizeof(user.name), "%s", name);
	assert_int_equal(db_users_add(config, &user), 0);
}

static int add_rule(const char *user, const char *filter,
		    enum access_action action, bool allow, uint32_t *id)
{
	struct db_rule rule = { .action = action, .allow = allow };
	int r;

	(void)snprintf(rule.user, sizeof(rule.user), "%s", user);
	(void)snprintf(rule.filter, sizeof(rule.filter), "%s", filter);
	r = db_rules_add(config, &rule);
	if (id)
		*id = rule.id;
	return r;
}

static void test_a_rule_comes_back_as_given(void **state)
{
	struct db_rule *rules;
	size_t count;
	uint32_t id;

	(void)state;
	assert_int_equal(add_rule("*", "a/%u/+/#", ACCESS_WRITE, false, &id),
			 0);
	assert_int_equal(db_rules_list(config, NULL, &rules, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rules[0].id, id);
	assert_string_equal(rules[0].user, "*");
	assert_string_equal(rules[0].filter, "a/%u/+/#");
	assert_int_equal(rules[0].action, ACCESS_WRITE);
	assert_false(rules[0].allow);
	free(rules);
	assert_int_equal(db_rules_remove(config, id), 0);
	assert_int_equal(db_rules_remove(config, id), -ENOENT);
	assert_int_equal(db_rules_list(config, NULL, &rules, &count), 0);
	assert_int_equal(count, 0);
	free(rules);
}

/* A log line that names a rule must not come to mean another. */
static void test_a_number_is_never_used_again(void **state)
{
	uint32_t first;
	uint32_t second;

	(void)state;
	assert_int_equal(add_rule("*", "a", ACCESS_READ, true, &first), 0);
	assert_int_equal(db_rules_remove(config, first), 0);
	assert_int_equal(add_rule("*", "a", ACCESS_READ, true, &second), 0);
	assert_true(second > first);
	assert_true(second < DB_RULE_SYSTEM);
}

static void test_malformed_rules_are_refused(void **state)
{
	char longest[DB_RULE_FILTER_MAX + 1];

	(void)state;
	assert_int_equal(add_rule("*", "", ACCESS_READ, true, NULL), -EINVAL);
	assert_int_equal(add_rule("*", "a/#/b", ACCESS_READ, true, NULL),
			 -EINVAL);
	assert_int_equal(add_rule("*", "a+", ACCESS_READ, true, NULL), -EINVAL);
	assert_int_equal(add_rule("*", "\xff", ACCESS_READ, true, NULL),
			 -EINVAL);
	assert_int_equal(add_rule("*", "a", (enum access_action)0, true, NULL),
			 -EINVAL);
	assert_int_equal(add_rule("a/b", "a", ACCESS_READ, true, NULL),
			 -EINVAL);
	assert_int_equal(add_rule("nobody", "a", ACCESS_READ, true, NULL),
			 -ENOENT);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(add_rule("*", longest, ACCESS_READ, true, NULL), 0);
	assert_int_equal(add_rule("*", longest, ACCESS_READ, true, NULL),
			 -EEXIST);
	assert_int_equal(add_rule("*", longest, ACCESS_READ, false, NULL), 0);
}

static void test_the_list_can_be_of_one_user(void **state)
{
	struct db_rule *rules;
	size_t count;

	(void)state;
	add_user("sensor", false, DB_USER_DEVICE);
	assert_int_equal(add_rule("*", "a", ACCESS_READ, true, NULL), 0);
	assert_int_equal(db_rules_list(config, "sensor", &rules, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(rules[0].user, "sensor");
	free(rules);
}

static void test_words_are_those_of_rest(void **state)
{
	static const enum access_action all[] = { ACCESS_READ, ACCESS_WRITE,
						  ACCESS_READWRITE };
	enum access_action action;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(db_rule_action_parse(
					 db_rule_action_text(all[i]), &action),
				 0);
		assert_int_equal(action, all[i]);
	}
	assert_string_equal(db_rule_action_text(ACCESS_READWRITE), "readwrite");
	assert_int_equal(db_rule_action_parse("rw", &action), -EINVAL);
	assert_null(db_rule_action_text((enum access_action)4));
}

static struct access *build(bool demo)
{
	const struct db_access_options options = { .node = "den",
						   .demo = demo };
	struct access *access = NULL;

	assert_int_equal(db_access_build(config, &options, &access), 0);
	return access;
}

static bool may(const struct access *access, const char *user,
		enum access_action action, const char *topic)
{
	return access_may(access, user, "client", slice_str(topic), action)
		.allowed;
}

struct verdict {
	const char *user;
	const char *topic;
	enum access_action action;
	bool allowed;
};

static void check(const struct access *access, const struct verdict *verdicts,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct verdict *v = &verdicts[i];

		if (may(access, v->user, v->action, v->topic) != v->allowed)
			fail_msg("%s %s %s: not %d", v->user,
				 db_rule_action_text(v->action), v->topic,
				 v->allowed);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_everybody_starts_with_sensible_rights(void **state)
{
	static const struct verdict verdicts[] = {
		{ "admin", "anything", ACCESS_WRITE, true },
		{ "admin", "$SYS/broker/uptime", ACCESS_READ, true },
		{ "anna", "hearth/den/out/pump", ACCESS_READ, true },
		{ "anna", "hearth/den/out/pump/set", ACCESS_WRITE, true },
		{ "anna", "hearth/den/light/hall/set", ACCESS_WRITE, true },
		{ "anna", "hearth/den/out/pump", ACCESS_WRITE, false },
		{ "anna", "zigbee2mqtt/x", ACCESS_READ, false },
		{ "anna", "$hearth/gpio/den/config", ACCESS_READ, false },
		{ "sensor", "sensor/temperature", ACCESS_WRITE, true },
		{ "sensor", "sensor/set", ACCESS_READ, true },
		{ "sensor", "other/temperature", ACCESS_WRITE, false },
		{ "sensor", "hearth/den/out/pump", ACCESS_READ, false },
		{ "", "hearth/den/out/pump", ACCESS_READ, false },
		{ "", "a", ACCESS_WRITE, false },
	};
	struct access *access;

	(void)state;
	add_user("admin", true, DB_USER_PERSON);
	add_user("anna", false, DB_USER_PERSON);
	add_user("sensor", false, DB_USER_DEVICE);
	access = build(false);
	check(access, verdicts, COUNT(verdicts));
	access_free(access);
}

/* The secret is the house's: the same in each table, after a restart as well. */
static void test_scram_reaches_the_broker(void **state)
{
	struct db_user user = {
		.name = "lamp",
		.hash = "$x",
		.scram = "$keys",
		.enabled = true,
	};
	uint8_t secret[SCRAM_KEY_LEN] = { 0 };

	(void)state;
	assert_int_equal(db_users_add(config, &user), 0);
	for (int i = 0; i < 2; i++) {
		struct access *access = build(false);
		const struct access_user *found =
			access_find_user(access, slice_str("lamp"));

		assert_string_equal(found->scram, "$keys");
		assert_int_equal(i, memcmp(secret, access_scram_secret(access),
					   SCRAM_KEY_LEN) == 0);
		memcpy(secret, access_scram_secret(access), SCRAM_KEY_LEN);
		access_free(access);
		db_config_close(config);
		db_close(db);
		db = scratch_open();
		assert_int_equal(db_config_open(db, &config), 0);
	}
}

static void test_gpiod_has_its_own_rights_and_no_others(void **state)
{
	static const struct verdict verdicts[] = {
		{ "gpio", "hearth/den/out/pump/set", ACCESS_READ, true },
		{ "gpio", "hearth/den/light/hall/set", ACCESS_READ, true },
		{ "gpio", "$hearth/gpio/den/config", ACCESS_READ, true },
		{ "gpio", "$hearth/gpio/den/report", ACCESS_WRITE, true },
		{ "gpio", "hearth/den/out/pump", ACCESS_WRITE, true },
		{ "gpio", "hearth/den/status", ACCESS_WRITE, true },
		{ "gpio", "hearth/other/out/pump/set", ACCESS_READ, false },
		{ "gpio", "hearth/other/status", ACCESS_WRITE, false },
		{ "gpio", "$hearth/gpio/den/config", ACCESS_WRITE, false },
		{ "gpio", "zigbee2mqtt/x", ACCESS_READ, false },
	};
	struct access *access;
	const struct access_user *user;

	(void)state;
	access = build(false);
	check(access, verdicts, COUNT(verdicts));
	/* Its socket lets it in; no password does. */
	user = access_find_user(access, slice_str("gpio"));
	assert_non_null(user);
	assert_string_equal(user->password_hash, "");
	assert_false(user->admin);
	access_free(access);
}

/* A dialect's topics are its own as long as it is spoken, and only these. */
static void test_gpiod_may_speak_dialects_it_was_told_to(void **state)
{
	static const struct verdict verdicts[] = {
		{ "gpio", "ha/device/hearth_den_201/config", ACCESS_WRITE,
		  true },
		{ "gpio", "ha/device/hearth_den_201/config", ACCESS_READ,
		  true },
		{ "gpio", "ha/status", ACCESS_READ, true },
		{ "gpio", "ha/status", ACCESS_WRITE, false },
		{ "gpio", "ha/device/hearth_other/config", ACCESS_WRITE,
		  false },
		{ "gpio", "homeassistant/status", ACCESS_READ, false },
		{ "gpio", "homie/5/den-201/$state", ACCESS_WRITE, true },
		{ "gpio", "homie/5/den-201/pump/state/set", ACCESS_READ, true },
		{ "gpio", "homie/5/other/$state", ACCESS_WRITE, false },
		{ "gpio", "cmnd/hearth_den_201/POWER1", ACCESS_READ, true },
		{ "gpio", "cmnd/tasmotas/POWER0", ACCESS_READ, true },
		{ "gpio", "cmnd/other/POWER1", ACCESS_READ, false },
		{ "gpio", "cmnd/hearth_den_201/POWER1", ACCESS_WRITE, false },
		{ "gpio", "stat/hearth_den_201/RESULT", ACCESS_WRITE, true },
		{ "gpio", "tele/hearth_den_201/LWT", ACCESS_WRITE, true },
		{ "gpio", "tele/other/LWT", ACCESS_WRITE, false },
		{ "gpio", "tasmota/discovery/0275E24A1CEF/config", ACCESS_WRITE,
		  true },
		{ "gpio", "tasmota/discovery/02FFFFFFFFFF/config", ACCESS_WRITE,
		  false },
		{ "anna", "ha/device/hearth_den_201/config", ACCESS_WRITE,
		  false },
	};
	struct dialects dialects = {
		.homeassistant = "ha",
		.to_homeassistant = true,
	};
	struct db_access_options options = { .node = "den 1",
					     .dialects = &dialects };
	struct access *access;

	(void)state;
	add_user("anna", false, DB_USER_PERSON);
	assert_int_equal(db_access_build(config, &options, &access), 0);
	check(access, verdicts, COUNT(verdicts));
	access_free(access);

	dialects.to_homeassistant = false;
	assert_int_equal(db_access_build(config, &options, &access), 0);
	assert_false(may(access, "gpio", ACCESS_READ, "ha/status"));
	/* What it said before it was told not to can be taken away. */
	assert_true(may(access, "gpio", ACCESS_WRITE,
			"ha/device/hearth_den_201/config"));
	access_free(access);
}

/* Each board is confined to what is its own. */
static void test_a_satellite_has_its_own_rights_and_no_others(void **state)
{
	static const struct verdict verdicts[] = {
		{ "gpio/shed", "hearth/shed/out/pump/set", ACCESS_READ, true },
		{ "gpio/shed", "hearth/shed/in/w/count/set", ACCESS_READ,
		  true },
		{ "gpio/shed", "hearth/shed/out/pump", ACCESS_WRITE, true },
		{ "gpio/shed", "hearth/shed/status", ACCESS_WRITE, true },
		{ "gpio/shed", "$hearth/gpio/shed/config", ACCESS_READ, true },
		{ "gpio/shed", "$hearth/gpio/shed/config", ACCESS_WRITE,
		  false },
		{ "gpio/shed", "$hearth/gpio/shed/report", ACCESS_WRITE, true },
		{ "gpio/shed", "ha/device/hearth_shed/config", ACCESS_WRITE,
		  true },
		{ "gpio/shed", "ha/status", ACCESS_READ, true },
		{ "gpio/shed", "homie/5/shed/$state", ACCESS_WRITE, true },
		{ "gpio/shed", "hearth/den/out/pump/set", ACCESS_READ, false },
		{ "gpio/shed", "hearth/den/out/pump/set", ACCESS_WRITE, false },
		{ "gpio/shed", "hearth/den/status", ACCESS_WRITE, false },
		{ "gpio/shed", "hearth/barn/out/pump/set", ACCESS_WRITE,
		  false },
		{ "gpio/shed", "hearth/barn/status", ACCESS_WRITE, false },
		{ "gpio/shed", "$hearth/gpio/den/config", ACCESS_READ, false },
		{ "gpio/shed", "$hearth/gpio/barn/report", ACCESS_WRITE,
		  false },
		{ "gpio/shed", "ha/device/hearth_den/config", ACCESS_WRITE,
		  false },
		{ "gpio/shed", "homie/5/barn/$state", ACCESS_WRITE, false },
		{ "gpio/shed", "zigbee2mqtt/x", ACCESS_READ, false },
		{ "gpio/shed", "$SYS/broker/uptime", ACCESS_READ, false },
		{ "gpio/barn", "hearth/barn/status", ACCESS_WRITE, true },
		{ "gpio", "hearth/shed/out/pump/set", ACCESS_READ, false },
		{ "gpio", "hearth/shed/status", ACCESS_WRITE, false },
		{ "gpio", "hearth/den/status", ACCESS_WRITE, true },
		/* The hub's own was called so later. */
		{ "gpio/den", "hearth/den/status", ACCESS_WRITE, false },
	};
	struct dialects dialects = {
		.homeassistant = "ha",
		.to_homeassistant = true,
	};
	const struct db_access_options options = { .node = "den",
						   .dialects = &dialects };
	static const char *const names[] = { "barn", "den", "shed" };
	const struct access_user *user;
	struct access *access;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct db_node node = { .hash = "$x" };

		(void)snprintf(node.name, sizeof(node.name), "%s", names[i]);
		assert_int_equal(db_nodes_add(config, &node), 0);
	}
	assert_int_equal(db_access_build(config, &options, &access), 0);
	check(access, verdicts, COUNT(verdicts));
	user = access_find_user(access, slice_str("gpio/shed"));
	assert_non_null(user);
	assert_string_equal(user->password_hash, "$x");
	assert_true(user->enabled);
	assert_false(user->admin);
	assert_null(access_find_user(access, slice_str("gpio/den")));
	access_free(access);
}

static void test_the_demo_lets_everybody_in(void **state)
{
	static const struct verdict verdicts[] = {
		{ "", "a/b", ACCESS_READ, true },
		{ "", "a/b", ACCESS_WRITE, true },
		{ "", "$SYS/broker/uptime", ACCESS_READ, true },
		{ "", "$SYS/broker/uptime", ACCESS_WRITE, false },
		{ "", "$hearth/gpio/den/config", ACCESS_WRITE, false },
	};
	struct access *access = build(true);

	(void)state;
	check(access, verdicts, COUNT(verdicts));
	access_free(access);
}

static void test_rules_for_everyone_and_denials_count(void **state)
{
	struct access *access;
	struct access_verdict v;
	uint32_t id;

	(void)state;
	add_user("anna", false, DB_USER_PERSON);
	assert_int_equal(add_rule("*", "news/#", ACCESS_READ, true, NULL), 0);
	assert_int_equal(add_rule("anna", "hearth/+/out/heater/set",
				  ACCESS_WRITE, false, &id),
			 0);
	access = build(false);
	assert_true(may(access, "anna", ACCESS_READ, "news/1"));
	assert_true(may(access, "", ACCESS_READ, "news/1"));
	v = access_may(access, "anna", "c",
		       slice_str("hearth/den/out/heater/set"), ACCESS_WRITE);
	assert_false(v.allowed);
	assert_int_equal(v.rule, id);
	access_free(access);
}

static void test_disabled_users_stay_disabled(void **state)
{
	struct db_user user = { .name = "bob", .hash = "$b" };
	const struct access_user *found;
	struct access *access;

	(void)state;
	assert_int_equal(db_users_add(config, &user), 0);
	access = build(false);
	found = access_find_user(access, slice_str("bob"));
	assert_non_null(found);
	assert_false(found->enabled);
	assert_string_equal(found->password_hash, "$b");
	access_free(access);
}

static void test_build_survives_allocation_failure(void **state)
{
	const struct dialects dialects = {
		.homeassistant = "ha",
		.to_homeassistant = true,
	};
	const struct db_access_options options = { .node = "den",
						   .dialects = &dialects,
						   .demo = true };
	struct access *access = NULL;
	unsigned int n = 0;
	int r;

	(void)state;
	add_user("anna", false, DB_USER_PERSON);
	do {
		failing_malloc_arm(n++);
		r = db_access_build(config, &options, &access);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 200);
	assert_int_equal(r, 0);
	assert_true(n > 10);
	access_free(access);
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_rule_comes_back_as_given),
		TEST(test_a_number_is_never_used_again),
		TEST(test_malformed_rules_are_refused),
		TEST(test_the_list_can_be_of_one_user),
		cmocka_unit_test(test_words_are_those_of_rest),
		TEST(test_everybody_starts_with_sensible_rights),
		TEST(test_scram_reaches_the_broker),
		TEST(test_gpiod_has_its_own_rights_and_no_others),
		TEST(test_gpiod_may_speak_dialects_it_was_told_to),
		TEST(test_a_satellite_has_its_own_rights_and_no_others),
		TEST(test_the_demo_lets_everybody_in),
		TEST(test_rules_for_everyone_and_denials_count),
		TEST(test_disabled_users_stay_disabled),
		TEST(test_build_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
