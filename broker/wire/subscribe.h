/*
 * SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, in all versions and both
 * directions. A request's list is walked, not copied.
 */
#ifndef WIRE_SUBSCRIBE_H
#define WIRE_SUBSCRIBE_H

#include "broker/wire/properties.h"

struct mqtt_subscription {
	struct slice
		filter; /* UTF-8; whether it is a valid filter is asked of topic.h */
	uint8_t qos; /* 0..2 */
	bool no_local;
	bool retain_as_published;
	uint8_t retain_handling; /* 0..2 */
};

struct mqtt_subscribe {
	uint16_t packet_id;
	struct mqtt_properties properties;
	size_t count; /* of entries, at least 1 */
	struct slice entries; /* for subscribe_next() or unsubscribe_next() */
};

/*
 * Checks every entry: options, UTF-8, at least one [MQTT-3.8.3-2]. A shared
 * subscription with No Local is a Protocol Error [MQTT-3.8.3-4].
 */
enum mqtt_reason subscribe_decode(enum mqtt_version version, struct slice body,
				  struct mqtt_subscribe *out);
/* Take the next entry off entries; false at the end. */
bool subscribe_next(enum mqtt_version version, struct slice *entries,
		    struct mqtt_subscription *out);
void subscribe_encode(struct writer *w, enum mqtt_version version,
		      uint16_t packet_id,
		      const struct mqtt_properties *properties,
		      const struct mqtt_subscription *entries, size_t count);

enum mqtt_reason unsubscribe_decode(enum mqtt_version version,
				    struct slice body,
				    struct mqtt_subscribe *out);
bool unsubscribe_next(struct slice *entries, struct slice *filter);
void unsubscribe_encode(struct writer *w, enum mqtt_version version,
			uint16_t packet_id, const struct slice *filters,
			size_t count);

/* SUBACK and UNSUBACK. reasons: one byte for each entry of the request. */
struct mqtt_suback {
	uint16_t packet_id;
	struct mqtt_properties properties; /* 5.0 */
	struct slice reasons;
};

enum mqtt_reason suback_decode(enum mqtt_version version,
			       enum mqtt_packet_type type, struct slice body,
			       struct mqtt_suback *out);
/* Before 5.0 SUBACK writes 0x80 for any failure, UNSUBACK writes no reasons. */
void suback_encode(struct writer *w, enum mqtt_version version,
		   enum mqtt_packet_type type,
		   const struct mqtt_suback *packet);

#endif
