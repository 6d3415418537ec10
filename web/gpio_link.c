#include "web/gpio_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/json_text.h"
#include "broker/base/log.h"
#include "broker/local_client.h"
#include "db/nodes.h"
#include "web/context.h"
#include "web/pin_table.h"

#define TOPIC_SIZE 192 /* a host name and what stands around it */
#define RETRY_MS 1000
#define REPORT_MAX (512 * 1024) /* a report of some hundred lines */

enum token { TOKEN_REPORT = 1, TOKEN_STATUS, TOKEN_CONFIG, TOKEN_SIM };

struct gpio_link {
	struct web_context *web;
	char key[DB_NODE_NAME_MAX + 1]; /* "": the hub's own board */
	char prefix[DB_NODE_NAME_MAX + 2];
	struct local_client *client; /* NULL: closed, will be opened again */
	struct loop_source source;
	struct loop_timer retry;
	bool unsent; /* pins have changed since they were published */
	bool online;
	json_int_t revision; /* of the configuration last published */
	json_t *report;
	char report_topic[TOPIC_SIZE];
	char status_topic[TOPIC_SIZE];
	char config_topic[TOPIC_SIZE];
	char sim_topic[TOPIC_SIZE];
};

static void keep_up(struct gpio_link *link);

static void on_retry(struct loop_timer *timer)
{
	keep_up(list_entry(timer, struct gpio_link, retry));
}

static void later(struct gpio_link *link)
{
	link->retry.fn = on_retry;
	loop_timer_set(link->web->loop, &link->retry, RETRY_MS);
}

static void close_client(struct gpio_link *link)
{
	if (!link->client)
		return;
	loop_remove(link->web->loop, &link->source);
	local_client_free(link->client);
	link->client = NULL;
}

/* ---- what comes --------------------------------------------------------- */

static void take_report(struct gpio_link *link, struct slice payload)
{
	json_t *report;

	if (payload.len > REPORT_MAX)
		return;
	/* An empty one takes the retained report away. */
	report = payload.len
			 ? json_loadb((const char *)payload.data, payload.len,
				      JSON_REJECT_DUPLICATES, NULL)
			 : NULL;
	if (payload.len && !json_is_object(report)) {
		log_warn(gpio_link_name(link),
			 "the node's report is no JSON object");
		json_decref(report);
		return;
	}
	json_decref(link->report);
	link->report = report;
}

static void take_message(struct gpio_link *link, const struct message *message)
{
	struct slice topic = message_topic(message);

	if (slice_equal(topic, slice_str(link->report_topic)))
		take_report(link, message_payload(message));
	else if (slice_equal(topic, slice_str(link->status_topic)))
		link->online = slice_equal(message_payload(message),
					   slice_str("online"));
}

static void take_answer(struct gpio_link *link, const struct local_event *event)
{
	if (event->reason < MQTT_UNSPECIFIED_ERROR)
		return;
	log_warn("gpio", "the broker refused request %llu: %s",
		 (unsigned long long)event->token, reason_name(event->reason));
	if (event->token == TOKEN_CONFIG) {
		link->unsent = true;
		later(link);
	}
}

static void on_events(struct loop_source *source, uint32_t events)
{
	struct gpio_link *link = list_entry(source, struct gpio_link, source);
	struct local_event *event;
	bool closed = false;

	(void)events;
	while ((event = local_client_next(link->client))) {
		switch (event->type) {
		case LOCAL_CLIENT_MESSAGE:
			take_message(link, event->message);
			break;
		case LOCAL_CLIENT_ANSWER:
			take_answer(link, event);
			break;
		case LOCAL_CLIENT_CLOSED:
			closed = true;
			break;
		}
		local_event_free(event);
	}
	if (closed) {
		log_warn("gpio", "the broker closed the link to the node");
		close_client(link);
		/* What was on its way may not have arrived. */
		link->unsent = true;
		later(link);
	}
}

/* ---- what goes ---------------------------------------------------------- */

