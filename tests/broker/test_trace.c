/* What stands in a trace, and what never does. */
#include "broker/admin/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/admin/trace_line.h"
#include "broker/core.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static char path[32];

static int setup(void **state)
{
	sim_clock_start();
	snprintf(path, sizeof(path), "/tmp/hearth-trace-XXXXXX");
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	sim_run(*state);
	sim_check(*state);
	broker_free(*state);
	sim_clock_stop();
	unlink(path);
	return 0;
}

static struct trace *make(enum admin_trace_kind kind, const char *what, int fd,
			  uint64_t max)
{
	const struct admin_trace_options options = {
		.kind = kind,
		.what = what,
		.name = "t.log",
		.fd = fd,
		.seconds = 10,
		.max_bytes = max,
	};

	return trace_new(&options);
}

static void start(struct broker *broker, enum admin_trace_kind kind,
		  const char *what)
{
	struct trace *t = make(kind, what, mkstemp(path), 65536);

	assert_non_null(t);
	trace_start(broker, t);
}

/* All that was written, when it is over. */
static const char *written(struct broker *broker)
{
	static char text[262144];
	int fd;
	ssize_t n;

	trace_stop(broker, "test");
	trace_free(broker->trace_ended);
	broker->trace_ended = NULL;
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no \"%s\" in:\n%s", what, text);
}

static void has_not(const char *text, const char *what)
{
	if (strstr(text, what))
		fail_msg("\"%s\" in:\n%s", what, text);
}

static void test_all_that_a_client_says_and_is_told(void **state)
{
	struct broker *broker = *state;
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "lamp", true);
	struct sim_peer *lamp, *other;
	const char *text;

	start(broker, ADMIN_TRACE_CLIENT, "lamp");
	other = sim_client(broker, MQTT_3_1_1, "other", true, NULL);
	lamp = sim_peer_open(broker);
	packet.has_username = packet.has_password = true;
	packet.username = slice_str("anna");
	packet.password = slice_str("s3cret");
	packet.keep_alive = 17;
	packet.has_will = true;
	packet.will.topic = slice_str("w");
	packet.will.payload = slice_str("dead");
	sim_peer_connect(lamp, &packet);
	sim_peer_expect(lamp, MQTT_CONNACK);
	sim_peer_subscribed(lamp, "in/#", 1);
	sim_peer_publish(other, "in/1", "to the lamp", 1, false, 5);
	sim_peer_ack(lamp, MQTT_PUBACK,
		     sim_peer_receive(lamp, "in/1", "to the lamp", 1));
	sim_peer_publish(lamp, "out", "from the lamp", 1, true, 9);
	sim_peer_publish(other, "elsewhere", "unheard", 0, false, 0);
	sim_peer_close(lamp);
	text = written(broker);
	has(text, " trace of client lamp\n");
	has(text, " (test:1) > CONNECT MQTT 5.0 clean keep-alive 17 user anna "
		  "password given will PUBLISH qos 0 w 4 bytes: dead\n");
	has(text, " lamp (test:1) < CONNACK 0x00\n");
	has(text, " lamp (test:1) > SUBSCRIBE id 10 in/# qos 1\n");
	has(text, " lamp (test:1) < SUBACK id 10 0x01\n");
	has(text, " lamp (test:1) < PUBLISH qos 1 id 1 in/1 11 bytes: "
		  "to the lamp\n");
	has(text, " lamp (test:1) > PUBACK id 1 0x00\n");
	has(text, " lamp (test:1) > PUBLISH qos 1 retain id 9 out 13 bytes: "
		  "from the lamp\n");
	has(text, " lamp (test:1) < PUBACK id 9 0x10\n");
	has(text, " lamp (test:1) - closed: ");
	has(text, " end: test, 0 lines lost\n");
	has_not(text, "s3cret");
	has_not(text, "unheard");
	has_not(text, "other");
	sim_peer_close(other);
}

/* Who connected before it begins is meant too, and none after its end. */
static void test_it_begins_and_ends_in_between(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *lamp =
		sim_client(broker, MQTT_3_1_1, "lamp", true, NULL);
	const char *text;

	sim_peer_publish(lamp, "t", "before", 0, false, 0);
	start(broker, ADMIN_TRACE_CLIENT, "lamp");
	sim_peer_publish(lamp, "t", "while", 0, false, 0);
	sim_clock_advance(broker, 10000);
	assert_null(broker->trace);
	sim_peer_publish(lamp, "t", "after", 0, false, 0);
	text = written(broker);
	has(text, "while");
	has(text, "end: its time is over");
	has_not(text, "before");
	has_not(text, "after");
	sim_peer_close(lamp);
}

