/*
 * The client's side of MQTT, without a socket and without a clock: bytes come
 * in, bytes and callbacks go out, time is passed in (monotonic milliseconds).
 * client.c does the rest. Everything lasting (subscriptions, unacknowledged
 * messages) lives here, over connections.
 */
#ifndef BROKER_CLIENT_CLIENT_PROTOCOL_H
#define BROKER_CLIENT_CLIENT_PROTOCOL_H

#include "broker/client/client.h"

struct client_protocol;

/* callbacks are borrowed; connected, message, acknowledged and subscribed are
 * called. Returns 0, -EINVAL or -ENOMEM. */
int client_protocol_new(const struct client_options *options,
			const struct client_callbacks *callbacks, void *arg,
			struct client_protocol **out);
void client_protocol_free(struct client_protocol *p);

/* A connection is there: output begins with the CONNECT. 0 or -ENOMEM. */
int client_protocol_open(struct client_protocol *p, uint64_t now);
/* It is gone; what was not acknowledged is kept for the next. */
void client_protocol_close(struct client_protocol *p);

/*
 * Bytes from the server, cut anywhere. Returns 0, or why the connection must
 * end: -ECONNREFUSED (the CONNACK says no) and -ECONNRESET (a DISCONNECT), with
 * the reason from client_protocol_reason(); -EPROTO, -EMSGSIZE; -ENOBUFS,
 * -ENOMEM. Output may then hold a DISCONNECT that is worth one try to send.
 */
int client_protocol_input(struct client_protocol *p, const uint8_t *data,
			  size_t len, uint64_t now);
enum mqtt_reason client_protocol_reason(const struct client_protocol *p);

/* What is to be sent, and how much of it has been. */
struct slice client_protocol_output(const struct client_protocol *p);
void client_protocol_sent(struct client_protocol *p, size_t len, uint64_t now);

/* Call at client_protocol_next(), or any time. Returns 0, or -ETIMEDOUT: the
 * server is silent. */
int client_protocol_tick(struct client_protocol *p, uint64_t now);
uint64_t client_protocol_next(const struct client_protocol *p);

/* As client_set_patience() and client_heard(); the end of a connection is not
 * known here. */
void client_protocol_set_patience(struct client_protocol *p, uint64_t ms);
uint64_t client_protocol_heard(const struct client_protocol *p);

/* DISCONNECT as soon as nothing waits any more. */
void client_protocol_finish(struct client_protocol *p);
/* It is in the output: close when that has been sent. */
bool client_protocol_finished(const struct client_protocol *p);

bool client_protocol_connected(const struct client_protocol *p);
size_t client_protocol_pending(const struct client_protocol *p);

/* As client_publish() and client_subscribe(). */
int client_protocol_publish(struct client_protocol *p, struct slice topic,
			    struct slice payload, uint8_t qos, bool retain,
			    uint64_t token);
int client_protocol_subscribe(struct client_protocol *p, const char *filter,
			      uint8_t qos);

#endif
