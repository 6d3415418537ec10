/* status, reload, claim, disconnect */
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/secret.h"
#include "ctl/text.h"

static void print_line(const struct command_context *context, const char *name,
		       const json_t *object, const char *key)
{
	char buffer[COMMAND_TEXT_SIZE];
	const char *text = command_text(object, key, buffer);

	fprintf(context->io->out, "%-15s ", name);
	text_print(context->io->out, text, strlen(text));
	putc('\n', context->io->out);
}

static void print_status(const struct command_context *context,
			 const json_t *status)
{
	const json_t *clients = json_object_get(status, "clients");
	const json_t *messages = json_object_get(status, "messages");
	const json_t *store = json_object_get(status, "store");
	const json_t *gpio = json_object_get(status, "gpio");

	print_line(context, "node", status, "node");
	print_line(context, "version", status, "version");
	print_line(context, "up, seconds", status, "uptime_s");
	print_line(context, "connected", clients, "connected");
	print_line(context, "sessions", clients, "sessions");
	print_line(context, "subscriptions", status, "subscriptions");
	print_line(context, "received", messages, "received");
	print_line(context, "sent", messages, "sent");
	print_line(context, "retained", status, "retained");
	print_line(context, "store", store, "state");
	print_line(context, "gpio online", gpio, "online");
	print_line(context, "gpio backend", gpio, "backend");
	print_line(context, "memory, bytes", status, "rss_bytes");
}

enum ctl_exit command_status(struct command_context *context, int argc,
			     char **argv)
{
	json_t *status = NULL;
	enum ctl_exit code;

	(void)argc;
	(void)argv;
	code = command_call(context, "GET", "/api/v1/status", NULL, &status);
	if (code == CTL_OK) {
		if (context->options.json)
			command_print_json(context, status);
		else
			print_status(context, status);
	}
	json_decref(status);

	return code;
}

enum ctl_exit command_reload(struct command_context *context, int argc,
			     char **argv)
{
	const json_t *change;
	json_t *answer = NULL;
	enum ctl_exit code;
	size_t i;

	(void)argc;
	(void)argv;
	code = command_call(context, "POST", "/api/v1/reload", NULL, &answer);
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		json_array_foreach(json_object_get(answer, "changes"), i,
				   change) fprintf(context->io->out, "%s\n",
						   json_string_value(change));
	json_decref(answer);

	return code;
}

static enum ctl_exit read_token(const struct command_context *context,
				char **out)
{
	const char *file = context->options.token_file;
	int r;

	*out = NULL;
	r = file ? secret_from_file(file, context->io->in, out)
		 : secret_ask("Token that the hub printed", out);
	if (r)
		return command_fail(context, CTL_USAGE, "%s: %s",
				    file ? file : "token", strerrordesc_np(-r));

	return CTL_OK;
}

enum ctl_exit command_claim(struct command_context *context, int argc,
			    char **argv)
{
	char *token;
	char *password = NULL;
	json_t *body;
	json_t *answer = NULL;
	enum ctl_exit code = read_token(context, &token);

	(void)argc;
	if (code == CTL_OK)
		code = command_new_password(context, &password);
	if (code != CTL_OK)
		goto out;
	body = json_pack("{s:s, s:s, s:s}", "token", token, "user", argv[0],
			 "password", password);
	if (!body) {
		code = command_fail(context, CTL_USAGE,
				    "name or password is no UTF-8");
		goto out;
	}
	code = command_call(context, "POST", "/api/v1/claim", body, &answer);
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		fprintf(context->io->out, "claimed; log in as %s\n", argv[0]);
out:
	json_decref(answer);
	secret_free(token);
	secret_free(password);
	return code;
}

enum ctl_exit command_disconnect(struct command_context *context, int argc,
				 char **argv)
{
	char *escaped = http_escape(argv[0]);
	char *path = NULL;
	enum ctl_exit code;

	(void)argc;
	if (!escaped ||
	    asprintf(&path, "/api/v1/clients/%s%s", escaped,
		     context->options.session ? "?session=true" : "") < 0) {
		path = NULL;
		code = command_no_memory(context);
	} else {
		code = command_call(context, "DELETE", path, NULL, NULL);
	}
	free(escaped);
	free(path);

	return code;
}
