/* clients, ghosts, slow */
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"

/* A page's address, after an identifier (NULL: from the first); *code tells when
 * there is none for want of memory. */
static char *page(const struct command_context *context, const char *which,
		  const char *after, enum ctl_exit *code)
{
	char *escaped = after ? http_escape(after) : NULL;
	char *path = NULL;
	int r = -1;

	if (!after)
		r = asprintf(&path, "/api/v1/clients?limit=1000%s", which);
	else if (escaped)
		r = asprintf(&path, "/api/v1/clients?limit=1000%s&after=%s",
			     which, escaped);
	free(escaped);
	if (r >= 0)
		return path;
	*code = command_no_memory(context);
	return NULL;
}

/* All pages in one array, which is the caller's. */
static enum ctl_exit fetch(struct command_context *context, const char *which,
			   json_t **out)
{
	json_t *all = json_array();
	enum ctl_exit code = CTL_OK;
	char *path = page(context, which, NULL, &code);

	if (path && !all)
		code = command_no_memory(context);
	while (path && code == CTL_OK) {
		json_t *answer = NULL;
		const char *next;

		code = command_call(context, "GET", path, NULL, &answer);
		free(path);
		path = NULL;
		if (code != CTL_OK)
			break;
		json_array_extend(all, json_object_get(answer, "clients"));
		next = json_string_value(json_object_get(answer, "next"));
		if (next)
			path = page(context, which, next, &code);
		json_decref(answer);
	}
	free(path);
	*out = all;
	return code;
}

static enum ctl_exit list(struct command_context *context, const char *which,
			  const char *const *head, const char *const *keys)
{
	json_t *all;
	enum ctl_exit code = fetch(context, which, &all);

	if (code == CTL_OK && context->options.json)
		command_print_json(context, all);
	else if (code == CTL_OK)
		code = command_print_table(context, all, head, keys);
	json_decref(all);
	return code;
}

enum ctl_exit command_clients(struct command_context *context, int argc,
			      char **argv)
{
	static const char *const head[] = { "CLIENT", "USER",	   "ADDRESS",
					    "MQTT",   "CONNECTED", "SINCE",
					    "SUBS",   "QUEUED",	   NULL };
	static const char *const keys[] = {
		"id",	  "user",	   "address", "protocol", "connected",
		"@since", "subscriptions", "queued",  NULL
	};

	(void)argc;
	(void)argv;
	return list(context, "", head, keys);
}

enum ctl_exit command_ghosts(struct command_context *context, int argc,
			     char **argv)
{
	static const char *const head[] = { "CLIENT",  "USER",	  "AWAY SINCE",
					    "QUEUED",  "BYTES",	  "OLDEST",
					    "DROPPED", "REFUSED", NULL };
	static const char *const keys[] = {
		"id",	   "user",    "@since",	 "queued", "queued_bytes",
		"@oldest", "dropped", "refused", NULL
	};

	(void)argc;
	(void)argv;
	return list(context, "&which=ghosts", head, keys);
}

enum ctl_exit command_slow(struct command_context *context, int argc,
			   char **argv)
{
	static const char *const head[] = { "CLIENT",  "ADDRESS", "QUEUED",
					    "BYTES",   "OLDEST",  "OUTPUT",
					    "DROPPED", "REFUSED", NULL };
	static const char *const keys[] = { "id",      "address",
					    "queued",  "queued_bytes",
					    "@oldest", "output_bytes",
					    "dropped", "refused",
					    NULL };

	(void)argc;
	(void)argv;
	return list(context, "&which=slow", head, keys);
}
