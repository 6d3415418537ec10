#include "tests/crash_daemon/replay.h"

#include <stdio.h>
#include <string.h>

#include "tests/crash/aftermath.h"

/* So many of hundred instants are looked at: there are thousands in a story, and
 * all parts of it are worth a look. */
#define LOOK_PERCENT 12

void replay_init(struct replay *replay, struct record_log *log,
		 struct house *house, struct replay_counts *counts)
{
	memset(replay, 0, sizeof(*replay));
	replay->log = log;
	replay->house = house;
	replay->counts = counts;
	replay->card = card_new();
	model_init(&replay->model);
	lines_init(&replay->lines);
}

void replay_free(struct replay *replay)
{
	lines_drop(&replay->lines);
	card_free(replay->card);
}

static void tell(struct replay *r, const struct model *m, const char *where)
{
	(void)snprintf(r->wrong, sizeof(r->wrong),
		       "%s (client or topic %u, message %u), %s, record %llu",
		       m->wrong, m->wrong_party, m->wrong_message, where,
		       (unsigned long long)r->counts->records);
}

static void look_at(struct replay *r, enum card_kind kind)
{
	if (r->wrong[0])
		return;
	r->counts->images++;
	r->copy = r->model;
	house_clock_ms = r->now;
	if (!aftermath_look(r->house, r->card, kind, &r->dice, &r->copy))
		tell(r, &r->copy, card_kind_name(kind));
}

/* A cut at this instant: with nothing but what is synced, for every promise; in all
 * its kinds now and then. */
static void look(struct replay *r)
{
	const bool promised = r->events != r->model.events;
	const bool all = rng_percent(&r->dice, LOOK_PERCENT);

	r->events = r->model.events;
	if (all || (promised && rng_percent(&r->dice, 50)))
		look_at(r, CARD_DROPPED);
	if (!all || !card_dirty(r->card))
		return;
	for (int kind = CARD_KEPT; kind < CARD_KINDS; kind++)
		look_at(r, (enum card_kind)kind);
}

/* Everything is as after a look: the daemon goes on with that. */
static void cut(struct replay *r, enum card_kind kind)
{
	r->counts->cuts++;
	lines_drop(&r->lines);
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++)
		model_gone(&r->model, i);
	card_cut(r->card, kind, &r->fate);
}

static void follow(struct replay *r, const struct record_read *record)
{
	struct disk_op op;

	if (record->type == RECORD_SEED) {
		r->dice.state = record->at;
		r->fate.state = ~record->at;
		return;
	}
	if (record->type == RECORD_CUT) {
		house_clock_ms = r->now;
		cut(r, (enum card_kind)record->at);
		return;
	}
	if (record->now > r->now)
		r->now = record->now;
	house_clock_ms = r->now;
	model_expire(&r->model);
	/* Another thread may have looked at the clock later. */
	if (record->now)
		house_clock_ms = record->now;
	if (record_log_disk_op(record, &op))
		card_apply(r->card, &op);
	else
		lines_follow(&r->lines, &r->model, record);
	if (r->model.wrong)
		tell(r, &r->model, "without a cut");
	else if (record->now)
		look(r);
}

bool replay_go_on(struct replay *replay)
{
	static struct record_read record;

	while (!replay->wrong[0] && record_log_next(replay->log, &record)) {
		replay->counts->records++;
		follow(replay, &record);
	}
	return !replay->wrong[0];
}

void replay_count(const struct replay *replay)
{
	const struct model *m = &replay->model;

	for (unsigned int i = 0; i < MODEL_MESSAGES; i++) {
		replay->counts->taken += m->sent[i].taken;
		for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
			replay->counts->came += m->sent[i].came[c];
	}
}
