#include "broker/wire/properties.h"

#include <assert.h>

#include "broker/wire/topic.h"

enum kind {
	KIND_NONE, /* no such property */
	KIND_BYTE, /* every one of them is 0 or 1 */
	KIND_U16,
	KIND_U32,
	KIND_VARINT,
	KIND_STRING,
	KIND_BINARY,
	KIND_PAIR,
};

/* Packets by bit; bit 0 is a will. */
#define IN(type) (1u << (type))
#define WILL IN(MQTT_WILL_PROPERTIES)
#define CONNECT IN(MQTT_CONNECT)
#define CONNACK IN(MQTT_CONNACK)
#define PUBLISH IN(MQTT_PUBLISH)
#define SUBSCRIBE IN(MQTT_SUBSCRIBE)
#define DISCONNECT IN(MQTT_DISCONNECT)
#define AUTH IN(MQTT_AUTH)
#define ANSWERS                                                                \
	(CONNACK | IN(MQTT_PUBACK) | IN(MQTT_PUBREC) | IN(MQTT_PUBREL) |       \
	 IN(MQTT_PUBCOMP) | IN(MQTT_SUBACK) | IN(MQTT_UNSUBACK) | DISCONNECT | \
	 AUTH)
#define ALL \
	(WILL | CONNECT | PUBLISH | SUBSCRIBE | IN(MQTT_UNSUBSCRIBE) | ANSWERS)

struct rule {
	uint8_t kind;
	bool not_zero;
	uint16_t packets;
	uint16_t offset; /* of the value in struct mqtt_properties */
};

#define RULE(kind, packets, field)                              \
	{                                                       \
		KIND_##kind, false, packets,                    \
			offsetof(struct mqtt_properties, field) \
	}
#define RULE_NOT_ZERO(kind, packets, field)                     \
	{                                                       \
		KIND_##kind, true, packets,                     \
			offsetof(struct mqtt_properties, field) \
	}

/* Table 2-4 by identifier. */
static const struct rule rules[] = {
	[0x01] = RULE(BYTE, PUBLISH | WILL, payload_format_indicator),
	[0x02] = RULE(U32, PUBLISH | WILL, message_expiry_interval),
	[0x03] = RULE(STRING, PUBLISH | WILL, content_type),
	[0x08] = RULE(STRING, PUBLISH | WILL, response_topic),
	[0x09] = RULE(BINARY, PUBLISH | WILL, correlation_data),
	[0x0b] = RULE_NOT_ZERO(VARINT, PUBLISH | SUBSCRIBE, subscription_ids),
	[0x11] = RULE(U32, CONNECT | CONNACK | DISCONNECT,
		      session_expiry_interval),
	[0x12] = RULE(STRING, CONNACK, assigned_client_identifier),
	[0x13] = RULE(U16, CONNACK, server_keep_alive),
	[0x15] = RULE(STRING, CONNECT | CONNACK | AUTH, authentication_method),
	[0x16] = RULE(BINARY, CONNECT | CONNACK | AUTH, authentication_data),
	[0x17] = RULE(BYTE, CONNECT, request_problem_information),
	[0x18] = RULE(U32, WILL, will_delay_interval),
	[0x19] = RULE(BYTE, CONNECT, request_response_information),
	[0x1a] = RULE(STRING, CONNACK, response_information),
	[0x1c] = RULE(STRING, CONNACK | DISCONNECT, server_reference),
	[0x1f] = RULE(STRING, ANSWERS, reason_string),
	[0x21] = RULE_NOT_ZERO(U16, CONNECT | CONNACK, receive_maximum),
	[0x22] = RULE(U16, CONNECT | CONNACK, topic_alias_maximum),
	[0x23] = RULE_NOT_ZERO(U16, PUBLISH, topic_alias),
	[0x24] = RULE(BYTE, CONNACK, maximum_qos),
	[0x25] = RULE(BYTE, CONNACK, retain_available),
	[0x26] = { KIND_PAIR, false, ALL, 0 },
	[0x27] = RULE_NOT_ZERO(U32, CONNECT | CONNACK, maximum_packet_size),
	[0x28] = RULE(BYTE, CONNACK, wildcard_subscription_available),
	[0x29] = RULE(BYTE, CONNACK, subscription_identifier_available),
	[0x2a] = RULE(BYTE, CONNACK, shared_subscription_available),
};

