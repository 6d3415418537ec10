#include "ctl/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/secret.h"
#include "ctl/text.h"

enum ctl_exit command_fail(const struct command_context *context,
			   enum ctl_exit code, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	fputs("hearthctl: ", context->io->err);
	text_print(context->io->err, message, strlen(message));
	putc('\n', context->io->err);

	return code;
}

enum ctl_exit command_no_memory(const struct command_context *context)
{
	return command_fail(context, CTL_USAGE, "out of memory");
}

static const char *member(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

/* RFC 9457: title and detail, and the fields that are wrong. */
static void print_problem(const struct command_context *context,
			  const struct http_answer *answer)
{
	const char *title = member(answer->json, "title");
	const char *detail = member(answer->json, "detail");
	const json_t *field;
	size_t i;

	if (!title && !detail) {
		command_fail(context, CTL_REFUSED, "the hub answered %ld",
			     answer->status);
		return;
	}
	command_fail(context, CTL_REFUSED, "%s%s%s", title ? title : "",
		     title && detail ? ": " : "", detail ? detail : "");
	json_array_foreach(json_object_get(answer->json, "errors"), i, field)
	{
		const char *name = member(field, "field");
		const char *message = member(field, "message");

		if (name && message)
			command_fail(context, CTL_REFUSED, "%s: %s", name,
				     message);
	}
}

enum ctl_exit command_refused(const struct command_context *context,
			      const struct http_answer *answer)
{
	if (context->options.json && answer->json)
		command_print_json(context, answer->json);
	print_problem(context, answer);
	if (answer->status == 401 && !context->options.user)
		command_fail(context, CTL_UNAUTHORIZED,
			     "give a user name: --user NAME");

	return answer->status == 401 || answer->status == 403 ? CTL_UNAUTHORIZED
							      : CTL_REFUSED;
}

enum ctl_exit command_unreachable(const struct command_context *context,
				  int error)
{
	if (error == -ENOMEM)
		return command_no_memory(context);
	if (error == -EMSGSIZE)
		return command_fail(context, CTL_UNREACHABLE,
				    "%s: the answer is too long",
				    context->options.url);

	return command_fail(context, CTL_UNREACHABLE, "%s: %s",
			    context->options.url, http_error(context->http));
}

enum ctl_exit command_call_with(struct command_context *context,
				const char *method, const char *path,
				const char *header, json_t *body, json_t **out)
{
	struct http_answer answer;
	enum ctl_exit code = CTL_OK;
	int r = http_request(context->http, method, path, body, header,
			     &answer);

	json_decref(body);
	if (r)
		return command_unreachable(context, r);
	if (answer.status < 200 || answer.status > 299) {
		code = command_refused(context, &answer);
	} else if (answer.status != 204 && !answer.json) {
		code = command_fail(context, CTL_UNREACHABLE,
				    "%s: this is no hearth: the answer is no"
				    " JSON",
				    context->options.url);
	} else if (out) {
		*out = json_incref(answer.json);
	}
	http_answer_clear(&answer);

	return code;
}

enum ctl_exit command_call(struct command_context *context, const char *method,
			   const char *path, json_t *body, json_t **out)
{
	return command_call_with(context, method, path, NULL, body, out);
}

char *command_path(const char *collection, const char *name)
{
	char *escaped = http_escape(name);
	char *path = NULL;

	if (escaped &&
	    asprintf(&path, "/api/v1/%s/%s", collection, escaped) < 0)
		path = NULL;
	free(escaped);

	return path;
}

char *command_of_node(const struct command_context *context, char *path)
{
	char *name;
	char *whole = NULL;

	if (!path || !context->options.node)
		return path;
	name = http_escape(context->options.node);
	if (name && asprintf(&whole, "%s?node=%s", path, name) < 0)
		whole = NULL;
	free(name);
	free(path);

	return whole;
}

void command_print_json(const struct command_context *context,
			const json_t *json)
{
	if (!json)
		return;
	json_dumpf(json, context->io->out, JSON_INDENT(2));
	putc('\n', context->io->out);
}

const char *command_text(const json_t *object, const char *key,
			 char buffer[COMMAND_TEXT_SIZE])
{
	bool is_time = key[0] == '@';
	const json_t *value = json_object_get(object, key + is_time);

	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (json_is_integer(value) && is_time)
		text_time(buffer, json_integer_value(value));
	else if (json_is_integer(value))
		snprintf(buffer, COMMAND_TEXT_SIZE, "%lld",
			 (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(buffer, COMMAND_TEXT_SIZE, "%g",
			 json_real_value(value));
	else
		return "-";

	return buffer;
}

enum ctl_exit command_print_table(const struct command_context *context,
				  const json_t *array, const char *const *head,
				  const char *const *keys)
{
	struct table *table = table_new(head);
	const json_t *object;
	size_t i;

	if (!table)
		return command_no_memory(context);
	json_array_foreach(array, i, object)
	{
		char buffers[TABLE_COLUMNS_MAX][COMMAND_TEXT_SIZE];
		const char *cells[TABLE_COLUMNS_MAX];

		for (size_t c = 0; keys[c]; c++)
			cells[c] = command_text(object, keys[c], buffers[c]);
		if (table_add(table, cells)) {
			table_free(table);
			return command_no_memory(context);
		}
	}
	table_print(table, context->io->out);
	table_free(table);

	return CTL_OK;
}

enum ctl_exit command_list(struct command_context *context, const char *path,
			   const char *member, const char *const *head,
			   const char *const *keys)
{
	json_t *answer = NULL;
	enum ctl_exit code = command_call(context, "GET", path, NULL, &answer);

	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		code = command_print_table(
			context, json_object_get(answer, member), head, keys);
	json_decref(answer);

	return code;
}

enum ctl_exit command_add(struct command_context *context, const char *path,
			  json_t *body)
{
	char buffer[COMMAND_TEXT_SIZE];
	json_t *answer = NULL;
	enum ctl_exit code;

	if (!body)
		return command_fail(context, CTL_USAGE,
				    "an argument is no UTF-8");
	code = command_call(context, "POST", path, body, &answer);
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		fprintf(context->io->out, "%s\n",
			command_text(answer, "id", buffer));
	json_decref(answer);

	return code;
}

enum ctl_exit command_delete(struct command_context *context,
			     const char *collection, const char *name)
{
	char *path = command_path(collection, name);
	enum ctl_exit code;

	if (!path)
		return command_no_memory(context);
	code = command_call(context, "DELETE", path, NULL, NULL);
	free(path);

	return code;
}

static enum ctl_exit no_secret(const struct command_context *context,
			       const char *what, int error)
{
	if (error == -ENOMEM)
		return command_no_memory(context);
	if (error == -ENXIO)
		return command_fail(context, CTL_USAGE,
				    "%s: there is no terminal to ask at", what);
	if (error == -EINVAL)
		return command_fail(context, CTL_USAGE,
				    "%s: expected 1 to %d bytes in one line",
				    what, SECRET_MAX);

	return command_fail(context, CTL_USAGE, "%s: %s", what,
			    strerrordesc_np(-error));
}

enum ctl_exit command_new_password(const struct command_context *context,
				   char **out)
{
	const char *file = context->options.new_password_file;
	enum ctl_exit code = CTL_OK;
	char *again = NULL;
	int r;

	*out = NULL;
	if (file) {
		r = secret_from_file(file, context->io->in, out);
		return r ? no_secret(context, file, r) : CTL_OK;
	}
	r = secret_ask("New password", out);
	if (!r)
		r = secret_ask("New password again", &again);
	if (r)
		code = no_secret(context, "new password", r);
	else if (strcmp(*out, again) != 0)
		code = command_fail(context, CTL_USAGE,
				    "the two passwords differ");
	secret_free(again);
	if (code != CTL_OK) {
		secret_free(*out);
		*out = NULL;
	}

	return code;
}
