#include "broker/routing/publish.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/admin/trace.h"
#include "broker/core.h"
#include "broker/peer/connection.h"
#include "broker/peer/mount.h"
#include "broker/protocol/alias_out.h"
#include "broker/wire/properties.h"

/* A template holds the whole packet when topic and properties are short and the
 * payload is one that is copied; only then is it worth keeping. */
#define TEMPLATE_HEAD_MAX 1024
#define TEMPLATE_SIZE (TEMPLATE_HEAD_MAX + OUTPUT_COPY_MAX + 32)
#define TEMPLATE_COUNT 18

/* Fixed header, topic length, packet identifier, property length, alias, expiry. */
#define HEAD_OVERHEAD (5 + 2 + 2 + 4 + 3 + 5)

/* serial is that of the publish it holds: sending one to a session may make it
 * send others in between. */
struct encoded {
	uint64_t serial;
	size_t len;
	size_t packet_id_at;
	size_t alias_at;
	bool with_payload;
	uint8_t bytes[TEMPLATE_SIZE];
};

struct publish_templates {
	uint64_t last_serial;
	struct encoded of[TEMPLATE_COUNT];
};

struct publish_templates *publish_templates_new(void)
{
	return calloc(1, sizeof(struct publish_templates));
}

size_t publish_encode_size(size_t max_packet)
{
	/* Up to 64 identifiers of five bytes each are added to a packet. */
	return max_packet + UINT16_MAX + HEAD_OVERHEAD + 5 * 64;
}

void publish_of_message(struct publish *p, struct message *message)
{
	*p = (struct publish){
		.topic = message_topic(message),
		.properties = message_properties(message),
		.payload = message_payload(message),
		.expires = message->expires,
		.origin = message->origin,
		.message = message_ref(message),
		.qos = message->qos,
		.retain = message->retain,
	};
}

void publish_done(struct publish *p)
{
	message_unref(p->message);
	p->message = NULL;
}

struct message *publish_message(struct broker *broker, struct publish *p)
{
	const struct message_parts parts = {
		.topic = p->topic,
		.properties = p->properties,
		.payload = p->payload,
		.qos = p->qos,
		.retain = p->retain,
		.expires = p->expires,
		.time = p->message ? 0 : loop_wall(broker->loop),
		.origin = p->origin,
	};

	if (p->message)
		return p->message;
	p->message = message_new(&parts);
	if (p->message)
		p->message->id = broker->next_message++;
	return p->message;
}

