/*
 * One PUBLISH on its way through the broker: borrowed bytes of the packet that
 * brought it (or of a stored message), and what is made of them only when needed:
 * a message that outlives the packet, and the packets as receivers get them,
 * encoded once for each (version, QoS, RETAIN) and only patched afterwards.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_PUBLISH_H
#define BROKER_ROUTING_PUBLISH_H

#include "broker/message.h"

struct broker;
struct connection;
struct session;
struct publish_templates;

/* The matcher's. */
struct publish_match {
	uint64_t stamp; /* number the matcher gave it; 0 none yet */
	uint32_t work; /* done so far */
	uint32_t most; /* it may be; 0: LIMIT_MATCH_WORK */
	bool cut_short; /* it was that */
};

struct publish {
	struct slice topic;
	struct slice properties; /* forwardable, encoded */
	struct slice payload;
	struct slice
		packet; /* that receivers at QoS 0 without RETAIN are sent as
			      * it came, if of the same version; or empty */
	uint64_t expires; /* clock_ms(), or MESSAGE_NO_EXPIRY */
	struct origin *origin; /* borrowed */
	const struct session *from; /* for No Local; NULL: nobody's own */
	struct message
		*message; /* one reference once made; see publish_message() */
	uint64_t ticket; /* commit that what routing stored waits for; 0 none */
	uint64_t
		serial; /* names the templates made of this publish; 0 none yet */
	struct publish_match match;
	uint32_t matched; /* receivers */
	uint8_t qos;
	bool retain;
	bool may_hold; /* who sent it is answered through a gate: retain_hold.h */
	bool packet_v5;
	bool admitted; /* there is room for it in every queue: admission.h */
};

/* A publish for a message: everything borrowed from it, with a reference. */
void publish_of_message(struct publish *p, struct message *message);
/* Drops the reference to message, if one was made. */
void publish_done(struct publish *p);

/* The message, made at the first call. NULL when out of memory. */
struct message *publish_message(struct broker *broker, struct publish *p);

struct publish_options {
	struct slice
		identifiers; /* Subscription Identifier properties, encoded */
	uint16_t packet_id; /* 0 at QoS 0 */
	uint8_t qos;
	bool dup;
	bool retain;
};

/* Append the packet to the connection's output and mark that dirty. Returns 0,
 * -EMSGSIZE if it is larger than the client accepts (then it counts as
 * delivered, [MQTT-3.1.2-25]), or -ENOMEM. */
int publish_send(struct broker *broker, struct connection *connection,
		 struct publish *p, const struct publish_options *options);

struct publish_templates *publish_templates_new(void);

/* Bytes that broker->encode_buffer must have for packets of this size. */
size_t publish_encode_size(size_t max_packet);

#endif
