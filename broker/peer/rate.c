#include "broker/peer/rate.h"

#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/peer/connection.h"
#include "broker/peer/listener.h"

#define LOG_MS 60000

/* Thousandths, so that a millisecond fills by the rate. Taking may leave a debt:
 * a packet is taken whole. */
struct bucket {
	int64_t left;
	uint32_t rate; /* a second; 0: no limit */
};

struct rate {
	struct loop_timer timer;
	struct connection *connection;
	struct bucket messages;
	struct bucket bytes;
	uint64_t filled; /* clock_ms() */
	uint64_t logged;
};

void rate_configure(struct broker *broker)
{
	broker->rated = broker->options.message_rate > 0 ||
			broker->options.byte_rate > 0;
}

static void on_timer(struct loop_timer *timer)
{
	struct rate *rate = list_entry(timer, struct rate, timer);

	if (rate->connection->state == CONNECTION_CONNECTED)
		connection_resume(rate->connection);
}

static void set(struct bucket *bucket, uint32_t rate)
{
	if (bucket->rate == rate)
		return;
	bucket->rate = rate;
	bucket->left = (int64_t)rate * 1000;
}

static void fill(struct bucket *bucket, uint64_t ms)
{
	const int64_t most = (int64_t)bucket->rate * 1000;

	/* More than that fills any debt. */
	if (ms > INT32_MAX)
		ms = INT32_MAX;
	bucket->left += (int64_t)ms * bucket->rate;
	if (bucket->left > most)
		bucket->left = most;
}

/* Milliseconds until something is in it; 0: there is. */
static uint64_t wait_for(const struct bucket *bucket)
{
	if (bucket->rate == 0 || bucket->left > 0)
		return 0;
	return (uint64_t)(-bucket->left / bucket->rate) + 1;
}

/* NULL: nobody asks it to wait. */
static struct rate *obtain(struct connection *c)
{
	const struct broker_options *o = &c->broker->options;

	if (c->state != CONNECTION_CONNECTED)
		return NULL;
	/* A socket that file permissions guard is this machine's own. */
	if (c->listener && listener_options(c->listener)->user)
		return NULL;
	if (!c->rate) {
		c->rate = calloc(1, sizeof(*c->rate));
		if (!c->rate)
			return NULL;
		c->rate->connection = c;
		c->rate->timer.fn = on_timer;
		c->rate->filled = loop_now(c->broker->loop);
	}
	set(&c->rate->messages, o->message_rate);
	set(&c->rate->bytes, o->byte_rate);
	return c->rate;
}

static void log_held(struct rate *rate, uint64_t now)
{
	struct connection *c = rate->connection;
	char name[160];

	c->broker->count.held_back++;
	if (rate->logged && now < rate->logged + LOG_MS)
		return;
	rate->logged = now;
	log_warn("client",
		 "%s: held back: more than %u messages or %u bytes a second",
		 connection_name(c, name), rate->messages.rate,
		 rate->bytes.rate);
}

bool rate_holds(struct connection *c)
{
	struct rate *rate = obtain(c);
	const uint64_t now = loop_now(c->broker->loop);
	uint64_t ms, bytes_ms;

	if (!rate)
		return false;
	fill(&rate->messages, now - rate->filled);
	fill(&rate->bytes, now - rate->filled);
	rate->filled = now;
	ms = wait_for(&rate->messages);
	bytes_ms = wait_for(&rate->bytes);
	if (ms < bytes_ms)
		ms = bytes_ms;
	if (ms == 0)
		return false;
	log_held(rate, now);
	connection_pause(c);
	loop_timer_set(c->broker->loop, &rate->timer, ms);
	return true;
}

void rate_take(struct connection *c, size_t bytes, bool message)
{
	if (!c->rate)
		return;
	c->rate->messages.left -= message ? 1000 : 0;
	c->rate->bytes.left -= (int64_t)bytes * 1000;
}

void rate_free(struct rate *rate)
{
	if (!rate)
		return;
	loop_timer_cancel(rate->connection->broker->loop, &rate->timer);
	free(rate);
}
