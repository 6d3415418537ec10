#include "web/nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "db/nodes.h"
#include "db/settings.h"
#include "web/gpio_link.h"
#include "web/node_purge.h"
#include "web/reply.h"

#define RETRY_MS 1000

struct nodes {
	struct web_context *web;
	struct gpio_link *links[1 + DB_NODES_MAX]; /* the own one first */
	size_t count;
	struct list purges;
	struct loop_timer retry;
};

static void on_retry(struct loop_timer *timer)
{
	nodes_changed(list_entry(timer, struct nodes, retry));
}

/* ---- the hub's own name -------------------------------------------------- */

/* Until then the next start tries again. */
static void remember_name(struct web_context *web, const char *old, int r)
{
	(void)old;
	if (!r)
		r = db_settings_set(web->config, DB_SETTING_NODE, web->node);
	if (r)
		log_warn(web->node, "the board's name is not kept: %s",
			 strerrordesc_np(-r));
}

static bool is_satellite(const struct nodes *nodes, const char *name)
{
	for (size_t i = 1; i < nodes->count; i++) {
		if (strcmp(gpio_link_key(nodes->links[i]), name) == 0)
			return true;
	}
	return false;
}

/* It is called otherwise in hearth.conf than at the last start? */
static void follow_name(struct nodes *nodes)
{
	struct web_context *web = nodes->web;
	char *old = NULL;
	int r = db_settings_get(web->config, DB_SETTING_NODE, &old);

	if (!r && strcmp(old, web->node) != 0 && !is_satellite(nodes, old)) {
		log_info(web->node, "was called %s before", old);
		r = node_purge_start(web, &nodes->purges, old, remember_name);
	} else if (r == -ENOENT || (!r && strcmp(old, web->node) != 0)) {
		remember_name(web, NULL, 0);
		r = 0;
	}
	if (r)
		log_warn(web->node, "what it was called before: %s",
			 strerrordesc_np(-r));
	free(old);
}

/* ---- satellites ---------------------------------------------------------- */

static bool is_stored(const struct db_node *stored, size_t count,
		      const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(stored[i].name, name) == 0)
			return true;
	}
	return false;
}

static void drop_gone(struct nodes *nodes, const struct db_node *stored,
		      size_t count)
{
	size_t kept = 1;

	for (size_t i = 1; i < nodes->count; i++) {
		struct gpio_link *link = nodes->links[i];
		const char *name = gpio_link_key(link);

		if (is_stored(stored, count, name)) {
			nodes->links[kept++] = link;
			continue;
		}
		if (node_purge_start(nodes->web, &nodes->purges, name, NULL))
			log_warn(name, "what it said stays: out of memory");
		gpio_link_free(link);
	}
	nodes->count = kept;
}

/* Returns 0 or a negative errno. */
static int add_new(struct nodes *nodes, const struct db_node *stored,
		   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = stored[i].name;
		struct gpio_link *link;

		if (is_satellite(nodes, name))
			continue;
		if (strcmp(name, nodes->web->node) == 0) {
			log_error(name, "is the name of the hub's own board, "
					"too: this satellite is not let in");
			continue;
		}
		node_purge_stop(&nodes->purges, name);
		link = gpio_link_new(nodes->web, name);
		if (!link)
			return -errno;
		nodes->links[nodes->count++] = link;
	}
	return 0;
}

void nodes_changed(struct nodes *nodes)
{
	struct db_node *stored;
	size_t count;
	int r = db_nodes_list(nodes->web->config, &stored, &count);

	loop_timer_cancel(nodes->web->loop, &nodes->retry);
	if (!r) {
		drop_gone(nodes, stored, count);
		r = add_new(nodes, stored, count);
		free(stored);
	}
	if (!r)
		return;
	log_warn("satellites", "not all are followed yet, tried again: %s",
		 strerrordesc_np(-r));
	nodes->retry.fn = on_retry;
	loop_timer_set(nodes->web->loop, &nodes->retry, RETRY_MS);
}

struct nodes *nodes_new(struct web_context *web)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	if (!nodes)
		return NULL;
	nodes->web = web;
	list_init(&nodes->purges);
	nodes->links[0] = gpio_link_new(web, "");
	if (!nodes->links[0]) {
		free(nodes);
		return NULL;
	}
	nodes->count = 1;
	nodes_changed(nodes);
	follow_name(nodes);
	return nodes;
}

void nodes_free(struct nodes *nodes)
{
	if (!nodes)
		return;
	loop_timer_cancel(nodes->web->loop, &nodes->retry);
	node_purge_stop(&nodes->purges, NULL);
	for (size_t i = 0; i < nodes->count; i++)
		gpio_link_free(nodes->links[i]);
	free(nodes);
}

struct gpio_link *nodes_own(const struct nodes *nodes)
{
	return nodes->links[0];
}

struct gpio_link *nodes_at(const struct nodes *nodes, size_t i)
{
	return i < nodes->count ? nodes->links[i] : NULL;
}

struct gpio_link *nodes_of(struct request *request)
{
	const struct nodes *nodes = request->web->nodes;
	const char *name = request_query(request, "node");

	request->gpio = NULL;
	if (!name)
		request->gpio = nodes->links[0];
	for (size_t i = 0; name && i < nodes->count; i++) {
		if (strcmp(gpio_link_name(nodes->links[i]), name) == 0)
			request->gpio = nodes->links[i];
	}
	if (!request->gpio)
		reply_problem(request, 404, "no-such-node",
			      "There is no board of that name.");
	return request->gpio;
}
