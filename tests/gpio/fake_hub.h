/*
 * A hub for one node, on the test's own loop: it lets the node in, acknowledges,
 * remembers what was published, and says what the test wants.
 */
#ifndef TESTS_GPIO_FAKE_HUB_H
#define TESTS_GPIO_FAKE_HUB_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/base/slice.h"

struct loop;
struct fake_hub;

/* Listens on a unix socket in directory. Fails the test on any error. */
struct fake_hub *fake_hub_new(struct loop *loop, const char *directory);
void fake_hub_free(struct fake_hub *hub);
/* For node_options.hub. */
const char *fake_hub_address(const struct fake_hub *hub);

/* A message to the node; retain: as sent because of a subscribe. */
void fake_hub_send(struct fake_hub *hub, const char *topic, const char *payload,
		   bool retain);
void fake_hub_send_bytes(struct fake_hub *hub, const char *topic,
			 struct slice payload, bool retain);
/*
 * Turn the loop until the node has published this (NULL: any payload), looking
 * from behind the last one found. Returns the payload, valid until the next
 * call. Fails the test after half a minute.
 */
const char *fake_hub_await(struct fake_hub *hub, const char *topic,
			   const char *payload);
/* The last payload published on topic, retained: what a new subscriber would
 * get. NULL: none, or taken away. */
const char *fake_hub_retained(struct fake_hub *hub, const char *topic);
/* Has anything been published on topic since the last one awaited? */
bool fake_hub_heard(const struct fake_hub *hub, const char *topic);
/* Turn the loop until the node has subscribed to filter. */
void fake_hub_await_subscribe(struct fake_hub *hub, const char *filter);
/* Do not acknowledge what the node publishes, or do it at last. */
void fake_hub_hold(struct fake_hub *hub, bool hold);
/* There is no room to keep anything, or there is again. */
void fake_hub_fill(struct fake_hub *hub, bool full);
/* Let nobody in who has this will, as "topic=payload" (not copied), or at last
 * everybody: NULL. */
void fake_hub_keep_out(struct fake_hub *hub, const char *will);
/* Say nothing more, whatever comes: the network is cut. */
void fake_hub_mute(struct fake_hub *hub);
/* Break the connection; the node will come back. */
void fake_hub_kick(struct fake_hub *hub);
/* Turn the loop until the node has said goodbye (DISCONNECT). */
void fake_hub_await_goodbye(struct fake_hub *hub);

/* The will of the first connection, as "topic=payload". */
const char *fake_hub_will(const struct fake_hub *hub);
/* Is a connection there with this will? */
bool fake_hub_has_will(const struct fake_hub *hub, const char *will);

#endif
