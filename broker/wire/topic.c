#include "broker/wire/topic.h"

#include <errno.h>

#define TOPIC_BYTES_MAX 65535

static const char share_prefix[] = "$share/";

static bool holds(struct slice text, int byte)
{
	return text.len > 0 && memchr(text.data, byte, text.len);
}

/* What names and filters have in common. */
static bool bounded(struct slice topic)
{
	if (topic.len == 0 || topic.len > TOPIC_BYTES_MAX || holds(topic, 0))
		return false;
	/* So many levels need as many bytes; most topics are not counted. */
	return topic.len < TOPIC_LEVELS_MAX ||
	       topic_levels(topic) <= TOPIC_LEVELS_MAX;
}

/* Take the first level off rest; false when it was the last. */
static bool take_level(struct slice *rest, struct slice *level)
{
	const uint8_t *slash = NULL;

	if (rest->len > 0)
		slash = memchr(rest->data, '/', rest->len);
	if (!slash) {
		*level = *rest;
		return false;
	}
	*level = slice_of(rest->data, (size_t)(slash - rest->data));
	*rest = slice_of(slash + 1, rest->len - level->len - 1);
	return true;
}

static bool is_byte(struct slice level, uint8_t byte)
{
	return level.len == 1 && level.data[0] == byte;
}

bool topic_has_wildcard(struct slice filter)
{
	return holds(filter, '+') || holds(filter, '#');
}

bool topic_name_valid(struct slice name)
{
	return bounded(name) && !topic_has_wildcard(name);
}

bool topic_filter_valid(struct slice filter)
{
	struct slice level;
	bool more;

	if (!bounded(filter))
		return false;
	do {
		more = take_level(&filter, &level);
		if (is_byte(level, '#'))
			return !more; /* [MQTT-4.7.1-1] */
		if (!is_byte(level, '+') && topic_has_wildcard(level))
			return false; /* [MQTT-4.7.1-2] */
	} while (more);

	return true;
}

size_t topic_levels(struct slice topic)
{
	size_t levels = 1;
	size_t i;

	for (i = 0; i < topic.len; i++)
		levels += topic.data[i] == '/';
	return levels;
}

bool topic_matches(struct slice filter, struct slice name)
{
	struct slice wanted, level;
	bool filter_more, name_more;

	if (name.data[0] == '$' &&
	    (filter.data[0] == '+' || filter.data[0] == '#'))
		return false;

	for (;;) {
		filter_more = take_level(&filter, &wanted);
		if (is_byte(wanted, '#'))
			return true;
		name_more = take_level(&name, &level);
		if (!is_byte(wanted, '+') && !slice_equal(wanted, level))
			return false;
		if (!filter_more || !name_more)
			break;
	}

	/* "sport/#" also matches the parent, "sport" (4.7.1.2). */
	return filter_more == name_more ||
	       (filter_more && is_byte(filter, '#'));
}

int topic_split_share(struct slice filter, struct slice *group,
		      struct slice *rest)
{
	const size_t prefix = sizeof(share_prefix) - 1;
	struct slice name, inner;

	if (filter.len < prefix ||
	    memcmp(filter.data, share_prefix, prefix) != 0) {
		*rest = filter;
		return 0;
	}
	inner = slice_of(filter.data + prefix, filter.len - prefix);
	if (!take_level(&inner, &name) || inner.len == 0)
		return -EINVAL;
	if (name.len == 0 || topic_has_wildcard(name))
		return -EINVAL;
	*group = name;
	*rest = inner;
	return 1;
}
