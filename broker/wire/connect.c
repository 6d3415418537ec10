#include "broker/wire/connect.h"

#include "broker/wire/topic.h"

/* Connect Flags (3.1.2.3). */
#define FLAG_RESERVED 0x01
#define FLAG_CLEAN_START 0x02
#define FLAG_WILL 0x04
#define FLAG_WILL_QOS 0x18
#define FLAG_WILL_QOS_SHIFT 3
#define FLAG_WILL_RETAIN 0x20
#define FLAG_PASSWORD 0x40
#define FLAG_USERNAME 0x80

/* Bridges of other brokers set it in the level, before 5.0 only. */
#define LEVEL_BRIDGE 0x80

static const char name_3_1[] = "MQIsdp";
static const char name_later[] = "MQTT";

static enum mqtt_reason take_protocol(struct reader *r,
				      struct mqtt_connect *out)
{
	struct slice name;
	uint8_t level;
	bool old;

	out->version = (enum mqtt_version)0;
	out->bridge = false;
	if (!reader_string(r, &name))
		return MQTT_MALFORMED_PACKET;
	old = slice_equal(name, slice_str(name_3_1));
	if (!old && !slice_equal(name, slice_str(name_later)))
		return MQTT_PROTOCOL_ERROR; /* [MQTT-3.1.2-1] */
	if (!reader_u8(r, &level))
		return MQTT_MALFORMED_PACKET;

	if (!old && level == MQTT_5_0) {
		out->version = MQTT_5_0;
		return MQTT_SUCCESS;
	}
	if ((level & ~LEVEL_BRIDGE) == (old ? MQTT_3_1 : MQTT_3_1_1)) {
		out->version = old ? MQTT_3_1 : MQTT_3_1_1;
		out->bridge = level & LEVEL_BRIDGE;
		return MQTT_SUCCESS;
	}
	out->version = level > MQTT_5_0 ? MQTT_5_0 : MQTT_3_1_1;
	return MQTT_UNSUPPORTED_PROTOCOL_VERSION;
}

static bool flags_valid(enum mqtt_version version, uint8_t flags)
{
	if ((flags & FLAG_WILL_QOS) == FLAG_WILL_QOS)
		return false; /* [MQTT-3.1.2-12] */
	if (version != MQTT_5_0 && (flags & FLAG_PASSWORD) &&
	    !(flags & FLAG_USERNAME))
		return false; /* 3.1.1: [MQTT-3.1.2-22] */
	if (version == MQTT_3_1)
		return true;
	if (flags & FLAG_RESERVED)
		return false; /* [MQTT-3.1.2-3] */
	return (flags & FLAG_WILL) ||
	       !(flags & (FLAG_WILL_QOS | FLAG_WILL_RETAIN));
}

static enum mqtt_reason will_topic_verdict(struct slice topic)
{
	if (topic.len == 0 || topic_has_wildcard(topic))
		return MQTT_MALFORMED_PACKET;
	return topic_name_valid(topic) ? MQTT_SUCCESS : MQTT_TOPIC_NAME_INVALID;
}

static enum mqtt_reason take_will(struct reader *r, uint8_t flags,
				  struct mqtt_connect *out)
{
	struct mqtt_will *will = &out->will;
	enum mqtt_reason reason;

	out->has_will = flags & FLAG_WILL;
	properties_clear(&will->properties);
	if (!out->has_will)
		return MQTT_SUCCESS;

	will->qos = (flags & FLAG_WILL_QOS) >> FLAG_WILL_QOS_SHIFT;
	will->retain = flags & FLAG_WILL_RETAIN;
	if (out->version == MQTT_5_0) {
		reason = properties_decode(r, MQTT_WILL_PROPERTIES,
					   &will->properties);
		if (reason != MQTT_SUCCESS)
			return reason;
	}
	if (!reader_string(r, &will->topic) ||
	    !reader_binary(r, &will->payload))
		return MQTT_MALFORMED_PACKET;
	return will_topic_verdict(will->topic);
}

