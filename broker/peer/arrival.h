/*
 * A peer that must say something before it may speak MQTT: for whom a proxy has
 * opened the connection (PROXY protocol), then, under TLS if the listener has it,
 * the request that makes a WebSocket of the stream (RFC 6455). Its time is bounded,
 * its bytes are, and it counts as one of its listener's connections. When all is
 * said it becomes a connection, with what came behind; else it is told so and
 * closed.
 *
 * Broker thread only.
 */
#ifndef BROKER_PEER_ARRIVAL_H
#define BROKER_PEER_ARRIVAL_H

struct broker;
struct listener;

/* fd is taken. Returns 0 or a negative errno: nothing is taken then. address is
 * copied; the listener's listener_released() is called when it ends without having
 * become a connection. */
int arrival_new(struct broker *broker, struct listener *listener, int fd,
		const char *address);

/* All there are: the listeners are going. */
void arrivals_free(struct broker *broker);

#endif
