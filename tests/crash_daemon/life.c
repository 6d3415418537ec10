#include "tests/crash_daemon/life.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/crash/habits.h"
#include "tests/crash_daemon/files.h"

/* A daemon that does not answer for so long has hung. */
#define PATIENCE_MS 120000

struct life {
	const struct life_options *options;
	struct rng rng;
	struct daemon daemon;
	struct record_log *log; /* what the replay reads */
	struct replay replay;
	struct world world;
	/* What the clients of this process know; they cannot tell in which order
	 * the daemon reads what two of them have sent. */
	struct model model;
	const char *failed;
};

/* Wait for something to read, at most so long. */
static void listen_to_all(struct life *l, int ms)
{
	struct pollfd fds[MODEL_CLIENTS];
	nfds_t count = 0;

	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		if (l->world.links[c].fd >= 0)
			fds[count++] = (struct pollfd){
				.fd = l->world.links[c].fd,
				.events = POLLIN,
			};
	(void)poll(fds, count, ms);
	house_clock_ms = *l->daemon.clock;
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		world_read(&l->world, c);
}

static bool answered(const struct world *w)
{
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		if (w->pings[c])
			return false;
	return true;
}

static bool connecting(const struct model *m)
{
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		if (m->parties[c].attachment == MODEL_CONNECTING)
			return true;
	return false;
}

/* The clock goes on only when the daemon has dealt with all it was sent: so it is
 * known which time that was. */
static bool catch_up(struct life *l)
{
	struct timespec begin;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		if (l->model.parties[c].attachment == MODEL_ATTACHED)
			world_ping(&l->world, c);
	while (!l->world.lost &&
	       (!answered(&l->world) || connecting(&l->model))) {
		/* A CONNACK may wait for others to be written with it. */
		if (answered(&l->world))
			*l->daemon.clock += 1;
		listen_to_all(l, 5);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - begin.tv_sec) * 1000 > PATIENCE_MS) {
			l->failed = "hearthd does not answer";
			return false;
		}
	}
	return true;
}

static void pass_time(struct life *l)
{
	static const uint32_t some[] = { 1, 1, 5, 5, 11, 11, 50, 1100 };
	uint32_t ms = some[rng_below(&l->rng, 8)];

	if (rng_percent(&l->rng, 5))
		ms += rng_percent(&l->rng, 50) ? 31000 : 61000;
	if (!catch_up(l))
		return;
	*l->daemon.clock += ms;
	house_clock_ms = *l->daemon.clock;
	model_expire(&l->model);
}

/* So far; the record is gone through as far as it is. */
static bool fine(struct life *l)
{
	if (l->world.lost && !l->failed)
		l->failed = "hearthd has closed a connection";
	return !l->failed && replay_go_on(&l->replay);
}

/* The same clients again, with what they can know by the record. */
static bool begin_again(struct life *l)
{
	l->failed = daemon_start(&l->daemon);
	if (l->failed)
		return false;
	l->model = l->replay.model;
	l->model.blind = true;
	world_init(&l->world, daemon_place(&l->daemon), &l->rng, &l->model);
	l->world.hold = rng_below(&l->rng, 60);
	return true;
}

static bool cut(struct life *l)
{
	enum card_kind kind = (enum card_kind)rng_below(&l->rng, CARD_KINDS);

	daemon_kill(&l->daemon);
	world_lose_all(&l->world);
	record_log_add(l->daemon.log, RECORD_CUT, kind);
	if (!fine(l))
		return false;
	files_put(l->daemon.data, l->replay.card);
	return begin_again(l);
}

static bool step(struct life *l)
{
	house_clock_ms = *l->daemon.clock;
	if (!habits_act(&l->world))
		pass_time(l);
	listen_to_all(l, (int)rng_below(&l->rng, 3));
	if (l->world.lost || l->failed)
		return fine(l);
	return !rng_percent(&l->rng, 1) || cut(l);
}

/* What it says it has kept, and what the record says that it has. */
static void end(struct life *l)
{
	record_log_add(l->daemon.log, RECORD_STOP, 0);
	l->failed = daemon_stop(&l->daemon);
	world_lose_all(&l->world);
	if (fine(l) && !files_equal(l->daemon.data, l->replay.card))
		l->failed = "the recorder has missed something";
}

static void live(struct life *l)
{
	if (!begin_again(l))
		return;
	for (unsigned int i = 0; i < l->options->steps; i++) {
		if (l->model.count + MODEL_CLIENTS + HEARD_NAMELESS + 1 >=
		    MODEL_MESSAGES)
			break;
		if (!step(l))
			return;
	}
	end(l);
}

enum life_end life_run(const struct life_options *options, struct house *house,
		       struct replay_counts *counts, char wrong[512])
{
	static struct life l;
	enum life_end how;
	const char *what;

	memset(&l, 0, sizeof(l));
	l.options = options;
	l.rng.state = options->seed;
	daemon_make(&l.daemon, &options->daemon);
	record_log_add(l.daemon.log, RECORD_SEED, options->seed);
	files_record(l.daemon.data, l.daemon.log);
	l.log = record_log_open(l.daemon.log_path, false);
	replay_init(&l.replay, l.log, house, counts);
	(void)replay_go_on(&l.replay);
	live(&l);
	daemon_kill(&l.daemon);
	world_lose_all(&l.world);
	how = l.replay.wrong[0] ? LIFE_BROKEN
	      : l.failed	? LIFE_FAILED
				: LIFE_KEPT;
	what = how == LIFE_BROKEN ? l.replay.wrong : l.failed;
	wrong[0] = '\0';
	if (what)
		(void)snprintf(wrong, 512, "%s%s%s", what,
			       options->expected ? "" : "; see ",
			       options->expected ? "" : l.daemon.log_path);
	replay_count(&l.replay);
	replay_free(&l.replay);
	record_log_close(l.log);
	daemon_remove(&l.daemon, what && !options->expected);
	return how;
}