#define RULES (sizeof(rules) / sizeof(rules[0]))
#define BIT(id) (UINT64_C(1) << (id))

/* Those that concern one hop and stay behind when a message goes on. */
#define ONE_HOP                                   \
	(BIT(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL) | \
	 BIT(MQTT_PROP_SUBSCRIPTION_IDENTIFIER) | \
	 BIT(MQTT_PROP_WILL_DELAY_INTERVAL) | BIT(MQTT_PROP_TOPIC_ALIAS))

static void *field_of(struct mqtt_properties *p, const struct rule *rule)
{
	return (char *)p + rule->offset;
}

static const void *value_of(const struct mqtt_properties *p,
			    const struct rule *rule)
{
	return (const char *)p + rule->offset;
}

/* The identifier at the front, if it is that of a property. */
static const struct rule *take_rule(struct reader *r, uint32_t *id)
{
	if (!reader_varint(r, id) || *id >= RULES ||
	    rules[*id].kind == KIND_NONE)
		return NULL;
	return &rules[*id];
}

static enum mqtt_reason zero_refused(uint32_t id)
{
	/* A value of 0 has a reason of its own only here (3.14.2.1). */
	return id == MQTT_PROP_TOPIC_ALIAS ? MQTT_TOPIC_ALIAS_INVALID
					   : MQTT_PROTOCOL_ERROR;
}

static enum mqtt_reason take_byte(struct reader *r, uint8_t *out)
{
	if (!reader_u8(r, out))
		return MQTT_MALFORMED_PACKET;
	return *out <= 1 ? MQTT_SUCCESS : MQTT_PROTOCOL_ERROR;
}

static enum mqtt_reason take_subscription_id(struct reader *r,
					     struct mqtt_properties *out)
{
	uint32_t value;

	if (!properties_has(out, MQTT_PROP_SUBSCRIPTION_IDENTIFIER))
		out->subscription_id_count = 0;
	if (!reader_varint(r, &value) ||
	    out->subscription_id_count == PROPERTIES_SUBSCRIPTION_IDS_MAX)
		return MQTT_MALFORMED_PACKET;
	out->subscription_ids[out->subscription_id_count++] = value;
	return value > 0 ? MQTT_SUCCESS : MQTT_PROTOCOL_ERROR;
}

static enum mqtt_reason take_string(struct reader *r, uint32_t id,
				    struct slice *out)
{
	if (!reader_string(r, out))
		return MQTT_MALFORMED_PACKET;
	/* A Topic Name it must be [MQTT-3.3.2-14]; how deep is not our affair,
	 * as nothing is routed by it here. */
	if (id == MQTT_PROP_RESPONSE_TOPIC &&
	    (out->len == 0 || topic_has_wildcard(*out)))
		return MQTT_PROTOCOL_ERROR;
	return MQTT_SUCCESS;
}

static enum mqtt_reason take_pair(struct reader *r)
{
	struct slice name, value;

	if (!reader_string(r, &name) || !reader_string(r, &value))
		return MQTT_MALFORMED_PACKET;
	return MQTT_SUCCESS;
}

static enum mqtt_reason take_value(struct reader *r, uint32_t id,
				   const struct rule *rule,
				   struct mqtt_properties *out)
{
	void *field = field_of(out, rule);
	uint16_t *u16 = field;
	uint32_t *u32 = field;

	switch ((enum kind)rule->kind) {
	case KIND_BYTE:
		return take_byte(r, field);
	case KIND_U16:
		if (!reader_u16(r, u16))
			return MQTT_MALFORMED_PACKET;
		return rule->not_zero && *u16 == 0 ? zero_refused(id)
						   : MQTT_SUCCESS;
	case KIND_U32:
		if (!reader_u32(r, u32))
			return MQTT_MALFORMED_PACKET;
		return rule->not_zero && *u32 == 0 ? zero_refused(id)
						   : MQTT_SUCCESS;
	case KIND_VARINT:
		return take_subscription_id(r, out);
	case KIND_STRING:
		return take_string(r, id, field);
	case KIND_BINARY:
		return reader_binary(r, field) ? MQTT_SUCCESS
					       : MQTT_MALFORMED_PACKET;
	case KIND_PAIR:
		return take_pair(r);
	case KIND_NONE:
		break;
	}
	return MQTT_MALFORMED_PACKET;
}

