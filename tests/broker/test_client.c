#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/base/loop.h"
#include "broker/client/client.h"
#include "broker/client/client_address.h"
#include "tests/failing_malloc.h"

/* However busy the machine: longer than this is a failure. */
#define DEADLINE_MS 30000

#define CONNECT                                        \
	"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01" \
	"c"
#define CONNECT_LEN 15
#define CONNACK "\x20\x02\x00\x00"
#define REFUSED "\x20\x02\x00\x05"

/* A server that reads and writes what the test tells it to. */
struct rig {
	char directory[32];
	char path[64];
	char address[80];
	struct loop *loop;
	struct client *client;
	int listener;
	int peer;

	unsigned int connected;
	unsigned int disconnected;
	unsigned int failed; /* to connect */
	unsigned int stopped;
	unsigned int acknowledged;
	unsigned int messages;
	bool answer; /* publish out of the message callback */
	char why[128];
};

static void connected(void *arg, bool session_present)
{
	struct rig *rig = arg;

	assert_false(session_present);
	rig->connected++;
}

static void disconnected(void *arg, bool was_connected, const char *why)
{
	struct rig *rig = arg;

	if (was_connected)
		rig->disconnected++;
	else
		rig->failed++;
	(void)snprintf(rig->why, sizeof(rig->why), "%s", why);
}

static void message(void *arg, const struct client_message *m)
{
	struct rig *rig = arg;

	assert_true(slice_equal(m->topic, slice_str("t")));
	rig->messages++;
	if (rig->answer)
		assert_int_equal(client_publish(rig->client, slice_str("a"),
						slice_str("b"), 0, false, 0),
				 0);
}

static void acknowledged(void *arg, uint64_t token, enum mqtt_reason reason)
{
	struct rig *rig = arg;

	assert_int_equal(token, 77);
	assert_int_equal(reason, MQTT_SUCCESS);
	rig->acknowledged++;
}

static void stopped(void *arg)
{
	struct rig *rig = arg;

	rig->stopped++;
}

static const struct client_callbacks callbacks = {
	.connected = connected,
	.disconnected = disconnected,
	.message = message,
	.acknowledged = acknowledged,
	.stopped = stopped,
};

static struct client_options options_for(const char *address)
{
	return (struct client_options){
		.address = address,
		.version = MQTT_3_1_1,
		.client_id = "c",
		.clean_start = true,
		.keep_alive = 60,
		.retry_min_ms = 1,
		.retry_max_ms = 20,
	};
}

static void listen_at(struct rig *rig)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)unlink(rig->path);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", rig->path);
	rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(rig->listener >= 0);
	assert_int_equal(
		bind(rig->listener, (struct sockaddr *)(void *)&un, sizeof(un)),
		0);
	assert_int_equal(listen(rig->listener, 8), 0);
}

static int setup(void **state)
{
	struct rig *rig = test_calloc(1, sizeof(*rig));
	struct client_options options;

	(void)snprintf(rig->directory, sizeof(rig->directory),
		       "/tmp/test_client.XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	(void)snprintf(rig->path, sizeof(rig->path), "%s/socket",
		       rig->directory);
	(void)snprintf(rig->address, sizeof(rig->address), "unix:%s",
		       rig->path);
	rig->loop = loop_new();
	rig->listener = -1;
	rig->peer = -1;
	options = options_for(rig->address);
	*state = rig;
	return client_new(rig->loop, &options, &callbacks, rig, &rig->client);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	client_free(rig->client);
	loop_free(rig->loop);
	if (rig->peer >= 0)
		(void)close(rig->peer);
	if (rig->listener >= 0)
		(void)close(rig->listener);
	(void)unlink(rig->path);
	(void)rmdir(rig->directory);
	test_free(rig);
	return 0;
}

/* Turn the loop until *counter has reached n. */
static void until(struct rig *rig, const unsigned int *counter, unsigned int n)
{
	uint64_t end = clock_ms() + DEADLINE_MS;

	while (*counter < n) {
		assert_true(clock_ms() < end);
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	}
}

/* The next bytes that the client sends are these. */
static void expect(struct rig *rig, const char *bytes, size_t len)
{
	uint64_t end = clock_ms() + DEADLINE_MS;
	uint8_t got[256];
	size_t have = 0;

	while (have < len) {
		ssize_t n =
			recv(rig->peer, got + have, len - have, MSG_DONTWAIT);

		if (n > 0) {
			have += (size_t)n;
			continue;
		}
		assert_true(n < 0 && errno == EAGAIN);
		assert_true(clock_ms() < end);
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	}
	assert_memory_equal(got, bytes, len);
}

static void say(struct rig *rig, const char *bytes, size_t len)
{
	assert_int_equal(send(rig->peer, bytes, len, MSG_NOSIGNAL), len);
}

