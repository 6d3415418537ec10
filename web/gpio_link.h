/*
 * Between config.db and one hearth-gpiod, over the broker: publishes the pins to be
 * set up, retained, on $hearth/gpio/<node>/config, and keeps what the node made
 * of them (.../report) and whether it is there (hearth/<node>/status). The
 * topics' payloads are described in gpio/topics.h and gpio/pins.h. The web
 * thread's alone.
 */
#ifndef WEB_GPIO_LINK_H
#define WEB_GPIO_LINK_H

#include <jansson.h>
#include <stdbool.h>

struct gpio_link;
struct web_context;

/* To the satellite of this name (copied), or "": the hub's own board. Publishes the
 * pins once. Returns NULL with errno set. */
struct gpio_link *gpio_link_new(struct web_context *web, const char *name);
void gpio_link_free(struct gpio_link *link);

/* What it is called in config.db ("": the hub's own), and in topics. */
const char *gpio_link_key(const struct gpio_link *link);
const char *gpio_link_name(const struct gpio_link *link);
/* What stands before a pin of it where it must be told from the hub's own: "", or
 * "garage/". */
const char *gpio_link_prefix(const struct gpio_link *link);

/* The pins in config.db have changed: publish them, again every second while
 * the broker is busy. */
void gpio_link_configure(struct gpio_link *link);

/* The last report, NULL while there is none. Borrowed. */
const json_t *gpio_link_report(const struct gpio_link *link);
bool gpio_link_online(const struct gpio_link *link);
/* "sim", "gpiod", or NULL while no node has reported. */
const char *gpio_link_backend(const struct gpio_link *link);
/* The configuration last published has not been answered yet. */
bool gpio_link_pending(const struct gpio_link *link);

/* Tell a simulated board to set or press an input; command is taken. Returns 0
 * or a negative errno. */
int gpio_link_simulate(struct gpio_link *link, json_t *command);

#endif
