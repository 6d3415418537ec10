#include "broker/peer/moved.h"

#include "broker/core.h"
#include "broker/peer/listener.h"

bool moved(const struct connection *c, enum mqtt_reason *reason)
{
	const struct broker_options *options = &c->broker->options;

	*reason = options->server_moved ? MQTT_SERVER_MOVED
					: MQTT_USE_ANOTHER_SERVER;
	return options->server_reference && c->listener &&
	       !listener_options(c->listener)->user;
}

void moved_sweep(struct broker *broker)
{
	struct list *at, *after;
	enum mqtt_reason reason;

	list_for_each (at, after, &broker->connections) {
		struct connection *c = list_entry(at, struct connection, link);

		/* Who has not said CONNECT yet will be told in its answer. */
		if (c->state != CONNECTION_OPEN && moved(c, &reason))
			connection_close(c, reason,
					 "the house has another hub");
	}
}
