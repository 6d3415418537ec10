/* A peer of a WebSocket listener, until it is a connection. */
#include "broker/peer/arrival.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/listener.h"
#include "broker/wire/websocket.h"
#include "tests/broker/dialler.h"
#include "tests/broker/sim_clock.h"
#include "tests/failing_malloc.h"

#define GET "GET /mqtt HTTP/1.1\r\n"
#define HOST "Host: kitchen:9001\r\n"
#define UPGRADE                  \
	"Upgrade: websocket\r\n" \
	"Connection: keep-alive, Upgrade\r\n"
#define KEY                                               \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Version: 13\r\n"
#define MQTT "Sec-WebSocket-Protocol: mqtt\r\n"
#define REQUEST GET HOST UPGRADE KEY MQTT "\r\n"

#define SWITCHED "HTTP/1.1 101 Switching Protocols\r\n"
#define END "\r\n\r\n"
/* CONNACK, accepted, in a frame of its own. */
#define CONNACK_FRAME "\x82\x04\x20\x02\x00\x00"
#define CONNACK_FRAME_LEN 6

static const struct listener_options pages = {
	.name = "pages",
	.type = LISTENER_WS,
	.address = "127.0.0.1",
	.anonymous = true,
	.max_connections = 1,
	.origins = { .names = { "https://ui.example" }, .count = 1 },
};

static int setup(void **state)
{
	*state = dialler_broker(&pages);
	return 0;
}

static int teardown(void **state)
{
	broker_free(*state);
	return 0;
}

/* CONNECT in a masked frame. */
static size_t connect_frame(uint8_t out[160])
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	uint8_t packet[128];
	size_t len = dialler_connect(packet);

	out[0] = 0x82;
	out[1] = (uint8_t)(0x80 | len);
	memcpy(out + 2, mask, 4);
	for (size_t i = 0; i < len; i++)
		out[6 + i] = packet[i] ^ mask[i % 4];
	return len + 6;
}

