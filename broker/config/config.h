/*
 * hearth.conf: what must be known before a database is open. Everything else is
 * in config.db and changes live.
 *
 *	[hearth]	data_dir node log_level scram server_reference server_moved
 *			response_information
 *	[listener NAME]	type address port path mode group origin proxy_protocol
 *			proxy_from mount_point anonymous user users
 *			max_connections packet_size keep_alive tls_cert tls_key
 *			tls_min tls_sni tls_client_ca tls_client_crl tls_user
 *	[web]		address port tls_cert tls_key host
 *	[gpio]		backend program homeassistant homeassistant_prefix
 *			homie tasmota
 *	[durability]	max_delay
 *	[store]		state_mb history_mb ballast_mb
 *	[backup]	nightly hour keep history path passphrase_file
 *	[limits]	see broker/limits.h
 *
 * etc/hearth.conf explains each key. A file is taken whole or not at all: an
 * unknown section or key, a key given twice, a value out of range and a
 * combination that cannot work are errors, each with its line; nothing is
 * guessed, and all are reported at once.
 *
 * Any thread; a struct config is only read once it is loaded.
 */
#ifndef BROKER_CONFIG_CONFIG_H
#define BROKER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/dialects.h"
#include "broker/base/log.h"
#include "broker/broker.h"
#include "broker/config/config_field.h"

#define CONFIG_SIZE_MAX (64 * 1024) /* bytes: it is written by hand */
#define CONFIG_LISTENERS_MAX 16 /* a port for each network, and to spare */
#define CONFIG_FIELDS_MAX 96
#define CONFIG_PATH_MAX 4000 /* PATH_MAX, and room for what we append */
#define CONFIG_NAME_MAX 64 /* HOST_NAME_MAX */

enum config_gpio {
	CONFIG_GPIO_AUTO,
	CONFIG_GPIO_GPIOD,
	CONFIG_GPIO_SIM,
	CONFIG_GPIO_OFF,
};

/* Of [limits]: the names are those of limits.h. 0 is off, where it is allowed. */
struct config_limits {
	uint32_t connections;
	uint32_t packet_size;
	uint32_t queue_messages;
	uint32_t queue_bytes;
	uint32_t queue_bytes_total;
	unsigned int full_queue; /* enum full_queue */
	uint32_t sessions;
	uint32_t subscriptions;
	uint32_t subscriptions_per_session;
	uint32_t retained;
	uint32_t retained_bytes;
	uint32_t inflight;
	uint32_t receive_maximum;
	unsigned int max_qos; /* may be 0 */
	bool retain_available;
	uint32_t keep_alive;
	uint32_t session_expiry;
	uint32_t flapping;
	uint32_t flapping_ban;
	uint32_t login_failures;
	uint32_t login_ban;
	uint32_t connect_rate;
	uint32_t message_rate;
	uint32_t byte_rate;
};

struct config_string;

/* Strings live as long as the config. */
struct config {
	const char *data_dir;
	const char *node; /* never NULL: the host name if not given */
	unsigned int log_level; /* enum log_level */
	bool scram; /* also for passwords that people choose */
	const char *server_reference; /* NULL: clients are served here */
	bool server_moved;
	const char *response_information; /* NULL: none */

	struct listener_options listeners[CONFIG_LISTENERS_MAX];
	unsigned int listener_lines[CONFIG_LISTENERS_MAX];
	size_t listener_count;

	const char *web_address;
	uint16_t web_port;
	const char *tls_cert; /* NULL: no TLS; both or none */
	const char *tls_key;
	struct name_list hosts; /* further names the dashboard answers to */

	unsigned int gpio_backend; /* enum config_gpio */
	const char *gpio_program; /* "auto": beside hearthd; "none" */
	struct dialects dialects;

	uint32_t max_delay; /* ms: broker/session/hold.h */

	uint32_t state_mb; /* how large the databases may grow: db/db.h */
	uint32_t history_mb;
	uint32_t ballast_mb; /* db/space.h */

	bool backup_nightly;
	uint32_t backup_hour; /* local time */
	uint32_t backup_keep;
	bool backup_history;
	const char *backup_path; /* NULL: <data_dir>/backups */
	const char *backup_passphrase_file; /* NULL: not encrypted */

	struct config_limits limits;

	/* Where each field was given, 0: nowhere; but for [listener]. */
	unsigned int lines[CONFIG_FIELDS_MAX];

	struct config_string *strings; /* owned copies */
};

/* All defaults and no listener. Returns NULL when out of memory. */
struct config *config_new(void);
/* NULL does nothing. */
void config_free(struct config *config);

/* A copy of text that lives as long as config, or NULL. */
char *config_keep(struct config *config, const char *text);

/*
 * Append a listener with the defaults of its section. name is copied. Returns
 * NULL when out of memory, or when there are CONFIG_LISTENERS_MAX.
 */
struct listener_options *config_add_listener(struct config *config,
					     const char *name);

/* line is 0 when the file as a whole is meant. */
typedef void config_report_fn(void *arg, unsigned int line,
			      const char *message);

/*
 * Returns 0 and the configuration; -EINVAL after reporting every mistake; -ENOMEM;
 * or, reported as well, why the file cannot be read.
 */
int config_load(const char *path, struct config **out, config_report_fn *report,
		void *arg);
/* The same from memory. */
int config_parse(const char *text, size_t len, struct config **out,
		 config_report_fn *report, void *arg);

/* Every key there is, at most CONFIG_FIELDS_MAX. */
const struct config_field *config_fields(size_t *count);
/* NULL if there is none. */
const struct config_field *config_find_field(const char *section,
					     const char *key);

#endif
