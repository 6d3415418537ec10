#include "tests/fuzz/actor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/peer/connection.h"
#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"

/* Identifiers of SUBSCRIBE begin behind those of messages, and name the filter. */
#define SUBSCRIBE_IDS 1024

#define WILL_MARK 'w'

/* Bytes on their way (as the kernel counts them: some hundred for each packet) past
 * which a client waits, as a real one would, for the broker to read on. Half of
 * what a socket holds. */
#define CROWD 100000

void actor_init(struct actor *a, unsigned int number, struct ledger *ledger)
{
	memset(a, 0, sizeof(*a));
	a->ledger = ledger;
	a->number = number;
	a->version = number == 2 ? MQTT_3_1_1 : MQTT_5_0;
	a->fd = -1;
}

/* The broker has stopped reading: it waits for others. */
static bool crowded(const struct actor *a)
{
	int unread = 0;

	assert(ioctl(a->fd, TIOCOUTQ, &unread) == 0);
	return unread > CROWD;
}

static void say(struct actor *a, const struct writer *w)
{
	assert(!w->overflow);
	assert(send(a->fd, w->data, w->len, MSG_NOSIGNAL) == (ssize_t)w->len ||
	       errno == EPIPE || errno == ECONNRESET);
}

static void hang_up(struct actor *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->connected = false;
	a->len = 0;
	a->ack_count = 0;
	memset(a->asking, 0, sizeof(a->asking));
	memset(a->given_up, 0, sizeof(a->given_up));
}

static void forget_session(struct actor *a)
{
	ledger_session_gone(a->ledger, a->number);
	memset(a->started, 0, sizeof(a->started));
	a->certain = false;
}

/* What a session without expiry and a will are worth now. */
static void lost(struct actor *a, uint64_t now, bool will)
{
	const uint16_t n = a->connections;

	if (a->fd >= 0 && a->options.will && will) {
		a->ledger->wills[a->number][n].may_come = true;
		a->ledger->wills[a->number][n].due =
			now + a->options.will_delay;
	}
	hang_up(a);
	if (!a->options.durable)
		forget_session(a);
}

void actor_vanish(struct actor *a, uint64_t now)
{
	lost(a, now, true);
}

/* A session that goes on cancels the wills that still wait [MQTT-3.1.3-9]. */
static void cancel_wills(struct actor *a, uint64_t now)
{
	for (uint16_t i = 0; i <= a->connections; i++) {
		if (a->ledger->wills[a->number][i].due > now)
			a->ledger->wills[a->number][i].may_come = false;
	}
}

static void open_socket(struct actor *a, struct broker *broker)
{
	const int size = ACTOR_BYTES;
	struct connection_options options = { .address = "fuzz" };
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  0, ends) == 0);
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	options.fd = ends[0];
	a->fd = ends[1];
	assert(connection_new(broker, &options));
}

