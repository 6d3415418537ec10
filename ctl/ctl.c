#include "ctl/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/secret.h"

/*
 * One row for each option: its letter (only those in short_options are for people),
 * where its value goes, and the largest number.
 */
enum setting_kind { SETTING_TEXT, SETTING_FLAG, SETTING_NUMBER };

struct setting {
	int letter;
	enum setting_kind kind;
	size_t offset;
	long max;
};

#define TO(member) offsetof(struct command_options, member)

static const struct setting settings[] = {
	{ 'H', SETTING_TEXT, TO(url), 0 },
	{ 'u', SETTING_TEXT, TO(user), 0 },
	{ 'P', SETTING_TEXT, TO(password_file), 0 },
	{ 'a', SETTING_TEXT, TO(ca_file), 0 },
	{ 'j', SETTING_FLAG, TO(json), 0 },
	{ 'n', SETTING_TEXT, TO(new_password_file), 0 },
	{ 't', SETTING_TEXT, TO(token_file), 0 },
	{ 'A', SETTING_FLAG, TO(admin), 0 },
	{ 'D', SETTING_FLAG, TO(device), 0 },
	{ 'd', SETTING_FLAG, TO(deny), 0 },
	{ 'c', SETTING_TEXT, TO(client), 0 },
	{ 's', SETTING_FLAG, TO(session), 0 },
	{ 'F', SETTING_TEXT, TO(from), 0 },
	{ 'T', SETTING_TEXT, TO(to), 0 },
	{ 'l', SETTING_NUMBER, TO(limit), 10000 },
	{ 'q', SETTING_NUMBER, TO(qos), 2 },
	{ 'r', SETTING_FLAG, TO(retain), 0 },
	{ 'f', SETTING_TEXT, TO(file), 0 },
	{ 'C', SETTING_NUMBER, TO(count), 1000000000 },
	{ 'v', SETTING_FLAG, TO(verbose), 0 },
	{ 'S', SETTING_NUMBER, TO(seconds), 366L * 24 * 3600 },
	{ 'R', SETTING_TEXT, TO(reason), 0 },
	{ 'O', SETTING_TEXT, TO(node), 0 },
	{ 'B', SETTING_TEXT, TO(hub), 0 },
	{ 'M', SETTING_NUMBER, TO(max), 16L * 1024 * 1024 },
	{ 'p', SETTING_TEXT, TO(passphrase_file), 0 },
	{ 'N', SETTING_FLAG, TO(no_history), 0 },
	{ 'k', SETTING_FLAG, TO(kept), 0 },
	{ 'y', SETTING_FLAG, TO(yes), 0 },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))
#define EVERYWHERE "HuPaj"

static const char short_options[] = ":H:u:P:jhVq:rf:C:v";

static const struct option long_options[] = {
	{ "url", required_argument, NULL, 'H' },
	{ "user", required_argument, NULL, 'u' },
	{ "password-file", required_argument, NULL, 'P' },
	{ "ca-file", required_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "new-password-file", required_argument, NULL, 'n' },
	{ "token-file", required_argument, NULL, 't' },
	{ "admin", no_argument, NULL, 'A' },
	{ "device", no_argument, NULL, 'D' },
	{ "deny", no_argument, NULL, 'd' },
	{ "client", required_argument, NULL, 'c' },
	{ "session", no_argument, NULL, 's' },
	{ "from", required_argument, NULL, 'F' },
	{ "to", required_argument, NULL, 'T' },
	{ "limit", required_argument, NULL, 'l' },
	{ "qos", required_argument, NULL, 'q' },
	{ "retain", no_argument, NULL, 'r' },
	{ "file", required_argument, NULL, 'f' },
	{ "count", required_argument, NULL, 'C' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "for", required_argument, NULL, 'S' },
	{ "reason", required_argument, NULL, 'R' },
	{ "node", required_argument, NULL, 'O' },
	{ "hub", required_argument, NULL, 'B' },
	{ "max", required_argument, NULL, 'M' },
	{ "passphrase-file", required_argument, NULL, 'p' },
	{ "no-history", no_argument, NULL, 'N' },
	{ "kept", no_argument, NULL, 'k' },
	{ "yes", no_argument, NULL, 'y' },
	{ NULL, 0, NULL, 0 },
};

