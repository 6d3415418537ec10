#include "broker/client/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/loop.h"
#include "broker/client/client_protocol.h"
#include "broker/client/client_stream.h"

/* Bytes of one read, and reads of one turn: then others have theirs. */
#define READ_SIZE 16384
#define READS_MAX 8

enum state {
	IDLE, /* not started, or stopped */
	WAITING, /* the timer says when to try again */
	CONNECTING, /* the stream is on its way */
	OPEN, /* the protocol has it */
};

struct client {
	struct loop *loop;
	const struct client_callbacks *callbacks;
	void *arg;
	struct client_stream stream;
	struct client_protocol *protocol;
	uint32_t retry_min_ms;
	uint32_t retry_max_ms;

	enum state state;
	bool stopping;
	bool reading; /* flushed when all is read */
	uint32_t retry_ms;
	uint64_t ended; /* by the server, and when; 0: not yet */
	struct loop_source source;
	struct loop_timer timer;
};

static void on_timer(struct loop_timer *timer);
static void on_socket(struct loop_source *source, uint32_t events);

static struct client *client_of_source(struct loop_source *source)
{
	return list_entry(source, struct client, source);
}

static struct client *client_of_timer(struct loop_timer *timer)
{
	return list_entry(timer, struct client, timer);
}

int client_new(struct loop *loop, const struct client_options *options,
	       const struct client_callbacks *callbacks, void *arg,
	       struct client **out)
{
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;

	r = client_stream_init(&client->stream, options->address, options->tls);
	if (r)
		goto err_free;
	r = client_protocol_new(options, callbacks, arg, &client->protocol);
	if (r)
		goto err_free;

	client->loop = loop;
	client->callbacks = callbacks;
	client->arg = arg;
	client->retry_min_ms = options->retry_min_ms;
	client->retry_max_ms = options->retry_max_ms;
	client->retry_ms = options->retry_min_ms;
	client->source.fd = -1;
	client->timer.fn = on_timer;
	*out = client;
	return 0;

err_free:
	free(client);
	return r;
}

static void unwatch(struct client *client)
{
	if (client->source.fd >= 0)
		loop_remove(client->loop, &client->source);
	client->source.fd = -1;
}

static void close_stream(struct client *client)
{
	loop_timer_cancel(client->loop, &client->timer);
	unwatch(client);
	client_stream_close(&client->stream);
}

void client_free(struct client *client)
{
	if (!client)
		return;

	close_stream(client);
	client_stream_free(&client->stream);
	client_protocol_free(client->protocol);
	free(client);
}

static void become_idle(struct client *client)
{
	client->state = IDLE;
	client->stopping = false;
	if (client->callbacks->stopped)
		client->callbacks->stopped(client->arg);
}

/* Up to a quarter more, so that a house full of clients does not come back at
 * one instant. */
static uint64_t with_jitter(uint32_t ms)
{
	return ms + clock_ns() / 1000 % (ms / 4 + 1);
}

static void retry_later(struct client *client)
{
	client->state = WAITING;
	loop_timer_set(client->loop, &client->timer,
		       with_jitter(client->retry_ms));
	client->retry_ms = client->retry_ms > client->retry_max_ms / 2
				   ? client->retry_max_ms
				   : client->retry_ms * 2;
}

/* The connection has ended, or was not made. */
static void end(struct client *client, const char *why)
{
	bool was_connected = client_protocol_connected(client->protocol) ||
			     client_protocol_finished(client->protocol);

	close_stream(client);
	client_protocol_close(client->protocol);
	client->state = WAITING;
	client->callbacks->disconnected(client->arg, was_connected, why);
	if (client->stopping)
		become_idle(client);
	else if (client->state == WAITING)
		retry_later(client);
}

