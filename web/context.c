#include "web/context.h"

#include <stdio.h>
#include <string.h>

#include "broker/admin.h"
#include "broker/base/log.h"
#include "db/access_rules.h"
#include "db/bans.h"

#define RETRY_MS 1000

static int build(struct web_context *web, struct access **out)
{
	struct db_access_options options = {
		.node = web->node,
		.demo = web->demo,
	};

	return db_access_build(web->config, &options, out);
}

static void tell_broker(struct web_context *web);

static void try_again(struct loop_timer *timer)
{
	tell_broker(list_entry(timer, struct web_context, access_timer));
}

static void tell_broker(struct web_context *web)
{
	struct access *access;
	int r = build(web, &access);

	if (r == 0)
		r = admin_set_access(web->admin, access);
	if (r == 0)
		return;
	log_warn("users and rules", "the broker could not be told: %s",
		 strerrordesc_np(-r));
	web->access_timer.fn = try_again;
	loop_timer_set(web->loop, &web->access_timer, RETRY_MS);
}

int context_access_changed(struct web_context *web)
{
	struct access *access;
	int r = build(web, &access);

	if (r)
		return r;
	access_free(web->access);
	web->access = access;
	loop_timer_cancel(web->loop, &web->access_timer);
	tell_broker(web);
	return 0;
}

static void tell_bans(struct web_context *web, struct bans *bans);

static void try_bans_again(struct loop_timer *timer)
{
	struct web_context *web =
		list_entry(timer, struct web_context, bans_timer);
	struct bans *bans = NULL;

	if (db_bans_build(web->config, &bans) == 0)
		tell_bans(web, bans);
	else
		loop_timer_set(web->loop, timer, RETRY_MS);
}

static void tell_bans(struct web_context *web, struct bans *bans)
{
	int r = admin_set_bans(web->admin, bans);

	if (r == 0)
		return;
	log_warn("bans", "the broker could not be told: %s",
		 strerrordesc_np(-r));
	web->bans_timer.fn = try_bans_again;
	loop_timer_set(web->loop, &web->bans_timer, RETRY_MS);
}

int context_bans_changed(struct web_context *web)
{
	struct bans *bans;
	int r = db_bans_build(web->config, &bans);

	if (r)
		return r;
	loop_timer_cancel(web->loop, &web->bans_timer);
	tell_bans(web, bans);
	return 0;
}

void context_client_id(struct web_context *web, char *out, size_t size)
{
	web->local_clients++;
	snprintf(out, size, "$web-%llu",
		 (unsigned long long)web->local_clients);
}
