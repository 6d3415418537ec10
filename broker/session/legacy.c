#include "broker/session/legacy.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/routing/router.h"
#include "broker/session/session.h"
#include "broker/store.h"

struct legacy {
	struct hash_node by_client;
	struct loop_timer timer;
	struct broker *broker;
	struct message *will;
	uint64_t session;
	uint32_t expiry;
};

int legacy_init(struct broker *broker)
{
	return hash_table_init(&broker->legacies);
}

static void end(struct legacy *legacy)
{
	loop_timer_cancel(legacy->broker->loop, &legacy->timer);
	hash_table_remove(&legacy->broker->legacies, &legacy->by_client);
	message_unref(legacy->will);
	free(legacy);
}

void legacy_free(struct broker *broker)
{
	struct hash_node *node;
	size_t slot;

	if (!broker->legacies.slots)
		return;
	for (;;) {
		slot = 0;
		node = hash_table_walk(&broker->legacies, &slot, NULL);
		if (!node)
			break;
		end(hash_entry(node, struct legacy, by_client));
	}
	hash_table_free(&broker->legacies);
}

/* Its row goes in the batch of what the publish has put in, or, for lack of
 * memory, after the next crash. */
static void remove_row(const struct legacy *legacy)
{
	struct store *store = legacy->broker->store;

	if (store->ops->will_remove(store, legacy->session) < 0)
		log_warn("client", "%s: its will may be published again",
			 legacy->will->origin->client_id);
}

static void on_timer(struct loop_timer *timer)
{
	struct legacy *legacy = list_entry(timer, struct legacy, timer);
	struct broker *broker = legacy->broker;
	struct message *will = legacy->will;

	log_info("client", "%s: has not come back since the hub died: will",
		 will->origin->client_id);
	will->id = broker->next_message++;
	if (legacy->expiry != STORE_EXPIRY_NEVER)
		will->expires = loop_now(broker->loop) +
				(uint64_t)legacy->expiry * 1000;
	router_publish_legacy(broker, will);
	remove_row(legacy);
	end(legacy);
}

int legacy_add(struct broker *broker, const struct store_will *will)
{
	struct legacy *legacy = calloc(1, sizeof(*legacy));

	if (!legacy)
		return -ENOMEM;
	legacy->broker = broker;
	legacy->will = will->message;
	legacy->session = will->session;
	legacy->expiry = will->expiry;
	legacy->timer.fn = on_timer;
	hash_table_add(&broker->legacies, &legacy->by_client,
		       hash_bytes(slice_str(will->message->origin->client_id)));
	loop_timer_set(broker->loop, &legacy->timer,
		       ((uint64_t)LIMIT_WILL_GRACE + will->delay) * 1000);

	return 0;
}

static struct legacy *find(const struct broker *broker, const char *client_id,
			   const char *user)
{
	struct hash_node *at = hash_table_first(
		&broker->legacies, hash_bytes(slice_str(client_id)));

	for (; at; at = hash_table_next(at)) {
		struct legacy *legacy =
			hash_entry(at, struct legacy, by_client);
		const struct origin *origin = legacy->will->origin;

		if (strcmp(origin->client_id, client_id) == 0 &&
		    strcmp(origin->user, user) == 0)
			return legacy;
	}
	return NULL;
}

void legacy_cancel(struct broker *broker, const struct session *s)
{
	struct legacy *legacy;

	/* Two of one client: it came again shortly before the hub died. */
	while (broker->legacies.count && s->user &&
	       (legacy = find(broker, s->client_id, s->user)) != NULL) {
		remove_row(legacy);
		end(legacy);
	}
}
