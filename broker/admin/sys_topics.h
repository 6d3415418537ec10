/*
 * $SYS/broker/...: how the broker is doing, as retained messages under
 * Mosquitto's names, so that existing tools show it. Kept in memory only,
 * published when a value has changed. Who may read them is up to the access
 * rules; nobody may write them.
 *
 * Broker thread only.
 */
#ifndef BROKER_ADMIN_SYS_TOPICS_H
#define BROKER_ADMIN_SYS_TOPICS_H

#include "broker/base/slice.h"

struct broker;
struct sys_topics;

/* Publishes from now on, every SYS_TOPICS_MS. NULL when out of memory. */
struct sys_topics *sys_topics_new(struct broker *broker);
void sys_topics_free(struct sys_topics *sys);

/* Is this a topic that only the broker itself publishes to? */
bool sys_topics_own(struct slice topic);

#endif
