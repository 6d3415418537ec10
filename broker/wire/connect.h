/*
 * CONNECT, CONNACK, DISCONNECT and AUTH, in all versions and both directions.
 * Decoders are given the body of a frame, borrow from it, and keep nothing.
 * Encoders write the whole packet, fixed header included.
 */
#ifndef WIRE_CONNECT_H
#define WIRE_CONNECT_H

#include "broker/wire/properties.h"

struct mqtt_will {
	struct slice topic; /* valid as a Topic Name */
	struct slice payload;
	uint8_t qos; /* 0..2 */
	bool retain;
	struct mqtt_properties properties; /* 5.0 */
};

struct mqtt_connect {
	enum mqtt_version version;
	bool clean_start; /* Clean Session before 5.0 */
	uint16_t keep_alive; /* seconds, 0 none */
	struct slice client_id; /* may be empty; the broker judges it */
	bool has_will;
	struct mqtt_will will;
	bool has_username;
	struct slice username;
	bool has_password;
	struct slice password;
	bool bridge; /* version byte with its top bit set, as bridges send it */
	struct mqtt_properties properties;
};

/*
 * Returns MQTT_SUCCESS, MQTT_UNSUPPORTED_PROTOCOL_VERSION (name is MQTT or
 * MQIsdp but the level is none of ours; out->version is then MQTT_5_0 for a
 * higher level and MQTT_3_1_1 for others, so that it can be answered),
 * MQTT_MALFORMED_PACKET, MQTT_PROTOCOL_ERROR, or what properties_decode()
 * answers. A will topic with a wildcard or none at all is malformed, one of more
 * than TOPIC_LEVELS_MAX levels is MQTT_TOPIC_NAME_INVALID. out->version is set
 * as soon as it is known, and is 0 if the protocol name is foreign (Protocol
 * Error) or not all there: then nothing may be answered.
 *
 * 3.1 is read as its brokers always did: bits without a meaning are ignored, and
 * a user name or password that is announced but not there is none.
 */
enum mqtt_reason connect_decode(struct slice body, struct mqtt_connect *out);
void connect_encode(struct writer *w, const struct mqtt_connect *packet);

struct mqtt_connack {
	bool session_present;
	/* 5.0: the reason. Before: the encoder translates it, and the decoder
	 * gives the nearest reason for the return code. */
	enum mqtt_reason reason;
	struct mqtt_properties properties; /* 5.0 */
};

enum mqtt_reason connack_decode(enum mqtt_version version, struct slice body,
				struct mqtt_connack *out);
void connack_encode(struct writer *w, enum mqtt_version version,
		    const struct mqtt_connack *packet);

/* DISCONNECT and AUTH carry the same: a reason and properties. */
struct mqtt_reason_packet {
	enum mqtt_reason reason;
	struct mqtt_properties properties; /* 5.0 */
};

/* Also refuses reasons that the packet may not carry, and reasons and properties
 * that the peer on that side may not send (from_client): 3.14.2, 3.15.2. */
enum mqtt_reason disconnect_decode(enum mqtt_version version, bool from_client,
				   struct slice body,
				   struct mqtt_reason_packet *out);
void disconnect_encode(struct writer *w, enum mqtt_version version,
		       const struct mqtt_reason_packet *packet);
enum mqtt_reason auth_decode(struct slice body, struct mqtt_reason_packet *out);
void auth_encode(struct writer *w, const struct mqtt_reason_packet *packet);

/* PINGREQ and PINGRESP: two bytes, nothing to decode but an empty body. */
void ping_encode(struct writer *w, enum mqtt_packet_type type);

#endif
