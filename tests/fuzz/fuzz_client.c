/*
 * Any bytes as what a server sends to our client: version and a place to tear
 * the bytes come from the first two. The connection goes on or ends with one of
 * the errors that client_protocol.h names, whatever comes, torn or whole.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/client/client_protocol.h"
#include "tests/fuzz/fuzz.h"

static void connected(void *arg, bool session_present)
{
	(void)arg;
	(void)session_present;
}

static void message(void *arg, const struct client_message *m)
{
	struct client_protocol **p = arg;

	assert(m->topic.len > 0 && m->qos <= 1);
	/* As a node does: answer from within. */
	(void)client_protocol_publish(*p, slice_str("answer"), m->payload, 1,
				      false, 1);
}

static void acknowledged(void *arg, uint64_t token, enum mqtt_reason reason)
{
	(void)arg;
	(void)reason;
	assert(token == 1 || token == 7);
}

static void subscribed(void *arg, struct slice filter, enum mqtt_reason reason)
{
	(void)arg;
	(void)reason;
	assert(filter.len > 0);
}

static const struct client_callbacks callbacks = {
	.connected = connected,
	.message = message,
	.acknowledged = acknowledged,
	.subscribed = subscribed,
};

static int feed(struct client_protocol *p, const uint8_t *data, size_t len)
{
	struct fuzz_copy copy = fuzz_copy(data, len);
	int r = client_protocol_input(p, copy.bytes.data, len, 1000);

	fuzz_copy_free(&copy);
	assert(r == 0 || r == -ECONNREFUSED || r == -ECONNRESET ||
	       r == -EPROTO || r == -EMSGSIZE || r == -ENOBUFS);
	if (r == -EPROTO || r == -ECONNREFUSED)
		assert(client_protocol_reason(p) >= MQTT_UNSPECIFIED_ERROR);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_options options = {
		.client_id = "c",
		.clean_start = true,
		.keep_alive = 60,
	};
	struct client_protocol *p = NULL;
	size_t tear;

	if (size < 2)
		return 0;
	options.version = data[0] & 1 ? MQTT_5_0 : MQTT_3_1_1;
	tear = 2 + data[1] % (size - 1);

	assert(client_protocol_new(&options, &callbacks, &p, &p) == 0);
	assert(client_protocol_subscribe(p, "a/#", 1) == 0);
	assert(client_protocol_publish(p, slice_str("t"), slice_str("x"), 1,
				       true, 7) == 0);
	assert(client_protocol_open(p, 0) == 0);
	client_protocol_sent(p, client_protocol_output(p).len, 0);
	if (feed(p, data + 2, tear - 2) == 0)
		(void)feed(p, data + tear, size - tear);
	client_protocol_sent(p, client_protocol_output(p).len, 2000);
	client_protocol_close(p);
	client_protocol_free(p);
	return 0;
}
