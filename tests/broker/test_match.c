/* Subscriptions with a predicate, $match/<predicate>/<filter>, in a whole broker. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/access.h"
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

static const struct slice nothing = { NULL, 0 };

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

static void test_only_what_fits_arrives(void **state)
{
	struct sim_peer *old =
		sim_client(*state, MQTT_3_1_1, "old", true, NULL);
	struct sim_peer *new = member(
		*state, "new", "$match/temp.value>25,unit=C|$qos=1/+/hall", 0);
	struct sim_peer *pub = client(*state, "pub");

	assert_int_equal(sim_peer_subscribed(old, "$match/$value=ON/#", 0), 0);
	sim_peer_publish(pub, "a/hall",
			 "{\"temp\":{\"value\":26},\"unit\":\"C\"}", 0, false,
			 0);
	sim_peer_publish(pub, "a/hall", "{\"temp\":{\"value\":26}}", 0, false,
			 0);
	sim_peer_publish(pub, "a/attic", "ON", 0, false, 0);
	sim_peer_publish(pub, "a/hall", "OFF", 0, false, 0);
	sim_peer_publish(pub, "a/hall", "ON", 1, false, 7);
	sim_peer_receive(old, "a/attic", "ON", 0);
	sim_peer_receive(old, "a/hall", "ON", 0);
	sim_peer_expect_nothing(old);
	sim_peer_receive(new, "a/hall",
			 "{\"temp\":{\"value\":26},\"unit\":\"C\"}", 0);
	sim_peer_receive(new, "a/hall", "ON", 0);
	sim_peer_expect_nothing(new);
	sim_peer_close(old);
	sim_peer_close(new);
	sim_peer_close(pub);
}

/* The publisher learns whether anybody got it (reason 0x10). */
static void test_who_does_not_fit_does_not_count(void **state)
{
	struct sim_peer *a = member(*state, "a", "$match/$value>5/t", 1);
	struct sim_peer *pub = client(*state, "pub");

	sim_peer_publish(pub, "t", "4", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_NO_MATCHING_SUBSCRIBERS);
	sim_peer_publish(pub, "t", "6", 1, false, 2);
	sim_peer_receive(a, "t", "6", 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 2), MQTT_SUCCESS);
	sim_peer_close(a);
	sim_peer_close(pub);
}

static void test_retained_messages_are_chosen(void **state)
{
	struct sim_peer *pub = client(*state, "pub");
	struct sim_peer *a;

	sim_peer_publish(pub, "t/cold", "4", 0, true, 0);
	sim_peer_publish(pub, "t/hot", "40", 0, true, 0);
	a = client(*state, "a");
	sim_peer_subscribe(a, "$match/$value>25,$retain=true/t/+", 0);
	sim_peer_expect(a, MQTT_SUBACK);
	sim_peer_receive(a, "t/hot", "40", 0);
	sim_peer_expect_nothing(a);
	sim_peer_publish(pub, "t/hot", "41", 0, false, 0);
	sim_peer_expect_nothing(a);
	sim_peer_publish(pub, "t/cold", "42", 0, true, 0);
	sim_peer_receive(a, "t/cold", "42", 0);
	sim_peer_close(a);
	sim_peer_close(pub);
}

/* Not queued, not stored; and still so after a power cut. */
static void test_only_what_fits_is_queued(void **state)
{
	struct sim_store *store = sim_store_new();
	struct broker *broker = sim_broker(store, NULL);
	struct sim_peer *a = sim_client(broker, MQTT_3_1_1, "a", false, NULL);
	struct sim_peer *pub = client(broker, "pub");

	(void)state;
	assert_int_equal(sim_peer_subscribed(a, "$match/$value>25/t", 1), 1);
	sim_peer_close(a);
	for (int restart = 0; restart < 2; restart++) {
		sim_peer_publish(pub, "t", "4", 1, false, 1);
		sim_peer_acked(pub, MQTT_PUBACK, 1);
		assert_int_equal(sim_store_queued(store), 2 * restart);
		sim_peer_publish(pub, "t", "26", 1, false, 2);
		sim_peer_publish(pub, "t", "27", 1, false, 3);
		assert_int_equal(sim_store_queued(store), 2 * restart + 2);
		sim_peer_close(pub);
		broker_free(broker);
		broker = sim_broker(store, NULL);
		assert_int_equal(matcher_counts(broker->matcher).predicates, 1);
		sim_check(broker);
		pub = client(broker, "pub");
	}
	a = sim_client(broker, MQTT_3_1_1, "a", false, NULL);
	for (int i = 0; i < 4; i++)
		sim_peer_receive(a, "t", i % 2 ? "27" : "26", 1);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
	sim_peer_close(pub);
	broker_free(broker);
	sim_store_free(store);
}

