#include "web/web.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "broker/admin.h"
#include "broker/base/log.h"
#include "broker/base/tls.h"
#include "db/access_rules.h"
#include "db/claim.h"
#include "db/history.h"
#include "web/backup_jobs.h"
#include "web/context.h"
#include "web/front.h"
#include "web/hashing.h"
#include "web/known.h"
#include "web/limits.h"
#include "web/login.h"
#include "web/nodes.h"
#include "web/peers.h"
#include "web/server.h"
#include "web/session.h"
#include "web/throttle.h"
#include "web/upload.h"

struct web {
	struct web_context context;
	struct peers *peers;
	struct tls *tls;
	struct front *front;
	pthread_t thread;
	atomic_bool stopping;
	atomic_bool reload_wanted;
	web_reload_fn *reload;
	void *reload_arg;
};

static int reload(struct web_context *context, const struct web_report *report)
{
	struct web *web = list_entry(context, struct web, context);
	struct web_reloaded reloaded = { 0 };
	int r = web->reload(web->reload_arg, context->admin, &reloaded, report);

	if (r)
		return r;
	context->mqtts = reloaded.mqtts;
	if (reloaded.tls) {
		front_set_tls(web->front, reloaded.tls);
		tls_free(web->tls);
		web->tls = reloaded.tls;
	}
	return 0;
}

void web_reload(struct web *web)
{
	atomic_store(&web->reload_wanted, true);
	loop_wake(web->context.loop);
}

static void *run(void *arg)
{
	struct web *web = arg;
	int r;

	while (!atomic_load(&web->stopping)) {
		r = loop_turn(web->context.loop,
			      server_wait_ms(web->context.server));
		if (r) {
			log_error("web", "epoll: %s", strerrordesc_np(-r));
			break;
		}
		server_run(web->context.server);
		if (atomic_exchange(&web->reload_wanted, false) &&
		    web->context.reload)
			web->context.reload(&web->context, NULL);
	}
	return NULL;
}

/* No signal is ours; SIGPIPE of a write would end the process. */
static int start_thread(struct web *web)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&web->thread, NULL, run, web);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static void close_parts(struct web *web)
{
	struct web_context *context = &web->context;

	front_free(web->front);
	server_free(context->server);
	nodes_free(context->nodes);
	if (context->hashing)
		hashing_stop(context->hashing);
	if (context->backups)
		backup_jobs_stop(context->backups);
	upload_free(context->upload);
	if (context->loop) {
		loop_timer_cancel(context->loop, &context->restart_timer);
		loop_timer_cancel(context->loop, &context->access_timer);
		loop_timer_cancel(context->loop, &context->bans_timer);
		loop_timer_cancel(context->loop, &context->history_timer);
	}
	access_free(context->access);
	db_history_close(context->history);
	admin_close(context->admin);
	known_free(context->known);
	throttle_free(context->throttle);
	sessions_free(context->sessions);
	peers_free(web->peers);
	tls_free(web->tls);
	loop_free(context->loop);
}

static int open_state(struct web_context *context,
		      const struct web_options *options)
{
	struct db_access_options access = {
		.node = options->node,
		.dialects = options->dialects,
		.demo = options->demo,
	};
	int r;

	r = db_claim_state(options->config, &context->claimed);
	if (r == 0)
		r = db_access_build(options->config, &access, &context->access);
	if (r == 0)
		r = db_history_open(options->db, &context->history);
	return r;
}

static int open_parts(struct web *web, const struct web_options *options)
{
	struct web_context *context = &web->context;
	int r;

	r = open_state(context, options);
	if (r)
		return r;
	if (options->tls_certificate && options->tls_key) {
		const struct tls_options tls = {
			.certificate = options->tls_certificate,
			.key = options->tls_key,
			/* WebSocket is an upgrade of HTTP/1.1; we speak no
			 * other. */
			.protocol = "http/1.1",
		};

		web->tls = tls_new(&tls, "web");
		if (!web->tls)
			return -errno;
	}
	web->peers = peers_new(WEB_CONNECTIONS, WEB_CONNECTIONS_PER_IP);
	context->sessions = sessions_new();
	context->throttle = throttle_new();
	context->known = known_new();
	context->loop = loop_new();
	context->admin = admin_open(options->broker);
	context->upload = upload_new();
	if (!context->upload || !web->peers || !context->sessions ||
	    !context->throttle || !context->known || !context->loop ||
	    !context->admin)
		return -ENOMEM;
	context->hashing = hashing_new(context->loop, options->authenticator);
	if (!context->hashing)
		return -errno;
	hashing_keep_with(context->hashing, context, login_keep_scram);
	if (options->keeper) {
		context->backups =
			backup_jobs_new(context->loop, options->keeper);
		if (!context->backups)
			return -errno;
	}
	context->nodes = nodes_new(context);
	if (!context->nodes)
		return -errno;
	context->gpio = nodes_own(context->nodes);
	context->server = server_new(context, web->peers);
	if (!context->server)
		return -errno;
	web->front = front_new(context, web->peers, web->tls,
			       options->listeners, options->listener_count);
	return web->front ? 0 : -errno;
}

struct web *web_start(const struct web_options *options)
{
	struct web *web = calloc(1, sizeof(*web));
	int r;

	if (!web)
		return NULL;
	web->context = (struct web_context){
		.broker = options->broker,
		.config = options->config,
		.store = options->store,
		.node = options->node,
		.dialects = options->dialects,
		.mqtts = options->mqtts,
		.demo = options->demo,
		.restart = options->restart,
		.restart_arg = options->restart_arg,
		.site = { .node = options->node,
			  .hosts = options->hosts,
			  .host_count = options->host_count },
	};
	web->reload = options->reload;
	web->reload_arg = options->reload_arg;
	web->context.reload = options->reload ? reload : NULL;
	list_init(&web->context.streams);
	r = open_parts(web, options);
	if (r == 0)
		r = start_thread(web);
	if (r == 0)
		return web;
	log_error("web", "cannot start: %s", strerrordesc_np(-r));
	close_parts(web);
	hashing_free(web->context.hashing);
	backup_jobs_free(web->context.backups);
	free(web);
	errno = -r;
	return NULL;
}

uint16_t web_port(const struct web *web, size_t index)
{
	return front_port(web->front, index);
}

void web_stop(struct web *web)
{
	if (!web)
		return;
	atomic_store(&web->stopping, true);
	loop_wake(web->context.loop);
	pthread_join(web->thread, NULL);
	close_parts(web);
}

void web_free(struct web *web)
{
	if (!web)
		return;
	hashing_free(web->context.hashing);
	backup_jobs_free(web->context.backups);
	free(web);
}
