/* Who waits for the answer to a command. Part of node_internal.h. */
#ifndef GPIO_NODE_ORDER_H
#define GPIO_NODE_ORDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A command that was accepted and not yet answered. */
struct node_order {
	bool waits;
	uint32_t token;
	char *topic; /* of the command; NULL: no memory to answer it */
	json_t *id; /* NULL: none */
};

#endif
