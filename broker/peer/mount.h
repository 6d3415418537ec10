/*
 * Mount points: clients of a listener with one live under a part of the tree, as
 * under a root of their own. What they publish, subscribe to and leave as their
 * will gets the prefix; what is sent to them has it taken away. Everything else in
 * the broker, the access rules too, sees whole topics.
 *
 * Broker thread only.
 */
#ifndef BROKER_PEER_MOUNT_H
#define BROKER_PEER_MOUNT_H

#include "broker/base/slice.h"

struct connection;
struct session;

/* The prefix, as "cabin/"; of a connection that is mounted. */
struct slice mount_of(const struct connection *c);

/*
 * topic with the prefix in front, valid until the next call for any connection.
 * Returns 0 and *topic; -EMSGSIZE, longer than a topic can be; -ENOMEM.
 */
int mount_topic(const struct connection *c, struct slice *topic);

/*
 * The filter of a subscription, $share/... and $match/... left in front, likewise.
 * One that cannot be taken apart stays as it is, to be refused by others.
 */
int mount_filter(const struct connection *c, struct slice *filter);

/* Without the prefix; as it is when it has another: what waited from before. */
struct slice mount_strip(const struct connection *c, struct slice topic);

/* Whether all that a session subscribes to lies under the mount point: it may have
 * been made through another listener. */
bool mount_holds(const struct connection *c, const struct session *session);

#endif
