#include "broker/wire/subscribe.h"

#include "broker/wire/topic.h"

/* Subscription Options (3.8.3.1). */
#define OPTION_QOS 0x03
#define OPTION_NO_LOCAL 0x04
#define OPTION_RETAIN_AS_PUBLISHED 0x08
#define OPTION_RETAIN_HANDLING 0x30
#define OPTION_RETAIN_HANDLING_SHIFT 4
#define OPTION_RESERVED 0xc0

/* SUBSCRIBE and UNSUBSCRIBE carry it in their fixed header. */
#define REQUEST_FLAGS 0x2

static bool is_shared(struct slice filter)
{
	struct slice group, rest;

	return topic_split_share(filter, &group, &rest) != 0;
}

static enum mqtt_reason options_verdict(enum mqtt_version version,
					struct slice filter, uint8_t options)
{
	if (version != MQTT_5_0)
		return options <= 2 ? MQTT_SUCCESS : MQTT_MALFORMED_PACKET;
	if (options & OPTION_RESERVED)
		return MQTT_MALFORMED_PACKET; /* [MQTT-3.8.3-5] */
	if ((options & OPTION_QOS) == OPTION_QOS ||
	    (options & OPTION_RETAIN_HANDLING) == OPTION_RETAIN_HANDLING)
		return MQTT_PROTOCOL_ERROR;
	if ((options & OPTION_NO_LOCAL) && is_shared(filter))
		return MQTT_PROTOCOL_ERROR; /* [MQTT-3.8.3-4] */
	return MQTT_SUCCESS;
}

/* Packet identifier and properties, then at least one entry. */
static enum mqtt_reason take_head(struct reader *r, enum mqtt_version version,
				  enum mqtt_packet_type type,
				  struct mqtt_subscribe *out)
{
	enum mqtt_reason reason = MQTT_SUCCESS;

	out->count = 0;
	properties_clear(&out->properties);
	if (!reader_u16(r, &out->packet_id) || out->packet_id == 0)
		return MQTT_MALFORMED_PACKET;
	if (version == MQTT_5_0)
		reason = properties_decode(r, type, &out->properties);
	if (reason != MQTT_SUCCESS)
		return reason;
	out->entries = slice_of(r->at, reader_left(r));
	/* [MQTT-3.8.3-2, 3.10.3-2] */
	return out->entries.len > 0 ? MQTT_SUCCESS : MQTT_PROTOCOL_ERROR;
}

enum mqtt_reason subscribe_decode(enum mqtt_version version, struct slice body,
				  struct mqtt_subscribe *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason reason;

	reason = take_head(&r, version, MQTT_SUBSCRIBE, out);
	while (reason == MQTT_SUCCESS && reader_left(&r) > 0) {
		struct slice filter;
		uint8_t options;

		if (!reader_string(&r, &filter) || !reader_u8(&r, &options))
			return MQTT_MALFORMED_PACKET;
		reason = options_verdict(version, filter, options);
		out->count++;
	}
	return reason;
}

bool subscribe_next(enum mqtt_version version, struct slice *entries,
		    struct mqtt_subscription *out)
{
	struct reader r = reader_of(*entries);
	uint8_t options;

	if (!reader_binary(&r, &out->filter) || !reader_u8(&r, &options))
		return false;
	*entries = slice_of(r.at, reader_left(&r));
	out->qos = options & OPTION_QOS;
	if (version != MQTT_5_0)
		options = 0;
	out->no_local = options & OPTION_NO_LOCAL;
	out->retain_as_published = options & OPTION_RETAIN_AS_PUBLISHED;
	out->retain_handling = (options & OPTION_RETAIN_HANDLING) >>
			       OPTION_RETAIN_HANDLING_SHIFT;
	return true;
}

static uint8_t options_of(enum mqtt_version version,
			  const struct mqtt_subscription *entry)
{
	unsigned int options = entry->qos;

	if (version != MQTT_5_0)
		return entry->qos;
	if (entry->no_local)
		options |= OPTION_NO_LOCAL;
	if (entry->retain_as_published)
		options |= OPTION_RETAIN_AS_PUBLISHED;
	options |= (unsigned int)entry->retain_handling
		   << OPTION_RETAIN_HANDLING_SHIFT;
	return (uint8_t)options;
}

void subscribe_encode(struct writer *w, enum mqtt_version version,
		      uint16_t packet_id,
		      const struct mqtt_properties *properties,
		      const struct mqtt_subscription *entries, size_t count)
{
	size_t remaining = 2;
	size_t i;

	if (version == MQTT_5_0)
		remaining += properties_size(properties);
	for (i = 0; i < count; i++)
		remaining += 2 + entries[i].filter.len + 1;

	writer_header(w, MQTT_SUBSCRIBE << 4 | REQUEST_FLAGS, remaining);
	writer_u16(w, packet_id);
	if (version == MQTT_5_0)
		properties_encode(w, properties);
	for (i = 0; i < count; i++) {
		writer_string(w, entries[i].filter);
		writer_u8(w, options_of(version, &entries[i]));
	}
}