static void end_with(struct client *client, int error)
{
	char why[CLIENT_WHY_SIZE];
	enum mqtt_reason reason = client_protocol_reason(client->protocol);

	if (client->state == OPEN && (error == -ECONNRESET || error == -EPIPE))
		client->ended = loop_now(client->loop);
	if (client->stream.why[0])
		(void)snprintf(why, sizeof(why), "%s", client->stream.why);
	else if (error == -ECONNREFUSED && client->state == OPEN)
		(void)snprintf(why, sizeof(why), "the server refuses us: %s",
			       reason_name(reason));
	else if (error == -ECONNRESET && reason != MQTT_SUCCESS)
		(void)snprintf(why, sizeof(why), "the server said: %s",
			       reason_name(reason));
	else if (error == -EPROTO || error == -EMSGSIZE)
		(void)snprintf(why, sizeof(why),
			       "the server sent what it may not: %s",
			       reason_name(reason));
	else
		(void)snprintf(why, sizeof(why), "%s", strerrordesc_np(-error));
	end(client, why);
}

static void set_timer(struct client *client)
{
	uint64_t next = client_protocol_next(client->protocol);
	uint64_t now = loop_now(client->loop);

	if (next == UINT64_MAX)
		loop_timer_cancel(client->loop, &client->timer);
	else
		loop_timer_set(client->loop, &client->timer,
			       next > now ? next - now : 0);
}

/* Bytes that have been read off the socket already announce themselves by its
 * being writable: it nearly always is. */
static int watch(struct client *client, uint32_t events)
{
	if (client_stream_pending(&client->stream))
		events |= EPOLLOUT;
	return loop_modify(client->loop, &client->source, events);
}

/* Send what there is. Returns 0 or a negative errno; -EAGAIN is 0. */
static int flush(struct client *client)
{
	for (;;) {
		struct slice out = client_protocol_output(client->protocol);
		ssize_t n;

		if (out.len == 0)
			return watch(client, EPOLLIN);
		n = client_stream_write(&client->stream, out.data, out.len);
		if (n == -EAGAIN)
			return watch(client, EPOLLIN | EPOLLOUT);
		if (n < 0)
			return (int)n;
		client_protocol_sent(client->protocol, (size_t)n,
				     loop_now(client->loop));
	}
}

/* After everything that may have made output, or finished. */
static void flush_or_end(struct client *client)
{
	int r = flush(client);

	if (r)
		end_with(client, r);
	else if (client_protocol_finished(client->protocol) &&
		 client_protocol_output(client->protocol).len == 0)
		end(client, "we have said goodbye");
	else
		set_timer(client);
}

/*
 * From outside a turn of ours: the caller holds things that a callback may
 * change, so a broken socket is left for the loop to find.
 */
static void flush_from_caller(struct client *client)
{
	if (client->state == OPEN && !client->reading)
		(void)flush(client);
}

/* Returns 0, or a negative errno: the connection must end. */
static int read_some(struct client *client)
{
	uint8_t bytes[READ_SIZE];

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = client_stream_read(&client->stream, bytes,
					       sizeof(bytes));
		int r;

		if (n < 0)
			return n == -EAGAIN ? 0 : (int)n;
		if (n == 0)
			return -ECONNRESET;
		r = client_protocol_input(client->protocol, bytes, (size_t)n,
					  loop_now(client->loop));
		if (r)
			return r;
		/* A record of TLS ends where it likes. */
		if ((size_t)n < sizeof(bytes) && !client->stream.ssl)
			return 0;
	}
	return 0;
}

static void on_readable(struct client *client)
{
	int r;

	client->reading = true;
	r = read_some(client);
	client->reading = false;

	if (client_protocol_connected(client->protocol))
		client->retry_ms = client->retry_min_ms;
	if (r) {
		/* A DISCONNECT with our reason, if there is one: one try. */
		(void)flush(client);
		end_with(client, r);
		return;
	}
	flush_or_end(client);
}

static void on_open_socket(struct client *client, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP) ||
	    client_stream_pending(&client->stream))
		on_readable(client);
	else if (events & EPOLLOUT)
		flush_or_end(client);
}

