#include "web/node_purge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/admin.h"
#include "broker/base/dialects.h"
#include "broker/base/log.h"
#include "broker/local_client.h"
#include "web/context.h"

/* A name at three bytes each, and what stands around it. */
#define FILTER_SIZE (DIALECT_ID_SIZE + 32)
#define NAME_SIZE 72

#define FILTERS 7

struct node_purge {
	struct list link;
	struct web_context *web;
	struct loop_timer timer;
	struct local_client *client; /* NULL: not opened yet */
	unsigned int rounds;
	unsigned int quiet; /* looks in a row at which there was nothing */
	uint64_t gone; /* messages */
	void (*done)(struct web_context *web, const char *name, int r);
	char name[NAME_SIZE];
};

/* Looks in a row that must find nothing. */
#define QUIET_ROUNDS 3

static void drop(struct node_purge *purge)
{
	list_remove(&purge->link);
	loop_timer_cancel(purge->web->loop, &purge->timer);
	local_client_free(purge->client);
	free(purge);
}

/* Returns how many there were, or a negative errno. */
static int purge_filter(struct node_purge *purge, const char *filter)
{
	struct admin_messages *messages;
	int r = admin_retained_list(purge->web->admin, slice_str(filter),
				    slice_str(""), NULL, NODE_PURGE_BATCH,
				    &messages);
	size_t i;

	if (r)
		return r;
	for (i = 0; !r && i < messages->count; i++)
		r = local_client_publish(purge->client,
					 message_topic(messages->messages[i]),
					 slice_of("", 0), 1, true, 0);
	admin_messages_free(messages);
	/* The rest is found at the next look. */
	return r == -EAGAIN || !r ? (int)i : r;
}

static int purge_all(struct node_purge *purge)
{
	char id[DIALECT_ID_SIZE];
	char mac[DIALECT_MAC_SIZE];
	char filter[FILTERS][FILTER_SIZE];
	int count = 0;

	(void)snprintf(filter[0], FILTER_SIZE, "hearth/%s/#", purge->name);
	(void)snprintf(filter[1], FILTER_SIZE, "$hearth/gpio/%s/#",
		       purge->name);
	(void)snprintf(filter[2], FILTER_SIZE, "+/device/hearth_%s/config",
		       dialect_id(id, purge->name));
	(void)snprintf(filter[3], FILTER_SIZE, "homie/5/%s/#",
		       dialect_homie_id(id, purge->name));
	(void)snprintf(filter[4], FILTER_SIZE, "tele/hearth_%s/#",
		       dialect_id(id, purge->name));
	(void)snprintf(filter[5], FILTER_SIZE, "stat/hearth_%s/#", id);
	(void)snprintf(filter[6], FILTER_SIZE, "tasmota/discovery/%s/+",
		       dialect_tasmota_mac(mac, purge->name));
	for (size_t i = 0; i < FILTERS; i++) {
		int r = purge_filter(purge, filter[i]);

		if (r < 0)
			return r;
		count += r;
	}
	return count;
}

static int open_client(struct node_purge *purge)
{
	char id[32];
	const struct local_client_options options = {
		.client_id = id,
		.address = "local",
		/* An answer for each of a look, and of the one before. */
		.mailbox = 2 * FILTERS * NODE_PURGE_BATCH,
	};

	if (purge->client)
		return 0;
	context_client_id(purge->web, id, sizeof(id));
	purge->client = local_client_new(purge->web->broker, &options);
	return purge->client ? 0 : -errno;
}

/* Answers say only what the next look will show. */
static void drain(struct node_purge *purge)
{
	struct local_event *event;

	while (purge->client && (event = local_client_next(purge->client)))
		local_event_free(event);
}

static void finish(struct node_purge *purge, int r)
{
	void (*done)(struct web_context * web, const char *name, int r) =
		purge->done;
	struct web_context *web = purge->web;
	char name[NAME_SIZE];

	if (r)
		log_warn(purge->name,
			 "not all of what it said could be taken away: %s",
			 strerrordesc_np(-r));
	else
		log_info(purge->name, "%llu retained messages taken away",
			 (unsigned long long)purge->gone);
	memcpy(name, purge->name, sizeof(name));
	drop(purge);
	if (done)
		done(web, name, r);
}

static void on_timer(struct loop_timer *timer)
{
	struct node_purge *purge = list_entry(timer, struct node_purge, timer);
	int r = open_client(purge);

	drain(purge);
	if (!r)
		r = purge_all(purge);
	purge->quiet = r == 0 ? purge->quiet + 1 : 0;
	if (r > 0)
		purge->gone += (uint64_t)r;
	if (purge->quiet >= QUIET_ROUNDS)
		finish(purge, 0);
	else if (++purge->rounds >= NODE_PURGE_ROUNDS)
		finish(purge, r < 0 ? r : -ETIMEDOUT);
	else
		loop_timer_set(purge->web->loop, timer, NODE_PURGE_MS);
}

int node_purge_start(struct web_context *web, struct list *list,
		     const char *name,
		     void (*done)(struct web_context *web, const char *name,
				  int r))
{
	struct node_purge *purge = calloc(1, sizeof(*purge));

	if (!purge)
		return -ENOMEM;
	purge->web = web;
	purge->done = done;
	(void)snprintf(purge->name, sizeof(purge->name), "%s", name);
	purge->timer.fn = on_timer;
	list_append(list, &purge->link);
	loop_timer_set(web->loop, &purge->timer, 0);
	return 0;
}

void node_purge_stop(struct list *list, const char *name)
{
	struct list *at;
	struct list *next;

	list_for_each (at, next, list) {
		struct node_purge *purge =
			list_entry(at, struct node_purge, link);

		if (!name || strcmp(purge->name, name) == 0)
			drop(purge);
	}
}
