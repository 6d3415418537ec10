#include "broker/routing/topic_cache.h"
#include "broker/routing/topic_conditional.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/routing/subscriptions.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"
#include "broker/wire/properties.h"
#include "broker/wire/topic.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	broker_free(*state);
	return 0;
}

static struct session *session(struct broker *broker, const char *id,
			       const char *user)
{
	struct session *s = session_new(broker, slice_str(id), user);

	assert_non_null(s);
	return s;
}

static void subscribe(struct session *s, const char *filter, uint8_t options,
		      uint32_t identifier)
{
	bool replaced;

	assert_int_equal(subscriptions_add(s, slice_str(filter), options,
					   identifier, &replaced),
			 0);
}

static const struct topic_entry *get(struct broker *broker, const char *topic)
{
	const struct topic_entry *entry =
		topic_cache_get(broker->cache, slice_str(topic));

	assert_non_null(entry);
	return entry;
}

static void test_overlaps_of_a_session_are_one_target(void **state)
{
	struct session *a = session(*state, "a", "");
	const struct topic_entry *entry;
	const struct topic_target *t;

	subscribe(a, "t/+", 1, 0);
	subscribe(a, "t/x", 2, 7);
	subscribe(a, "#", 0 | SUBSCRIPTION_RETAIN_AS_PUBLISHED, 300);
	entry = get(*state, "t/x");
	assert_int_equal(entry->count, 1);
	t = &entry->targets[0];
	assert_ptr_equal(t->session, a);
	assert_int_equal(t->qos, 2);
	assert_false(t->no_local);
	assert_true(t->retain_as_published);
	assert_int_equal(t->identifiers_len, 2 + 3);
	entry = get(*state, "t/y");
	assert_int_equal(entry->targets[0].qos, 1);
	assert_int_equal(entry->targets[0].identifiers_len, 3);
}

/* Its own messages go by some of them only. */
static void test_no_local_is_one_target_when_all_say_so(void **state)
{
	struct session *a = session(*state, "a", "");
	const struct topic_entry *entry;

	subscribe(a, "t/+", 1 | SUBSCRIPTION_NO_LOCAL, 0);
	subscribe(a, "t/x", 2 | SUBSCRIPTION_NO_LOCAL, 0);
	entry = get(*state, "t/x");
	assert_int_equal(entry->count, 1);
	assert_true(entry->targets[0].no_local);
	assert_null(entry->conditionals);
	subscribe(a, "t/x", 2, 0);
	entry = get(*state, "t/x");
	assert_int_equal(entry->count, 0);
	assert_int_equal(entry->conditionals->count, 1);
	entry = get(*state, "t/y");
	assert_true(entry->targets[0].no_local);
	subscribe(a, "t/+", 1, 0);
	entry = get(*state, "t/x");
	assert_false(entry->targets[0].no_local);
	assert_null(entry->conditionals);
	assert_int_equal(a->no_local_count, 0);
}

static void test_any_change_is_seen_at_once(void **state)
{
	struct session *a = session(*state, "a", "");
	struct session *b = session(*state, "b", "");

	assert_int_equal(get(*state, "t/x")->count, 0);
	subscribe(a, "t/x", 0, 0);
	assert_int_equal(get(*state, "t/x")->count, 1);
	subscribe(b, "t/+", 0, 0);
	assert_int_equal(get(*state, "t/x")->count, 2);
	subscribe(a, "t/x", 2, 0);
	for (uint32_t i = 0; i < 2; i++)
		if (get(*state, "t/x")->targets[i].session == a)
			assert_int_equal(get(*state, "t/x")->targets[i].qos, 2);
	assert_int_equal(subscriptions_remove(b, slice_str("t/+")), 0);
	assert_int_equal(get(*state, "t/x")->count, 1);
	/* A session that ends takes its filters with it, long ones too. */
	subscribe(b, "#", 0, 0);
	assert_int_equal(get(*state, "t/x")->count, 2);
	session_remove(b);
	assert_int_equal(get(*state, "t/x")->count, 1);
	session_remove(a);
	assert_int_equal(get(*state, "t/x")->count, 0);
}

static void test_a_long_filters_end_is_seen_too(void **state)
{
	struct session *a = session(*state, "a", "");
	char topic[3001];

	memset(topic, 'x', sizeof(topic) - 1);
	topic[sizeof(topic) - 1] = '\0';
	subscribe(a, topic, 0, 0);
	assert_int_equal(get(*state, topic)->count, 1);
	session_remove(a);
	assert_int_equal(get(*state, topic)->count, 0);
}

