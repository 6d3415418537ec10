/*
 * REST calls of a logged-in administrator, and short ways to look into what
 * comes back. A failing call fails the test.
 */
#ifndef TESTS_WEB_REST_H
#define TESTS_WEB_REST_H

#include "tests/web/hub.h"

struct rig {
	struct hub *hub;
	struct login admin;
};

/* For cmocka: a claimed hub, logged in as its administrator. */
int rest_setup(void **state);
int rest_setup_stored(void **state); /* HUB_STORED */
int rest_teardown(void **state);

json_t *call(void **state, int status, const char *method, const char *path,
	     const char *body);
void expect(void **state, int status, const char *method, const char *path,
	    const char *body);

/* A field's text ("(none)"), number (0), list length, and one of its items. */
const char *text(const json_t *json, const char *name);
int64_t number(const json_t *json, const char *name);
size_t length(const json_t *json, const char *name);
const json_t *item(const json_t *json, const char *name, size_t i);

#endif
