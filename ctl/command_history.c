/* history, export, policy list|set|del */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/command.h"
#include "ctl/text.h"

#define POLICIES "/api/v1/history/policies"

static enum ctl_exit history_topics(struct command_context *context)
{
	static const char *const head[] = { "TOPIC", "SAMPLES", "FIRST", "LAST",
					    NULL };
	static const char *const keys[] = { "topic", "samples", "@first",
					    "@last", NULL };
	json_t *answer = NULL;
	enum ctl_exit code = command_call(
		context, "GET", "/api/v1/history/topics", NULL, &answer);

	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		code = command_print_table(
			context, json_object_get(answer, "topics"), head, keys);
	json_decref(answer);

	return code;
}

/* Adds "&name=<ms>" if text is given. */
static enum ctl_exit put_time(const struct command_context *context, FILE *path,
			      const char *name, const char *text)
{
	struct timespec now;
	long long ms;

	if (!text)
		return CTL_OK;
	clock_gettime(CLOCK_REALTIME, &now);
	if (text_parse_time(
		    text, (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000,
		    &ms))
		return command_fail(context, CTL_USAGE,
				    "--%s %s: expected 90s, 15m, 2h, 7d or"
				    " 2026-11-21T09:00:00 (UTC)",
				    name, text);
	fprintf(path, "&%s=%lld", name, ms);

	return CTL_OK;
}

static enum ctl_exit history_path(const struct command_context *context,
				  const char *what, const char *topic,
				  char **out)
{
	const struct command_options *options = &context->options;
	char *escaped = http_escape(topic);
	size_t size;
	FILE *path = open_memstream(out, &size);
	enum ctl_exit code = CTL_OK;

	if (!escaped || !path) {
		code = command_no_memory(context);
	} else {
		fprintf(path, "/api/v1/history%s=%s", what, escaped);
		code = put_time(context, path, "from", options->from);
		if (code == CTL_OK)
			code = put_time(context, path, "to", options->to);
		if (options->limit > 0)
			fprintf(path, "&limit=%ld", options->limit);
	}
	free(escaped);
	if (path && fclose(path) && code == CTL_OK)
		code = command_no_memory(context);

	return code;
}

enum ctl_exit command_history(struct command_context *context, int argc,
			      char **argv)
{
	/* A filter's have their topic, too. */
	static const char *const head[] = { "TIME", "TOPIC",  "PAYLOAD",
					    "USER", "CLIENT", "FROM",
					    NULL };
	static const char *const keys[] = { "@t",   "topic",  "payload",
					    "user", "client", "address",
					    NULL };
	static const char *const head_of_one[] = { "TIME",   "PAYLOAD", "USER",
						   "CLIENT", "FROM",	NULL };
	static const char *const keys_of_one[] = { "@t",     "payload", "user",
						   "client", "address", NULL };
	const bool wide = argc > 0 && strpbrk(argv[0], "+#");
	json_t *answer = NULL;
	char *path = NULL;
	enum ctl_exit code;

	if (argc == 0)
		return history_topics(context);
	code = history_path(context, wide ? "?filter" : "?topic", argv[0],
			    &path);
	if (code == CTL_OK)
		code = command_call(context, "GET", path, NULL, &answer);
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		code = command_print_table(
			context, json_object_get(answer, "samples"),
			wide ? head : head_of_one, wide ? keys : keys_of_one);
	if (code == CTL_OK && !context->options.json &&
	    json_is_string(json_object_get(answer, "next")))
		command_fail(context, CTL_OK,
			     "there is more: narrow --from and --to, or raise"
			     " --limit");
	json_decref(answer);
	free(path);

	return code;
}

/* ---- a file -------------------------------------------------------------- */

static bool on_export(void *arg, const char *data, size_t len)
{
	const struct command_context *context = arg;

	return fwrite(data, 1, len, context->io->out) == len;
}

enum ctl_exit command_export(struct command_context *context, int argc,
			     char **argv)
{
	struct http_answer answer = { 0 };
	char *path = NULL;
	enum ctl_exit code;
	int r;

	(void)argc;
	code = history_path(context,
			    context->options.json
				    ? "/export?format=ndjson&filter"
				    : "/export?format=csv&filter",
			    argv[0], &path);
	if (code == CTL_OK) {
		r = http_stream(context->http, path, on_export, context,
				&answer);
		if (r)
			code = command_unreachable(context, r);
		else if (answer.status != 200)
			code = command_refused(context, &answer);
		else if (fflush(context->io->out) || ferror(context->io->out))
			code = command_fail(context, CTL_USAGE,
					    "the output cannot be written");
	}
	http_answer_clear(&answer);
	free(path);

	return code;
}

/* ---- policies ------------------------------------------------------------ */

enum ctl_exit command_policy_list(struct command_context *context, int argc,
				  char **argv)
{
	static const char *const head[] = {
		"FILTER", "KEEP", "ON-CHANGE", "MS",
		"DAYS",	  "ROWS", "AVERAGES",  NULL
	};
	static const char *const keys[] = { "filter",	 "keep",
					    "on_change", "min_interval_ms",
					    "days",	 "rows",
					    "averages",	 NULL };

	(void)argc;
	(void)argv;
	return command_list(context, POLICIES, "policies", head, keys);
}

/* What is set already, so that 'policy set' changes only what it names. */
static enum ctl_exit present(struct command_context *context,
			     const char *filter, json_t **out)
{
	json_t *answer = NULL;
	json_t *policy;
	size_t i;
	enum ctl_exit code =
		command_call(context, "GET", POLICIES, NULL, &answer);

	if (code != CTL_OK)
		return code;
	json_array_foreach(json_object_get(answer, "policies"), i, policy)
	{
		const char *other =
			json_string_value(json_object_get(policy, "filter"));

		if (other && strcmp(other, filter) == 0)
			*out = json_incref(policy);
	}
	json_decref(answer);
	if (!*out)
		*out = json_object();

	return *out ? CTL_OK : command_no_memory(context);
}

/* NULL: no such field, or no such value. */
static json_t *field_value(const char *key, const char *value)
{
	static const char *const numbers[] = { "min_interval_ms", "days",
					       "rows" };
	static const char *const switches[] = { "keep", "on_change",
						"averages" };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char *end;
		long number = strtol(value, &end, 10);

		if (strcmp(key, numbers[i]) == 0)
			return *value && !*end ? json_integer(number) : NULL;
	}
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(key, switches[i]) != 0)
			continue;
		if (strcmp(value, "yes") == 0)
			return json_true();
		return strcmp(value, "no") == 0 ? json_false() : NULL;
	}

	return NULL;
}

