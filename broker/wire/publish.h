/*
 * PUBLISH and its acknowledgements PUBACK, PUBREC, PUBREL, PUBCOMP, in all
 * versions and both directions. The PUBLISH decoder is on the hot path: it
 * clears nothing it need not and copies nothing.
 */
#ifndef WIRE_PUBLISH_H
#define WIRE_PUBLISH_H

#include "broker/wire/properties.h"

struct mqtt_publish {
	struct slice topic; /* empty only in 5.0 with a Topic Alias */
	struct slice payload;
	uint16_t packet_id; /* 0 at QoS 0 */
	uint8_t qos;
	bool dup;
	bool retain;
	struct mqtt_properties properties; /* present == 0 before 5.0 */
};

/*
 * flags are the frame's. The topic has been checked to be UTF-8 without
 * wildcards and not empty (but see above). Returns MQTT_SUCCESS,
 * MQTT_MALFORMED_PACKET (also QoS 3, DUP with QoS 0, packet identifier 0),
 * MQTT_TOPIC_NAME_INVALID (a wildcard, or empty without an alias: 5.0 says
 * Protocol Error for the latter) or MQTT_PROTOCOL_ERROR.
 */
enum mqtt_reason publish_decode(enum mqtt_version version, uint8_t flags,
				struct slice body, struct mqtt_publish *out);
/* The same. A topic that is known, because one like it has been checked before,
 * is not checked again: out->topic is then known itself. */
enum mqtt_reason publish_decode_known(enum mqtt_version version, uint8_t flags,
				      struct slice body, struct slice known,
				      struct mqtt_publish *out);

/* The whole packet. */
void publish_encode(struct writer *w, enum mqtt_version version,
		    const struct mqtt_publish *packet);
/* Bytes that publish_encode() will write. */
size_t publish_size(enum mqtt_version version,
		    const struct mqtt_publish *packet);

struct mqtt_ack {
	uint16_t packet_id;
	enum mqtt_reason reason; /* MQTT_SUCCESS before 5.0 */
	struct mqtt_properties properties; /* 5.0 */
};

/* type is MQTT_PUBACK, _PUBREC, _PUBREL or _PUBCOMP. Refuses identifier 0, a
 * reason that this packet may not carry, bytes left over. */
enum mqtt_reason ack_decode(enum mqtt_version version,
			    enum mqtt_packet_type type, struct slice body,
			    struct mqtt_ack *out);
void ack_encode(struct writer *w, enum mqtt_version version,
		enum mqtt_packet_type type, const struct mqtt_ack *packet);

#endif