/* 101, then CONNACK, and nothing else. */
static void expect_connack(struct dialler *d)
{
	size_t head;

	dialler_expect(d, END);
	head = websocket_head_end((uint8_t *)d->in, d->len);
	assert_memory_equal(d->in, SWITCHED, strlen(SWITCHED));
	assert_non_null(strstr(d->in, "Sec-WebSocket-Accept: "
				      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_non_null(strstr(d->in, MQTT));
	dialler_wait(d, head + CONNACK_FRAME_LEN);
	assert_int_equal(d->len, head + CONNACK_FRAME_LEN);
	assert_memory_equal(d->in + head, CONNACK_FRAME, CONNACK_FRAME_LEN);
}

static void test_request_and_connect_may_come_at_once(void **state)
{
	struct broker *broker = *state;
	uint8_t bytes[1024];
	struct dialler d;
	size_t len = strlen(REQUEST);

	dialler_dial(&d, broker);
	memcpy(bytes, REQUEST, len);
	len += connect_frame(bytes + len);
	dialler_send(&d, bytes, len);
	expect_connack(&d);
	assert_int_equal(broker->arrival_count, 0);
	assert_int_equal(broker->connection_count, 1);
	dialler_hang_up(&d);
	dialler_connections(broker, 0);
}

static void test_request_and_connect_may_come_byte_by_byte(void **state)
{
	struct broker *broker = *state;
	uint8_t bytes[1024];
	struct dialler d;
	size_t len = strlen(REQUEST);

	dialler_dial(&d, broker);
	memcpy(bytes, REQUEST, len);
	len += connect_frame(bytes + len);
	dialler_drip(&d, bytes, len);
	expect_connack(&d);
	dialler_hang_up(&d);
	dialler_connections(broker, 0);
}

static void test_what_is_no_request_for_mqtt_is_refused(void **state)
{
	static const struct {
		const char *request;
		const char *status;
	} refused[] = {
		{ GET HOST "\r\n", "HTTP/1.1 426 " },
		{ GET HOST KEY MQTT "\r\n", "HTTP/1.1 426 " },
		{ GET HOST UPGRADE KEY "\r\n", "HTTP/1.1 400 " },
		{ GET UPGRADE KEY MQTT "\r\n", "HTTP/1.1 400 " },
		{ GET HOST UPGRADE MQTT "\r\n", "HTTP/1.1 400 " },
		{ GET HOST UPGRADE KEY MQTT "Content-Length: 1\r\n\r\n",
		  "HTTP/1.1 400 " },
		{ GET HOST UPGRADE KEY MQTT "Host: b\r\n\r\n",
		  "HTTP/1.1 400 " },
		{ "POST /mqtt HTTP/1.1\r\n" HOST UPGRADE KEY MQTT "\r\n",
		  "HTTP/1.1 400 " },
		{ "GET /mqtt HTTP/1.0\r\n" HOST UPGRADE KEY MQTT "\r\n",
		  "HTTP/1.1 400 " },
		{ "GET mqtt HTTP/1.1\r\n" HOST UPGRADE KEY MQTT "\r\n",
		  "HTTP/1.1 400 " },
		{ "\x10\x0f\x00\x04MQTT\x04\x02\x00<\x00\x03"
		  "dev\r\n\r\n",
		  "HTTP/1.1 400 " },
		{ GET HOST UPGRADE KEY MQTT "Origin: http://evil\r\n\r\n",
		  "HTTP/1.1 403 " },
		{ GET HOST UPGRADE KEY MQTT "Origin: null\r\n\r\n",
		  "HTTP/1.1 403 " },
		/* What begins like a listed one is not it. */
		{ GET HOST UPGRADE KEY MQTT
		  "Origin: https://ui.example.evil\r\n\r\n",
		  "HTTP/1.1 403 " },
		{ GET HOST UPGRADE KEY MQTT "Origin: https://ui.exampl\r\n\r\n",
		  "HTTP/1.1 403 " },
	};
	struct broker *broker = *state;
	struct dialler d;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		size_t len = strlen(refused[i].request);

		/* The one with zero bytes in it. */
		if (refused[i].request[0] == '\x10')
			len = sizeof("\x10\x0f\x00\x04MQTT\x04\x02\x00<\x00"
				     "\x03"
				     "dev\r\n\r\n") -
			      1;
		dialler_dial(&d, broker);
		dialler_send(&d, refused[i].request, len);
		dialler_ended(&d);
		if (strncmp(d.in, refused[i].status,
			    strlen(refused[i].status)) != 0)
			fail_msg("%s: %s", refused[i].request, d.in);
		dialler_hang_up(&d);
		assert_int_equal(broker->arrival_count, 0);
		assert_int_equal(broker->connection_count, 0);
	}
	assert_int_equal(broker->count.connects_refused,
			 sizeof(refused) / sizeof(refused[0]));
}

static void test_pages_of_this_machine_and_listed_ones_may_come(void **state)
{
	static const char *const origins[] = {
		"",
		"Origin: http://kitchen:8080\r\n",
		"Origin: https://kitchen\r\n",
		"Origin: https://ui.example\r\n",
		"Origin: https://UI.example\r\n",
	};
	struct broker *broker = *state;
	struct dialler d;

	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		/* On any path. */
		static const char request[] =
			"GET /ws?x=1 HTTP/1.1\r\n" HOST UPGRADE KEY MQTT;

		dialler_dial(&d, broker);
		dialler_send(&d, request, sizeof(request) - 1);
		dialler_send(&d, origins[i], strlen(origins[i]));
		dialler_send(&d, "\r\n", 2);
		dialler_expect(&d, END);
		assert_memory_equal(d.in, SWITCHED, strlen(SWITCHED));
		dialler_hang_up(&d);
		dialler_connections(broker, 0);
	}
}

static void test_any_origin_may_come_where_that_is_said(void **state)
{
	static const char request[] = GET HOST UPGRADE KEY MQTT
		"Origin: https://evil.example\r\n\r\n";
	struct listener_options open = pages;
	struct broker *broker;
	struct dialler d;

	(void)state;
	open.origins.names[0] = "any";
	broker = dialler_broker(&open);
	dialler_dial(&d, broker);
	dialler_send(&d, request, sizeof(request) - 1);
	dialler_expect(&d, END);
	assert_memory_equal(d.in, SWITCHED, strlen(SWITCHED));
	dialler_hang_up(&d);
	broker_free(broker);
}

