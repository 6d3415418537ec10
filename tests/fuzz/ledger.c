#include "tests/fuzz/ledger.h"

#include <assert.h>
#include <string.h>

static const char *const topics[LEDGER_TOPICS] = { "t/a", "t/b", "u/a", "u" };
static const char *const filters[LEDGER_FILTERS] = {
	"t/a", "t/#", "+/a", "#", "u", "$share/g/t/#",
};

/* Which filter matches which topic. */
static const bool matches[LEDGER_FILTERS][LEDGER_TOPICS] = {
	{ true, false, false, false }, { true, true, false, false },
	{ true, false, true, false },  { true, true, true, true },
	{ false, false, false, true }, { true, true, false, false },
};

const char *ledger_topic(unsigned int n)
{
	return topics[n % LEDGER_TOPICS];
}

const char *ledger_filter(unsigned int n)
{
	return filters[n % LEDGER_FILTERS];
}

static bool wants(const struct ledger_session *s, unsigned int topic)
{
	for (unsigned int f = 0; f < LEDGER_SHARED; f++) {
		if (s->subscribed[f] && matches[f][topic])
			return true;
	}
	return false;
}

static unsigned int members(const struct ledger *l)
{
	unsigned int n = 0;

	for (unsigned int a = 0; a < LEDGER_ACTORS; a++)
		n += l->sessions[a].subscribed[LEDGER_SHARED];
	return n;
}

/* Nobody is left for certain who would take what the group has. */
static void forget_group(struct ledger *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		l->messages[i].owed_group = false;
}

void ledger_ask(struct ledger *l, unsigned int actor, unsigned int filter)
{
	l->sessions[actor].asked[filter] = true;
	if (filter == LEDGER_SHARED)
		l->sessions[actor].shared_once = true;
}

void ledger_subscribed(struct ledger *l, unsigned int actor,
		       unsigned int filter)
{
	l->sessions[actor].subscribed[filter] = true;
}

void ledger_unsubscribe(struct ledger *l, unsigned int actor,
			unsigned int filter)
{
	struct ledger_session *s = &l->sessions[actor];

	s->subscribed[filter] = false;
	for (uint32_t i = 0; i < l->count; i++) {
		struct ledger_message *m = &l->messages[i];

		if (!wants(s, m->topic))
			m->owed[actor] = false;
	}
	if (filter == LEDGER_SHARED && members(l) == 0)
		forget_group(l);
}

/* It may have been chosen, by the group, for what a power cut takes. */
static bool unsafe_member(const struct ledger_session *s)
{
	return s->asked[LEDGER_SHARED] &&
	       !(s->subscribed[LEDGER_SHARED] && s->durable);
}

void ledger_session_gone(struct ledger *l, unsigned int actor)
{
	struct ledger_session *s = &l->sessions[actor];
	const bool shared = s->shared_once;
	const bool unsafe = unsafe_member(s);

	memset(s, 0, sizeof(*s));
	/* With it the wills that waited have been published. */
	for (unsigned int n = 0; n < LEDGER_WILLS; n++)
		l->wills[actor][n].due = 0;
	/* Handed over by others it may still get what is older. */
	s->shared_once = shared;
	for (uint32_t i = 0; i < l->count; i++) {
		struct ledger_message *m = &l->messages[i];

		m->owed[actor] = false;
		m->received[actor] = 0;
		m->handed_over |= unsafe;
		/* Begun with it, QoS 2 is not for others [MQTT-4.8.2-5]. */
		if (shared && m->qos == 2)
			m->owed_group = false;
	}
	if (members(l) == 0)
		forget_group(l);
}

void ledger_power_cut(struct ledger *l)
{
	bool certain = true;

	for (unsigned int a = 0; a < LEDGER_ACTORS; a++) {
		struct ledger_session *s = &l->sessions[a];

		if (unsafe_member(s))
			certain = false;
		if (!s->durable)
			ledger_session_gone(l, a);
	}
	if (!certain)
		forget_group(l);
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->messages[i].handed_over)
			l->messages[i].owed_group = false;
	}
}

uint32_t ledger_publish(struct ledger *l, unsigned int actor,
			unsigned int topic, uint8_t qos)
{
	struct ledger_message *m = &l->messages[l->count];

	if (l->count == LEDGER_MESSAGES)
		return 0;
	m->publisher = (uint8_t)actor;
	m->topic = (uint8_t)topic;
	m->qos = qos;
	for (unsigned int a = 0; a < LEDGER_ACTORS; a++)
		m->owed[a] = wants(&l->sessions[a], topic);
	m->owed_group = matches[LEDGER_SHARED][topic] && members(l) > 0;
	return ++l->count;
}

void ledger_acknowledged(struct ledger *l, uint32_t number)
{
	assert(number > 0 && number <= l->count);
	l->messages[number - 1].acknowledged = true;
}

void ledger_received(struct ledger *l, unsigned int actor, uint32_t number,
		     uint8_t qos)
{
	struct ledger_session *s = &l->sessions[actor];
	struct ledger_message *m = &l->messages[number - 1];
	uint32_t *newest = &s->newest[m->publisher][m->topic];

	assert(number > 0 && number <= l->count);
	assert(qos <= m->qos);
	m->received_group |= s->shared_once;
	if (m->received[actor]++ > 0) {
		assert(qos < 2 || s->shared_once);
		return;
	}
	assert(s->shared_once || number > *newest);
	if (number > *newest)
		*newest = number;
}

void ledger_settle(const struct ledger *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const struct ledger_message *m = &l->messages[i];

		if (!m->acknowledged)
			continue;
		for (unsigned int a = 0; a < LEDGER_ACTORS; a++)
			assert(!m->owed[a] || m->received[a] > 0);
		assert(!m->owed_group || m->received_group);
	}
}
