/*
 * A stream of server-sent events (WHATWG HTML, 9.2) cut into events, whatever
 * pieces it comes in. It knows no JSON.
 */
#ifndef CTL_EVENTS_H
#define CTL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

struct events;

/* Bytes of one event: a message of 1 MiB in base64 with its topic. */
#define EVENTS_MAX (4 * 1024 * 1024)

/* type is "message" unless the event says otherwise; both are valid during the
 * call. Return false to end. */
typedef bool events_fn(void *arg, const char *type, const char *data,
		       size_t len);

/* Returns NULL when out of memory. */
struct events *events_new(events_fn *fn, void *arg);
void events_free(struct events *events);

/* Returns 0; -ECANCELED when fn ended it; -EMSGSIZE: an event past EVENTS_MAX;
 * -ENOMEM. */
int events_feed(struct events *events, const char *data, size_t len);

#endif
