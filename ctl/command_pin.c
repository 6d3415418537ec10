/* pin list|set|del */
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"

enum ctl_exit command_pin_list(struct command_context *context, int argc,
			       char **argv)
{
	static const char *const head[] = { "NAME", "DIR",  "CHIP", "LINE",
					    "PIN",  "KIND", "SAFE", "LABEL",
					    "ROOM", NULL };
	static const char *const keys[] = { "name", "dir",  "chip", "line",
					    "pin",  "kind", "safe", "label",
					    "room", NULL };

	char *path = command_of_node(context, strdup("/api/v1/pins"));
	enum ctl_exit code;

	(void)argc;
	(void)argv;
	if (!path)
		return command_no_memory(context);
	code = command_list(context, path, "pins", head, keys);
	free(path);

	return code;
}

/* What is set already, so that 'pin set' changes only what it names. *out is
 * empty for a new pin. */
static enum ctl_exit present(struct command_context *context, const char *name,
			     json_t **out)
{
	char *path = command_of_node(context, strdup("/api/v1/pins"));
	json_t *answer = NULL;
	json_t *pin;
	size_t i;
	enum ctl_exit code;

	if (!path)
		return command_no_memory(context);
	code = command_call(context, "GET", path, NULL, &answer);
	free(path);
	if (code != CTL_OK)
		return code;
	*out = NULL;
	json_array_foreach(json_object_get(answer, "pins"), i, pin)
	{
		const char *other =
			json_string_value(json_object_get(pin, "name"));

		if (other && strcmp(other, name) == 0)
			*out = json_incref(pin);
	}
	json_decref(answer);
	if (!*out)
		*out = json_object();
	/* The name is in the path, the header's pin follows from the line. */
	json_object_del(*out, "name");
	json_object_del(*out, "pin");

	return *out ? CTL_OK : command_no_memory(context);
}

/* The type of each field is the contract's; each list ends with NULL. */
static const char *const numbers[] = {
	"line",	    "debounce_ms", "double_ms",	      "long_ms",
	"hold_ms",  "per_unit",	   "interval",	      "dead_ms",
	"cycles",   "max_on",	   "min_on",	      "min_off",
	"auto_off", "failsafe",	   "command_timeout", NULL
};
static const char *const switches[] = { "active_low", "locked", NULL };
static const char *const texts[] = { "dir",  "chip", "bias",	  "safe",
				     "kind", "boot", "interlock", "target",
				     "mode", "unit", "label",	  "room",
				     NULL };

static bool one_of(const char *const *keys, const char *key)
{
	while (*keys && strcmp(*keys, key) != 0)
		keys++;
	return *keys;
}

/* Whole, or with a fraction; NULL: none. */
static json_t *number_value(const char *value)
{
	char *end;
	long whole = strtol(value, &end, 10);
	double number;

	if (*value && !*end)
		return json_integer(whole);
	number = strtod(value, &end);
	return *value && !*end ? json_real(number) : NULL;
}

static json_t *field_value(const char *key, const char *value)
{
	if (one_of(numbers, key))
		return number_value(value);
	if (one_of(switches, key)) {
		if (strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
			return json_true();
		if (strcmp(value, "no") == 0 || strcmp(value, "false") == 0)
			return json_false();
		return NULL;
	}
	if (strcmp(key, "chip") == 0 && !*value)
		return json_null();

	return json_string(value);
}

static enum ctl_exit set_field(const struct command_context *context,
			       json_t *pin, const char *argument)
{
	size_t len = strcspn(argument, "=");
	json_t *value;
	char key[32];

	if (!argument[len] || len >= sizeof(key))
		return command_fail(context, CTL_USAGE,
				    "%s: expected FIELD=VALUE", argument);
	memcpy(key, argument, len);
	key[len] = '\0';
	if (!one_of(texts, key) && !one_of(numbers, key) &&
	    !one_of(switches, key))
		return command_fail(context, CTL_USAGE,
				    "%s: expected one of dir chip line bias"
				    " active_low debounce_ms safe kind label"
				    " room target mode double_ms long_ms"
				    " hold_ms unit per_unit interval boot"
				    " interlock dead_ms locked cycles max_on "
				    "min_on min_off auto_off"
				    " command_timeout failsafe",
				    key);
	value = field_value(key, argument + len + 1);
	if (!value)
		return command_fail(context, CTL_USAGE, "%s: expected %s", key,
				    one_of(switches, key)  ? "yes or no"
				    : one_of(numbers, key) ? "a number"
							   : "UTF-8");
	if (json_object_set_new(pin, key, value))
		return command_no_memory(context);

	return CTL_OK;
}

enum ctl_exit command_pin_set(struct command_context *context, int argc,
			      char **argv)
{
	char *path = command_of_node(context, command_path("pins", argv[0]));
	json_t *answer = NULL;
	json_t *pin = NULL;
	enum ctl_exit code;

	if (!path)
		return command_no_memory(context);
	code = present(context, argv[0], &pin);
	for (int i = 1; i < argc && code == CTL_OK; i++)
		code = set_field(context, pin, argv[i]);
	if (code == CTL_OK) {
		code = command_call(context, "PUT", path, json_incref(pin),
				    &answer);
		if (code == CTL_OK && context->options.json)
			command_print_json(context, answer);
	}
	json_decref(answer);
	json_decref(pin);
	free(path);

	return code;
}

enum ctl_exit command_pin_del(struct command_context *context, int argc,
			      char **argv)
{
	char *path = command_of_node(context, command_path("pins", argv[0]));
	enum ctl_exit code;

	(void)argc;
	if (!path)
		return command_no_memory(context);
	code = command_call(context, "DELETE", path, NULL, NULL);
	free(path);

	return code;
}