/* A full queue turns away only what would have to go into it. */
static void test_who_does_not_fit_needs_no_room(void **state)
{
	struct sim_store *store = sim_store_new();
	const struct broker_options options = {
		.node = "test",
		.store = sim_store_door(store),
		.max_queue_messages = 2,
	};
	struct broker *broker = sim_broker_with(&options);
	struct sim_peer *a = sim_client(broker, MQTT_5_0, "a", false, NULL);
	struct sim_peer *b = sim_client(broker, MQTT_5_0, "b", false, NULL);
	struct sim_peer *pub = client(broker, "pub");

	(void)state;
	assert_int_equal(sim_peer_subscribed(a, "$match/$value>25/t", 1), 1);
	assert_int_equal(
		sim_peer_subscribed(b, "$share/g/$match/$value>50/t", 1), 1);
	sim_peer_close(a);
	sim_peer_close(b);
	for (uint16_t i = 1; i <= 4; i++) {
		sim_peer_publish(pub, "t", "26", 1, false, i);
		assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, i),
				 i <= 2 ? MQTT_SUCCESS : MQTT_QUOTA_EXCEEDED);
	}
	sim_peer_publish(pub, "t", "25", 1, false, 5);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 5),
			 MQTT_NO_MATCHING_SUBSCRIBERS);
	assert_int_equal(sim_store_queued(store), 2);
	sim_peer_close(pub);
	broker_free(broker);
	sim_store_free(store);
}

/* ---- which subscription it is ------------------------------------------- */

static void test_another_predicate_is_another_subscription(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *a = member(broker, "a", "$match/$value>1/t", 0);
	struct sim_peer *pub = client(broker, "pub");

	assert_int_equal(sim_peer_subscribed(a, "$match/$value>2/t", 0), 0);
	assert_int_equal(sim_peer_subscribed(a, "t", 0), 0);
	assert_int_equal(broker->subscription_count, 3);
	assert_int_equal(sim_peer_subscribed(a, "$match/$value>2/t", 0), 0);
	assert_int_equal(broker->subscription_count, 3);
	match_unsubscribe(a, "$match/$value>3/t", nothing,
			  MQTT_NO_SUBSCRIPTION_EXISTED);
	match_unsubscribe(a, "$match/$value>1/u", nothing,
			  MQTT_NO_SUBSCRIPTION_EXISTED);
	match_unsubscribe(a, "t", nothing, MQTT_SUCCESS);
	match_unsubscribe(a, "$match/$value>1/t", nothing, MQTT_SUCCESS);
	sim_peer_publish(pub, "t", "2", 0, false, 0);
	sim_peer_expect_nothing(a);
	sim_peer_publish(pub, "t", "3", 0, false, 0);
	sim_peer_receive(a, "t", "3", 0);
	match_unsubscribe(a, "$match/$value>2/t", nothing, MQTT_SUCCESS);
	match_unsubscribe(a, "$match/$value>2/t", nothing,
			  MQTT_NO_SUBSCRIPTION_EXISTED);
	assert_int_equal(matcher_counts(broker->matcher).predicates, 0);
	sim_peer_close(a);
	sim_peer_close(pub);
}

