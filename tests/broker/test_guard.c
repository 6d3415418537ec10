/* Who is noticed, told once, and banned for it. */
#include "broker/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/bans.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static char told[65536]; /* lines of the log at info and above */

static void keep_line(enum log_level level, const char *line)
{
	const size_t len = strlen(told);

	if (level <= LOG_LEVEL_INFO)
		snprintf(told + len, sizeof(told) - len, "%s\n", line);
}

static size_t times(const char *what)
{
	size_t n = 0;

	for (const char *at = told; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static int setup(void **state)
{
	struct broker *broker;

	sim_clock_start();
	broker = sim_broker(NULL, NULL);
	if (!broker)
		return -1;
	broker->options.flapping = 3;
	broker->options.login_failures = 3;
	broker->options.login_ban = 60;
	told[0] = '\0';
	log_set_sink(keep_line);
	*state = broker;
	return 0;
}

static int teardown(void **state)
{
	sim_run(*state);
	sim_check(*state);
	broker_free(*state);
	sim_clock_stop();
	return 0;
}

/* A client that connects from an address; it stays until closed. */
static struct sim_peer *visit(struct broker *broker, const char *address)
{
	const struct mqtt_connect packet = sim_connect(MQTT_5_0, "lamp", true);
	struct sim_peer *peer = sim_peer_open_at(broker, address);

	sim_peer_connect(peer, &packet);
	sim_peer_expect(peer, MQTT_CONNACK);
	return peer;
}

static bool notice(struct broker *broker, struct guard_notice *out)
{
	size_t at = 0;

	return guard_next_notice(broker->guard, &at, out);
}

static void test_a_client_that_comes_and_goes_is_told_once(void **state)
{
	struct broker *broker = *state;
	struct guard_notice n;

	for (int i = 0; i < 2; i++)
		sim_peer_close(visit(broker, "192.0.2.1:10"));
	assert_false(notice(broker, &n));
	for (int i = 0; i < 10; i++)
		sim_peer_close(visit(broker, "192.0.2.2:11"));
	assert_int_equal(times("flapping"), 1);
	assert_int_equal(times("from 192.0.2.2:11 and 192.0.2.1:10"), 1);
	/* From then on its connections are no news. */
	assert_int_equal(times("connected as"), 3);
	assert_int_equal(times("closed: "), 3);
	assert_int_equal(guard_counters(broker->guard)->flapping, 1);
	assert_true(notice(broker, &n));
	assert_int_equal(n.kind, NOTICE_FLAPPING);
	assert_string_equal(n.subject, "lamp");
	assert_string_equal(n.from, "192.0.2.2:11");
	assert_string_equal(n.other, "192.0.2.1:10");
	assert_int_equal(n.count, 12);
	/* Over, and a day later nobody needs to know. */
	sim_clock_advance(broker, GUARD_NOTICE_MS);
	assert_false(notice(broker, &n));
	sim_peer_close(visit(broker, "192.0.2.2:11"));
	assert_int_equal(times("connected as"), 4);
}

static void test_two_of_one_identifier_are_both_named(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *peers[12];
	struct guard_notice n;

	for (int i = 0; i < 12; i++)
		peers[i] = visit(broker,
				 i % 2 ? "[2001:db8::1]:7" : "192.0.2.1:6");
	assert_int_equal(times("two clients of this identifier, at "
			       "[2001:db8::1]:7 and 192.0.2.1:6, take it"),
			 1);
	/* Not also as flapping: it is their fight that ends them. */
	assert_int_equal(guard_counters(broker->guard)->flapping, 0);
	assert_int_equal(guard_counters(broker->guard)->takeovers, 1);
	assert_int_equal(times("taken over by"), 3 + 2); /* and "closed: " */
	assert_true(notice(broker, &n));
	assert_int_equal(n.kind, NOTICE_TAKEOVERS);
	assert_string_equal(n.from, "[2001:db8::1]:7");
	assert_string_equal(n.other, "192.0.2.1:6");
	assert_int_equal(n.count, 11);
	for (int i = 0; i < 12; i++)
		sim_peer_close(peers[i]);
}

static void test_flapping_is_banned_where_that_is_wanted(void **state)
{
	const struct mqtt_connect packet = sim_connect(MQTT_5_0, "lamp", true);
	struct broker *broker = *state;
	struct mqtt_connack connack;
	struct sim_peer *peer;

	broker->options.flapping_ban = 10;
	for (int i = 0; i < 3; i++)
		sim_peer_close(visit(broker, "192.0.2.1:10"));
	peer = sim_peer_open(broker);
	sim_peer_connect(peer, &packet);
	connack_decode(MQTT_5_0, sim_peer_expect(peer, MQTT_CONNACK), &connack);
	assert_int_equal(connack.reason, MQTT_BANNED);
	sim_peer_close(peer);
	sim_clock_advance(broker, 10000);
	sim_peer_close(visit(broker, "192.0.2.1:10"));
}

static void test_who_guesses_passwords_is_kept_out_for_a_while(void **state)
{
	struct broker *broker = *state;
	struct guard *guard = broker->guard;
	const struct slice peer = slice_str("192.0.2.1:9");
	struct guard_notice n;

	/* Two in each minute are a typing error. */
	for (int i = 0; i < 3; i++) {
		guard_login_failed(guard, "192.0.2.1:1");
		guard_login_failed(guard, "192.0.2.1:2");
		sim_clock_advance(broker, 60000);
	}
	assert_null(bans_find(broker->bans, BAN_ADDRESS, peer,
			      loop_now(broker->loop)));
	for (int i = 0; i < 3; i++)
		guard_login_failed(guard, "192.0.2.1:3");
	assert_non_null(bans_find(broker->bans, BAN_ADDRESS, peer,
				  loop_now(broker->loop)));
	assert_null(bans_find(broker->bans, BAN_ADDRESS,
			      slice_str("192.0.2.2:9"),
			      loop_now(broker->loop)));
	assert_true(notice(broker, &n));
	assert_int_equal(n.kind, NOTICE_LOGINS);
	assert_string_equal(n.subject, "192.0.2.1");
	assert_int_equal(n.count, 3);
	sim_clock_advance(broker, 60000);
	assert_null(bans_find(broker->bans, BAN_ADDRESS, peer,
			      loop_now(broker->loop)));
	/* It goes on: one more is enough. */
	guard_login_failed(guard, "192.0.2.1:3");
	assert_non_null(bans_find(broker->bans, BAN_ADDRESS, peer,
				  loop_now(broker->loop)));
}

static void test_a_whole_network_of_ipv6_is_one_guesser(void **state)
{
	struct broker *broker = *state;

	guard_login_failed(broker->guard, "[2001:db8:1:2::1]:1");
	guard_login_failed(broker->guard, "[2001:db8:1:2::2]:1");
	guard_login_failed(broker->guard, "[2001:db8:1:2::3]:1");
	assert_non_null(bans_find(broker->bans, BAN_ADDRESS,
				  slice_str("[2001:db8:1:2:ffff::4]:1"), 0));
}

static void test_this_machine_is_never_banned(void **state)
{
	struct broker *broker = *state;

	for (int i = 0; i < 100; i++) {
		guard_login_failed(broker->guard, "127.0.0.1:1");
		guard_login_failed(broker->guard, "[::1]:1");
		guard_login_failed(broker->guard, "unix");
	}
	assert_int_equal(bans_count(broker->bans, 0), 0);
}

static void test_an_address_may_connect_so_often_a_second(void **state)
{
	struct broker *broker = *state;

	broker->options.connect_rate = 2;
	assert_true(guard_admits(broker->guard, "192.0.2.1:1"));
	assert_true(guard_admits(broker->guard, "192.0.2.1:2"));
	assert_false(guard_admits(broker->guard, "192.0.2.1:3"));
	assert_false(guard_admits(broker->guard, "192.0.2.1:4"));
	assert_true(guard_admits(broker->guard, "192.0.2.2:1"));
	assert_true(guard_admits(broker->guard, "unix"));
	assert_int_equal(times("192.0.2.1:3 turned away"), 1);
	assert_int_equal(times("turned away"), 1);
	sim_clock_advance(broker, 1000);
	assert_true(guard_admits(broker->guard, "192.0.2.1:5"));
	assert_int_equal(guard_counters(broker->guard)->too_fast, 2);
}

static void test_nothing_is_noticed_when_all_is_off(void **state)
{
	struct broker *broker = *state;
	struct guard_notice n;

	broker->options.flapping = 0;
	broker->options.login_failures = 0;
	for (int i = 0; i < 10; i++) {
		sim_peer_close(visit(broker, "192.0.2.1:10"));
		guard_login_failed(broker->guard, "192.0.2.1:1");
		assert_true(guard_admits(broker->guard, "192.0.2.1:1"));
	}
	assert_false(notice(broker, &n));
	assert_int_equal(times("connected as"), 10);
}

static void test_of_notices_the_oldest_goes(void **state)
{
	struct broker *broker = *state;
	struct guard_notice n;
	size_t at = 0, count = 0;
	char address[32];

	for (unsigned int i = 0; i <= LIMIT_NOTICES; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u:1", i);
		for (int k = 0; k < 3; k++)
			guard_login_failed(broker->guard, address);
		sim_clock_advance(broker, 1);
	}
	while (guard_next_notice(broker->guard, &at, &n)) {
		assert_string_not_equal(n.subject, "192.0.2.0");
		count++;
	}
	assert_int_equal(count, LIMIT_NOTICES);
}

/* What cannot be counted for lack of memory happens all the same. */
static void test_it_survives_allocation_failure(void **state)
{
	struct broker *broker = *state;
	struct guard *guard;
	unsigned int n = 0;
	char text[32];

	/* Each time with those that nobody has seen before. */
	broker->options.flapping = 1;
	broker->options.login_failures = 1;
	do {
		snprintf(text, sizeof(text), "192.0.2.%u:1", n);
		failing_malloc_arm(n++);
		guard_login_failed(broker->guard, text);
		guard_disconnected(broker->guard, text, text);
		guard_taken_over(broker->guard, text, text, "x:1");
	} while (failing_malloc_disarm() && n < 100);
	/* Three counted, three noted, one banned. */
	assert_int_equal(n - 1, 7);
	n = 0;
	do {
		failing_malloc_arm(n++);
		guard = guard_new(broker);
		if (!failing_malloc_disarm())
			break;
		assert_null(guard);
	} while (n < 100);
	guard_free(guard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_client_that_comes_and_goes_is_told_once),
		TEST(test_two_of_one_identifier_are_both_named),
		TEST(test_flapping_is_banned_where_that_is_wanted),
		TEST(test_who_guesses_passwords_is_kept_out_for_a_while),
		TEST(test_a_whole_network_of_ipv6_is_one_guesser),
		TEST(test_this_machine_is_never_banned),
		TEST(test_an_address_may_connect_so_often_a_second),
		TEST(test_nothing_is_noticed_when_all_is_off),
		TEST(test_of_notices_the_oldest_goes),
		TEST(test_it_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
