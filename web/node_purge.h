/*
 * Takes away the retained messages of a board that is gone, or is called otherwise
 * now: under its own topics, and as a device of the conventions it may have spoken.
 * It looks again until there is nothing left: the last words of a board whose
 * connection is being closed may still be on their way. The web thread's alone.
 */
#ifndef WEB_NODE_PURGE_H
#define WEB_NODE_PURGE_H

#include "broker/base/list.h"

struct node_purge;
struct web_context;

/* Messages taken away at a time, and looks at most: one each NODE_PURGE_MS. */
#define NODE_PURGE_BATCH 200
#define NODE_PURGE_ROUNDS 600
#define NODE_PURGE_MS 100

/* done, which may be NULL, is called once nothing is left, or nothing more can be
 * done (r: a negative errno); the purge is gone then. Name is copied. It is put
 * into list. Returns 0 or -ENOMEM. */
int node_purge_start(struct web_context *web, struct list *list,
		     const char *name,
		     void (*done)(struct web_context *web, const char *name,
				  int r));
/* Ends those of this name, NULL: all, without a call of done. */
void node_purge_stop(struct list *list, const char *name);

#endif