/* One message, the highest QoS and all identifiers of those that match. */
static void test_overlaps_are_merged_as_the_message_fits(void **state)
{
	static const struct {
		const char *payload;
		uint8_t qos;
		uint8_t identifiers; /* bit n: identifier n */
	} rows[] = {
		{ "5", 0, 1 << 1 },
		{ "15", 1, 1 << 1 | 1 << 2 },
		{ "25", 2, 1 << 1 | 1 << 2 | 1 << 3 },
		{ "-5", 2, 1 << 1 | 1 << 4 },
	};
	struct sim_peer *a = client(*state, "a");
	struct sim_peer *pub = client(*state, "pub");

	match_subscribe(a, "t", 0, 1);
	match_subscribe(a, "$match/$value>10/t", 1, 2);
	match_subscribe(a, "$match/$value>20/+", 2, 3);
	match_subscribe(a, "$match/$value<0/#", 2, 4);
	match_subscribe(a, "$match/$value>1000/#", 2, 5);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mqtt_publish m;
		uint8_t identifiers = 0;

		sim_peer_publish(pub, "t", rows[i].payload, 2, false,
				 (uint16_t)(i + 1));
		m = sim_peer_message(a);
		assert_int_equal(m.qos, rows[i].qos);
		for (size_t n = 0; n < m.properties.subscription_id_count; n++)
			identifiers |=
				(uint8_t)(1
					  << m.properties.subscription_ids[n]);
		assert_int_equal(identifiers, rows[i].identifiers);
		sim_peer_expect_nothing(a);
		sim_peer_acked(pub, MQTT_PUBREC, (uint16_t)(i + 1));
	}
	sim_peer_close(a);
	sim_peer_close(pub);
}

