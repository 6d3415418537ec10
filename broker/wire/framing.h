/*
 * Finds the next whole Control Packet at the front of a stream (MQTT 5.0,
 * section 2.1). The stream may be cut anywhere: too few bytes is an ordinary
 * answer, and the same bytes are simply offered again with more behind them.
 */
#ifndef WIRE_FRAMING_H
#define WIRE_FRAMING_H

#include "broker/base/slice.h"

enum mqtt_packet_type {
	MQTT_CONNECT = 1,
	MQTT_CONNACK = 2,
	MQTT_PUBLISH = 3,
	MQTT_PUBACK = 4,
	MQTT_PUBREC = 5,
	MQTT_PUBREL = 6,
	MQTT_PUBCOMP = 7,
	MQTT_SUBSCRIBE = 8,
	MQTT_SUBACK = 9,
	MQTT_UNSUBSCRIBE = 10,
	MQTT_UNSUBACK = 11,
	MQTT_PINGREQ = 12,
	MQTT_PINGRESP = 13,
	MQTT_DISCONNECT = 14,
	MQTT_AUTH = 15,
};

enum mqtt_version {
	MQTT_3_1 = 3,
	MQTT_3_1_1 = 4,
	MQTT_5_0 = 5,
};

#define MQTT_REMAINING_LENGTH_MAX 268435455u
#define MQTT_FIXED_HEADER_MAX 5u

struct frame {
	enum mqtt_packet_type type;
	uint8_t flags; /* low four bits of the first byte */
	struct slice body; /* what follows the Remaining Length, borrowed */
	size_t size; /* of the whole packet */
};

/*
 * Returns 1 and the packet; 0 when more bytes are needed; -EMSGSIZE as soon as
 * the header says the packet is larger than max_size (whole packet, bytes);
 * -EPROTO for type 0, flags other than the type's reserved ones
 * [MQTT-2.1.3-1], a Remaining Length of more than four bytes or not in its
 * shortest form, or a PINGREQ or PINGRESP with a body (they need no decoder).
 * The header is judged as soon as it is there, the body unseen. Unless it is 1,
 * *frame is as it was.
 */
int framing_next(const uint8_t *data, size_t len, size_t max_size,
		 struct frame *frame);

/* The same for a connection of 3.1, whose peers set DUP when they send a PUBREL,
 * SUBSCRIBE or UNSUBSCRIBE again; the bit is then in frame->flags. */
int framing_next_3_1(const uint8_t *data, size_t len, size_t max_size,
		     struct frame *frame);

/* Write the fixed header. Returns its length, 2 to 5. */
size_t framing_put_header(uint8_t out[MQTT_FIXED_HEADER_MAX], uint8_t first,
			  uint32_t remaining_length);

/* "PUBLISH", for logs. */
const char *framing_type_name(enum mqtt_packet_type type);

#endif
