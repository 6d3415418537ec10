#include "web/router.h"

#include <stdio.h>
#include <string.h>

#include "web/api.h"

static const struct route routes[] = {
	{ METHOD_GET, "/healthz", ROUTE_PUBLIC, api_healthz },
	{ METHOD_GET, "/mqtt", ROUTE_PUBLIC, api_mqtt },
	{ METHOD_GET, "/api/v1/openapi.json", ROUTE_PUBLIC, api_openapi },
	{ METHOD_GET, "/api/v1/session", ROUTE_PUBLIC, api_session },
	{ METHOD_POST, "/api/v1/claim", ROUTE_PUBLIC, api_claim },
	{ METHOD_POST, "/api/v1/login", ROUTE_PUBLIC, api_login },
	{ METHOD_POST, "/api/v1/logout", ROUTE_USER, api_logout },
	{ METHOD_POST, "/api/v1/account/password", ROUTE_USER,
	  api_account_password },
	{ METHOD_GET, "/api/v1/status", ROUTE_USER, api_status },
	{ METHOD_GET, "/api/v1/clients", ROUTE_ADMIN, api_clients },
	{ METHOD_GET, "/api/v1/clients/{id}/subscriptions", ROUTE_ADMIN,
	  api_client_subscriptions },
	{ METHOD_DELETE, "/api/v1/clients/{id}", ROUTE_ADMIN,
	  api_client_disconnect },
	{ METHOD_GET, "/api/v1/users", ROUTE_ADMIN, api_users },
	{ METHOD_PUT, "/api/v1/users/{name}", ROUTE_ADMIN, api_user_put },
	{ METHOD_DELETE, "/api/v1/users/{name}", ROUTE_ADMIN, api_user_delete },
	{ METHOD_GET, "/api/v1/acl", ROUTE_ADMIN, api_rules },
	{ METHOD_POST, "/api/v1/acl", ROUTE_ADMIN, api_rule_add },
	{ METHOD_POST, "/api/v1/acl/test", ROUTE_ADMIN, api_rule_test },
	{ METHOD_DELETE, "/api/v1/acl/{id}", ROUTE_ADMIN, api_rule_delete },
	{ METHOD_GET, "/api/v1/pins", ROUTE_USER, api_pins },
	{ METHOD_PUT, "/api/v1/pins/{name}", ROUTE_ADMIN, api_pin_put },
	{ METHOD_DELETE, "/api/v1/pins/{name}", ROUTE_ADMIN, api_pin_delete },
	{ METHOD_POST, "/api/v1/sim/lines/{line}", ROUTE_ADMIN, api_sim_line },
	{ METHOD_POST, "/api/v1/publish", ROUTE_USER, api_publish },
	{ METHOD_GET, "/api/v1/topics", ROUTE_USER, api_topics },
	{ METHOD_GET, "/api/v1/topics/value", ROUTE_USER, api_topic_value },
	{ METHOD_GET, "/api/v1/history", ROUTE_USER, api_history },
	{ METHOD_GET, "/api/v1/history/topics", ROUTE_USER,
	  api_history_topics },
	{ METHOD_GET, "/api/v1/events", ROUTE_USER, api_events },
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
