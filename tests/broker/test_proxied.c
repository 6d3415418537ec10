/* A peer that comes by a proxy, until it is a connection. */
#include "broker/peer/arrival.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/bans.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "tests/broker/dialler.h"
#include "tests/broker/sim_clock.h"
#include "tests/failing_malloc.h"

#define CLIENT "PROXY TCP4 192.0.2.7 192.0.2.1 49152 1883\r\n"
#define MAPPED "PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 49152 1883\r\n"
#define OWN "PROXY UNKNOWN\r\n"
#define CONNACK "\x20\x02\0\0"

static const struct listener_options proxied = {
	.name = "proxied",
	.address = "127.0.0.1",
	.anonymous = true,
	.max_connections = 1,
	.proxy_protocol = true,
	.proxy_from = { .names = { "192.0.2.1", "127.0.0.0/8" }, .count = 2 },
};

static int setup(void **state)
{
	*state = dialler_broker(&proxied);
	return 0;
}

static int teardown(void **state)
{
	broker_free(*state);
	return 0;
}

static const char *address(const struct broker *broker)
{
	return list_entry(broker->connections.next, struct connection, link)
		->address;
}

/* The header and CONNECT. */
static size_t hello(const char *header, uint8_t out[512])
{
	size_t len = strlen(header);

	memcpy(out, header, len);
	return len + dialler_connect(out + len);
}

static void expect_connack(struct dialler *d)
{
	dialler_wait(d, 4);
	assert_int_equal(d->len, 4);
	assert_memory_equal(d->in, CONNACK, 4);
}

static void test_the_client_is_known_by_its_own_address(void **state)
{
	static const struct {
		const char *header;
		const char *address;
	} cases[] = {
		{ CLIENT, "192.0.2.7:49152" },
		/* One address, one name: bans go by it. */
		{ MAPPED, "192.0.2.7:49152" },
		{ "PROXY TCP6 2001:db8::1 2001:db8::2 7 1883\r\n",
		  "[2001:db8::1]:7" },
	};
	struct broker *broker = *state;
	uint8_t bytes[512];
	struct dialler d;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = hello(cases[i].header, bytes);

		dialler_dial(&d, broker);
		dialler_send(&d, bytes, len);
		expect_connack(&d);
		assert_string_equal(address(broker), cases[i].address);
		dialler_hang_up(&d);
		dialler_connections(broker, 0);

		dialler_dial(&d, broker);
		dialler_drip(&d, bytes, len);
		expect_connack(&d);
		assert_string_equal(address(broker), cases[i].address);
		dialler_hang_up(&d);
		dialler_connections(broker, 0);
	}
}

/* A health check, or a proxy that does not know: the proxy itself. */
static void test_the_proxy_may_come_for_itself(void **state)
{
	struct broker *broker = *state;
	uint8_t bytes[512];
	struct dialler d;

	dialler_dial(&d, broker);
	dialler_send(&d, bytes, hello(OWN, bytes));
	expect_connack(&d);
	assert_memory_equal(address(broker), "127.0.0.1:", 10);
	dialler_hang_up(&d);
}

static void test_without_a_header_nobody_gets_in(void **state)
{
	static const char *const openings[] = {
		"",
		"PROXY TCP4 192.0.2.7 192.0.2.1 49152 70000\r\n",
		"GET / HTTP/1.1\r\n",
	};
	struct broker *broker = *state;
	uint8_t bytes[512];
	struct dialler d;

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		dialler_dial(&d, broker);
		dialler_send(&d, bytes, hello(openings[i], bytes));
		dialler_ended(&d);
		assert_int_equal(d.len, 0);
		assert_int_equal(broker->connection_count, 0);
		assert_int_equal(broker->arrival_count, 0);
		dialler_hang_up(&d);
	}
	assert_int_equal(broker->count.connects_refused, 3);
}

/* Whoever else says for whom it comes is not believed. */
static void test_only_from_its_proxies(void **state)
{
	struct listener_options elsewhere = proxied;
	struct broker *broker;
	uint8_t bytes[512];
	struct dialler d;

	(void)state;
	elsewhere.proxy_from.names[1] = "127.0.1.0/24";
	broker = dialler_broker(&elsewhere);
	dialler_dial(&d, broker);
	dialler_send(&d, bytes, hello(CLIENT, bytes));
	dialler_ended(&d);
	assert_int_equal(d.len, 0);
	assert_int_equal(broker->arrival_count, 0);
	dialler_hang_up(&d);
	broker_free(broker);
}

