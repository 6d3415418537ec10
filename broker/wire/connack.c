/* What answers a CONNECT and what ends a connection: CONNACK, DISCONNECT and
 * AUTH, declared in connect.h. */
#include "broker/wire/connect.h"

#define SESSION_PRESENT 0x01

/* The reasons of 0x80 and above that a packet may carry, bit n for 0x80 + n. */
#define MAY(reason) (UINT64_C(1) << ((reason)-MQTT_UNSPECIFIED_ERROR))

/* Table 3-1 [MQTT-3.2.2-8]. */
#define CONNACK_REASONS                                                       \
	(MAY(MQTT_UNSPECIFIED_ERROR) | MAY(MQTT_MALFORMED_PACKET) |           \
	 MAY(MQTT_PROTOCOL_ERROR) | MAY(MQTT_IMPLEMENTATION_SPECIFIC_ERROR) | \
	 MAY(MQTT_UNSUPPORTED_PROTOCOL_VERSION) |                             \
	 MAY(MQTT_CLIENT_IDENTIFIER_NOT_VALID) |                              \
	 MAY(MQTT_BAD_USER_NAME_OR_PASSWORD) | MAY(MQTT_NOT_AUTHORIZED) |     \
	 MAY(MQTT_SERVER_UNAVAILABLE) | MAY(MQTT_SERVER_BUSY) |               \
	 MAY(MQTT_BANNED) | MAY(MQTT_BAD_AUTHENTICATION_METHOD) |             \
	 MAY(MQTT_TOPIC_NAME_INVALID) | MAY(MQTT_PACKET_TOO_LARGE) |          \
	 MAY(MQTT_QUOTA_EXCEEDED) | MAY(MQTT_PAYLOAD_FORMAT_INVALID) |        \
	 MAY(MQTT_RETAIN_NOT_SUPPORTED) | MAY(MQTT_QOS_NOT_SUPPORTED) |       \
	 MAY(MQTT_USE_ANOTHER_SERVER) | MAY(MQTT_SERVER_MOVED) |              \
	 MAY(MQTT_CONNECTION_RATE_EXCEEDED))

/* Section 3.14.2.1 [MQTT-3.14.2-1]: from either side ... */
#define DISCONNECT_REASONS                                                    \
	(MAY(MQTT_UNSPECIFIED_ERROR) | MAY(MQTT_MALFORMED_PACKET) |           \
	 MAY(MQTT_PROTOCOL_ERROR) | MAY(MQTT_IMPLEMENTATION_SPECIFIC_ERROR) | \
	 MAY(MQTT_TOPIC_NAME_INVALID) | MAY(MQTT_RECEIVE_MAXIMUM_EXCEEDED) |  \
	 MAY(MQTT_TOPIC_ALIAS_INVALID) | MAY(MQTT_PACKET_TOO_LARGE) |         \
	 MAY(MQTT_MESSAGE_RATE_TOO_HIGH) | MAY(MQTT_QUOTA_EXCEEDED) |         \
	 MAY(MQTT_ADMINISTRATIVE_ACTION) | MAY(MQTT_PAYLOAD_FORMAT_INVALID))

/* ... and from a server only. Bad authentication method stands in table 2-6
 * alone, which lets DISCONNECT carry it. */
#define DISCONNECT_REASONS_SERVER                                              \
	(MAY(MQTT_NOT_AUTHORIZED) | MAY(MQTT_SERVER_BUSY) |                    \
	 MAY(MQTT_SERVER_SHUTTING_DOWN) |                                      \
	 MAY(MQTT_BAD_AUTHENTICATION_METHOD) | MAY(MQTT_KEEP_ALIVE_TIMEOUT) |  \
	 MAY(MQTT_SESSION_TAKEN_OVER) | MAY(MQTT_TOPIC_FILTER_INVALID) |       \
	 MAY(MQTT_RETAIN_NOT_SUPPORTED) | MAY(MQTT_QOS_NOT_SUPPORTED) |        \
	 MAY(MQTT_USE_ANOTHER_SERVER) | MAY(MQTT_SERVER_MOVED) |               \
	 MAY(MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED) |                        \
	 MAY(MQTT_CONNECTION_RATE_EXCEEDED) | MAY(MQTT_MAXIMUM_CONNECT_TIME) | \
	 MAY(MQTT_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED) |                    \
	 MAY(MQTT_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED))

static bool among(uint8_t code, uint64_t reasons)
{
	unsigned int bit = (unsigned int)code - MQTT_UNSPECIFIED_ERROR;

	return bit < 64 && ((reasons >> bit) & 1);
}

/* The reason for a return code of 3.1 and 3.1.1, table 3.1 there. */
static enum mqtt_reason reason_of_return_code(uint8_t code)
{
	static const enum mqtt_reason reasons[] = {
		MQTT_SUCCESS,
		MQTT_UNSUPPORTED_PROTOCOL_VERSION,
		MQTT_CLIENT_IDENTIFIER_NOT_VALID,
		MQTT_SERVER_UNAVAILABLE,
		MQTT_BAD_USER_NAME_OR_PASSWORD,
		MQTT_NOT_AUTHORIZED,
	};

	return reasons[code];
}

