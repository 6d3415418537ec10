/*
 * What the handlers of the web thread work with. One struct, made by web.c,
 * used by that thread only.
 */
#ifndef WEB_CONTEXT_H
#define WEB_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/loop.h"
#include "broker/wire/same_site.h"
#include "web/web.h"

struct access;
struct admin;
struct backup_jobs;
struct broker;
struct db_config;
struct db_history;
struct db_store;
struct dialects;
struct gpio_link;
struct hashing;
struct known;
struct nodes;
struct server;
struct sessions;
struct throttle;
struct upload;

struct web_context {
	struct loop *loop;
	struct broker *broker;
	struct admin *admin;
	struct db_config *config;
	struct db_history *history;
	const struct db_store *store; /* NULL: none */
	struct hashing *hashing;
	struct sessions *sessions;
	struct throttle *throttle;
	struct known *known;
	struct gpio_link *gpio; /* to the hub's own board; one of nodes */
	struct nodes *nodes;
	struct server *server;
	struct same_site site;
	const char *node;
	const struct dialects *dialects; /* of the node; NULL: none */
	struct web_mqtts mqtts; /* where satellites come */
	bool demo;
	bool claimed;
	struct access *access; /* ours; the broker has a table of its own */
	struct loop_timer access_timer; /* for telling the broker again */
	struct loop_timer bans_timer; /* the same */
	struct loop_timer history_timer; /* the same */
	/* See web.h. NULL: nothing to read. */
	int (*reload)(struct web_context *web, const struct web_report *report);
	struct backup_jobs *backups; /* NULL: none are made */
	struct upload *upload;
	bool restore_checked; /* a backup may be laid ready, of */
	int64_t restore_time; /* ms since 1970 UTC */
	struct loop_timer restart_timer;
	void (*restart)(void *arg); /* see web.h */
	void *restart_arg;
	uint64_t local_clients; /* made so far: numbers their identifiers */
	struct list streams; /* of api_events.c */
	unsigned int stream_count;
};

/*
 * Users or rules have changed in config.db: build the table anew, for us and for
 * the broker. Returns 0 or a negative errno: then the old one still holds. That, and
 * telling the broker when it is busy, is tried again every second.
 */
int context_access_changed(struct web_context *web);

/* Bans have changed in config.db: the same. */
int context_bans_changed(struct web_context *web);

/* Policies of the history have changed in config.db: the same. */
int context_history_changed(struct web_context *web);

/* A local client identifier never used before in this process. */
void context_client_id(struct web_context *web, char *out, size_t size);

#endif