static bool take_login(struct reader *r, uint8_t flags,
		       struct mqtt_connect *out)
{
	/* 3.1, "User name flag": the length takes precedence over the flags. */
	bool lenient = out->version == MQTT_3_1;

	out->has_username = flags & FLAG_USERNAME;
	out->has_password = flags & FLAG_PASSWORD;
	if (lenient && reader_left(r) == 0)
		out->has_username = false;
	if (out->has_username && !reader_string(r, &out->username))
		return false;
	if (lenient && reader_left(r) == 0)
		out->has_password = false;
	return !out->has_password || reader_binary(r, &out->password);
}

enum mqtt_reason connect_decode(struct slice body, struct mqtt_connect *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason reason;
	uint8_t flags;

	reason = take_protocol(&r, out);
	if (reason != MQTT_SUCCESS)
		return reason;
	if (!reader_u8(&r, &flags) || !flags_valid(out->version, flags) ||
	    !reader_u16(&r, &out->keep_alive))
		return MQTT_MALFORMED_PACKET;
	out->clean_start = flags & FLAG_CLEAN_START;

	properties_clear(&out->properties);
	if (out->version == MQTT_5_0) {
		reason = properties_decode(&r, MQTT_CONNECT, &out->properties);
		if (reason != MQTT_SUCCESS)
			return reason;
	}
	if (!reader_string(&r, &out->client_id))
		return MQTT_MALFORMED_PACKET;
	reason = take_will(&r, flags, out);
	if (reason != MQTT_SUCCESS)
		return reason;
	if (!take_login(&r, flags, out) || reader_left(&r) > 0)
		return MQTT_MALFORMED_PACKET;
	return MQTT_SUCCESS;
}

static uint8_t connect_flags(const struct mqtt_connect *packet)
{
	unsigned int flags = 0;

	if (packet->clean_start)
		flags |= FLAG_CLEAN_START;
	if (packet->has_will) {
		flags |= FLAG_WILL;
		flags |= (unsigned int)packet->will.qos << FLAG_WILL_QOS_SHIFT;
		if (packet->will.retain)
			flags |= FLAG_WILL_RETAIN;
	}
	if (packet->has_username)
		flags |= FLAG_USERNAME;
	if (packet->has_password)
		flags |= FLAG_PASSWORD;
	return (uint8_t)flags;
}

static size_t connect_remaining(const struct mqtt_connect *packet,
				struct slice name)
{
	bool with_properties = packet->version == MQTT_5_0;
	size_t size = 2 + name.len + 4 + 2 + packet->client_id.len;

	if (with_properties)
		size += properties_size(&packet->properties);
	if (packet->has_will) {
		size += 2 + packet->will.topic.len;
		size += 2 + packet->will.payload.len;
		if (with_properties)
			size += properties_size(&packet->will.properties);
	}
	if (packet->has_username)
		size += 2 + packet->username.len;
	if (packet->has_password)
		size += 2 + packet->password.len;
	return size;
}

void connect_encode(struct writer *w, const struct mqtt_connect *packet)
{
	bool with_properties = packet->version == MQTT_5_0;
	struct slice name;
	unsigned int level = packet->version;

	name = slice_str(packet->version == MQTT_3_1 ? name_3_1 : name_later);
	if (packet->bridge)
		level |= LEVEL_BRIDGE;

	writer_header(w, MQTT_CONNECT << 4, connect_remaining(packet, name));
	writer_string(w, name);
	writer_u8(w, (uint8_t)level);
	writer_u8(w, connect_flags(packet));
	writer_u16(w, packet->keep_alive);
	if (with_properties)
		properties_encode(w, &packet->properties);
	writer_string(w, packet->client_id);
	if (packet->has_will) {
		if (with_properties)
			properties_encode(w, &packet->will.properties);
		writer_string(w, packet->will.topic);
		writer_string(w, packet->will.payload);
	}
	if (packet->has_username)
		writer_string(w, packet->username);
	if (packet->has_password)
		writer_string(w, packet->password);
}

void ping_encode(struct writer *w, enum mqtt_packet_type type)
{
	writer_header(w, (uint8_t)(type << 4), 0);
}