void actor_connect(struct actor *a, struct broker *broker, uint64_t now,
		   const struct actor_options *options)
{
	static const char *const ids[LEDGER_ACTORS] = { "a", "b", "c", "d" };
	const bool will = options->will && a->connections + 1 < LEDGER_WILLS;
	uint8_t payload[3], bytes[256];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_connect packet = {
		.version = a->version,
		.client_id = slice_str(ids[a->number]),
		.clean_start = options->clean_start,
		.has_will = will,
		.will = { .topic = slice_str("w"),
			  .payload = slice_of(payload, sizeof(payload)),
			  .qos = 1 },
	};

	if (a->fd >= 0)
		lost(a, now, true);
	a->connections += will;
	payload[0] = WILL_MARK;
	payload[1] = (uint8_t)(a->connections & 0xff);
	payload[2] = (uint8_t)(a->connections >> 8 | a->number << 4);
	packet.will.properties.will_delay_interval = options->will_delay;
	properties_set(&packet.will.properties, MQTT_PROP_WILL_DELAY_INTERVAL);
	packet.properties.session_expiry_interval =
		options->durable ? ACTOR_EXPIRY : 0;
	properties_set(&packet.properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	packet.properties.receive_maximum = options->receive_maximum;
	if (options->receive_maximum)
		properties_set(&packet.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	a->options = *options;
	a->options.will = will;
	if (a->version != MQTT_5_0) {
		/* A session is durable that does not begin clean. */
		a->options.durable = !options->clean_start;
		a->options.will_delay = 0;
	}
	if (options->clean_start)
		forget_session(a);
	a->certain = a->certain && a->options.durable;
	a->ledger->sessions[a->number].durable &= a->options.durable;
	open_socket(a, broker);
	connect_encode(&w, &packet);
	say(a, &w);
}

/* Whether the broker has taken the DISCONNECT: it has closed the connection. */
static bool farewell(struct actor *a, struct broker *broker)
{
	for (int i = 0; i < 4; i++) {
		ssize_t n;

		loop_turn(broker->loop, 0);
		do {
			n = recv(a->fd, a->in, sizeof(a->in), 0);
		} while (n > 0);
		if (n == 0)
			return true;
	}
	return false;
}

void actor_disconnect(struct actor *a, struct broker *broker, uint64_t now)
{
	const struct mqtt_reason_packet packet = { .reason = MQTT_SUCCESS };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!a->connected)
		return;
	disconnect_encode(&w, a->version, &packet);
	say(a, &w);
	lost(a, now, !farewell(a, broker));
}

void actor_subscribe(struct actor *a, unsigned int filter, uint8_t qos)
{
	const struct mqtt_subscription entry = {
		.filter = slice_str(ledger_filter(filter)),
		.qos = qos,
	};
	const struct mqtt_properties none = { 0 };
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!a->connected || crowded(a))
		return;
	ledger_ask(a->ledger, a->number, filter);
	a->asking[filter]++;
	subscribe_encode(&w, a->version, (uint16_t)(SUBSCRIBE_IDS + filter),
			 &none, &entry, 1);
	say(a, &w);
}

void actor_unsubscribe(struct actor *a, unsigned int filter)
{
	const struct slice name = slice_str(ledger_filter(filter));
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!a->connected || crowded(a))
		return;
	ledger_unsubscribe(a->ledger, a->number, filter);
	a->given_up[filter] = a->asking[filter];
	unsubscribe_encode(&w, a->version, 2 * SUBSCRIBE_IDS, &name, 1);
	say(a, &w);
}

void actor_publish(struct actor *a, unsigned int topic, uint8_t qos)
{
	uint8_t payload[4], bytes[128];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_publish packet = {
		.topic = slice_str(ledger_topic(topic)),
		.payload = slice_of(payload, sizeof(payload)),
		.qos = qos,
	};
	uint32_t number;

	if (!a->connected || crowded(a))
		return;
	number = ledger_publish(a->ledger, a->number, topic, qos);
	if (number == 0)
		return;
	memcpy(payload, &number, sizeof(number));
	packet.packet_id = qos ? (uint16_t)number : 0;
	publish_encode(&w, a->version, &packet);
	say(a, &w);
}

static void send_ack(struct actor *a, enum mqtt_packet_type type, uint16_t id)
{
	const struct mqtt_ack ack = { .packet_id = id };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ack_encode(&w, a->version, type, &ack);
	say(a, &w);
}

void actor_acknowledge(struct actor *a, size_t count)
{
	if (count > a->ack_count)
		count = a->ack_count;
	if (count > 0 && crowded(a))
		return;
	for (size_t i = 0; i < count; i++)
		send_ack(a, a->acks[i].type, a->acks[i].packet_id);
	a->ack_count -= count;
	memmove(a->acks, a->acks + count, a->ack_count * sizeof(a->acks[0]));
}

static void owe_ack(struct actor *a, enum mqtt_packet_type type, uint16_t id)
{
	assert(a->ack_count < ACTOR_ACKS);
	a->acks[a->ack_count].type = type;
	a->acks[a->ack_count++].packet_id = id;
}

