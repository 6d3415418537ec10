/*
 * The few MQTT packets a load generator sends, written as bytes by hand: it must
 * not share a fault with the codec it puts to the test. Level 4 is MQTT 3.1.1,
 * level 5 is 5.0 with empty properties.
 *
 * Every function writes to out, which must have room for PACKET_SPACE bytes more
 * than the strings and the payload, and returns the number of bytes written.
 */
#ifndef BENCH_PACKET_H
#define BENCH_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_SPACE 64

enum packet_type {
	PACKET_CONNECT = 1,
	PACKET_CONNACK = 2,
	PACKET_PUBLISH = 3,
	PACKET_PUBACK = 4,
	PACKET_PUBREC = 5,
	PACKET_PUBREL = 6,
	PACKET_PUBCOMP = 7,
	PACKET_SUBSCRIBE = 8,
	PACKET_SUBACK = 9,
	PACKET_PINGREQ = 12,
	PACKET_DISCONNECT = 14,
};

/* Every message carries who sent it, its number and when. */
struct stamp {
	uint32_t publisher;
	uint64_t sequence;
	uint64_t time;
};
#define STAMP_SIZE 24

size_t packet_connect(uint8_t *out, int level, const char *id, bool clean);
size_t packet_subscribe(uint8_t *out, int level, uint16_t id,
			const char *filter, int qos);
/* PUBACK, PUBREC, PUBREL, PUBCOMP. */
size_t packet_ack(uint8_t *out, enum packet_type type, uint16_t id);
size_t packet_disconnect(uint8_t *out);

/*
 * A PUBLISH with size bytes of payload. *stamp_at is where in it the stamp
 * belongs and *id_at the packet identifier (0 at QoS 0), so that a sender can
 * keep the packet and change these only.
 */
size_t packet_publish(uint8_t *out, int level, const char *topic, int qos,
		      bool retain, size_t size, size_t *id_at,
		      size_t *stamp_at);
void packet_stamp(uint8_t *at, const struct stamp *stamp);

/*
 * The same for a payload of JSON, {"v":50,"s":"<the stamp>"} and spaces, made out
 * of one of packet_publish() with at least PACKET_JSON_SIZE bytes.
 */
#define PACKET_JSON_SIZE 63
void packet_make_json(uint8_t *payload, size_t size);
void packet_stamp_json(uint8_t *payload, const struct stamp *stamp);

/* One received PUBLISH taken apart; the pointers are into the packet. */
struct publish {
	const char *topic;
	size_t topic_len;
	const uint8_t *payload;
	size_t payload_len;
	uint16_t id;
	uint8_t qos;
	bool dup;
	bool retain;
};

/* header is the first byte, body what follows the length. False if malformed. */
bool packet_read_publish(struct publish *publish, int level, uint8_t header,
			 const uint8_t *body, size_t len);
/* False when the payload was not written by packet_publish(): too short, or the
 * filling is not what it should be. */
bool packet_read_stamp(struct stamp *stamp, const uint8_t *payload, size_t len);

bool packet_read_stamp_json(struct stamp *stamp, const uint8_t *payload,
			    size_t len);

/*
 * How long the packet at data is, header and all. Returns 0 when more bytes are
 * needed to tell, -1 when the length is malformed; *body is its offset.
 */
long packet_length(const uint8_t *data, size_t len, size_t *body);

#endif
