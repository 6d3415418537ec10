/* How the hub is: /status, /healthz; and what stands beside the resources. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/admin.h"
#include "db/config.h"
#include "db/db.h"
#include "web/api.h"
#include "web/assets.h"
#include "web/gpio_link.h"
#include "web/reply.h"

/* Resident bytes by /proc/self/statm; 0 if that cannot be read. */
static json_int_t rss_bytes(void)
{
	unsigned long pages = 0;
	char text[128];
	char *rest;
	FILE *file;

	file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	/* size resident shared ... */
	if (fgets(text, sizeof(text), file)) {
		strtoul(text, &rest, 10);
		pages = strtoul(rest, NULL, 10);
	}
	fclose(file);
	return (json_int_t)pages * sysconf(_SC_PAGESIZE);
}

static const char *store_state(const struct request *request,
			       const struct admin_counters *counters)
{
	if (!counters->has_store)
		return "none";
	if (db_stand_in(db_config_db(request->web->config)))
		return "memory";
	if (counters->store_refuses)
		return "refusing";
	return counters->store_health == STORE_OK ? "ok" : "degraded";
}

void api_status(struct request *request)
{
	const struct web_context *web = request->web;
	struct admin_counters n;
	json_t *body;
	int r;

	r = admin_counters(web->admin, &n);
	if (r) {
		reply_error(request, r, "Reading the counters");
		return;
	}
	body = json_pack(
		"{s:s,s:s,s:I,s:b,s:{s:I,s:I},s:{s:I,s:I,s:I},s:I,s:I,"
		"s:{s:s,s:I},s:{s:b,s:s?},s:I}",
		"node", web->node, "version", HEARTH_VERSION, "uptime_s",
		(json_int_t)(n.uptime_ms / 1000), "demo", (int)web->demo,
		"clients", "connected", (json_int_t)n.connections, "sessions",
		(json_int_t)n.sessions, "messages", "received",
		(json_int_t)n.messages_received, "sent",
		(json_int_t)n.messages_sent, "dropped",
		(json_int_t)n.messages_dropped, "retained",
		(json_int_t)n.retained, "subscriptions",
		(json_int_t)n.subscriptions, "store", "state",
		store_state(request, &n), "pending",
		(json_int_t)n.store_pending, "gpio", "online",
		(int)gpio_link_online(web->gpio), "backend",
		gpio_link_backend(web->gpio), "rss_bytes", rss_bytes());
	reply_json(request, 200, body);
}

void api_healthz(struct request *request)
{
	struct admin_counters counters;
	int r = admin_counters(request->web->admin, &counters);

	if (r)
		reply_text(request, 503, "the broker does not answer\n");
	else if (counters.has_store && counters.store_health != STORE_OK)
		reply_text(request, 503, "the store cannot write\n");
	else if (counters.store_refuses)
		reply_text(request, 503, "the store can keep nothing more\n");
	else
		reply_text(request, 200, "ok\n");
}

/* The front hands upgrades over before they come here, unless the connection
 * had another request before: then it is too late. */
void api_mqtt(struct request *request)
{
	reply_problem(request, 426, "upgrade-required",
		      "Here one speaks MQTT over WebSocket, on a connection of "
		      "its own.");
	reply_header(request, "Upgrade", "websocket");
}

void api_openapi(struct request *request)
{
	assets_reply_openapi(request);
}
