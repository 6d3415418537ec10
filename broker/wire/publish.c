#include "broker/wire/publish.h"

#include "broker/wire/topic.h"

#define FLAG_RETAIN 0x01
#define FLAG_QOS 0x06
#define FLAG_QOS_SHIFT 1
#define FLAG_DUP 0x08

static enum mqtt_reason topic_verdict(enum mqtt_version version,
				      const struct mqtt_publish *packet)
{
	if (packet->topic.len > 0)
		return topic_name_valid(packet->topic)
			       ? MQTT_SUCCESS
			       : MQTT_TOPIC_NAME_INVALID;
	if (version != MQTT_5_0)
		return MQTT_TOPIC_NAME_INVALID;
	return properties_has(&packet->properties, MQTT_PROP_TOPIC_ALIAS)
		       ? MQTT_SUCCESS
		       : MQTT_PROTOCOL_ERROR;
}

static bool read_topic(struct reader *r, struct slice known, struct slice *out)
{
	struct reader rest = *r;

	if (known.len == 0 || !reader_binary(&rest, out) ||
	    !slice_equal(*out, known))
		return reader_string(r, out);
	*r = rest;
	*out = known;
	return true;
}

enum mqtt_reason publish_decode(enum mqtt_version version, uint8_t flags,
				struct slice body, struct mqtt_publish *out)
{
	return publish_decode_known(version, flags, body, slice_of(NULL, 0),
				    out);
}

enum mqtt_reason publish_decode_known(enum mqtt_version version, uint8_t flags,
				      struct slice body, struct slice known,
				      struct mqtt_publish *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason reason;

	out->qos = (flags & FLAG_QOS) >> FLAG_QOS_SHIFT;
	out->dup = flags & FLAG_DUP;
	out->retain = flags & FLAG_RETAIN;
	out->packet_id = 0;
	if (out->qos == 3 || (out->dup && out->qos == 0))
		return MQTT_MALFORMED_PACKET; /* [MQTT-3.3.1-4, -2] */

	if (!read_topic(&r, known, &out->topic))
		return MQTT_MALFORMED_PACKET;
	if (out->qos > 0 &&
	    (!reader_u16(&r, &out->packet_id) || out->packet_id == 0))
		return MQTT_MALFORMED_PACKET;

	if (version == MQTT_5_0) {
		reason = properties_decode(&r, MQTT_PUBLISH, &out->properties);
		if (reason != MQTT_SUCCESS)
			return reason;
	} else {
		properties_clear(&out->properties);
	}
	out->payload = slice_of(r.at, reader_left(&r));
	if (known.len > 0 && out->topic.data == known.data)
		return MQTT_SUCCESS;
	return topic_verdict(version, out);
}

static size_t publish_remaining(enum mqtt_version version,
				const struct mqtt_publish *packet)
{
	size_t size = 2 + packet->topic.len + packet->payload.len;

	if (packet->qos > 0)
		size += 2;
	if (version == MQTT_5_0)
		size += properties_size(&packet->properties);
	return size;
}

void publish_encode(struct writer *w, enum mqtt_version version,
		    const struct mqtt_publish *packet)
{
	unsigned int first = MQTT_PUBLISH << 4;

	first |= (unsigned int)packet->qos << FLAG_QOS_SHIFT;
	if (packet->dup)
		first |= FLAG_DUP;
	if (packet->retain)
		first |= FLAG_RETAIN;

	writer_header(w, (uint8_t)first, publish_remaining(version, packet));
	writer_string(w, packet->topic);
	if (packet->qos > 0)
		writer_u16(w, packet->packet_id);
	if (version == MQTT_5_0)
		properties_encode(w, &packet->properties);
	writer_bytes(w, packet->payload);
}

size_t publish_size(enum mqtt_version version,
		    const struct mqtt_publish *packet)
{
	size_t remaining = publish_remaining(version, packet);

	return 1 + varint_size((uint32_t)remaining) + remaining;
}

/* [MQTT-3.4.2-1, 3.5.2-1, 3.6.2-1, 3.7.2-1] */
static bool ack_reason_valid(enum mqtt_packet_type type, uint8_t code)
{
	if (code == MQTT_SUCCESS)
		return true;
	if (type == MQTT_PUBREL || type == MQTT_PUBCOMP)
		return code == MQTT_PACKET_IDENTIFIER_NOT_FOUND;
	return code == MQTT_NO_MATCHING_SUBSCRIBERS ||
	       code == MQTT_UNSPECIFIED_ERROR ||
	       code == MQTT_IMPLEMENTATION_SPECIFIC_ERROR ||
	       code == MQTT_NOT_AUTHORIZED || code == MQTT_TOPIC_NAME_INVALID ||
	       code == MQTT_PACKET_IDENTIFIER_IN_USE ||
	       code == MQTT_QUOTA_EXCEEDED ||
	       code == MQTT_PAYLOAD_FORMAT_INVALID;
}

enum mqtt_reason ack_decode(enum mqtt_version version,
			    enum mqtt_packet_type type, struct slice body,
			    struct mqtt_ack *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason verdict;
	uint8_t code;

	out->reason = MQTT_SUCCESS;
	properties_clear(&out->properties);
	if (!reader_u16(&r, &out->packet_id) || out->packet_id == 0)
		return MQTT_MALFORMED_PACKET;
	if (reader_left(&r) == 0)
		return MQTT_SUCCESS;

	if (version != MQTT_5_0 || !reader_u8(&r, &code))
		return MQTT_MALFORMED_PACKET;
	if (reader_left(&r) > 0) {
		verdict = properties_decode(&r, type, &out->properties);
		if (verdict != MQTT_SUCCESS)
			return verdict;
		if (reader_left(&r) > 0)
			return MQTT_MALFORMED_PACKET;
	}
	out->reason = (enum mqtt_reason)code;
	return ack_reason_valid(type, code) ? MQTT_SUCCESS
					    : MQTT_PROTOCOL_ERROR;
}

void ack_encode(struct writer *w, enum mqtt_version version,
		enum mqtt_packet_type type, const struct mqtt_ack *packet)
{
	unsigned int first = (unsigned int)type << 4;
	size_t properties = 0;
	size_t remaining = 2;

	/* What may be left out is left out (3.4.2.1, 3.4.2.2.1). */
	if (version == MQTT_5_0) {
		properties = properties_size(&packet->properties);
		if (properties > 1)
			remaining = 3 + properties;
		else if (packet->reason != MQTT_SUCCESS)
			remaining = 3;
	}
	if (type == MQTT_PUBREL)
		first |= 0x2;
	writer_header(w, (uint8_t)first, remaining);
	writer_u16(w, packet->packet_id);
	if (remaining > 2)
		writer_u8(w, (uint8_t)packet->reason);
	if (remaining > 3)
		properties_encode(w, &packet->properties);
}
