#include "gpio/node_dialect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/node_internal.h"

bool node_dialect_there(const struct node_dialect *dialect)
{
	return dialect && !dialect->leaving &&
	       client_connected(dialect->client);
}

void node_dialect_publish(struct node_dialect *dialect, const char *topic,
			  const char *text, bool retain)
{
	/* A hub that can keep nothing is told at least. */
	uint8_t qos = dialect->node->lightly ? 0 : 1;
	int r = client_publish(dialect->client, slice_str(topic),
			       slice_str(text), qos, retain, 0);

	if (!r || r == -ENOTCONN)
		return;
	/* The hub takes no message so large; it would be no smaller later. */
	if (r == -EMSGSIZE || !dialect->behind)
		log_error(topic, "not published: %s%s", strerrordesc_np(-r),
			  r == -EMSGSIZE ? "" : "; all is said again later");
	dialect->behind |= r != -EMSGSIZE;
}

void node_dialect_say(struct node_dialect *dialect)
{
	if (node_dialect_there(dialect) && !dialect->node->stopping)
		dialect->ops->say(dialect);
}

/* ---- ending ------------------------------------------------------------- */

/* Nothing is left of it, and then it goes; until the hub has heard of it, it
 * stays. */
static void leave(struct node_dialect *dialect)
{
	dialect->behind = false;
	dialect->ops->leave(dialect);
	if (!dialect->behind)
		client_stop(dialect->client);
}

static void on_timer(struct loop_timer *timer)
{
	struct node_dialect *dialect =
		list_entry(timer, struct node_dialect, timer);
	struct node_dialect **place = dialect->place;
	const struct node_dialect_ops *ops = dialect->ops;
	struct node *node = dialect->node;

	node_dialect_free(dialect);
	/* It was wanted again before it had gone. */
	if (!node->stopping)
		node_dialect_apply(node, place, ops);
}

static void on_stopped(void *arg)
{
	struct node_dialect *dialect = arg;

	dialect->stopped = true;
	/* Not at once: this is the client's own callback. */
	if (dialect->node->stopping)
		node_goodbye_said(dialect->node);
	else
		loop_timer_set(dialect->node->loop, &dialect->timer, 0);
}

void node_dialect_stop(struct node_dialect *dialect)
{
	if (!dialect || dialect->stopped)
		return;
	if (node_dialect_there(dialect))
		dialect->ops->stop(dialect);
	client_stop(dialect->client);
}

bool node_dialect_idle(const struct node_dialect *dialect)
{
	return !dialect || dialect->stopped;
}

void node_dialect_free(struct node_dialect *dialect)
{
	if (!dialect)
		return;
	*dialect->place = NULL;
	loop_timer_cancel(dialect->node->loop, &dialect->timer);
	if (dialect->ops->end)
		dialect->ops->end(dialect);
	client_free(dialect->client);
	free(dialect);
}

/* ---- the connection ----------------------------------------------------- */

static void on_connected(void *arg, bool session_present)
{
	struct node_dialect *dialect = arg;

	(void)session_present;
	dialect->connects++;
	if (dialect->node->stopping)
		return;
	if (dialect->leaving)
		leave(dialect);
	else
		dialect->ops->say(dialect);
}

static void on_disconnected(void *arg, bool was_connected, const char *why)
{
	struct node_dialect *dialect = arg;

	/* The node's own connection says it louder. */
	if (was_connected && !dialect->node->stopping)
		log_debug(dialect->ops->name, "the hub is gone: %s", why);
}

static void on_message(void *arg, const struct client_message *message)
{
	struct node_dialect *dialect = arg;

	if (!dialect->leaving)
		dialect->ops->message(dialect, message);
}

/* What had no room was lost, the newest first. */
static void on_acknowledged(void *arg, uint64_t token, enum mqtt_reason reason)
{
	struct node_dialect *dialect = arg;

	(void)token;
	if (reason >= MQTT_UNSPECIFIED_ERROR && !dialect->refused)
		log_warn(dialect->ops->name,
			 "the hub refuses what is published: %s",
			 reason_name(reason));
	dialect->refused = reason >= MQTT_UNSPECIFIED_ERROR;
	if (!dialect->behind || dialect->node->stopping ||
	    client_pending(dialect->client) > 0)
		return;
	dialect->behind = false;
	if (dialect->leaving)
		leave(dialect);
	else
		node_dialect_say(dialect);
}

static const struct client_callbacks callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.message = on_message,
	.acknowledged = on_acknowledged,
	.stopped = on_stopped,
};

/* ---- beginning ---------------------------------------------------------- */

static int connect_client(struct node_dialect *dialect)
{
	const struct node_dialect_ops *ops = dialect->ops;
	char topic[NODE_DIALECT_TOPIC_SIZE];
	const struct client_will will = {
		.topic = topic,
		.payload = ops->will(dialect->node, topic),
		.qos = 1,
		.retain = true,
	};
	int r = node_client_new(dialect->node, ops->suffix, &will, &callbacks,
				dialect, &dialect->client);

	if (r)
		return r;
	r = ops->begin(dialect);
	if (r)
		client_free(dialect->client);
	return r;
}

static void begin(struct node *node, struct node_dialect **place,
		  const struct node_dialect_ops *ops)
{
	struct node_dialect *dialect = calloc(1, ops->size);
	int r = -ENOMEM;

	if (dialect) {
		dialect->ops = ops;
		dialect->node = node;
		dialect->place = place;
		dialect->timer.fn = on_timer;
		r = connect_client(dialect);
	}
	if (r) {
		log_error(ops->name, "is not spoken: %s", strerrordesc_np(-r));
		free(dialect);
		return;
	}
	*place = dialect;
	client_start(dialect->client);
}

void node_dialect_apply(struct node *node, struct node_dialect **place,
			const struct node_dialect_ops *ops)
{
	struct node_dialect *dialect = *place;
	bool spoken = ops->spoken(node);

	if (dialect && !dialect->leaving && !spoken) {
		dialect->leaving = true;
		/* Not there just now: when it is. */
		if (client_connected(dialect->client))
			leave(dialect);
	} else if (!dialect && spoken) {
		begin(node, place, ops);
	}
}
