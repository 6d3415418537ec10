#include "programs/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/admin/reconfigure.h"
#include "broker/base/clock.h"
#include "broker/base/notify.h"
#include "broker/base/tls.h"
#include "broker/config/config.h"
#include "broker/peer/listener.h"
#include "programs/boards.h"
#include "programs/process.h"

struct reload {
	const char *file;
	const struct config *first; /* what the parts were made with */
	const struct broker *broker;
	struct config *live; /* the newest; NULL: still the first */
};

/* What is made once, at the start. */
static const struct {
	const char *section;
	const char *key; /* NULL: all of them */
} fixed[] = {
	{ "hearth", "data_dir" },  { "hearth", "node" },
	{ "hearth", "scram" },	   { "listener", "type" },
	{ "listener", "address" }, { "listener", "port" },
	{ "listener", "path" },	   { "listener", "mode" },
	{ "listener", "group" },   { "listener", "mount_point" },
	{ "web", "address" },	   { "web", "port" },
	{ "web", "host" },	   { "gpio", NULL },
	{ "backup", NULL },	   { "limits", "packet_size" },
	{ "store", NULL },
};

struct attempt {
	struct reload *reload;
	const struct web_report *report;
	const struct config *now;
	struct config *next;
	struct tls *tls[CONFIG_LISTENERS_MAX];
	struct tls *web_tls;
	unsigned int mistakes;
	unsigned int changes;
};

struct reload *reload_new(const char *file, const struct config *config,
			  const struct broker *broker)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return NULL;
	reload->file = file;
	reload->first = config;
	reload->broker = broker;
	return reload;
}

void reload_free(struct reload *reload)
{
	if (!reload)
		return;
	config_free(reload->live);
	free(reload);
}

static const struct config *live(const struct reload *reload)
{
	return reload->live ? reload->live : reload->first;
}

void reload_limits(const struct config *config, struct broker_options *out)
{
	const struct config_limits *limits = &config->limits;

	out->server_reference = config->server_reference;
	out->server_moved = config->server_moved;
	out->response_information = config->response_information;
	out->max_connections = process_connections(limits->connections);
	out->max_delay = config->max_delay;
	out->max_packet_size = limits->packet_size;
	out->max_queue_messages = limits->queue_messages;
	out->max_queue_bytes = limits->queue_bytes;
	out->max_queue_bytes_total = limits->queue_bytes_total;
	out->full_queue = limits->full_queue;
	out->max_sessions = limits->sessions;
	out->max_subscriptions = limits->subscriptions;
	out->max_subscriptions_per_session = limits->subscriptions_per_session;
	out->max_retained = limits->retained;
	out->max_retained_bytes = limits->retained_bytes;
	out->max_inflight = limits->inflight;
	out->receive_maximum = limits->receive_maximum;
	out->refused_qos = limits->max_qos + 1;
	out->refuse_retained = !limits->retain_available;
	out->max_keep_alive = limits->keep_alive;
	out->max_session_expiry = limits->session_expiry;
	out->flapping = limits->flapping;
	out->flapping_ban = limits->flapping_ban;
	out->login_failures = limits->login_failures;
	out->login_ban = limits->login_ban;
	out->connect_rate = limits->connect_rate;
	out->message_rate = limits->message_rate;
	out->byte_rate = limits->byte_rate;
}

/* ---- what is said -------------------------------------------------------- */

static void complain(void *arg, unsigned int line, const char *message)
{
	struct attempt *a = arg;

	a->mistakes++;
	if (line)
		log_error("reload", "%s:%u: %s", a->reload->file, line,
			  message);
	else
		log_error("reload", "%s", message);
	if (a->report)
		a->report->mistake(a->report->arg, line, message);
}

__attribute__((format(printf, 3, 4))) static void
complain_of(struct attempt *a, unsigned int line, const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	complain(a, line, message);
}

static void tell(struct attempt *a, const char *where, const char *key)
{
	char what[192];

	a->changes++;
	snprintf(what, sizeof(what), "[%s] %s", where, key);
	log_info("reload", "%s: %s has changed", a->reload->file, what);
	if (a->report)
		a->report->change(a->report->arg, what);
}

/* ---- what may change ----------------------------------------------------- */

static bool is_fixed(const struct config_field *field)
{
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(fixed[i].section, field->section) == 0 &&
		    (!fixed[i].key || strcmp(fixed[i].key, field->key) == 0))
			return true;
	return false;
}

static bool of_listeners(const struct config_field *field)
{
	return strcmp(field->section, "listener") == 0;
}

static const struct listener_options *find(const struct config *config,
					   const char *name, size_t *index)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		if (strcmp(config->listeners[i].name, name) == 0) {
			*index = i;
			return &config->listeners[i];
		}
	}
	return NULL;
}

/* fn is called for each key that has another value than before. */
typedef void changed_fn(struct attempt *a, const struct config_field *field,
			const char *where, unsigned int line);

static void compare_listener(struct attempt *a,
			     const struct listener_options *was,
			     changed_fn *changed)
{
	const struct config_field *fields;
	const struct listener_options *next;
	char where[CONFIG_NAME_MAX + 16];
	size_t count, index = 0;

	next = find(a->next, was->name, &index);
	if (!next)
		return;
	snprintf(where, sizeof(where), "listener %s", was->name);
	fields = config_fields(&count);
	for (size_t i = 0; i < count; i++)
		if (of_listeners(&fields[i]) &&
		    !config_field_same(&fields[i], was, next))
			changed(a, &fields[i], where,
				a->next->listener_lines[index]);
}

