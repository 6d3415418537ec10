/*
 * How admin.h's calls cross to the broker thread and back.
 */
#ifndef BROKER_ADMIN_ADMIN_CALL_H
#define BROKER_ADMIN_ADMIN_CALL_H

#include "broker/core.h"

struct admin_call;
typedef int admin_call_fn(struct broker *broker, struct admin_call *call);

/*
 * One question. It belongs to the broker thread until it comes back through the
 * reply mailbox. If the admin has given up waiting, it is found there, and freed,
 * by a later call.
 */
struct admin_call {
	struct broker_call call;
	struct admin *admin;
	admin_call_fn *fn; /* broker thread: fills out, returns the result */
	int result;
	void *out; /* what fn made; dropped with the call if not taken */
	void (*drop)(void *out); /* NULL: free() */
	char *text; /* client identifier, user, filter or topic: own copy */
	size_t text_len;
	char *user;
	char *after;
	size_t after_len;
	uint64_t tag;
	size_t limit;
	enum admin_which which;
	bool flag;
};

struct broker *admin_broker(const struct admin *admin);

/* NULL when out of memory. text is copied; data NULL: none. */
struct admin_call *admin_call_new(struct admin *admin, admin_call_fn *fn,
				  struct slice text);
void admin_call_free(struct admin_call *call);

/* Post and wait; the call (NULL: -ENOMEM) is freed in any case. Returns what fn
 * returned or an error of admin.h. On 0, *out (if asked for) is what fn made. */
int admin_call_ask(struct admin_call *call, void **out);

#endif