static enum ctl_exit set_field(const struct command_context *context,
			       json_t *policy, const char *argument)
{
	size_t len = strcspn(argument, "=");
	json_t *value = NULL;
	char key[32];

	if (len < sizeof(key) && argument[len]) {
		memcpy(key, argument, len);
		key[len] = '\0';
		value = field_value(key, argument + len + 1);
	}
	if (!value)
		return command_fail(context, CTL_USAGE,
				    "%s: expected keep, on_change or averages"
				    " with =yes or =no, or min_interval_ms,"
				    " days or rows with a number",
				    argument);
	if (json_object_set_new(policy, key, value))
		return command_no_memory(context);

	return CTL_OK;
}

enum ctl_exit command_policy_set(struct command_context *context, int argc,
				 char **argv)
{
	char *path = command_path("history/policies", argv[0]);
	json_t *answer = NULL;
	json_t *policy = NULL;
	enum ctl_exit code;

	if (!path)
		return command_no_memory(context);
	code = present(context, argv[0], &policy);
	for (int i = 1; i < argc && code == CTL_OK; i++)
		code = set_field(context, policy, argv[i]);
	if (code == CTL_OK) {
		code = command_call(context, "PUT", path, json_incref(policy),
				    &answer);
		if (code == CTL_OK && context->options.json)
			command_print_json(context, answer);
	}
	json_decref(answer);
	json_decref(policy);
	free(path);

	return code;
}

enum ctl_exit command_policy_del(struct command_context *context, int argc,
				 char **argv)
{
	(void)argc;
	return command_delete(context, "history/policies", argv[0]);
}
