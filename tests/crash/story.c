#include "tests/crash/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crash/card.h"
#include "tests/crash/world.h"

#define REST_TURNS 400
#define OPS 4096

struct recorded {
	struct disk_op op;
	char name[64];
	uint8_t *data;
};

static struct world life; /* the house as it goes on */
static struct world after; /* the one after a simulated cut */

struct story {
	const struct story_options *options;
	struct story_result *result;
	struct rng rng; /* of the life */
	struct rng dice; /* of the images: looking changes nothing */
	struct model model;
	struct model copy;
	struct card *card;
	struct recorded ops[OPS];
	size_t op_count;
	uint64_t syncs;
	/* What the last image of nothing but the synced was made of. */
	uint64_t dropped_syncs;
	uint32_t dropped_events;
};

void story_open(void)
{
	house_make(&life.house);
	house_make(&after.house);
}

void story_close(void)
{
	house_remove(&life.house);
	house_remove(&after.house);
}

static void record(void *arg, const struct disk_op *op)
{
	struct story *s = arg;
	struct recorded *r;

	if (s->op_count == OPS)
		abort();
	r = &s->ops[s->op_count++];
	r->op = *op;
	(void)snprintf(r->name, sizeof(r->name), "%s", op->name);
	r->op.name = r->name;
	r->data = NULL;
	if (op->type != DISK_WRITE)
		return;
	r->data = malloc(op->len);
	if (!r->data)
		abort();
	memcpy(r->data, op->data, op->len);
	r->op.data = r->data;
}

static bool come_to_rest(struct world *w)
{
	unsigned int quiet = 0;

	for (int i = 0; i < REST_TURNS && quiet < 4; i++) {
		bool any = false;

		house_clock_ms += 5;
		house_broker_turn(&w->house);
		house_store_turn(&w->house);
		for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
			any |= world_read(w, c);
		quiet = any || house_store_busy(&w->house) ? 0 : quiet + 1;
		if (w->model->wrong)
			return false;
	}
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		if (w->model->parties[c].going_count ||
		    w->model->parties[c].held_count)
			model_wrong(w->model, "a handshake does not end", c, 0);
	return !w->model->wrong;
}

/* One more message for each topic tells who is subscribed, and one of each client
 * if its packet identifiers are free. */
static void ask_who_listens(struct world *w)
{
	struct model *m = w->model;

	for (uint8_t c = 0; c < MODEL_CLIENTS; c++) {
		m->sent[m->count] = (struct sent){
			.topic = c % MODEL_TOPICS,
			.from = c,
			.qos = 2,
		};
		world_publish(w, m->count++);
	}
}

/* Everybody comes back to the house after the cut. */
static void return_all(struct world *w)
{
	unsigned int first = rng_below(w->rng, MODEL_CLIENTS);

	world_look_at_retained(w);
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++) {
		unsigned int c = (first + i) % MODEL_CLIENTS;

		world_connect(w, c, w->model->parties[c].expiry == 0);
	}
	if (!come_to_rest(w))
		return;
	ask_who_listens(w);
	if (come_to_rest(w))
		model_settle(w->model);
}

static void tell(struct story *s, const struct model *m, const char *where)
{
	(void)snprintf(s->result->wrong, sizeof(s->result->wrong),
		       "%s (client or topic %u, message %u), %s, image %llu",
		       m->wrong, m->wrong_party, m->wrong_message, where,
		       (unsigned long long)s->result->images);
}

static bool look_at(struct story *s, enum card_kind kind)
{
	const uint64_t now = house_clock_ms;
	const char *failed;

	s->result->images++;
	s->copy = s->model;
	world_init(&after, &s->dice, &s->copy);
	card_image(s->card, kind, &s->dice, after.house.dir);
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++)
		model_gone(&s->copy, i);
	failed = house_open(&after.house);
	if (failed)
		model_wrong(&s->copy, failed, 0, 0);
	else
		return_all(&after);
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++)
		link_close(&after.links[i]);
	house_close(&after.house);
	ram_vfs_clear(after.house.dir);
	house_clock_ms = now;
	if (s->copy.wrong)
		tell(s, &s->copy, card_kind_name(kind));
	return !s->copy.wrong;
}

/* A cut at this instant, in all its kinds. */
static bool look(struct story *s)
{
	if (s->result->images >= s->options->images)
		return true;
	if (s->dropped_syncs != s->syncs ||
	    s->dropped_events != s->model.events) {
		s->dropped_syncs = s->syncs;
		s->dropped_events = s->model.events;
		if (!look_at(s, CARD_DROPPED))
			return false;
	}
	if (!card_dirty(s->card))
		return true;
	for (int kind = CARD_KEPT; kind < CARD_KINDS; kind++)
		if (!look_at(s, (enum card_kind)kind))
			return false;
	return true;
}

/* What has been done to files since, one by one. */
static bool follow(struct story *s)
{
	bool ok = true;

	for (size_t i = 0; i < s->op_count; i++) {
		struct recorded *r = &s->ops[i];

		if (ok) {
			card_apply(s->card, &r->op);
			s->result->ops++;
			s->syncs += r->op.type == DISK_SYNC ||
				    r->op.type == DISK_SYNC_NAMES;
			ok = look(s);
		}
		free(r->data);
	}
	s->op_count = 0;
	return ok;
}

static bool fail_here(struct story *s)
{
	tell(s, &s->model, "without a cut");
	return false;
}

