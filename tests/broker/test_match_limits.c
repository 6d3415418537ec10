/* What subscriptions with a predicate may cost, and what is left without memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "broker/limits.h"
#include "broker/match/matcher.h"
#include "broker/routing/subscriptions.h"
#include "broker/routing/topic_cache.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"
#include "tests/broker/match_requests.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int setup(void **state)
{
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

/* Whoever has gone has left no predicate. */
static int teardown(void **state)
{
	struct broker *broker = *state;

	assert_int_equal(matcher_counts(broker->matcher).predicates, 0);
	broker_free(broker);
	return 0;
}

static struct sim_peer *client(struct broker *broker, const char *id)
{
	return sim_client(broker, MQTT_5_0, id, true, NULL);
}

static struct sim_peer *member(struct broker *broker, const char *id,
			       const char *filter, uint8_t qos)
{
	struct sim_peer *peer = client(broker, id);

	assert_int_equal(sim_peer_subscribed(peer, filter, qos), qos);
	return peer;
}

/* With the predicate "<field><n>". */
static int add(struct session *s, const char *field, unsigned int n,
	       const char *topic)
{
	char filter[64];
	bool replaced;

	snprintf(filter, sizeof(filter), "$match/%s%u/%s", field, n, topic);
	return subscriptions_add(s, slice_str(filter), 0, 0, &replaced);
}

static void test_a_session_has_so_many_predicates(void **state)
{
	struct sim_peer *a = client(*state, "a");
	struct session *s = session_find(*state, slice_str("a"));
	unsigned int n = 0;
	bool replaced;

	while (n < LIMIT_PREDICATES_PER_SESSION)
		assert_int_equal(add(s, "a=", n++, "t"), 0);
	assert_int_equal(add(s, "a=", n, "t"), -EDQUOT);
	assert_int_equal(sim_peer_subscribed(a, "$match/b=1/t", 0),
			 MQTT_QUOTA_EXCEEDED);
	assert_int_equal(
		matcher_counts(((struct broker *)*state)->matcher).predicates,
		n);
	/* The same one more often, or none: as many as subscriptions. */
	assert_int_equal(add(s, "a=", 7, "t1"), 0);
	assert_int_equal(subscriptions_add(s, slice_str("t1"), 0, 0, &replaced),
			 0);
	assert_int_equal(subscriptions_remove(s, slice_str("$match/a=7/t")), 0);
	assert_int_equal(add(s, "b=", 1, "t"), -EDQUOT);
	assert_int_equal(subscriptions_remove(s, slice_str("$match/a=7/t1")),
			 0);
	assert_int_equal(add(s, "b=", 1, "t"), 0);
	subscriptions_clear(s);
	assert_int_equal(s->predicate_count, 0);
	sim_peer_close(a);
}

static void test_a_broker_has_so_many_predicates(void **state)
{
	static struct predicate *all[LIMIT_PREDICATES];
	struct matcher *matcher = matcher_new();
	struct predicate *one;
	char text[32];

	(void)state;
	for (unsigned int i = 0; i < LIMIT_PREDICATES; i++) {
		snprintf(text, sizeof(text), "a=%u", i);
		assert_int_equal(
			matcher_obtain(matcher, slice_str(text), &all[i]), 0);
	}
	assert_int_equal(matcher_obtain(matcher, slice_str("b=1"), &one),
			 -EDQUOT);
	assert_int_equal(matcher_obtain(matcher, slice_str("a=1"), &one), 0);
	assert_ptr_equal(one, all[1]);
	matcher_release(matcher, one);
	for (unsigned int i = 0; i < LIMIT_PREDICATES; i++)
		matcher_release(matcher, all[i]);
	matcher_free(matcher);
}

/* ---- what it costs ------------------------------------------------------ */

/* A thousand subscriptions of a thousand clients with a hundred predicates: each
 * message is read once and compared a hundred times. */
static void test_each_predicate_is_asked_once_for_a_message(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *pub = client(broker, "pub");
	struct session *all[1000];
	struct matcher_counts before;
	char id[16];

	for (unsigned int i = 0; i < COUNT(all); i++) {
		snprintf(id, sizeof(id), "s%u", i);
		all[i] = session_new(broker, slice_str(id), "");
		assert_non_null(all[i]);
		assert_int_equal(add(all[i], "v>", i % 100, "t"), 0);
	}
	before = matcher_counts(broker->matcher);
	assert_int_equal(before.predicates, 100);
	assert_int_equal(before.evaluated, 0);
	for (unsigned int i = 1; i <= 10; i++) {
		sim_peer_publish(pub, "t", "{\"v\":50}", 0, false, 0);
		assert_int_equal(matcher_counts(broker->matcher).evaluated,
				 100 * i);
		assert_int_equal(matcher_counts(broker->matcher).parsed, i);
	}
	/* Another topic asks nobody. */
	sim_peer_publish(pub, "u", "{\"v\":50}", 0, false, 0);
	assert_int_equal(matcher_counts(broker->matcher).evaluated, 1000);
	for (size_t i = 0; i < COUNT(all); i++)
		session_remove(all[i]);
	sim_peer_close(pub);
}

