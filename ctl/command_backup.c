/* backup, backups list|make|get, restore */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/secret.h"
#include "ctl/text.h"

/* Seconds: copying, and reading through, a history of gigabytes on a card. */
#define PATIENCE 3600L

/* Of the file in the options, or none. Freed by secret_free(). */
static enum ctl_exit read_passphrase(const struct command_context *context,
				     char **out)
{
	const char *file = context->options.passphrase_file;
	int r;

	*out = NULL;
	if (!file)
		return CTL_OK;
	r = secret_from_file(file, context->io->in, out);
	if (r)
		return command_fail(context, CTL_USAGE, "%s: %s", file,
				    strerrordesc_np(-r));
	return CTL_OK;
}

/* {} with the passphrase, if there is one; NULL when it could not be made. */
static json_t *body_with(const char *passphrase)
{
	json_t *body = json_object();

	if (body && passphrase &&
	    json_object_set_new(body, "passphrase", json_string(passphrase))) {
		json_decref(body);
		return NULL;
	}
	return body;
}

/* ---- to take away ----------------------------------------------------------- */

struct output {
	FILE *file;
	bool failed;
};

static bool write_out(void *arg, const char *data, size_t len)
{
	struct output *output = arg;

	output->failed = fwrite(data, 1, len, output->file) != len;
	return !output->failed;
}

/* A new file that nobody else may read: a backup is never overwritten. */
static FILE *create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

static bool close_file(struct output *output)
{
	bool ok = !output->failed && !fflush(output->file) &&
		  !fsync(fileno(output->file));

	return !fclose(output->file) && ok;
}

static enum ctl_exit fetch(struct command_context *context, const char *path,
			   json_t *body, const char *name)
{
	struct output output = { .file = create(name) };
	struct http_answer answer = { 0 };
	enum ctl_exit code = CTL_OK;
	int r;

	if (!output.file) {
		json_decref(body);
		return command_fail(context, CTL_USAGE, "%s: %s", name,
				    strerrordesc_np(errno));
	}
	r = http_download(context->http, path, body, write_out, &output,
			  &answer);
	json_decref(body);
	if (!close_file(&output))
		code = command_fail(context, CTL_USAGE, "%s: cannot be written",
				    name);
	else if (r)
		code = command_unreachable(context, r);
	else if (answer.status != 200)
		code = command_refused(context, &answer);
	http_answer_clear(&answer);
	if (code != CTL_OK)
		(void)unlink(name);

	return code;
}

enum ctl_exit command_backup(struct command_context *context, int argc,
			     char **argv)
{
	char *passphrase;
	enum ctl_exit code = read_passphrase(context, &passphrase);
	json_t *body;

	(void)argc;
	if (code != CTL_OK)
		return code;
	http_patience(context->http, PATIENCE);
	body = body_with(passphrase);
	if (body && context->options.no_history &&
	    json_object_set_new(body, "history", json_false())) {
		json_decref(body);
		body = NULL;
	}
	secret_free(passphrase);
	if (!body)
		return command_fail(context, CTL_USAGE,
				    "the passphrase is no UTF-8");

	return fetch(context, "/api/v1/backup", body, argv[0]);
}

/* ---- those kept -------------------------------------------------------------- */

