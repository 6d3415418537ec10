/*
 * All boards of the house: the hub's own, and the satellites of config.db, with
 * the link to each. What one that is gone has left in the broker is taken away.
 * The web thread's alone.
 */
#ifndef WEB_NODES_H
#define WEB_NODES_H

#include <stddef.h>

struct gpio_link;
struct nodes;
struct request;
struct web_context;

/* With the satellites that are stored; whatever the hub's own board has left under
 * a name it had before is taken away. Returns NULL with errno set. */
struct nodes *nodes_new(struct web_context *web);
void nodes_free(struct nodes *nodes);

/* Satellites in config.db have changed. Those that cannot be followed (out of
 * memory) are logged, and tried again every second. */
void nodes_changed(struct nodes *nodes);

struct gpio_link *nodes_own(const struct nodes *nodes);
/* The own one is the first. NULL behind the last. */
struct gpio_link *nodes_at(const struct nodes *nodes, size_t i);

/* The board that the query parameter "node" names, the own one if there is none;
 * it is in request->gpio, too. NULL: there is none of this name, and that is
 * answered. */
struct gpio_link *nodes_of(struct request *request);

#endif
