/* MQTT over WebSocket at /mqtt: who may, who the client then is. On a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/web/hub.h"

static int setup(void **state)
{
	*state = hub_start(HUB_CLAIMED);
	return 0;
}

static int setup_unclaimed(void **state)
{
	*state = hub_start(HUB_UNCLAIMED);
	return 0;
}

static int teardown(void **state)
{
	hub_stop(*state);
	return 0;
}

#define UPGRADE                                           \
	"Upgrade: websocket\r\nConnection: Upgrade\r\n"   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Version: 13\r\n"                   \
	"Sec-WebSocket-Protocol: mqtt\r\n"

/* CONNECT of MQTT 3.1.1, clean, client "ws", no user name: in one masked frame
 * whose mask is 0. */
static const char connect_frame[] = "\x82\x90\0\0\0\0"
				    "\x10\x0e\0\4MQTT\4\2\0\x3c\0\2ws";

/* Reads until len bytes of frame payload have come, and drops them. */
static void expect_bytes(int fd, const char *bytes, size_t len)
{
	char data[64];
	size_t have = 0;

	while (have < len) {
		ssize_t n = recv(fd, data + have, len - have, 0);

		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_memory_equal(data, bytes, len);
}

static int upgrade(void **state, const char *path, const char *headers,
		   int *status)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	struct answer answer;
	char text[1024];
	int len;

	len = snprintf(text, sizeof(text),
		       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s\r\n", path,
		       hub->port, headers);
	hub_send(fd, text, (size_t)len);
	answer = hub_read(fd);
	*status = answer.status;
	answer_free(&answer);
	return fd;
}

static void test_a_browser_is_its_sessions_user(void **state)
{
	struct hub *hub = *state;
	struct login login = hub_login(hub, HUB_ADMIN, HUB_PASSWORD);
	char headers[768];
	json_t *json;
	int fd, status;

	snprintf(headers, sizeof(headers),
		 UPGRADE "Origin: http://127.0.0.1:%u\r\nCookie: %s\r\n",
		 hub->port, login.cookie);
	fd = upgrade(state, "/mqtt", headers, &status);
	assert_int_equal(status, 101);
	hub_send(fd, connect_frame, sizeof(connect_frame) - 1);
	expect_bytes(fd, "\x82\x04\x20\x02\x00\x00", 6);
	json = hub_expect(hub, 200, "GET", "/api/v1/clients", login.headers,
			  NULL);
	for (size_t i = 0;
	     i < json_array_size(json_object_get(json, "clients")); i++) {
		const json_t *client =
			json_array_get(json_object_get(json, "clients"), i);

		if (strcmp(json_string_value(json_object_get(client, "id")),
			   "ws") != 0)
			continue;
		assert_string_equal(
			json_string_value(json_object_get(client, "user")),
			HUB_ADMIN);
		assert_string_equal(
			json_string_value(json_object_get(client, "transport")),
			"websocket");
		status = 0;
	}
	assert_int_equal(status, 0);
	json_decref(json);
	close(fd);
}

static void test_logging_out_ends_what_the_cookie_opened(void **state)
{
	struct hub *hub = *state;
	struct login login = hub_login(hub, HUB_ADMIN, HUB_PASSWORD);
	struct login other = hub_login(hub, HUB_ADMIN, HUB_PASSWORD);
	static const char ping[] = "\x82\x82\0\0\0\0\xc0\0";
	const struct login *logins[] = { &login, &other };
	char headers[768], byte;
	int fd[2], status;

	for (size_t i = 0; i < 2; i++) {
		snprintf(headers, sizeof(headers),
			 UPGRADE
			 "Origin: http://127.0.0.1:%u\r\nCookie: %s\r\n",
			 hub->port, logins[i]->cookie);
		fd[i] = upgrade(state, "/mqtt", headers, &status);
		assert_int_equal(status, 101);
	}
	hub_send(fd[0], connect_frame, sizeof(connect_frame) - 1);
	expect_bytes(fd[0], "\x82\x04\x20\x02\x00\x00", 6);
	/* The other has not even said CONNECT; it stays all the same. */
	json_decref(hub_expect(hub, 204, "POST", "/api/v1/logout",
			       login.headers, NULL));
	while (recv(fd[0], &byte, 1, 0) > 0)
		continue;
	hub_send(fd[1], connect_frame, sizeof(connect_frame) - 1);
	expect_bytes(fd[1], "\x82\x04\x20\x02\x00\x00", 6);
	hub_send(fd[1], ping, sizeof(ping) - 1);
	expect_bytes(fd[1], "\x82\x02\xd0\x00", 4);
	close(fd[0]);
	close(fd[1]);
}

