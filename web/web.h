/*
 * The web side of hearthd: dashboard, REST /api/v1 and the /mqtt WebSocket, on
 * a thread of its own. Main starts it after the broker has been made and its
 * thread runs, and stops it before the broker:
 *
 *	web = web_start(&options);
 *	...
 *	web_stop(web);			no more requests, thread joined
 *	authenticator_free(...);	answers under way find their mailbox
 *	web_free(web);
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admin;
struct authenticator;
struct broker;
struct db;
struct db_config;
struct db_store;
struct dialects;
struct keeper;
struct tls;
struct web;

/* What a reload tells: each mistake (line 0: none in particular) and each key
 * that has changed. */
struct web_report {
	void (*mistake)(void *arg, unsigned int line, const char *message);
	void (*change)(void *arg, const char *what);
	void *arg;
};

/* The listener by which satellites come, MQTT over TLS. */
struct web_mqtts {
	uint16_t port; /* 0: there is none */
	const char *certificate; /* PEM file, chain included */
};

/* What is the dashboard's of a configuration. */
struct web_reloaded {
	struct tls *tls; /* its new context, taken; NULL: it has none */
	struct web_mqtts mqtts; /* borrowed until the next one */
};

/*
 * Read the configuration anew; the web thread calls it. report may be NULL; all
 * is logged anyway. Returns 0 with *out set, or a negative errno: then nothing has
 * changed.
 */
typedef int web_reload_fn(void *arg, struct admin *admin,
			  struct web_reloaded *out,
			  const struct web_report *report);

struct web_listener {
	const char *address; /* numeric: "127.0.0.1", "0.0.0.0", "::" (both) */
	uint16_t port; /* 0: the kernel chooses, see web_port() */
	bool tls; /* needs tls_certificate and tls_key */
};

/* Strings and arrays are borrowed and must live until web_free(). */
struct web_options {
	struct broker *broker;
	struct authenticator *authenticator;
	struct db *db;
	const struct db_store *store; /* NULL: nothing is kept */
	struct db_config *config; /* the web thread's until web_stop() */
	const char *node; /* names topics, and is a Host we answer to */
	const struct dialects *dialects; /* of the node; NULL: none */
	bool demo;
	const struct web_listener *listeners; /* at least one */
	size_t listener_count; /* at most WEB_LISTENERS_MAX */
	/* Further Host names we answer to; IP literals, localhost, the node's
	 * name and any *.local are always ours. */
	const char *const *hosts;
	size_t host_count;
	struct web_mqtts mqtts; /* until a reload gives another */
	const char *tls_certificate; /* PEM file, chain included; or NULL */
	const char *tls_key; /* PEM file */
	web_reload_fn *reload;
	void *reload_arg;
	struct keeper *keeper; /* of the backups; NULL: none are made */
	/* Begin anew with the backup that was laid ready; the web thread calls
	 * it once its answer has left. */
	void (*restart)(void *arg);
	void *restart_arg;
};

#define WEB_LISTENERS_MAX 8

/* Opens the listeners and starts the thread. Returns NULL with errno set, after
 * logging what failed and why. */
struct web *web_start(const struct web_options *options);
/* The port a listener got. */
uint16_t web_port(const struct web *web, size_t index);
/* Read the configuration anew, soon; by any thread. */
void web_reload(struct web *web);
/* Ends all requests and the thread. NULL does nothing. */
void web_stop(struct web *web);
/* After web_stop(), and after the authenticator has gone and the keeper has
 * stopped. */
void web_free(struct web *web);

#endif
