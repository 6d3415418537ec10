/*
 * The tree of subscriptions and the set of retained messages against the naive
 * reading of each filter by itself, topic_matches(). Input: lines "+FILTER"
 * (subscribe), "-FILTER" (undo one), "=NAME" (a retained message; again: it goes),
 * "?FILTER" (which are retained) and names, for which all must agree.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/base/hash.h"
#include "broker/message.h"
#include "broker/origin.h"
#include "broker/routing/retained.h"
#include "broker/routing/topic_tree.h"
#include "broker/wire/topic.h"
#include "tests/fuzz/fuzz.h"

#define SUBSCRIPTIONS_MAX 64

struct subscriber {
	struct subscription subscription;
	struct slice filter; /* of the input */
	unsigned int met;
};

struct garden {
	struct topic_tree *tree;
	struct retained *retained;
	struct origin *origin;
	struct subscriber subscribers[SUBSCRIPTIONS_MAX];
	struct slice names[SUBSCRIPTIONS_MAX]; /* retained, in order of age */
	size_t name_count;
	size_t seen;
	struct slice asked;
};

static void check_node(const struct topic_node *node, struct slice filter)
{
	char *text = malloc(filter.len);

	assert(text);
	assert(topic_node_filter(node, text, filter.len) == filter.len);
	assert(slice_equal(slice_of(text, filter.len), filter));
	free(text);
}

static void subscribe(struct garden *g, struct slice filter)
{
	if (!topic_filter_valid(filter))
		return;
	for (size_t i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		struct subscriber *s = &g->subscribers[i];
		struct topic_node *node;

		if (s->filter.len > 0)
			continue;
		node = topic_tree_obtain(g->tree, filter);
		assert(node);
		check_node(node, filter);
		topic_tree_add(node, &s->subscription);
		s->filter = filter;
		return;
	}
}

static void unsubscribe(struct garden *g, struct slice filter)
{
	size_t others = 0;
	bool done = false;

	for (size_t i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		struct subscriber *s = &g->subscribers[i];

		if (filter.len == 0 || !slice_equal(s->filter, filter))
			continue;
		if (done) {
			others++;
			continue;
		}
		topic_tree_remove(g->tree, &s->subscription);
		s->filter.len = 0;
		done = true;
	}
	/* The node goes with its last subscription, unless it is a level of
	 * another's filter. */
	if (others > 0)
		assert(topic_tree_find(g->tree, filter));
}

static int meet(struct subscription *subscription, void *arg)
{
	struct garden *g = arg;
	struct subscriber *s = (struct subscriber *)(void *)subscription;

	assert(s >= g->subscribers && s < g->subscribers + SUBSCRIPTIONS_MAX);
	s->met++;
	return 0;
}

static void publish(struct garden *g, struct slice name)
{
	if (!topic_name_valid(name))
		return;
	for (size_t i = 0; i < SUBSCRIPTIONS_MAX; i++)
		g->subscribers[i].met = 0;
	assert(topic_tree_match(g->tree, name, meet, g) == 0);
	for (size_t i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		const struct subscriber *s = &g->subscribers[i];

		assert(s->met ==
		       (s->filter.len > 0 && topic_matches(s->filter, name)));
	}
}

static void retain(struct garden *g, struct slice name)
{
	const struct message_parts parts = { .topic = name,
					     .payload = slice_str("x"),
					     .expires = MESSAGE_NO_EXPIRY,
					     .origin = g->origin };
	struct message *message;

	if (!topic_name_valid(name))
		return;
	for (size_t i = 0; i < g->name_count; i++) {
		if (!slice_equal(g->names[i], name))
			continue;
		assert(retained_holds(g->retained, name));
		assert(retained_remove(g->retained, name) == 0);
		g->names[i] = g->names[--g->name_count];
		return;
	}
	assert(retained_remove(g->retained, name) == -ENOENT);
	if (g->name_count == SUBSCRIPTIONS_MAX)
		return;
	message = message_new(&parts);
	assert(message);
	assert(retained_set(g->retained, message) == 0);
	message_unref(message);
	g->names[g->name_count++] = name;
}

static int see(struct message *message, void *arg)
{
	struct garden *g = arg;
	const struct slice name = message_topic(message);

	assert(topic_matches(g->asked, name));
	for (size_t i = 0; i < g->name_count; i++) {
		if (slice_equal(g->names[i], name)) {
			g->seen++;
			return 0;
		}
	}
	abort();
}

static void ask(struct garden *g, struct slice filter)
{
	size_t wanted = 0;

	if (!topic_filter_valid(filter))
		return;
	for (size_t i = 0; i < g->name_count; i++)
		wanted += topic_matches(filter, g->names[i]);
	g->asked = filter;
	g->seen = 0;
	assert(retained_match(g->retained, filter, 0, see, g) == 0);
	/* As many, and each name is held once: the very same. */
	assert(g->seen == wanted);
	assert(retained_count(g->retained) == g->name_count);
}

static void line(struct garden *g, struct slice text)
{
	const struct slice rest = slice_of(text.data + 1, text.len - 1);

	switch (text.data[0]) {
	case '+':
		subscribe(g, rest);
		break;
	case '-':
		unsubscribe(g, rest);
		break;
	case '=':
		retain(g, rest);
		break;
	case '?':
		ask(g, rest);
		break;
	default:
		publish(g, text);
		break;
	}
}

static void clear(struct garden *g)
{
	for (size_t i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		if (g->subscribers[i].filter.len > 0)
			topic_tree_remove(g->tree,
					  &g->subscribers[i].subscription);
	}
	topic_tree_free(g->tree);
	retained_free(g->retained);
	origin_unref(g->origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_copy copy = fuzz_copy(data, size);
	const uint8_t *at = copy.bytes.data, *end = at + size;
	struct garden garden = { 0 };

	hash_seed();
	garden.tree = topic_tree_new();
	garden.retained = retained_new();
	garden.origin = origin_new("u", "c", "a");
	assert(garden.tree && garden.retained && garden.origin);
	while (at < end) {
		const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
		const size_t len = (size_t)((newline ? newline : end) - at);

		if (len > 0 && len <= 65535)
			line(&garden, slice_of(at, len));
		at += len + 1;
	}
	clear(&garden);
	fuzz_copy_free(&copy);
	return 0;
}
