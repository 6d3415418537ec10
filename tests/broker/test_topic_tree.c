#include "broker/routing/topic_tree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/hash.h"
#include "broker/wire/topic.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	hash_seed();
	*state = topic_tree_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	topic_tree_free(*state);
	return 0;
}

static void add(struct topic_tree *tree, const char *filter,
		struct subscription *sub)
{
	struct topic_node *node = topic_tree_obtain(tree, slice_str(filter));

	assert_non_null(node);
	topic_tree_add(node, sub);
}

static int count_one(struct subscription *sub, void *arg)
{
	(void)sub;
	++*(int *)arg;
	return 0;
}

static int matches(struct topic_tree *tree, const char *topic)
{
	int count = 0;

	assert_int_equal(
		topic_tree_match(tree, slice_str(topic), count_one, &count), 0);
	return count;
}

/* 4.7.1 and 4.7.2. */
static void test_examples_of_the_specification(void **state)
{
	static const struct {
		const char *filter;
		const char *topic;
		int count;
	} rows[] = {
		{ "sport/tennis/player1/#", "sport/tennis/player1", 1 },
		{ "sport/tennis/player1/#", "sport/tennis/player1/ranking", 1 },
		{ "sport/tennis/player1/#",
		  "sport/tennis/player1/score/wimbledon", 1 },
		{ "sport/#", "sport", 1 },
		{ "sport/#", "sports", 0 },
		{ "#", "any/thing", 1 },
		{ "#", "/", 1 },
		{ "sport/tennis/+", "sport/tennis/player1", 1 },
		{ "sport/tennis/+", "sport/tennis/player1/ranking", 0 },
		{ "sport/+", "sport", 0 },
		{ "sport/+", "sport/", 1 },
		{ "+/+", "/finance", 1 },
		{ "/+", "/finance", 1 },
		{ "+", "/finance", 0 },
		{ "#", "$SYS/x", 0 },
		{ "+/monitor/Clients", "$SYS/monitor/Clients", 0 },
		{ "$SYS/#", "$SYS/", 1 },
		{ "$SYS/#", "$SYS", 1 },
		{ "$SYS/monitor/+", "$SYS/monitor/Clients", 1 },
		{ "ACCOUNTS", "Accounts", 0 },
		{ "a//b", "a//b", 1 },
		{ "a/+/b", "a//b", 1 },
		{ "a/b", "a/b/", 0 },
		{ "+/$x", "a/$x", 1 },
		{ "a/#", "a/$x", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct subscription sub = { 0 };

		add(*state, rows[i].filter, &sub);
		assert_int_equal(matches(*state, rows[i].topic), rows[i].count);
		topic_tree_remove(*state, &sub);
		assert_int_equal(matches(*state, rows[i].topic), 0);
	}
}

/* ---- against the naive reference ---------------------------------------- */

#define SUBS 400

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 10;
}

static void random_topic(uint32_t *seed, bool filter, char out[64])
{
	static const char *const words[] = { "a", "b", "", "$x", "cc", "+" };
	unsigned int levels = 1 + next_random(seed) % 5;
	size_t len = 0;

	for (unsigned int i = 0; i < levels; i++) {
		unsigned int n = next_random(seed) % (filter ? 6 : 5);

		len += (size_t)snprintf(out + len, 64 - len, "%s%s",
					i ? "/" : "", words[n]);
	}
	if (filter && next_random(seed) % 4 == 0)
		snprintf(out + len, 64 - len, "/#");
	else if (len == 0)
		snprintf(out, 64, "a");
}

static void test_random_filters_agree_with_the_reference(void **state)
{
	static struct subscription subs[SUBS];
	static char filters[SUBS][64];
	bool in[SUBS] = { false };
	uint32_t seed = 3;

	for (int round = 0; round < 4000; round++) {
		unsigned int i = next_random(&seed) % SUBS;
		char topic[64];
		int expected = 0;

		if (in[i]) {
			topic_tree_remove(*state, &subs[i]);
		} else {
			random_topic(&seed, true, filters[i]);
			assert_true(topic_filter_valid(slice_str(filters[i])));
			add(*state, filters[i], &subs[i]);
		}
		in[i] = !in[i];
		if (round % 8)
			continue;
		random_topic(&seed, false, topic);
		for (size_t k = 0; k < SUBS; k++)
			expected +=
				in[k] && topic_matches(slice_str(filters[k]),
						       slice_str(topic));
		assert_int_equal(matches(*state, topic), expected);
	}
	for (size_t i = 0; i < SUBS; i++)
		if (in[i])
			topic_tree_remove(*state, &subs[i]);
}

/* ---- nodes -------------------------------------------------------------- */

