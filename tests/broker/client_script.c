#include "tests/broker/client_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What came out of the callbacks, one line each. */
static char story[4096];

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	size_t len = strlen(story);
	va_list args;

	va_start(args, format);
	/* It has been started. NOLINTNEXTLINE(clang-analyzer-valist.*) */
	(void)vsnprintf(story + len, sizeof(story) - len, format, args);
	va_end(args);
}

void assert_story(const char *expected)
{
	assert_string_equal(story, expected);
	story[0] = '\0';
}

static void connected(void *arg, bool session_present)
{
	(void)arg;
	tell("connected %d\n", session_present);
}

static void message(void *arg, const struct client_message *m)
{
	(void)arg;
	tell("%.*s=%.*s qos%d%s%s\n", (int)m->topic.len,
	     (const char *)m->topic.data, (int)m->payload.len,
	     (const char *)m->payload.data, m->qos, m->retain ? " old" : "",
	     m->dup ? " again" : "");
}

static void acknowledged(void *arg, uint64_t token, enum mqtt_reason reason)
{
	(void)arg;
	tell("acknowledged %d %02x\n", (int)token, reason);
}

static void subscribed(void *arg, struct slice filter, enum mqtt_reason reason)
{
	(void)arg;
	tell("subscribed %.*s %02x\n", (int)filter.len,
	     (const char *)filter.data, reason);
}

const struct client_callbacks callbacks = {
	.connected = connected,
	.message = message,
	.acknowledged = acknowledged,
	.subscribed = subscribed,
};

const struct client_options old = {
	.address = "unix:/x",
	.version = MQTT_3_1_1,
	.client_id = "c",
	.clean_start = true,
	.keep_alive = 60,
};

const struct client_options new = {
	.address = "unix:/x",
	.version = MQTT_5_0,
	.client_id = "c",
	.clean_start = true,
	.keep_alive = 60,
};

/* "20 02 00 00" -> bytes */
static size_t unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t len = 0;

	while (*hex) {
		char *end;

		assert_true(len < size);
		out[len++] = (uint8_t)strtoul(hex, &end, 16);
		hex = end;
		while (*hex == ' ')
			hex++;
	}
	return len;
}

bool one_by_one;

/* The server sends; in the second round of all tests byte for byte. */
int receive_at(struct client_protocol *p, const char *hex, uint64_t now)
{
	uint8_t bytes[512];
	size_t len = unhex(hex, bytes, sizeof(bytes));

	if (!one_by_one)
		return client_protocol_input(p, bytes, len, now);
	for (size_t i = 0; i < len; i++) {
		int r = client_protocol_input(p, &bytes[i], 1, now);

		if (r)
			return r;
	}
	return 0;
}

int receive(struct client_protocol *p, const char *hex)
{
	return receive_at(p, hex, 1000);
}

void assert_sends(struct client_protocol *p, const char *hex)
{
	uint8_t expected[512];
	size_t len = unhex(hex, expected, sizeof(expected));
	struct slice out = client_protocol_output(p);

	assert_int_equal(out.len, len);
	if (len)
		assert_memory_equal(out.data, expected, len);
	client_protocol_sent(p, out.len, 1000);
}

struct client_protocol *make(const struct client_options *options)
{
	struct client_protocol *p = NULL;

	story[0] = '\0';
	assert_int_equal(client_protocol_new(options, &callbacks, NULL, &p), 0);
	return p;
}

struct client_protocol *make_connected(const struct client_options *o)
{
	struct client_protocol *p = make(o);

	assert_int_equal(client_protocol_open(p, 1000), 0);
	assert_sends(p, o->version == MQTT_5_0 ? CONNECT_5 : CONNECT_311);
	assert_int_equal(receive(p, o->version == MQTT_5_0 ? "20 03 00 00 00"
							   : "20 02 00 00"),
			 0);
	assert_story("connected 0\n");
	assert_true(client_protocol_connected(p));
	return p;
}

int publish1(struct client_protocol *p, const char *payload, uint64_t token)
{
	return client_protocol_publish(p, slice_str("t"), slice_str(payload), 1,
				       false, token);
}
