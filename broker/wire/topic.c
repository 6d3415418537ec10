#include "broker/wire/topic.h"

#include <errno.h>

#define TOPIC_BYTES_MAX 65535

static const char share_prefix[] = "$share/";
static const char match_prefix[] = "$match/";
static const char history_prefix[] = "$history/";

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

bool topic_take_level(struct slice *rest, struct slice *level)
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

bool topic_level_is(struct slice level, char wildcard)
{
	return level.len == 1 && level.data[0] == (uint8_t)wildcard;
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
		more = topic_take_level(&filter, &level);
		if (topic_level_is(level, '#'))
			return !more; /* [MQTT-4.7.1-1] */
		if (!topic_level_is(level, '+') && topic_has_wildcard(level))
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
		filter_more = topic_take_level(&filter, &wanted);
		if (topic_level_is(wanted, '#'))
			return true;
		name_more = topic_take_level(&name, &level);
		if (!topic_level_is(wanted, '+') && !slice_equal(wanted, level))
			return false;
		if (!filter_more || !name_more)
			break;
	}

	/* "sport/#" also matches the parent, "sport" (4.7.1.2). */
	return filter_more == name_more ||
	       (filter_more && topic_level_is(filter, '#'));
}

static bool begins(struct slice text, const char *prefix)
{
	const size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

int topic_split_share(struct slice filter, struct slice *group,
		      struct slice *rest)
{
	const size_t prefix = sizeof(share_prefix) - 1;
	struct slice name, inner;

	if (!begins(filter, share_prefix)) {
		*rest = filter;
		return 0;
	}
	inner = slice_of(filter.data + prefix, filter.len - prefix);
	if (!topic_take_level(&inner, &name) || inner.len == 0)
		return -EINVAL;
	if (name.len == 0 || topic_has_wildcard(name))
		return -EINVAL;
	*group = name;
	*rest = inner;
	return 1;
}

static bool any_prefix(struct slice text)
{
	return begins(text, share_prefix) || begins(text, match_prefix) ||
	       begins(text, history_prefix);
}

/* $history/<kind>/<argument>/ off the front of the filter. */
static int split_history(struct topic_parts *out)
{
	const size_t prefix = sizeof(history_prefix) - 1;
	struct slice rest, kind, argument;

	if (!begins(out->filter, history_prefix))
		return 0;
	rest = slice_of(out->filter.data + prefix, out->filter.len - prefix);
	out->history.data = rest.data;
	if (!topic_take_level(&rest, &kind) ||
	    !topic_take_level(&rest, &argument) || rest.len == 0 ||
	    begins(rest, share_prefix) || begins(rest, history_prefix))
		return -EINVAL;
	out->history.len = kind.len + 1 + argument.len;
	out->filter = rest;
	return 0;
}

int topic_split(struct slice text, struct topic_parts *out)
{
	const size_t prefix = sizeof(match_prefix) - 1;
	struct slice rest;

	*out = (struct topic_parts){ .filter = text };
	if (split_history(out) < 0)
		return -EINVAL;
	if (topic_split_share(out->filter, &out->group, &out->filter) < 0 ||
	    begins(out->filter, history_prefix))
		return -EINVAL;
	if (!begins(out->filter, match_prefix))
		return 0;
	rest = slice_of(out->filter.data + prefix, out->filter.len - prefix);
	if (!topic_take_level(&rest, &out->predicate) || rest.len == 0 ||
	    any_prefix(rest))
		return -EINVAL;
	out->filter = rest;
	return 0;
}

/* Wildcards at the start match no name with '$' [MQTT-4.7.2-1]. */
static bool same_realm(struct slice a, struct slice b)
{
	return (a.data[0] == '$') == (b.data[0] == '$');
}

bool topic_filters_overlap(struct slice a, struct slice b)
{
	struct slice in_a, in_b;
	bool more_a, more_b;

	if (!same_realm(a, b))
		return false;

	do {
		more_a = topic_take_level(&a, &in_a);
		more_b = topic_take_level(&b, &in_b);
		if (topic_level_is(in_a, '#') || topic_level_is(in_b, '#'))
			return true;
		if (!topic_level_is(in_a, '+') && !topic_level_is(in_b, '+') &&
		    !slice_equal(in_a, in_b))
			return false;
	} while (more_a && more_b);

	/* "sport/#" also matches "sport". */
	return more_a == more_b || slice_equal(more_a ? a : b, slice_str("#"));
}

bool topic_filter_contains(struct slice outer, struct slice inner)
{
	struct slice in_o, in_i;
	bool more_o, more_i;

	if (!same_realm(outer, inner))
		return false;
	/* No name is without a first level: this is "#" in other words. */
	if (slice_equal(outer, slice_str("+/#")))
		return true;

	do {
		more_o = topic_take_level(&outer, &in_o);
		more_i = topic_take_level(&inner, &in_i);
		if (topic_level_is(in_o, '#'))
			return true;
		if (topic_level_is(in_i, '#') ||
		    (!topic_level_is(in_o, '+') && !slice_equal(in_o, in_i)))
			return false;
	} while (more_o && more_i);

	return more_o == more_i ||
	       (more_o && slice_equal(outer, slice_str("#")));
}
