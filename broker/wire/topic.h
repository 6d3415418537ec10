/*
 * Topic Names and Topic Filters (MQTT 5.0, section 4.7), by their bytes alone.
 * Both are at most 65,535 bytes, at least one, valid UTF-8 (asked of utf8.h by
 * the decoders before).
 */
#ifndef WIRE_TOPIC_H
#define WIRE_TOPIC_H

#include "broker/base/slice.h"

/* Levels of a name or filter. Bounds every walk of the topic tree. Mosquitto's
 * limit is 201; nobody who was served there is refused here. */
#define TOPIC_LEVELS_MAX 255

/* No wildcard, not empty, at most TOPIC_LEVELS_MAX levels, no U+0000. */
bool topic_name_valid(struct slice name);
/* '#' only last and alone in its level, '+' alone in its level. */
bool topic_filter_valid(struct slice filter);
bool topic_has_wildcard(struct slice filter);
size_t topic_levels(struct slice topic);

/* Take the first level off rest; false when it was the last. */
bool topic_take_level(struct slice *rest, struct slice *level);
/* Is the level just this wildcard, '+' or '#'? */
bool topic_level_is(struct slice level, char wildcard);

/* Of two valid filters: is there a name that both match; does outer match every
 * name that inner matches? "/#" is taken to match the empty name too, though
 * there is none: access rules are the narrower for it. */
bool topic_filters_overlap(struct slice a, struct slice b);
bool topic_filter_contains(struct slice outer, struct slice inner);

/* Does filter match name? '$' at the start matches no leading wildcard
 * [MQTT-4.7.2-1]. Both must be valid. The naive reference for the tree. */
bool topic_matches(struct slice filter, struct slice name);

/*
 * $share/<group>/<filter>: returns 1 and both parts; 0 if filter is not shared
 * (then *rest is filter); -EINVAL if it starts with $share/ but the group is
 * empty or holds '+', '#' or '/', or no filter follows [MQTT-4.8.2-1, -2].
 */
int topic_split_share(struct slice filter, struct slice *group,
		      struct slice *rest);

/* What a client may subscribe to:
 * [$share/<group>/|$history/<kind>/<argument>/][$match/<predicate>/]<filter>.
 * data of what is not there is NULL. */
struct topic_parts {
	struct slice history; /* <kind>/<argument>, see history_filter.h */
	struct slice group;
	struct slice predicate; /* whatever stands there, also nothing */
	struct slice filter; /* whether it is valid is asked of it alone */
};

/* Returns 0, or -EINVAL where topic_split_share() does, where $history/ is not
 * followed by three parts or $match/ by two, or where one of them stands where the
 * line above has no place for it. */
int topic_split(struct slice text, struct topic_parts *out);

#endif
