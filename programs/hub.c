#include "programs/hub.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/access.h"
#include "broker/admin.h"
#include "broker/authenticator.h"
#include "broker/base/log.h"
#include "broker/base/loop.h"
#include "broker/base/notify.h"
#include "broker/broker.h"
#include "broker/config/config.h"
#include "db/access_rules.h"
#include "db/bans.h"
#include "db/claim.h"
#include "db/config.h"
#include "db/db.h"
#include "db/history_door.h"
#include "db/history_policies.h"
#include "db/store.h"
#include "db/users.h"
#include "programs/backups.h"
#include "programs/boards.h"
#include "programs/demo.h"
#include "programs/gpio_child.h"
#include "programs/process.h"
#include "programs/reload.h"
#include "web/web.h"

#define GPIO_SOCKET "gpio.sock"

struct hub {
	const struct config *config;
	const char *file;
	bool demo;
	atomic_int result; /* of hub_wait(); the broker thread may set it */

	struct loop *loop; /* main's own: signals, the child, the watchdog */
	struct loop_source signals;
	struct loop_timer watchdog;

	struct db *db;
	struct db_config *db_config;
	struct db_store *store;
	struct db_history_door *history;
	bool store_runs;
	struct backups *backups;
	atomic_bool restart; /* a backup is ready to be put in place */
	struct history_rules *history_rules;
	bool claimed;
	char secret
		[PASSWORD_TOKEN_SIZE]; /* claim token, or the demo's password */

	struct authenticator *authenticator;
	struct broker *broker;
	struct listener_options listeners[CONFIG_LISTENERS_MAX + 1];
	pthread_t broker_thread;
	bool broker_runs;
	struct admin *admin; /* for the watchdog */

	struct reload *reload;
	struct web_listener web_listener;
	struct web *web;

	struct boards boards;
	char *gpio_socket;
	struct gpio_child *gpio;
};

/* ---- main's loop ------------------------------------------------------- */

static void on_signal(struct loop_source *source, uint32_t events)
{
	struct hub *hub = list_entry(source, struct hub, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(source->fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			gpio_child_reap(hub->gpio);
			break;
		case SIGHUP:
			log_info("hearthd", "SIGHUP: reading hearth.conf anew");
			web_reload(hub->web);
			break;
		default:
			log_info("hearthd", "stopping (%s)",
				 sigabbrev_np((int)info.ssi_signo));
			loop_stop(hub->loop);
		}
	}
}

/* The watchdog is fed only while the broker's loop turns. */
static void on_watchdog(struct loop_timer *timer)
{
	struct hub *hub = list_entry(timer, struct hub, watchdog);
	struct admin_counters counters;
	int r = admin_counters(hub->admin, &counters);

	if (r)
		log_error("watchdog", "the broker does not answer: %s",
			  strerrordesc_np(-r));
	else
		notify_send("WATCHDOG=1");
	loop_timer_set(hub->loop, timer, notify_watchdog_ms());
}

static int open_signals(struct hub *hub)
{
	sigset_t set;
	int fd;
	int r;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	hub->loop = loop_new();
	if (!hub->loop)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	r = loop_add(hub->loop, &hub->signals, fd, EPOLLIN, on_signal);
	if (r)
		close(fd);

	return r;
}

static void close_signals(struct hub *hub)
{
	if (hub->signals.fd >= 0) {
		int fd = hub->signals.fd;

		loop_remove(hub->loop, &hub->signals);
		close(fd);
	}
	loop_free(hub->loop);
}

/* ---- database ---------------------------------------------------------- */

static int open_db(struct hub *hub)
{
	/* Whoever looks at a demo wants to see history now, and wears out no
	 * card. */
	const struct db_store_options store = {
		.history_ms = hub->demo ? 1000 : 0,
		.ballast_mb = hub->demo ? 0 : hub->config->ballast_mb,
	};
	int r = backups_open_db(hub->config, &hub->db);

	if (r)
		return r;
	r = db_config_open(hub->db, &hub->db_config);
	if (!r)
		r = db_store_open(hub->db, &store, &hub->store);
	if (!r)
		r = db_history_door_open(hub->db, hub->store, &hub->history);
	if (!r && !db_stand_in(hub->db))
		r = db_history_policies_seed(hub->db_config, hub->config->node);
	if (!r)
		r = db_history_policies_build(hub->db_config,
					      &hub->history_rules);
	if (r)
		log_error(hub->config->data_dir, "cannot be used: %s",
			  strerrordesc_np(-r));

	return r;
}

/* Whose hub it is: the demo's own, somebody's, or nobody's yet. */
static int open_claim(struct hub *hub)
{
	int r;

	if (hub->demo) {
		r = demo_claim(hub->db_config, hub->secret);
		hub->claimed = !r;
		return r;
	}
	r = db_claim_state(hub->db_config, &hub->claimed);
	if (!r && !hub->claimed)
		r = db_claim_token(hub->db_config, hub->secret);
	if (r == -EROFS && db_stand_in(hub->db)) {
		log_error("claim", "not while the disk cannot be written");
		hub->secret[0] = '\0';
		r = 0;
	}
	if (r)
		log_error("claim", "%s", strerrordesc_np(-r));

	return r;
}

