#include "broker/session/playback.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/history.h"
#include "broker/limits.h"
#include "broker/match/matcher.h"
#include "broker/origin.h"
#include "broker/peer/connection.h"
#include "broker/routing/publish.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/backlog.h"
#include "broker/session/delivery.h"
#include "broker/session/session.h"
#include "broker/store.h"
#include "broker/wire/properties.h"
#include "broker/wire/writer.h"

/* From here on the socket is waited for: what is held, and other packets, find
 * room behind it. */
#define OUTPUT_ROOM (LIMIT_OUTPUT / 4)

/* history-time and history-cut with their values, as properties. */
#define MARKS_SIZE 64

struct playback {
	struct list link; /* in broker->playbacks */
	struct session *session; /* NULL: over, but the request is away */
	const struct subscription *subscription; /* NULL: not begun */
	uint64_t barrier; /* seq of the outbox: from here on it waits */
	uint64_t ticket; /* commit that SUBACK waits for; 0 none */
	struct history_request *request;
	bool asked; /* the door knows the request, */
	bool away; /* and has it */
	size_t next; /* row of the page at hand that goes next */
	uint64_t moved; /* clock_ms() when it last did */
	uint64_t sent;
};

static struct playback *entry_of(struct list *at)
{
	return list_entry(at, struct playback, link);
}

/* The one of a session that is being sent, or NULL. There are few in all, and a
 * session that has none pays nothing for those of others. */
static struct playback *first_of(const struct session *s)
{
	struct list *at, *after;

	if (!s->playing)
		return NULL;
	list_for_each (at, after, &s->broker->playbacks)
		if (entry_of(at)->session == s && entry_of(at)->subscription)
			return entry_of(at);
	return NULL;
}

static size_t count_of(const struct session *s)
{
	struct list *at, *after;
	size_t count = 0;

	list_for_each (at, after, &s->broker->playbacks)
		count += entry_of(at)->session == s;
	return count;
}

static struct history *door(const struct broker *broker)
{
	return broker->options.history;
}

/* ---- beginning ---------------------------------------------------------- */

enum mqtt_reason playback_judge(const struct session *s, const char **why)
{
	const struct broker *broker = s->broker;

	*why = "this hub keeps no history";
	if (!door(broker) || !broker->store)
		return MQTT_IMPLEMENTATION_SPECIFIC_ERROR;
	*why = "the history cannot be read at the moment";
	if (broker->store->ops->health(broker->store) != STORE_OK)
		return MQTT_IMPLEMENTATION_SPECIFIC_ERROR;
	*why = "too many replays at a time";
	if (broker->playback_count >= LIMIT_PLAYBACKS ||
	    count_of(s) >= LIMIT_PLAYBACKS_PER_SESSION)
		return MQTT_QUOTA_EXCEEDED;
	return MQTT_SUCCESS;
}

static void ask_for(struct history_request *request,
		    const struct history_filter *asked)
{
	switch (asked->start) {
	case HISTORY_LAST:
		request->last = asked->count;
		break;
	case HISTORY_AGO:
		request->since =
			clock_wall_ms() - asked->seconds * INT64_C(1000);
		break;
	case HISTORY_TIME:
		request->since = asked->time;
		break;
	}
}

struct playback *playback_new(struct session *s, struct slice filter,
			      const struct history_filter *asked)
{
	struct broker *broker = s->broker;
	struct playback *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->session = s;
	p->request = history_request_new(filter);
	if (!p->request) {
		free(p);
		return NULL;
	}
	p->request->token = broker->next_playback++;
	ask_for(p->request, asked);
	list_append(&broker->playbacks, &p->link);
	broker->playback_count++;
	return p;
}

static struct broker *broker_of(const struct playback *p)
{
	return p->session->broker;
}

/* Out of the broker; the request is here. */
static void drop(struct broker *broker, struct playback *p)
{
	list_remove(&p->link);
	broker->playback_count--;
	history_request_free(p->request);
	free(p);
}

void playback_free(struct playback *p)
{
	if (p)
		drop(broker_of(p), p);
}

/* The request is away. False when there is no memory for it. */
static bool ask(struct playback *p)
{
	struct history *history = door(broker_of(p));

	p->next = 0;
	p->away = history->ops->ask(history, p->request) == 0;
	p->asked |= p->away;
	return p->away;
}