static int open_client(struct gpio_link *link)
{
	char id[DB_NODE_NAME_MAX + sizeof("$web-gpio-")];
	struct local_client_options options = {
		.client_id = id,
		.address = "local",
		.mailbox = 256,
	};
	int r;

	(void)snprintf(id, sizeof(id), "$web-gpio%s%s", link->key[0] ? "-" : "",
		       link->key);
	link->client = local_client_new(link->web->broker, &options);
	if (!link->client)
		return -errno;
	r = loop_add(link->web->loop, &link->source,
		     local_client_fd(link->client), EPOLLIN, on_events);
	if (r) {
		local_client_free(link->client);
		link->client = NULL;
		return r;
	}
	r = local_client_subscribe(link->client, slice_str(link->report_topic),
				   1, TOKEN_REPORT);
	if (r == 0)
		r = local_client_subscribe(link->client,
					   slice_str(link->status_topic), 1,
					   TOKEN_STATUS);
	if (r)
		close_client(link);
	return r;
}

static int publish(struct gpio_link *link, const char *topic, json_t *body,
		   bool retain, enum token token)
{
	char *text = json_text(body, JSON_COMPACT);
	int r = -ENOMEM;

	json_decref(body);
	if (text)
		r = local_client_publish(link->client, slice_str(topic),
					 slice_str(text), 1, retain, token);
	free(text);
	return r;
}

static int publish_pins(struct gpio_link *link)
{
	json_int_t revision = clock_wall_ms();
	struct pins *pins;
	int r;

	r = pin_table_load(link->web, link->key, &pins);
	if (r)
		return r;
	/* Rising, also when the clock is set back while we run. */
	if (revision <= link->revision)
		revision = link->revision + 1;
	pins->revision = revision;
	if (link->web->dialects)
		pin_dialects_set(&pins->dialects, link->web->dialects);
	pin_table_drop_lone(pins);
	r = publish(link, link->config_topic, pins_to_json(pins), true,
		    TOKEN_CONFIG);
	free(pins);
	if (r == 0)
		link->revision = revision;
	return r;
}

static void keep_up(struct gpio_link *link)
{
	int r = 0;

	if (!link->client)
		r = open_client(link);
	if (r == 0 && link->unsent) {
		r = publish_pins(link);
		if (r == 0)
			link->unsent = false;
	}
	if (r) {
		log_warn("gpio", "the pins could not be published: %s",
			 strerrordesc_np(-r));
		later(link);
	}
}

void gpio_link_configure(struct gpio_link *link)
{
	link->unsent = true;
	keep_up(link);
}

int gpio_link_simulate(struct gpio_link *link, json_t *command)
{
	if (!link->client) {
		json_decref(command);
		return -EAGAIN;
	}
	return publish(link, link->sim_topic, command, false, TOKEN_SIM);
}

/* ---- what is known ------------------------------------------------------ */

const json_t *gpio_link_report(const struct gpio_link *link)
{
	return link->report;
}

bool gpio_link_online(const struct gpio_link *link)
{
	return link->online;
}

const char *gpio_link_backend(const struct gpio_link *link)
{
	return json_string_value(json_object_get(link->report, "backend"));
}

bool gpio_link_pending(const struct gpio_link *link)
{
	const json_t *revision = json_object_get(link->report, "revision");

	return link->unsent || !json_is_integer(revision) ||
	       json_integer_value(revision) != link->revision;
}

const char *gpio_link_key(const struct gpio_link *link)
{
	return link->key;
}

const char *gpio_link_name(const struct gpio_link *link)
{
	return link->key[0] ? link->key : link->web->node;
}

const char *gpio_link_prefix(const struct gpio_link *link)
{
	return link->prefix;
}

struct gpio_link *gpio_link_new(struct web_context *web, const char *name)
{
	struct gpio_link *link = calloc(1, sizeof(*link));
	const char *node = name[0] ? name : web->node;

	if (!link)
		return NULL;
	link->web = web;
	(void)snprintf(link->key, sizeof(link->key), "%s", name);
	(void)snprintf(link->prefix, sizeof(link->prefix), "%s%s", name,
		       name[0] ? "/" : "");
	snprintf(link->report_topic, TOPIC_SIZE, "$hearth/gpio/%s/report",
		 node);
	snprintf(link->config_topic, TOPIC_SIZE, "$hearth/gpio/%s/config",
		 node);
	snprintf(link->sim_topic, TOPIC_SIZE, "$hearth/gpio/%s/sim", node);
	snprintf(link->status_topic, TOPIC_SIZE, "hearth/%s/status", node);
	link->unsent = true;
	keep_up(link);
	return link;
}

void gpio_link_free(struct gpio_link *link)
{
	if (!link)
		return;
	loop_timer_cancel(link->web->loop, &link->retry);
	close_client(link);
	json_decref(link->report);
	free(link);
}
