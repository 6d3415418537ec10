/*
 * Properties of each packet: what was decoded, encoded and decoded again must be
 * the same, User Properties in their order; what is forwarded must decode and
 * lack nothing. Input: a byte for the packet, then length and properties.
 */
#include "tests/fuzz/fuzz_user.h"

#define ONE_HOP                                             \
	(UINT64_C(1) << MQTT_PROP_MESSAGE_EXPIRY_INTERVAL | \
	 UINT64_C(1) << MQTT_PROP_SUBSCRIPTION_IDENTIFIER | \
	 UINT64_C(1) << MQTT_PROP_WILL_DELAY_INTERVAL |     \
	 UINT64_C(1) << MQTT_PROP_TOPIC_ALIAS)

/* Both have as many User Properties, the same ones in the same order. */
static void check_user(struct slice a, struct slice b)
{
	struct slice name_a, value_a, name_b, value_b;
	size_t at_a = 0, at_b = 0;

	while (properties_next_user(a, &at_a, &name_a, &value_a)) {
		assert(properties_next_user(b, &at_b, &name_b, &value_b));
		assert(slice_equal(name_a, name_b));
		assert(slice_equal(value_a, value_b));
	}
	assert(!properties_next_user(b, &at_b, &name_b, &value_b));
}

/* Encoded, decoded and encoded again: not a byte may differ then. Against the
 * bytes that came only the order may. */
static void check_again(enum mqtt_packet_type packet, struct mqtt_properties *p)
{
	size_t size = varint_size((uint32_t)p->raw.len) + p->raw.len;
	uint8_t *first = malloc(size), *second = malloc(size);
	uint8_t *user = fuzz_user_encode(p);
	struct mqtt_properties again;
	struct writer w;
	struct reader r;

	assert(first && second);
	w = writer_of(first, size);
	properties_encode(&w, p);
	assert(!w.overflow && w.len == size && properties_size(p) == size);

	r = reader_of(slice_of(first, size));
	assert(properties_decode(&r, packet, &again) == MQTT_SUCCESS);
	assert(reader_left(&r) == 0 && again.present == p->present);
	check_user(p->raw, again.raw);

	again.user_encoded = p->user_encoded;
	w = writer_of(second, size);
	properties_encode(&w, &again);
	assert(w.len == size && memcmp(first, second, size) == 0);
	free(user);
	free(second);
	free(first);
}

static void check_forward(enum mqtt_packet_type packet,
			  const struct mqtt_properties *p)
{
	uint8_t *out = malloc(p->raw.len + 4);
	struct mqtt_properties again;
	struct writer w;
	struct reader r;
	size_t len;

	assert(out);
	len = properties_forward(p->raw, out + 4);
	assert(len <= p->raw.len);
	assert((len == p->raw.len) == properties_forward_is_raw(p));
	w = writer_of(out, 4);
	writer_varint(&w, (uint32_t)len);
	memmove(out + w.len, out + 4, len);
	r = reader_of(slice_of(out, w.len + len));
	assert(properties_decode(&r, packet, &again) == MQTT_SUCCESS);
	assert(again.present == (p->present & ~ONE_HOP));
	check_user(p->raw, again.raw);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum mqtt_packet_type packet;
	struct mqtt_properties p;
	struct fuzz_copy copy;
	struct reader r;

	if (size == 0)
		return 0;
	packet = (enum mqtt_packet_type)(data[0] & 15);
	copy = fuzz_copy(data + 1, size - 1);
	r = reader_of(copy.bytes);
	if (properties_decode(&r, packet, &p) == MQTT_SUCCESS) {
		check_again(packet, &p);
		if (packet == MQTT_PUBLISH || packet == MQTT_WILL_PROPERTIES)
			check_forward(packet, &p);
	}
	fuzz_copy_free(&copy);
	return 0;
}
