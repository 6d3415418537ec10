/* What the first bytes of a connection lead to: refusals and deadlines, on a
 * whole hub. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/web/hub.h"
#include "web/limits.h"

static int setup(void **state)
{
	*state = hub_start(HUB_CLAIMED);
	return 0;
}

static int teardown(void **state)
{
	hub_stop(*state);
	return 0;
}

static struct answer exchange(void **state, const char *text, size_t len)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;

	hub_send(fd, text, len);
	answer = hub_read(fd);
	close(fd);
	return answer;
}

static int status_of(void **state, const char *text)
{
	struct answer answer = exchange(state, text, strlen(text));
	int status = answer.status;

	answer_free(&answer);
	return status;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n"
#define STATUS GET("/api/v1/session")
#define LOGIN "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n"

/* literal, with its NULs. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *text;
	size_t len;
	int status;
} probes[] = {
	{ TEXT(STATUS "\r\n"), 200 },
	{ TEXT(LOGIN "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), 400 },
	{ TEXT(LOGIN "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "{}"),
	  400 },
	{ TEXT("GET /api/v1/session HTTP/1.1\r\n\r\n"), 400 },
	{ TEXT(STATUS "Host: localhost\r\n\r\n"), 400 },
	{ TEXT("GET /api/v1/session HTTP/1.1\r\nHost : localhost\r\n\r\n"),
	  400 },
	{ TEXT("GET /api/v1/session HTTP/1.1\nHost: localhost\n\n\r\n\r\n"),
	  400 },
	{ TEXT(STATUS "X: a\r\n b\r\n\r\n"), 400 },
	{ TEXT(STATUS "X: a\0b\r\n\r\n"), 400 },
	{ TEXT(GET("/api/v1/session%00x") "\r\n"), 400 },
	{ TEXT(GET("/api/v1/session%0") "\r\n"), 400 },
	{ TEXT(LOGIN "Content-Length: -1\r\n\r\n"), 400 },
	{ TEXT(LOGIN "Content-Length: 99999999999999999999\r\n\r\n"), 400 },
	{ TEXT(LOGIN "Content-Length: 65537\r\n\r\n"), 413 },
	{ TEXT("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421 },
	{ TEXT("GET / HTTP/1.1\r\nHost: hub.example\r\n\r\n"), 200 },
	{ TEXT("GET / HTTP/1.1\r\nHost: testhub.local:80\r\n\r\n"), 200 },
	{ TEXT("GET / HTTP/3.0\r\nHost: localhost\r\n\r\n"), 505 },
	{ TEXT(GET("/../etc/passwd") "\r\n"), 404 },
	{ TEXT(GET("/%2e%2e/etc/passwd") "\r\n"), 404 },
	{ TEXT("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405 },
	{ TEXT("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405 },
	{ TEXT("PATCH /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	  405 },
	{ TEXT("OPTIONS /api/v1/login HTTP/1.1\r\nHost: localhost\r\n"
	       "Origin: http://evil.example\r\n\r\n"),
	  403 },
	{ TEXT("HEAD /api/v1/session HTTP/1.0\r\nHost: localhost\r\n\r\n"),
	  200 },
	{ TEXT(LOGIN "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
	  415 },
};

static void test_probes_are_refused(void **state)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		struct answer answer =
			exchange(state, probes[i].text, probes[i].len);

		if (answer.status != probes[i].status)
			fail_msg("%d instead of %d for %s", answer.status,
				 probes[i].status, probes[i].text);
		answer_free(&answer);
	}
}

/* On a connection that stays, only libmicrohttpd sees the later heads. */
static void test_later_requests_are_checked_too(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		int status;
	} later[] = {
		{ TEXT(STATUS "Host: localhost\r\n\r\n"), 400 },
		{ TEXT(LOGIN "Content-Length: 2\r\nContent-Length: 2\r\n\r\n"
			     "{}"),
		  400 },
		{ TEXT(LOGIN "Content-Length: 2\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
		  400 },
		{ TEXT("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421 },
		{ TEXT(GET("/a%00") "\r\n"), 400 },
		{ TEXT(STATUS "\r\n"), 200 },
	};
	struct hub *hub = *state;

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		int fd = hub_connect(hub->port);
		struct answer answer;

		hub_send(fd, TEXT(STATUS "\r\n"));
		answer = hub_read(fd);
		assert_int_equal(answer.status, 200);
		answer_free(&answer);
		hub_send(fd, later[i].text, later[i].len);
		answer = hub_read(fd);
		if (answer.status != later[i].status)
			fail_msg("%d instead of %d for %s", answer.status,
				 later[i].status, later[i].text);
		answer_free(&answer);
		close(fd);
	}
}

static void test_a_head_too_long_is_refused(void **state)
{
	char *text = malloc(WEB_HEAD_MAX + 64);
	size_t len;

	assert_non_null(text);
	len = (size_t)snprintf(text, WEB_HEAD_MAX, STATUS "X: ");
	memset(text + len, 'x', WEB_HEAD_MAX + 1 - len);
	text[WEB_HEAD_MAX + 1] = '\0';
	assert_int_equal(status_of(state, text), 431);
	free(text);
}

static void test_a_body_too_long_is_refused(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	char chunk[1024 + 16];
	struct answer answer;
	size_t len;

	hub_send(fd, TEXT(LOGIN "Content-Type: application/json\r\n"
				"Transfer-Encoding: chunked\r\n\r\n"));
	len = (size_t)snprintf(chunk, sizeof(chunk), "400\r\n");
	memset(chunk + len, ' ', 1024);
	chunk[len + 1024] = '\r';
	chunk[len + 1025] = '\n';
	for (int i = 0; i < 65; i++)
		hub_send(fd, chunk, len + 1024 + 2);
	hub_send(fd, TEXT("0\r\n\r\n"));
	answer = hub_read(fd);
	assert_int_equal(answer.status, 413);
	answer_free(&answer);
	close(fd);
}

static void test_a_head_may_come_byte_by_byte(void **state)
{
	static const char text[] = STATUS "\r\n";
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		hub_send(fd, text + i, 1);
	answer = hub_read(fd);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	close(fd);
}

static void test_requests_may_come_in_one_piece(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;

	hub_send(fd, TEXT(STATUS "\r\n" STATUS "Connection: close\r\n\r\n"));
	answer = hub_read(fd);
	assert_int_equal(answer.status, 200);
	/* Both answers lie in what was read; the first is cut by its length,
	 * and the connection has ended after the second. */
	assert_true(hub_closed(fd));
	answer_free(&answer);
	close(fd);
}

/* A byte, and time, and bytes until it ends: a slow peer is given up because the
 * whole takes long, not because it is silent. Returns the last answer. */
static struct answer drip(const struct hub *hub, int fd, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (int i = 0; i < 4; i++) {
		hub_send(fd, "x", 1);
		hub_advance(hub, deadline / 4 + 1);
	}
	for (int i = 0; i < 600 && poll(&p, 1, 100) == 0; i++)
		hub_send(fd, "x", 1);
	if (!p.revents)
		fail_msg("a dripping peer is never given up");
	return hub_read(fd);
}

/* Half a head holds its place for no longer than WEB_HEAD_MS. */
static void test_a_slow_head_is_given_up(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;

	hub_send(fd, TEXT(STATUS));
	answer = drip(hub, fd, WEB_HEAD_MS);
	assert_int_equal(answer.status, 408);
	answer_free(&answer);
	close(fd);
}

/* Browsers keep connections at hand; these end without a word. */
static void test_a_silent_visitor_is_forgotten(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;

	hub_advance(hub, WEB_HEAD_MS + 1);
	answer = hub_read(fd);
	assert_int_equal(answer.status, 0);
	answer_free(&answer);
	close(fd);
}

static void test_a_slow_body_is_given_up(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;

	hub_send(fd, TEXT(LOGIN "Content-Length: 60000\r\n\r\n"));
	answer = drip(hub, fd, WEB_REQUEST_MS);
	assert_int_equal(answer.status, 0);
	answer_free(&answer);
	close(fd);
}

static void test_a_slow_later_head_is_given_up(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;

	hub_send(fd, TEXT(STATUS "\r\n"));
	answer = hub_read(fd);
	assert_int_equal(answer.status, 200);
	answer_free(&answer);
	hub_send(fd, TEXT(STATUS));
	answer = drip(hub, fd, WEB_REQUEST_MS);
	assert_int_equal(answer.status, 0);
	answer_free(&answer);
	close(fd);
}

static void test_places_come_back(void **state)
{
	struct hub *hub = *state;
	int fds[WEB_CONNECTIONS + 1];
	struct answer answer;

	for (int i = 0; i < WEB_CONNECTIONS; i++) {
		fds[i] = hub_connect(hub->port);
		hub_send(fds[i], TEXT("GET"));
	}
	fds[WEB_CONNECTIONS] = hub_connect(hub->port);
	answer = hub_read(fds[WEB_CONNECTIONS]);
	assert_int_equal(answer.status, 503);
	assert_non_null(answer_header(&answer, "Retry-After"));
	answer_free(&answer);
	for (int i = 0; i <= WEB_CONNECTIONS; i++)
		close(fds[i]);
	/* Some of the closed ones may still hold their places. */
	for (int i = 0; i < 10000 && status_of(state, STATUS "\r\n") != 200;
	     i++)
		usleep(1000);
	for (int i = 0; i < 2 * WEB_CONNECTIONS; i++)
		assert_int_equal(
			status_of(state, STATUS "Connection: close\r\n\r\n"),
			200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_probes_are_refused),
		TEST(test_later_requests_are_checked_too),
		TEST(test_a_head_too_long_is_refused),
		TEST(test_a_body_too_long_is_refused),
		TEST(test_a_head_may_come_byte_by_byte),
		TEST(test_requests_may_come_in_one_piece),
		TEST(test_a_slow_head_is_given_up),
		TEST(test_a_silent_visitor_is_forgotten),
		TEST(test_a_slow_body_is_given_up),
		TEST(test_a_slow_later_head_is_given_up),
		TEST(test_places_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
