#include "tests/crash/model.h"

#include <assert.h>
#include <string.h>

#include "tests/crash/house.h"

const char *const model_topics[MODEL_TOPICS] = { "a", "b", "x/1", "y/1/2" };
const char *const model_filters[MODEL_TOPICS] = { "a", "b", "x/+", "y/#" };

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++) {
		struct party *p = &m->parties[i];

		p->version = i % 3 == 1 ? MQTT_3_1_1 : MQTT_5_0;
		/* The last but one is soon forgotten, the last at once. */
		p->expiry = i == MODEL_CLIENTS - 2   ? 30
			    : i == MODEL_CLIENTS - 1 ? 0
						     : 3600;
		p->version = p->expiry == 3600 ? p->version : MQTT_5_0;
		memset(p->subscribed, 1, sizeof(p->subscribed));
	}
}

void model_wrong(struct model *m, const char *what, unsigned int party,
		 unsigned int message)
{
	if (m->wrong || m->blind)
		return;
	m->wrong = what;
	m->wrong_party = party;
	m->wrong_message = message;
}

static uint8_t due_now(const struct party *p, unsigned int topic)
{
	const uint8_t bits = p->subscribed[topic];

	if (bits == 1)
		return DUE_NEVER;
	return bits & 3 || p->expiry == 0 ? DUE_MAYBE : DUE_SURELY;
}

static void note_retained(struct model *m, uint16_t message)
{
	struct retained_model *r = &m->retained[m->sent[message].topic];

	assert(r->count < MODEL_UPDATES);
	r->update[r->count++] = message;
}

static bool over(const struct sent *s)
{
	return s->expires <= house_clock_ms;
}

void model_publish(struct model *m, uint16_t message, bool again)
{
	struct sent *s = &m->sent[message];

	for (unsigned int i = 0; i < MODEL_CLIENTS; i++) {
		const struct party *p = &m->parties[i];
		uint8_t due = due_now(p, s->topic);
		bool once = s->qos == 2 && !(p->subscribed[s->topic] & 0x06);

		if (!again) {
			s->due[i] = due;
			s->once[i] = once;
			continue;
		}
		/* What it gets may be what is sent only now. */
		if (s->due[i] != DUE_SURELY || over(s))
			s->late[i] = true;
		/* Taken the first time, or only now. */
		if (s->due[i] != due)
			s->due[i] = DUE_MAYBE;
		s->once[i] = s->once[i] && (once || due == DUE_NEVER);
	}
	s->expires_last =
		s->lifetime ? house_clock_ms + s->lifetime : UINT64_MAX;
	if (!again)
		s->expires = s->expires_last;
	if (s->retain)
		note_retained(m, message);
}

void model_taken(struct model *m, uint16_t message)
{
	struct retained_model *r = &m->retained[m->sent[message].topic];

	m->events++;
	m->sent[message].taken = true;
	if (!m->sent[message].retain)
		return;
	for (uint16_t i = 0; i < r->count; i++) {
		if (r->update[i] != message)
			continue;
		if (i >= r->first)
			r->first = i;
		r->any = true;
		return;
	}
}

static void check_order(struct model *m, unsigned int party, uint16_t message,
			uint8_t qos)
{
	const struct sent *s = &m->sent[message];
	uint16_t *newest =
		&m->parties[party].newest[s->topic][s->from][s->qos][qos];

	if (s->late[party])
		return;
	if (message + 1 < *newest)
		model_wrong(m, "came behind a later one", party, message);
	*newest = (uint16_t)(message + 1);
}

void model_came(struct model *m, unsigned int party, uint16_t message,
		uint8_t qos)
{
	struct sent *s = &m->sent[message];

	if (message >= m->count) {
		model_wrong(m, "nobody has sent it", party, message);
		return;
	}
	if (s->due[party] == DUE_NEVER)
		model_wrong(m, "came though it must not", party, message);
	if (s->came[party] && s->once[party])
		model_wrong(m, "came twice at QoS 2", party, message);
	m->events++;
	if (!s->came[party] && qos > 0)
		check_order(m, party, message, qos);
	if (s->came[party] < UINT8_MAX)
		s->came[party]++;
}

void model_asked(struct model *m, unsigned int party, unsigned int topic,
		 uint8_t bit)
{
	struct party *p = &m->parties[party];

	p->asked = (uint8_t)(topic + 1);
	p->asked_bit = bit;
	p->subscribed[topic] |= bit;
}

