/*
 * The handlers of REST /api/v1, one .c for each resource; openapi.json says what
 * each takes and answers. The router calls them when the guard of their route
 * was satisfied.
 */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/request.h"

/* api_session.c */
request_fn api_session, api_claim, api_login, api_logout, api_account_password;
/* api_status.c */
request_fn api_healthz, api_mqtt, api_openapi, api_status;
/* api_clients.c */
request_fn api_clients, api_client_subscriptions, api_client_disconnect;
/* api_users.c */
request_fn api_users, api_user_put, api_user_delete;
/* api_acl.c */
request_fn api_rules, api_rule_add, api_rule_test, api_rule_delete;
/* api_audit.c */
request_fn api_audit;
/* api_bans.c */
request_fn api_bans, api_ban_add, api_ban_delete;
/* api_backup.c */
request_fn api_backup, api_backup_fetch, api_backups, api_backup_make;
/* api_restore.c */
request_fn api_restore, api_restore_upload, api_restore_confirm,
	api_restore_forget;
/* api_reload.c */
request_fn api_reload;
/* api_trace.c */
request_fn api_trace, api_trace_start, api_trace_stop;
/* api_notices.c */
request_fn api_notices, api_notice_delete;
/* api_devices.c */
request_fn api_devices, api_device_put, api_device_delete;

/* api_nodes.c */
request_fn api_nodes, api_node_put, api_node_delete, api_node_credential;
/* api_pins.c */
request_fn api_pins, api_pin_put, api_pin_delete, api_sim_line;
/* api_publish.c */
request_fn api_publish;
/* api_topics.c */
request_fn api_topics, api_topic_value;
/* api_history.c */
request_fn api_history, api_history_topics;
/* api_history_export.c */
request_fn api_history_export;
/* api_history_policies.c */
request_fn api_history_policies, api_history_policy_put,
	api_history_policy_delete, api_history_status, api_history_limits_put;
/* api_events.c */
request_fn api_events;

struct form;

/* False: this hub makes none, and the request has been answered. */
bool backup_offered(struct request *request);
/* The field "passphrase", NULL if it was not sent. */
const char *backup_passphrase(struct form *form);

/* End the event streams of a user who may no longer be here. */
void events_end_user(struct web_context *web, const char *user);

#endif