static void test_without_a_session_a_password_is_asked(void **state)
{
	struct hub *hub = *state;
	struct login login = hub_login(hub, HUB_ADMIN, HUB_PASSWORD);
	char headers[768];
	int fd, status;

	fd = upgrade(state, "/mqtt", UPGRADE, &status);
	assert_int_equal(status, 101);
	hub_send(fd, connect_frame, sizeof(connect_frame) - 1);
	expect_bytes(fd, "\x82\x04\x20\x02\x00\x05", 6);
	close(fd);
	/* A cookie counts only when a browser vouches for the page. */
	snprintf(headers, sizeof(headers), UPGRADE "Cookie: %s\r\n",
		 login.cookie);
	fd = upgrade(state, "/mqtt", headers, &status);
	assert_int_equal(status, 101);
	hub_send(fd, connect_frame, sizeof(connect_frame) - 1);
	expect_bytes(fd, "\x82\x04\x20\x02\x00\x05", 6);
	close(fd);
}

static void test_bytes_behind_the_upgrade_are_kept(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->port);
	char text[1024], answer[512];
	size_t len, have = 0;

	len = (size_t)snprintf(text, sizeof(text),
			       "GET /mqtt HTTP/1.1\r\nHost: localhost\r\n"
			       "%s\r\n",
			       UPGRADE);
	memcpy(text + len, connect_frame, sizeof(connect_frame) - 1);
	hub_send(fd, text, len + sizeof(connect_frame) - 1);
	while (!memmem(answer, have, "\x82\x04\x20\x02\x00\x05", 6)) {
		ssize_t n = recv(fd, answer + have, sizeof(answer) - have, 0);

		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_memory_equal(answer, "HTTP/1.1 101", 12);
	close(fd);
}

static void test_wrong_upgrades_are_refused(void **state)
{
	static const struct {
		const char *path;
		const char *headers;
		int status;
	} wrong[] = {
		{ "/mqtt", UPGRADE "Origin: http://evil.example\r\n", 403 },
		{ "/mqtt", UPGRADE "Origin: null\r\n", 403 },
		{ "/mqtt", "", 426 },
		{ "/mqtt",
		  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		  "Sec-WebSocket-Version: 13\r\n",
		  400 },
		{ "/mqtt",
		  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		  "Sec-WebSocket-Version: 8\r\n"
		  "Sec-WebSocket-Protocol: mqtt\r\n",
		  426 },
		{ "/other", UPGRADE, 404 },
	};
	int fd, status;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fd = upgrade(state, wrong[i].path, wrong[i].headers, &status);
		if (status != wrong[i].status)
			fail_msg("%d instead of %d for %s with %s", status,
				 wrong[i].status, wrong[i].path,
				 wrong[i].headers);
		close(fd);
	}
}

static void test_an_unclaimed_hub_speaks_no_mqtt(void **state)
{
	int status, fd = upgrade(state, "/mqtt", UPGRADE, &status);

	assert_int_equal(status, 403);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define UNCLAIMED(name) \
	cmocka_unit_test_setup_teardown(name, setup_unclaimed, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_browser_is_its_sessions_user),
		TEST(test_logging_out_ends_what_the_cookie_opened),
		TEST(test_without_a_session_a_password_is_asked),
		TEST(test_bytes_behind_the_upgrade_are_kept),
		TEST(test_wrong_upgrades_are_refused),
		UNCLAIMED(test_an_unclaimed_hub_speaks_no_mqtt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
