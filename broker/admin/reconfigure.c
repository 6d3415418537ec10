#include "broker/admin/reconfigure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/admin/admin_call.h"
#include "broker/base/tls.h"
#include "broker/peer/listener.h"
#include "broker/peer/moved.h"
#include "broker/peer/rate.h"
#include "broker/routing/retained.h"
#include "broker/session/backlog.h"

struct one {
	struct listener_options options;
	struct tls *tls;
};

/* The listeners' options live here, until the next one. */
struct reconfigured {
	struct broker_options options;
	size_t count;
	struct one listeners[];
};

void reconfigured_free(struct reconfigured *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		tls_free(r->listeners[i].tls);
	free(r);
}

static void drop(void *r)
{
	reconfigured_free(r);
}

static struct listener *find(const struct broker *b, const char *name)
{
	for (size_t i = 0; i < b->listener_count; i++)
		if (strcmp(listener_options(b->listeners[i])->name, name) == 0)
			return b->listeners[i];
	return NULL;
}

/* All of those that have options of the last time, and none that there is not. */
static bool fits(const struct broker *b, const struct reconfigured *wanted)
{
	if (b->reconfigured && b->reconfigured->count != wanted->count)
		return false;
	for (size_t i = 0; i < wanted->count; i++)
		if (!find(b, wanted->listeners[i].options.name))
			return false;
	return true;
}

static void take_listeners(struct broker *b, struct reconfigured *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		struct one *one = &wanted->listeners[i];

		listener_take(find(b, one->options.name), &one->options,
			      one->tls);
		one->tls = NULL;
	}
}

static int run(struct broker *b, struct admin_call *call)
{
	struct reconfigured *wanted = call->out;
	const struct broker_options was = b->options;

	if (!fits(b, wanted))
		return -EINVAL;
	call->out = NULL;
	take_listeners(b, wanted);
	b->options = wanted->options;
	b->options.listeners = was.listeners;
	b->options.listener_count = was.listener_count;
	b->options.node = was.node;
	b->options.hosts = was.hosts;
	b->options.host_count = was.host_count;
	b->options.access = was.access;
	b->options.bans = was.bans;
	b->options.authenticator = was.authenticator;
	b->options.store = was.store;
	b->options.closed = was.closed;
	b->options.history = was.history;
	b->options.history_rules = was.history_rules;
	b->options.status_topics = was.status_topics;
	b->options.status_count = was.status_count;
	b->options.set_aside = was.set_aside;
	/* Buffers were made for it. */
	b->options.max_packet_size = was.max_packet_size;
	broker_fill_defaults(&b->options);
	retained_limit(b->retained, b->options.max_retained,
		       b->options.max_retained_bytes);
	backlog_configure(b);
	rate_configure(b);
	if (b->options.server_reference)
		moved_sweep(b);
	reconfigured_free(b->reconfigured);
	b->reconfigured = wanted;
	return 0;
}

static struct reconfigured *copy(const struct broker_options *options,
				 struct tls *const *tls)
{
	const size_t count = options->listener_count;
	struct reconfigured *r =
		malloc(sizeof(*r) + count * sizeof(r->listeners[0]));

	if (!r)
		return NULL;
	r->options = *options;
	r->count = count;
	for (size_t i = 0; i < count; i++)
		r->listeners[i] = (struct one){
			.options = options->listeners[i],
			.tls = tls[i],
		};
	return r;
}

int reconfigure(struct admin *admin, const struct broker_options *options,
		struct tls *const *tls)
{
	struct reconfigured *made = copy(options, tls);
	struct admin_call *call;

	if (!made) {
		for (size_t i = 0; i < options->listener_count; i++)
			tls_free(tls[i]);
		return -ENOMEM;
	}
	call = admin_call_new(admin, run, slice_of(NULL, 0));
	if (!call) {
		reconfigured_free(made);
		return -ENOMEM;
	}
	call->out = made;
	call->drop = drop;
	return admin_call_ask(call, NULL);
}
