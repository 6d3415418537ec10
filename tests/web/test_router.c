/* The table of routes, and openapi.json, which describes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"
#include "web/router.h"

static void test_targets_are_cut_up(void **state)
{
	static const struct {
		const char *target;
		size_t segments; /* 0: refused */
		const char *last;
	} targets[] = {
		{ "/", 1, "" },
		{ "/a", 1, "a" },
		{ "/a/b", 2, "b" },
		{ "/a/", 2, "" },
		{ "//a", 2, "a" },
		{ "/a%2Fb", 1, "a/b" },
		{ "/a%2fb/c", 2, "c" },
		{ "/%c3%a4", 1, "\xc3\xa4" },
		{ "/a+b", 1, "a+b" },
		{ "/%2e%2e/b", 2, "b" },
		{ "/1/2/3/4/5/6/7/8", 8, "8" },
		{ "/1/2/3/4/5/6/7/8/9", 0, NULL },
		{ "/a%00b", 0, NULL },
		{ "/a%0", 0, NULL },
		{ "/a%", 0, NULL },
		{ "/a%zz", 0, NULL },
		{ "/a%2", 0, NULL },
		{ "a", 0, NULL },
		{ "", 0, NULL },
		{ "/a?b=%00", 0, NULL },
		{ "/a?b=1&b=2", 0, NULL },
		{ "/a?1&2&3&4&5&6&7&8&9", 0, NULL },
		{ "/a?1&2&3&4&5&6&7&8", 1, "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct request *r = request_new(NULL, targets[i].target);

		assert_non_null(r);
		if (r->segment_count != targets[i].segments)
			fail_msg("%zu segments in %s", r->segment_count,
				 targets[i].target);
		if (targets[i].last)
			assert_string_equal(r->segments[r->segment_count - 1],
					    targets[i].last);
		request_free(r);
	}
}

static void test_parameters_are_decoded(void **state)
{
	struct request *r;

	(void)state;
	r = request_new(NULL, "/a?x=1+2&y=a%26b%3Dc&z&=w&&u=v=w");
	assert_non_null(r);
	assert_string_equal(request_query(r, "x"), "1 2");
	assert_string_equal(request_query(r, "y"), "a&b=c");
	assert_string_equal(request_query(r, "z"), "");
	assert_string_equal(request_query(r, ""), "w");
	assert_string_equal(request_query(r, "u"), "v=w");
	assert_null(request_query(r, "v"));
	request_free(r);
}

static const struct route *find(enum method method, const char *target,
				char allowed[ROUTER_ALLOWED_SIZE])
{
	struct request *r = request_new(NULL, target);
	const struct route *route;

	assert_non_null(r);
	r->method = method;
	route = router_find(r, allowed);
	request_free(r);
	return route;
}

static void test_routes_are_found(void **state)
{
	char allowed[ROUTER_ALLOWED_SIZE];
	const struct route *route;

	(void)state;
	route = find(METHOD_PUT, "/api/v1/users/anna", allowed);
	assert_string_equal(route->path, "/api/v1/users/{name}");
	route = find(METHOD_GET, "/api/v1/clients/a%2Fb/subscriptions",
		     allowed);
	assert_string_equal(route->path, "/api/v1/clients/{id}/subscriptions");
	route = find(METHOD_POST, "/api/v1/acl/test", allowed);
	assert_string_equal(route->path, "/api/v1/acl/test");
	assert_null(find(METHOD_POST, "/api/v1/users/anna", allowed));
	assert_string_equal(allowed, "PUT, DELETE");
	assert_null(find(METHOD_POST, "/api/v1/status", allowed));
	assert_string_equal(allowed, "GET, HEAD");
	assert_null(find(METHOD_GET, "/api/v1/users/", allowed));
	assert_null(find(METHOD_GET, "/api/v1/status/", allowed));
	assert_null(find(METHOD_GET, "/api/v1", allowed));
	assert_null(find(METHOD_GET, "/api/v1/nothing", allowed));
	assert_string_equal(allowed, "");
}

