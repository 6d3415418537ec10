/*
 * Read hearth.conf anew while everything runs. All of it or nothing: a mistake, a
 * certificate that cannot be used, or a change that needs a restart, and all
 * stays as it was. The web thread's, which does it for 'hearthctl reload' and for
 * SIGHUP alike.
 */
#ifndef PROGRAMS_RELOAD_H
#define PROGRAMS_RELOAD_H

#include "web/web.h"

struct broker;
struct broker_options;
struct config;
struct reload;

/* file may be NULL: there is none to read. All are borrowed. NULL when out of
 * memory. */
struct reload *reload_new(const char *file, const struct config *config,
			  const struct broker *broker);
/* After the broker's thread has ended. NULL does nothing. */
void reload_free(struct reload *reload);

/* struct web_reload's run, with a struct reload. */
web_reload_fn reload_run;

/* Where satellites come by what counts now; borrowed until the next reload. */
struct web_mqtts reload_mqtts(const struct reload *reload);

/* The numbers of [limits] as the broker takes them. */
void reload_limits(const struct config *config, struct broker_options *out);

#endif
