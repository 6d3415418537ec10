#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"
#include "web/known.h"
#include "web/limits.h"

#define HASH "$sha256$salt$hash"

static int setup(void **state)
{
	*state = known_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	known_free(*state);
	return 0;
}

static void add(void **state, const char *hash, const char *password)
{
	struct known_tag tag;

	assert_true(known_tag(*state, hash, password, &tag));
	known_add(*state, &tag);
}

static bool has(void **state, const char *hash, const char *password)
{
	struct known_tag tag;

	assert_true(known_tag(*state, hash, password, &tag));
	return known_has(*state, &tag);
}

static void test_only_what_was_added_is_known(void **state)
{
	assert_false(has(state, HASH, "secret"));
	add(state, HASH, "secret");
	assert_true(has(state, HASH, "secret"));
	assert_false(has(state, HASH, "Secret"));
	assert_false(has(state, HASH, "secre"));
	assert_false(has(state, HASH, ""));
	/* Another hash stored: the password has been changed. */
	assert_false(has(state, "$sha256$salt$hasi", "secret"));
	assert_false(has(state, HASH "s", "ecret"));
}

static void test_the_oldest_is_forgotten(void **state)
{
	char password[16];

	add(state, HASH, "first");
	for (int i = 1; i < WEB_KNOWN_PASSWORDS; i++) {
		snprintf(password, sizeof(password), "%d", i);
		add(state, HASH, password);
		/* Added twice, it takes one place. */
		add(state, HASH, password);
	}
	assert_true(has(state, HASH, "first"));
	add(state, HASH, "last");
	assert_false(has(state, HASH, "first"));
	assert_true(has(state, HASH, "1"));
	assert_true(has(state, HASH, "last"));
}

static void test_each_start_has_its_key(void **state)
{
	struct known *other = known_new();
	struct known_tag one, two;

	assert_non_null(other);
	assert_true(known_tag(*state, HASH, "secret", &one));
	assert_true(known_tag(other, HASH, "secret", &two));
	assert_memory_not_equal(&one, &two, sizeof(one));
	known_free(other);
}

static void test_no_memory(void **state)
{
	struct known_tag tag;

	failing_malloc_arm(0);
	assert_false(known_tag(*state, HASH, "secret", &tag));
	assert_true(failing_malloc_disarm());
	failing_malloc_arm(0);
	assert_null(known_new());
	assert_true(failing_malloc_disarm());
	known_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_what_was_added_is_known),
		TEST(test_the_oldest_is_forgotten),
		TEST(test_each_start_has_its_key),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
