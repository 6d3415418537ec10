/*
 * hearthd, composed: database, hasher, broker, web and hearth-gpiod, each on its
 * thread or in its process. Main opens them in this order, waits for a signal,
 * and closes them in the other.
 */
#ifndef PROGRAMS_HUB_H
#define PROGRAMS_HUB_H

#include <stdbool.h>

struct config;
struct hub;

struct hub_options {
	const struct config *config; /* borrowed */
	const char *file; /* it was read from; NULL: none. Borrowed */
	bool demo;
};

/*
 * Open everything; on success everything runs and what a person needs to know
 * (addresses, login or claim token) has been printed on standard output. Returns 0
 * or a negative errno after logging what failed and why.
 *
 * Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD in this thread and those it makes.
 */
int hub_open(const struct hub_options *options, struct hub **out);

/* Until SIGINT or SIGTERM (0), or until a part has failed (negative errno), or until
 * a backup is ready to be put in place (0, *again): open it anew after closing. */
int hub_wait(struct hub *hub, bool *again);

/* In reverse order. Returns 0, or the negative errno for which something could
 * not be written (logged). NULL does nothing. */
int hub_close(struct hub *hub);

#endif
