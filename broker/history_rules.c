#include "broker/history_rules.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/topic.h"

struct rule {
	char *filter;
	size_t len;
	bool commands; /* its last level is a name */
	struct history_policy policy;
};

struct history_rules {
	atomic_uint refs;
	struct history_limits limits;
	size_t count;
	struct rule rules[HISTORY_RULES_MAX]; /* the most exact first */
};

static const struct history_limits usual = {
	.days = HISTORY_DAYS,
	.budget = HISTORY_BUDGET,
};

struct history_rules *history_rules_new(void)
{
	struct history_rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return NULL;
	atomic_init(&rules->refs, 1);
	rules->limits = usual;
	return rules;
}

struct history_rules *history_rules_ref(struct history_rules *rules)
{
	atomic_fetch_add_explicit(&rules->refs, 1, memory_order_relaxed);
	return rules;
}

void history_rules_unref(struct history_rules *rules)
{
	if (!rules || atomic_fetch_sub(&rules->refs, 1) != 1)
		return;
	for (size_t i = 0; i < rules->count; i++)
		free(rules->rules[i].filter);
	free(rules);
}

static int rank(struct slice level)
{
	if (topic_level_is(level, '#'))
		return 2;
	return topic_level_is(level, '+') ? 1 : 0;
}

static int compare_text(struct slice a, struct slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int r = len ? memcmp(a.data, b.data, len) : 0;

	if (r)
		return r;
	return a.len < b.len ? -1 : a.len > b.len;
}

/* Below 0: a comes before b. Of two that match one topic, a is more exact. */
static int compare(struct slice a, struct slice b)
{
	struct slice of_a, of_b;

	for (;;) {
		bool more_a = topic_take_level(&a, &of_a);
		bool more_b = topic_take_level(&b, &of_b);
		int r = rank(of_a) - rank(of_b);

		if (!r)
			r = compare_text(of_a, of_b);
		if (r)
			return r;
		if (!more_a || !more_b)
			return more_a - more_b;
	}
}

static struct slice last_level(struct slice topic)
{
	struct slice level;

	while (topic_take_level(&topic, &level))
		;
	return level;
}

int history_rules_add(struct history_rules *rules, struct slice filter,
		      const struct history_policy *policy)
{
	struct rule *rule;
	size_t at = 0;
	char *copy;
	int r = -1;

	if (!topic_filter_valid(filter))
		return -EINVAL;
	for (; at < rules->count; at++) {
		rule = &rules->rules[at];
		r = compare(filter, slice_of(rule->filter, rule->len));
		if (r <= 0)
			break;
	}
	if (at < rules->count && r == 0)
		return -EEXIST;
	if (rules->count == HISTORY_RULES_MAX)
		return -ENFILE;
	copy = malloc(filter.len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, filter.data, filter.len);

	rule = &rules->rules[at];
	memmove(rule + 1, rule, (rules->count - at) * sizeof(*rule));
	rules->count++;
	*rule = (struct rule){
		.filter = copy,
		.len = filter.len,
		.commands = rank(last_level(filter)) == 0,
		.policy = *policy,
	};
	return 0;
}

static bool is_command(struct slice topic)
{
	struct slice last = last_level(topic);

	return slice_equal(last, slice_str("set")) ||
	       slice_equal(last, slice_str("result"));
}

const struct history_policy *
history_rules_find(const struct history_rules *rules, struct slice topic)
{
	const bool command = is_command(topic);

	for (size_t i = 0; rules && i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		if ((rule->commands || !command) &&
		    topic_matches(slice_of(rule->filter, rule->len), topic))
			return &rule->policy;
	}
	return NULL;
}

void history_rules_limit(struct history_rules *rules,
			 const struct history_limits *limits)
{
	rules->limits = *limits;
}

struct history_limits history_rules_limits(const struct history_rules *rules)
{
	return rules ? rules->limits : usual;
}
