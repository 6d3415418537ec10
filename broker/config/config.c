#include "broker/config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/limits.h"

struct config_string {
	struct config_string *next;
	char text[];
};

static const char *const log_levels[] = { "error", "warn", "info", "debug",
					  NULL };
static const char *const listener_types[] = { "tcp", "unix", "ws",
					      "tls", "wss",  NULL };
static const char *const qualities[] = { "0", "1", "2", NULL };
static const char *const full_queues[] = { "refuse", "drop-oldest", NULL };
/* As enum tls_user counts them. */
static const char *const tls_users[] = { "no",	    "yes",	 "cn",
					 "san-dns", "san-email", "san-uri",
					 NULL };
static const char *const tls_versions[] = { "1.2", "1.3", NULL };
static const char *const gpio_backends[] = { "auto", "gpiod", "sim", "off",
					     NULL };

#define PLACE(container, member)                      \
	.offset = offsetof(struct container, member), \
	.size = sizeof(((struct container *)NULL)->member)
#define LIMIT(name, least, most, default)                                  \
	{                                                                  \
		"limits", #name, FIELD_NUMBER, PLACE(config, limits.name), \
			.min = (least), .max = (most),                     \
			.initial = TEXT(default)                           \
	}
#define TEXT(value) TEXT_OF(value)
#define TEXT_OF(value) #value