void model_answered(struct model *m, unsigned int party)
{
	struct party *p = &m->parties[party];

	if (!p->asked) {
		model_wrong(m, "an answer to no request", party, 0);
		return;
	}
	m->events++;
	p->subscribed[p->asked - 1] = p->asked_bit;
	p->asked = 0;
}

/* What it was still to be sent was never the fault of the store. */
static void downgrade(struct model *m, unsigned int party, uint8_t to)
{
	for (uint16_t i = 0; i < m->count; i++)
		if (m->sent[i].due[party] > to)
			m->sent[i].due[party] = to;
}

static void forget_handshakes(struct party *p)
{
	p->going_count = 0;
	p->held_count = 0;
}

void model_connecting(struct model *m, unsigned int party, bool clean)
{
	struct party *p = &m->parties[party];

	if (clean)
		model_session_ending(m, party);
	if (!p->has_session) {
		/* If the old session is there again, so is what was in it. */
		forget_handshakes(p);
		for (uint16_t i = 0; i < m->count; i++)
			m->sent[i].once[party] = false;
	}
	for (unsigned int i = 0; i < p->going_count; i++)
		p->going[i].here = false;
	p->attachment = MODEL_CONNECTING;
	p->may_be_present = !clean && p->may_have_session;
	p->may_have_session = true;
}

void model_session_ending(struct model *m, unsigned int party)
{
	struct party *p = &m->parties[party];

	p->has_session = false;
	for (unsigned int i = 0; i < MODEL_TOPICS; i++)
		p->subscribed[i] |= 1;
	downgrade(m, party, DUE_MAYBE);
}

void model_session_over(struct model *m, unsigned int party)
{
	struct party *p = &m->parties[party];

	p->has_session = false;
	p->may_have_session = false;
	memset(p->subscribed, 1, sizeof(p->subscribed));
	p->asked = 0;
	downgrade(m, party, DUE_NEVER);
	forget_handshakes(p);
}

void model_connack(struct model *m, unsigned int party, bool present)
{
	struct party *p = &m->parties[party];

	m->events++;
	if (present && !p->may_be_present)
		model_wrong(m, "a session came back", party, 0);
	if (!present && p->has_session)
		model_wrong(m, "the session is lost", party, 0);
	if (!present)
		model_session_over(m, party);
	p->attachment = MODEL_ATTACHED;
	p->may_have_session = true;
	p->has_session = p->expiry > 0;
}

void model_gone(struct model *m, unsigned int party)
{
	struct party *p = &m->parties[party];

	if (p->attachment == MODEL_AWAY)
		return;
	p->attachment = MODEL_AWAY;
	p->gone = house_clock_ms;
	p->asked = 0;
	if (p->expiry == 0)
		model_session_over(m, party);
}

void model_expire(struct model *m)
{
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++) {
		struct party *p = &m->parties[i];

		if (p->attachment == MODEL_AWAY && p->has_session &&
		    house_clock_ms - p->gone >= (uint64_t)p->expiry * 1000)
			model_session_ending(m, i);
	}
}

void model_settle(struct model *m)
{
	for (uint16_t i = 0; i < m->count; i++) {
		const struct sent *s = &m->sent[i];

		if (!s->taken || s->empty || over(s))
			continue;
		for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
			if (s->due[c] == DUE_SURELY && !s->came[c])
				model_wrong(m, "acknowledged, and lost", c, i);
	}
}

static bool may_be_none(const struct model *m, const struct retained_model *r)
{
	if (!r->any)
		return true;
	for (uint16_t i = r->first; i < r->count; i++)
		if (m->sent[r->update[i]].empty || over(&m->sent[r->update[i]]))
			return true;
	return false;
}

void model_retained(struct model *m, unsigned int topic, uint16_t message)
{
	const struct retained_model *r = &m->retained[topic];

	if (message == UINT16_MAX) {
		if (!may_be_none(m, r))
			model_wrong(m, "a retained value is lost", topic,
				    r->update[r->first]);
		return;
	}
	if (message < m->count &&
	    m->sent[message].expires_last <= house_clock_ms)
		model_wrong(m, "a retained value outlived its expiry", topic,
			    message);
	for (uint16_t i = r->first; i < r->count; i++)
		if (r->update[i] == message)
			return;
	model_wrong(m, "an old retained value came back", topic, message);
}