/* The client comes and sends its CONNECT. */
static void take_client(struct rig *rig)
{
	uint64_t end = clock_ms() + DEADLINE_MS;

	if (rig->peer >= 0)
		(void)close(rig->peer);
	for (;;) {
		rig->peer = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);
		if (rig->peer >= 0)
			break;
		assert_int_equal(errno, EAGAIN);
		assert_true(clock_ms() < end);
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	}
	expect(rig, CONNECT, CONNECT_LEN);
}

static void make_nonblocking(struct rig *rig)
{
	struct timeval soon = { .tv_usec = 1000 };

	assert_int_equal(setsockopt(rig->listener, SOL_SOCKET, SO_RCVTIMEO,
				    &soon, sizeof(soon)),
			 0);
}

static void begin(struct rig *rig)
{
	listen_at(rig);
	make_nonblocking(rig);
	client_start(rig->client);
	take_client(rig);
	say(rig, CONNACK, 4);
	until(rig, &rig->connected, 1);
	assert_true(client_connected(rig->client));
}

static void test_it_connects_and_talks(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	assert_int_equal(client_subscribe(rig->client, "t", 1), 0);
	expect(rig, "\x82\x06\x00\x01\x00\x01t\x01", 8);
	assert_int_equal(client_publish(rig->client, slice_str("a"),
					slice_str("b"), 1, false, 77),
			 0);
	expect(rig,
	       "\x32\x06\x00\x01"
	       "a\x00\x02"
	       "b",
	       8);
	say(rig, "\x40\x02\x00\x02", 4);
	until(rig, &rig->acknowledged, 1);
	rig->answer = true;
	say(rig, "\x30\x04\x00\x01tx\x30\x04\x00\x01ty", 12);
	until(rig, &rig->messages, 2);
	expect(rig,
	       "\x30\x04\x00\x01"
	       "ab\x30\x04\x00\x01"
	       "ab",
	       12);
}

static void test_it_waits_for_a_server_that_is_not_there_yet(void **state)
{
	struct rig *rig = *state;

	client_start(rig->client);
	until(rig, &rig->failed, 3);
	assert_false(client_connected(rig->client));
	assert_string_equal(rig->why, "No such file or directory");
	listen_at(rig);
	make_nonblocking(rig);
	take_client(rig);
	say(rig, CONNACK, 4);
	until(rig, &rig->connected, 1);
	assert_int_equal(rig->disconnected, 0);
}

static void test_it_comes_back_and_sends_again(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	assert_int_equal(client_publish(rig->client, slice_str("a"),
					slice_str("b"), 1, false, 77),
			 0);
	expect(rig,
	       "\x32\x06\x00\x01"
	       "a\x00\x01"
	       "b",
	       8);
	take_client(rig); /* after closing the first */
	assert_int_equal(rig->disconnected, 1);
	say(rig, CONNACK, 4);
	expect(rig,
	       "\x32\x06\x00\x01"
	       "a\x00\x02"
	       "b",
	       8);
	say(rig, "\x40\x02\x00\x02", 4);
	until(rig, &rig->acknowledged, 1);
}

static void test_a_refusal_says_why_and_is_tried_again(void **state)
{
	struct rig *rig = *state;

	listen_at(rig);
	make_nonblocking(rig);
	client_start(rig->client);
	take_client(rig);
	say(rig, REFUSED, 4);
	until(rig, &rig->failed, 1);
	assert_string_equal(rig->why, "the server refuses us: Not authorized");
	take_client(rig);
	say(rig, CONNACK, 4);
	until(rig, &rig->connected, 1);
}

static void test_nonsense_ends_the_connection(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	say(rig, "\xf0\x00", 2);
	until(rig, &rig->disconnected, 1);
	assert_string_equal(rig->why, "the server sent what it may not: "
				      "Protocol Error");
}

static void test_stop_says_goodbye_after_all_is_acknowledged(void **state)
{
	struct rig *rig = *state;
	char none;

	begin(rig);
	assert_int_equal(client_publish(rig->client, slice_str("a"),
					slice_str("b"), 1, false, 77),
			 0);
	client_stop(rig->client);
	expect(rig,
	       "\x32\x06\x00\x01"
	       "a\x00\x01"
	       "b",
	       8);
	assert_int_equal(rig->stopped, 0);
	say(rig, "\x40\x02\x00\x01", 4);
	until(rig, &rig->stopped, 1);
	expect(rig, "\xe0\x00", 2);
	assert_int_equal(recv(rig->peer, &none, 1, 0), 0);
	assert_int_equal(rig->disconnected, 1);

	/* It can be started again. */
	client_start(rig->client);
	take_client(rig);
	say(rig, CONNACK, 4);
	until(rig, &rig->connected, 2);
	/* And stopped with nothing to say. */
	client_stop(rig->client);
	until(rig, &rig->stopped, 2);
	expect(rig, "\xe0\x00", 2);
}

