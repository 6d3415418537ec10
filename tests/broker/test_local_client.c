/* A client of the process itself, on another thread than the broker's. */
#include "broker/local_client.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/access.h"
#include "broker/admin.h"
#include "tests/broker/live_broker.h"

#define DEADLINE_MS 60000

static int setup(void **state)
{
	static const struct access_user users[] = {
		{ "anna", "", false, true, NULL },
	};
	static const struct access_rule rules[] = {
		{ 1, "anna", "home/#", ACCESS_READWRITE, true },
		{ 2, NULL, "#", ACCESS_READWRITE, true },
		{ 3, "anna", "cellar/#", ACCESS_READWRITE, false },
	};
	struct access *access = access_new();
	struct live_broker *live;

	assert_int_equal(access_add_user(access, &users[0]), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(access_add_rule(access, &rules[i]), 0);
	live = calloc(1, sizeof(*live));
	live_broker_start(live, access, false);
	*state = live;
	return 0;
}

static int teardown(void **state)
{
	struct live_broker *live = *state;

	live_broker_stop(live);
	live_broker_free(live);
	free(live);
	return 0;
}

static struct local_client *client(struct live_broker *live, const char *id,
				   const char *user, size_t mailbox)
{
	const struct local_client_options options = {
		.client_id = id,
		.user = user,
		.mailbox = mailbox,
	};
	struct local_client *lc = local_client_new(live->broker, &options);

	assert_non_null(lc);
	return lc;
}

static struct local_event *next(struct local_client *lc)
{
	struct pollfd wait = { .fd = local_client_fd(lc), .events = POLLIN };
	struct local_event *event;

	while (!(event = local_client_next(lc)))
		assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
	return event;
}

static enum mqtt_reason answer(struct local_client *lc, uint64_t token,
			       uint32_t *rule)
{
	struct local_event *event = next(lc);
	enum mqtt_reason reason = event->reason;

	assert_int_equal(event->type, LOCAL_CLIENT_ANSWER);
	assert_int_equal(event->token, token);
	if (rule)
		*rule = event->rule;
	local_event_free(event);
	return reason;
}

static void expect_message(struct local_client *lc, const char *topic,
			   const char *payload, bool retain)
{
	struct local_event *event = next(lc);

	assert_int_equal(event->type, LOCAL_CLIENT_MESSAGE);
	assert_true(
		slice_equal(message_topic(event->message), slice_str(topic)));
	assert_true(slice_equal(message_payload(event->message),
				slice_str(payload)));
	assert_int_equal(event->retain, retain);
	local_event_free(event);
}

static void subscribe(struct local_client *lc, const char *filter, uint8_t qos)
{
	assert_int_equal(local_client_subscribe(lc, slice_str(filter), qos, 99),
			 0);
}

static int publish(struct local_client *lc, const char *topic,
		   const char *payload, uint8_t qos, bool retain,
		   uint64_t token)
{
	return local_client_publish(lc, slice_str(topic), slice_str(payload),
				    qos, retain, token);
}

static void test_it_talks_with_clients_of_any_kind(void **state)
{
	struct live_broker *live = *state;
	struct local_client *a = client(live, "$a", NULL, 64);
	struct local_client *b = client(live, "$b", "anna", 64);
	struct live_peer peer;

	live_peer_open(&peer, live, "dev", 0);
	live_peer_subscribe(&peer, "home/#", 1);
	subscribe(b, "home/+", 1);
	assert_int_equal(answer(b, 99, NULL), MQTT_GRANTED_QOS_1);
	assert_int_equal(publish(a, "home/x", "hello", 1, false, 7), 0);
	assert_int_equal(answer(a, 7, NULL), MQTT_SUCCESS);
	expect_message(b, "home/x", "hello", false);
	live_peer_receive(&peer, "home/x", "hello");
	live_peer_say(&peer, "home/y", "back");
	expect_message(b, "home/y", "back", false);
	assert_int_equal(publish(a, "nobody", "x", 1, false, 8), 0);
	assert_int_equal(answer(a, 8, NULL), MQTT_NO_MATCHING_SUBSCRIBERS);
	assert_int_equal(local_client_unsubscribe(b, slice_str("home/+"), 9),
			 0);
	assert_int_equal(answer(b, 9, NULL), MQTT_SUCCESS);
	assert_int_equal(local_client_unsubscribe(b, slice_str("home/+"), 10),
			 0);
	assert_int_equal(answer(b, 10, NULL), MQTT_NO_SUBSCRIPTION_EXISTED);
	live_peer_close(&peer);
	local_client_free(a);
	local_client_free(b);
}

static void test_retained_messages_come_first_and_marked(void **state)
{
	struct local_client *a = client(*state, "$a", NULL, 64);

	assert_int_equal(publish(a, "home/r", "kept", 1, true, 1), 0);
	answer(a, 1, NULL);
	subscribe(a, "home/#", 0);
	expect_message(a, "home/r", "kept", true);
	assert_int_equal(answer(a, 99, NULL), MQTT_SUCCESS);
	assert_int_equal(publish(a, "home/r", "new", 0, true, 2), 0);
	expect_message(a, "home/r", "new", false);
	answer(a, 2, NULL);
	local_client_free(a);
}

static void test_rules_hold_and_are_named(void **state)
{
	struct local_client *anna = client(*state, "$a", "anna", 64);
	struct local_client *system = client(*state, "$s", NULL, 64);
	uint32_t rule = 0;

	assert_int_equal(publish(anna, "cellar/x", "", 1, false, 1), 0);
	assert_int_equal(answer(anna, 1, &rule), MQTT_NOT_AUTHORIZED);
	assert_int_equal(rule, 3);
	subscribe(anna, "cellar/#", 0);
	assert_int_equal(answer(anna, 99, &rule), MQTT_NOT_AUTHORIZED);
	/* The broader filter is taken, what it may not see does not come. */
	subscribe(anna, "#", 0);
	assert_int_equal(answer(anna, 99, NULL), MQTT_SUCCESS);
	publish(system, "cellar/x", "secret", 0, false, 1);
	publish(system, "$hearth/x", "inner", 0, false, 2);
	publish(system, "home/x", "open", 0, false, 3);
	expect_message(anna, "home/x", "open", false);
	local_client_free(anna);
	local_client_free(system);
}

static void test_what_is_malformed_is_told_at_once(void **state)
{
	struct local_client *lc = client(*state, "$a", NULL, 4);

	assert_int_equal(publish(lc, "a/+", "", 0, false, 1), -EINVAL);
	assert_int_equal(publish(lc, "", "", 0, false, 1), -EINVAL);
	assert_int_equal(publish(lc, "a", "", 3, false, 1), -EINVAL);
	assert_int_equal(local_client_subscribe(lc, slice_str("a+"), 0, 1),
			 -EINVAL);
	assert_int_equal(local_client_subscribe(lc, slice_str("a"), 3, 1),
			 -EINVAL);
	assert_null(local_client_next(lc));
	local_client_free(lc);
}

static void test_an_identifier_is_given_once(void **state)
{
	struct local_client *one = client(*state, "$same", NULL, 8);
	struct local_client *two = client(*state, "$same", NULL, 8);
	struct local_event *event = next(two);

	assert_int_equal(event->type, LOCAL_CLIENT_CLOSED);
	assert_int_equal(event->reason, MQTT_CLIENT_IDENTIFIER_NOT_VALID);
	local_event_free(event);
	subscribe(one, "t", 0);
	assert_int_equal(answer(one, 99, NULL), MQTT_SUCCESS);
	local_client_free(two);
	local_client_free(one);
	/* Free again. */
	one = client(*state, "$same", NULL, 8);
	subscribe(one, "t", 0);
	assert_int_equal(answer(one, 99, NULL), MQTT_SUCCESS);
	local_client_free(one);
}

/* QoS 0 past a full mailbox is dropped, QoS 1 closes: no gap unseen. */
static void test_who_does_not_take_is_closed(void **state)
{
	struct local_client *slow = client(*state, "$slow", NULL, 4);
	struct local_client *pub = client(*state, "$pub", NULL, 64);
	struct local_event *event;
	char payload[16];

	subscribe(slow, "home/#", 1);
	assert_int_equal(answer(slow, 99, NULL), MQTT_GRANTED_QOS_1);
	for (uint64_t i = 0; i < 20; i++) {
		snprintf(payload, sizeof(payload), "%u", (unsigned int)i);
		assert_int_equal(publish(pub, "home/x", payload, 0, false, i),
				 0);
		answer(pub, i, NULL);
	}
	for (unsigned int i = 0; i < 4; i++) {
		snprintf(payload, sizeof(payload), "%u", i);
		expect_message(slow, "home/x", payload, false);
	}
	assert_null(local_client_next(slow));
	for (uint64_t i = 0; i < 6; i++) {
		assert_int_equal(publish(pub, "home/x", "q", 1, false, i), 0);
		answer(pub, i, NULL);
	}
	for (int i = 0; i < 4; i++)
		expect_message(slow, "home/x", "q", false);
	event = next(slow);
	assert_int_equal(event->type, LOCAL_CLIENT_CLOSED);
	assert_int_equal(event->reason, MQTT_QUOTA_EXCEEDED);
	local_event_free(event);
	assert_null(local_client_next(slow));
	local_client_free(slow);
	local_client_free(pub);
}

static void *chat(void *arg)
{
	static _Atomic int number;
	struct live_broker *live = arg;
	char id[16];

	snprintf(id, sizeof(id), "$chat%d", number++);
	for (int round = 0; round < 20; round++) {
		struct local_client *lc = client(live, id, NULL, 256);

		subscribe(lc, "chat/#", 0);
		for (uint64_t i = 0; i < 20; i++)
			while (publish(lc, "chat/x", "hi", 0, i & 1, i) ==
			       -EAGAIN)
				;
		for (int i = 0; i < 10; i++)
			local_event_free(next(lc));
		local_client_free(lc); /* with events untaken */
	}
	return NULL;
}

static void test_several_threads_come_and_go(void **state)
{
	pthread_t threads[3];
	struct admin *admin;
	struct admin_counters c;
	struct live_broker *live = *state;

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, chat, live),
				 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	admin = admin_open(live->broker);
	assert_int_equal(admin_counters(admin, &c), 0);
	assert_int_equal(c.sessions, 0);
	assert_int_equal(c.subscriptions, 0);
	admin_close(admin);
}

/* Freed right before the stop: nobody else would. */
static void test_a_free_before_the_stop_is_done(void **state)
{
	struct local_client *lc = client(*state, "$a", NULL, 8);

	subscribe(lc, "t", 0);
	publish(lc, "t", "x", 0, true, 1);
	local_client_free(lc);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_it_talks_with_clients_of_any_kind),
		T(test_retained_messages_come_first_and_marked),
		T(test_rules_hold_and_are_named),
		T(test_what_is_malformed_is_told_at_once),
		T(test_an_identifier_is_given_once),
		T(test_who_does_not_take_is_closed),
		T(test_several_threads_come_and_go),
		T(test_a_free_before_the_stop_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
