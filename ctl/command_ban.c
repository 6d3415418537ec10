/* audit, notices, ban list|add|del */
#include "ctl/command.h"

enum ctl_exit command_audit(struct command_context *context, int argc,
			    char **argv)
{
	static const char *const head[] = { "TIME", "USER", "FROM", "WHAT",
					    NULL };
	static const char *const keys[] = { "@time", "user", "address", "what",
					    NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/audit", "changes", head, keys);
}

enum ctl_exit command_notices(struct command_context *context, int argc,
			      char **argv)
{
	static const char *const head[] = { "LAST", "KIND", "SUBJECT", "COUNT",
					    "FROM", "AND",  NULL };
	static const char *const keys[] = { "@last", "kind", "subject",
					    "count", "from", "other",
					    NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/notices", "notices", head, keys);
}

enum ctl_exit command_ban_list(struct command_context *context, int argc,
			       char **argv)
{
	static const char *const head[] = { "ID",   "KIND", "WHAT",   "UNTIL",
					    "HITS", "BY",   "REASON", NULL };
	static const char *const keys[] = { "id",   "kind", "what",   "@until",
					    "hits", "by",   "reason", NULL };

	(void)argc;
	(void)argv;
	return command_list(context, "/api/v1/bans", "bans", head, keys);
}

enum ctl_exit command_ban_add(struct command_context *context, int argc,
			      char **argv)
{
	const long seconds = context->options.seconds;
	json_t *body = json_pack("{s:s, s:s, s:s*}", "kind", argv[0], "what",
				 argv[1], "reason", context->options.reason);

	(void)argc;
	if (body && seconds &&
	    json_object_set_new(body, "seconds", json_integer(seconds))) {
		json_decref(body);
		return command_no_memory(context);
	}
	return command_add(context, "/api/v1/bans", body);
}

enum ctl_exit command_ban_del(struct command_context *context, int argc,
			      char **argv)
{
	(void)argc;
	return command_delete(context, "bans", argv[0]);
}