/* Begun before. The session may be without any then. */
static void end(struct playback *p)
{
	struct session *s = p->session;
	struct broker *broker = s->broker;

	log_debug("client", "%s: replay of %.*s over: %" PRIu64 " messages",
		  s->client_id, (int)p->request->filter_len,
		  (const char *)p->request->filter, p->sent);
	p->session = NULL;
	s->playing = first_of(s) != NULL;
	if (!s->playing)
		backlog_contract(s);
	if (p->away)
		return;
	if (p->asked)
		door(broker)->ops->over(door(broker), p->request);
	drop(broker, p);
}

static void fail(struct session *s, enum mqtt_reason reason, const char *why)
{
	if (s->connection)
		connection_close_soon(s->connection, reason, why);
}

void playback_begin(struct playback *p, const struct subscription *subscription)
{
	struct session *s = p->session;
	const struct playback *first;

	playback_cancel(s, subscription);
	first = first_of(s);
	p->barrier = first ? first->barrier : s->outbox.next_seq;
	p->ticket = session_durable(s) ? broker_written(s->broker) : 0;
	p->subscription = subscription;
	p->moved = loop_now(s->broker->loop);
	s->playing = true;
	backlog_extend(s);
	if (!ask(p)) {
		end(p);
		fail(s, MQTT_UNSPECIFIED_ERROR, "out of memory");
		return;
	}
	s->broker->count.playbacks++;
	log_debug("client", "%s: replay of %.*s begins", s->client_id,
		  (int)p->request->filter_len,
		  (const char *)p->request->filter);
}

/* ---- the end ------------------------------------------------------------ */

/* What was held goes at the end of the turn. */
static void let_go(struct session *s)
{
	if (!s->playing && s->connection)
		connection_mark_dirty(s->connection);
}

void playback_cancel(struct session *s, const struct subscription *subscription)
{
	struct list *at, *after;

	if (!s->playing)
		return;
	list_for_each (at, after, &s->broker->playbacks) {
		struct playback *p = entry_of(at);

		if (p->session != s || p->subscription != subscription)
			continue;
		end(p);
		let_go(s);
		return;
	}
}

void playback_stop(struct session *s)
{
	struct playback *p;

	while ((p = first_of(s)))
		end(p);
}

/* ---- sending ------------------------------------------------------------ */

/* The properties by which a client of 5.0 knows it. */
static struct slice put_marks(const struct history_row *row,
			      uint8_t bytes[MARKS_SIZE])
{
	struct writer w = writer_of(bytes, MARKS_SIZE);
	char time[24];

	(void)snprintf(time, sizeof(time), "%" PRId64, row->message->time);
	writer_u8(&w, MQTT_PROP_USER_PROPERTY);
	writer_string(&w, slice_str("history-time"));
	writer_string(&w, slice_str(time));
	if (row->cut) {
		writer_u8(&w, MQTT_PROP_USER_PROPERTY);
		writer_string(&w, slice_str("history-cut"));
		writer_string(&w, slice_str("1"));
	}
	return slice_of(bytes, w.len);
}

/* Is it for this subscriber? */
static bool wanted(const struct playback *p, struct publish *publish)
{
	const struct subscription *sub = p->subscription;
	const struct session *s = p->session;

	if (!session_may(s, publish->topic, ACCESS_READ).allowed)
		return false;
	/* The client identifier decides, not the connection [MQTT-3.8.3-3]. */
	if (sub->options & SUBSCRIPTION_NO_LOCAL &&
	    strcmp(publish->origin->client_id, s->client_id) == 0)
		return false;
	return !sub->predicate ||
	       matcher_holds(s->broker->matcher, sub->predicate, publish);
}

