#include "web/router.h"

#include <stdio.h>
#include <string.h>

#include "web/api.h"

static const struct route routes[] = {
	{ "/healthz", api_healthz, METHOD_GET, ROUTE_PUBLIC },
	{ "/mqtt", api_mqtt, METHOD_GET, ROUTE_PUBLIC },
	{ "/api/v1/openapi.json", api_openapi, METHOD_GET, ROUTE_PUBLIC },
	{ "/api/v1/session", api_session, METHOD_GET, ROUTE_PUBLIC },
	{ "/api/v1/claim", api_claim, METHOD_POST, ROUTE_PUBLIC },
	{ "/api/v1/login", api_login, METHOD_POST, ROUTE_PUBLIC },
	{ "/api/v1/logout", api_logout, METHOD_POST, ROUTE_USER },
	{ "/api/v1/account/password", api_account_password, METHOD_POST,
	  ROUTE_USER },
	{ "/api/v1/status", api_status, METHOD_GET, ROUTE_USER },
	{ "/api/v1/clients", api_clients, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/clients/{id}/subscriptions", api_client_subscriptions,
	  METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/clients/{id}", api_client_disconnect, METHOD_DELETE,
	  ROUTE_ADMIN },
	{ "/api/v1/users", api_users, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/users/{name}", api_user_put, METHOD_PUT, ROUTE_ADMIN },
	{ "/api/v1/users/{name}", api_user_delete, METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/acl", api_rules, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/acl", api_rule_add, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/acl/test", api_rule_test, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/acl/{id}", api_rule_delete, METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/audit", api_audit, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/backup", api_backup, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/backups", api_backups, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/backups", api_backup_make, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/backups/{number}", api_backup_fetch, METHOD_GET,
	  ROUTE_ADMIN },
	{ "/api/v1/bans", api_bans, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/bans", api_ban_add, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/bans/{id}", api_ban_delete, METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/restore", api_restore, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/restore", api_restore_forget, METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/restore/confirm", api_restore_confirm, METHOD_POST,
	  ROUTE_ADMIN },
	/* Who knows the name was given it: upload.h. */
	{ "/api/v1/restore/{upload}", api_restore_upload, METHOD_PUT,
	  ROUTE_PUBLIC },
	{ "/api/v1/reload", api_reload, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/trace", api_trace, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/trace", api_trace_start, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/trace", api_trace_stop, METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/notices", api_notices, METHOD_GET, ROUTE_ADMIN },
	{ "/api/v1/notices/{name}", api_notice_delete, METHOD_DELETE,
	  ROUTE_ADMIN },
	{ "/api/v1/devices", api_devices, METHOD_GET, ROUTE_USER },
	{ "/api/v1/devices/{name}", api_device_put, METHOD_PUT, ROUTE_ADMIN },
	{ "/api/v1/devices/{name}", api_device_delete, METHOD_DELETE,
	  ROUTE_ADMIN },
	{ "/api/v1/nodes", api_nodes, METHOD_GET, ROUTE_USER },
	{ "/api/v1/nodes/{name}", api_node_put, METHOD_PUT, ROUTE_ADMIN },
	{ "/api/v1/nodes/{name}", api_node_delete, METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/nodes/{name}/credential", api_node_credential, METHOD_POST,
	  ROUTE_ADMIN },
	{ "/api/v1/pins", api_pins, METHOD_GET, ROUTE_USER },
	{ "/api/v1/pins/{name}", api_pin_put, METHOD_PUT, ROUTE_ADMIN },
	{ "/api/v1/pins/{name}", api_pin_delete, METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/sim/lines/{line}", api_sim_line, METHOD_POST, ROUTE_ADMIN },
	{ "/api/v1/publish", api_publish, METHOD_POST, ROUTE_USER },
	{ "/api/v1/topics", api_topics, METHOD_GET, ROUTE_USER },
	{ "/api/v1/topics/value", api_topic_value, METHOD_GET, ROUTE_USER },
	{ "/api/v1/history", api_history, METHOD_GET, ROUTE_USER },
	{ "/api/v1/history/topics", api_history_topics, METHOD_GET,
	  ROUTE_USER },
	{ "/api/v1/history/export", api_history_export, METHOD_GET,
	  ROUTE_USER },
	{ "/api/v1/history/status", api_history_status, METHOD_GET,
	  ROUTE_USER },
	{ "/api/v1/history/limits", api_history_limits_put, METHOD_PUT,
	  ROUTE_ADMIN },
	{ "/api/v1/history/policies", api_history_policies, METHOD_GET,
	  ROUTE_ADMIN },
	{ "/api/v1/history/policies/{filter}", api_history_policy_put,
	  METHOD_PUT, ROUTE_ADMIN },
	{ "/api/v1/history/policies/{filter}", api_history_policy_delete,
	  METHOD_DELETE, ROUTE_ADMIN },
	{ "/api/v1/events", api_events, METHOD_GET, ROUTE_USER },
};

static const char *const methods[METHODS] = { "GET", "POST", "PUT", "DELETE" };

const char *method_text(enum method method)
{
	return methods[method];
}

enum method method_parse(const char *text)
{
	if (strcmp(text, "HEAD") == 0)
		return METHOD_GET;
	for (int i = 0; i < METHODS; i++)
		if (strcmp(text, methods[i]) == 0)
			return (enum method)i;
	return METHODS;
}

static bool path_matches(const struct request *request, const char *path)
{
	size_t i = 0;

	while (*path == '/') {
		size_t len = strcspn(++path, "/");
		const char *segment;

		if (i == request->segment_count)
			return false;
		segment = request->segments[i++];
		if (*path == '{') {
			if (!*segment)
				return false;
		} else if (strlen(segment) != len ||
			   memcmp(segment, path, len) != 0) {
			return false;
		}
		path += len;
	}
	return i == request->segment_count;
}

const struct route *router_find(const struct request *request,
				char allowed[ROUTER_ALLOWED_SIZE])
{
	const struct route *found = NULL;
	size_t len = 0;

	allowed[0] = '\0';
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *route = &routes[i];

		if (!path_matches(request, route->path))
			continue;
		if (route->method == request->method && !found)
			found = route;
		len += (size_t)snprintf(
			allowed + len, ROUTER_ALLOWED_SIZE - len, "%s%s%s",
			len ? ", " : "", method_text(route->method),
			route->method == METHOD_GET ? ", HEAD" : "");
	}
	return found;
}

const struct route *router_table(size_t *count)
{
	*count = sizeof(routes) / sizeof(routes[0]);
	return routes;
}
