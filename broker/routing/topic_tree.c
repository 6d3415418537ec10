#include "broker/routing/topic_tree.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/base/hash.h"
#include "broker/wire/topic.h"

struct topic_node {
	struct hash_node by_level; /* in tree->children, unless a wildcard */
	struct topic_node *parent;
	struct topic_node *plus;
	struct topic_node *hash;
	struct list subscriptions;
	uint32_t children; /* literal ones */
	uint32_t id; /* mixes into the children's hashes */
	uint16_t len;
	uint8_t level[];
};

struct topic_tree {
	struct topic_node *root;
	struct hash_table children;
	uint32_t next_id;
};

static struct topic_node *
node_new(struct topic_tree *tree, struct topic_node *parent, struct slice level)
{
	struct topic_node *node = calloc(1, sizeof(*node) + level.len);

	if (!node)
		return NULL;
	node->parent = parent;
	node->id = tree->next_id++;
	node->len = (uint16_t)level.len;
	if (level.len)
		memcpy(node->level, level.data, level.len);
	list_init(&node->subscriptions);
	return node;
}

struct topic_tree *topic_tree_new(void)
{
	struct topic_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	if (hash_table_init(&tree->children) < 0)
		goto err_free;
	tree->root = node_new(tree, NULL, slice_of(NULL, 0));
	if (!tree->root)
		goto err_table;
	return tree;

err_table:
	hash_table_free(&tree->children);
err_free:
	free(tree);
	return NULL;
}

void topic_tree_free(struct topic_tree *tree)
{
	if (!tree)
		return;
	assert(tree->children.count == 0);
	hash_table_free(&tree->children);
	free(tree->root);
	free(tree);
}

/* Levels are hashed once for a walk and mixed with each parent tried. */
static uint64_t child_hash(const struct topic_node *parent, uint64_t level)
{
	uint64_t mixed = level ^ (parent->id * UINT64_C(0x9e3779b97f4a7c15));

	return mixed ^ (mixed >> 29);
}

static struct topic_node *literal_child(const struct topic_tree *tree,
					const struct topic_node *parent,
					struct slice level, uint64_t hash)
{
	struct hash_node *at =
		hash_table_first(&tree->children, child_hash(parent, hash));

	for (; at; at = hash_table_next(at)) {
		struct topic_node *node =
			hash_entry(at, struct topic_node, by_level);

		if (node->parent == parent &&
		    slice_equal(slice_of(node->level, node->len), level))
			return node;
	}
	return NULL;
}

static struct topic_node *child_find(const struct topic_tree *tree,
				     const struct topic_node *parent,
				     struct slice level)
{
	if (topic_level_is(level, '+'))
		return parent->plus;
	if (topic_level_is(level, '#'))
		return parent->hash;
	if (!parent->children)
		return NULL;
	return literal_child(tree, parent, level, hash_bytes(level));
}

static struct topic_node *child_obtain(struct topic_tree *tree,
				       struct topic_node *parent,
				       struct slice level)
{
	struct topic_node *node = child_find(tree, parent, level);

	if (node)
		return node;
	node = node_new(tree, parent, level);
	if (!node)
		return NULL;

	if (topic_level_is(level, '+')) {
		parent->plus = node;
	} else if (topic_level_is(level, '#')) {
		parent->hash = node;
	} else {
		hash_table_add(&tree->children, &node->by_level,
			       child_hash(parent, hash_bytes(level)));
		parent->children++;
	}
	return node;
}

struct topic_node *topic_tree_obtain(struct topic_tree *tree,
				     struct slice filter)
{
	struct topic_node *node = tree->root;
	struct slice level;
	bool more;

	do {
		struct topic_node *child;

		more = topic_take_level(&filter, &level);
		child = child_obtain(tree, node, level);
		if (!child) {
			topic_node_prune(tree, node);
			return NULL;
		}
		node = child;
	} while (more);
	return node;
}

