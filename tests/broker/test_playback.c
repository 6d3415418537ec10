/* $history/...: what was stored, then what is published, without gap or repeat. */
#include "broker/session/playback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/access.h"
#include "broker/admin/sys_topics.h"
#include "broker/routing/retained.h"
#include "broker/routing/subscriptions.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"
#include "tests/broker/match_requests.h"
#include "tests/broker/playback_rig.h"
#include "tests/broker/sim_check.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The value of a user property, or "". */
static const char *property(const struct mqtt_publish *m, const char *wanted)
{
	static char out[64];
	struct slice name, value;
	size_t at = 0;

	out[0] = '\0';
	while (properties_next_user(m->properties.raw, &at, &name, &value))
		if (slice_equal(name, slice_str(wanted)))
			(void)snprintf(out, sizeof(out), "%.*s", (int)value.len,
				       (const char *)value.data);
	return out;
}

/* ---- what is sent ------------------------------------------------------- */

static void test_what_was_stored_comes_first_and_is_marked(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");
	const struct mqtt_subscription entry = {
		.filter = slice_str("$history/last/3/t"),
		.qos = 2,
	};
	struct mqtt_publish m;

	rig_store(rig, 0, 10);
	assert_int_equal(sim_peer_subscribed_with(a, &entry, 77), 2);
	for (unsigned int n = 7; n < 10; n++) {
		char time[24];

		(void)snprintf(time, sizeof(time), "%lld",
			       (long long)(T0 + n * 1000));
		m = sim_peer_message(a);
		assert_int_equal(m.payload.data[0], '0' + n);
		assert_true(slice_equal(m.topic, slice_str("t")));
		assert_int_equal(m.qos, 0);
		assert_false(m.retain);
		assert_string_equal(property(&m, "history-time"), time);
		assert_string_equal(property(&m, "history-cut"), "");
		assert_int_equal(m.properties.subscription_id_count, 1);
		assert_int_equal(m.properties.subscription_ids[0], 77);
	}
	rig_publish(rig, "t", 10, 1);
	m = sim_peer_message(a);
	assert_int_equal(m.qos, 1);
	assert_string_equal(property(&m, "history-time"), "");
	assert_int_equal(m.properties.subscription_ids[0], 77);
	assert_int_equal(rig->broker->count.playbacks, 1);
	assert_int_equal(rig->broker->count.messages_played, 3);
	sim_peer_close(a);
}

static void expect_sys(struct broker *broker, const char *name,
		       const char *value)
{
	struct message *m;
	char topic[96];

	(void)snprintf(topic, sizeof(topic), "$SYS/broker/hearth/%s", name);
	m = retained_get(broker->retained, slice_str(topic),
			 loop_now(broker->loop));
	assert_non_null(m);
	assert_true(slice_equal(message_payload(m), slice_str(value)));
}

static void test_replays_are_counted_in_sys(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");
	const struct mqtt_subscription entry = {
		.filter = slice_str("$history/last/3/t"),
	};

	rig_store(rig, 0, 10);
	assert_int_equal(sim_peer_subscribed_with(a, &entry, 0), 0);
	for (unsigned int n = 7; n < 10; n++)
		(void)sim_peer_message(a);
	rig->broker->sys_topics = sys_topics_new(rig->broker);
	assert_non_null(rig->broker->sys_topics);
	expect_sys(rig->broker, "replays", "1");
	expect_sys(rig->broker, "replays going on", "0");
	expect_sys(rig->broker, "messages replayed", "3");
	sim_peer_close(a);
}

static void test_older_clients_get_it_plainly(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1 };
	struct rig *rig = *state;

	rig_store(rig, 0, 10);
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct sim_peer *a =
			sim_client(rig->broker, versions[i], "a", true, NULL);

		assert_int_equal(sim_peer_subscribed(a, "$history/last/6/t", 0),
				 0);
		rig_receive_all(a, 4, 10, 0);
		sim_peer_expect_nothing(a);
		sim_peer_close(a);
	}
}

