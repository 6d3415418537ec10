/* pub, get, sub */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/events.h"
#include "ctl/payload.h"
#include "ctl/text.h"

/* Bytes of a message from a file; the hub takes 64 KiB in one request. */
#define PAYLOAD_MAX (48 * 1024)

static enum ctl_exit read_payload(const struct command_context *context,
				  char **out, size_t *len)
{
	const char *path = context->options.file;
	bool given = strcmp(path, "-") == 0;
	FILE *file = given ? context->io->in : fopen(path, "re");
	enum ctl_exit code = CTL_OK;

	if (!file)
		return command_fail(context, CTL_USAGE, "%s: %s", path,
				    strerrordesc_np(errno));
	*out = malloc(PAYLOAD_MAX + 1);
	if (!*out) {
		code = command_no_memory(context);
	} else {
		*len = fread(*out, 1, PAYLOAD_MAX + 1, file);
		if (ferror(file))
			code = command_fail(context, CTL_USAGE,
					    "%s: cannot be read", path);
		else if (*len > PAYLOAD_MAX)
			code = command_fail(context, CTL_USAGE,
					    "%s: longer than %d bytes", path,
					    PAYLOAD_MAX);
	}
	if (!given)
		fclose(file);

	return code;
}

enum ctl_exit command_pub(struct command_context *context, int argc,
			  char **argv)
{
	const struct command_options *options = &context->options;
	enum ctl_exit code = CTL_OK;
	char *payload = NULL;
	json_t *answer = NULL;
	size_t len = 0;
	json_t *body;

	if ((argc == 2) == (options->file != NULL))
		return command_fail(context, CTL_USAGE,
				    "expected a message or --file, not both");
	if (options->file) {
		code = read_payload(context, &payload, &len);
	} else {
		payload = strdup(argv[1]);
		len = strlen(argv[1]);
	}
	body = json_pack("{s:s, s:i, s:b}", "topic", argv[0], "qos",
			 (int)options->qos, "retain", options->retain);
	if (code == CTL_OK && !body)
		code = command_fail(context, CTL_USAGE, "topic: no UTF-8");
	if (code == CTL_OK && (!payload || payload_put(body, payload, len)))
		code = command_no_memory(context);
	if (code == CTL_OK) {
		code = command_call(context, "POST", "/api/v1/publish",
				    json_incref(body), &answer);
		if (code == CTL_OK && options->json)
			command_print_json(context, answer);
	}
	json_decref(answer);
	json_decref(body);
	free(payload);

	return code;
}

/* As it is into a file or pipe; made harmless for a terminal. */
static void print_payload(const struct command_context *context,
			  const char *payload, size_t len)
{
	FILE *out = context->io->out;

	if (isatty(fileno(out)))
		text_print(out, payload, len);
	else
		fwrite(payload, 1, len, out);
	putc('\n', out);
}

static enum ctl_exit print_message(const struct command_context *context,
				   const json_t *message, bool with_topic)
{
	const char *topic =
		json_string_value(json_object_get(message, "topic"));
	char *payload;
	size_t len;
	int r = payload_get(message, &payload, &len);

	if (r == -ENOMEM)
		return command_no_memory(context);
	if (r || !topic)
		return command_fail(context, CTL_UNREACHABLE,
				    "the hub sent a message that is none");
	if (with_topic) {
		text_print(context->io->out, topic, strlen(topic));
		putc(' ', context->io->out);
	}
	print_payload(context, payload, len);
	free(payload);

	return CTL_OK;
}

/* prefix + escaped value, or NULL when out of memory. */
static char *query(const char *prefix, const char *value)
{
	char *escaped = http_escape(value);
	char *path = NULL;

	if (escaped && asprintf(&path, "%s%s", prefix, escaped) < 0)
		path = NULL;
	free(escaped);

	return path;
}

enum ctl_exit command_get(struct command_context *context, int argc,
			  char **argv)
{
	char *path = query("/api/v1/topics/value?topic=", argv[0]);
	json_t *answer = NULL;
	enum ctl_exit code;

	(void)argc;
	if (!path)
		return command_no_memory(context);
	code = command_call(context, "GET", path, NULL, &answer);
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		code = print_message(context, answer, context->options.verbose);
	json_decref(answer);
	free(path);

	return code;
}

struct subscription {
	struct command_context *context;
	struct events *events;
	long left; /* messages to print before the end; 0: no end */
	enum ctl_exit code;
	int error;
};

static bool on_event(void *arg, const char *type, const char *data, size_t len)
{
	struct subscription *sub = arg;
	const struct command_context *context = sub->context;
	json_t *message;

	if (strcmp(type, "message") != 0)
		return true;
	message = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	if (context->options.json && message) {
		json_dumpf(message, context->io->out, JSON_COMPACT);
		putc('\n', context->io->out);
	} else {
		sub->code = print_message(context, message,
					  context->options.verbose);
	}
	json_decref(message);
	/* Whoever reads a pipe wants each message now. */
	if (fflush(context->io->out))
		sub->code = CTL_USAGE;

	return sub->code == CTL_OK && (sub->left == 0 || --sub->left > 0);
}

static bool on_stream(void *arg, const char *data, size_t len)
{
	struct subscription *sub = arg;

	sub->error = events_feed(sub->events, data, len);
	return sub->error == 0;
}

enum ctl_exit command_sub(struct command_context *context, int argc,
			  char **argv)
{
	struct subscription sub = {
		.context = context,
		.left = context->options.count,
	};
	char *path = query("/api/v1/events?filter=", argv[0]);
	struct http_answer answer = { 0 };
	int r;

	(void)argc;
	sub.events = events_new(on_event, &sub);
	if (!path || !sub.events) {
		r = -ENOMEM;
	} else {
		r = http_stream(context->http, path, on_stream, &sub, &answer);
		if (!r && sub.error && sub.error != -ECANCELED)
			r = sub.error;
	}
	if (r)
		sub.code = command_unreachable(context, r);
	else if (answer.status != 200)
		sub.code = command_refused(context, &answer);
	else if (sub.error == 0 && sub.code == CTL_OK)
		sub.code = command_fail(context, CTL_UNREACHABLE,
					"%s: the hub ended the stream",
					context->options.url);
	http_answer_clear(&answer);
	events_free(sub.events);
	free(path);

	return sub.code;
}
