#include "web/context.h"

#include <stdio.h>
#include <string.h>

#include "broker/admin.h"
#include "broker/base/log.h"
#include "db/access_rules.h"
#include "db/bans.h"
#include "db/history_policies.h"

#define RETRY_MS 1000

static int build(struct web_context *web, struct access **out)
{
	struct db_access_options options = {
		.node = web->node,
		.dialects = web->dialects,
		.demo = web->demo,
	};

	return db_access_build(web->config, &options, out);
}

/* They stand in config.db: neither want of memory nor a busy broker may make them
 * wait for the next change. */
static void later(struct web_context *web, struct loop_timer *timer,
		  void (*again)(struct loop_timer *timer), const char *what,
		  int error)
{
	log_warn(what, "not in force yet, tried again: %s",
		 strerrordesc_np(-error));
	timer->fn = again;
	loop_timer_set(web->loop, timer, RETRY_MS);
}

static void try_access_again(struct loop_timer *timer)
{
	context_access_changed(
		list_entry(timer, struct web_context, access_timer));
}

/* Ours first: what it says counts here at once. */
static int access_changed(struct web_context *web)
{
	struct access *access;
	int r = build(web, &access);

	if (r)
		return r;
	access_free(web->access);
	web->access = access;
	r = build(web, &access);
	if (r == 0)
		r = admin_set_access(web->admin, access);
	if (r)
		later(web, &web->access_timer, try_access_again,
		      "users and rules", r);
	return 0;
}

int context_access_changed(struct web_context *web)
{
	int r;

	loop_timer_cancel(web->loop, &web->access_timer);
	r = access_changed(web);
	if (r)
		later(web, &web->access_timer, try_access_again,
		      "users and rules", r);
	return r;
}

static void try_bans_again(struct loop_timer *timer)
{
	context_bans_changed(list_entry(timer, struct web_context, bans_timer));
}

int context_bans_changed(struct web_context *web)
{
	struct bans *bans;
	int r = db_bans_build(web->config, &bans);
	int told = r;

	loop_timer_cancel(web->loop, &web->bans_timer);
	if (r == 0)
		told = admin_set_bans(web->admin, bans);
	if (told)
		later(web, &web->bans_timer, try_bans_again, "bans", told);
	return r;
}

static void try_history_again(struct loop_timer *timer)
{
	context_history_changed(
		list_entry(timer, struct web_context, history_timer));
}

int context_history_changed(struct web_context *web)
{
	struct history_rules *rules;
	int r = db_history_policies_build(web->config, &rules);
	int told = r;

	loop_timer_cancel(web->loop, &web->history_timer);
	if (r == 0) {
		told = admin_set_history(web->admin, rules);
		history_rules_unref(rules);
	}
	if (told)
		later(web, &web->history_timer, try_history_again, "history",
		      told);
	return r;
}

void context_client_id(struct web_context *web, char *out, size_t size)
{
	web->local_clients++;
	snprintf(out, size, "$web-%llu",
		 (unsigned long long)web->local_clients);
}
