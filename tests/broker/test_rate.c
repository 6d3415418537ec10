/* Clients that send too much are held back, and lose nothing. */
#include "broker/peer/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker/core.h"
#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static struct sim_peer *sender, *receiver;

static int setup(void **state)
{
	sim_clock_start();
	*state = sim_broker(NULL, NULL);
	if (!*state)
		return -1;
	receiver = sim_client(*state, MQTT_3_1_1, "receiver", true, NULL);
	sender = sim_client(*state, MQTT_3_1_1, "sender", true, NULL);
	sim_peer_subscribed(receiver, "t", 0);
	return 0;
}

static int teardown(void **state)
{
	sim_peer_close(sender);
	sim_peer_close(receiver);
	sim_check(*state);
	broker_free(*state);
	sim_clock_stop();
	return 0;
}

static void limit(struct broker *broker, uint32_t messages, uint32_t bytes)
{
	broker->options.message_rate = messages;
	broker->options.byte_rate = bytes;
	rate_configure(broker);
}

static void send(unsigned int from, unsigned int to)
{
	char text[16];

	for (unsigned int i = from; i < to; i++) {
		snprintf(text, sizeof(text), "%04u", i);
		sim_peer_publish(sender, "t", text, 0, false, 0);
	}
}

/* So many more have arrived, in order. */
static void receive(unsigned int *next, unsigned int count)
{
	char text[16];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%04u", (*next)++);
		sim_peer_receive(receiver, "t", text, 0);
	}
	sim_peer_expect_nothing(receiver);
}

static void test_messages_over_the_rate_come_later(void **state)
{
	struct broker *broker = *state;
	unsigned int next = 0;

	limit(broker, 10, 0);
	send(0, 25);
	receive(&next, 10); /* what the bucket holds */
	sim_clock_advance(broker, 500);
	receive(&next, 5);
	sim_clock_advance(broker, 500);
	receive(&next, 5);
	sim_clock_advance(broker, 10000);
	receive(&next, 5);
	/* The bucket holds a second's worth, however long it was quiet. */
	sim_clock_advance(broker, 60000);
	send(25, 60);
	receive(&next, 10);
	assert_true(broker->count.held_back > 0);
}

static void test_bytes_over_the_rate_come_later(void **state)
{
	struct broker *broker = *state;
	unsigned int next = 0;

	limit(broker, 0, 45); /* a packet has 9 */
	send(0, 20);
	receive(&next, 5);
	sim_clock_advance(broker, 1000);
	receive(&next, 5);
	/* The debt of a packet larger than the bucket is paid, too. */
	sim_clock_advance(broker, 60000);
	receive(&next, 5);
	sim_clock_advance(broker, 60000);
	receive(&next, 5);
}

static void test_others_go_on_and_the_held_one_stays(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *other =
		sim_client(broker, MQTT_3_1_1, "other", true, NULL);
	unsigned int next = 0;

	limit(broker, 2, 0);
	send(0, 4);
	receive(&next, 2);
	sim_peer_publish(other, "t", "hello", 0, false, 0);
	sim_peer_receive(receiver, "t", "hello", 0);
	/* Nor does it lose its connection, or its will be published. */
	assert_non_null(session_find(broker, slice_str("sender"))->connection);
	/* Subscribing and pinging cost no message. */
	for (int i = 0; i < 5; i++)
		sim_peer_subscribed(other, "x", 0);
	sim_clock_advance(broker, 1000);
	receive(&next, 2);
	sim_peer_close(other);
}

static void test_whoever_goes_while_held_is_gone(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *peer =
		sim_client(broker, MQTT_3_1_1, "short", true, NULL);

	limit(broker, 1, 0);
	for (int i = 0; i < 3; i++)
		sim_peer_publish(peer, "none", "x", 0, false, 0);
	sim_peer_close(peer);
	sim_clock_advance(broker, 60000);
	assert_null(session_find(broker, slice_str("short")));
}

static void test_a_rate_lifted_lets_all_through(void **state)
{
	struct broker *broker = *state;
	unsigned int next = 0;

	limit(broker, 1, 0);
	send(0, 10);
	receive(&next, 1);
	limit(broker, 0, 0);
	sim_clock_advance(broker, 1000);
	receive(&next, 9);
}

/* Nobody is cut off for want of a bucket. */
static void test_without_memory_there_is_no_limit(void **state)
{
	struct broker *broker = *state;
	struct connection *c =
		session_find(broker, slice_str("sender"))->connection;

	limit(broker, 1, 0);
	failing_malloc_arm(0);
	assert_false(rate_holds(c));
	assert_true(failing_malloc_disarm());
	rate_take(c, 1000, true);
	assert_false(rate_holds(c));
	rate_take(c, 1000, true);
	assert_true(rate_holds(c));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_messages_over_the_rate_come_later),
		TEST(test_bytes_over_the_rate_come_later),
		TEST(test_others_go_on_and_the_held_one_stays),
		TEST(test_whoever_goes_while_held_is_gone),
		TEST(test_a_rate_lifted_lets_all_through),
		TEST(test_without_memory_there_is_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
