/* Server-sent events, on a whole hub. */
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

#include "tests/web/rest.h"
#include "web/limits.h"

static int stream_open(const struct hub *hub, const char *headers,
		       const char *filter)
{
	char request[1024];
	int fd = hub_connect(hub->port);
	int len;

	len = snprintf(request, sizeof(request),
		       "GET /api/v1/events?filter=%s HTTP/1.1\r\n"
		       "Host: localhost\r\n%s\r\n",
		       filter, headers);
	hub_send(fd, request, (size_t)len);
	return fd;
}

/* Reads until wanted has been seen; data keeps all that came. */
static void read_until(int fd, const char *wanted, char *data, size_t size)
{
	size_t have = strlen(data);

	while (!strstr(data, wanted)) {
		ssize_t n = recv(fd, data + have, size - 1 - have, 0);

		if (n <= 0)
			fail_msg("the stream ended without %s: %s", wanted,
				 data);
		have += (size_t)n;
		data[have] = '\0';
	}
}

static void test_messages_stream(void **state)
{
	struct rig *rig = *state;
	char data[8192] = "";
	int fd;

	expect(state, 200, "POST", "/api/v1/publish",
	       "{\"topic\":\"s/kept\",\"payload\":\"old\",\"retain\":true,"
	       "\"qos\":1}");
	fd = stream_open(rig->hub, rig->admin.headers, "s/%23");
	read_until(fd, "\"old\"", data, sizeof(data));
	assert_non_null(strstr(data, "text/event-stream"));
	assert_non_null(strstr(data, "\"retain\":true"));
	/* A line end in a payload ends no line of the stream. */
	expect(state, 200, "POST", "/api/v1/publish",
	       "{\"topic\":\"s/new\",\"payload\":\"a\\n\\ndata: b\"}");
	read_until(fd, "\"a\\n\\ndata: b\"", data, sizeof(data));
	assert_non_null(
		strstr(data, "event: message\ndata: {\"topic\":\"s/new\""));
	close(fd);
}

static void test_streams_obey_the_rules(void **state)
{
	struct rig *rig = *state;
	struct login ben;
	char data[8192] = "";
	json_t *json;
	int fd;

	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	ben = hub_login(rig->hub, "ben", "long enough");
	json = hub_expect(rig->hub, 403, "GET",
			  "/api/v1/events?filter=attic/%23", ben.headers, NULL);
	json_decref(json);
	expect(state, 400, "GET", "/api/v1/events?filter=a%23", NULL);
	expect(state, 400, "GET", "/api/v1/events", NULL);
	json = call(state, 400, "GET",
		    "/api/v1/events?filter=$match/a%3Cb/attic/open", NULL);
	assert_non_null(
		strstr(text(json, "detail"), "malformed predicate: byte 3: "));
	json_decref(json);
	expect(state, 201, "POST", "/api/v1/acl",
	       "{\"user\":\"ben\",\"filter\":\"attic/open\","
	       "\"action\":\"read\"}");
	fd = stream_open(rig->hub, ben.headers, "attic/%23");
	read_until(fd, "text/event-stream", data, sizeof(data));
	/* The retained one shows that the subscription stands. */
	expect(state, 200, "POST", "/api/v1/publish",
	       "{\"topic\":\"attic/secret\",\"payload\":\"hidden\","
	       "\"retain\":true,\"qos\":1}");
	expect(state, 200, "POST", "/api/v1/publish",
	       "{\"topic\":\"attic/open\",\"payload\":\"shown\","
	       "\"retain\":true,\"qos\":1}");
	read_until(fd, "shown", data, sizeof(data));
	assert_null(strstr(data, "hidden"));
	/* Who is put out hears no more. */
	expect(state, 200, "PUT", "/api/v1/users/ben", "{\"enabled\":false}");
	read_until(fd, "event: end", data, sizeof(data));
	assert_true(hub_closed(fd));
	close(fd);
}

/* A stream shows that it lives, and lasts longer than any deadline. */
static void test_a_quiet_stream_shows_that_it_lives(void **state)
{
	struct rig *rig = *state;
	int fd = stream_open(rig->hub, rig->admin.headers, "x");
	char data[8192] = "";

	read_until(fd, "\r\n\r\n", data, sizeof(data));
	for (int i = 0; i < 12; i++) {
		data[0] = '\0';
		hub_advance(rig->hub, WEB_STREAM_COMMENT_MS);
		read_until(fd, ":\n\n", data, sizeof(data));
	}
	close(fd);
}

/* Readers that have gone give their places back. */
static void test_streams_are_bounded(void **state)
{
	struct rig *rig = *state;
	int fds[WEB_STREAMS];
	char data[4096];
	int status = 503;

	for (int i = 0; i < WEB_STREAMS; i++) {
		fds[i] = stream_open(rig->hub, rig->admin.headers, "x");
		data[0] = '\0';
		read_until(fds[i], "\r\n\r\n", data, sizeof(data));
		assert_memory_equal(data, "HTTP/1.1 200", 12);
	}
	expect(state, 503, "GET", "/api/v1/events?filter=x", NULL);
	for (int i = 0; i < WEB_STREAMS; i++)
		close(fds[i]);
	/* Writing to them shows that nobody reads. */
	for (int i = 0; i < 5000 && status != 200; i++) {
		int fd;

		expect(state, 200, "POST", "/api/v1/publish",
		       "{\"topic\":\"x\",\"payload\":\"y\"}");
		fd = stream_open(rig->hub, rig->admin.headers, "x");
		data[0] = '\0';
		read_until(fd, "\r\n\r\n", data, sizeof(data));
		status = (int)strtol(data + 9, NULL, 10);
		close(fd);
	}
	assert_int_equal(status, 200);
}

/* A reader that stands still costs so much and no more, and is told how many
 * messages it missed. */
static void test_a_slow_reader_is_told_what_it_missed(void **state)
{
	struct rig *rig = *state;
	size_t payload = 40000, size = 16 * 1024 * 1024;
	char *body = malloc(payload + 128);
	char *data = calloc(1, size);
	int fd, len;

	assert_non_null(body);
	assert_non_null(data);
	fd = stream_open(rig->hub, rig->admin.headers, "big");
	read_until(fd, "\r\n\r\n", data, size);
	len = snprintf(body, 128, "{\"topic\":\"big\",\"payload\":\"");
	memset(body + len, 'x', payload);
	memcpy(body + (size_t)len + payload, "\"}", 3);
	/* More than the stream and the sockets' buffers hold. */
	for (int i = 0; i < 300; i++)
		expect(state, 200, "POST", "/api/v1/publish", body);
	read_until(fd, "event: dropped", data, size);
	free(body);
	free(data);
	close(fd);
}

/* The hub ends while streams and a password check are under way: nothing hangs,
 * nothing is lost (the sanitizer looks on). */
static void test_the_hub_can_end_under_streams(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 5; i++) {
		int fd = stream_open(rig->hub, rig->admin.headers, "x");
		char data[4096] = "";

		if (i)
			read_until(fd, "\r\n\r\n", data, sizeof(data));
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rest_setup, rest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_messages_stream),
		TEST(test_streams_obey_the_rules),
		TEST(test_a_quiet_stream_shows_that_it_lives),
		TEST(test_streams_are_bounded),
		TEST(test_a_slow_reader_is_told_what_it_missed),
		TEST(test_the_hub_can_end_under_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
