#include "tests/crash_daemon/line.h"

#include <stdlib.h>
#include <string.h>

#include "tests/crash/learn.h"
#include "tests/crash/trace.h"

#define PACKET_MAX (64 * 1024)

/* Bytes of packets that are not there as a whole. */
struct half {
	uint8_t *data;
	size_t len;
};

struct line {
	struct line *next;
	int fd;
	unsigned int
		party; /* MODEL_CLIENTS: not one of ours, or not known yet */
	struct half heard;
	struct half said;
};

void lines_init(struct lines *lines)
{
	memset(lines, 0, sizeof(*lines));
}

static void line_free(struct line *line)
{
	free(line->heard.data);
	free(line->said.data);
	free(line);
}

void lines_drop(struct lines *lines)
{
	while (lines->all) {
		struct line *line = lines->all;

		lines->all = line->next;
		line_free(line);
	}
	memset(lines->current, 0, sizeof(lines->current));
}

static struct line **find(struct lines *lines, int fd)
{
	struct line **at = &lines->all;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	return at;
}

static void begin(struct lines *lines, int fd)
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		abort();
	line->fd = fd;
	line->party = MODEL_CLIENTS;
	line->next = lines->all;
	lines->all = line;
}

static bool is_current(const struct lines *lines, const struct line *line)
{
	return line->party < MODEL_CLIENTS &&
	       lines->current[line->party] == line;
}

static void end(struct lines *lines, struct line **at, struct model *m)
{
	struct line *line = *at;

	if (is_current(lines, line)) {
		lines->current[line->party] = NULL;
		model_gone(m, line->party);
	}
	*at = line->next;
	line_free(line);
}

static void append(struct half *half, const uint8_t *data, size_t len)
{
	half->data = realloc(half->data, half->len + len);
	if (!half->data)
		abort();
	memcpy(half->data + half->len, data, len);
	half->len += len;
}

/* What is still sent over a connection that another has taken the place of, its
 * client may never see; what is still read from there, the broker throws away. */
static void on_heard(struct lines *lines, struct line *line, struct model *m,
		     const struct frame *frame)
{
	if (frame->type == MQTT_CONNECT) {
		line->party = heard_connect(m, frame);
		if (line->party < MODEL_CLIENTS)
			lines->current[line->party] = line;
	} else if (is_current(lines, line)) {
		heard_packet(&lines->heard, m, line->party, frame);
	}
}

static void on_said(const struct lines *lines, const struct line *line,
		    struct model *m, const struct frame *frame)
{
	struct reply answer;

	if (lines->stopping && frame->type == MQTT_DISCONNECT)
		return;
	if (is_current(lines, line))
		(void)learn(m, line->party, frame, &answer);
}

static void take(struct lines *lines, struct line *line, struct model *m,
		 const struct record_read *record)
{
	const bool heard = record->type == RECORD_HEARD;
	struct half *half = heard ? &line->heard : &line->said;
	struct frame frame;
	size_t at = 0;

	append(half, record->data, record->len);
	while (!m->wrong && framing_next(half->data + at, half->len - at,
					 PACKET_MAX, &frame) > 0) {
		if (heard)
			on_heard(lines, line, m, &frame);
		else
			on_said(lines, line, m, &frame);
		trace_packet("-record", line->party, heard ? "->" : "<-",
			     slice_of(half->data + at, frame.size));
		at += frame.size;
	}
	half->len -= at;
	memmove(half->data, half->data + at, half->len);
}

void lines_follow(struct lines *lines, struct model *m,
		  const struct record_read *record)
{
	struct line **at;

	if (record->type == RECORD_ACCEPT) {
		begin(lines, record->fd);
		return;
	}
	lines->stopping |= record->type == RECORD_STOP;
	if (record->type != RECORD_HEARD && record->type != RECORD_SAID &&
	    record->type != RECORD_HANGUP)
		return;
	at = find(lines, record->fd);
	if (!*at)
		return;
	if (record->type == RECORD_HANGUP)
		end(lines, at, m);
	else
		take(lines, *at, m, record);
}
