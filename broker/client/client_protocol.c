#include "broker/client/client_protocol.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/base/buffer.h"
#include "broker/client/client_connect.h"
#include "broker/client/client_put.h"
#include "broker/client/client_queue.h"
#include "broker/client/client_subscriptions.h"
#include "broker/wire/subscribe.h"
#include "broker/wire/topic.h"
#include "broker/wire/utf8.h"

enum state {
	CLOSED,
	CONNECTING, /* CONNECT is in the output */
	CONNECTED,
	FINISHED, /* DISCONNECT is in the output */
};

struct client_protocol {
	const struct client_callbacks *callbacks;
	void *arg;
	enum mqtt_version version;
	uint16_t keep_alive_asked; /* seconds */
	uint64_t patience; /* 0: keep-alive is all there is */
	/* The CONNECT packet: the same bytes at every connection. */
	uint8_t *connect;
	size_t connect_len;

	enum state state;
	bool finish;
	enum mqtt_reason reason;
	struct client_server server;
	uint64_t opened;
	uint64_t last_sent;
	uint64_t last_received;
	uint64_t ping_sent; /* 0: none unanswered */

	struct buffer in; /* a torn packet */
	struct buffer out;
	uint16_t last_id;
	struct client_queue queue;
	struct client_subscriptions subscriptions;
};

int client_protocol_new(const struct client_options *options,
			const struct client_callbacks *callbacks, void *arg,
			struct client_protocol **out)
{
	struct client_protocol *p;
	int r;

	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	r = client_connect_make(options, &p->connect, &p->connect_len);
	if (r) {
		free(p);
		return r;
	}

	p->callbacks = callbacks;
	p->arg = arg;
	p->version = options->version;
	p->keep_alive_asked = options->keep_alive;
	buffer_init(&p->in, CLIENT_PACKET_SIZE);
	buffer_init(&p->out, CLIENT_OUTPUT_SIZE);
	client_queue_init(&p->queue);
	*out = p;
	return 0;
}

void client_protocol_free(struct client_protocol *p)
{
	if (!p)
		return;

	client_subscriptions_free(&p->subscriptions);
	client_queue_clear(&p->queue);
	buffer_free(&p->in);
	buffer_free(&p->out);
	free(p->connect);
	free(p);
}

int client_protocol_open(struct client_protocol *p, uint64_t now)
{
	int r;

	assert(p->state == CLOSED);

	r = buffer_append(&p->out, p->connect, p->connect_len);
	if (r)
		return r;
	p->state = CONNECTING;
	p->opened = now;
	p->last_sent = now;
	p->last_received = now;
	p->ping_sent = 0;
	p->reason = MQTT_SUCCESS;
	return 0;
}

void client_protocol_close(struct client_protocol *p)
{
	p->state = CLOSED;
	p->finish = false;
	buffer_free(&p->in);
	buffer_free(&p->out);
}

static bool id_in_use(struct client_protocol *p, uint16_t id)
{
	return client_subscriptions_find(&p->subscriptions, id) ||
	       client_queue_has_id(&p->queue, id);
}

/* At most CLIENT_INFLIGHT + CLIENT_SUBSCRIPTIONS are in use. */
static uint16_t next_id(struct client_protocol *p)
{
	do {
		p->last_id++;
	} while (p->last_id == 0 || id_in_use(p, p->last_id));
	return p->last_id;
}

static int put_subscribe(struct client_protocol *p,
			 struct client_subscription *s)
{
	uint16_t id = next_id(p);
	int r = client_put_subscribe(&p->out, p->version, id,
				     slice_str(s->filter), s->qos);

	if (r)
		return r;
	s->id = id;
	s->asked = CLIENT_ASKED;
	return 0;
}

static void tell_acknowledged(struct client_protocol *p, uint64_t token,
			      enum mqtt_reason reason)
{
	if (p->callbacks->acknowledged)
		p->callbacks->acknowledged(p->arg, token, reason);
}

