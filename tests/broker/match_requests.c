#include "tests/broker/match_requests.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "broker/routing/topic_tree.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct slice match_properties(uint8_t bytes[4096], const char *one,
			      const char *two)
{
	struct writer w = writer_of(bytes, 4096);
	const char *const values[] = { one, two };

	for (size_t i = 0; i < COUNT(values); i++) {
		if (!values[i])
			continue;
		writer_u8(&w, MQTT_PROP_USER_PROPERTY);
		writer_string(&w, slice_str("match"));
		writer_string(&w, slice_str(values[i]));
	}
	assert_false(w.overflow);
	return slice_of(bytes, w.len);
}

void match_ask(struct sim_peer *peer, struct slice user_encoded,
	       const char *const *filters, struct mqtt_suback *out)
{
	const struct mqtt_properties p = { .user_encoded = user_encoded };
	static uint8_t bytes[70000];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_subscription entries[4] = { 0 };
	size_t count = 0;

	for (; filters[count]; count++)
		entries[count].filter = slice_str(filters[count]);
	subscribe_encode(&w, peer->version, 10, &p, entries, count);
	assert_false(w.overflow);
	sim_peer_send(peer, bytes, w.len);
	assert_int_equal(suback_decode(peer->version, MQTT_SUBACK,
				       sim_peer_expect(peer, MQTT_SUBACK), out),
			 MQTT_SUCCESS);
}

void match_subscribe(struct sim_peer *peer, const char *filter, uint8_t options,
		     uint32_t identifier)
{
	const struct mqtt_subscription entry = {
		.filter = slice_str(filter),
		.qos = options & 3,
		.no_local = options & SUBSCRIPTION_NO_LOCAL,
		.retain_as_published =
			options & SUBSCRIPTION_RETAIN_AS_PUBLISHED,
	};

	assert_int_equal(sim_peer_subscribed_with(peer, &entry, identifier),
			 options & 3);
}

void match_unsubscribe(struct sim_peer *peer, const char *filter,
		       struct slice user_encoded, uint8_t expected)
{
	uint8_t bytes[512];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_suback answer;
	struct slice text = slice_str(filter);

	writer_header(&w, MQTT_UNSUBSCRIBE << 4 | 2,
		      2 + 1 + user_encoded.len + 2 + text.len);
	writer_u16(&w, 20);
	writer_varint(&w, (uint32_t)user_encoded.len);
	writer_bytes(&w, user_encoded);
	writer_string(&w, text);
	sim_peer_send(peer, bytes, w.len);
	assert_int_equal(suback_decode(peer->version, MQTT_UNSUBACK,
				       sim_peer_expect(peer, MQTT_UNSUBACK),
				       &answer),
			 MQTT_SUCCESS);
	assert_int_equal(answer.reasons.data[0], expected);
}
