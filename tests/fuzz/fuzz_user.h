/* User Properties of a decoded packet, encoded as our encoders want them. */
#ifndef TESTS_FUZZ_FUZZ_USER_H
#define TESTS_FUZZ_FUZZ_USER_H

#include "broker/wire/properties.h"
#include "tests/fuzz/fuzz.h"

/* Fills p->user_encoded from p->raw, in memory to be freed by the caller. */
static inline uint8_t *fuzz_user_encode(struct mqtt_properties *p)
{
	uint8_t *memory = malloc(p->raw.len + 1);
	struct writer w = writer_of(memory, p->raw.len);
	struct slice name, value;
	size_t at = 0;

	assert(memory);
	while (properties_next_user(p->raw, &at, &name, &value)) {
		writer_u8(&w, MQTT_PROP_USER_PROPERTY);
		writer_string(&w, name);
		writer_string(&w, value);
	}
	assert(!w.overflow);
	p->user_encoded = slice_of(memory, w.len);
	return memory;
}

#endif