static bool may_repeat(uint32_t id, enum mqtt_packet_type packet)
{
	return id == MQTT_PROP_USER_PROPERTY ||
	       (id == MQTT_PROP_SUBSCRIPTION_IDENTIFIER &&
		packet == MQTT_PUBLISH);
}

static enum mqtt_reason take_property(struct reader *r,
				      enum mqtt_packet_type packet,
				      struct mqtt_properties *out)
{
	const struct rule *rule;
	enum mqtt_reason reason;
	uint32_t id;

	rule = take_rule(r, &id);
	if (!rule || !(rule->packets & IN(packet)))
		return MQTT_MALFORMED_PACKET;
	if ((out->present & BIT(id)) && !may_repeat(id, packet))
		return MQTT_PROTOCOL_ERROR;
	reason = take_value(r, id, rule, out);
	if (reason == MQTT_SUCCESS)
		out->present |= BIT(id);
	return reason;
}

enum mqtt_reason properties_decode(struct reader *r,
				   enum mqtt_packet_type packet,
				   struct mqtt_properties *out)
{
	enum mqtt_reason reason;
	struct reader inner;
	uint32_t len;

	properties_clear(out);
	if (!reader_varint(r, &len) || !reader_bytes(r, len, &out->raw))
		return MQTT_MALFORMED_PACKET;
	if (len == 0)
		return MQTT_SUCCESS;

	inner = reader_of(out->raw);
	while (reader_left(&inner) > 0) {
		reason = take_property(&inner, packet, out);
		if (reason != MQTT_SUCCESS)
			return reason;
	}

	if (properties_has(out, MQTT_PROP_AUTHENTICATION_DATA) &&
	    !properties_has(out, MQTT_PROP_AUTHENTICATION_METHOD))
		return MQTT_PROTOCOL_ERROR; /* 3.1.2.11.10 */
	return MQTT_SUCCESS;
}

static size_t subscription_ids_size(const struct mqtt_properties *p)
{
	size_t size = 0;
	size_t i;

	for (i = 0; i < p->subscription_id_count; i++)
		size += 1 + varint_size(p->subscription_ids[i]);
	return size;
}

/* Identifier included; every identifier is one byte. */
static size_t value_size(const struct mqtt_properties *p, unsigned int id)
{
	const struct slice *text = value_of(p, &rules[id]);

	switch ((enum kind)rules[id].kind) {
	case KIND_BYTE:
		return 2;
	case KIND_U16:
		return 3;
	case KIND_U32:
		return 5;
	case KIND_VARINT:
		return subscription_ids_size(p);
	case KIND_STRING:
	case KIND_BINARY:
		return 3 + text->len;
	case KIND_PAIR:
	case KIND_NONE:
		break;
	}
	return 0;
}

/* The lowest identifier in *bits, which it is taken out of. */
static unsigned int next_id(uint64_t *bits)
{
	unsigned int id = (unsigned int)__builtin_ctzll(*bits);

	*bits &= *bits - 1;
	assert(id < RULES && rules[id].kind != KIND_NONE);
	return id;
}

static size_t size_without_length(const struct mqtt_properties *p)
{
	uint64_t bits = p->present & ~BIT(MQTT_PROP_USER_PROPERTY);
	size_t size = p->user_encoded.len;

	while (bits)
		size += value_size(p, next_id(&bits));
	return size;
}

size_t properties_size(const struct mqtt_properties *p)
{
	size_t size = size_without_length(p);

	return varint_size((uint32_t)size) + size;
}

