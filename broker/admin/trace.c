#include "broker/admin/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/admin/trace_file.h"
#include "broker/admin/trace_line.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/routing/publish.h"
#include "broker/session/session.h"
#include "broker/wire/topic.h"

/* Lines come together into pieces of this size for the file. */
#define PIECE (32 * 1024)

struct trace {
	struct broker *broker;
	struct loop_timer timer;
	struct trace_file *file;
	enum admin_trace_kind kind;
	char *what;
	char *name;
	int64_t begun; /* wall clock */
	uint32_t seconds;
	uint64_t max;
	uint64_t bytes;
	uint64_t lines;
	uint64_t lost; /* lines, for which the disk was too slow */
	char *piece;
	size_t len;
	size_t piece_lines;
	bool running;
};

struct trace *trace_new(const struct admin_trace_options *options)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->kind = options->kind;
	t->what = strdup(options->what);
	t->name = strdup(options->name);
	t->seconds = options->seconds;
	t->max = options->max_bytes;
	if (t->what && t->name)
		t->file = trace_file_new(options->fd);
	if (t->file)
		return t;
	trace_free(t);
	errno = ENOMEM;
	return NULL;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	trace_file_free(t->file);
	free(t->piece);
	free(t->what);
	free(t->name);
	free(t);
}

/* ---- to the file --------------------------------------------------------- */

void trace_flush(struct broker *broker)
{
	struct trace *t = broker->trace;

	if (!t || t->len == 0)
		return;
	if (trace_file_write(t->file, t->piece, t->len) == 0)
		t->piece = NULL;
	else
		t->lost += t->piece_lines;
	t->len = 0;
	t->piece_lines = 0;
}

/* False: there is no memory for it. */
static bool make_room(struct trace *t, size_t len)
{
	if (t->piece && t->len + len > PIECE)
		trace_flush(t->broker);
	if (!t->piece)
		t->piece = malloc(PIECE);
	return t->piece != NULL;
}

static void put(struct trace *t, struct trace_line *line)
{
	trace_line_end(line);
	if (!make_room(t, line->len)) {
		t->lost++;
		return;
	}
	memcpy(t->piece + t->len, line->text, line->len);
	t->len += line->len;
	t->bytes += line->len;
	t->lines++;
	t->piece_lines++;
	if (t->bytes >= t->max && t->running)
		trace_stop(t->broker, "the file is as large as it may be");
}

/* ---- begin and end ------------------------------------------------------- */

static bool is_meant(const struct trace *t, struct slice client_id)
{
	return t->kind == ADMIN_TRACE_CLIENT &&
	       slice_equal(slice_str(t->what), client_id);
}

/* Those who are connected: is it them? */
static void mark(struct broker *broker, const struct trace *t)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->connections) {
		struct connection *c = list_entry(at, struct connection, link);

		c->traced = t && c->session &&
			    is_meant(t, slice_str(c->session->client_id));
	}
}

static void on_timer(struct loop_timer *timer)
{
	struct trace *t = list_entry(timer, struct trace, timer);

	trace_stop(t->broker, "its time is over");
}

void trace_start(struct broker *broker, struct trace *t)
{
	struct trace_line line;

	t->broker = broker;
	t->begun = clock_wall_ms();
	t->timer.fn = on_timer;
	t->running = true;
	broker->trace = t;
	loop_timer_set(broker->loop, &t->timer, (uint64_t)t->seconds * 1000);
	mark(broker, t);
	trace_line_begin(&line);
	trace_line_add(&line, "trace of %s ",
		       t->kind == ADMIN_TRACE_CLIENT ? "client" : "topic");
	trace_line_text(&line, slice_str(t->what));
	put(t, &line);
	log_info("trace", "%s: begun for %u s", t->name, t->seconds);
}

