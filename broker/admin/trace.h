/*
 * What one client says and is told, or who says something under one topic filter
 * and who gets it, line by line in a file, for a time and up to a size. There is
 * one trace at a time. No password and nothing of an authentication is written;
 * of payloads the beginning.
 *
 * Broker thread only, but for trace_new() and trace_free(). While there is no
 * trace, a message costs one look at broker->trace.
 */
#ifndef BROKER_ADMIN_TRACE_H
#define BROKER_ADMIN_TRACE_H

#include "broker/admin.h"
#include "broker/peer/connection.h"

struct mqtt_connect;
struct publish;
struct publish_options;
struct trace;

/* By any thread. options->fd is taken on success. NULL with errno set. */
struct trace *trace_new(const struct admin_trace_options *options);
/* Waits until all is written. NULL does nothing. */
void trace_free(struct trace *trace);

/* From now on. trace is taken; there must be none. */
void trace_start(struct broker *broker, struct trace *trace);
/* It is over, if there is one; it stays as broker->trace_ended until the next. */
void trace_stop(struct broker *broker, const char *why);
/* What has come together goes to the file: at the end of each turn. */
void trace_flush(struct broker *broker);
void trace_tell(const struct broker *broker, struct admin_trace *out);

/* What happens, called while there is a trace; those with a connection look for
 * themselves whether it is meant. */
void trace_connect(struct connection *c, const struct mqtt_connect *packet);
void trace_in(struct connection *c, const struct frame *frame);
void trace_out(struct connection *c, const void *bytes, size_t len);
void trace_close(struct connection *c, enum mqtt_reason reason,
		 const char *why);
void trace_routed(struct broker *broker, const struct publish *p);
void trace_delivered(struct connection *c, const struct publish *p,
		     const struct publish_options *o);

#endif
