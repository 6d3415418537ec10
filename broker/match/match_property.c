#include "broker/match/match_property.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/wire/topic.h"

static const char *encoded(uint8_t c)
{
	return c == '/' ? "%2F" : c == '+' ? "%2B" : c == '#' ? "%23" : NULL;
}

int match_property_find(const struct mqtt_properties *properties,
			struct slice *value)
{
	struct slice name, other;
	size_t at = 0;
	int found = 0;

	while (properties_next_user(properties->raw, &at, &name, &other)) {
		if (!slice_equal(name, slice_str("match")))
			continue;
		if (found)
			return -EINVAL;
		*value = other;
		found = 1;
	}
	return found;
}

static size_t encoded_len(struct slice value)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++)
		len += encoded(value.data[i]) ? 3 : 1;
	return len;
}

static void put_encoded(struct writer *w, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		const char *code = encoded(value.data[i]);

		if (code)
			writer_bytes(w, slice_str(code));
		else
			writer_u8(w, value.data[i]);
	}
}

int match_property_name(struct slice value, struct slice filter,
			struct slice *name)
{
	const struct slice prefix = slice_str("$match/");
	struct topic_parts parts;
	struct writer w;
	uint8_t *memory;
	size_t len;

	if (topic_split(filter, &parts) < 0)
		return -EINVAL;
	if (parts.predicate.data)
		return -EEXIST;
	len = filter.len + prefix.len + encoded_len(value) + 1;
	if (len > UINT16_MAX)
		return -EMSGSIZE;
	memory = malloc(len);
	if (!memory)
		return -ENOMEM;
	w = writer_of(memory, len);
	writer_bytes(&w, slice_of(filter.data, filter.len - parts.filter.len));
	writer_bytes(&w, prefix);
	put_encoded(&w, value);
	writer_u8(&w, '/');
	writer_bytes(&w, parts.filter);
	*name = slice_of(memory, w.len);
	return 0;
}

size_t match_property_place(struct slice value, size_t at)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		len += encoded(value.data[i]) ? 3 : 1;
		if (len >= at)
			return i + 1;
	}
	return value.len + 1;
}
