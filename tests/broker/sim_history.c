#include "tests/broker/sim_history.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/wire/topic.h"

#define ROWS_MAX 8192

struct sim_history {
	struct history door;
	struct store *store;
	struct store_ops ops;
	const struct store_ops *real;
	struct message *rows[ROWS_MAX];
	size_t count;
	size_t page;
	struct history_request *away[LIMIT_PLAYBACKS];
	size_t away_count;
	size_t ready; /* of these, from the front */
	size_t open;
	size_t pages;
	int fd;
	int error;
	int refusal;
	bool automatic;
	bool cut;
};

/* The store's functions do not say whose history it is. */
static struct sim_history *the_one;

static struct sim_history *of(struct history *history)
{
	return (struct sim_history *)(void *)history;
}

static int keep(struct store *store, struct message *message)
{
	struct sim_history *sim = the_one;
	int r = sim->real->history(store, message);

	if (r < 0)
		return r;
	assert(sim->count < ROWS_MAX);
	sim->rows[sim->count++] = message_ref(message);
	return 0;
}

static bool belongs(const struct history_request *request,
		    const struct message *message)
{
	return topic_matches(history_request_filter(request),
			     message_topic(message));
}

/* What belongs to it: from the last so many, or the first since, to all that there
 * is now. */
static void mark(const struct sim_history *sim, struct history_request *request)
{
	uint32_t missing = request->last;
	size_t first = sim->count;

	request->marked = true;
	request->end = (int64_t)sim->count;
	while (first > 0 && (!request->last || missing > 0)) {
		const struct message *m = sim->rows[--first];

		if (request->last && belongs(request, m))
			missing--;
	}
	request->first = (int64_t)first;
}

static void fill(struct sim_history *sim, struct history_request *request)
{
	request->result = sim->error;
	request->more = false;
	while (!sim->error && request->first < request->end) {
		struct message *m = sim->rows[request->first];

		if (request->count == sim->page) {
			request->more = true;
			return;
		}
		request->first++;
		if (!belongs(request, m) || m->time < request->since)
			continue;
		request->rows[request->count++] = (struct history_row){
			.message = message_ref(m),
			.cut = sim->cut,
		};
	}
}

static void announce(struct sim_history *sim)
{
	const uint64_t one = 1;

	if (sim->ready > 0)
		assert(write(sim->fd, &one, sizeof(one)) == sizeof(one));
}

static int ask(struct history *history, struct history_request *request)
{
	struct sim_history *sim = of(history);

	assert(request->count == 0);
	if (sim->refusal)
		return sim->refusal;
	assert(sim->away_count < LIMIT_PLAYBACKS);
	if (!request->marked) {
		mark(sim, request);
		sim->open++;
	}
	sim->pages++;
	sim->away[sim->away_count++] = request;
	if (sim->automatic)
		sim_history_answer(sim);
	return 0;
}

static struct history_request *answer(struct history *history)
{
	struct sim_history *sim = of(history);
	struct history_request *first = sim->away[0];
	uint64_t count;

	if (sim->ready == 0) {
		assert(read(sim->fd, &count, sizeof(count)) > 0 ||
		       errno == EAGAIN);
		return NULL;
	}
	sim->ready--;
	sim->away_count--;
	for (size_t i = 0; i < sim->away_count; i++)
		sim->away[i] = sim->away[i + 1];
	fill(sim, first);
	return first;
}

static int fd(const struct history *history)
{
	return ((const struct sim_history *)(const void *)history)->fd;
}

static void over(struct history *history, struct history_request *request)
{
	struct sim_history *sim = of(history);

	assert(request->marked);
	assert(sim->open > 0);
	sim->open--;
}

static const struct history_ops door_ops = {
	.ask = ask,
	.answer = answer,
	.fd = fd,
	.over = over,
};

struct sim_history *sim_history_new(struct sim_store *store, size_t page)
{
	struct sim_history *sim = calloc(1, sizeof(*sim));

	assert(sim && !the_one);
	assert(page > 0 && page <= HISTORY_PAGE);
	sim->door.ops = &door_ops;
	sim->page = page;
	sim->automatic = true;
	sim->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sim->store = sim_store_door(store);
	sim->real = sim->store->ops;
	sim->ops = *sim->real;
	sim->ops.history = keep;
	sim->store->ops = &sim->ops;
	the_one = sim;
	return sim;
}

void sim_history_free(struct sim_history *sim)
{
	/* What the broker had asked for when it ended is ours. */
	for (size_t i = 0; i < sim->away_count; i++)
		history_request_free(sim->away[i]);
	for (size_t i = 0; i < sim->count; i++)
		message_unref(sim->rows[i]);
	sim->store->ops = sim->real;
	close(sim->fd);
	free(sim);
	the_one = NULL;
}

struct history *sim_history_door(struct sim_history *sim)
{
	return &sim->door;
}

struct store *sim_history_store(struct sim_history *sim)
{
	return sim->store;
}

void sim_history_add(struct sim_history *sim, const char *topic,
		     const char *payload, int64_t time)
{
	struct origin *origin = origin_new("", "before", "");
	const struct message_parts parts = {
		.topic = slice_str(topic),
		.payload = slice_str(payload),
		.expires = MESSAGE_NO_EXPIRY,
		.time = time,
		.origin = origin,
	};

	assert(sim->count < ROWS_MAX);
	sim->rows[sim->count] = message_new(&parts);
	assert(sim->rows[sim->count]);
	sim->count++;
	origin_unref(origin);
}

void sim_history_set_cut(struct sim_history *sim, bool cut)
{
	sim->cut = cut;
}

void sim_history_set_auto(struct sim_history *sim, bool on)
{
	sim->automatic = on;
}

void sim_history_answer(struct sim_history *sim)
{
	sim->ready = sim->away_count;
	announce(sim);
}

void sim_history_set_error(struct sim_history *sim, int error)
{
	sim->error = error;
}

void sim_history_refuse(struct sim_history *sim, int error)
{
	sim->refusal = error;
}

size_t sim_history_open(const struct sim_history *sim)
{
	return sim->open;
}

size_t sim_history_pages(const struct sim_history *sim)
{
	return sim->pages;
}