/* ---- broker ------------------------------------------------------------ */

static void *run_broker(void *arg)
{
	struct hub *hub = arg;
	int r = broker_run(hub->broker);

	if (r) {
		log_error("broker", "has ended: %s", strerrordesc_np(-r));
		atomic_store(&hub->result, r);
	}
	/* Wanted or not, without it there is no hub. */
	loop_stop(hub->loop);

	return NULL;
}

/* The configured ones, and the socket of hearth-gpiod. */
static size_t listeners(struct hub *hub)
{
	size_t count = hub->config->listener_count;

	memcpy(hub->listeners, hub->config->listeners,
	       count * sizeof(hub->listeners[0]));
	if (hub->gpio_socket) {
		hub->listeners[count++] = (struct listener_options){
			.name = "gpio",
			.type = LISTENER_UNIX,
			.path = hub->gpio_socket,
			.user = DB_USER_GPIO,
			/* One, and the next before the last has gone. */
			.max_connections = 4,
		};
	}

	return count;
}

static int new_broker(struct hub *hub)
{
	const struct db_notice *notices;
	struct broker_options options = {
		.listeners = hub->listeners,
		.listener_count = listeners(hub),
		.node = hub->config->node,
		.hosts = hub->config->hosts.names,
		.host_count = hub->config->hosts.count,
		.authenticator = hub->authenticator,
		.store = db_store_door(hub->store),
		.history = db_history_door_history(hub->history),
		.closed = !hub->claimed,
		.history_rules = hub->history_rules,
		.status_topics = hub->boards.status_topics,
		.status_count = hub->boards.count,
		.max_delay = hub->config->max_delay,
		.set_aside = (uint32_t)db_notices(hub->db, &notices),
	};
	const struct db_access_options access = {
		.node = hub->config->node,
		.dialects = &hub->config->dialects,
		.demo = hub->demo,
	};
	int r;

	reload_limits(hub->config, &options);
	r = db_access_build(hub->db_config, &access, &options.access);
	if (r) {
		log_error("access", "%s", strerrordesc_np(-r));
		return r;
	}
	r = db_bans_build(hub->db_config, &options.bans);
	if (r) {
		log_error("bans", "%s", strerrordesc_np(-r));
		access_free(options.access);
		return r;
	}
	hub->broker = broker_new(&options);
	if (!hub->broker) {
		r = -errno;
		access_free(options.access);
		bans_free(options.bans);
	}

	return r;
}

static int open_broker(struct hub *hub)
{
	int r;

	hub->authenticator = authenticator_new();
	if (!hub->authenticator)
		return -errno;
	authenticator_make_scram(hub->authenticator, hub->config->scram);
	r = boards_list(&hub->boards, hub->db_config, hub->config->node);
	if (!r)
		r = new_broker(hub);
	if (r)
		return r;
	r = broker_load(hub->broker);
	if (r) {
		log_error("broker", "what was kept cannot be loaded: %s",
			  strerrordesc_np(-r));
		return r;
	}
	r = db_store_start(hub->store);
	if (r)
		return r;
	hub->store_runs = true;
	r = -pthread_create(&hub->broker_thread, NULL, run_broker, hub);
	if (r)
		return r;
	hub->broker_runs = true;
	(void)pthread_setname_np(hub->broker_thread, "broker");
	hub->admin = admin_open(hub->broker);

	return hub->admin ? 0 : -errno;
}

/* ---- web --------------------------------------------------------------- */

/* The web thread calls it. */
static void restart(void *arg)
{
	struct hub *hub = arg;

	atomic_store(&hub->restart, true);
	loop_stop(hub->loop);
}

static int open_backups(struct hub *hub)
{
	hub->backups = backups_new(hub->config, hub->file, hub->db);

	return hub->backups ? 0 : -errno;
}

static int open_web(struct hub *hub)
{
	const struct config *config = hub->config;
	struct web_options options = {
		.broker = hub->broker,
		.authenticator = hub->authenticator,
		.db = hub->db,
		.store = hub->store,
		.config = hub->db_config,
		.node = config->node,
		.dialects = &config->dialects,
		.demo = hub->demo,
		.listeners = &hub->web_listener,
		.listener_count = 1,
		.hosts = config->hosts.names,
		.host_count = config->hosts.count,
		.tls_certificate = config->tls_cert,
		.tls_key = config->tls_key,
		.reload = reload_run,
		.keeper = backups_keeper(hub->backups),
		.restart = restart,
		.restart_arg = hub,
	};

	hub->reload = reload_new(hub->file, config, hub->broker);
	if (!hub->reload)
		return -ENOMEM;
	options.reload_arg = hub->reload;
	options.mqtts = reload_mqtts(hub->reload);

	hub->web_listener = (struct web_listener){
		.address = config->web_address,
		.port = config->web_port,
		.tls = config->tls_cert != NULL,
	};
	hub->web = web_start(&options);

	return hub->web ? 0 : -errno;
}

