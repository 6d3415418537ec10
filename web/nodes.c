#include "web/nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "broker/limits.h"
#include "db/nodes.h"
#include "db/settings.h"
#include "web/gpio_link.h"
#include "web/node_purge.h"
#include "web/reply.h"

#define RETRY_MS 1000

struct nodes {
	struct web_context *web;
	struct gpio_link *links[1 + LIMIT_SATELLITES]; /* the own one first */
	size_t count;
	struct list purges;
	struct loop_timer retry;
};

static void on_retry(struct loop_timer *timer)
{
	nodes_changed(list_entry(timer, struct nodes, retry));
}

/* ---- the hub's own name -------------------------------------------------- */

/*
 * The setting has the name of now in its first line, and one in each further line
 * of which not all has been taken away yet: the hub may be stopped meanwhile, and
 * called otherwise again.
 */
#define NAMES_SIZE 640

/* Put each line behind what is in out, but for one and for what has no room. */
static void add_names(char out[NAMES_SIZE], const char *lines, const char *but)
{
	size_t used = strlen(out);
	size_t len;

	for (; *lines; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		if (len == 0 || used + 1 + len >= NAMES_SIZE ||
		    (strlen(but) == len && memcmp(lines, but, len) == 0))
			continue;
		out[used++] = '\n';
		memcpy(out + used, lines, len);
		used += len;
		out[used] = '\0';
	}
}

static void keep_names(struct web_context *web, const char *names)
{
	int r = db_settings_set(web->config, DB_SETTING_NODE, names);

	if (r)
		log_warn(web->node, "the board's name is not kept: %s",
			 strerrordesc_np(-r));
}

/* If not all could be taken away, the next start tries again. */
static void forget_name(struct web_context *web, const char *gone, int r)
{
	char names[NAMES_SIZE] = "";
	char *kept = NULL;

	if (!r)
		r = db_settings_get(web->config, DB_SETTING_NODE, &kept);
	if (r)
		return;
	add_names(names, kept, gone);
	keep_names(web, names + 1);
	free(kept);
}

static bool is_satellite(const struct nodes *nodes, const char *name)
{
	for (size_t i = 1; i < nodes->count; i++) {
		if (strcmp(gpio_link_key(nodes->links[i]), name) == 0)
			return true;
	}
	return false;
}

static void purge_names(struct nodes *nodes, const char *names)
{
	struct web_context *web = nodes->web;
	char name[NAMES_SIZE];
	size_t len;

	for (; *names; names += len + (names[len] == '\n')) {
		len = strcspn(names, "\n");
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, names);
		/* A satellite may have taken it; it goes with that. */
		if (len == 0 || is_satellite(nodes, name))
			continue;
		log_info(web->node, "was called %s before", name);
		if (node_purge_start(web, &nodes->purges, name, forget_name))
			log_warn(name, "what it said stays: out of memory");
	}
}

/* It is called otherwise in hearth.conf than at the last start? */
static void follow_name(struct nodes *nodes)
{
	struct web_context *web = nodes->web;
	char names[NAMES_SIZE];
	char *kept = NULL;
	int r = db_settings_get(web->config, DB_SETTING_NODE, &kept);

	if (r && r != -ENOENT) {
		log_warn(web->node, "what it was called before: %s",
			 strerrordesc_np(-r));
		return;
	}
	(void)snprintf(names, sizeof(names), "%s", web->node);
	add_names(names, kept ? kept : "", web->node);
	if (!kept || strcmp(kept, names) != 0)
		keep_names(web, names);
	purge_names(nodes, names + strcspn(names, "\n"));
	free(kept);
}

/* ---- satellites ---------------------------------------------------------- */

static void drop_gone(struct nodes *nodes, const struct db_node *stored,
		      size_t count)
{
	size_t kept = 1;

	for (size_t i = 1; i < nodes->count; i++) {
		struct gpio_link *link = nodes->links[i];
		const char *name = gpio_link_key(link);

		if (db_node_named(stored, count, name)) {
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