static void test_since_counts_from_now_or_from_a_time(void **state)
{
	static const struct {
		const char *filter;
		unsigned int first;
	} rows[] = {
		{ "$history/since/3600/t", 0 }, /* the clock stands at 3600 s */
		{ "$history/since/3595/t", 5 },
		{ "$history/since/3591/t", 9 },
		{ "$history/since/0/t", 10 },
		{ "$history/since/2026-11-21T09:00:05Z/t", 5 },
		{ "$history/since/2026-11-21T10:00:05.001%2B01:00/t", 6 },
		{ "$history/since/1970-01-01T00:00:00Z/t", 0 },
		{ "$history/since/2099-01-01T00:00:00Z/t", 10 },
		{ "$history/last/100/t", 0 },
		{ "$history/last/1/+", 9 },
		{ "$history/last/1/t/#", 9 },
	};
	struct rig *rig = *state;

	rig_store(rig, 0, 10);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sim_peer *a = rig_client(rig, "a");

		assert_int_equal(sim_peer_subscribed(a, rows[i].filter, 0), 0);
		rig_receive_all(a, rows[i].first, 10, 0);
		sim_peer_expect_nothing(a);
		sim_peer_close(a);
	}
}

static void test_what_was_cut_says_so(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");
	struct mqtt_publish m;

	rig_store(rig, 0, 1);
	sim_history_set_cut(rig->history, true);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/1/t", 0), 0);
	m = sim_peer_message(a);
	assert_string_equal(property(&m, "history-cut"), "1");
	sim_peer_close(a);
}

