#include "broker/wire/topic.h"

#include <errno.h>

#include "tests/wire/bytes.h"

/* Sections 4.7.1 to 4.7.3, the specification's own examples first. */
static void test_filters_match_as_the_specification_says(void **state)
{
	static const struct {
		const char *filter;
		const char *name;
		bool match;
	} rows[] = {
		{ "sport/tennis/player1/#", "sport/tennis/player1", true },
		{ "sport/tennis/player1/#", "sport/tennis/player1/ranking",
		  true },
		{ "sport/tennis/player1/#",
		  "sport/tennis/player1/score/wimbledon", true },
		{ "sport/#", "sport", true },
		{ "#", "sport", true },
		{ "#", "/", true },
		{ "sport/tennis/+", "sport/tennis/player1", true },
		{ "sport/tennis/+", "sport/tennis/player2", true },
		{ "sport/tennis/+", "sport/tennis/player1/ranking", false },
		{ "sport/+", "sport", false },
		{ "sport/+", "sport/", true },
		{ "+/+", "/finance", true },
		{ "/+", "/finance", true },
		{ "+", "/finance", false },
		{ "+/tennis/#", "sport/tennis/player1", true },
		{ "sport/+/player1", "sport/tennis/player1", true },
		{ "#", "$SYS/monitor/Clients", false },
		{ "+/monitor/Clients", "$SYS/monitor/Clients", false },
		{ "$SYS/#", "$SYS/monitor/Clients", true },
		{ "$SYS/monitor/+", "$SYS/monitor/Clients", true },
		{ "ACCOUNTS", "Accounts", false },
		{ "Accounts payable", "Accounts payable", true },
		{ "finance", "/finance", false },
		/* Edges that are not spelt out there. */
		{ "a/b", "a/b", true },
		{ "a/b", "a/b/", false },
		{ "a/b/", "a/b", false },
		{ "a/b", "a/bc", false },
		{ "a/bc", "a/b", false },
		{ "a//b", "a//b", true },
		{ "a/+/b", "a//b", true },
		{ "a/b/c", "a/b", false },
		{ "a/+/#", "a", false },
		{ "a/+/#", "a/b", true },
		{ "a/#", "a/$b", true },
		{ "+/#", "a", true },
		{ "/#", "/", true },
		{ "/#", "a", false },
		{ "+/+", "/", true },
		{ "+", "a", true },
		{ "a/+", "a/+b", true },
		{ "$SYS/#", "$SYS", true },
		{ "$SYS/#", "$SYSTEM", false },
		{ "$+/a", "$x/a", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		bool match = topic_matches(slice_str(rows[i].filter),
					   slice_str(rows[i].name));

		if (match != rows[i].match)
			fail_msg("%s on %s", rows[i].filter, rows[i].name);
	}
}

static void test_filters_are_judged_by_their_bytes(void **state)
{
	static const struct {
		const char *filter;
		bool valid;
	} rows[] = {
		{ "sport/tennis/#", true },
		{ "#", true },
		{ "sport/tennis#", false },
		{ "sport/tennis/#/ranking", false },
		{ "+", true },
		{ "+/tennis/#", true },
		{ "sport+", false },
		{ "sport/+/player1", true },
		{ "", false },
		{ "/", true },
		{ "//", true },
		{ "+/+/+", true },
		{ "+a", false },
		{ "a/+b/c", false },
		{ "a/b+/c", false },
		{ "##", false },
		{ "#/", false },
		{ "+#", false },
		{ "a/#b", false },
		{ "$SYS/#", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		bool valid = topic_filter_valid(slice_str(rows[i].filter));

		if (valid != rows[i].valid)
			fail_msg("%s", rows[i].filter);
	}
	assert_false(topic_filter_valid(TEXT("a\0b"))); /* [MQTT-4.7.3-2] */
	assert_false(topic_filter_valid(slice_of(NULL, 0)));
}

static void test_names_have_no_wildcards(void **state)
{
	(void)state;
	assert_true(topic_name_valid(slice_str("home/hall/lamp")));
	assert_true(topic_name_valid(slice_str("/")));
	assert_true(topic_name_valid(slice_str(" ")));
	assert_true(topic_name_valid(slice_str("$SYS/x")));
	assert_false(topic_name_valid(slice_str("")));
	assert_false(topic_name_valid(slice_of(NULL, 0)));
	assert_false(topic_name_valid(slice_str("a/+/b")));
	assert_false(topic_name_valid(slice_str("a/#")));
	assert_false(topic_name_valid(slice_str("a+b")));
	assert_false(topic_name_valid(slice_str("#")));
	assert_false(topic_name_valid(TEXT("a\0b")));
}

static void test_wildcards_are_seen_anywhere(void **state)
{
	(void)state;
	assert_true(topic_has_wildcard(slice_str("a/+")));
	assert_true(topic_has_wildcard(slice_str("#")));
	assert_false(topic_has_wildcard(slice_str("a/b")));
	assert_false(topic_has_wildcard(slice_of(NULL, 0)));
}

static void test_levels_are_counted(void **state)
{
	(void)state;
	assert_int_equal(topic_levels(slice_str("a")), 1);
	assert_int_equal(topic_levels(slice_str("/")), 2);
	assert_int_equal(topic_levels(slice_str("a/b/c")), 3);
	assert_int_equal(topic_levels(slice_str("a//c/")), 4);
}

static void test_more_levels_than_the_limit_are_refused(void **state)
{
	char text[TOPIC_LEVELS_MAX];

	(void)state;
	memset(text, '/', sizeof(text));
	/* n slashes make n + 1 levels. */
	assert_true(topic_name_valid(slice_of(text, TOPIC_LEVELS_MAX - 1)));
	assert_true(topic_filter_valid(slice_of(text, TOPIC_LEVELS_MAX - 1)));
	assert_false(topic_name_valid(slice_of(text, TOPIC_LEVELS_MAX)));
	assert_false(topic_filter_valid(slice_of(text, TOPIC_LEVELS_MAX)));
	/* As many levels as may be, in more bytes. */
	text[0] = 'a';
	assert_true(topic_name_valid(slice_of(text, TOPIC_LEVELS_MAX)));
	assert_true(topic_filter_valid(slice_of(text, TOPIC_LEVELS_MAX)));
}

static void test_the_longest_topic_has_65535_bytes(void **state)
{
	char *text = malloc(65536);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 65536);
	assert_true(topic_name_valid(slice_of(text, 65535)));
	assert_true(topic_filter_valid(slice_of(text, 65535)));
	assert_false(topic_name_valid(slice_of(text, 65536)));
	assert_false(topic_filter_valid(slice_of(text, 65536)));
	free(text);
}

static void test_shared_filters_are_split(void **state)
{
	static const struct {
		const char *filter;
		int result;
		const char *group;
		const char *rest;
	} rows[] = {
		{ "$share/consumer1/sport/tennis/+", 1, "consumer1",
		  "sport/tennis/+" },
		{ "$share/g/#", 1, "g", "#" },
		{ "$share/g//", 1, "g", "/" },
		{ "$share/g//finance", 1, "g", "/finance" },
		{ "$share/$g/$SYS/#", 1, "$g", "$SYS/#" },
		{ "sport/#", 0, NULL, "sport/#" },
		{ "$share", 0, NULL, "$share" },
		{ "$shared/g/a", 0, NULL, "$shared/g/a" },
		{ "$SHARE/g/a", 0, NULL, "$SHARE/g/a" },
		{ "$share/", -EINVAL, NULL, NULL },
		{ "$share/g", -EINVAL, NULL, NULL },
		{ "$share/g/", -EINVAL, NULL, NULL },
		{ "$share//a", -EINVAL, NULL, NULL },
		{ "$share/+/a", -EINVAL, NULL, NULL },
		{ "$share/g+/a", -EINVAL, NULL, NULL },
		{ "$share/#", -EINVAL, NULL, NULL },
		{ "$share/#/a", -EINVAL, NULL, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct slice group = TEXT("none"), rest = TEXT("none");
		int r = topic_split_share(slice_str(rows[i].filter), &group,
					  &rest);

		if (r != rows[i].result)
			fail_msg("%s: %d", rows[i].filter, r);
		assert_slice(group,
			     slice_str(rows[i].group ? rows[i].group : "none"));
		assert_slice(rest,
			     slice_str(rows[i].rest ? rows[i].rest : "none"));
	}
}

static void test_a_subscription_comes_apart(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *group, *predicate, *filter;
	} rows[] = {
		{ "a/b", 0, NULL, NULL, "a/b" },
		{ "$share/g/a/#", 0, "g", NULL, "a/#" },
		{ "$match/x>1/a/+", 0, NULL, "x>1", "a/+" },
		{ "$match/x>1//", 0, NULL, "x>1", "/" },
		{ "$match//a", 0, NULL, "", "a" },
		{ "$match/+/a", 0, NULL, "+", "a" },
		{ "$share/g/$match/x=1/a", 0, "g", "x=1", "a" },
		{ "$match", 0, NULL, NULL, "$match" },
		{ "$matches/a/b", 0, NULL, NULL, "$matches/a/b" },
		{ "a/$match/x=1/b", 0, NULL, NULL, "a/$match/x=1/b" },
		{ "$match/", -EINVAL, NULL, NULL, NULL },
		{ "$match/x=1", -EINVAL, NULL, NULL, NULL },
		{ "$match/x=1/", -EINVAL, NULL, NULL, NULL },
		{ "$share/g/$match/x=1", -EINVAL, NULL, NULL, NULL },
		{ "$share/g", -EINVAL, NULL, NULL, NULL },
		{ "$match/x=1/$share/g/a", -EINVAL, NULL, NULL, NULL },
		{ "$match/x=1/$match/y=1/a", -EINVAL, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct topic_parts parts;

		if (topic_split(slice_str(rows[i].text), &parts) !=
		    rows[i].result)
			fail_msg("%s", rows[i].text);
		if (rows[i].result < 0)
			continue;
		assert_slice(parts.filter, slice_str(rows[i].filter));
		assert_int_equal(!parts.group.data, !rows[i].group);
		assert_int_equal(!parts.predicate.data, !rows[i].predicate);
		assert_null(parts.history.data);
		if (rows[i].group)
			assert_slice(parts.group, slice_str(rows[i].group));
		if (rows[i].predicate)
			assert_slice(parts.predicate,
				     slice_str(rows[i].predicate));
	}
}

static void test_a_history_stands_in_front(void **state)
{
	static const struct {
		const char *text;
		const char *history, *predicate, *filter;
	} rows[] = {
		{ "$history/last/5/a", "last/5", NULL, "a" },
		{ "$history///a", "/", NULL, "a" },
		{ "$history/since/+01//", "since/+01", NULL, "/" },
		{ "$history/last/5/$match/x=1/a/#", "last/5", "x=1", "a/#" },
		{ "$history", NULL, NULL, "$history" },
		{ "a/$history/last/5/b", NULL, NULL, "a/$history/last/5/b" },
	};
	static const char *const wrong[] = {
		"$history/",
		"$history/last",
		"$history/last/5",
		"$history/last/5/",
		"$history/last/5/$match/x=1",
		"$history/last/5/$share/g/a",
		"$history/last/5/$history/last/5/a",
		"$history/last/5/$match/x=1/$share/g/a",
		"$share/g/$history/last/5/a",
		"$share/g/$match/x=1/$history/last/5/a",
		"$match/x=1/$history/last/5/a",
	};
	struct topic_parts parts;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (topic_split(slice_str(rows[i].text), &parts) < 0)
			fail_msg("%s", rows[i].text);
		assert_slice(parts.filter, slice_str(rows[i].filter));
		assert_null(parts.group.data);
		assert_int_equal(!parts.history.data, !rows[i].history);
		assert_int_equal(!parts.predicate.data, !rows[i].predicate);
		if (rows[i].history)
			assert_slice(parts.history, slice_str(rows[i].history));
		if (rows[i].predicate)
			assert_slice(parts.predicate,
				     slice_str(rows[i].predicate));
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (topic_split(slice_str(wrong[i]), &parts) != -EINVAL)
			fail_msg("%s", wrong[i]);
}

/* Every filter of up to three of these levels, every name of up to four. */
#define FILTERS_MAX 300
#define NAMES_MAX 600

static char filters[FILTERS_MAX][16];
static char names[NAMES_MAX][16];
static bool matched[FILTERS_MAX][NAMES_MAX];
static size_t filter_count, name_count;

/* All topics that go on from the first used bytes of text. */
static void grow(char text[16], size_t used, unsigned int levels,
		 const char *alphabet)
{
	bool filter = strchr(alphabet, '#') != NULL;
	const char *level;

	for (level = alphabet; *level; level++) {
		size_t len = used;

		if (*level == '$' && used > 0)
			continue;
		if (*level != '_') /* the empty level */
			text[len++] = *level;
		text[len] = '\0';
		/* The parent of "/#" would be the empty name, which is none. The
		 * functions count it in, which errs on the safe side. */
		if (filter && strcmp(text, "/#") == 0)
			continue;
		if (filter && topic_filter_valid(slice_str(text))) {
			assert_in_range(filter_count, 0, FILTERS_MAX - 1);
			memcpy(filters[filter_count++], text, 16);
		} else if (!filter && len > 0) {
			assert_in_range(name_count, 0, NAMES_MAX - 1);
			memcpy(names[name_count++], text, 16);
		}
		text[len] = '/';
		if (levels > 1)
			grow(text, len + 1, levels - 1, alphabet);
	}
}

static int grow_all(void **state)
{
	char text[16] = { 0 };
	size_t f, n;

	(void)state;
	filter_count = name_count = 0;
	grow(text, 0, 3, "ab_$+#");
	grow(text, 0, 4, "abc_$");
	for (f = 0; f < filter_count; f++) {
		for (n = 0; n < name_count; n++)
			matched[f][n] = topic_matches(slice_str(filters[f]),
						      slice_str(names[n]));
	}
	return filter_count > 100 && name_count > 300 ? 0 : -1;
}

/* Access rules stand on these two: tried against the names themselves. */
static void test_filters_overlap_where_both_match_a_name(void **state)
{
	size_t a, b, n;

	(void)state;
	for (a = 0; a < filter_count; a++) {
		for (b = 0; b < filter_count; b++) {
			bool wanted = false;

			for (n = 0; n < name_count; n++)
				wanted |= matched[a][n] && matched[b][n];
			if (topic_filters_overlap(slice_str(filters[a]),
						  slice_str(filters[b])) !=
			    wanted)
				fail_msg("%s and %s", filters[a], filters[b]);
		}
	}
}

static void test_a_filter_contains_what_it_matches_throughout(void **state)
{
	size_t a, b, n;

	(void)state;
	for (a = 0; a < filter_count; a++) {
		for (b = 0; b < filter_count; b++) {
			bool wanted = true;

			for (n = 0; n < name_count; n++)
				wanted &= matched[a][n] || !matched[b][n];
			if (topic_filter_contains(slice_str(filters[a]),
						  slice_str(filters[b])) !=
			    wanted)
				fail_msg("%s in %s", filters[b], filters[a]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_history_stands_in_front),
		cmocka_unit_test(test_filters_match_as_the_specification_says),
		cmocka_unit_test(test_filters_are_judged_by_their_bytes),
		cmocka_unit_test(test_names_have_no_wildcards),
		cmocka_unit_test(test_wildcards_are_seen_anywhere),
		cmocka_unit_test(test_levels_are_counted),
		cmocka_unit_test(test_more_levels_than_the_limit_are_refused),
		cmocka_unit_test(test_the_longest_topic_has_65535_bytes),
		cmocka_unit_test(test_shared_filters_are_split),
		cmocka_unit_test(test_a_subscription_comes_apart),
		cmocka_unit_test_setup(
			test_filters_overlap_where_both_match_a_name, grow_all),
		cmocka_unit_test_setup(
			test_a_filter_contains_what_it_matches_throughout,
			grow_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