static void put_subscription_ids(struct writer *w,
				 const struct mqtt_properties *p)
{
	size_t i;

	for (i = 0; i < p->subscription_id_count; i++) {
		writer_u8(w, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
		writer_varint(w, p->subscription_ids[i]);
	}
}

static void put_value(struct writer *w, const struct mqtt_properties *p,
		      unsigned int id)
{
	const void *value = value_of(p, &rules[id]);
	const struct slice *text = value;
	const uint8_t *byte = value;
	const uint16_t *u16 = value;
	const uint32_t *u32 = value;
	enum kind kind = (enum kind)rules[id].kind;

	if (kind != KIND_VARINT)
		writer_u8(w, (uint8_t)id);
	switch (kind) {
	case KIND_BYTE:
		writer_u8(w, *byte);
		break;
	case KIND_U16:
		writer_u16(w, *u16);
		break;
	case KIND_U32:
		writer_u32(w, *u32);
		break;
	case KIND_VARINT:
		put_subscription_ids(w, p);
		break;
	case KIND_STRING:
	case KIND_BINARY:
		writer_string(w, *text);
		break;
	case KIND_PAIR:
	case KIND_NONE:
		break;
	}
}

void properties_encode(struct writer *w, const struct mqtt_properties *p)
{
	uint64_t bits = p->present & ~BIT(MQTT_PROP_USER_PROPERTY);
	size_t size = size_without_length(p);

	if (size > MQTT_REMAINING_LENGTH_MAX) {
		w->overflow = true;
		return;
	}
	writer_varint(w, (uint32_t)size);
	while (bits)
		put_value(w, p, next_id(&bits));
	writer_bytes(w, p->user_encoded);
}

/* Pass over one value; its text was found in order before. */
static bool skip_value(struct reader *r, enum kind kind)
{
	struct slice bytes, second;
	uint32_t value;

	switch (kind) {
	case KIND_BYTE:
		return reader_bytes(r, 1, &bytes);
	case KIND_U16:
		return reader_bytes(r, 2, &bytes);
	case KIND_U32:
		return reader_bytes(r, 4, &bytes);
	case KIND_VARINT:
		return reader_varint(r, &value);
	case KIND_STRING:
	case KIND_BINARY:
		return reader_binary(r, &bytes);
	case KIND_PAIR:
		return reader_binary(r, &bytes) && reader_binary(r, &second);
	case KIND_NONE:
		break;
	}
	return false;
}

bool properties_next_user(struct slice raw, size_t *at, struct slice *name,
			  struct slice *value)
{
	const struct rule *rule;
	struct reader r;
	uint32_t id;

	if (raw.len == 0)
		return false;
	r = reader_of(slice_of(raw.data + *at, raw.len - *at));
	while ((rule = take_rule(&r, &id))) {
		bool found = rule->kind == KIND_PAIR;

		if (found ? !reader_binary(&r, name) ||
				    !reader_binary(&r, value)
			  : !skip_value(&r, (enum kind)rule->kind))
			return false;
		*at = (size_t)(r.at - raw.data);
		if (found)
			return true;
	}

	return false;
}

bool properties_content_type(struct slice raw, struct slice *value)
{
	struct reader r = reader_of(raw);
	const struct rule *rule;
	uint32_t id;

	while ((rule = take_rule(&r, &id))) {
		if (id == MQTT_PROP_CONTENT_TYPE)
			return reader_binary(&r, value);
		if (!skip_value(&r, (enum kind)rule->kind))
			return false;
	}
	return false;
}

size_t properties_forward(struct slice raw, uint8_t *out)
{
	struct reader r = reader_of(raw);
	const uint8_t *start = r.at;
	const struct rule *rule;
	size_t len = 0;
	uint32_t id;

	while ((rule = take_rule(&r, &id)) &&
	       skip_value(&r, (enum kind)rule->kind)) {
		size_t size = (size_t)(r.at - start);

		if (!(ONE_HOP & BIT(id))) {
			memcpy(out + len, start, size);
			len += size;
		}
		start = r.at;
	}

	return len;
}

bool properties_forward_is_raw(const struct mqtt_properties *p)
{
	return (p->present & ONE_HOP) == 0;
}