static void test_nodes_are_found_and_read_back(void **state)
{
	static const char *const filters[] = {
		"a", "a/b", "/", "//", "+/a/#", "#", "a//b", "$SYS/#"
	};
	struct subscription subs[8] = { 0 };
	char out[64];

	for (size_t i = 0; i < 8; i++)
		add(*state, filters[i], &subs[i]);
	for (size_t i = 0; i < 8; i++) {
		struct topic_node *node =
			topic_tree_find(*state, slice_str(filters[i]));
		size_t len;

		assert_ptr_equal(node, subs[i].node);
		len = topic_node_filter(node, out, sizeof(out));
		assert_int_equal(len, strlen(filters[i]));
		assert_memory_equal(out, filters[i], len);
		assert_int_equal(topic_node_filter(node, NULL, 0), len);
	}
	/* "$SYS" is a level on the way, but nobody's filter. */
	assert_null(topic_tree_find(*state, slice_str("$SYS")));
	assert_null(topic_tree_find(*state, slice_str("a/b/c")));
	assert_null(topic_tree_find(*state, slice_str("+")));
	for (size_t i = 0; i < 8; i++)
		topic_tree_remove(*state, &subs[i]);
}

static void test_several_subscriptions_share_a_node(void **state)
{
	struct subscription subs[3] = { 0 };

	for (size_t i = 0; i < 3; i++)
		add(*state, "a/+", &subs[i]);
	assert_ptr_equal(subs[0].node, subs[2].node);
	assert_int_equal(matches(*state, "a/b"), 3);
	topic_tree_remove(*state, &subs[1]);
	assert_int_equal(matches(*state, "a/b"), 2);
	topic_tree_remove(*state, &subs[0]);
	topic_tree_remove(*state, &subs[2]);
	assert_null(topic_tree_find(*state, slice_str("a/+")));
}

/* A broker that runs for years must not keep the levels nobody uses. */
static void test_remove_gives_back_the_levels(void **state)
{
	struct subscription sub = { 0 };

	add(*state, "a/b", &sub);
	topic_tree_remove(*state, &sub);
	/* Two levels again, so the second allocation is there to fail. */
	failing_malloc_arm(1);
	assert_null(topic_tree_obtain(*state, slice_str("a/b")));
	assert_true(failing_malloc_disarm());
}

static void test_obtain_survives_allocation_failure(void **state)
{
	struct subscription bob = { 0 }, alice = { 0 };
	struct topic_node *node;
	unsigned int n = 0;

	add(*state, "home/hall", &bob);
	do {
		failing_malloc_arm(n++);
		node = topic_tree_obtain(*state,
					 slice_str("home/hall/lamp/+/set/#"));
		assert_int_equal(failing_malloc_disarm(), !node);
		if (!node)
			assert_int_equal(matches(*state, "home/hall"), 1);
	} while (!node);
	assert_int_equal(n, 5); /* four levels, and none left to fail */
	topic_tree_add(node, &alice);
	assert_int_equal(matches(*state, "home/hall/lamp/1/set/x"), 1);
	topic_tree_remove(*state, &alice);
	topic_tree_remove(*state, &bob);
}

static void test_a_tree_is_made_whole_or_not(void **state)
{
	struct topic_tree *tree;
	unsigned int n = 0;

	(void)state;
	do {
		failing_malloc_arm(n++);
		tree = topic_tree_new();
		assert_int_equal(failing_malloc_disarm(), !tree);
	} while (!tree);
	assert_in_range(n, 3, 10);
	topic_tree_free(tree);
	topic_tree_free(NULL);
}

static void test_the_deepest_filter_matches_the_deepest_name(void **state)
{
	struct subscription plus = { 0 }, hash = { 0 };
	char deep[2 * TOPIC_LEVELS_MAX], name[2 * TOPIC_LEVELS_MAX];

	for (size_t i = 0; i + 1 < sizeof(deep); i++) {
		deep[i] = i % 2 ? '/' : '+';
		name[i] = i % 2 ? '/' : 'x';
	}
	deep[sizeof(deep) - 1] = name[sizeof(name) - 1] = '\0';
	assert_true(topic_filter_valid(slice_str(deep)));
	add(*state, deep, &plus);
	deep[sizeof(deep) - 2] = '#';
	add(*state, deep, &hash);
	assert_int_equal(matches(*state, name), 2);
	name[sizeof(name) - 3] = '\0';
	assert_int_equal(matches(*state, name), 1); /* "#" stands for none */
	topic_tree_remove(*state, &plus);
	topic_tree_remove(*state, &hash);
}

static int stop_at_once(struct subscription *sub, void *arg)
{
	(void)sub;
	++*(int *)arg;
	return -ECANCELED;
}

static void test_a_negative_answer_ends_the_walk(void **state)
{
	static const char *const filters[] = { "#", "a/#", "a/+", "a/b",
					       "+/b" };
	struct subscription subs[5] = { 0 };
	int count = 0;

	for (size_t i = 0; i < 5; i++)
		add(*state, filters[i], &subs[i]);
	assert_int_equal(matches(*state, "a/b"), 5);
	assert_int_equal(topic_tree_match(*state, slice_str("a/b"),
					  stop_at_once, &count),
			 -ECANCELED);
	assert_int_equal(count, 1);
	for (size_t i = 0; i < 5; i++)
		topic_tree_remove(*state, &subs[i]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_examples_of_the_specification),
		T(test_random_filters_agree_with_the_reference),
		T(test_nodes_are_found_and_read_back),
		T(test_several_subscriptions_share_a_node),
		T(test_remove_gives_back_the_levels),
		T(test_obtain_survives_allocation_failure),
		T(test_a_tree_is_made_whole_or_not),
		T(test_the_deepest_filter_matches_the_deepest_name),
		T(test_a_negative_answer_ends_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