/* The longest is taken, one byte more is not, and no more is kept of it. */
static void test_a_head_is_bounded(void **state)
{
	struct broker *broker = *state;
	char head[WEBSOCKET_HEAD_MAX + 2];
	const size_t fixed = strlen(GET HOST UPGRADE KEY MQTT);
	struct dialler d;

	memcpy(head, GET HOST UPGRADE KEY MQTT, fixed);
	memcpy(head + fixed, "X: ", 3);
	memset(head + fixed + 3, 'x', sizeof(head) - fixed - 3);
	memcpy(head + WEBSOCKET_HEAD_MAX - 4, END, 4);
	dialler_dial(&d, broker);
	dialler_send(&d, head, WEBSOCKET_HEAD_MAX);
	dialler_expect(&d, END);
	assert_memory_equal(d.in, SWITCHED, strlen(SWITCHED));
	dialler_hang_up(&d);
	dialler_connections(broker, 0);

	memset(head + WEBSOCKET_HEAD_MAX - 4, 'x', 4);
	memcpy(head + WEBSOCKET_HEAD_MAX - 3, END, 4);
	dialler_dial(&d, broker);
	dialler_send(&d, head, WEBSOCKET_HEAD_MAX);
	dialler_ended(&d);
	assert_memory_equal(d.in, "HTTP/1.1 400 ", 13);
	dialler_hang_up(&d);
}

/* Its place is another's then. */
static void test_who_says_nothing_must_go(void **state)
{
	struct broker *broker;
	struct dialler d, other;

	(void)state;
	sim_clock_start();
	broker = dialler_broker(&pages);
	dialler_dial(&d, broker);
	dialler_arrivals(broker, 1);
	dialler_dial(&other, broker);
	dialler_ended(&other);
	dialler_hang_up(&other);
	sim_clock_advance(broker, LIMIT_CONNECT_TIME - 1);
	assert_int_equal(broker->arrival_count, 1);
	sim_clock_advance(broker, 1);
	assert_int_equal(broker->arrival_count, 0);
	dialler_ended(&d);
	dialler_hang_up(&d);
	dialler_dial(&other, broker);
	dialler_arrivals(broker, 1);
	dialler_hang_up(&other);
	dialler_arrivals(broker, 0);
	broker_free(broker);
	sim_clock_stop();
}

/* The time from accept to CONNECT is one, whatever came between. */
static void test_the_handshake_gives_no_more_time(void **state)
{
	struct broker *broker;
	struct dialler d;

	(void)state;
	sim_clock_start();
	broker = dialler_broker(&pages);
	dialler_dial(&d, broker);
	dialler_arrivals(broker, 1);
	sim_clock_advance(broker, LIMIT_CONNECT_TIME - 1);
	dialler_send(&d, REQUEST, strlen(REQUEST));
	dialler_expect(&d, END);
	assert_int_equal(broker->connection_count, 1);
	sim_clock_advance(broker, 1);
	dialler_ended(&d);
	dialler_hang_up(&d);
	broker_free(broker);
	sim_clock_stop();
}

static void test_the_broker_may_end_before_an_arrival(void **state)
{
	struct broker *broker = *state;
	struct dialler d;

	dialler_dial(&d, broker);
	dialler_send(&d, GET, strlen(GET));
	dialler_arrivals(broker, 1);
	broker_free(broker);
	dialler_hang_up(&d);
	*state = dialler_broker(&pages);
}

/* Whichever fails, the peer is told by a close, and the next one gets in. */
static void test_every_allocation_may_fail(void **state)
{
	struct broker *broker = *state;
	unsigned int n = 0;
	bool failed;

	do {
		uint8_t bytes[1024];
		struct dialler d;
		size_t len = strlen(REQUEST);

		memcpy(bytes, REQUEST, len);
		len += connect_frame(bytes + len);
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
	/* Several, and at last none. */
	assert_true(n > 4 && n < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_request_and_connect_may_come_at_once, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_request_and_connect_may_come_byte_by_byte, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_no_request_for_mqtt_is_refused, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_pages_of_this_machine_and_listed_ones_may_come,
			setup, teardown),
		cmocka_unit_test(test_any_origin_may_come_where_that_is_said),
		cmocka_unit_test_setup_teardown(test_a_head_is_bounded, setup,
						teardown),
		cmocka_unit_test(test_who_says_nothing_must_go),
		cmocka_unit_test(test_the_handshake_gives_no_more_time),
		cmocka_unit_test_setup_teardown(
			test_the_broker_may_end_before_an_arrival, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_every_allocation_may_fail,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
