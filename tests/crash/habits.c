#include "tests/crash/habits.h"

static void say_something(struct world *w, unsigned int c)
{
	struct model *m = w->model;
	struct sent *sent = &m->sent[m->count];

	if (m->parties[c].going_count == MODEL_WINDOW)
		return;
	*sent = (struct sent){
		.topic = (uint8_t)rng_below(w->rng, MODEL_TOPICS),
		.from = (uint8_t)c,
		.qos = rng_percent(w->rng, 10)
			       ? 0
			       : (uint8_t)(1 + rng_below(w->rng, 2)),
		.retain = rng_percent(w->rng, 25),
	};
	sent->empty = sent->retain && rng_percent(w->rng, 15);
	if (m->parties[c].version == MQTT_5_0 && rng_percent(w->rng, 10))
		sent->lifetime = 2000;
	world_publish(w, m->count++);
}

static void change_subscription(struct world *w, unsigned int c)
{
	static const uint8_t bits[] = { 1, 2, 4, 4, 8, 8, 8 };

	if (!w->model->parties[c].asked)
		world_subscribe(w, c, rng_below(w->rng, MODEL_TOPICS),
				bits[rng_below(w->rng, sizeof(bits))]);
}

static void come_or_go(struct world *w, unsigned int c)
{
	const struct party *p = &w->model->parties[c];

	/* Before 5.0 a clean session would also end with its connection. */
	bool clean = p->version == MQTT_5_0 && rng_percent(w->rng, 7);

	if (p->attachment == MODEL_AWAY || rng_percent(w->rng, 15))
		world_connect(w, c, p->expiry == 0 || clean);
	else
		world_leave(w, c,
			    p->attachment == MODEL_ATTACHED &&
				    rng_percent(w->rng, 40));
}

bool habits_act(struct world *w)
{
	unsigned int c = rng_below(w->rng, MODEL_CLIENTS);
	unsigned int what = rng_below(w->rng, 100);
	const struct party *p = &w->model->parties[c];

	if (what < 12 || p->attachment == MODEL_AWAY)
		come_or_go(w, c);
	else if (p->attachment != MODEL_ATTACHED)
		return true;
	else if (what < 65)
		say_something(w, c);
	else if (what < 75)
		change_subscription(w, c);
	else if (what < 90)
		world_reply(w, c);
	else
		return false;
	return true;
}