void trace_stop(struct broker *broker, const char *why)
{
	struct trace *t = broker->trace;
	struct trace_line line;

	if (!t || !t->running)
		return;
	t->running = false;
	loop_timer_cancel(broker->loop, &t->timer);
	trace_line_begin(&line);
	trace_line_add(&line, "end: %s, %llu lines lost", why,
		       (unsigned long long)t->lost);
	put(t, &line);
	trace_flush(broker);
	trace_file_end(t->file);
	mark(broker, NULL);
	broker->trace = NULL;
	broker->trace_ended = t;
	log_info("trace", "%s: ended: %s", t->name, why);
}

void trace_tell(const struct broker *broker, struct admin_trace *out)
{
	const struct trace *t =
		broker->trace ? broker->trace : broker->trace_ended;

	*out = (struct admin_trace){ .running = broker->trace != NULL };
	if (!t)
		return;
	out->kind = t->kind;
	snprintf(out->name, sizeof(out->name), "%s", t->name);
	snprintf(out->what, sizeof(out->what), "%s", t->what);
	out->begun = t->begun;
	out->seconds = t->seconds;
	out->bytes = t->bytes;
	out->lines = t->lines;
	out->lost = t->lost;
}

/* ---- what happens -------------------------------------------------------- */

static void begin(struct trace_line *line, const struct connection *c,
		  const char *arrow)
{
	char name[160];

	trace_line_begin(line);
	trace_line_text(line, slice_str(connection_name(c, name)));
	trace_line_add(line, " %s ", arrow);
}

void trace_connect(struct connection *c, const struct mqtt_connect *packet)
{
	struct trace *t = c->broker->trace;
	struct trace_line line;

	c->traced = is_meant(t, packet->client_id);
	if (!c->traced)
		return;
	begin(&line, c, ">");
	trace_line_connect(&line, packet);
	put(t, &line);
}

void trace_in(struct connection *c, const struct frame *frame)
{
	struct trace_line line;

	/* CONNECT has been told, with less in it. */
	if (!c->traced || frame->type == MQTT_CONNECT)
		return;
	begin(&line, c, ">");
	trace_line_packet(&line, c->version, frame);
	put(c->broker->trace, &line);
}

void trace_out(struct connection *c, const void *bytes, size_t len)
{
	struct trace_line line;
	struct frame frame;

	if (!c->traced || framing_next(bytes, len, len, &frame) <= 0)
		return;
	begin(&line, c, "<");
	trace_line_packet(&line, c->version, &frame);
	put(c->broker->trace, &line);
}

void trace_close(struct connection *c, enum mqtt_reason reason, const char *why)
{
	struct trace_line line;

	if (!c->traced)
		return;
	begin(&line, c, "-");
	trace_line_add(&line, "closed: ");
	trace_line_text(&line, slice_str(why));
	trace_line_add(&line, ": 0x%02x", (unsigned int)reason);
	put(c->broker->trace, &line);
	c->traced = false;
}

static bool topic_meant(const struct trace *t, struct slice topic)
{
	return t->kind == ADMIN_TRACE_TOPIC &&
	       topic_matches(slice_str(t->what), topic);
}

void trace_routed(struct broker *broker, const struct publish *p)
{
	struct trace *t = broker->trace;
	struct trace_line line;

	if (!topic_meant(t, p->topic))
		return;
	trace_line_begin(&line);
	trace_line_text(&line, slice_str(p->origin->client_id));
	trace_line_add(&line, " (%s) > ", p->origin->address);
	trace_line_publish(&line, &(struct mqtt_publish){
					  .topic = p->topic,
					  .payload = p->payload,
					  .qos = p->qos,
					  .retain = p->retain,
				  });
	put(t, &line);
}

void trace_delivered(struct connection *c, const struct publish *p,
		     const struct publish_options *o)
{
	struct trace *t = c->broker->trace;
	struct trace_line line;

	if (!c->traced && !topic_meant(t, p->topic))
		return;
	begin(&line, c, "<");
	trace_line_publish(&line, &(struct mqtt_publish){
					  .topic = p->topic,
					  .payload = p->payload,
					  .packet_id = o->packet_id,
					  .qos = o->qos,
					  .dup = o->dup,
					  .retain = o->retain,
				  });
	put(t, &line);
}