static void take_connack(struct actor *a, struct slice body, uint64_t now)
{
	struct mqtt_connack connack;

	assert(connack_decode(a->version, body, &connack) == MQTT_SUCCESS);
	assert(connack.reason == MQTT_SUCCESS);
	assert(connack.session_present || !a->certain);
	assert(!connack.session_present || !a->options.clean_start);
	if (connack.session_present)
		cancel_wills(a, now);
	else
		forget_session(a);
	a->certain = a->options.durable;
	a->ledger->sessions[a->number].durable = a->options.durable;
	a->connected = true;
}

static void take_will(const struct actor *a, struct slice payload)
{
	unsigned int of, n;

	assert(payload.len == 3 && payload.data[0] == WILL_MARK);
	of = payload.data[2] >> 4;
	n = payload.data[1] | (payload.data[2] & 15u) << 8;
	assert(of < LEDGER_ACTORS && n < LEDGER_WILLS);
	assert(a->ledger->wills[of][n].may_come);
}

static void take_publish(struct actor *a, const struct frame *frame)
{
	struct mqtt_publish packet;
	uint32_t number;

	assert(publish_decode(a->version, frame->flags, frame->body, &packet) ==
	       MQTT_SUCCESS);
	if (packet.qos == 1)
		owe_ack(a, MQTT_PUBACK, packet.packet_id);
	if (packet.qos == 2) {
		owe_ack(a, MQTT_PUBREC, packet.packet_id);
		if (a->started[packet.packet_id])
			return;
		a->started[packet.packet_id] = true;
	}
	if (packet.payload.len != sizeof(number)) {
		take_will(a, packet.payload);
		return;
	}
	memcpy(&number, packet.payload.data, sizeof(number));
	ledger_received(a->ledger, a->number, number, packet.qos);
}

static void take_ack(struct actor *a, const struct frame *frame)
{
	struct mqtt_ack ack;

	assert(ack_decode(a->version, frame->type, frame->body, &ack) ==
	       MQTT_SUCCESS);
	if (frame->type == MQTT_PUBREL) {
		a->started[ack.packet_id] = false;
		owe_ack(a, MQTT_PUBCOMP, ack.packet_id);
		return;
	}
	if (frame->type == MQTT_PUBCOMP || ack.reason >= 0x80)
		return;
	ledger_acknowledged(a->ledger, ack.packet_id);
	if (frame->type == MQTT_PUBREC)
		owe_ack(a, MQTT_PUBREL, ack.packet_id);
}

static void take_suback(struct actor *a, struct slice body)
{
	struct mqtt_suback suback;
	unsigned int filter;

	assert(suback_decode(a->version, MQTT_SUBACK, body, &suback) ==
	       MQTT_SUCCESS);
	filter = suback.packet_id - SUBSCRIBE_IDS;
	a->asking[filter]--;
	if (a->given_up[filter] > 0)
		a->given_up[filter]--;
	else if (suback.reasons.data[0] == 1 || suback.reasons.data[0] == 2)
		ledger_subscribed(a->ledger, a->number, filter);
}

static void take(struct actor *a, const struct frame *frame, uint64_t now)
{
	switch ((int)frame->type) {
	case MQTT_CONNACK:
		take_connack(a, frame->body, now);
		break;
	case MQTT_PUBLISH:
		take_publish(a, frame);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		take_ack(a, frame);
		break;
	case MQTT_SUBACK:
		take_suback(a, frame->body);
		break;
	default:
		assert(frame->type == MQTT_UNSUBACK);
		break;
	}
}

bool actor_read(struct actor *a, uint64_t now)
{
	struct frame frame;
	size_t done = 0;
	ssize_t n;

	if (a->fd < 0)
		return false;
	n = recv(a->fd, a->in + a->len, sizeof(a->in) - a->len, 0);
	if (n <= 0) {
		/* Only this client and the power end a connection. */
		assert(n < 0 && errno == EAGAIN);
		return false;
	}
	a->len += (size_t)n;
	while (framing_next(a->in + done, a->len - done, sizeof(a->in),
			    &frame) > 0) {
		take(a, &frame, now);
		done += frame.size;
	}
	a->len -= done;
	memmove(a->in, a->in + done, a->len);
	return true;
}