/* ---- what may be looked at ---------------------------------------------- */

#define LARGE 60000
#define SEEKERS 150

static unsigned int told;

static void count_told(enum log_level level, const char *line)
{
	assert_int_equal(level, LOG_LEVEL_WARN);
	told += strstr(line, "topic: t: a message is too much work") != NULL;
}

/* Clients that look for words in what is published to a topic: it is read once,
 * and then once for each. */
static void seek(struct broker *broker, struct session *all[SEEKERS])
{
	char id[16];

	for (unsigned int i = 0; i < SEEKERS; i++) {
		snprintf(id, sizeof(id), "s%u", i);
		all[i] = session_new(broker, slice_str(id), "");
		assert_non_null(all[i]);
		assert_int_equal(add(all[i], "$value~", i, "t"), 0);
	}
}

/* Whom it does not reach does not get it, once for each message, and the log says
 * so; the next message is a new one. */
static void test_a_message_is_not_looked_at_for_ever(void **state)
{
	static char large[LARGE + 1];
	struct broker *broker = *state;
	struct sim_peer *pub = client(broker, "pub");
	struct sim_peer *first = member(broker, "a", "$match/$value~x/t", 0);
	struct session *all[SEEKERS];
	struct sim_peer *last;

	memset(large, 'x', LARGE);
	seek(broker, all);
	last = member(broker, "z", "$match/$value!=/t", 0);
	log_set_sink(count_told);
	told = 0;
	for (unsigned int i = 1; i <= 2; i++) {
		sim_peer_publish(pub, "t", large, 0, false, 0);
		assert_int_equal(matcher_counts(broker->matcher).cut_short, i);
		sim_peer_receive(first, "t", large, 0);
		sim_peer_expect_nothing(last);
		sim_peer_publish(pub, "t", "x", 0, false, 0);
		sim_peer_receive(first, "t", "x", 0);
		sim_peer_receive(last, "t", "x", 0);
	}
	log_set_sink(NULL);
	assert_int_equal(told, 1);
	assert_int_equal(matcher_counts(broker->matcher).cut_short, 2);
	for (size_t i = 0; i < SEEKERS; i++)
		session_remove(all[i]);
	sim_peer_close(last);
	sim_peer_close(first);
	sim_peer_close(pub);
}

