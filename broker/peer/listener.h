/*
 * Accepts peers on TCP, WebSocket or unix sockets. At the limit of connections,
 * or when descriptors have run out, a peer is accepted and closed at once (one
 * descriptor is kept in reserve for that), so the loop never spins. A peer of a
 * WebSocket listener is an arrival first.
 *
 * Broker thread only, but for opening and closing.
 */
#ifndef BROKER_PEER_LISTENER_H
#define BROKER_PEER_LISTENER_H

#include "broker/broker.h"

struct listener;
struct tls;
struct transport;

/* Returns 0 and the listener, or a negative errno. */
int listener_open(struct broker *broker, const struct listener_options *options,
		  struct listener **out);
/* The TLS context that options ask for, NULL for none; by any thread. Returns 0,
 * or a negative errno after logging which file and why. */
int listener_make_tls(const struct listener_options *options, struct tls **out);
/* From now on accept as options say, with tls (taken). Type, address, port and
 * path are as they were. Those who are in go on as they began. */
void listener_take(struct listener *listener,
		   const struct listener_options *options, struct tls *tls);
/* No more peers; the socket's name is given back. Connections may still point to
 * it. Harmless when done before. */
void listener_stop(struct listener *listener);
/* Stop and free it, after its connections. NULL does nothing. */
void listener_close(struct listener *listener);

const struct listener_options *listener_options(const struct listener *l);
uint16_t listener_port(const struct listener *listener);
/* A peer's bytes, with TLS if the listener has it; fd is taken. -ENOMEM: it is
 * not. */
int listener_transport(struct listener *listener, struct transport *out,
		       int fd);
/* Whether a peer of this address is let in; counted, and logged if not. */
bool listener_admits(struct listener *listener, const char *address);
/* A peer speaks MQTT from here on, accepted so many milliseconds ago. fd is taken,
 * and its place is the connection's; else -ENOMEM, and nothing has changed. */
int listener_begin(struct listener *listener, int fd, const char *address,
		   uint64_t waited);
bool listener_websocket(const struct listener_options *options);
/* One of its connections, or arrivals, has ended. */
void listener_released(struct listener *listener);

#endif