enum mqtt_reason connack_decode(enum mqtt_version version, struct slice body,
				struct mqtt_connack *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason verdict = MQTT_SUCCESS;
	uint8_t flags, code;

	if (!reader_u8(&r, &flags) || !reader_u8(&r, &code))
		return MQTT_MALFORMED_PACKET;
	if (version == MQTT_3_1)
		flags = 0; /* a byte without a meaning there */
	if (flags & ~SESSION_PRESENT)
		return MQTT_MALFORMED_PACKET; /* [MQTT-3.2.2-1] */

	properties_clear(&out->properties);
	if (version == MQTT_5_0) {
		if (code != MQTT_SUCCESS && !among(code, CONNACK_REASONS))
			return MQTT_PROTOCOL_ERROR;
		out->reason = (enum mqtt_reason)code;
		verdict = properties_decode(&r, MQTT_CONNACK, &out->properties);
	} else {
		if (code > 5)
			return MQTT_PROTOCOL_ERROR;
		out->reason = reason_of_return_code(code);
	}
	if (verdict != MQTT_SUCCESS)
		return verdict;
	if (reader_left(&r) > 0)
		return MQTT_MALFORMED_PACKET;

	out->session_present = flags & SESSION_PRESENT;
	if (out->session_present && code != 0)
		return MQTT_PROTOCOL_ERROR; /* [MQTT-3.2.2-6] */
	return MQTT_SUCCESS;
}

void connack_encode(struct writer *w, enum mqtt_version version,
		    const struct mqtt_connack *packet)
{
	bool present = packet->session_present &&
		       packet->reason == MQTT_SUCCESS && version != MQTT_3_1;
	size_t remaining = 2;

	if (version == MQTT_5_0)
		remaining += properties_size(&packet->properties);
	writer_header(w, MQTT_CONNACK << 4, remaining);
	writer_u8(w, present ? SESSION_PRESENT : 0);
	if (version == MQTT_5_0) {
		writer_u8(w, (uint8_t)packet->reason);
		properties_encode(w, &packet->properties);
	} else {
		writer_u8(w, reason_to_connack3(packet->reason));
	}
}

static enum mqtt_reason disconnect_verdict(const struct mqtt_reason_packet *p,
					   bool from_client)
{
	uint64_t reasons = DISCONNECT_REASONS;
	uint8_t code = (uint8_t)p->reason;

	if (!from_client)
		reasons |= DISCONNECT_REASONS_SERVER;
	if (code != MQTT_SUCCESS && !among(code, reasons) &&
	    !(from_client && code == MQTT_DISCONNECT_WITH_WILL))
		return MQTT_PROTOCOL_ERROR;

	/* [MQTT-3.14.2-2]; a reference to a server comes from a server. */
	if (properties_has(&p->properties,
			   from_client ? MQTT_PROP_SERVER_REFERENCE
				       : MQTT_PROP_SESSION_EXPIRY_INTERVAL))
		return MQTT_PROTOCOL_ERROR;
	return MQTT_SUCCESS;
}

enum mqtt_reason disconnect_decode(enum mqtt_version version, bool from_client,
				   struct slice body,
				   struct mqtt_reason_packet *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason verdict;
	uint8_t code = MQTT_SUCCESS;

	out->reason = MQTT_SUCCESS;
	properties_clear(&out->properties);
	if (body.len == 0)
		return MQTT_SUCCESS;
	if (version != MQTT_5_0 || !reader_u8(&r, &code))
		return MQTT_MALFORMED_PACKET;
	out->reason = (enum mqtt_reason)code;

	if (reader_left(&r) > 0) {
		verdict = properties_decode(&r, MQTT_DISCONNECT,
					    &out->properties);
		if (verdict != MQTT_SUCCESS)
			return verdict;
		if (reader_left(&r) > 0)
			return MQTT_MALFORMED_PACKET;
	}
	return disconnect_verdict(out, from_client);
}

void disconnect_encode(struct writer *w, enum mqtt_version version,
		       const struct mqtt_reason_packet *packet)
{
	size_t properties = 0;
	size_t remaining = 0;

	if (version == MQTT_5_0) {
		properties = properties_size(&packet->properties);
		if (properties > 1)
			remaining = 1 + properties;
		else if (packet->reason != MQTT_SUCCESS)
			remaining = 1;
	}
	writer_header(w, MQTT_DISCONNECT << 4, remaining);
	if (remaining > 0)
		writer_u8(w, (uint8_t)packet->reason);
	if (remaining > 1)
		properties_encode(w, &packet->properties);
}

enum mqtt_reason auth_decode(struct slice body, struct mqtt_reason_packet *out)
{
	struct reader r = reader_of(body);
	enum mqtt_reason verdict;
	uint8_t code;

	out->reason = MQTT_SUCCESS;
	properties_clear(&out->properties);
	if (body.len == 0)
		return MQTT_SUCCESS; /* 3.15.2.1 */
	if (!reader_u8(&r, &code))
		return MQTT_MALFORMED_PACKET;
	verdict = properties_decode(&r, MQTT_AUTH, &out->properties);
	if (verdict != MQTT_SUCCESS)
		return verdict;
	if (reader_left(&r) > 0)
		return MQTT_MALFORMED_PACKET;

	out->reason = (enum mqtt_reason)code;
	if (code != MQTT_SUCCESS && code != MQTT_CONTINUE_AUTHENTICATION &&
	    code != MQTT_REAUTHENTICATE)
		return MQTT_PROTOCOL_ERROR; /* [MQTT-3.15.2-1] */
	if (!properties_has(&out->properties, MQTT_PROP_AUTHENTICATION_METHOD))
		return MQTT_PROTOCOL_ERROR; /* 3.15.2.2.2 */
	return MQTT_SUCCESS;
}

void auth_encode(struct writer *w, const struct mqtt_reason_packet *packet)
{
	size_t properties = properties_size(&packet->properties);

	if (packet->reason == MQTT_SUCCESS && properties == 1) {
		writer_header(w, MQTT_AUTH << 4, 0);
		return;
	}
	writer_header(w, MQTT_AUTH << 4, 1 + properties);
	writer_u8(w, (uint8_t)packet->reason);
	properties_encode(w, &packet->properties);
}
