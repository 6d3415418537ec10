#include "broker/routing/topic_conditional.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/match/matcher.h"
#include "broker/routing/publish.h"
#include "broker/routing/topic_tree.h"

#define NONE UINT32_MAX

int topic_conditionals_add(struct topic_conditionals **out,
			   struct session *session)
{
	struct topic_conditionals *all = *out;

	if (!all) {
		all = calloc(1, sizeof(*all));
		if (!all)
			return -ENOMEM;
		*out = all;
	}
	if (all->count == all->cap) {
		uint32_t cap = all->cap ? all->cap * 2 : 2;
		struct topic_conditional *grown =
			realloc(all->sessions, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		all->sessions = grown;
		all->cap = cap;
	}
	all->sessions[all->count++] = (struct topic_conditional){
		.session = session,
		.first = NONE,
	};
	return 0;
}

int topic_conditionals_option(struct topic_conditionals *all, uint32_t at,
			      const struct subscription *subscription)
{
	struct topic_conditional *c = &all->sessions[at];

	if (all->option_count == all->option_cap) {
		uint32_t cap = all->option_cap ? all->option_cap * 2 : 2;
		struct topic_option *grown =
			realloc(all->options, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		all->options = grown;
		all->option_cap = cap;
	}
	all->options[all->option_count] = (struct topic_option){
		.predicate = subscription->predicate,
		.identifier = subscription->identifier,
		.next = c->first,
		.options = subscription->options,
	};
	c->first = all->option_count++;
	c->predicate |= subscription->predicate != NULL;
	if (subscription->options & SUBSCRIPTION_NO_LOCAL)
		c->no_local = true;
	else
		c->local = true;
	return 0;
}

void topic_conditionals_free(struct topic_conditionals *all)
{
	if (!all)
		return;
	free(all->sessions);
	free(all->options);
	free(all);
}

void topic_target_merge(struct topic_target *target, uint8_t options)
{
	if (SUBSCRIPTION_QOS(options) > target->qos)
		target->qos = SUBSCRIPTION_QOS(options);
	target->no_local &= (options & SUBSCRIPTION_NO_LOCAL) != 0;
	target->retain_as_published |=
		(options & SUBSCRIPTION_RETAIN_AS_PUBLISHED) != 0;
}

uint16_t topic_identifier_put(uint8_t *identifiers, uint16_t len,
			      uint32_t identifier)
{
	struct writer w;

	if (!identifier || len > TOPIC_IDENTIFIERS_SIZE - TOPIC_IDENTIFIER_SIZE)
		return len;
	w = writer_of(identifiers + len, TOPIC_IDENTIFIER_SIZE);
	writer_u8(&w, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
	writer_varint(&w, identifier);
	return (uint16_t)(len + w.len);
}

bool topic_conditionals_resolve(const struct topic_conditionals *all,
				uint32_t at, struct matcher *matcher,
				struct publish *p,
				uint8_t buffer[TOPIC_IDENTIFIERS_SIZE],
				struct topic_target *out)
{
	const struct topic_conditional *c = &all->sessions[at];
	bool any = false;

	*out = (struct topic_target){
		.session = c->session,
		.identifiers = buffer,
		.no_local = true,
	};
	for (uint32_t i = c->first; i != NONE; i = all->options[i].next) {
		const struct topic_option *o = &all->options[i];

		/* [MQTT-3.8.3-3]: this one does not match at all. */
		if (p->from == c->session &&
		    (o->options & SUBSCRIPTION_NO_LOCAL))
			continue;
		if (o->predicate && !matcher_holds(matcher, o->predicate, p))
			continue;
		any = true;
		topic_target_merge(out, o->options);
		out->identifiers_len = topic_identifier_put(
			buffer, out->identifiers_len, o->identifier);
	}
	return any;
}