/* That is among what was stored, or older than what is asked for. */
static void test_nothing_retained_is_sent(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");

	sim_peer_publish(rig->pub, "t", "5", 0, true, 0);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/9/t", 0), 0);
	rig_receive(a, "t", 5, 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

static void test_options_hold_for_what_was_stored(void **state)
{
	struct rig *rig = *state;
	struct mqtt_subscription entry = {
		.filter = slice_str("$history/last/9/t"),
		.retain_handling = 1,
		.no_local = true,
	};
	struct sim_peer *a = rig_client(rig, "a");

	rig_store(rig, 0, 1);
	sim_peer_publish(a, "t", "1", 0, false, 0);
	/* 1: because it is new; its own messages never are for it. */
	assert_int_equal(sim_peer_subscribed_with(a, &entry, 0), 0);
	rig_receive(a, "t", 0, 0);
	sim_peer_expect_nothing(a);
	assert_int_equal(sim_peer_subscribed_with(a, &entry, 0), 0);
	sim_peer_expect_nothing(a);
	entry.retain_handling = 0;
	entry.no_local = false;
	assert_int_equal(sim_peer_subscribed_with(a, &entry, 0), 0);
	rig_receive_all(a, 0, 2, 0);
	sim_peer_close(a);
	a = rig_client(rig, "a");
	entry.retain_handling = 2;
	assert_int_equal(sim_peer_subscribed_with(a, &entry, 0), 0);
	sim_peer_expect_nothing(a);
	rig_publish(rig, "t", 2, 0);
	rig_receive(a, "t", 2, 0);
	sim_peer_close(a);
}

static void test_a_predicate_holds_for_both(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");

	rig_store(rig, 0, 10);
	assert_int_equal(
		sim_peer_subscribed(a, "$history/last/5/$match/$value>7/t", 0),
		0);
	rig_receive_all(a, 8, 10, 0);
	rig_publish(rig, "t", 7, 0);
	rig_publish(rig, "t", 10, 0);
	rig_receive(a, "t", 10, 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

/* ---- no gap, no repeat -------------------------------------------------- */

/* Something is published between any two steps. */
static void check_seam(struct rig *rig, enum mqtt_version version, uint8_t qos,
		       bool durable)
{
	struct sim_peer *a =
		sim_client(rig->broker, version, "a", !durable, NULL);
	unsigned int n;

	sim_history_set_auto(rig->history, false);
	for (n = 0; n < 10; n++)
		rig_publish(rig, "t", n, qos);
	assert_int_equal(sim_peer_subscribed(a, "$history/since/9000/t", qos),
			 qos);
	for (int page = 0; page < 3; page++) {
		rig_publish(rig, "t", n++, qos);
		rig_publish(rig, "other", n, 0);
		sim_history_answer(rig->history);
		sim_run(rig->broker);
		rig_receive_all(a, (unsigned int)page * PAGE,
				page < 2 ? (unsigned int)(page + 1) * PAGE : 10,
				0);
	}
	rig_publish(rig, "t", n++, qos);
	rig_receive_all(a, 10, n, qos);
	sim_peer_expect_nothing(a);
	sim_check(rig->broker);
	sim_peer_close(a);
	sim_peer_close(sim_client(rig->broker, version, "a", true, NULL));
}

static void test_what_comes_meanwhile_waits_at_qos_0(void **state)
{
	check_seam(*state, MQTT_3_1_1, 0, false);
}

static void test_what_comes_meanwhile_waits_at_qos_1(void **state)
{
	check_seam(*state, MQTT_5_0, 1, false);
}

static void test_a_durable_session_has_it_stored_meanwhile(void **state)
{
	check_seam(*state, MQTT_5_0, 1, true);
}

/* Two at a time, each with its own seam, one behind the other. */
static void test_several_are_sent_in_turn(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");

	sim_history_set_auto(rig->history, false);
	rig_store(rig, 0, 3);
	sim_peer_subscribed(a, "$history/last/9/t", 0);
	rig_publish(rig, "t", 3, 0);
	rig_publish(rig, "u", 4, 0);
	sim_peer_subscribed(a, "$history/last/9/u", 0);
	rig_publish(rig, "u", 5, 0);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	rig_receive_all(a, 0, 3, 0);
	rig_receive(a, "u", 4, 0);
	rig_receive(a, "t", 3, 0);
	rig_receive(a, "u", 5, 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

/* What waited in the queue before goes before, and is in what was stored too if it
 * came by another subscription: that is not this one's repeat. */
static void test_what_waited_before_goes_before(void **state)
{
	struct rig *rig = *state;
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "a", true);
	struct sim_peer *a = sim_peer_open(rig->broker);
	uint16_t id;

	properties_set(&packet.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	packet.properties.receive_maximum = 1;
	sim_peer_connect(a, &packet);
	sim_peer_expect(a, MQTT_CONNACK);
	rig_store(rig, 0, 2);
	assert_int_equal(sim_peer_subscribed(a, "u", 1), 1);
	rig_publish(rig, "u", 0, 1);
	rig_publish(rig, "u", 1, 1);
	id = sim_peer_receive(a, "u", "0", 1);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/9/t", 1), 1);
	rig_publish(rig, "t", 2, 1);
	sim_peer_expect_nothing(a);
	sim_peer_ack(a, MQTT_PUBACK, id);
	id = sim_peer_receive(a, "u", "1", 1);
	rig_receive_all(a, 0, 2, 0);
	sim_peer_expect_nothing(a);
	sim_peer_ack(a, MQTT_PUBACK, id);
	rig_receive(a, "t", 2, 1);
	sim_peer_close(a);
}

/* ---- who may ------------------------------------------------------------ */

static int setup_rules(void **state)
{
	static const struct access_rule rules[] = {
		{ 1, NULL, "#", ACCESS_READWRITE, true },
		{ 2, NULL, "secret/#", ACCESS_READ, false },
		{ 3, NULL, "home/safe", ACCESS_READ, false },
	};
	struct access *access = access_new();

	for (size_t i = 0; i < COUNT(rules); i++)
		assert_int_equal(access_add_rule(access, &rules[i]), 0);
	return rig_setup_with(state, access);
}

static void test_rules_hold_for_the_filter_and_each_topic(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_anyone(rig->broker, "a");

	sim_history_add(rig->history, "secret/pin", "1", T0);
	sim_history_add(rig->history, "home/safe", "2", T0 + 1);
	sim_history_add(rig->history, "home/hall", "3", T0 + 2);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/9/secret/#", 0),
			 MQTT_NOT_AUTHORIZED);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/9/home/safe", 0),
			 MQTT_NOT_AUTHORIZED);
	assert_int_equal(sim_history_pages(rig->history), 0);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/9/#", 0), 0);
	rig_receive(a, "home/hall", 3, 0);
	rig_publish(rig, "home/safe", 4, 0);
	rig_publish(rig, "home/hall", 5, 0);
	rig_receive(a, "home/hall", 5, 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

/* The reason goes to the client. */
static void refused(const struct rig *rig, const char *filter, uint8_t reason,
		    const char *why)
{
	const char *const filters[] = { filter, NULL };
	struct sim_peer *a = rig_client(rig, "refused");
	struct mqtt_suback suback;

	match_ask(a, slice_of(NULL, 0), filters, &suback);
	assert_int_equal(suback.reasons.data[0], reason);
	assert_true(
		slice_equal(suback.properties.reason_string, slice_str(why)));
	assert_int_equal(rig->broker->subscription_count, 0);
	sim_peer_close(a);
}

static void test_what_is_wrong_is_refused_with_reason_and_place(void **state)
{
	static const struct {
		const char *filter;
		const char *why;
	} rows[] = {
		{ "$history/first/5/t",
		  "filter 1: byte 10: $history/ is followed by last/ or "
		  "since/" },
		{ "$history/last/0/t",
		  "filter 1: byte 15: at least one message is asked for" },
		{ "$history/last/100001/t",
		  "filter 1: byte 15: more messages than may be asked for" },
		{ "$history/since/noon/t",
		  "filter 1: byte 16: since/ is followed by seconds, or a time "
		  "like 2026-11-21T15:30:00Z" },
		{ "$share/g/$history/last/5/t",
		  "filter 1: byte 1: a shared subscription has no history" },
		{ "$history/last/5/$share/g/t",
		  "filter 1: byte 17: a shared subscription has no history" },
		{ "$match/$value>1/$history/last/5/t",
		  "filter 1: byte 1: $history stands before $match" },
		{ "$history/last/5/t/#/u",
		  "filter 1: not a valid topic filter" },
		{ "$history/last/5/$match/x>1/t#",
		  "filter 1: not a valid topic filter" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(rows); i++)
		refused(rig, rows[i].filter, MQTT_TOPIC_FILTER_INVALID,
			rows[i].why);
	assert_int_equal(sim_history_pages(rig->history), 0);
}

static void test_a_hub_without_history_says_so(void **state)
{
	struct rig rig = { .broker = sim_broker(NULL, NULL) };

	(void)state;
	refused(&rig, "$history/last/5/t", MQTT_IMPLEMENTATION_SPECIFIC_ERROR,
		"filter 1: this hub keeps no history");
	broker_free(rig.broker);
}

/* ---- which subscription it is ------------------------------------------- */

static void test_another_history_is_another_subscription(void **state)
{
	static const char *const texts[] = {
		"$history/last/5/t",
		"$history/last/6/t",
		"$history/last/5/$match/$value>1/t",
		"t",
	};
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");
	struct session *s = session_find(rig->broker, slice_str("a"));
	struct list *at, *after;
	size_t i = 0;

	for (size_t n = 0; n < 2 * COUNT(texts); n++)
		sim_peer_subscribed(a, texts[n / 2], 0);
	assert_int_equal(s->subscription_count, COUNT(texts));
	list_for_each (at, after, &s->subscriptions) {
		char text[64];
		size_t len = subscription_filter(
			list_entry(at, struct subscription, in_session), text,
			sizeof(text));

		assert_int_equal(len, strlen(texts[i]));
		assert_memory_equal(text, texts[i++], len);
	}
	/* One delivery all the same. */
	rig_publish(rig, "t", 5, 0);
	rig_receive(a, "t", 5, 0);
	sim_peer_expect_nothing(a);
	match_unsubscribe(a, "$history/last/7/t", slice_of(NULL, 0),
			  MQTT_NO_SUBSCRIPTION_EXISTED);
	for (i = 0; i < COUNT(texts); i++)
		match_unsubscribe(a, texts[i], slice_of(NULL, 0), MQTT_SUCCESS);
	rig_publish(rig, "t", 6, 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_was_stored_comes_first_and_is_marked),
		T(test_replays_are_counted_in_sys),
		T(test_older_clients_get_it_plainly),
		T(test_since_counts_from_now_or_from_a_time),
		T(test_what_was_cut_says_so),
		T(test_nothing_retained_is_sent),
		T(test_options_hold_for_what_was_stored),
		T(test_a_predicate_holds_for_both),
		T(test_what_comes_meanwhile_waits_at_qos_0),
		T(test_what_comes_meanwhile_waits_at_qos_1),
		T(test_a_durable_session_has_it_stored_meanwhile),
		T(test_several_are_sent_in_turn),
		T(test_what_waited_before_goes_before),
		cmocka_unit_test_setup_teardown(
			test_rules_hold_for_the_filter_and_each_topic,
			setup_rules, rig_teardown),
		T(test_what_is_wrong_is_refused_with_reason_and_place),
		cmocka_unit_test(test_a_hub_without_history_says_so),
		T(test_another_history_is_another_subscription),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