/* clang-format off: a table, a key a line */
static const struct config_field fields[] = {
	{ "hearth", "data_dir", FIELD_PATH, PLACE(config, data_dir),
	  .initial = "/var/lib/hearth" },
	{ "hearth", "node", FIELD_NAME, PLACE(config, node) },
	{ "hearth", "log_level", FIELD_CHOICE, PLACE(config, log_level),
	  .choices = log_levels, .initial = "info" },
	{ "hearth", "scram", FIELD_YESNO, PLACE(config, scram),
	  .initial = "no" },
	{ "hearth", "server_reference", FIELD_REFERENCE,
	  PLACE(config, server_reference) },
	{ "hearth", "server_moved", FIELD_YESNO, PLACE(config, server_moved),
	  .initial = "no" },
	{ "hearth", "response_information", FIELD_TOPIC,
	  PLACE(config, response_information) },

	{ "listener", "type", FIELD_CHOICE, PLACE(listener_options, type),
	  .choices = listener_types, .initial = "tcp" },
	{ "listener", "address", FIELD_ADDRESS,
	  PLACE(listener_options, address), .initial = "127.0.0.1" },
	{ "listener", "port", FIELD_NUMBER, PLACE(listener_options, port),
	  .max = 65535 },
	{ "listener", "path", FIELD_PATH, PLACE(listener_options, path) },
	{ "listener", "mode", FIELD_MODE, PLACE(listener_options, mode),
	  .initial = "0660" },
	{ "listener", "group", FIELD_NAME, PLACE(listener_options, group) },
	{ "listener", "origin", FIELD_ORIGINS,
	  PLACE(listener_options, origins) },
	{ "listener", "proxy_protocol", FIELD_YESNO,
	  PLACE(listener_options, proxy_protocol), .initial = "no" },
	{ "listener", "proxy_from", FIELD_NETWORKS,
	  PLACE(listener_options, proxy_from) },
	{ "listener", "mount_point", FIELD_MOUNT,
	  PLACE(listener_options, mount_point) },
	{ "listener", "anonymous", FIELD_YESNO,
	  PLACE(listener_options, anonymous), .initial = "no" },
	{ "listener", "user", FIELD_NAME, PLACE(listener_options, user) },
	{ "listener", "users", FIELD_USERS, PLACE(listener_options, users) },
	{ "listener", "packet_size", FIELD_NUMBER,
	  PLACE(listener_options, max_packet_size), .min = 1024,
	  .max = 268435455 },
	{ "listener", "keep_alive", FIELD_NUMBER,
	  PLACE(listener_options, max_keep_alive), .min = 1, .max = 65535 },
	{ "listener", "tls_cert", FIELD_PATH,
	  PLACE(listener_options, tls_cert) },
	{ "listener", "tls_key", FIELD_PATH, PLACE(listener_options, tls_key) },
	{ "listener", "tls_client_ca", FIELD_PATH,
	  PLACE(listener_options, tls_client_ca) },
	{ "listener", "tls_client_crl", FIELD_PATH,
	  PLACE(listener_options, tls_client_crl) },
	{ "listener", "tls_user", FIELD_CHOICE,
	  PLACE(listener_options, tls_user), .choices = tls_users,
	  .initial = "no" },
	{ "listener", "tls_min", FIELD_CHOICE, PLACE(listener_options, tls_min),
	  .choices = tls_versions, .initial = "1.2" },
	{ "listener", "tls_sni", FIELD_PAIRS,
	  PLACE(listener_options, tls_sni) },
	{ "listener", "max_connections", FIELD_NUMBER,
	  PLACE(listener_options, max_connections), .min = 1, .max = 1000000 },

	{ "web", "address", FIELD_ADDRESS, PLACE(config, web_address),
	  .initial = "127.0.0.1" },
	{ "web", "port", FIELD_NUMBER, PLACE(config, web_port), .max = 65535,
	  .initial = "8080" },
	{ "web", "tls_cert", FIELD_PATH, PLACE(config, tls_cert) },
	{ "web", "tls_key", FIELD_PATH, PLACE(config, tls_key) },
	{ "web", "host", FIELD_HOSTS, PLACE(config, hosts) },

	{ "gpio", "backend", FIELD_CHOICE, PLACE(config, gpio_backend),
	  .choices = gpio_backends, .initial = "auto" },
	{ "gpio", "program", FIELD_PROGRAM, PLACE(config, gpio_program),
	  .initial = "auto" },
	{ "gpio", "homeassistant", FIELD_YESNO,
	  PLACE(config, dialects.to_homeassistant), .initial = "yes" },
	{ "gpio", "homeassistant_prefix", FIELD_NAME,
	  PLACE(config, dialects.homeassistant), .initial = "homeassistant" },
	{ "gpio", "homie", FIELD_YESNO, PLACE(config, dialects.homie),
	  .initial = "no" },
	{ "gpio", "tasmota", FIELD_YESNO, PLACE(config, dialects.tasmota),
	  .initial = "no" },

	{ "durability", "max_delay", FIELD_NUMBER, PLACE(config, max_delay),
	  .max = LIMIT_MAX_DELAY, .initial = "10" },

	{ "store", "state_mb", FIELD_NUMBER, PLACE(config, state_mb),
	  .min = LIMIT_STATE_MB_LEAST, .max = LIMIT_STATE_MB_MOST,
	  .initial = "512" },
	{ "store", "history_mb", FIELD_NUMBER, PLACE(config, history_mb),
	  .min = LIMIT_HISTORY_MB_LEAST, .max = LIMIT_HISTORY_MB_MOST,
	  .initial = "256" },
	{ "store", "ballast_mb", FIELD_NUMBER, PLACE(config, ballast_mb),
	  .max = LIMIT_BALLAST_MB_MOST, .initial = "48" },

	{ "backup", "nightly", FIELD_YESNO, PLACE(config, backup_nightly),
	  .initial = "yes" },
	{ "backup", "hour", FIELD_NUMBER, PLACE(config, backup_hour), .max = 23,
	  .initial = "3" },
	{ "backup", "keep", FIELD_NUMBER, PLACE(config, backup_keep), .min = 1,
	  .max = 365, .initial = "7" },
	{ "backup", "history", FIELD_YESNO, PLACE(config, backup_history),
	  .initial = "no" },
	{ "backup", "path", FIELD_PATH, PLACE(config, backup_path) },
	{ "backup", "passphrase_file", FIELD_PATH,
	  PLACE(config, backup_passphrase_file) },

	LIMIT(connections, 1, 1000000, 10000),
	LIMIT(packet_size, 1024, 268435455, 1048576),
	LIMIT(queue_messages, 1, 1000000, 1000),
	LIMIT(queue_bytes, 1024, 1073741824, 1048576),
	LIMIT(queue_bytes_total, 1024, 2147483647, 67108864),
	{ "limits", "full_queue", FIELD_CHOICE,
	  PLACE(config, limits.full_queue), .choices = full_queues,
	  .initial = "refuse" },
	LIMIT(sessions, 1, 1000000, 20000),
	LIMIT(subscriptions, 1, 10000000, 1000000),
	LIMIT(subscriptions_per_session, 1, 1000000, 1000),
	LIMIT(retained, 1, 10000000, 100000),
	LIMIT(retained_bytes, 1024, 2147483647, 67108864),
	LIMIT(inflight, 1, 4096, 1000),
	LIMIT(receive_maximum, 1, 65535, 1000),
	{ "limits", "max_qos", FIELD_CHOICE, PLACE(config, limits.max_qos),
	  .choices = qualities, .initial = "2" },
	{ "limits", "retain_available", FIELD_YESNO,
	  PLACE(config, limits.retain_available), .initial = "yes" },
	LIMIT(keep_alive, 1, 65535, 65535),
	LIMIT(session_expiry, 1, 4294967294, 2592000),
	LIMIT(flapping, 0, 1000000, 30),
	LIMIT(flapping_ban, 0, 86400, 0),
	LIMIT(login_failures, 0, 1000000, 20),
	LIMIT(login_ban, 1, 86400, 60),
	LIMIT(connect_rate, 0, 1000000, 0),
	LIMIT(message_rate, 0, 1000000000, 0),
	LIMIT(byte_rate, 0, 1000000000, 0),
};
/* clang-format on */

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

_Static_assert(FIELDS <= CONFIG_FIELDS_MAX, "make room for every field");