/* Returns 0 or -ENOMEM. */
static int send_row(struct playback *p, const struct history_row *row)
{
	const uint32_t identifier = p->subscription->identifier;
	struct session *s = p->session;
	uint8_t identifiers[5], marks[MARKS_SIZE];
	struct writer w = writer_of(identifiers, sizeof(identifiers));
	struct publish_options options = { 0 };
	struct publish publish;
	int r = 0;

	if (identifier) {
		writer_u8(&w, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
		writer_varint(&w, identifier);
		options.identifiers = slice_of(identifiers, w.len);
	}
	publish_of_message(&publish, row->message);
	if (wanted(p, &publish)) {
		publish.properties = put_marks(row, marks);
		r = publish_send(s->broker, s->connection, &publish, &options);
		if (r == 0) {
			p->sent++;
			s->broker->count.messages_played++;
		}
	}
	publish_done(&publish);
	/* Larger than the client takes: it counts as delivered. */
	return r == -EMSGSIZE ? 0 : r;
}

static bool takes_more(const struct session *s)
{
	return s->connection && s->connection->state == CONNECTION_CONNECTED &&
	       !list_linked(&s->connection->failing) &&
	       s->connection->output.len < OUTPUT_ROOM;
}

/* The page at hand. True when all of it has gone. */
static bool send_page(struct playback *p)
{
	struct history_request *request = p->request;
	struct session *s = p->session;

	while (p->next < request->count) {
		if (!takes_more(s))
			return false;
		if (send_row(p, &request->rows[p->next++]) < 0) {
			fail(s, MQTT_UNSPECIFIED_ERROR, "out of memory");
			return false;
		}
		p->moved = loop_now(s->broker->loop);
		backlog_moved(s);
	}
	history_request_clear(request);
	return true;
}

/* SUBACK goes first: some clients forget what comes before it. */
static bool answered(const struct playback *p)
{
	struct session *s = p->session;

	if (p->ticket <= s->broker->committed)
		return true;
	if (!list_linked(&s->waiting))
		list_append(&s->broker->waiting, &s->waiting);
	return false;
}

/* The first one, as far as it goes. True when it is over. */
static bool play(struct playback *p)
{
	struct session *s = p->session;

	if (p->away || !answered(p) || !takes_more(s))
		return false;
	if (p->request->result < 0) {
		fail(s, MQTT_IMPLEMENTATION_SPECIFIC_ERROR,
		     "the history cannot be read");
		return false;
	}
	if (!send_page(p))
		return false;
	if (!p->request->more)
		return true;
	if (!ask(p))
		fail(s, MQTT_UNSPECIFIED_ERROR, "out of memory");
	return false;
}

bool playback_holds(const struct session *s, uint64_t seq)
{
	const struct playback *p = first_of(s);

	return p && seq >= p->barrier;
}

bool playback_pump(struct session *s)
{
	const struct outbox *box = &s->outbox;
	struct playback *p;

	/* What was there before goes before. */
	if (box->sent < box->count &&
	    !playback_holds(s, outbox_seq(box, box->sent)))
		return false;
	while ((p = first_of(s))) {
		if (!play(p))
			return false;
		end(p);
	}
	return true;
}

/* ---- the door ----------------------------------------------------------- */

static struct playback *by_token(const struct broker *broker, uint64_t token)
{
	struct list *at, *after;

	/* Of one that was dropped nothing is in the list:
	 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	list_for_each (at, after, &broker->playbacks) {
		if (entry_of(at)->request->token == token)
			return entry_of(at);
	}
	return NULL;
}

static void on_answer(struct loop_source *source, uint32_t events)
{
	struct broker *broker =
		list_entry(source, struct broker, history_source);
	struct history *history = door(broker);
	struct history_request *request;

	(void)events;
	while ((request = history->ops->answer(history))) {
		struct playback *p = by_token(broker, request->token);

		assert(p); /* it is in the list as long as its request is away */
		p->away = false;
		if (p->session) {
			p->moved = loop_now(broker->loop);
			delivery_pump(p->session);
		} else {
			history->ops->over(history, request);
			drop(broker, p);
		}
	}
}

int playback_open(struct broker *broker)
{
	struct history *history = door(broker);

	if (!history)
		return 0;
	return loop_add(broker->loop, &broker->history_source,
			history->ops->fd(history), EPOLLIN, on_answer);
}

/* What is away is the door's to free. */
void playback_close(struct broker *broker)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->playbacks) {
		struct playback *p = entry_of(at);

		if (p->away)
			p->request = NULL;
		drop(broker, p);
	}
}

void playback_sweep(struct broker *broker)
{
	const uint64_t now = loop_now(broker->loop);
	struct list *at, *after;

	list_for_each (at, after, &broker->playbacks) {
		const struct playback *p = entry_of(at);

		/* Those behind the first one of a session wait for that. */
		if (!p->session || p->away || p != first_of(p->session) ||
		    now - p->moved < LIMIT_PLAYBACK_STALL)
			continue;
		fail(p->session, MQTT_QUOTA_EXCEEDED,
		     "it does not take the history that it asked for");
	}
}
