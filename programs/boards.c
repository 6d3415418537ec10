#include "programs/boards.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/nodes.h"

static void add(struct boards *boards, const char *name)
{
	char *topic = boards->topic[boards->count];

	(void)snprintf(topic, sizeof(boards->topic[0]), "hearth/%s/status",
		       name);
	boards->status_topics[boards->count++] = topic;
}

int boards_list(struct boards *boards, struct db_config *config,
		const char *node)
{
	struct db_node *nodes;
	size_t count;
	int r = db_nodes_list(config, &nodes, &count);

	if (r)
		return r;
	boards->count = 0;
	add(boards, node);
	for (size_t i = 0; i < count; i++)
		add(boards, nodes[i].name);
	free(nodes);
	return 0;
}

const struct listener_options *boards_listener(const struct config *config)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct listener_options *l = &config->listeners[i];

		if (l->type == LISTENER_TLS && !l->tls_client_ca && !l->user &&
		    !l->mount_point && l->users.count == 0 &&
		    !l->proxy_protocol)
			return l;
	}
	return NULL;
}
