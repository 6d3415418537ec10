#include "tests/web/rest.h"

#include <stdlib.h>

static int start(void **state, enum hub_kind kind)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->hub = hub_start(kind);
	rig->admin = hub_login(rig->hub, HUB_ADMIN, HUB_PASSWORD);
	*state = rig;
	return 0;
}

int rest_setup(void **state)
{
	return start(state, HUB_CLAIMED);
}

int rest_setup_stored(void **state)
{
	return start(state, HUB_STORED);
}

int rest_teardown(void **state)
{
	struct rig *rig = *state;

	hub_stop(rig->hub);
	free(rig);
	return 0;
}

json_t *call(void **state, int status, const char *method, const char *path,
	     const char *body)
{
	struct rig *rig = *state;

	return hub_expect(rig->hub, status, method, path, rig->admin.headers,
			  body);
}

void expect(void **state, int status, const char *method, const char *path,
	    const char *body)
{
	json_decref(call(state, status, method, path, body));
}

const char *text(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	return value ? value : "(none)";
}

int64_t number(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

size_t length(const json_t *json, const char *name)
{
	return json_array_size(json_object_get(json, name));
}

const json_t *item(const json_t *json, const char *name, size_t i)
{
	return json_array_get(json_object_get(json, name), i);
}