enum mqtt_reason unsubscribe_decode(enum mqtt_version version,
				    struct slice body,
				    struct mqtt_subscribe *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason reason;

	reason = take_head(&r, version, MQTT_UNSUBSCRIBE, out);
	while (reason == MQTT_SUCCESS && reader_left(&r) > 0) {
		struct slice filter;

		if (!reader_string(&r, &filter))
			return MQTT_MALFORMED_PACKET;
		out->count++;
	}
	return reason;
}

bool unsubscribe_next(struct slice *entries, struct slice *filter)
{
	struct reader r = reader_of(*entries);

	if (!reader_binary(&r, filter))
		return false;
	*entries = slice_of(r.at, reader_left(&r));
	return true;
}

void unsubscribe_encode(struct writer *w, enum mqtt_version version,
			uint16_t packet_id, const struct slice *filters,
			size_t count)
{
	size_t remaining = 2;
	size_t i;

	if (version == MQTT_5_0)
		remaining += 1;
	for (i = 0; i < count; i++)
		remaining += 2 + filters[i].len;

	writer_header(w, MQTT_UNSUBSCRIBE << 4 | REQUEST_FLAGS, remaining);
	writer_u16(w, packet_id);
	if (version == MQTT_5_0)
		writer_u8(w, 0); /* no properties [MQTT-2.2.2-1] */
	for (i = 0; i < count; i++)
		writer_string(w, filters[i]);
}

/* [MQTT-3.9.3-2, 3.11.3-2]; 3.1.1: [MQTT-3.9.3-2] */
static bool suback_reason_valid(enum mqtt_version version,
				enum mqtt_packet_type type, uint8_t code)
{
	if (type == MQTT_SUBACK) {
		if (code <= 2 || code == MQTT_UNSPECIFIED_ERROR)
			return true;
		if (version != MQTT_5_0)
			return false;
		if (code == MQTT_QUOTA_EXCEEDED ||
		    code == MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED ||
		    code == MQTT_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED ||
		    code == MQTT_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED)
			return true;
	} else if (code == MQTT_SUCCESS || code == MQTT_UNSPECIFIED_ERROR ||
		   code == MQTT_NO_SUBSCRIPTION_EXISTED) {
		return true;
	}
	return code == MQTT_IMPLEMENTATION_SPECIFIC_ERROR ||
	       code == MQTT_NOT_AUTHORIZED ||
	       code == MQTT_TOPIC_FILTER_INVALID ||
	       code == MQTT_PACKET_IDENTIFIER_IN_USE;
}

enum mqtt_reason suback_decode(enum mqtt_version version,
			       enum mqtt_packet_type type, struct slice body,
			       struct mqtt_suback *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason reason = MQTT_SUCCESS;
	size_t i;

	properties_clear(&out->properties);
	out->reasons = slice_of(NULL, 0);
	if (!reader_u16(&r, &out->packet_id) || out->packet_id == 0)
		return MQTT_MALFORMED_PACKET;
	if (version != MQTT_5_0 && type == MQTT_UNSUBACK)
		return reader_left(&r) == 0 ? MQTT_SUCCESS
					    : MQTT_MALFORMED_PACKET;
	if (version == MQTT_5_0)
		reason = properties_decode(&r, type, &out->properties);
	if (reason != MQTT_SUCCESS)
		return reason;

	out->reasons = slice_of(r.at, reader_left(&r));
	if (out->reasons.len == 0)
		return MQTT_MALFORMED_PACKET;
	for (i = 0; i < out->reasons.len; i++) {
		if (!suback_reason_valid(version, type, out->reasons.data[i]))
			return MQTT_PROTOCOL_ERROR;
	}
	return MQTT_SUCCESS;
}

void suback_encode(struct writer *w, enum mqtt_version version,
		   enum mqtt_packet_type type, const struct mqtt_suback *packet)
{
	bool with_reasons = version == MQTT_5_0 || type == MQTT_SUBACK;
	size_t remaining = 2;
	size_t i;

	if (version == MQTT_5_0)
		remaining += properties_size(&packet->properties);
	if (with_reasons)
		remaining += packet->reasons.len;

	writer_header(w, (uint8_t)(type << 4), remaining);
	writer_u16(w, packet->packet_id);
	if (version == MQTT_5_0)
		properties_encode(w, &packet->properties);
	if (!with_reasons)
		return;
	for (i = 0; i < packet->reasons.len; i++) {
		uint8_t code = packet->reasons.data[i];

		if (version != MQTT_5_0 && code > MQTT_UNSPECIFIED_ERROR)
			code = MQTT_UNSPECIFIED_ERROR;
		writer_u8(w, code);
	}
}