static int put_queued(struct client_protocol *p, struct client_queued *entry)
{
	enum mqtt_reason verdict =
		client_server_verdict(&p->server, entry->len, 1, entry->retain);
	int r;

	if (verdict != MQTT_SUCCESS) {
		uint64_t token = entry->token;

		client_queue_remove(&p->queue, entry);
		tell_acknowledged(p, token, verdict);
		return 0;
	}

	r = buffer_reserve(&p->out, entry->len);
	if (r)
		return r;
	client_queue_sent(&p->queue, entry, entry->id ? entry->id : next_id(p));
	return buffer_append(&p->out, entry->bytes, entry->len);
}

static int pump_queue(struct client_protocol *p)
{
	size_t window = p->server.receive_maximum;

	if (window > CLIENT_INFLIGHT)
		window = CLIENT_INFLIGHT;
	while (p->queue.inflight < window) {
		struct client_queued *entry = client_queue_next(&p->queue);
		int r;

		if (!entry)
			return 0;
		r = put_queued(p, entry);
		if (r)
			return r;
	}
	return 0;
}

/*
 * Put into the output what may go there. What finds no room, or no memory, goes
 * when some of it has been sent, or something else wakes us.
 */
static void pump(struct client_protocol *p)
{
	struct client_subscription *wanted;

	if (p->state != CONNECTED)
		return;

	while ((wanted = client_subscriptions_next(&p->subscriptions)))
		if (put_subscribe(p, wanted))
			return;
	if (pump_queue(p))
		return;
	if (p->finish && p->queue.count == 0 &&
	    client_put_disconnect(&p->out, p->version, MQTT_SUCCESS) == 0)
		p->state = FINISHED;
}

/* Tell the server why, where the version can, and remember it. */
static int refuse(struct client_protocol *p, enum mqtt_reason reason)
{
	p->reason = reason;
	/* Without room or memory it is not told. */
	if (p->version == MQTT_5_0 && p->state == CONNECTED)
		(void)client_put_disconnect(&p->out, p->version, reason);
	return -EPROTO;
}

static int on_connack(struct client_protocol *p, struct slice body)
{
	struct mqtt_connack packet;
	enum mqtt_reason reason = connack_decode(p->version, body, &packet);

	if (reason != MQTT_SUCCESS)
		return refuse(p, reason);
	if (p->state != CONNECTING)
		return refuse(p, MQTT_PROTOCOL_ERROR);
	p->reason = packet.reason;
	if (packet.reason != MQTT_SUCCESS)
		return -ECONNREFUSED;

	if (p->version != MQTT_5_0)
		packet.properties.present = 0;
	client_server_learn(&p->server, &packet.properties,
			    p->keep_alive_asked);
	client_queue_rewind(&p->queue, packet.session_present);
	client_subscriptions_rewind(&p->subscriptions, packet.session_present);
	p->state = CONNECTED;
	p->callbacks->connected(p->arg, packet.session_present);
	return 0;
}

static int on_publish(struct client_protocol *p, const struct frame *frame)
{
	struct mqtt_publish packet;
	struct client_message message;
	enum mqtt_reason reason;

	reason = publish_decode(p->version, frame->flags, frame->body, &packet);
	if (reason != MQTT_SUCCESS)
		return refuse(p, reason);
	/* We never ask for more than QoS 1, nor allow aliases. */
	if (packet.qos > 1)
		return refuse(p, MQTT_QOS_NOT_SUPPORTED);
	if (properties_has(&packet.properties, MQTT_PROP_TOPIC_ALIAS))
		return refuse(p, MQTT_TOPIC_ALIAS_INVALID);

	message = (struct client_message){
		.topic = packet.topic,
		.payload = packet.payload,
		.qos = packet.qos,
		.retain = packet.retain,
		.dup = packet.dup,
		.properties = &packet.properties,
	};
	p->callbacks->message(p->arg, &message);
	return packet.qos == 1 ? client_put_puback(&p->out, p->version,
						   packet.packet_id)
			       : 0;
}

static int on_puback(struct client_protocol *p, struct slice body)
{
	struct mqtt_ack packet;
	enum mqtt_reason reason =
		ack_decode(p->version, MQTT_PUBACK, body, &packet);
	struct client_queued *entry;
	uint64_t token;

	if (reason != MQTT_SUCCESS)
		return refuse(p, reason);

	/* Of a message that is not ours any more: nothing waits for it. */
	entry = client_queue_find(&p->queue, packet.packet_id);
	if (!entry)
		return 0;
	token = entry->token;
	client_queue_remove(&p->queue, entry);
	tell_acknowledged(p, token, packet.reason);
	return 0;
}

