#include "ctl/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/buffer.h"

struct events {
	events_fn *fn;
	void *arg;
	struct buffer line; /* the one not yet ended */
	struct buffer data; /* lines of the event so far, each with its "\n" */
	char type[32];
	bool carriage; /* the last byte was CR: a LF belongs to it */
};

struct events *events_new(events_fn *fn, void *arg)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->fn = fn;
	events->arg = arg;
	buffer_init(&events->line, EVENTS_MAX);
	buffer_init(&events->data, EVENTS_MAX);

	return events;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	buffer_free(&events->line);
	buffer_free(&events->data);
	free(events);
}

static int deliver(struct events *events)
{
	const char *type = events->type[0] ? events->type : "message";
	bool more = true;

	/* An event without data is none (9.2.6). */
	if (events->data.len > 0) {
		events->data.data[events->data.len - 1] = '\0';
		more = events->fn(events->arg, type,
				  (const char *)events->data.data,
				  events->data.len - 1);
	}
	buffer_consume(&events->data, events->data.len);
	events->type[0] = '\0';

	return more ? 0 : -ECANCELED;
}

static bool is_field(const char *line, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(line, name, len) == 0;
}

static int end_line(struct events *events)
{
	const char *line = (const char *)events->line.data;
	size_t len = events->line.len;
	const char *colon = len > 0 ? memchr(line, ':', len) : NULL;
	size_t name = colon ? (size_t)(colon - line) : len;
	size_t value = colon ? name + 1 : len;
	int r = 0;

	if (len == 0)
		return deliver(events);
	if (value < len && line[value] == ' ')
		value++;
	if (is_field(line, name, "data")) {
		r = buffer_append(&events->data, line + value, len - value);
		if (!r)
			r = buffer_append(&events->data, "\n", 1);
	} else if (is_field(line, name, "event") &&
		   len - value < sizeof(events->type)) {
		memcpy(events->type, line + value, len - value);
		events->type[len - value] = '\0';
	}
	buffer_consume(&events->line, len);

	return r;
}

int events_feed(struct events *events, const char *data, size_t len)
{
	int r = 0;

	while (len > 0 && !r) {
		size_t n = 0;

		if (events->carriage && *data == '\n') {
			data++;
			len--;
			events->carriage = false;
			continue;
		}
		events->carriage = false;
		while (n < len && data[n] != '\n' && data[n] != '\r')
			n++;
		r = buffer_append(&events->line, data, n);
		if (!r && n < len) {
			events->carriage = data[n] == '\r';
			n++;
			r = end_line(events);
		}
		data += n;
		len -= n;
	}

	return r == -ENOBUFS ? -EMSGSIZE : r;
}
