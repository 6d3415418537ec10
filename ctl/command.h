/*
 * What the commands of hearthctl share. A command gets its arguments counted and
 * its options checked; it asks the hub by command_call() and prints the answer.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdarg.h>
#include <stdbool.h>

#include <jansson.h>

#include "ctl/ctl.h"
#include "ctl/http.h"

struct command_options {
	const char *url;
	const char *user;
	const char *password_file;
	const char *ca_file;
	bool json;
	/* The rest belongs to the commands that allow it. */
	const char *new_password_file;
	const char *passphrase_file;
	const char *token_file;
	const char *client;
	const char *from;
	const char *to;
	const char *file;
	long count; /* 0: not given */
	long limit;
	long qos;
	long seconds; /* 0: not given */
	long max; /* bytes; 0: not given */
	const char *reason;
	const char *node; /* NULL: the hub's own board */
	const char *hub;
	bool retain;
	bool verbose;
	bool admin;
	bool device;
	bool deny;
	bool session;
	bool no_history;
	bool kept;
	bool yes;
};

struct command_context {
	const struct ctl_io *io;
	struct command_options options;
	struct http *http;
};

typedef enum ctl_exit command_fn(struct command_context *context, int argc,
				 char **argv);

struct command {
	const char *group;
	const char *verb; /* NULL: the group is the whole name */
	const char *arguments; /* for the help */
	const char *help;
	int min;
	int max; /* arguments */
	const char *allowed; /* letters of the options it knows */
	bool anonymous; /* needs no login */
	command_fn *run;
};

/* Print "hearthctl: ..." and return code. */
__attribute__((format(printf, 3, 4))) enum ctl_exit
command_fail(const struct command_context *context, enum ctl_exit code,
	     const char *format, ...);

enum ctl_exit command_no_memory(const struct command_context *context);

/*
 * Ask the hub. body is taken (NULL: none; a body that could not be made is the
 * caller's error). On CTL_OK, *out (if out is not NULL) is the answer, which the
 * caller drops, or NULL if it had no body. Everything else has been said already.
 */
enum ctl_exit command_call(struct command_context *context, const char *method,
			   const char *path, json_t *body, json_t **out);
/* The same with a further header. */
enum ctl_exit command_call_with(struct command_context *context,
				const char *method, const char *path,
				const char *header, json_t *body, json_t **out);
/* What an answer other than 2xx means; it has been said. */
enum ctl_exit command_refused(const struct command_context *context,
			      const struct http_answer *answer);
/* What http.h returned; it has been said. */
enum ctl_exit command_unreachable(const struct command_context *context,
				  int error);

/* "/api/v1/<collection>/<name>" with name escaped; NULL when out of memory. */
char *command_path(const char *collection, const char *name);

/* The answer as it came, for --json. json NULL prints nothing. */
void command_print_json(const struct command_context *context,
			const json_t *json);

/* Text of a member: "-" if it is missing or null; numbers in buffer. */
#define COMMAND_TEXT_SIZE 32
const char *command_text(const json_t *object, const char *key,
			 char buffer[COMMAND_TEXT_SIZE]);

/* Columns: keys of each object of the array; those that begin with '@' are
 * times. head ends with NULL. */
enum ctl_exit command_print_table(const struct command_context *context,
				  const json_t *array, const char *const *head,
				  const char *const *keys);

/* GET a list and print its member as a table, or all of it with --json. */
enum ctl_exit command_list(struct command_context *context, const char *path,
			   const char *member, const char *const *head,
			   const char *const *keys);
/* POST body (taken; NULL: an argument was no UTF-8), and print the number of what was
 * made. */
enum ctl_exit command_add(struct command_context *context, const char *path,
			  json_t *body);
/* DELETE /api/v1/<collection>/<name>. */
enum ctl_exit command_delete(struct command_context *context,
			     const char *collection, const char *name);

/* "?node=NAME" behind path, which is taken, if the options name a board; NULL when
 * out of memory, or path was. */
char *command_of_node(const struct command_context *context, char *path);

/* A new password: from the file of the options, or asked for twice. Freed by
 * secret_free(). */
enum ctl_exit command_new_password(const struct command_context *context,
				   char **out);

command_fn command_status;
command_fn command_claim;
command_fn command_user_list;
command_fn command_user_add;
command_fn command_user_del;
command_fn command_user_passwd;
command_fn command_user_enable;
command_fn command_user_disable;
command_fn command_acl_list;
command_fn command_acl_add;
command_fn command_acl_del;
command_fn command_acl_test;
command_fn command_backup;
command_fn command_backups_list;
command_fn command_backups_make;
command_fn command_backups_get;
command_fn command_restore;
command_fn command_reload;
command_fn command_trace_client;
command_fn command_trace_topic;
command_fn command_trace_show;
command_fn command_trace_stop;
command_fn command_audit;
command_fn command_notices;
command_fn command_ban_list;
command_fn command_ban_add;
command_fn command_ban_del;
command_fn command_node_list;
command_fn command_node_add;
command_fn command_node_renew;
command_fn command_node_del;
command_fn command_pin_list;
command_fn command_pin_set;
command_fn command_pin_del;
command_fn command_pub;
command_fn command_sub;
command_fn command_get;
command_fn command_history;
command_fn command_export;
command_fn command_policy_list;
command_fn command_policy_set;
command_fn command_policy_del;
command_fn command_clients;
command_fn command_ghosts;
command_fn command_slow;
command_fn command_disconnect;

#endif
