/* node list|add|renew|del */
#include <stdlib.h>

#include "ctl/command.h"

enum ctl_exit command_node_list(struct command_context *context, int argc,
				char **argv)
{
	static const char *const head[] = { "NAME", "OWN",     "ONLINE",
					    "PINS", "DEVICES", "FAULTS",
					    "USER", "SINCE",   NULL };
	static const char *const keys[] = { "name", "own",	"online",
					    "pins", "devices",	"errors",
					    "user", "@created", NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/nodes", "nodes", head, keys);
}

/* Ask for the file that a satellite joins by, and print it: nothing else, so that
 * it can be sent into one. path is taken. */
static enum ctl_exit join(struct command_context *context, const char *method,
			  char *path)
{
	json_t *body = json_pack("{s:s*}", "hub", context->options.hub);
	json_t *answer = NULL;
	const char *text;
	enum ctl_exit code = CTL_OK;

	if (!path)
		code = command_no_memory(context);
	else if (!body)
		code = command_fail(context, CTL_USAGE,
				    "an argument is no UTF-8");
	if (code == CTL_OK)
		code = command_call(context, method, path, json_incref(body),
				    &answer);
	text = json_string_value(json_object_get(answer, "join"));
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK && text)
		fputs(text, context->io->out);
	json_decref(answer);
	json_decref(body);
	free(path);

	return code;
}

enum ctl_exit command_node_add(struct command_context *context, int argc,
			       char **argv)
{
	(void)argc;
	return join(context, "PUT", command_path("nodes", argv[0]));
}

enum ctl_exit command_node_renew(struct command_context *context, int argc,
				 char **argv)
{
	char *node = command_path("nodes", argv[0]);
	char *path = NULL;

	(void)argc;
	if (node && asprintf(&path, "%s/credential", node) < 0)
		path = NULL;
	free(node);
	return join(context, "POST", path);
}

enum ctl_exit command_node_del(struct command_context *context, int argc,
			       char **argv)
{
	(void)argc;
	return command_delete(context, "nodes", argv[0]);
}