static void stream_open(struct client *client)
{
	int r = loop_add(client->loop, &client->source, client->stream.fd,
			 EPOLLIN, on_socket);

	if (r) {
		client->source.fd = -1;
		end_with(client, r);
		return;
	}
	client->state = OPEN;
	r = client_protocol_open(client->protocol, loop_now(client->loop));
	if (r)
		end_with(client, r);
	else
		flush_or_end(client);
}

/* Begin to connect, or go on. */
static void connect_on(struct client *client)
{
	int r;

	/* The stream may close this descriptor and get another of its number. */
	unwatch(client);
	r = client_stream_step(&client->stream);
	if (r == 0) {
		stream_open(client);
		return;
	}
	if (r == -EAGAIN) {
		r = loop_add(client->loop, &client->source, client->stream.fd,
			     client->stream.events, on_socket);
		if (r == 0)
			return;
		client->source.fd = -1;
	}
	end_with(client, r);
}

static void on_socket(struct loop_source *source, uint32_t events)
{
	struct client *client = client_of_source(source);

	if (client->state == OPEN)
		on_open_socket(client, events);
	else
		connect_on(client);
}

/* One deadline for all steps: who is slow on purpose gains nothing. */
static void connect_now(struct client *client)
{
	client->state = CONNECTING;
	loop_timer_set(client->loop, &client->timer, CLIENT_CONNECT_MS);
	connect_on(client);
}

static void on_timer(struct loop_timer *timer)
{
	struct client *client = client_of_timer(timer);

	switch (client->state) {
	case IDLE:
		return;
	case WAITING:
		connect_now(client);
		return;
	case CONNECTING:
		end_with(client, -ETIMEDOUT);
		return;
	case OPEN:
		/* We may be late ourselves: what has come counts. */
		on_readable(client);
		if (client->state != OPEN)
			return;
		if (client_protocol_tick(client->protocol,
					 loop_now(client->loop)))
			end_with(client, -ETIMEDOUT);
		else
			flush_or_end(client);
		return;
	}
}

void client_start(struct client *client)
{
	if (client->state != IDLE)
		return;
	client->retry_ms = client->retry_min_ms;
	client->state = WAITING;
	loop_timer_set(client->loop, &client->timer, 0);
}

void client_stop(struct client *client)
{
	if (client->state == OPEN) {
		client->stopping = true;
		client_protocol_finish(client->protocol);
		/* The goodbye may be in the output, or sent: look again soon. */
		flush_from_caller(client);
		if (client_protocol_finished(client->protocol))
			loop_timer_set(client->loop, &client->timer, 0);
		return;
	}
	close_stream(client);
	client_protocol_close(client->protocol);
	become_idle(client);
}

bool client_connected(const struct client *client)
{
	return client_protocol_connected(client->protocol);
}

void client_set_patience(struct client *client, uint64_t ms)
{
	if (ms && ms < CLIENT_PATIENCE_MIN_MS)
		ms = CLIENT_PATIENCE_MIN_MS;
	client_protocol_set_patience(client->protocol, ms);
	if (client->state == OPEN)
		set_timer(client);
}

uint64_t client_heard(const struct client *client)
{
	uint64_t heard = client_protocol_heard(client->protocol);

	return client->ended > heard ? client->ended : heard;
}

size_t client_pending(const struct client *client)
{
	return client_protocol_pending(client->protocol);
}

int client_publish(struct client *client, struct slice topic,
		   struct slice payload, uint8_t qos, bool retain,
		   uint64_t token)
{
	int r = client_protocol_publish(client->protocol, topic, payload, qos,
					retain, token);

	if (!r)
		flush_from_caller(client);
	return r;
}

int client_subscribe(struct client *client, const char *filter, uint8_t qos)
{
	int r = client_protocol_subscribe(client->protocol, filter, qos);

	if (!r)
		flush_from_caller(client);
	return r;
}
