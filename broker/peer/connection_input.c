#include "broker/peer/connection_input.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/protocol/protocol.h"

static void end_long_connect(struct connection *c)
{
	c->broker->long_connects -= c->long_connect;
	c->long_connect = false;
}

static bool reads(const struct connection *c)
{
	return !c->input_paused && c->state < CONNECTION_CLOSING;
}

void connection_update_events(struct connection *c)
{
	uint32_t events = EPOLLRDHUP;

	if (c->source.fd < 0)
		return;
	if (reads(c) || c->state == CONNECTION_LINGERING)
		events |= EPOLLIN;
	else
		events = 0; /* a hang-up alone would wake us for ever */
	if (c->output.len || transport_pending(&c->transport))
		events |= EPOLLOUT;
	if (c->source.events != events)
		loop_modify(c->broker->loop, &c->source, events);
}

void connection_pause(struct connection *c)
{
	c->input_paused = true;
	connection_update_events(c);
}

/* May these bytes of somebody unknown be kept until the rest comes? */
static bool may_keep(struct connection *c, size_t len)
{
	if (c->state >= CONNECTION_ACCEPTING || len <= LIMIT_CONNECT_USUAL ||
	    c->long_connect)
		return true;
	if (c->broker->long_connects >= LIMIT_CONNECTS_LONG)
		return false;
	c->broker->long_connects++;
	c->long_connect = true;
	return true;
}

static int keep_tail(struct connection *c, const uint8_t *data, size_t len)
{
	uint8_t *tail = realloc(c->tail, len);

	if (!tail)
		return -ENOMEM;
	memcpy(tail, data, len);
	c->tail = tail;
	c->tail_len = (uint32_t)len;
	return 0;
}

static void drop_tail(struct connection *c)
{
	free(c->tail);
	c->tail = NULL;
	c->tail_len = 0;
}

void connection_drop_input(struct connection *c)
{
	drop_tail(c);
	end_long_connect(c);
}

/* data lies in the broker's read buffer: the old tail and what came behind it. */
static void process(struct connection *c, const uint8_t *data, size_t len)
{
	size_t used = protocol_input(c, data, len);

	if (c->state >= CONNECTION_CLOSING)
		return;
	if (used > 0 || c->state >= CONNECTION_ACCEPTING)
		end_long_connect(c);
	if (used == len) {
		drop_tail(c);
		return;
	}
	/* Nothing was used and nothing came: the tail is still what it was. */
	if (used == 0 && len == c->tail_len)
		return;
	if (!may_keep(c, len - used)) {
		connection_close(c, MQTT_SERVER_BUSY,
				 "too many unknown peers have sent much");
		return;
	}
	if (keep_tail(c, data + used, len - used) < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
}

static void read_once(struct connection *c, struct slice raw, bool *more)
{
	struct broker *broker = c->broker;
	uint8_t *buffer = broker->read_buffer;
	size_t tail = c->tail_len;
	ssize_t n;

	if (tail)
		memcpy(buffer, c->tail, tail);
	n = transport_read(&c->transport, broker->pool, raw, buffer + tail,
			   broker->read_size - tail, more);
	if (transport_pending(&c->transport))
		connection_mark_dirty(c);
	if (n == -EAGAIN || n == -EINTR)
		return;
	c->peer_gone = n < 0;
	if (n == -EPIPE) {
		connection_close(c, MQTT_SUCCESS, "closed by the client");
		return;
	}
	if (n < 0) {
		connection_close(c, MQTT_SUCCESS,
				 n == -EPROTO ? "malformed transport"
					      : strerrordesc_np((int)-n));
		return;
	}
	broker->count.bytes_received += (size_t)n;
	if (n > 0)
		process(c, buffer, tail + (size_t)n);
}

static void read_all(struct connection *c)
{
	bool more = true;

	while (more && reads(c))
		read_once(c, slice_of(NULL, 0), &more);
}

/* What TLS has taken from the socket already will not make it readable again. */
static void read_held_back(struct connection *c)
{
	if (c->transport.ssl)
		read_all(c);
}

void connection_feed(struct connection *c, struct slice raw)
{
	bool more;

	if (raw.len > 0 && c->state < CONNECTION_CLOSING)
		read_once(c, raw, &more);
	read_held_back(c);
}

void connection_resume(struct connection *c)
{
	struct broker *broker = c->broker;
	size_t len = c->tail_len;

	list_remove(&c->paused);
	if (!c->input_paused || c->state >= CONNECTION_CLOSING)
		return;
	c->input_paused = false;
	if (len > 0) {
		memcpy(broker->read_buffer, c->tail, len);
		process(c, broker->read_buffer, len);
	}
	read_held_back(c);
	connection_update_events(c);
}

/* What a peer still sends after we have shut our side is thrown away. */
static void drain(struct connection *c)
{
	struct broker *broker = c->broker;
	ssize_t n = recv(c->source.fd, broker->read_buffer, LIMIT_READ, 0);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	connection_free(c);
}

void connection_on_event(struct loop_source *source, uint32_t events)
{
	struct connection *c = list_entry(source, struct connection, source);

	if (c->state == CONNECTION_LINGERING) {
		drain(c);
		return;
	}
	if (events & EPOLLOUT)
		connection_mark_dirty(c);
	if (!reads(c)) {
		if (events & (EPOLLHUP | EPOLLERR))
			connection_close(c, MQTT_SUCCESS, "connection reset");
		return;
	}
	read_all(c);
}