static void test_new_rules_are_obeyed_at_once(void **state)
{
	static const struct access_rule rules[] = {
		{ 1, "anna", "t/#", ACCESS_READ, true },
		{ 2, "bert", "t/x", ACCESS_READ, true },
	};
	struct broker *broker = *state;
	struct session *anna = session(broker, "a", "anna");
	struct session *bert = session(broker, "b", "bert");

	subscribe(anna, "#", 0, 0);
	subscribe(bert, "#", 0, 0);
	assert_int_equal(get(broker, "t/y")->count, 2);
	broker->access = access_new();
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(access_add_rule(broker->access, &rules[i]), 0);
	broker->access_generation++;
	assert_int_equal(get(broker, "t/y")->count, 1);
	assert_ptr_equal(get(broker, "t/y")->targets[0].session, anna);
	assert_int_equal(get(broker, "t/x")->count, 2);
	assert_int_equal(get(broker, "other")->count, 0);
}

/* An entry is named by its serial, which no other has had. */
static void test_entries_come_and_go_under_the_limit(void **state)
{
	struct broker *broker = *state;
	uint64_t first = get(broker, "busy")->serial;
	char topic[32];

	for (unsigned int i = 0; i < 3 * LIMIT_TOPIC_CACHE; i++) {
		snprintf(topic, sizeof(topic), "t/%u", i);
		get(broker, topic);
		if (i % 100 == 0) /* what is used stays */
			assert_int_equal(get(broker, "busy")->serial, first);
	}
	snprintf(topic, sizeof(topic), "t/0");
	assert_true(get(broker, topic)->serial > 3 * LIMIT_TOPIC_CACHE);
}

/* Topics with many subscribers take the room of many with few. */
static void test_entries_share_a_limit_of_places(void **state)
{
	enum { SESSIONS = 1024, TOPICS = LIMIT_TOPIC_CACHE_TARGETS / SESSIONS };
	struct broker *broker = *state;
	uint64_t serial[TOPICS];
	unsigned int kept = 0;
	char text[32];

	for (unsigned int i = 0; i < SESSIONS; i++) {
		snprintf(text, sizeof(text), "s%u", i);
		subscribe(session(broker, text, ""), "many/#", 0, 0);
	}
	for (unsigned int i = 0; i < 2 * TOPICS; i++) {
		snprintf(text, sizeof(text), "many/%u", i);
		assert_int_equal(get(broker, text)->count, SESSIONS);
		if (i >= TOPICS)
			serial[i - TOPICS] = get(broker, text)->serial;
	}
	/* The later half is there, the earlier is not. */
	for (unsigned int i = 0; i < TOPICS; i++) {
		snprintf(text, sizeof(text), "many/%u", TOPICS + i);
		kept += get(broker, text)->serial == serial[i];
	}
	assert_int_equal(kept, TOPICS);
	assert_true(get(broker, "many/0")->serial > 2 * TOPICS);
}

static void test_there_is_a_limit_of_identifiers(void **state)
{
	struct session *a = session(*state, "a", "");
	char filter[2 * 70], topic[2 * 70];
	const struct topic_entry *entry;

	/* Different filters for one name: "x/x/x..." with one "+" each. */
	for (size_t i = 0; i + 1 < sizeof(topic); i++)
		topic[i] = i % 2 ? '/' : 'x';
	topic[sizeof(topic) - 1] = '\0';
	memcpy(filter, topic, sizeof(topic));
	for (uint32_t i = 0; i < 70; i++) {
		filter[2 * i] = '+';
		subscribe(a, filter, 0, 268435455);
		filter[2 * i] = 'x';
	}
	entry = get(*state, topic);
	assert_int_equal(entry->count, 1);
	assert_int_equal(entry->targets[0].identifiers_len,
			 PROPERTIES_SUBSCRIPTION_IDS_MAX * 5);
}

static void test_without_memory_there_is_no_answer_but_later(void **state)
{
	struct broker *broker = *state;
	struct session *a = session(broker, "a", "");
	const struct topic_entry *entry;
	unsigned int n = 0;

	subscribe(a, "t/+", 1, 5);
	subscribe(session(broker, "b", ""), "t/x", 0, 9);
	subscribe(session(broker, "c", ""), "#", 0, 0);
	do {
		failing_malloc_arm(n++);
		entry = topic_cache_get(broker->cache, slice_str("t/x"));
		assert_int_equal(failing_malloc_disarm(), !entry);
	} while (!entry);
	assert_in_range(n, 4, 20);
	assert_int_equal(entry->count, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_overlaps_of_a_session_are_one_target),
		T(test_no_local_is_one_target_when_all_say_so),
		T(test_any_change_is_seen_at_once),
		T(test_a_long_filters_end_is_seen_too),
		T(test_new_rules_are_obeyed_at_once),
		T(test_entries_come_and_go_under_the_limit),
		T(test_entries_share_a_limit_of_places),
		T(test_there_is_a_limit_of_identifiers),
		T(test_without_memory_there_is_no_answer_but_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