static int on_suback(struct client_protocol *p, struct slice body)
{
	struct mqtt_suback packet;
	enum mqtt_reason reason =
		suback_decode(p->version, MQTT_SUBACK, body, &packet);
	struct client_subscription *s;

	if (reason != MQTT_SUCCESS)
		return refuse(p, reason);
	if (packet.reasons.len != 1)
		return refuse(p, MQTT_PROTOCOL_ERROR);

	s = client_subscriptions_find(&p->subscriptions, packet.packet_id);
	if (!s)
		return refuse(p, MQTT_PROTOCOL_ERROR);
	s->asked = CLIENT_ANSWERED;
	if (p->callbacks->subscribed)
		p->callbacks->subscribed(
			p->arg, slice_str(s->filter),
			(enum mqtt_reason)packet.reasons.data[0]);
	return 0;
}

static int on_disconnect(struct client_protocol *p, struct slice body)
{
	struct mqtt_reason_packet packet;
	enum mqtt_reason reason;

	if (p->version != MQTT_5_0)
		return refuse(p, MQTT_PROTOCOL_ERROR);
	reason = disconnect_decode(p->version, false, body, &packet);
	if (reason != MQTT_SUCCESS)
		return refuse(p, reason);
	p->reason = packet.reason;
	return -ECONNRESET;
}

static int on_frame(struct client_protocol *p, const struct frame *frame)
{
	if (p->state == CONNECTING && frame->type != MQTT_CONNACK)
		return refuse(p, MQTT_PROTOCOL_ERROR);

	switch (frame->type) {
	case MQTT_CONNACK:
		return on_connack(p, frame->body);
	case MQTT_PUBLISH:
		return on_publish(p, frame);
	case MQTT_PUBACK:
		return on_puback(p, frame->body);
	case MQTT_SUBACK:
		return on_suback(p, frame->body);
	case MQTT_PINGRESP:
		if (frame->body.len > 0)
			return refuse(p, MQTT_MALFORMED_PACKET);
		p->ping_sent = 0;
		return 0;
	case MQTT_DISCONNECT:
		return on_disconnect(p, frame->body);
	case MQTT_CONNECT:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
	case MQTT_UNSUBACK:
	case MQTT_PINGREQ:
	case MQTT_AUTH:
		return refuse(p, MQTT_PROTOCOL_ERROR);
	}
	return refuse(p, MQTT_MALFORMED_PACKET);
}

/* Handle whole packets at the front. Returns how many bytes they were. */
static int take_frames(struct client_protocol *p, const uint8_t *data,
		       size_t len, size_t *taken)
{
	*taken = 0;
	for (;;) {
		struct frame frame;
		int r = framing_next(data + *taken, len - *taken,
				     CLIENT_PACKET_SIZE, &frame);

		if (r == -EMSGSIZE) {
			(void)refuse(p, MQTT_PACKET_TOO_LARGE);
			return r;
		}
		if (r < 0)
			return refuse(p, MQTT_MALFORMED_PACKET);
		if (r == 0)
			return 0;
		r = on_frame(p, &frame);
		if (r)
			return r;
		*taken += frame.size;
	}
}

int client_protocol_input(struct client_protocol *p, const uint8_t *data,
			  size_t len, uint64_t now)
{
	size_t taken;
	int r;

	if (p->state == CLOSED)
		return -ENOTCONN;
	p->last_received = now;

	if (p->in.len == 0) {
		/* The usual case: whole packets, parsed where they are. */
		r = take_frames(p, data, len, &taken);
		if (!r && taken < len)
			r = buffer_append(&p->in, data + taken, len - taken);
	} else {
		r = buffer_append(&p->in, data, len);
		if (!r)
			r = take_frames(p, p->in.data, p->in.len, &taken);
		if (!r)
			buffer_consume(&p->in, taken);
	}
	if (!r)
		pump(p);
	return r;
}