/* ---- gpio -------------------------------------------------------------- */

static int prepare_gpio(struct hub *hub)
{
	if (hub->config->gpio_backend == CONFIG_GPIO_OFF)
		return 0;
	if (asprintf(&hub->gpio_socket, "%s/" GPIO_SOCKET, db_dir(hub->db)) <
	    0) {
		hub->gpio_socket = NULL;
		return -ENOMEM;
	}

	return 0;
}

static int open_gpio(struct hub *hub)
{
	return gpio_child_start(hub->loop, hub->config, hub->gpio_socket,
				&hub->gpio);
}

/* ---- all --------------------------------------------------------------- */

static void log_listeners(const struct hub *hub)
{
	for (size_t i = 0; i < hub->config->listener_count; i++) {
		const struct listener_options *l = &hub->listeners[i];

		if (l->type == LISTENER_UNIX)
			log_info("listener", "%s: on %s", l->name, l->path);
		else
			log_info("listener", "%s: on %s port %u", l->name,
				 l->address,
				 broker_listener_port(hub->broker, i));
	}
}

static void print_addresses(struct hub *hub)
{
	log_listeners(hub);
	process_print_dashboard(hub->config, web_port(hub->web, 0));
	if (hub->demo) {
		printf("login: " DEMO_USER " / %s\n", hub->secret);
		printf("mqtt: 127.0.0.1:%u, programs of this machine need no"
		       " password\n",
		       broker_listener_port(hub->broker, 0));
	} else if (hub->secret[0]) {
		printf("nobody's yet: claim it in the dashboard or by"
		       " 'hearthctl claim', token %s (also in"
		       " %s/claim-token)\n",
		       hub->secret, hub->config->data_dir);
	}
	fflush(stdout);
	explicit_bzero(hub->secret, sizeof(hub->secret));
}

static int open_parts(struct hub *hub)
{
	static int (*const open_part[])(struct hub *) = {
		open_signals, open_db,	    open_claim, prepare_gpio,
		open_broker,  open_backups, open_web,	open_gpio,
	};

	for (size_t i = 0; i < sizeof(open_part) / sizeof(open_part[0]); i++) {
		int r = open_part[i](hub);

		if (r)
			return r;
	}

	return 0;
}

int hub_open(const struct hub_options *options, struct hub **out)
{
	struct hub *hub = calloc(1, sizeof(*hub));
	char state[CONFIG_NAME_MAX + 64];
	int r;

	if (!hub)
		return -ENOMEM;
	hub->config = options->config;
	hub->file = options->file;
	hub->demo = options->demo;
	hub->signals.fd = -1;
	hub->watchdog.fn = on_watchdog;
	process_prepare();
	r = open_parts(hub);
	if (r) {
		hub_close(hub);
		return r;
	}
	print_addresses(hub);
	log_info("hearthd", HEARTH_VERSION " runs as node %s, data in %s",
		 hub->config->node, hub->config->data_dir);
	snprintf(state, sizeof(state), "READY=1\nSTATUS=serving as node %s",
		 hub->config->node);
	notify_send(state);
	if (notify_watchdog_ms() > 0)
		loop_timer_set(hub->loop, &hub->watchdog, notify_watchdog_ms());
	*out = hub;

	return 0;
}

int hub_wait(struct hub *hub, bool *again)
{
	int r = loop_run(hub->loop);

	*again = atomic_load(&hub->restart);
	return r ? r : atomic_load(&hub->result);
}

static void close_broker(struct hub *hub)
{
	admin_close(hub->admin);
	if (hub->broker_runs) {
		broker_stop(hub->broker);
		pthread_join(hub->broker_thread, NULL);
	}
}

int hub_close(struct hub *hub)
{
	int r = 0;

	if (!hub)
		return 0;
	/* systemd would take it at its word. */
	if (!atomic_load(&hub->restart))
		notify_send("STOPPING=1\nSTATUS=writing what is to be kept");
	/* First the pins: they are put in a safe state, and say so. */
	gpio_child_free(hub->gpio);
	web_stop(hub->web);
	close_broker(hub);
	backups_stop(hub->backups);
	authenticator_free(hub->authenticator);
	web_free(hub->web);
	if (hub->store_runs)
		r = db_store_stop(hub->store);
	broker_free(hub->broker);
	reload_free(hub->reload);
	backups_free(hub->backups);
	db_history_door_close(hub->history);
	db_store_free(hub->store);
	history_rules_unref(hub->history_rules);
	db_config_close(hub->db_config);
	db_close(hub->db);
	close_signals(hub);
	free(hub->gpio_socket);
	free(hub);

	return r;
}