struct topic_node *topic_tree_find(const struct topic_tree *tree,
				   struct slice filter)
{
	struct topic_node *node = tree->root;
	struct slice level;
	bool more = true;

	while (node && more) {
		more = topic_take_level(&filter, &level);
		node = child_find(tree, node, level);
	}
	return node && !list_empty(&node->subscriptions) ? node : NULL;
}

void topic_node_prune(struct topic_tree *tree, struct topic_node *node)
{
	while (node->parent && list_empty(&node->subscriptions) &&
	       !node->children && !node->plus && !node->hash) {
		struct topic_node *parent = node->parent;

		if (parent->plus == node) {
			parent->plus = NULL;
		} else if (parent->hash == node) {
			parent->hash = NULL;
		} else {
			hash_table_remove(&tree->children, &node->by_level);
			parent->children--;
		}
		free(node);
		node = parent;
	}
}

void topic_tree_add(struct topic_node *node, struct subscription *subscription)
{
	subscription->node = node;
	list_append(&node->subscriptions, &subscription->in_node);
}

void topic_tree_remove(struct topic_tree *tree,
		       struct subscription *subscription)
{
	list_remove(&subscription->in_node);
	topic_node_prune(tree, subscription->node);
	subscription->node = NULL;
}

size_t topic_node_filter(const struct topic_node *node, char *out, size_t size)
{
	size_t len = 0, at;

	for (const struct topic_node *n = node; n->parent; n = n->parent)
		len += n->len + (n->parent->parent ? 1u : 0u);
	if (len > size)
		return len;

	at = len;
	for (const struct topic_node *n = node; n->parent; n = n->parent) {
		at -= n->len;
		memcpy(out + at, n->level, n->len);
		if (n->parent->parent)
			out[--at] = '/';
	}
	return len;
}

struct walk {
	const struct topic_tree *tree;
	topic_match_fn *match;
	void *arg;
	size_t count; /* of levels */
	struct slice levels[TOPIC_LEVELS_MAX];
	uint64_t hashes[TOPIC_LEVELS_MAX];
};

static int meet(const struct walk *walk, const struct topic_node *node)
{
	struct list *at, *after;
	int r = 0;

	list_for_each (at, after, &node->subscriptions) {
		r = walk->match(list_entry(at, struct subscription, in_node),
				walk->arg);
		if (r < 0)
			break;
	}
	return r;
}

/* Depth is bounded by TOPIC_LEVELS_MAX. */
static int visit(const struct walk *walk, const struct topic_node *node,
		 size_t depth)
{
	/* "$SYS" is met by no wildcard at the start [MQTT-4.7.2-1]. */
	bool wild = depth > 0 || walk->levels[0].len == 0 ||
		    walk->levels[0].data[0] != '$';
	int r = 0;

	/* "sport/#" also matches "sport". */
	if (node->hash && wild)
		r = meet(walk, node->hash);
	if (r < 0)
		return r;
	if (depth == walk->count)
		return meet(walk, node);

	if (node->plus && wild)
		r = visit(walk, node->plus, depth + 1);
	if (r >= 0 && node->children) {
		const struct topic_node *child =
			literal_child(walk->tree, node, walk->levels[depth],
				      walk->hashes[depth]);

		if (child)
			r = visit(walk, child, depth + 1);
	}
	return r;
}

int topic_tree_match(const struct topic_tree *tree, struct slice topic,
		     topic_match_fn *match, void *arg)
{
	struct walk walk; /* 4.7 KiB: too much to clear for every message */
	struct slice level;
	bool more;

	walk.tree = tree;
	walk.match = match;
	walk.arg = arg;
	walk.count = 0;
	do {
		if (walk.count == TOPIC_LEVELS_MAX)
			return 0;
		more = topic_take_level(&topic, &level);
		walk.levels[walk.count] = level;
		walk.hashes[walk.count] = hash_bytes(level);
		walk.count++;
	} while (more);
	return visit(&walk, tree->root, 0);
}
