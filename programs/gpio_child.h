/*
 * hearth-gpiod as a child of hearthd: with which arguments it runs, that it runs
 * again when it has ended, and that its outputs are made safe in between.
 */
#ifndef PROGRAMS_GPIO_CHILD_H
#define PROGRAMS_GPIO_CHILD_H

struct config;
struct gpio_child;
struct loop;

/* A hearth-gpiod that has said nothing for so long hangs, and is killed. Writing
 * the configuration to a slow card takes a second or two. */
#define GPIO_CHILD_WATCHDOG_MS 5000

/* socket: where the hub listens for it. Everything is borrowed. Returns 0, with
 * *out NULL if none is to be started; or a negative errno, which has been logged. */
int gpio_child_start(struct loop *loop, const struct config *config,
		     const char *socket, struct gpio_child **out);
/* Ends it. NULL does nothing, here and below. */
void gpio_child_free(struct gpio_child *child);

/* A child of this process has ended, perhaps this one. */
void gpio_child_reap(struct gpio_child *child);

#endif