static void test_options_hold_for_those_that_match(void **state)
{
	struct sim_peer *a = client(*state, "a");

	match_subscribe(a, "$match/$value=own/t", SUBSCRIPTION_NO_LOCAL, 0);
	match_subscribe(a, "$match/$retain=true/t",
			SUBSCRIPTION_RETAIN_AS_PUBLISHED, 0);
	sim_peer_publish(a, "t", "own", 0, false, 0);
	sim_peer_expect_nothing(a);
	sim_peer_publish(a, "t", "own", 0, true, 0);
	assert_true(sim_peer_message(a).retain);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

static void test_it_is_read_back_as_it_was_given(void **state)
{
	static const char *const texts[] = {
		"$match/a%2fb>1,c= x |d~y/t/+/#",
		"$share/g/$match/a>1/t/#",
		"$share/g/t/#",
		"t/#",
	};
	struct sim_peer *a = client(*state, "a");
	struct session *s = session_find(*state, slice_str("a"));
	struct list *at, *after;
	size_t i = 0;
	char text[64];

	for (; i < COUNT(texts); i++)
		assert_int_equal(sim_peer_subscribed(a, texts[i], 1), 1);
	i = 0;
	list_for_each (at, after, &s->subscriptions) {
		const struct subscription *sub =
			list_entry(at, struct subscription, in_session);
		size_t len = strlen(texts[i]);

		assert_int_equal(subscription_filter(sub, NULL, 0), len);
		assert_int_equal(subscription_filter(sub, text, 12), len);
		assert_int_equal(subscription_filter(sub, text, len), len);
		assert_memory_equal(text, texts[i++], len);
	}
	assert_int_equal(i, COUNT(texts));
	sim_peer_close(a);
}

/* ---- shared ------------------------------------------------------------- */

static void test_a_group_asks_those_who_fit(void **state)
{
	struct sim_peer *a =
		member(*state, "a", "$share/g/$match/$value>10/t", 1);
	struct sim_peer *b =
		member(*state, "b", "$share/g/$match/$value>20/t", 1);
	struct sim_peer *pub = client(*state, "pub");

	/* Everything above 20 goes to either, in turn; the rest only to a. */
	for (int i = 0; i < 4; i++)
		sim_peer_publish(pub, "t", "25", 0, false, 0);
	sim_peer_receive(a, "t", "25", 0);
	sim_peer_receive(a, "t", "25", 0);
	sim_peer_expect_nothing(a);
	sim_peer_receive(b, "t", "25", 0);
	sim_peer_receive(b, "t", "25", 0);
	sim_peer_expect_nothing(b);
	for (int i = 0; i < 2; i++)
		sim_peer_publish(pub, "t", "15", 0, false, 0);
	sim_peer_receive(a, "t", "15", 0);
	sim_peer_receive(a, "t", "15", 0);
	sim_peer_publish(pub, "t", "5", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_NO_MATCHING_SUBSCRIBERS);
	sim_peer_expect_nothing(a);
	sim_peer_expect_nothing(b);
	sim_peer_close(a);
	sim_peer_close(b);
	sim_peer_close(pub);
}

static void test_what_is_handed_over_fits(void **state)
{
	struct sim_peer *a = member(*state, "a", "$share/g/t", 1);
	struct sim_peer *pub = client(*state, "pub");
	struct sim_peer *b, *c;

	sim_peer_publish(pub, "t", "15", 1, false, 1);
	sim_peer_receive(a, "t", "15", 1);
	b = member(*state, "b", "$share/g/$match/$value>20/t", 1);
	c = member(*state, "c", "$share/g/$match/$value>10/t", 1);
	sim_peer_close(a); /* without having acknowledged */
	sim_peer_expect_nothing(b);
	sim_peer_receive(c, "t", "15", 1);
	sim_peer_close(b);
	sim_peer_close(c);
	sim_peer_close(pub);
}

/* ---- the user property -------------------------------------------------- */

static void test_the_user_property_means_the_same(void **state)
{
	static const char *const filters[] = { "t", "$share/g/u", NULL };
	struct sim_peer *pub = client(*state, "pub");
	struct sim_peer *a = client(*state, "a");
	struct mqtt_suback answer;
	uint8_t bytes[4096];

	sim_peer_publish(pub, "t", "a/b+#", 0, true, 0);
	match_ask(a, match_properties(bytes, "$value=a/b+#|$value=x", NULL),
		  filters, &answer);
	assert_memory_equal(answer.reasons.data, "\0\0", 2);
	sim_peer_receive(a, "t", "a/b+#", 0);
	sim_peer_publish(pub, "t", "y", 0, false, 0);
	sim_peer_publish(pub, "u", "y", 0, false, 0);
	sim_peer_expect_nothing(a);
	sim_peer_publish(pub, "t", "x", 0, false, 0);
	sim_peer_publish(pub, "u", "x", 0, false, 0);
	sim_peer_receive(a, "t", "x", 0);
	sim_peer_receive(a, "u", "x", 0);

	match_unsubscribe(a, "t", nothing, MQTT_NO_SUBSCRIPTION_EXISTED);
	match_unsubscribe(
		a, "t", match_properties(bytes, "$value=a/b+#|$value=x", NULL),
		MQTT_SUCCESS);
	match_unsubscribe(a, "$share/g/$match/$value=a%2Fb%2B%23|$value=x/u",
			  nothing, MQTT_SUCCESS);
	assert_int_equal(((struct broker *)*state)->subscription_count, 0);
	sim_peer_close(a);
	sim_peer_close(pub);
}

static void test_what_is_refused_says_why(void **state)
{
	static const struct {
		const char *one, *two; /* properties */
		const char *filter;
		const char *why;
	} rows[] = {
		{ NULL, NULL, "$match/temp>x/t",
		  "filter 1: predicate, byte 6: < <= > >= compare with a "
		  "number" },
		{ NULL, NULL, "$share/g/$match/a=%zz/t",
		  "filter 1: predicate, byte 3: % is not followed by two hex "
		  "digits" },
		{ NULL, NULL, "$match//t",
		  "filter 1: predicate, byte 1: the predicate is empty" },
		{ NULL, NULL, "$match/a=+5/t",
		  "filter 1: predicate, byte 3: / + # must be %-encoded" },
		{ NULL, NULL, "$match/a=1",
		  "filter 1: not a valid topic filter" },
		{ NULL, NULL, "$match/a=1/",
		  "filter 1: not a valid topic filter" },
		{ NULL, NULL, "$match/a=1/t#",
		  "filter 1: not a valid topic filter" },
		{ NULL, NULL, "$match/a=1/$share/g/t",
		  "filter 1: not a valid topic filter" },
		{ NULL, NULL, "$match/a=1/$match/b=1/t",
		  "filter 1: not a valid topic filter" },
		{ "a/b>#", NULL, "t",
		  "filter 1: predicate, byte 5: < <= > >= compare with a "
		  "number" },
		{ "", NULL, "t",
		  "filter 1: predicate, byte 1: the predicate is empty" },
		{ "a=1", "b=1", "t",
		  "filter 1: more than one predicate is given" },
		{ "a=1", NULL, "$match/b=1/t",
		  "filter 1: more than one predicate is given" },
		{ "a=1", NULL, "$share/g",
		  "filter 1: not a valid topic filter" },
	};
	struct sim_peer *a = client(*state, "a");
	struct sim_peer *old =
		sim_client(*state, MQTT_3_1_1, "old", true, NULL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const filters[] = { rows[i].filter, NULL };
		struct mqtt_suback answer;
		uint8_t bytes[4096];

		match_ask(a, match_properties(bytes, rows[i].one, rows[i].two),
			  filters, &answer);
		assert_int_equal(answer.reasons.data[0],
				 MQTT_TOPIC_FILTER_INVALID);
		if (!slice_equal(answer.properties.reason_string,
				 slice_str(rows[i].why)))
			fail_msg("%s: %.*s", rows[i].filter,
				 (int)answer.properties.reason_string.len,
				 answer.properties.reason_string.data);
		if (!rows[i].one)
			assert_int_equal(
				sim_peer_subscribed(old, rows[i].filter, 0),
				MQTT_UNSPECIFIED_ERROR);
	}
	match_unsubscribe(a, "$match/a=1", nothing, MQTT_TOPIC_FILTER_INVALID);
	assert_int_equal(((struct broker *)*state)->subscription_count, 0);
	sim_peer_close(a);
	sim_peer_close(old);
}

/* A name that UNSUBSCRIBE could not repeat is not given. */
static void test_a_name_is_no_longer_than_a_filter(void **state)
{
	static char filter[UINT16_MAX + 1];
	const char *const filters[] = { "u", filter, NULL };
	struct sim_peer *a = client(*state, "a");
	struct mqtt_suback answer;
	uint8_t bytes[4096];

	/* $match/, a=1, / */
	memset(filter, 'x', sizeof(filter) - 1);
	filter[UINT16_MAX - 10] = '\0';
	match_ask(a, match_properties(bytes, "a=11", NULL), filters, &answer);
	assert_int_equal(answer.reasons.data[0], 0);
	assert_int_equal(answer.reasons.data[1], MQTT_TOPIC_FILTER_INVALID);
	filter[UINT16_MAX - 11] = '\0';
	match_ask(a, match_properties(bytes, "a=1", NULL), filters, &answer);
	assert_int_equal(answer.reasons.data[1], 0);
	sim_peer_close(a);
}

/* ---- rights and limits -------------------------------------------------- */

static void test_rules_are_asked_for_the_filter_within(void **state)
{
	const struct access_rule rule = { .id = 5,
					  .filter = "hall/#",
					  .action = ACCESS_READWRITE,
					  .allow = true };
	const struct access_user anna = { .name = "anna",
					  .password_hash = "",
					  .enabled = true };
	const struct mqtt_connect connect = sim_connect(MQTT_5_0, "a", true);
	struct access *access = access_new();
	struct sim_peer *a;
	struct broker *broker;

	(void)state;
	assert_int_equal(access_add_user(access, &anna), 0);
	assert_int_equal(access_add_rule(access, &rule), 0);
	broker = sim_broker(NULL, access);
	a = sim_peer_open_as(broker, "anna");
	sim_peer_connect(a, &connect);
	sim_peer_expect(a, MQTT_CONNACK);
	assert_int_equal(sim_peer_subscribed(a, "$match/a=1/hall/+", 0), 0);
	assert_int_equal(sim_peer_subscribed(a, "$match/a=1/attic", 0),
			 MQTT_NOT_AUTHORIZED);
	assert_int_equal(sim_peer_subscribed(a, "$share/g/$match/a=1/attic", 0),
			 MQTT_NOT_AUTHORIZED);
	/* Who may not subscribe is not taught the language either. */
	assert_int_equal(sim_peer_subscribed(a, "$match/a==/attic", 0),
			 MQTT_NOT_AUTHORIZED);
	sim_peer_close(a);
	broker_free(broker);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_only_what_fits_arrives),
		T(test_who_does_not_fit_does_not_count),
		T(test_retained_messages_are_chosen),
		T(test_only_what_fits_is_queued),
		T(test_who_does_not_fit_needs_no_room),
		T(test_another_predicate_is_another_subscription),
		T(test_overlaps_are_merged_as_the_message_fits),
		T(test_options_hold_for_those_that_match),
		T(test_it_is_read_back_as_it_was_given),
		T(test_a_group_asks_those_who_fit),
		T(test_what_is_handed_over_fits),
		T(test_the_user_property_means_the_same),
		T(test_what_is_refused_says_why),
		T(test_a_name_is_no_longer_than_a_filter),
		T(test_rules_are_asked_for_the_filter_within),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
