/*
 * A broker on a thread of its own and peers on real sockets, for what other
 * threads ask of it.
 */
#ifndef TESTS_LIVE_BROKER_H
#define TESTS_LIVE_BROKER_H

#include <pthread.h>

#include "broker/broker.h"
#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"

struct live_broker {
	struct broker *broker;
	pthread_t thread;
};

/* On 127.0.0.1, letting in without a password; access is taken. */
void live_broker_start(struct live_broker *live, struct access *access,
		       bool closed);
/* Stops and joins; live_broker_free() frees. */
void live_broker_stop(struct live_broker *live);
void live_broker_free(struct live_broker *live);

struct live_peer {
	int fd;
	enum mqtt_version version;
	uint8_t in[65536];
	size_t len;
};

/* Connect and send the packet; the answer is the caller's. */
void live_peer_dial(struct live_peer *peer, const struct live_broker *live,
		    const struct mqtt_connect *packet);
/* CONNACK is taken: its reason. */
enum mqtt_reason live_peer_connect(struct live_peer *peer,
				   const struct live_broker *live,
				   const struct mqtt_connect *packet);
/* A plain 5.0 client. */
void live_peer_open(struct live_peer *peer, const struct live_broker *live,
		    const char *id, uint32_t expiry);
void live_peer_send(struct live_peer *peer, const void *bytes, size_t len);
/* Waits for the next packet; body is valid until the next call. Fails the test
 * when the stream ends or nothing comes. */
struct frame live_peer_next(struct live_peer *peer);
void live_peer_subscribe(struct live_peer *peer, const char *filter,
			 uint8_t qos);
/* QoS 0: the next packet may be the message itself. */
void live_peer_say(struct live_peer *peer, const char *topic,
		   const char *payload);
/* QoS 1, acknowledged; the peer has not subscribed to it. */
void live_peer_publish(struct live_peer *peer, const char *topic,
		       const char *payload, bool retain);
/* The next packet is this message. */
void live_peer_receive(struct live_peer *peer, const char *topic,
		       const char *payload);
void live_peer_close(struct live_peer *peer);

#endif