/* clang-format off: a table, a command a line */
static const struct command commands[] = {
	{ "status", NULL, "", "how the hub is", 0, 0, "", false,
	  command_status },
	{ "claim", NULL, "USER [--token-file F] [--new-password-file F]",
	  "make a new hub yours", 1, 1, "nt", true, command_claim },
	{ "user", "list", "", "who may log in", 0, 0, "", false,
	  command_user_list },
	{ "user", "add", "NAME [--admin | --device] [--new-password-file F]",
	  "let somebody in", 1, 1, "nAD", false, command_user_add },
	{ "user", "del", "NAME", "and the rules that name them", 1, 1, "",
	  false, command_user_del },
	{ "user", "passwd", "NAME [--new-password-file F]", "set a password", 1,
	  1, "n", false, command_user_passwd },
	{ "user", "enable", "NAME", "let in again", 1, 1, "", false,
	  command_user_enable },
	{ "user", "disable", "NAME", "keep out, but keep the rules", 1, 1, "",
	  false, command_user_disable },
	{ "acl", "list", "", "who may do what", 0, 0, "", false,
	  command_acl_list },
	{ "acl", "add", "USER|'*' read|write|readwrite FILTER [--deny]",
	  "prints the rule's id", 3, 3, "d", false, command_acl_add },
	{ "acl", "del", "ID", "remove a rule", 1, 1, "", false,
	  command_acl_del },
	{ "acl", "test", "USER read|write TOPIC [--client ID]",
	  "would it be allowed, and why", 3, 3, "c", false, command_acl_test },
	{ "backup", NULL, "FILE [--passphrase-file F] [--no-history]",
	  "everything the hub has, in one file", 1, 1, "pN", false,
	  command_backup },
	{ "backups", "list", "", "those kept on the hub", 0, 0, "", false,
	  command_backups_list },
	{ "backups", "make", "", "one more, now; prints its number", 0, 0, "",
	  false, command_backups_make },
	{ "backups", "get", "NUMBER FILE", "one of them, to take away", 2, 2,
	  "", false, command_backups_get },
	{ "restore", NULL, "FILE | --kept NUMBER [--passphrase-file F] [--yes]",
	  "replace the hub's data by a backup's", 1, 1, "pky", false,
	  command_restore },
	{ "reload", NULL, "", "read hearth.conf anew, all of it or nothing", 0,
	  0, "", false, command_reload },
	{ "trace", "client", "NAME [--for SECONDS] [--max BYTES]",
	  "write what a client says and is told to a file", 1, 1, "SM", false,
	  command_trace_client },
	{ "trace", "topic", "FILTER [--for SECONDS] [--max BYTES]",
	  "write who publishes there and who gets it", 1, 1, "SM", false,
	  command_trace_topic },
	{ "trace", "show", "", "the trace that runs, or the last one", 0, 0, "",
	  false, command_trace_show },
	{ "trace", "stop", "", "end it", 0, 0, "", false, command_trace_stop },
	{ "audit", NULL, "", "who changed what, the newest first", 0, 0, "",
	  false, command_audit },
	{ "notices", NULL, "", "what somebody should look at", 0, 0, "", false,
	  command_notices },
	{ "ban", "list", "", "who is kept out of MQTT", 0, 0, "", false,
	  command_ban_list },
	{ "ban", "add",
	  "user|client|address WHAT [--for SECONDS] [--reason TEXT]",
	  "keep out and disconnect; prints the ban's id", 2, 2, "SR", false,
	  command_ban_add },
	{ "ban", "del", "ID", "let in again", 1, 1, "", false,
	  command_ban_del },
	{ "node", "list", "", "the boards of the house", 0, 0, "", false,
	  command_node_list },
	{ "node", "add", "NAME [--hub mqtts://HOST:PORT]",
	  "make a satellite; prints the file it joins by", 1, 1, "B", false,
	  command_node_add },
	{ "node", "renew", "NAME [--hub mqtts://HOST:PORT]",
	  "cut it off and print another file", 1, 1, "B", false,
	  command_node_renew },
	{ "node", "del", "NAME", "remove a satellite and what is its", 1, 1, "",
	  false, command_node_del },
	{ "pin", "list", "[--node NAME]", "what the lines are for", 0, 0, "O",
	  false, command_pin_list },
	{ "pin", "set", "NAME FIELD=VALUE... [--node NAME]",
	  "add a pin, or change it", 2, 12, "O", false, command_pin_set },
	{ "pin", "del", "NAME [--node NAME]", "give the line back", 1, 1, "O",
	  false, command_pin_del },
	{ "pub", NULL, "TOPIC [MESSAGE | --file F] [--qos N] [--retain]",
	  "publish", 1, 2, "qrf", false, command_pub },
	{ "get", NULL, "TOPIC", "the retained message", 1, 1, "v", false,
	  command_get },
	{ "sub", NULL, "FILTER [--verbose] [--count N]", "print what comes", 1,
	  1, "vC", false, command_sub },
	{ "history", NULL, "[TOPIC | FILTER] [--from T] [--to T] [--limit N]",
	  "what was said when", 0, 1, "FTl", false, command_history },
	{ "export", NULL, "FILTER [--from T] [--to T]",
	  "all that was said, as CSV, or NDJSON with --json", 1, 1, "FT", false,
	  command_export },
	{ "policy", "list", "", "what is kept of which topics", 0, 0, "", false,
	  command_policy_list },
	{ "policy", "set", "FILTER FIELD=VALUE...",
	  "add a policy of the history, or change it", 1, 7, "", false,
	  command_policy_set },
	{ "policy", "del", "FILTER", "remove it", 1, 1, "", false,
	  command_policy_del },
	{ "clients", NULL, "", "who is connected, or will be again", 0, 0, "",
	  false, command_clients },
	{ "ghosts", NULL, "", "sessions whose client is away, and what waits",
	  0, 0, "", false, command_ghosts },
	{ "slow", NULL, "", "connected clients that do not keep up", 0, 0, "",
	  false, command_slow },
	{ "disconnect", NULL, "CLIENT [--session]",
	  "close its connection (and forget its session)", 1, 1, "s", false,
	  command_disconnect },
};
/* clang-format on */

static void print_help(FILE *out)
{
	fputs("usage: hearthctl [--url URL] [--user NAME] [--password-file F]"
	      " [--json] COMMAND\n\n",
	      out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		fprintf(out, "  %s%s%s%s%s\n      %s\n", c->group,
			c->verb ? " " : "", c->verb ? c->verb : "",
			*c->arguments ? " " : "", c->arguments, c->help);
	}
	fputs("\nURL: " CTL_URL_DEFAULT " or HEARTH_URL."
	      " Password: asked for, of a file, or HEARTH_PASSWORD.\n"
	      "Exit: 0 done, 1 refused, 2 usage, 3 no hub there, 4 not"
	      " authorized. See hearthctl(1).\n",
	      out);
}

static const char *option_name(int letter)
{
	const struct option *option = long_options;

	while (option->name && option->val != letter)
		option++;
	return option->name;
}

static enum ctl_exit set_number(const struct command_context *context,
				const struct setting *setting, const char *text,
				long *out)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || !*text || *end || number < 0 || number > setting->max)
		return command_fail(context, CTL_USAGE,
				    "--%s %s: expected a number from 0 to %ld",
				    option_name(setting->letter), text,
				    setting->max);
	*out = number;

	return CTL_OK;
}

static enum ctl_exit set_option(struct command_context *context,
				const struct setting *setting,
				const char *value)
{
	void *to = (char *)&context->options + setting->offset;

	switch (setting->kind) {
	case SETTING_TEXT:
		*(const char **)to = value;
		return CTL_OK;
	case SETTING_FLAG:
		*(bool *)to = true;
		return CTL_OK;
	case SETTING_NUMBER:
		return set_number(context, setting, value, to);
	}

	return CTL_USAGE;
}

/* Options in any order, also behind the command. used: letters given, so that
 * the command can be asked whether it knows them. -1: go on, else the exit. */
static int parse_options(struct command_context *context, int argc, char **argv,
			 char used[SETTINGS + 1])
{
	size_t count = 0;
	int letter;

	/* 0: begin anew, also after an earlier command line. */
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, short_options, long_options,
				     NULL)) != -1) {
		enum ctl_exit code;
		size_t i = 0;

		if (letter == 'h') {
			print_help(context->io->out);
			return CTL_OK;
		}
		if (letter == 'V') {
			fputs("hearthctl " HEARTH_VERSION "\n",
			      context->io->out);
			return CTL_OK;
		}
		while (i < SETTINGS && settings[i].letter != letter)
			i++;
		if (i == SETTINGS)
			return (int)command_fail(
				context, CTL_USAGE, "%s: %s", argv[optind - 1],
				letter == ':' ? "expected a value after it"
					      : "there is no such option");
		code = set_option(context, &settings[i], optarg);
		if (code != CTL_OK)
			return (int)code;
		if (!memchr(used, letter, count))
			used[count++] = (char)letter;
	}

	return -1;
}

/* The command that the arguments begin with; *words: how many name it. */
static const struct command *find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (argc < 1 || strcmp(c->group, argv[0]) != 0)
			continue;
		*words = c->verb ? 2 : 1;
		if (!c->verb || (argc > 1 && strcmp(c->verb, argv[1]) == 0))
			return c;
	}

	return NULL;
}

static enum ctl_exit check_command(const struct command_context *context,
				   const struct command *command, int argc,
				   const char *used)
{
	if (argc < command->min || argc > command->max)
		return command_fail(
			context, CTL_USAGE, "usage: hearthctl %s%s%s %s",
			command->group, command->verb ? " " : "",
			command->verb ? command->verb : "", command->arguments);
	for (; *used; used++)
		if (!strchr(command->allowed, *used) &&
		    !strchr(EVERYWHERE, *used))
			return command_fail(context, CTL_USAGE,
					    "--%s is not for this command",
					    option_name(*used));

	return CTL_OK;
}

static bool is_loopback(const char *url)
{
	return strstr(url, "//127.") || strstr(url, "//localhost") ||
	       strstr(url, "//[::1]");
}

/* Of a file, the environment, or asked for. *out stays NULL without a user. */
static enum ctl_exit read_password(const struct command_context *context,
				   char **out)
{
	const struct command_options *options = &context->options;
	int r;

	if (!options->user) {
		if (options->password_file)
			return command_fail(context, CTL_USAGE,
					    "--password-file without --user");
		return CTL_OK;
	}
	if (options->password_file) {
		r = secret_from_file(options->password_file, context->io->in,
				     out);
	} else if (context->io->password) {
		*out = strdup(context->io->password);
		r = *out ? 0 : -ENOMEM;
	} else {
		r = secret_ask("Password", out);
	}
	if (r)
		return command_fail(context, CTL_USAGE, "%s: %s",
				    options->password_file
					    ? options->password_file
					    : "password",
				    strerrordesc_np(-r));
	if (strncmp(options->url, "http://", 7) == 0 &&
	    !is_loopback(options->url))
		command_fail(context, CTL_OK,
			     "warning: the password goes to %s unencrypted",
			     options->url);

	return CTL_OK;
}

static enum ctl_exit run_command(struct command_context *context,
				 const struct command *command, int argc,
				 char **argv)
{
	char *password = NULL;
	enum ctl_exit code = CTL_OK;

	if (!command->anonymous)
		code = read_password(context, &password);
	if (code == CTL_OK) {
		context->http = http_new(&(struct http_options){
			.url = context->options.url,
			.user = command->anonymous ? NULL
						   : context->options.user,
			.password = password,
			.ca_file = context->options.ca_file,
		});
		code = context->http ? command->run(context, argc, argv)
				     : command_no_memory(context);
	}
	http_free(context->http);
	secret_free(password);
	if (fflush(context->io->out) && code == CTL_OK)
		code = command_fail(context, CTL_USAGE, "output: %s",
				    strerrordesc_np(errno));

	return code;
}

enum ctl_exit ctl_run(int argc, char **argv, const struct ctl_io *io)
{
	struct command_context context = { .io = io };
	const struct command *command;
	char used[SETTINGS + 1] = "";
	enum ctl_exit code;
	int words = 0;
	int r;

	context.options.url = io->url ? io->url : CTL_URL_DEFAULT;
	r = parse_options(&context, argc, argv, used);
	if (r >= 0)
		return (enum ctl_exit)r;
	argc -= optind;
	argv += optind;
	if (argc > 0 && strcmp(argv[0], "help") == 0) {
		print_help(io->out);
		return CTL_OK;
	}
	if (argc > 0 && strcmp(argv[0], "version") == 0) {
		fputs("hearthctl " HEARTH_VERSION "\n", io->out);
		return CTL_OK;
	}
	command = find_command(argc, argv, &words);
	if (!command)
		return command_fail(&context, CTL_USAGE,
				    argc == 0 ? "expected a command:"
						" 'hearthctl help' lists them"
					      : "there is no such command:"
						" 'hearthctl help' lists them");
	code = check_command(&context, command, argc - words, used);
	if (code != CTL_OK)
		return code;

	return run_command(&context, command, argc - words, argv + words);
}