static void ban(struct broker *broker, const char *what)
{
	const struct ban made = { .id = 1,
				  .kind = BAN_ADDRESS,
				  .what = what,
				  .reason = "",
				  .ends = UINT64_MAX };

	assert_int_equal(bans_add(broker->bans, &made), 0);
}

/* A ban of the proxy's address keeps nobody out who comes by it. */
static void test_bans_mean_the_client(void **state)
{
	struct broker *broker = *state;
	uint8_t bytes[512];
	struct dialler d;

	ban(broker, "127.0.0.0/8");
	dialler_dial(&d, broker);
	dialler_send(&d, bytes, hello(CLIENT, bytes));
	expect_connack(&d);
	dialler_hang_up(&d);
	dialler_connections(broker, 0);

	ban(broker, "192.0.2.7");
	dialler_dial(&d, broker);
	dialler_send(&d, bytes, hello(CLIENT, bytes));
	dialler_ended(&d);
	assert_int_equal(d.len, 0);
	assert_int_equal(broker->count.banned, 1);
	dialler_hang_up(&d);
}

static void test_a_request_follows_the_header(void **state)
{
	static const char request[] =
		CLIENT "GET /mqtt HTTP/1.1\r\nHost: kitchen\r\n"
		       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		       "Sec-WebSocket-Version: 13\r\n"
		       "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
	struct listener_options pages = proxied;
	struct broker *broker;
	struct dialler d;

	(void)state;
	pages.type = LISTENER_WS;
	broker = dialler_broker(&pages);
	for (int drip = 0; drip < 2; drip++) {
		dialler_dial(&d, broker);
		if (drip)
			dialler_drip(&d, request, sizeof(request) - 1);
		else
			dialler_send(&d, request, sizeof(request) - 1);
		dialler_expect(&d, "HTTP/1.1 101 ");
		dialler_expect(&d, "\r\n\r\n");
		assert_string_equal(address(broker), "192.0.2.7:49152");
		dialler_hang_up(&d);
		dialler_connections(broker, 0);
	}
	broker_free(broker);
}

static void test_who_says_nothing_must_go(void **state)
{
	struct broker *broker;
	struct dialler d;

	(void)state;
	sim_clock_start();
	broker = dialler_broker(&proxied);
	dialler_dial(&d, broker);
	dialler_send(&d, CLIENT, strlen(CLIENT) - 1);
	dialler_arrivals(broker, 1);
	sim_clock_advance(broker, LIMIT_CONNECT_TIME - 1);
	assert_int_equal(broker->arrival_count, 1);
	sim_clock_advance(broker, 1);
	assert_int_equal(broker->arrival_count, 0);
	dialler_ended(&d);
	dialler_hang_up(&d);
	broker_free(broker);
	sim_clock_stop();
}

static void test_every_allocation_may_fail(void **state)
{
	struct broker *broker = *state;
	unsigned int n = 0;
	bool failed;

	do {
		uint8_t bytes[512];
		struct dialler d;
		size_t len = hello(CLIENT, bytes);

		dialler_dial(&d, broker);
		failing_malloc_arm(n++);
		dialler_send(&d, bytes, len);
		for (int i = 0; i < 20; i++)
			loop_turn(broker->loop, 1);
		failed = failing_malloc_disarm();
		if (!failed)
			expect_connack(&d);
		dialler_hang_up(&d);
		dialler_arrivals(broker, 0);
		dialler_connections(broker, 0);
	} while (failed && n < 100);
	assert_true(n > 4 && n < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_the_client_is_known_by_its_own_address, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_the_proxy_may_come_for_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_without_a_header_nobody_gets_in, setup, teardown),
		cmocka_unit_test(test_only_from_its_proxies),
		cmocka_unit_test_setup_teardown(test_bans_mean_the_client,
						setup, teardown),
		cmocka_unit_test(test_a_request_follows_the_header),
		cmocka_unit_test(test_who_says_nothing_must_go),
		cmocka_unit_test_setup_teardown(test_every_allocation_may_fail,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
