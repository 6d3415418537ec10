/*
 * The user property "match" of a SUBSCRIBE or UNSUBSCRIBE (5.0): a predicate for
 * each of its filters, for clients that would rather not write $match/ in front.
 * It means the same subscription: name "match" and value "temp>25" make
 * $match/temp>25/home/+ of home/+. In the value / + # may stand as they are.
 *
 * Broker thread only.
 */
#ifndef BROKER_MATCH_MATCH_PROPERTY_H
#define BROKER_MATCH_MATCH_PROPERTY_H

#include "broker/wire/properties.h"

/* Returns 1 and the value, 0 if there is none, -EINVAL if there are several. */
int match_property_find(const struct mqtt_properties *properties,
			struct slice *value);

/*
 * Write the filter with the predicate into name, which is malloc()ed. Returns 0;
 * -EINVAL if the filter is malformed; -EEXIST if it has a predicate already;
 * -EMSGSIZE if it would be longer than a filter may be; -ENOMEM.
 */
int match_property_name(struct slice value, struct slice filter,
			struct slice *name);

/* Byte at, from 1, of the predicate in such a name is which of the value? */
size_t match_property_place(struct slice value, size_t at);

#endif