/* The texts above are those numbers; limits.h is where they are explained. */
_Static_assert(LIMIT_CONNECTIONS == 10000, "see LIMIT(connections)");
_Static_assert(LIMIT_PACKET_SIZE == 1048576, "see LIMIT(packet_size)");
_Static_assert(LIMIT_QUEUE_MESSAGES == 1000, "see LIMIT(queue_messages)");
_Static_assert(LIMIT_QUEUE_BYTES == 1048576, "see LIMIT(queue_bytes)");
_Static_assert(LIMIT_QUEUE_BYTES_TOTAL == 67108864,
	       "see LIMIT(queue_bytes_total)");
_Static_assert(LIMIT_STATE_MB == 512, "see state_mb");
_Static_assert(LIMIT_HISTORY_MB == 256, "see history_mb");
_Static_assert(LIMIT_BALLAST_MB == 48, "see ballast_mb");
_Static_assert(LIMIT_SESSIONS == 20000, "see LIMIT(sessions)");
_Static_assert(LIMIT_SUBSCRIPTIONS == 1000000, "see LIMIT(subscriptions)");
_Static_assert(LIMIT_SUBSCRIPTIONS_PER_SESSION == 1000,
	       "see LIMIT(subscriptions_per_session)");
_Static_assert(LIMIT_RETAINED == 100000, "see LIMIT(retained)");
_Static_assert(LIMIT_RETAINED_BYTES == 67108864, "see LIMIT(retained_bytes)");
_Static_assert(LIMIT_INFLIGHT == 1000, "see LIMIT(inflight)");
_Static_assert(LIMIT_INFLIGHT_SPAN == 4096, "see LIMIT(inflight)");
_Static_assert(LIMIT_RECEIVE_MAXIMUM == 1000, "see LIMIT(receive_maximum)");
_Static_assert(LIMIT_KEEP_ALIVE == 65535, "see LIMIT(keep_alive)");
_Static_assert(LIMIT_SESSION_EXPIRY == 2592000, "see LIMIT(session_expiry)");
_Static_assert(LIMIT_FLAPPING == 30, "see LIMIT(flapping)");
_Static_assert(LIMIT_FLAPPING_BAN == 0, "see LIMIT(flapping_ban)");
_Static_assert(LIMIT_LOGIN_FAILURES == 20, "see LIMIT(login_failures)");
_Static_assert(LIMIT_LOGIN_BAN == 60, "see LIMIT(login_ban)");
_Static_assert(LIMIT_CONNECT_RATE == 0, "see LIMIT(connect_rate)");
_Static_assert(LIMIT_MESSAGE_RATE == 0, "see LIMIT(message_rate)");
_Static_assert(LIMIT_BYTE_RATE == 0, "see LIMIT(byte_rate)");

const struct config_field *config_fields(size_t *count)
{
	*count = FIELDS;
	return fields;
}

const struct config_field *config_find_field(const char *section,
					     const char *key)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (strcmp(fields[i].section, section) == 0 &&
		    strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

char *config_keep(struct config *config, const char *text)
{
	size_t size = strlen(text) + 1;
	struct config_string *string = malloc(sizeof(*string) + size);

	if (!string)
		return NULL;
	memcpy(string->text, text, size);
	string->next = config->strings;
	config->strings = string;

	return string->text;
}

static int set_defaults(struct config *config, const char *section, void *base)
{
	char expected[FIELD_EXPECTED_SIZE];

	for (size_t i = 0; i < FIELDS; i++) {
		int r;

		if (!fields[i].initial ||
		    (section ? strcmp(fields[i].section, section) != 0
			     : strcmp(fields[i].section, "listener") == 0))
			continue;
		r = config_field_set(&fields[i], config, base,
				     fields[i].initial, expected);
		assert(r != -EINVAL);
		if (r)
			return r;
	}

	return 0;
}

/* The host name up to its first dot, if it can be a level of a topic. */
static int set_node(struct config *config)
{
	const struct config_field *node = config_find_field("hearth", "node");
	char expected[FIELD_EXPECTED_SIZE];
	char name[256] = "";
	int r;

	if (gethostname(name, sizeof(name) - 1))
		name[0] = '\0';
	name[strcspn(name, ".")] = '\0';
	r = config_field_set(node, config, config, name, expected);
	if (r == -EINVAL)
		r = config_field_set(node, config, config, "hearth", expected);

	return r;
}

struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	if (set_defaults(config, NULL, config) || set_node(config)) {
		config_free(config);
		return NULL;
	}

	return config;
}

void config_free(struct config *config)
{
	struct config_string *string;

	if (!config)
		return;
	while ((string = config->strings)) {
		config->strings = string->next;
		free(string);
	}
	free(config);
}

struct listener_options *config_add_listener(struct config *config,
					     const char *name)
{
	struct listener_options *listener;

	if (config->listener_count == CONFIG_LISTENERS_MAX)
		return NULL;
	listener = &config->listeners[config->listener_count];
	memset(listener, 0, sizeof(*listener));
	listener->name = config_keep(config, name);
	if (!listener->name || set_defaults(config, "listener", listener))
		return NULL;
	config->listener_count++;

	return listener;
}