enum mqtt_reason client_protocol_reason(const struct client_protocol *p)
{
	return p->reason;
}

struct slice client_protocol_output(const struct client_protocol *p)
{
	return slice_of(p->out.data, p->out.len);
}

void client_protocol_sent(struct client_protocol *p, size_t len, uint64_t now)
{
	buffer_consume(&p->out, len);
	p->last_sent = now;
	pump(p);
}

static uint64_t ping_due(const struct client_protocol *p)
{
	uint64_t quiet = p->last_sent < p->last_received ? p->last_sent
							 : p->last_received;

	/* A quarter is left for the way there. */
	return quiet + p->server.keep_alive_ms / 4 * 3;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The next ping, or the end of our patience with an unanswered one. */
static uint64_t next_when_connected(const struct client_protocol *p)
{
	uint64_t keep_alive = p->server.keep_alive_ms;
	uint64_t next = UINT64_MAX;

	if (keep_alive)
		next = p->ping_sent ? p->ping_sent + keep_alive : ping_due(p);
	if (!p->patience)
		return next;
	/* Two thirds are for the way there and back. */
	return earlier(next,
		       p->last_received +
			       (p->ping_sent ? p->patience : p->patience / 3));
}

int client_protocol_tick(struct client_protocol *p, uint64_t now)
{
	if (now < client_protocol_next(p))
		return 0;
	if (p->state != CONNECTED || p->ping_sent)
		return -ETIMEDOUT;

	/* Full output or no memory: the server has not read for long; then the
	 * answer will not come either. */
	(void)client_put_ping(&p->out);
	p->ping_sent = now;
	return 0;
}

uint64_t client_protocol_next(const struct client_protocol *p)
{
	switch (p->state) {
	case CLOSED:
		return UINT64_MAX;
	case CONNECTING:
		return p->opened + CLIENT_CONNECT_MS;
	case CONNECTED:
		return next_when_connected(p);
	case FINISHED:
		return p->last_sent + CLIENT_CONNECT_MS;
	}
	assert(false);
	return UINT64_MAX;
}

void client_protocol_set_patience(struct client_protocol *p, uint64_t ms)
{
	p->patience = ms;
}

uint64_t client_protocol_heard(const struct client_protocol *p)
{
	return p->last_received;
}

void client_protocol_finish(struct client_protocol *p)
{
	p->finish = true;
	pump(p);
}

bool client_protocol_finished(const struct client_protocol *p)
{
	return p->state == FINISHED;
}

bool client_protocol_connected(const struct client_protocol *p)
{
	return p->state == CONNECTED;
}

size_t client_protocol_pending(const struct client_protocol *p)
{
	return p->queue.count;
}

static int put_now(struct client_protocol *p, const struct mqtt_publish *packet)
{
	size_t size = publish_size(p->version, packet);

	if (p->state != CONNECTED)
		return -ENOTCONN;
	if (client_server_verdict(&p->server, size, 0, packet->retain) !=
	    MQTT_SUCCESS)
		return -EMSGSIZE;
	return client_put_publish(&p->out, p->version, packet);
}

int client_protocol_publish(struct client_protocol *p, struct slice topic,
			    struct slice payload, uint8_t qos, bool retain,
			    uint64_t token)
{
	struct mqtt_publish packet;
	int r;

	if (qos > 1 || topic.len > 65535 || !utf8_valid(topic) ||
	    !topic_name_valid(topic))
		return -EINVAL;
	if (payload.len > CLIENT_QUEUE_BYTES)
		return -EMSGSIZE;

	packet.topic = topic;
	packet.payload = payload;
	packet.qos = qos;
	packet.retain = retain;
	packet.dup = false;
	packet.packet_id = 0;
	packet.properties.user_encoded = slice_of(NULL, 0);
	properties_clear(&packet.properties);
	if (qos == 0)
		return put_now(p, &packet);
	r = client_queue_add(&p->queue, p->version, &packet, token);
	if (!r)
		pump(p);
	return r;
}

int client_protocol_subscribe(struct client_protocol *p, const char *filter,
			      uint8_t qos)
{
	int r = client_subscriptions_add(&p->subscriptions, filter, qos);

	if (!r)
		pump(p);
	return r;
}
