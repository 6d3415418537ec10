/*
 * A line of a trace: when, and a packet in words. What peers chose is escaped, so
 * that nobody can forge a line; what does not fit is cut. Passwords and what an
 * authentication carries are left out.
 */
#ifndef BROKER_ADMIN_TRACE_LINE_H
#define BROKER_ADMIN_TRACE_LINE_H

#include "broker/wire/connect.h"
#include "broker/wire/framing.h"
#include "broker/wire/publish.h"

#define TRACE_LINE 1024 /* bytes with the line feed */
#define TRACE_PAYLOAD 256 /* bytes of it that are shown */

struct trace_line {
	char text[TRACE_LINE];
	size_t len;
};

/* With the time. */
void trace_line_begin(struct trace_line *line);
__attribute__((format(printf, 2, 3))) void
trace_line_add(struct trace_line *line, const char *format, ...);
/* As UTF-8 with control characters as \xNN; in hexadecimal if it is none. */
void trace_line_text(struct trace_line *line, struct slice text);
void trace_line_connect(struct trace_line *line,
			const struct mqtt_connect *packet);
void trace_line_publish(struct trace_line *line,
			const struct mqtt_publish *packet);
/* Any packet but CONNECT: type, identifier, reasons, filters. */
void trace_line_packet(struct trace_line *line, enum mqtt_version version,
		       const struct frame *frame);
/* The line feed. */
void trace_line_end(struct trace_line *line);

#endif
