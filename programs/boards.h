/* What hearthd knows of its boards before the web side does: its own, and
 * satellites. */
#ifndef PROGRAMS_BOARDS_H
#define PROGRAMS_BOARDS_H

#include "broker/broker.h"
#include "broker/config/config.h"

struct db_config;

/* For broker_options: hearth/<node>/status of each board. */
struct boards {
	char topic[BROKER_STATUS_MAX][CONFIG_NAME_MAX + 16];
	const char *status_topics[BROKER_STATUS_MAX];
	size_t count;
};

/* node is the own board's name. Must stay where it is as long as the broker lives.
 * Returns 0 or a negative errno. */
int boards_list(struct boards *boards, struct db_config *config,
		const char *node);

/* The listener where whoever has a password can come by TLS, and is given the whole
 * tree: satellites can. NULL: there is none. */
const struct listener_options *boards_listener(const struct config *config);

#endif