static size_t varint_len(size_t value)
{
	return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

static uint32_t expiry_left(const struct broker *broker,
			    const struct publish *p)
{
	uint64_t now = loop_now(broker->loop);

	return p->expires > now ? (uint32_t)((p->expires - now + 999) / 1000)
				: 0;
}

/* The packet as this client gets it. */
struct form {
	struct publish_options options; /* no identifiers before 5.0 */
	struct alias_choice alias; /* 0 before 5.0 */
	bool v5;
	bool own; /* nobody else gets it so: no template */
};

/* Where what differs from receiver to receiver stands in the head. */
struct places {
	size_t packet_id;
	size_t alias;
};

/* Everything before the payload. */
static struct places encode_head(const struct broker *broker,
				 const struct publish *p,
				 const struct form *form, struct writer *w)
{
	const struct publish_options *o = &form->options;
	const struct slice topic =
		form->alias.known ? slice_of(NULL, 0) : p->topic;
	size_t properties = p->properties.len + o->identifiers.len +
			    (form->alias.alias ? 3 : 0) +
			    (p->expires != MESSAGE_NO_EXPIRY ? 5 : 0);
	size_t remaining = 2 + topic.len + (o->qos ? 2 : 0) + p->payload.len;
	struct places at = { 0 };

	if (form->v5)
		remaining += varint_len(properties) + properties;

	writer_u8(w, (uint8_t)(MQTT_PUBLISH << 4 | o->dup << 3 | o->qos << 1 |
			       o->retain));
	writer_varint(w, (uint32_t)remaining);
	writer_string(w, topic);
	at.packet_id = w->len;
	if (o->qos)
		writer_u16(w, o->packet_id);
	if (form->v5) {
		writer_varint(w, (uint32_t)properties);
		at.alias = w->len + 1;
		if (form->alias.alias) {
			writer_u8(w, MQTT_PROP_TOPIC_ALIAS);
			writer_u16(w, form->alias.alias);
		}
		if (p->expires != MESSAGE_NO_EXPIRY) {
			writer_u8(w, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
			writer_u32(w, expiry_left(broker, p));
		}
		writer_bytes(w, o->identifiers);
		writer_bytes(w, p->properties);
	}
	return at;
}

static int finish(struct connection *c, const struct publish *p, int r)
{
	if (r < 0)
		return r;
	c->sent++;
	c->broker->count.payload_sent += p->payload.len;
	c->broker->count.messages_sent++;
	connection_mark_dirty(c);
	return 0;
}

static void patch(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The packet of this form, made at the first call for p. */
static struct encoded *template_of(struct broker *broker, struct publish *p,
				   const struct form *form)
{
	const struct publish_options *o = &form->options;
	const unsigned int first = !form->v5 ? 0 : form->alias.known ? 12 : 6;
	struct encoded *t =
		&broker->templates->of[first + o->qos * 2u + o->retain];

	if (!p->serial)
		p->serial = ++broker->templates->last_serial;
	if (t->serial != p->serial) {
		struct writer w = writer_of(t->bytes, sizeof(t->bytes));
		const struct places at = encode_head(broker, p, form, &w);

		t->packet_id_at = at.packet_id;
		t->alias_at = at.alias;
		t->with_payload = p->payload.len < OUTPUT_COPY_MAX;
		if (t->with_payload)
			writer_bytes(&w, p->payload);
		t->len = w.len;
		t->serial = p->serial;
		return t;
	}
	if (o->qos)
		patch(t->bytes + t->packet_id_at, o->packet_id);
	if (form->alias.known)
		patch(t->bytes + t->alias_at, form->alias.alias);
	return t;
}

static int send_template(struct broker *broker, struct connection *c,
			 struct publish *p, const struct form *form)
{
	const struct encoded *t;

	if (p->packet.len > 0 && form->v5 == p->packet_v5 &&
	    !form->alias.known) {
		assert(!form->options.qos && !form->options.retain);
		if (p->packet.len > c->max_packet)
			return -EMSGSIZE;
		return finish(c, p,
			      output_append(broker->pool, &c->output,
					    p->packet.data, p->packet.len));
	}
	t = template_of(broker, p, form);
	if (t->len + (t->with_payload ? 0 : p->payload.len) > c->max_packet)
		return -EMSGSIZE;
	if (t->with_payload)
		return finish(c, p,
			      output_append(broker->pool, &c->output, t->bytes,
					    t->len));
	if (!publish_message(broker, p))
		return -ENOMEM;
	return finish(c, p,
		      output_append_message(broker->pool, &c->output,
					    slice_of(t->bytes, t->len),
					    p->message,
					    message_payload(p->message)));
}

static int send_form(struct broker *broker, struct connection *c,
		     struct publish *p, const struct form *form)
{
	const bool teaches = form->alias.alias && !form->alias.known;
	struct writer w;

	if (!teaches && !form->own && !form->options.dup &&
	    !form->options.identifiers.len &&
	    p->topic.len + p->properties.len < TEMPLATE_HEAD_MAX)
		return send_template(broker, c, p, form);

	w = writer_of(broker->encode_buffer,
		      publish_encode_size(broker->options.max_packet_size));
	encode_head(broker, p, form, &w);
	if (w.overflow || w.len + p->payload.len > c->max_packet)
		return -EMSGSIZE;
	if (p->payload.len >= OUTPUT_COPY_MAX && !publish_message(broker, p))
		return -ENOMEM;
	return finish(
		c, p,
		output_append_message(broker->pool, &c->output,
				      slice_of(w.data, w.len), p->message,
				      p->message ? message_payload(p->message)
						 : p->payload));
}

/* To a client that allows aliases. One is set only by bytes that are on their
 * way, and never costs a message its place in a packet. */
static int send_aliased(struct broker *broker, struct connection *c,
			struct publish *p, struct form *form)
{
	int r;

	if (!c->aliases_out)
		c->aliases_out = alias_out_new(c->aliases_allowed);
	if (c->aliases_out)
		form->alias = alias_out_choose(c->aliases_out, p->topic);
	r = send_form(broker, c, p, form);
	if (!form->alias.alias || form->alias.known)
		return r;
	if (r == 0) {
		alias_out_learn(c->aliases_out, form->alias.alias, p->topic);
	} else if (r == -EMSGSIZE) {
		form->alias.alias = 0;
		r = send_form(broker, c, p, form);
	}
	return r;
}

static int send_to(struct broker *broker, struct connection *c,
		   struct publish *p, struct form *form)
{
	if (c->aliases_allowed && p->topic.len >= ALIAS_OUT_TOPIC_MIN)
		return send_aliased(broker, c, p, form);
	return send_form(broker, c, p, form);
}

/* To a client that does not see its mount point. */
static int send_mounted(struct broker *broker, struct connection *c,
			struct publish *p, struct form *form)
{
	struct publish seen;

	/* The message is everybody's, with its whole topic. */
	if (p->payload.len >= OUTPUT_COPY_MAX && !publish_message(broker, p))
		return -ENOMEM;
	seen = *p;
	seen.topic = mount_strip(c, p->topic);
	form->own = true;
	return send_to(broker, c, &seen, form);
}

static int send_one(struct broker *broker, struct connection *connection,
		    struct publish *p, const struct publish_options *o)
{
	struct form form = {
		.options = *o,
		.v5 = connection->version == MQTT_5_0,
	};

	if (!form.v5)
		form.options.identifiers = slice_of(NULL, 0);
	if (connection->mounted)
		return send_mounted(broker, connection, p, &form);
	return send_to(broker, connection, p, &form);
}

int publish_send(struct broker *broker, struct connection *connection,
		 struct publish *p, const struct publish_options *o)
{
	const int r = send_one(broker, connection, p, o);

	if (broker->trace && r == 0)
		trace_delivered(connection, p, o);
	return r;
}
