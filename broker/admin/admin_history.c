/* The history's policies of admin.h. */
#include <errno.h>

#include "broker/admin.h"
#include "broker/admin/admin_call.h"
#include "broker/history_rules.h"
#include "broker/routing/topic_cache.h"

static void drop_rules(void *rules)
{
	history_rules_unref(rules);
}

static int run_set_history(struct broker *b, struct admin_call *call)
{
	struct history_rules *rules = call->out;

	call->out = NULL;
	history_rules_unref(b->history_rules);
	b->history_rules = rules;
	b->history_generation++;
	topic_cache_void_all(b->cache);
	if (b->store)
		b->store->ops->history_rules(b->store, rules);
	return 0;
}

int admin_set_history(struct admin *admin, struct history_rules *rules)
{
	struct admin_call *call =
		admin_call_new(admin, run_set_history, slice_of(NULL, 0));

	if (!call)
		return -ENOMEM;
	call->out = history_rules_ref(rules);
	call->drop = drop_rules;
	return admin_call_ask(call, NULL);
}
