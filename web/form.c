#include "web/form.h"

#include <stdio.h>
#include <strings.h>

#include "web/reply.h"

static bool is_json(struct slice type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	return type.len >= len &&
	       strncasecmp((const char *)type.data, json, len) == 0 &&
	       (type.len == len || type.data[len] == ';' ||
		type.data[len] == ' ');
}

bool form_begin(struct form *form, struct request *request)
{
	json_error_t error;

	*form = (struct form){ .request = request };
	if (!is_json(request_header(request, "Content-Type"))) {
		reply_problem(request, 415, "not-json",
			      "Content-Type must be application/json.");
		return false;
	}
	request->json =
		json_loadb((const char *)request->body.data, request->body.len,
			   JSON_REJECT_DUPLICATES, &error);
	if (!request->json) {
		reply_problem(request, 400, "malformed-json",
			      "Line %d, column %d: %s", error.line,
			      error.column, error.text);
		return false;
	}
	if (!json_is_object(request->json)) {
		reply_problem(request, 400, "malformed-json",
			      "The body must be a JSON object.");
		return false;
	}
	form->rest = json_copy(request->json);
	form->errors = json_array();
	if (form->rest && form->errors)
		return true;
	json_decref(form->rest);
	json_decref(form->errors);
	reply_json(request, 503, NULL);
	return false;
}

void form_error(struct form *form, const char *field, const char *message)
{
	if (json_array_append_new(
		    form->errors,
		    json_pack("{s:s,s:s}", "field", field, "message", message)))
		form->failed = true;
}

bool form_end(struct form *form)
{
	const char *name;
	json_t *value;
	bool good;

	json_object_foreach(form->rest, name, value)
		form_error(form, name, "is not known here");
	json_decref(form->rest);
	good = json_array_size(form->errors) == 0;
	if (form->failed) {
		json_decref(form->errors);
		reply_json(form->request, 503, NULL);
		return false;
	}
	if (good)
		json_decref(form->errors);
	else
		reply_invalid(form->request, form->errors);
	return good;
}

bool form_has(const struct form *form, const char *name)
{
	const json_t *value = json_object_get(form->request->json, name);

	return value && !json_is_null(value);
}

void form_ignore(struct form *form, const char *name)
{
	json_object_del(form->rest, name);
}

/* NULL if it is not there; then, if needed, that is told. */
static json_t *take(struct form *form, const char *name, enum form_need need)
{
	json_object_del(form->rest, name);
	if (form_has(form, name))
		return json_object_get(form->request->json, name);
	if (need == FORM_REQUIRED)
		form_error(form, name, "is required");
	return NULL;
}

const char *form_text(struct form *form, const char *name, enum form_need need,
		      size_t max)
{
	const json_t *value = take(form, name, need);
	char message[64];

	if (!value)
		return NULL;
	if (!json_is_string(value)) {
		form_error(form, name, "must be a text");
		return NULL;
	}
	if (json_string_length(value) > max) {
		snprintf(message, sizeof(message),
			 "must be at most %zu bytes long", max);
		form_error(form, name, message);
		return NULL;
	}
	return json_string_value(value);
}

bool form_bool(struct form *form, const char *name, bool otherwise)
{
	const json_t *value = take(form, name, FORM_OPTIONAL);

	if (!value)
		return otherwise;
	if (!json_is_boolean(value)) {
		form_error(form, name, "must be true or false");
		return otherwise;
	}
	return json_is_true(value);
}

int64_t form_number(struct form *form, const char *name, enum form_need need,
		    int64_t min, int64_t max)
{
	const json_t *value = take(form, name, need);
	char message[96];
	int64_t n;

	if (!value)
		return min;
	n = json_integer_value(value);
	if (json_is_integer(value) && n >= min && n <= max)
		return n;
	snprintf(message, sizeof(message),
		 "must be a whole number from %lld to %lld", (long long)min,
		 (long long)max);
	form_error(form, name, message);
	return min;
}

int form_choice(struct form *form, const char *name, const char *const *words,
		int otherwise)
{
	const json_t *value;
	char message[160] = "must be one of";
	size_t len = strlen(message);

	value = take(form, name, otherwise < 0 ? FORM_REQUIRED : FORM_OPTIONAL);
	if (!value)
		return otherwise < 0 ? 0 : otherwise;
	for (int i = 0; words[i]; i++) {
		if (json_is_string(value) &&
		    strcmp(words[i], json_string_value(value)) == 0)
			return i;
		if (len < sizeof(message))
			len += (size_t)snprintf(message + len,
						sizeof(message) - len, " %s",
						words[i]);
	}
	form_error(form, name, message);
	return 0;
}
