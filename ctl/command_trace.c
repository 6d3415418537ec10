/* trace client|topic|show|stop */
#include <string.h>

#include "ctl/command.h"
#include "ctl/text.h"

static enum ctl_exit start(struct command_context *context, const char *kind,
			   const char *what)
{
	const struct command_options *o = &context->options;
	json_t *answer = NULL;
	json_t *body = json_pack("{s:s, s:s}", "kind", kind, "what", what);
	enum ctl_exit code;
	const char *file;

	if (!body)
		return command_fail(context, CTL_USAGE,
				    "an argument is no UTF-8");
	if ((o->seconds &&
	     json_object_set_new(body, "seconds", json_integer(o->seconds))) ||
	    (o->max &&
	     json_object_set_new(body, "max_bytes", json_integer(o->max)))) {
		json_decref(body);
		return command_no_memory(context);
	}
	code = command_call(context, "POST", "/api/v1/trace", body, &answer);
	file = json_string_value(json_object_get(answer, "file"));
	if (code == CTL_OK && context->options.json) {
		command_print_json(context, answer);
	} else if (code == CTL_OK && file) {
		text_print(context->io->out, file, strlen(file));
		putc('\n', context->io->out);
	}
	json_decref(answer);

	return code;
}

enum ctl_exit command_trace_client(struct command_context *context, int argc,
				   char **argv)
{
	(void)argc;
	return start(context, "client", argv[0]);
}

enum ctl_exit command_trace_topic(struct command_context *context, int argc,
				  char **argv)
{
	(void)argc;
	return start(context, "topic", argv[0]);
}

enum ctl_exit command_trace_show(struct command_context *context, int argc,
				 char **argv)
{
	static const char *const head[] = { "RUNNING", "KIND",	"WHAT",
					    "BEGUN",   "LINES", "BYTES",
					    "LOST",    "FILE",	NULL };
	static const char *const keys[] = { "running", "kind",	"what",
					    "@begun",  "lines", "bytes",
					    "lost",    "file",	NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/trace", "traces", head, keys);
}

enum ctl_exit command_trace_stop(struct command_context *context, int argc,
				 char **argv)
{
	(void)argc;
	(void)argv;
	return command_call(context, "DELETE", "/api/v1/trace", NULL, NULL);
}