static void test_who_publishes_and_who_gets_it(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *from =
		sim_client(broker, MQTT_3_1_1, "from", true, NULL);
	struct sim_peer *to = sim_client(broker, MQTT_5_0, "to", true, NULL);
	const char *text;

	sim_peer_subscribed(to, "#", 0);
	start(broker, ADMIN_TRACE_TOPIC, "home/+/temp");
	sim_peer_publish(from, "home/attic/temp", "21.5", 0, true, 0);
	sim_peer_publish(from, "home/attic/light", "ON", 0, false, 0);
	text = written(broker);
	has(text, " from (test:1) > PUBLISH qos 0 retain home/attic/temp "
		  "4 bytes: 21.5\n");
	has(text, " to (test:1) < PUBLISH qos 0 home/attic/temp 4 bytes: "
		  "21.5\n");
	has_not(text, "light");
	sim_peer_close(from);
	sim_peer_close(to);
}

static void test_it_grows_no_larger_than_it_may(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *lamp =
		sim_client(broker, MQTT_3_1_1, "lamp", true, NULL);
	struct trace *t = make(ADMIN_TRACE_CLIENT, "lamp", mkstemp(path), 2000);
	const char *text;

	trace_start(broker, t);
	for (int i = 0; i < 100; i++)
		sim_peer_publish(lamp, "t", "0123456789012345678901234567", 0,
				 false, 0);
	assert_null(broker->trace);
	text = written(broker);
	/* The line that reached it, and the end. */
	assert_in_range(strlen(text), 2000, 2000 + 2 * TRACE_LINE);
	has(text, "end: the file is as large as it may be");
	sim_peer_close(lamp);
}

/* Nobody waits for a disk that does not take it; what is lost is counted. */
static void test_a_slow_disk_holds_nobody_up(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *lamp =
		sim_client(broker, MQTT_3_1_1, "lamp", true, NULL);
	struct admin_trace told;
	char payload[256];
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* nobody reads it */
	trace_start(broker,
		    make(ADMIN_TRACE_CLIENT, "lamp", ends[1], UINT64_MAX));
	memset(payload, 'x', sizeof(payload) - 1);
	payload[255] = '\0';
	for (int i = 0; i < 10000; i++) {
		sim_peer_publish(lamp, "t", payload, 0, false, 0);
		trace_tell(broker, &told);
		if (told.lost)
			break;
	}
	assert_true(told.lost > 0);
	assert_true(told.running);
	/* The disk is gone altogether: the writer comes to its end. */
	close(ends[0]);
	trace_stop(broker, "test");
	trace_free(broker->trace_ended);
	broker->trace_ended = NULL;
	sim_peer_close(lamp);
}

static void test_it_survives_allocation_failure(void **state)
{
	struct broker *broker = *state;
	struct trace *t = NULL;
	unsigned int n = 0;
	int fd = mkstemp(path);

	do {
		failing_malloc_arm(n++);
		t = make(ADMIN_TRACE_TOPIC, "#", fd, 65536);
		if (!failing_malloc_disarm())
			break;
		assert_null(t);
	} while (n < 20);
	assert_in_range(n, 5, 19);
	/* A line that finds no memory is lost, and counted. */
	failing_malloc_arm(0);
	trace_start(broker, t);
	assert_true(failing_malloc_disarm());
	has(written(broker), "end: test, 1 lines lost\n");
}

static struct trace_line line;

static const char *shown(const void *bytes, size_t len)
{
	line.len = 0;
	trace_line_text(&line, slice_of(bytes, len));
	line.text[line.len] = '\0';
	return line.text;
}

static void test_nobody_can_forge_a_line(void **state)
{
	char many[TRACE_PAYLOAD + 10];

	(void)state;
	assert_string_equal(shown("a\nb\x7f\t", 5), "a\\x0ab\\x7f\\x09");
	assert_string_equal(shown("gr\xc3\xbc\xc3\x9f", 6),
			    "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(shown("\xff\x00z", 3), "0xff007a");
	assert_string_equal(shown("", 0), "");
	/* Cut between characters, and said so. */
	memset(many, 'a', sizeof(many));
	memcpy(many + TRACE_PAYLOAD - 1, "\xc3\xbc", 2);
	shown(many, sizeof(many));
	assert_int_equal(line.len, TRACE_PAYLOAD - 1 + 3);
	assert_string_equal(line.text + TRACE_PAYLOAD - 1, "...");
	memset(many, 0xff, sizeof(many));
	shown(many, sizeof(many));
	assert_int_equal(line.len, 2 + TRACE_PAYLOAD + 3);
}

/* Whatever is put into one, there is room for its end. */
static void test_a_line_has_a_length(void **state)
{
	(void)state;
	trace_line_begin(&line);
	for (int i = 0; i < 1000; i++)
		trace_line_add(&line, "%d ", i);
	trace_line_text(&line, slice_str("more"));
	trace_line_end(&line);
	assert_true(line.len <= TRACE_LINE);
	assert_int_equal(line.text[line.len - 1], '\n');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_that_a_client_says_and_is_told),
		TEST(test_it_begins_and_ends_in_between),
		TEST(test_who_publishes_and_who_gets_it),
		TEST(test_it_grows_no_larger_than_it_may),
		TEST(test_a_slow_disk_holds_nobody_up),
		TEST(test_it_survives_allocation_failure),
		cmocka_unit_test(test_nobody_can_forge_a_line),
		cmocka_unit_test(test_a_line_has_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
