/*
 * One node: the lines of a board on one side, the hub on the other, and between
 * them the decisions of logic.h. It works before the hub is there, with the
 * configuration kept in gpio.state, and goes on when the hub is gone.
 *
 * What it says and hears is in topics.h. Everything happens on the loop's
 * thread.
 */
#ifndef GPIO_NODE_H
#define GPIO_NODE_H

#include "gpio/lines.h"
#include "gpio/pins.h"

/* A line that could not be had is asked for again so often: somebody may have
 * let it go. */
#define NODE_RETRY_MS 5000u

/* To say goodbye to the hub at most; systemd waits longer. */
#define NODE_GOODBYE_MS 2000u

/* The hub is asked for a sign of life so often, in seconds, and gives the will
 * after one and a half times that. */
#define NODE_KEEP_ALIVE 10

struct client_tls;
struct loop;
struct node;

struct node_options {
	const char *name; /* topics_node_valid() */
	const char *hub; /* see client_options.address */
	const struct client_tls *tls; /* for mqtts://; borrowed */
	const char *user; /* NULL: the hub knows by the socket who we are */
	const char *password; /* NULL: none */
	const char *state_directory; /* NULL: nothing is kept */
	const char *sysfs; /* NULL: "/sys" */
};

/* Options are copied; loop and lines are borrowed. Returns 0, -EINVAL (name or
 * address) or -ENOMEM. */
int node_new(struct loop *loop, struct lines *lines,
	     const struct node_options *options, struct node **out);
/* Lets all lines go as they are. NULL is accepted. */
void node_free(struct node *node);

/* Take the lines of the kept configuration, then look for the hub. */
void node_start(struct node *node);

/* Drive every output to its safe value, say so and goodbye if the hub is there,
 * and call done out of the loop, at the latest after NODE_GOODBYE_MS. */
void node_stop(struct node *node, void (*done)(void *arg), void *arg);

/* True if this output's (or input's) line is held, and its state. For tests. */
bool node_state(const struct node *node, const char *pin, bool *on);

#endif