static void compare(struct attempt *a, changed_fn *changed)
{
	size_t count;
	const struct config_field *fields = config_fields(&count);

	for (size_t i = 0; i < count; i++)
		if (!of_listeners(&fields[i]) &&
		    !config_field_same(&fields[i], a->now, a->next))
			changed(a, &fields[i], fields[i].section,
				a->next->lines[i]);
	for (size_t i = 0; i < a->now->listener_count; i++)
		compare_listener(a, &a->now->listeners[i], changed);
}

static void refuse_fixed(struct attempt *a, const struct config_field *field,
			 const char *where, unsigned int line)
{
	if (is_fixed(field))
		complain_of(a, line, "[%s] %s: a change needs a restart", where,
			    field->key);
}

static void tell_changed(struct attempt *a, const struct config_field *field,
			 const char *where, unsigned int line)
{
	(void)line;
	tell(a, where, field->key);
}

static void check(struct attempt *a)
{
	const struct config *now = a->now, *next = a->next;
	size_t index;

	compare(a, refuse_fixed);
	for (size_t i = 0; i < next->listener_count; i++)
		if (!find(now, next->listeners[i].name, &index))
			complain_of(a, next->listener_lines[i],
				    "[listener %s]: a new one needs a restart",
				    next->listeners[i].name);
	for (size_t i = 0; i < now->listener_count; i++)
		if (!find(next, now->listeners[i].name, &index))
			complain_of(a, 0,
				    "[listener %s]: to take it away needs a "
				    "restart",
				    now->listeners[i].name);
	if (!now->tls_cert != !next->tls_cert)
		complain_of(a, 0, "[web] TLS on or off needs a restart");
}

/* ---- certificates -------------------------------------------------------- */

/* Also those whose files are called as before: what is in them may be new. */
static void make_tls(struct attempt *a)
{
	const struct config *next = a->next;
	const struct tls_options web = {
		.certificate = next->tls_cert,
		.key = next->tls_key,
		.protocol = "http/1.1",
	};

	for (size_t i = 0; i < next->listener_count; i++)
		if (listener_make_tls(&next->listeners[i], &a->tls[i]) < 0)
			complain_of(a, next->listener_lines[i],
				    "[listener %s]: its certificate cannot be "
				    "used, the log says why",
				    next->listeners[i].name);
	if (next->tls_cert)
		a->web_tls = tls_new(&web, "web");
	if (next->tls_cert && !a->web_tls)
		complain_of(a, 0,
			    "[web]: its certificate cannot be used, the log "
			    "says why");
}

static void drop(struct attempt *a)
{
	for (size_t i = 0; i < CONFIG_LISTENERS_MAX; i++)
		tls_free(a->tls[i]);
	tls_free(a->web_tls);
	config_free(a->next);
}

/* ---- all of it ----------------------------------------------------------- */

struct web_mqtts reload_mqtts(const struct reload *reload)
{
	const struct listener_options *listener = boards_listener(live(reload));
	struct web_mqtts out = { 0 };
	size_t index;

	/* The broker counts them as they stood at the start. */
	if (listener && find(reload->first, listener->name, &index)) {
		out.port = broker_listener_port(reload->broker, index);
		out.certificate = listener->tls_cert;
	}
	return out;
}

static int apply(struct attempt *a, struct admin *admin,
		 struct web_reloaded *out)
{
	struct broker_options options = {
		.listeners = a->next->listeners,
		.listener_count = a->next->listener_count,
	};
	int r;

	reload_limits(a->next, &options);
	r = reconfigure(admin, &options, a->tls);
	memset(a->tls, 0, sizeof(a->tls));
	if (r == -ETIMEDOUT)
		a->next = NULL; /* the broker may still come to it */
	if (r) {
		complain_of(a, 0, "the broker could not be told: %s",
			    strerrordesc_np(-r));
		return r;
	}
	log_set_level((enum log_level)a->next->log_level);
	compare(a, tell_changed);
	config_free(a->reload->live);
	a->reload->live = a->next;
	a->next = NULL;
	out->tls = a->web_tls;
	out->mqtts = reload_mqtts(a->reload);
	a->web_tls = NULL;
	log_info("reload", "%s read anew, %u changes, certificates too",
		 a->reload->file, a->changes);
	return 0;
}

static int attempt(struct attempt *a, struct admin *admin,
		   struct web_reloaded *out)
{
	int r;

	if (!a->reload->file) {
		complain_of(a, 0, "there is no configuration file to read");
		return -EINVAL;
	}
	r = config_load(a->reload->file, &a->next, complain, a);
	if (r == -ENOMEM)
		complain_of(a, 0, "out of memory");
	if (r)
		return r;
	check(a);
	if (!a->mistakes)
		make_tls(a);
	if (a->mistakes)
		return -EINVAL;
	return apply(a, admin, out);
}

static void notify_reloading(void)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 clock_ns() / 1000);
	notify_send(state);
}

int reload_run(void *arg, struct admin *admin, struct web_reloaded *out,
	       const struct web_report *report)
{
	struct reload *reload = arg;
	struct attempt a = {
		.reload = reload,
		.report = report,
		.now = live(reload),
	};
	int r;

	notify_reloading();
	r = attempt(&a, admin, out);
	drop(&a);
	if (r)
		log_error("reload", "nothing has changed");
	notify_send("READY=1");
	return r;
}