static void test_stop_without_a_connection_is_immediate(void **state)
{
	struct rig *rig = *state;

	client_stop(rig->client);
	assert_int_equal(rig->stopped, 1);
	client_start(rig->client);
	until(rig, &rig->failed, 1);
	client_stop(rig->client);
	assert_int_equal(rig->stopped, 2);
}

/* A server that reads slowly gets everything all the same. */
static void test_what_does_not_fit_is_sent_later(void **state)
{
	static uint8_t big[200000];
	struct rig *rig = *state;
	uint64_t end = clock_ms() + DEADLINE_MS;
	uint8_t got[65536];
	size_t have = 0;
	size_t expected = 5 * (sizeof(big) + 1 + 3 + 3);

	begin(rig);
	for (int i = 0; i < 5; i++)
		assert_int_equal(client_publish(rig->client, slice_str("a"),
						slice_of(big, sizeof(big)), 0,
						false, 0),
				 0);
	while (have < expected) {
		ssize_t n = recv(rig->peer, got, sizeof(got), MSG_DONTWAIT);

		if (n > 0)
			have += (size_t)n;
		else
			assert_int_equal(loop_turn(rig->loop, 20), 0);
		assert_true(clock_ms() < end);
	}
	assert_int_equal(have, expected);
	assert_true(client_connected(rig->client));
}

static void test_tcp_as_well(void **state)
{
	struct rig *rig = *state;
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	struct client_options options;
	char address[64];

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(rig->listener, (struct sockaddr *)(void *)&in, sizeof(in)),
		0);
	assert_int_equal(listen(rig->listener, 1), 0);
	assert_int_equal(getsockname(rig->listener,
				     (struct sockaddr *)(void *)&in, &len),
			 0);
	(void)snprintf(address, sizeof(address), "mqtt://127.0.0.1:%u",
		       ntohs(in.sin_port));
	options = options_for(address);
	client_free(rig->client);
	rig->client = NULL;
	assert_int_equal(
		client_new(rig->loop, &options, &callbacks, rig, &rig->client),
		0);
	make_nonblocking(rig);
	client_start(rig->client);
	take_client(rig);
	say(rig, CONNACK, 4);
	until(rig, &rig->connected, 1);
}

static void test_addresses(void **state)
{
	static const char *const good[] = {
		"unix:/run/hearth/mqtt.sock",
		"127.0.0.1",
		"127.0.0.1:1884",
		"[::1]:1883",
		"[::1]",
		"mqtt://192.0.2.7:1883",
		"mqtts://192.0.2.7",
		"mqtts://[2001:db8::7]:8884",
		"mqtts://hub.local:8883",
		"mqtt://hub",
	};
	static const char *const bad[] = {
		"",
		"unix:",
		"hub.local:1883",
		"127.0.0.1:",
		"127.0.0.1:mqtt",
		"127.0.0.1:70000000",
		"[::1",
		"[::1]1883",
		"mqtt://",
		":1883",
		"mqtts://",
		"mqtts://hub.local:",
		"mqtts:hub",
		"mqtts://300.1.1.1",
		"mqtts://a..b",
		"mqtts://.a",
		"mqtts://-a",
		"mqtts://h ub",
		"mqtts://[hub]",
		"mqtts://hub/x",
		"mqtts://u:p@hub",
	};
	struct client_address address;
	char path[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(client_address_parse(good[i], &address), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(client_address_parse(bad[i], &address),
				 -EINVAL);
	memset(path, 'x', sizeof(path));
	memcpy(path, "unix:/", 6);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(client_address_parse(path, &address), -EINVAL);
	assert_int_equal(client_address_parse("mqtts://192.0.2.7", &address),
			 0);
	assert_true(address.tls);
	assert_string_equal(address.port, "8883");
}

static void test_new_survives_allocation_failure(void **state)
{
	struct rig *rig = *state;
	struct client_options options = options_for(rig->address);
	struct client *other = NULL;
	unsigned int n = 0;
	int r;

	for (;;) {
		failing_malloc_arm(n++);
		r = client_new(rig->loop, &options, &callbacks, rig, &other);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_int_equal(n, 5);
	client_free(other);
	client_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_connects_and_talks),
		TEST(test_it_waits_for_a_server_that_is_not_there_yet),
		TEST(test_it_comes_back_and_sends_again),
		TEST(test_a_refusal_says_why_and_is_tried_again),
		TEST(test_nonsense_ends_the_connection),
		TEST(test_stop_says_goodbye_after_all_is_acknowledged),
		TEST(test_stop_without_a_connection_is_immediate),
		TEST(test_what_does_not_fit_is_sent_later),
		TEST(test_tcp_as_well),
		cmocka_unit_test(test_addresses),
		TEST(test_new_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
