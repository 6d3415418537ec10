#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/claim.h"
#include "db/config.h"
#include "db/db.h"
#include "db/settings.h"
#include "db/users.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"
#include "tests/failing_malloc.h"

static const struct db_user anna = { .name = "anna", .hash = "$x" };

static bool claimed(void)
{
	bool is = true;

	assert_int_equal(db_claim_state(config, &is), 0);
	return is;
}

static void test_the_token_is_in_a_private_file(void **state)
{
	char token[PASSWORD_TOKEN_SIZE];
	char again[PASSWORD_TOKEN_SIZE];
	char line[64];
	struct stat st;
	FILE *file;

	(void)state;
	assert_int_equal(db_claim_token(config, token), 0);
	assert_int_equal(strlen(token), PASSWORD_TOKEN_SIZE - 1);
	assert_int_equal(stat(scratch_path("claim-token"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	file = fopen(scratch_path("claim-token"), "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	(void)fclose(file);
	line[strcspn(line, "\n")] = '\0';
	assert_string_equal(line, token);

	/* It is the box's until used, whatever becomes of the file. */
	assert_int_equal(unlink(scratch_path("claim-token")), 0);
	assert_int_equal(db_claim_token(config, again), 0);
	assert_string_equal(again, token);
	assert_int_equal(access(scratch_path("claim-token"), R_OK), 0);
}

static void test_a_box_is_claimed_once(void **state)
{
	char token[PASSWORD_TOKEN_SIZE];
	struct db_user got;

	(void)state;
	assert_false(claimed());
	assert_int_equal(db_claim_token(config, token), 0);
	assert_int_equal(db_claim(config, token, &anna), 0);
	assert_true(claimed());
	assert_int_equal(db_users_get(config, "anna", &got), 0);
	assert_true(got.admin && got.enabled);
	assert_int_equal(access(scratch_path("claim-token"), F_OK), -1);
	assert_int_equal(db_claim_token(config, token), -EALREADY);
	assert_int_equal(db_claim(config, token, &anna), -EALREADY);
}

static void test_a_wrong_token_claims_nothing(void **state)
{
	char token[PASSWORD_TOKEN_SIZE];
	struct db_user got;

	(void)state;
	assert_int_equal(db_claim(config, "", &anna), -EPERM);
	assert_int_equal(db_claim_token(config, token), 0);
	token[3] = (char)(token[3] == '0' ? '1' : '0');
	assert_int_equal(db_claim(config, token, &anna), -EPERM);
	token[31] = '\0';
	assert_int_equal(db_claim(config, token, &anna), -EPERM);
	assert_false(claimed());
	assert_int_equal(db_users_get(config, "anna", &got), -ENOENT);
}

static void test_a_bad_user_leaves_the_box_unclaimed(void **state)
{
	const struct db_user bad = { .name = "a/b", .hash = "$x" };
	char token[PASSWORD_TOKEN_SIZE];

	(void)state;
	assert_int_equal(db_claim_token(config, token), 0);
	assert_int_equal(db_claim(config, token, &bad), -EINVAL);
	assert_false(claimed());
	assert_int_equal(db_claim(config, token, &anna), 0);
}

static void test_settings_come_back(void **state)
{
	char big[DB_SETTING_VALUE_MAX + 2];
	char *value;

	(void)state;
	assert_int_equal(db_settings_get(config, "a.b", &value), -ENOENT);
	assert_int_equal(db_settings_set(config, "a.b", "one"), 0);
	assert_int_equal(db_settings_set(config, "a.b", "two"), 0);
	assert_int_equal(db_settings_get(config, "a.b", &value), 0);
	assert_string_equal(value, "two");
	free(value);
	assert_int_equal(db_settings_remove(config, "a.b"), 0);
	assert_int_equal(db_settings_remove(config, "a.b"), -ENOENT);
	assert_int_equal(db_settings_set(config, "", "x"), -EINVAL);
	assert_int_equal(db_settings_set(config, "A", "x"), -EINVAL);
	assert_int_equal(db_settings_set(config, "a", "\xff"), -EINVAL);
	memset(big, 'x', sizeof(big));
	big[DB_SETTING_VALUE_MAX + 1] = '\0';
	assert_int_equal(db_settings_set(config, "a", big), -EINVAL);
	big[DB_SETTING_VALUE_MAX] = '\0';
	assert_int_equal(db_settings_set(config, "a", big), 0);
}

static void test_history_filters(void **state)
{
	char **filters;
	size_t count;

	(void)state;
	assert_int_equal(
		db_settings_history_filters(config, "den", &filters, &count),
		0);
	assert_int_equal(count, 1);
	assert_string_equal(filters[0], "hearth/den/#");
	assert_null(filters[1]);
	free(filters);

	assert_int_equal(db_settings_set(config, DB_SETTING_HISTORY_FILTERS,
					 "a/+\n\nb/#/c\nd/#\n"),
			 0);
	assert_int_equal(
		db_settings_history_filters(config, "den", &filters, &count),
		0);
	assert_int_equal(count, 2);
	assert_string_equal(filters[0], "a/+");
	assert_string_equal(filters[1], "d/#");
	assert_null(filters[2]);
	free(filters);
}

static void test_filters_survive_allocation_failure(void **state)
{
	char **filters = NULL;
	unsigned int n = 0;
	size_t count;
	int r;

	(void)state;
	assert_int_equal(
		db_settings_set(config, DB_SETTING_HISTORY_FILTERS, "a/#"), 0);
	do {
		failing_malloc_arm(n++);
		r = db_settings_history_filters(config, "den", &filters,
						&count);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 10);
	assert_int_equal(r, 0);
	free(filters);
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_token_is_in_a_private_file),
		TEST(test_a_box_is_claimed_once),
		TEST(test_a_wrong_token_claims_nothing),
		TEST(test_a_bad_user_leaves_the_box_unclaimed),
		TEST(test_settings_come_back),
		TEST(test_history_filters),
		TEST(test_filters_survive_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
