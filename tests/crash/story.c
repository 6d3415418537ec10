#include "tests/crash/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crash/aftermath.h"
#include "tests/crash/habits.h"
#include "tests/crash/ram_vfs.h"

#define OPS 4096

struct recorded {
	struct disk_op op;
	char name[64];
	uint8_t *data;
};

static struct house house; /* where life goes on */
static struct world life;
static struct house after; /* the one after a simulated cut */

struct story {
	const struct story_options *options;
	struct story_result *result;
	struct rng rng; /* of the life */
	struct rng dice; /* of the images: looking changes nothing */
	struct model model;
	struct model copy;
	struct card *card;
	unsigned int failing_syncs; /* of hundred */
	struct recorded ops[OPS];
	size_t op_count;
	uint64_t syncs;
	/* What the last image of nothing but the synced was made of. */
	uint64_t dropped_syncs;
	uint32_t dropped_events;
};

void story_open(void)
{
	house_make(&house);
	house_make(&after);
}

void story_close(void)
{
	house_remove(&house);
	house_remove(&after);
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

static void tell(struct story *s, const struct model *m, const char *where)
{
	(void)snprintf(s->result->wrong, sizeof(s->result->wrong),
		       "%s (client or topic %u, message %u), %s, image %llu",
		       m->wrong, m->wrong_party, m->wrong_message, where,
		       (unsigned long long)s->result->images);
}

static bool look_at(struct story *s, enum card_kind kind)
{
	s->result->images++;
	s->copy = s->model;
	if (aftermath_look(&after, s->card, kind, &s->dice, &s->copy))
		return true;
	tell(s, &s->copy, card_kind_name(kind));
	return false;
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

/* The life goes on with the files as they are. */
static bool come_back(struct story *s)
{
	const char *failed;

	ram_vfs_watch(house.dir, record, s);
	/* A start that cannot write is another story. */
	ram_vfs_fail_syncs(0);
	failed = house_open(&house);
	ram_vfs_fail_syncs(s->failing_syncs);
	if (failed)
		model_wrong(&s->model, failed, 0, 0);
	return follow(s) && (!s->model.wrong || fail_here(s));
}

static void end_life(void)
{
	ram_vfs_watch(NULL, NULL, NULL);
	world_lose_all(&life);
	house_close(&house);
	ram_vfs_clear(house.dir);
}

/* The power really fails: what an image has is all there is. */
static bool cut(struct story *s)
{
	enum card_kind kind = (enum card_kind)rng_below(&s->rng, CARD_KINDS);

	end_life();
	card_cut(s->card, kind, &s->rng);
	card_image(s->card, CARD_KEPT, &s->rng, ram_vfs_put, house.dir);
	return come_back(s);
}

/* Only the process ends. What the system had given up is forgotten (db/reread.h):
 * taken over, it would cost what is promised after it. */
static bool killed(struct story *s)
{
	end_life();
	card_image(s->card, CARD_KEPT, &s->rng, ram_vfs_put, house.dir);
	return come_back(s);
}

static void pass_time(struct story *s)
{
	static const uint32_t ms[] = { 1, 1, 5, 5, 11, 11, 50, 1100 };

	house_clock_ms += ms[rng_below(&s->rng, 8)];
	if (rng_percent(&s->rng, 3))
		house_clock_ms += rng_percent(&s->rng, 50) ? 31000 : 61000;
	house_broker_turn(&house);
	model_expire(&s->model);
}

static bool step(struct story *s)
{
	if (!habits_act(&life))
		pass_time(s);
	if (rng_percent(&s->rng, 60)) {
		house_store_turn(&house);
		if (!follow(s))
			return false;
	}
	house_broker_turn(&house);
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		world_read(&life, c);
	if (s->model.wrong)
		return fail_here(s);
	/* Something may have been promised since the last write. */
	if (s->dropped_events != s->model.events && !look(s))
		return false;
	switch (rng_below(&s->rng, 100)) {
	case 0:
		return cut(s);
	case 1:
		return killed(s);
	default:
		return true;
	}
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
	world_init(&life, house_place(&house), &s.rng, &s.model);
	life.hold = rng_below(&s.rng, 60);
	house_max_delay = options->seed % 4 ? 10 : 0;
	/* In every third life the card is failing. */
	s.failing_syncs = options->seed % 3 == 2 ? 10 : 0;
	ok = come_back(&s);
	for (unsigned int i = 0; ok && i < options->steps; i++) {
		if (result->images >= options->images ||
		    s.model.count + MODEL_CLIENTS + 1 >= MODEL_MESSAGES)
			break;
		ok = step(&s);
	}
	count(&s);
	end_life();
	for (size_t i = 0; i < s.op_count; i++)
		free(s.ops[i].data);
	card_free(s.card);
	return ok;
}
