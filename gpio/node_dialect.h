/*
 * A convention of other home automation that a node speaks on a connection of its
 * own, because it has a will of its own there. What all of these have in common:
 * when the connection begins and ends, that everything is said anew when a hub
 * that did not read has caught up, and that nothing is left when the convention is
 * no longer spoken. On the loop's thread.
 */
#ifndef GPIO_NODE_DIALECT_H
#define GPIO_NODE_DIALECT_H

#include "broker/base/loop.h"
#include "broker/client/client.h"
#include "gpio/homie.h"

/* Bytes of any topic of a dialect, with its NUL. */
#define NODE_DIALECT_TOPIC_SIZE HOMIE_TOPIC_SIZE

struct node;
struct node_dialect;

struct node_dialect_ops {
	const char *name; /* for the log */
	const char *suffix; /* of the client's identifier */
	/* Bytes of the dialect's own struct, which begins with struct
	 * node_dialect and is all zero at first. */
	size_t size;
	/* Is it in the configuration in force? */
	bool (*spoken)(const struct node *node);
	/* Write the will's topic; returns its payload. */
	const char *(*will)(const struct node *node,
			    char topic[NODE_DIALECT_TOPIC_SIZE]);
	/* Subscribe. Returns 0 or a negative errno. */
	int (*begin)(struct node_dialect *dialect);
	/* Everything as it stands. */
	void (*say)(struct node_dialect *dialect);
	/* The last word: the node stops, or loses the hub in an orderly way. */
	void (*stop)(struct node_dialect *dialect);
	/* Take away whatever is retained. */
	void (*leave)(struct node_dialect *dialect);
	void (*message)(struct node_dialect *dialect,
			const struct client_message *message);
	/* May be NULL: give back what the dialect has of its own. */
	void (*end)(struct node_dialect *dialect);
};

struct node_dialect {
	const struct node_dialect_ops *ops;
	struct node *node;
	struct client *client;
	struct loop_timer timer; /* ends it, out of its own callback */
	struct node_dialect **place; /* where the node has it */
	bool leaving; /* for good: it is no longer spoken */
	bool stopped;
	unsigned int connects; /* so far */
	bool behind; /* something had no room: all is said again */
	bool refused; /* said already: the hub keeps nothing, or may not */
};

/* Begin or leave, as the configuration in force has it. *place is NULL at first. */
void node_dialect_apply(struct node *node, struct node_dialect **place,
			const struct node_dialect_ops *ops);
/* Everything, if the hub is there. NULL is accepted by this and all below. */
void node_dialect_say(struct node_dialect *dialect);
/* Somebody hears what is said now. */
bool node_dialect_there(const struct node_dialect *dialect);
/* QoS 1. What has no room is noted, and everything said later. */
void node_dialect_publish(struct node_dialect *dialect, const char *topic,
			  const char *text, bool retain);
void node_dialect_stop(struct node_dialect *dialect);
/* After node_dialect_stop(): all has been said. */
bool node_dialect_idle(const struct node_dialect *dialect);
void node_dialect_free(struct node_dialect *dialect);

#endif
