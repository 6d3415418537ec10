/* user list|add|del|passwd|enable|disable, acl list|add|del|test */
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/secret.h"
#include "ctl/text.h"

enum ctl_exit command_user_list(struct command_context *context, int argc,
				char **argv)
{
	static const char *const head[] = { "NAME",    "KIND",	  "ADMIN",
					    "ENABLED", "CREATED", NULL };
	static const char *const keys[] = { "name",    "kind",	   "admin",
					    "enabled", "@created", NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/users", "users", head, keys);
}

/* PUT /users/NAME; body is taken. A password made by the hub is printed: it is
 * shown this one time. */
static enum ctl_exit put_user(struct command_context *context, const char *name,
			      const char *header, json_t *body)
{
	char *path = command_path("users", name);
	json_t *answer = NULL;
	enum ctl_exit code;
	const char *password;

	if (!path || !body) {
		free(path);
		json_decref(body);
		return command_fail(context, CTL_USAGE,
				    "out of memory, or a text is no UTF-8");
	}
	code = command_call_with(context, "PUT", path, header, body, &answer);
	password = json_string_value(json_object_get(answer, "password"));
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK && password)
		fprintf(context->io->out, "%s\n", password);
	json_decref(answer);
	free(path);

	return code;
}

enum ctl_exit command_user_add(struct command_context *context, int argc,
			       char **argv)
{
	const struct command_options *options = &context->options;
	char *password = NULL;
	enum ctl_exit code = CTL_OK;
	json_t *body;

	(void)argc;
	if (options->device && options->admin)
		return command_fail(context, CTL_USAGE,
				    "a device is no administrator");
	/* The hub makes a better password for a device than anybody here. */
	if (!options->device || options->new_password_file)
		code = command_new_password(context, &password);
	if (code != CTL_OK)
		return code;
	body = json_pack("{s:s, s:b, s:b, s:s*}", "kind",
			 options->device ? "device" : "person", "admin",
			 options->admin, "enabled", 1, "password", password);
	secret_free(password);

	return put_user(context, argv[0], "If-None-Match: *", body);
}

enum ctl_exit command_user_del(struct command_context *context, int argc,
			       char **argv)
{
	(void)argc;
	return command_delete(context, "users", argv[0]);
}

enum ctl_exit command_user_passwd(struct command_context *context, int argc,
				  char **argv)
{
	char *password;
	enum ctl_exit code = command_new_password(context, &password);
	json_t *body;

	(void)argc;
	if (code != CTL_OK)
		return code;
	body = json_pack("{s:s}", "password", password);
	secret_free(password);

	return put_user(context, argv[0], "If-Match: *", body);
}

static enum ctl_exit set_enabled(struct command_context *context,
				 const char *name, bool enabled)
{
	return put_user(context, name, "If-Match: *",
			json_pack("{s:b}", "enabled", enabled));
}

enum ctl_exit command_user_enable(struct command_context *context, int argc,
				  char **argv)
{
	(void)argc;
	return set_enabled(context, argv[0], true);
}

enum ctl_exit command_user_disable(struct command_context *context, int argc,
				   char **argv)
{
	(void)argc;
	return set_enabled(context, argv[0], false);
}

enum ctl_exit command_acl_list(struct command_context *context, int argc,
			       char **argv)
{
	static const char *const head[] = { "ID",     "USER",	"EFFECT",
					    "ACTION", "FILTER", NULL };
	static const char *const keys[] = { "id",     "user",	"effect",
					    "action", "filter", NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/acl", "rules", head, keys);
}

enum ctl_exit command_acl_add(struct command_context *context, int argc,
			      char **argv)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "user", argv[0],
				 "action", argv[1], "filter", argv[2], "effect",
				 context->options.deny ? "deny" : "allow");

	(void)argc;
	return command_add(context, "/api/v1/acl", body);
}

enum ctl_exit command_acl_del(struct command_context *context, int argc,
			      char **argv)
{
	(void)argc;
	return command_delete(context, "acl", argv[0]);
}

static void print_verdict(const struct command_context *context,
			  const json_t *answer)
{
	const char *reason =
		json_string_value(json_object_get(answer, "reason"));

	fputs(json_is_true(json_object_get(answer, "allowed")) ? "allowed"
							       : "refused",
	      context->io->out);
	if (reason) {
		fputs(": ", context->io->out);
		text_print(context->io->out, reason, strlen(reason));
	}
	putc('\n', context->io->out);
}

enum ctl_exit command_acl_test(struct command_context *context, int argc,
			       char **argv)
{
	json_t *answer = NULL;
	json_t *body = json_pack("{s:s, s:s, s:s, s:s*}", "user", argv[0],
				 "action", argv[1], "topic", argv[2], "client",
				 context->options.client);
	enum ctl_exit code;

	(void)argc;
	if (!body)
		return command_fail(context, CTL_USAGE,
				    "an argument is no UTF-8");
	code = command_call(context, "POST", "/api/v1/acl/test", body, &answer);
	if (code == CTL_OK) {
		if (context->options.json)
			command_print_json(context, answer);
		else
			print_verdict(context, answer);
		if (!json_is_true(json_object_get(answer, "allowed")))
			code = CTL_REFUSED;
	}
	json_decref(answer);

	return code;
}