enum ctl_exit command_backups_list(struct command_context *context, int argc,
				   char **argv)
{
	static const char *const head[] = { "NUMBER", "MADE", "BYTES", "FILE",
					    NULL };
	static const char *const keys[] = { "number", "@time", "bytes", "file",
					    NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/backups", "backups", head, keys);
}

enum ctl_exit command_backups_make(struct command_context *context, int argc,
				   char **argv)
{
	char buffer[COMMAND_TEXT_SIZE];
	json_t *answer = NULL;
	enum ctl_exit code;

	(void)argc;
	(void)argv;
	http_patience(context->http, PATIENCE);
	code = command_call(context, "POST", "/api/v1/backups", NULL, &answer);
	if (code == CTL_OK && context->options.json)
		command_print_json(context, answer);
	else if (code == CTL_OK)
		fprintf(context->io->out, "%s\n",
			command_text(answer, "number", buffer));
	json_decref(answer);

	return code;
}

enum ctl_exit command_backups_get(struct command_context *context, int argc,
				  char **argv)
{
	char *path = command_path("backups", argv[0]);
	enum ctl_exit code;

	(void)argc;
	if (!path)
		return command_no_memory(context);
	http_patience(context->http, PATIENCE);
	code = fetch(context, path, NULL, argv[1]);
	free(path);

	return code;
}

/* ---- taken back -------------------------------------------------------------- */

static void print_contents(const struct command_context *context,
			   const json_t *contents)
{
	char buffer[COMMAND_TEXT_SIZE];
	const char *time = command_text(contents, "@time", buffer);
	const char *node = json_string_value(json_object_get(contents, "node"));
	const json_t *file;
	size_t i;

	fprintf(context->io->out, "backup of %s, node ", time);
	if (node)
		text_print(context->io->out, node, strlen(node));
	putc('\n', context->io->out);
	json_array_foreach(json_object_get(contents, "files"), i, file)
	{
		const char *name =
			json_string_value(json_object_get(file, "name"));

		if (!name)
			continue;
		fputs("  ", context->io->out);
		text_print(context->io->out, name, strlen(name));
		fprintf(context->io->out, ": %s bytes\n",
			command_text(file, "bytes", buffer));
	}
	fflush(context->io->out);
}

/* Yes, typed in full, on the terminal or whatever standard input is. */
static bool agreed(const struct command_context *context)
{
	char line[16] = "";

	if (context->options.yes)
		return true;
	fputs("The hub's data is replaced, and it begins anew. Type yes: ",
	      context->io->err);
	fflush(context->io->err);
	return fgets(line, sizeof(line), context->io->in) &&
	       strcmp(line, "yes\n") == 0;
}

static enum ctl_exit confirm(struct command_context *context,
			     const json_t *contents)
{
	if (context->options.json)
		command_print_json(context, contents);
	else
		print_contents(context, contents);
	if (!agreed(context)) {
		command_call(context, "DELETE", "/api/v1/restore", NULL, NULL);
		return command_fail(context, CTL_REFUSED,
				    "nothing has been changed");
	}

	return command_call(context, "POST", "/api/v1/restore/confirm", NULL,
			    NULL);
}

/* Announce a file and send it; the answer is what is in it. */
static enum ctl_exit send_file(struct command_context *context, FILE *file,
			       json_t *body, json_t **out)
{
	struct http_answer answer = { 0 };
	json_t *announced = NULL;
	enum ctl_exit code;
	const char *path;
	struct stat st;
	int r;

	if (fstat(fileno(file), &st) ||
	    json_object_set_new(body, "bytes",
				json_integer((json_int_t)st.st_size))) {
		json_decref(body);
		return command_no_memory(context);
	}
	code = command_call(context, "POST", "/api/v1/restore", body,
			    &announced);
	path = json_string_value(json_object_get(announced, "upload"));
	if (code == CTL_OK && (!path || path[0] != '/'))
		code = command_fail(context, CTL_UNREACHABLE,
				    "%s: this is no hearth",
				    context->options.url);
	if (code == CTL_OK) {
		r = http_upload(context->http, path, file, (size_t)st.st_size,
				&answer);
		if (r)
			code = command_unreachable(context, r);
		else if (answer.status != 200)
			code = command_refused(context, &answer);
		else
			*out = json_incref(answer.json);
		http_answer_clear(&answer);
	}
	json_decref(announced);

	return code;
}

/* A file, or the number of a backup that the hub keeps. */
static enum ctl_exit check(struct command_context *context, const char *what,
			   json_t *body, json_t **out)
{
	FILE *file;
	enum ctl_exit code;

	if (context->options.kept) {
		if (json_object_set_new(body, "number",
					json_integer(strtol(what, NULL, 10)))) {
			json_decref(body);
			return command_no_memory(context);
		}
		return command_call(context, "POST", "/api/v1/restore", body,
				    out);
	}
	file = fopen(what, "rbe");
	if (!file) {
		json_decref(body);
		return command_fail(context, CTL_USAGE, "%s: %s", what,
				    strerrordesc_np(errno));
	}
	code = send_file(context, file, body, out);
	(void)fclose(file);

	return code;
}

enum ctl_exit command_restore(struct command_context *context, int argc,
			      char **argv)
{
	json_t *contents = NULL;
	char *passphrase;
	enum ctl_exit code = read_passphrase(context, &passphrase);
	json_t *body;

	(void)argc;
	if (code != CTL_OK)
		return code;
	body = body_with(passphrase);
	secret_free(passphrase);
	if (!body)
		return command_fail(context, CTL_USAGE,
				    "the passphrase is no UTF-8");
	http_patience(context->http, PATIENCE);
	code = check(context, argv[0], body, &contents);
	if (code == CTL_OK)
		code = confirm(context, contents);
	json_decref(contents);

	return code;
}