static json_t *load_document(void)
{
	json_error_t error;
	json_t *document;

	document = json_load_file(OPENAPI, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		fail_msg("openapi.json:%d: %s", error.line, error.text);
	return document;
}

static json_t *operation_of(const json_t *paths, const struct route *route)
{
	json_t *methods = json_object_get(paths, route->path);
	const char *name;
	json_t *operation;

	json_object_foreach(
		methods, name,
		operation) if (strcasecmp(name, method_text(route->method)) ==
			       0) return operation;
	return NULL;
}

static void test_every_route_is_documented(void **state)
{
	json_t *document = load_document();
	const json_t *paths = json_object_get(document, "paths");
	const struct route *routes;
	size_t count;

	(void)state;
	routes = router_table(&count);
	for (size_t i = 0; i < count; i++) {
		const json_t *operation = operation_of(paths, &routes[i]);
		const char *description;
		bool open;

		if (!operation)
			fail_msg("%s %s is not in openapi.json",
				 method_text(routes[i].method), routes[i].path);
		open = json_is_array(json_object_get(operation, "security"));
		assert_int_equal(open, routes[i].guard == ROUTE_PUBLIC);
		description = json_string_value(
			json_object_get(operation, "description"));
		assert_int_equal(description != NULL,
				 routes[i].guard == ROUTE_ADMIN);
	}
	json_decref(document);
}

static void test_everything_documented_is_a_route(void **state)
{
	json_t *document = load_document();
	const struct route *routes;
	const char *path, *method;
	json_t *methods, *operation;
	size_t count, seen = 0;

	(void)state;
	routes = router_table(&count);
	json_object_foreach(json_object_get(document, "paths"), path, methods)
	{
		json_object_foreach(methods, method, operation)
		{
			bool found = false;

			for (size_t i = 0; i < count; i++)
				found |= strcmp(routes[i].path, path) == 0 &&
					 strcasecmp(
						 method_text(routes[i].method),
						 method) == 0;
			if (!found)
				fail_msg("%s %s is no route", method, path);
			seen++;
		}
	}
	assert_int_equal(seen, count);
	json_decref(document);
}

/* Each {"$ref": "#/..."} leads somewhere. */
static void check_references(const json_t *document, json_t *node)
{
	const char *name, *target;
	json_t *child;
	size_t i;

	json_array_foreach(node, i, child) check_references(document, child);
	json_object_foreach(node, name, child)
	{
		const json_t *at = document;
		char copy[128], *rest = copy, *part;

		check_references(document, child);
		if (strcmp(name, "$ref") != 0)
			continue;
		target = json_string_value(child);
		assert_memory_equal(target, "#/", 2);
		snprintf(copy, sizeof(copy), "%s", target + 2);
		while ((part = strsep(&rest, "/")))
			at = json_object_get(at, part);
		if (!at)
			fail_msg("%s leads nowhere", target);
	}
}

static void test_references_lead_somewhere(void **state)
{
	json_t *document = load_document();

	(void)state;
	assert_string_equal(
		json_string_value(json_object_get(document, "openapi")),
		"3.1.0");
	check_references(document, document);
	json_decref(document);
}

static void test_no_memory(void **state)
{
	unsigned int n = 0;
	struct request *r;
	bool failed;

	(void)state;
	do {
		failing_malloc_arm(n++);
		r = request_new(NULL, "/a/b?c=d");
		failed = failing_malloc_disarm();
		/* Without room for the path it is refused, not half kept. */
		if (failed && r)
			assert_int_equal(r->segment_count, 0);
		request_free(r);
	} while (failed && n < 100);
	assert_true(n > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets_are_cut_up),
		cmocka_unit_test(test_parameters_are_decoded),
		cmocka_unit_test(test_routes_are_found),
		cmocka_unit_test(test_every_route_is_documented),
		cmocka_unit_test(test_everything_documented_is_a_route),
		cmocka_unit_test(test_references_lead_somewhere),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