/* The power really fails: the life goes on with what an image has. */
static bool cut(struct story *s)
{
	enum card_kind kind = (enum card_kind)rng_below(&s->rng, CARD_KINDS);
	const char *failed;

	ram_vfs_watch(NULL, NULL, NULL);
	world_lose_all(&life);
	house_close(&life.house);
	ram_vfs_clear(life.house.dir);
	card_cut(s->card, kind, &s->rng);
	card_image(s->card, CARD_KEPT, &s->rng, life.house.dir);
	ram_vfs_watch(life.house.dir, record, s);
	failed = house_open(&life.house);
	if (failed)
		model_wrong(&s->model, failed, 0, 0);
	return follow(s) && (!s->model.wrong || fail_here(s));
}

static void say_something(struct story *s, unsigned int c)
{
	struct model *m = &s->model;
	struct sent *sent = &m->sent[m->count];

	if (m->parties[c].going_count == MODEL_WINDOW)
		return;
	*sent = (struct sent){
		.topic = (uint8_t)rng_below(&s->rng, MODEL_TOPICS),
		.from = (uint8_t)c,
		.qos = rng_percent(&s->rng, 10)
			       ? 0
			       : (uint8_t)(1 + rng_below(&s->rng, 2)),
		.retain = rng_percent(&s->rng, 25),
	};
	sent->empty = sent->retain && rng_percent(&s->rng, 15);
	if (m->parties[c].version == MQTT_5_0 && rng_percent(&s->rng, 10))
		sent->lifetime = 2000;
	world_publish(&life, m->count++);
}

static void change_subscription(struct story *s, unsigned int c)
{
	static const uint8_t bits[] = { 1, 2, 4, 4, 8, 8, 8 };

	if (!s->model.parties[c].asked)
		world_subscribe(&life, c, rng_below(&s->rng, MODEL_TOPICS),
				bits[rng_below(&s->rng, sizeof(bits))]);
}

static void come_or_go(struct story *s, unsigned int c)
{
	const struct party *p = &s->model.parties[c];

	/* Before 5.0 a clean session would also end with its connection. */
	bool clean = p->version == MQTT_5_0 && rng_percent(&s->rng, 7);

	if (p->attachment == MODEL_AWAY || rng_percent(&s->rng, 15))
		world_connect(&life, c, p->expiry == 0 || clean);
	else
		world_leave(&life, c,
			    p->attachment == MODEL_ATTACHED &&
				    rng_percent(&s->rng, 40));
}

static void pass_time(struct story *s)
{
	static const uint32_t ms[] = { 1, 1, 5, 5, 11, 11, 50, 1100 };

	house_clock_ms += ms[rng_below(&s->rng, 8)];
	if (rng_percent(&s->rng, 3))
		house_clock_ms += rng_percent(&s->rng, 50) ? 31000 : 61000;
	house_broker_turn(&life.house);
	model_expire(&s->model);
}

static void act(struct story *s)
{
	unsigned int c = rng_below(&s->rng, MODEL_CLIENTS);
	unsigned int what = rng_below(&s->rng, 100);
	const struct party *p = &s->model.parties[c];

	if (what < 12 || p->attachment == MODEL_AWAY)
		come_or_go(s, c);
	else if (p->attachment != MODEL_ATTACHED)
		return;
	else if (what < 65)
		say_something(s, c);
	else if (what < 75)
		change_subscription(s, c);
	else if (what < 90)
		world_reply(&life, c);
	else
		pass_time(s);
}

static bool step(struct story *s)
{
	act(s);
	if (rng_percent(&s->rng, 60)) {
		house_store_turn(&life.house);
		if (!follow(s))
			return false;
	}
	house_broker_turn(&life.house);
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		world_read(&life, c);
	if (s->model.wrong)
		return fail_here(s);
	/* Something may have been promised since the last write. */
	if (s->dropped_events != s->model.events && !look(s))
		return false;
	return !rng_percent(&s->rng, 1) || cut(s);
}

static void count(struct story *s)
{
	for (unsigned int i = 0; i < s->model.count; i++) {
		s->result->taken += s->model.sent[i].taken;
		for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
			s->result->came += s->model.sent[i].came[c];
	}
}

bool story_run(const struct story_options *options, struct story_result *result)
{
	static struct story s;
	const char *failed;
	bool ok;

	memset(&s, 0, sizeof(s));
	s.options = options;
	s.result = result;
	s.rng.state = options->seed;
	s.dice.state = ~options->seed;
	s.card = card_new();
	result->wrong[0] = '\0';
	house_clock_ms = 3600000;
	ram_vfs_seed(options->seed);
	model_init(&s.model);
	world_init(&life, &s.rng, &s.model);
	life.hold = rng_below(&s.rng, 60);
	house_max_delay = options->seed % 4 ? 10 : 0;
	ram_vfs_watch(life.house.dir, record, &s);
	failed = house_open(&life.house);
	if (failed)
		model_wrong(&s.model, failed, 0, 0);
	ok = follow(&s) && (!s.model.wrong || fail_here(&s));
	for (unsigned int i = 0; ok && i < options->steps; i++) {
		if (result->images >= options->images ||
		    s.model.count + MODEL_CLIENTS + 1 >= MODEL_MESSAGES)
			break;
		ok = step(&s);
	}
	ram_vfs_watch(NULL, NULL, NULL);
	count(&s);
	world_lose_all(&life);
	house_close(&life.house);
	ram_vfs_clear(life.house.dir);
	for (size_t i = 0; i < s.op_count; i++)
		free(s.ops[i].data);
	card_free(s.card);
	return ok;
}