/* For all retained messages together, more than for one. */
static void test_a_replay_is_not_looked_at_for_ever(void **state)
{
	static char large[LARGE + 1];
	const unsigned int count = LIMIT_MATCH_REPLAY_WORK / LARGE / 2 + 10;
	struct broker *broker = *state;
	struct sim_peer *pub = client(broker, "pub");
	struct sim_peer *sub = client(broker, "sub");
	uint64_t sent;
	char topic[16];

	memset(large, 'x', LARGE);
	for (unsigned int i = 0; i < count; i++) {
		snprintf(topic, sizeof(topic), "r/%u", i);
		sim_peer_publish(pub, topic, large, 0, true, 0);
	}
	sent = matcher_counts(broker->matcher).evaluated;
	log_set_sink(count_told);
	match_subscribe(sub, "$match/$value~y/r/#", 0, 0);
	log_set_sink(NULL);
	assert_int_equal(matcher_counts(broker->matcher).evaluated - sent,
			 count);
	assert_int_equal(matcher_counts(broker->matcher).cut_short, 1);
	assert_in_range(matcher_counts(broker->matcher).parsed,
			2 * LIMIT_MATCH_WORK / LARGE, count - 5);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* Who asks only about properties makes nobody read the payload. */
static void test_a_payload_nobody_asks_about_is_not_read(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *a = member(broker, "a", "$match/$qos=0/t", 0);

	sim_peer_publish(a, "t", "{}", 0, false, 0);
	sim_peer_receive(a, "t", "{}", 0);
	assert_int_equal(matcher_counts(broker->matcher).parsed, 0);
	assert_int_equal(matcher_counts(broker->matcher).evaluated, 1);
	sim_peer_close(a);
}

/* A predicate elsewhere makes no difference to plain subscriptions. */
static void test_plain_subscriptions_stay_plain(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *a = client(broker, "a");
	const struct topic_entry *entry;

	match_subscribe(a, "$match/a=1/elsewhere", 0, 0);
	match_subscribe(a, "t", 1, 3);
	match_subscribe(a, "#", 0, 4);
	entry = topic_cache_get(broker->cache, slice_str("t"));
	assert_int_equal(entry->count, 1);
	assert_null(entry->conditionals);
	assert_int_equal(entry->targets[0].qos, 1);
	assert_int_equal(entry->targets[0].identifiers_len, 4);
	entry = topic_cache_get(broker->cache, slice_str("elsewhere"));
	assert_int_equal(entry->count, 0);
	assert_non_null(entry->conditionals);
	sim_peer_close(a);
}

/* ---- without memory ----------------------------------------------------- */

static void test_nothing_is_left_of_a_subscription_without_memory(void **state)
{
	const struct slice filter = slice_str("$share/g/$match/a=1/x/y");
	struct broker *broker = *state;
	struct sim_peer *a = client(broker, "a");
	struct session *s = session_find(broker, slice_str("a"));
	unsigned int n = 0;
	bool replaced;
	int r;

	do {
		failing_malloc_arm(n++);
		r = subscriptions_add(s, filter, 1, 0, &replaced);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(broker->shares.count, 0);
		assert_int_equal(s->subscription_count, 0);
		assert_int_equal(s->predicate_count, 0);
		assert_int_equal(matcher_counts(broker->matcher).predicates, 0);
	} while (n < 100);
	assert_int_equal(r, 0);
	/* For reading payloads, predicate, two levels, group, subscription. */
	assert_int_equal(n, 7);
	sim_peer_close(a);
}

/* Granted or not, what the client is told is what the broker has. */
static void test_a_request_without_memory_is_no_half_one(void **state)
{
	const struct mqtt_subscription entry = { .filter = slice_str("t") };
	struct broker *broker = *state;
	uint8_t user[4096], bytes[512];
	const struct mqtt_properties p = { .user_encoded = match_properties(
						   user, "a=1", NULL) };
	struct writer w = writer_of(bytes, sizeof(bytes));
	unsigned int n = 0;
	bool failed, granted;

	subscribe_encode(&w, MQTT_5_0, 10, &p, &entry, 1);
	do {
		struct sim_peer *a = client(broker, "a");
		struct frame frame;

		failing_malloc_arm(n++);
		sim_peer_send(a, bytes, w.len);
		failed = failing_malloc_disarm();
		sim_check(broker);
		granted = sim_peer_next(a, &frame) &&
			  frame.type == MQTT_SUBACK &&
			  frame.body.data[frame.body.len - 1] == 0;
		/* Or closed at once, for what it should be sent now. */
		if (!sim_peer_next(a, &frame))
			assert_int_equal(broker->subscription_count, granted);
		assert_true(granted || failed);
		sim_peer_close(a);
		assert_int_equal(matcher_counts(broker->matcher).predicates, 0);
	} while (failed && n < 100);
	assert_in_range(n, 8, 50);
}

/* A topic whose list cannot be made is not acknowledged; nothing leaks. */
static void test_without_memory_nothing_is_acknowledged(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *a = client(broker, "a");
	struct sim_peer *b = client(broker, "b");
	const struct topic_entry *entry;
	unsigned int n = 0;
	char topic[16];

	match_subscribe(a, "$match/a=1/#", 0, 1);
	match_subscribe(a, "t/+", 0, 2);
	match_subscribe(b, "t/+", 0, 3);
	match_subscribe(b, "$match/a=1/elsewhere", 0, 0);
	do {
		snprintf(topic, sizeof(topic), "t/%u", n);
		failing_malloc_arm(n++);
		entry = topic_cache_get(broker->cache, slice_str(topic));
		if (!failing_malloc_disarm())
			break;
		assert_null(entry);
	} while (n < 100);
	assert_non_null(entry);
	assert_int_equal(entry->count, 1);
	assert_non_null(entry->conditionals);
	/* Entry; conditionals, sessions, options twice; identifiers, targets. */
	assert_int_equal(n, 8);
	sim_peer_close(a);
	sim_peer_close(b);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_session_has_so_many_predicates),
		T(test_a_broker_has_so_many_predicates),
		T(test_each_predicate_is_asked_once_for_a_message),
		T(test_a_message_is_not_looked_at_for_ever),
		T(test_a_replay_is_not_looked_at_for_ever),
		T(test_a_payload_nobody_asks_about_is_not_read),
		T(test_plain_subscriptions_stay_plain),
		T(test_nothing_is_left_of_a_subscription_without_memory),
		T(test_a_request_without_memory_is_no_half_one),
		T(test_without_memory_nothing_is_acknowledged),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
