/*
 * Properties of MQTT 5.0 (section 2.2.2). Decoding checks which property may
 * stand in which packet, that none but User Property (and, in PUBLISH,
 * Subscription Identifier) stands twice, and each value's range.
 *
 * Nothing is copied: raw is the property bytes (without their length) as they
 * stood in the packet; User Properties are walked in order from there.
 */
#ifndef WIRE_PROPERTIES_H
#define WIRE_PROPERTIES_H

#include "broker/wire/framing.h"
#include "broker/wire/reader.h"
#include "broker/wire/reason.h"
#include "broker/wire/writer.h"

enum mqtt_property {
	MQTT_PROP_PAYLOAD_FORMAT_INDICATOR = 0x01,
	MQTT_PROP_MESSAGE_EXPIRY_INTERVAL = 0x02,
	MQTT_PROP_CONTENT_TYPE = 0x03,
	MQTT_PROP_RESPONSE_TOPIC = 0x08,
	MQTT_PROP_CORRELATION_DATA = 0x09,
	MQTT_PROP_SUBSCRIPTION_IDENTIFIER = 0x0b,
	MQTT_PROP_SESSION_EXPIRY_INTERVAL = 0x11,
	MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER = 0x12,
	MQTT_PROP_SERVER_KEEP_ALIVE = 0x13,
	MQTT_PROP_AUTHENTICATION_METHOD = 0x15,
	MQTT_PROP_AUTHENTICATION_DATA = 0x16,
	MQTT_PROP_REQUEST_PROBLEM_INFORMATION = 0x17,
	MQTT_PROP_WILL_DELAY_INTERVAL = 0x18,
	MQTT_PROP_REQUEST_RESPONSE_INFORMATION = 0x19,
	MQTT_PROP_RESPONSE_INFORMATION = 0x1a,
	MQTT_PROP_SERVER_REFERENCE = 0x1c,
	MQTT_PROP_REASON_STRING = 0x1f,
	MQTT_PROP_RECEIVE_MAXIMUM = 0x21,
	MQTT_PROP_TOPIC_ALIAS_MAXIMUM = 0x22,
	MQTT_PROP_TOPIC_ALIAS = 0x23,
	MQTT_PROP_MAXIMUM_QOS = 0x24,
	MQTT_PROP_RETAIN_AVAILABLE = 0x25,
	MQTT_PROP_USER_PROPERTY = 0x26,
	MQTT_PROP_MAXIMUM_PACKET_SIZE = 0x27,
	MQTT_PROP_WILDCARD_SUBSCRIPTION_AVAILABLE = 0x28,
	MQTT_PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE = 0x29,
	MQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE = 0x2a,
};

/* Will properties stand in CONNECT but follow rules of their own (3.1.3.2). */
#define MQTT_WILL_PROPERTIES ((enum mqtt_packet_type)0)

/* More Subscription Identifiers in one PUBLISH than this are malformed for us:
 * only a server sends them, and ours never matches a client more often. */
#define PROPERTIES_SUBSCRIPTION_IDS_MAX 64

/*
 * A value means something only where its bit is set in present
 * (properties_has). Integers that share a width share no field: each has its
 * own, so that a CONNACK can be written from one struct.
 */
struct mqtt_properties {
	uint64_t present; /* bit n: property with identifier n */
	struct slice raw; /* all property bytes as received, borrowed */

	uint8_t payload_format_indicator; /* 0 bytes, 1 UTF-8 */
	uint32_t message_expiry_interval; /* seconds */
	struct slice content_type;
	struct slice response_topic;
	struct slice correlation_data;
	uint32_t subscription_ids[PROPERTIES_SUBSCRIPTION_IDS_MAX];
	uint8_t subscription_id_count;
	uint32_t session_expiry_interval; /* seconds, 0xffffffff never */
	struct slice assigned_client_identifier;
	uint16_t server_keep_alive; /* seconds */
	struct slice authentication_method;
	struct slice authentication_data;
	uint8_t request_problem_information;
	uint32_t will_delay_interval; /* seconds */
	uint8_t request_response_information;
	struct slice response_information;
	struct slice server_reference;
	struct slice reason_string;
	uint16_t receive_maximum; /* 1.. */
	uint16_t topic_alias_maximum;
	uint16_t topic_alias; /* 1.. */
	uint8_t maximum_qos; /* 0 or 1 */
	uint8_t retain_available;
	uint32_t maximum_packet_size; /* 1.. */
	uint8_t wildcard_subscription_available;
	uint8_t subscription_identifier_available;
	uint8_t shared_subscription_available;
	/* Writing only: User Properties, already encoded (identifier included). */
	struct slice user_encoded;
};

static inline bool properties_has(const struct mqtt_properties *p,
				  enum mqtt_property id)
{
	return (p->present >> id) & 1;
}

static inline void properties_set(struct mqtt_properties *p,
				  enum mqtt_property id)
{
	p->present |= UINT64_C(1) << id;
}

/* None present. What every decoder does where the version has no properties. */
static inline void properties_clear(struct mqtt_properties *p)
{
	p->present = 0;
	p->raw = slice_of(NULL, 0);
}

/*
 * Take a property length and that many bytes off r. Sets present and raw always
 * and, of the fields, only those that are present: no field is cleared, so the
 * cost of a packet without properties is two stores. Returns MQTT_SUCCESS,
 * MQTT_MALFORMED_PACKET, MQTT_PROTOCOL_ERROR (a second one, a forbidden value,
 * Authentication Data without a Method) or MQTT_TOPIC_ALIAS_INVALID (0).
 *
 * Left to the caller, as it takes more than these bytes: Subscription
 * Identifiers in a PUBLISH from a client [MQTT-3.3.4-6], an alias above the
 * maximum that was granted.
 */
enum mqtt_reason properties_decode(struct reader *r,
				   enum mqtt_packet_type packet,
				   struct mqtt_properties *out);

/* The properties in present and user_encoded, with their length in front. */
void properties_encode(struct writer *w, const struct mqtt_properties *p);
/* Bytes that properties_encode() will write, length included. */
size_t properties_size(const struct mqtt_properties *p);

/*
 * Walk User Properties in order. at starts at 0; false at the end. raw must have
 * passed properties_decode().
 */
bool properties_next_user(struct slice raw, size_t *at, struct slice *name,
			  struct slice *value);

/* The Content Type in raw, which must have passed too; false if there is none. */
bool properties_content_type(struct slice raw, struct slice *value);

/*
 * From the properties of a PUBLISH or a will, write those that go on to the
 * subscriber unaltered, in order: payload format indicator, content type,
 * response topic, correlation data, user properties [MQTT-3.3.2-17 and others].
 * Left out are topic alias, message expiry, subscription identifiers and will
 * delay. No length is written in front. Returns the number of bytes written;
 * they never exceed raw.len.
 */
size_t properties_forward(struct slice raw, uint8_t *out);

/* True if raw holds nothing that properties_forward() would leave out. */
bool properties_forward_is_raw(const struct mqtt_properties *p);

#endif
