/*
 * One line for each event, the subject first (client, pin, path), then what
 * happened and why:
 *
 *	2026-11-21T09:00:00.123Z warn  client kitchen (192.0.2.7): closed: Malformed Packet in PUBLISH
 *
 * To standard error; with systemd's journal on the other end the time is left
 * out and the level becomes a <N> prefix. Control characters and bytes that are
 * no UTF-8 in what peers sent are written as \xNN, so a peer cannot forge a
 * line. Any thread may call; a line is one write(2).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "broker/base/slice.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

void log_set_level(enum log_level level);
enum log_level log_level_now(void);
/* Where lines go instead of standard error; NULL puts that back. For tests. */
void log_set_sink(void (*sink)(enum log_level level, const char *line));

__attribute__((format(printf, 3, 4))) void
log_line(enum log_level level, const char *subject, const char *format, ...);

#define log_error(subject, ...) log_line(LOG_LEVEL_ERROR, subject, __VA_ARGS__)
#define log_warn(subject, ...) log_line(LOG_LEVEL_WARN, subject, __VA_ARGS__)
#define log_info(subject, ...) log_line(LOG_LEVEL_INFO, subject, __VA_ARGS__)
#define log_debug(subject, ...)                                          \
	do {                                                             \
		if (log_level_now() >= LOG_LEVEL_DEBUG)                  \
			log_line(LOG_LEVEL_DEBUG, subject, __VA_ARGS__); \
	} while (0)

#endif
