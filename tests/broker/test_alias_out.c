#include "broker/protocol/alias_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/hash.h"
#include "broker/limits.h"
#include "tests/failing_malloc.h"

static struct alias_choice choose(struct alias_out *table, const char *topic)
{
	return alias_out_choose(table, slice_str(topic));
}

static void learn(struct alias_out *table, uint16_t alias, const char *topic)
{
	alias_out_learn(table, alias, slice_str(topic));
}

/* A free place goes to whoever comes first, who is known from then on. */
static void test_the_first_topic_takes_a_free_place(void **state)
{
	struct alias_out *table = alias_out_new(4);
	struct alias_choice choice;
	uint16_t alias;

	(void)state;
	choice = choose(table, "home/hall");
	assert_in_range(choice.alias, 1, 4);
	assert_false(choice.known);
	alias = choice.alias;
	learn(table, alias, "home/hall");
	for (int i = 0; i < 3; i++) {
		choice = choose(table, "home/hall");
		assert_int_equal(choice.alias, alias);
		assert_true(choice.known);
	}
	alias_out_free(table);
}

/* What was chosen, but not sent, is not known. */
static void test_what_was_not_sent_is_not_known(void **state)
{
	struct alias_out *table = alias_out_new(1);

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(choose(table, "home/hall").known);
	alias_out_free(table);
}

/* With one place for all: who is sent twice in a row takes it. */
static void test_a_busier_topic_takes_the_place(void **state)
{
	struct alias_out *table = alias_out_new(1);

	(void)state;
	learn(table, choose(table, "home/a").alias, "home/a");
	/* In turn, none takes it from the other. */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(choose(table, "home/b").alias, 0);
		assert_true(choose(table, "home/a").known);
	}
	assert_int_equal(choose(table, "home/b").alias, 0);
	assert_int_equal(choose(table, "home/c").alias, 0);
	assert_int_equal(choose(table, "home/b").alias, 0);
	assert_int_equal(choose(table, "home/b").alias, 1);
	/* Not sent after all: the old one is still what the client knows. */
	assert_true(choose(table, "home/a").known);
	choose(table, "home/b");
	learn(table, choose(table, "home/b").alias, "home/b");
	assert_true(choose(table, "home/b").known);
	assert_int_equal(choose(table, "home/a").alias, 0);
	alias_out_free(table);
}

/* A client of its own follows every packet: it never gets a wrong topic, and no
 * alias above the maximum. */
static void test_a_client_never_mistakes_a_topic(void **state)
{
	static const uint16_t maxima[] = { 1, 2, 7, LIMIT_TOPIC_ALIASES_SENT };
	uint32_t random = 1;
	unsigned int saved = 0;

	(void)state;
	for (size_t m = 0; m < 4; m++) {
		struct alias_out *table = alias_out_new(maxima[m]);
		char client[LIMIT_TOPIC_ALIASES_SENT][16] = { "" };

		for (int i = 0; i < 20000; i++) {
			struct alias_choice choice;
			char topic[16];

			random = random * 1664525 + 1013904223;
			snprintf(topic, sizeof(topic), "topic/%u",
				 (random >> 24) % (1 + random % 20));
			choice = choose(table, topic);
			assert_in_range(choice.alias, 0, maxima[m]);
			if (choice.known) {
				assert_string_equal(client[choice.alias - 1],
						    topic);
				saved++;
			} else if (choice.alias && random & 0x100000) {
				memcpy(client[choice.alias - 1], topic, 16);
				learn(table, choice.alias, topic);
			}
		}
		alias_out_free(table);
	}
	assert_true(saved > 1000);
}

/* The client has forgotten the old topic, so we must, too. */
static void test_no_memory_forgets_both(void **state)
{
	struct alias_out *table;

	(void)state;
	failing_malloc_arm(0);
	assert_null(alias_out_new(1));
	assert_true(failing_malloc_disarm());
	table = alias_out_new(1);
	learn(table, choose(table, "home/a").alias, "home/a");
	choose(table, "home/b");
	assert_int_equal(choose(table, "home/b").alias, 1);
	failing_malloc_arm(0);
	learn(table, 1, "home/b");
	assert_true(failing_malloc_disarm());
	assert_false(choose(table, "home/a").known);
	assert_false(choose(table, "home/b").known);
	alias_out_free(table);
	alias_out_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_topic_takes_a_free_place),
		cmocka_unit_test(test_what_was_not_sent_is_not_known),
		cmocka_unit_test(test_a_busier_topic_takes_the_place),
		cmocka_unit_test(test_a_client_never_mistakes_a_topic),
		cmocka_unit_test(test_no_memory_forgets_both),
	};

	hash_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
