/*
 * The connections of the load generator: MQTT over non-blocking TCP on one
 * epoll. Each ready socket is read once, what was written during a turn leaves
 * in one send, and EPOLLOUT is asked for only after a short write, so that the
 * generator costs little and the broker is what is measured.
 *
 * Any fault of the connection (closed by the broker, malformed packet) ends the
 * program with a message: a load that is not complete proves nothing.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/channel.h"
#include "tests/bench/packet.h"

struct peer;

/* body is valid during the call. */
typedef void peer_packet_fn(struct peer *peer, uint8_t header,
			    const uint8_t *body, size_t len);

struct peer {
	struct channel channel;
	int level;
	unsigned int index; /* the owner's */
	void *owner;
	peer_packet_fn *packet;
	bool connected; /* CONNACK with success has come */
	bool session_present;
	unsigned int subscribed; /* filters granted so far */
	bool writable_wanted, dirty;
	uint8_t *tail; /* a packet of which the rest has not come yet */
	size_t tail_len;
	uint8_t *out;
	size_t out_len, out_size;
};

struct peer_net {
	int epoll;
	const char *host;
	uint16_t port;
	int level;
	enum channel_kind kind;
	/* Never sleep: on the loopback the sender pays for waking us, and more
	 * for one whose messages come in step than for one whose do not. */
	bool awake;
	uint64_t now; /* nanoseconds, read once per socket that was ready */
	uint8_t *input;
	struct peer **dirty;
	size_t dirty_count, dirty_size;
};

extern struct peer_net peer_net;

void peer_net_open(const char *host, uint16_t port, int level,
		   enum channel_kind kind);
/* Send what is due, wait at most timeout nanoseconds, read what has come. */
void peer_turn(uint64_t timeout);

/* Connect the socket and send CONNECT; peer_await_connected() waits for all. */
void peer_open(struct peer *peer, const char *id, bool clean);
/* Wait until *counter reaches goal; ends the program after 60 s without a step,
 * naming what was waited for. */
void peer_await(const unsigned int *counter, unsigned int goal,
		const char *what);
void peer_await_connected(struct peer *peers, unsigned int count);
void peer_await_subscribed(struct peer *peer, unsigned int filters);
/* With DISCONNECT; frees what the peer holds. */
void peer_close(struct peer *peer);

/* Room for size bytes at the end of what is to be sent; write it all. */
uint8_t *peer_put(struct peer *peer, size_t size);
/* Give back what was not used of the last peer_put(). */
void peer_unput(struct peer *peer, size_t size);
void peer_subscribe(struct peer *peer, const char *filter, int qos);
void peer_ack(struct peer *peer, enum packet_type type, uint16_t id);

uint64_t peer_clock(void);
void die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif
