#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define INPUT_SIZE (512 * 1024)
#define EVENTS 512
#define STUCK_NS (60 * 1000000000ull)

struct peer_net peer_net;

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench-load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

uint64_t peer_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void peer_net_open(const char *host, uint16_t port, int level,
		   enum channel_kind kind)
{
	/* TLS writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	peer_net.kind = kind;
	peer_net.epoll = epoll_create1(EPOLL_CLOEXEC);
	peer_net.host = host;
	peer_net.port = port;
	peer_net.level = level;
	peer_net.now = peer_clock();
	peer_net.input = malloc(INPUT_SIZE);
	if (peer_net.epoll < 0 || !peer_net.input)
		die("cannot start: %s", strerror(errno));
}

static void watch(struct peer *peer, int op, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = peer };

	if (epoll_ctl(peer_net.epoll, op, peer->channel.fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

static void flush(struct peer *peer)
{
	size_t sent = 0;
	ssize_t n;
	bool wanted;

	while (sent < peer->out_len || channel_pending(&peer->channel)) {
		n = channel_send(&peer->channel, peer->out + sent,
				 peer->out_len - sent);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR)
			die("peer %u: send: %s", peer->index, strerror(errno));
		if (n > 0)
			sent += (size_t)n;
	}
	memmove(peer->out, peer->out + sent, peer->out_len - sent);
	peer->out_len -= sent;
	wanted = peer->out_len > 0 || channel_pending(&peer->channel);
	if (peer->writable_wanted != wanted) {
		peer->writable_wanted = wanted;
		watch(peer, EPOLL_CTL_MOD,
		      peer->writable_wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
}

static void flush_dirty(void)
{
	for (size_t i = 0; i < peer_net.dirty_count; i++) {
		struct peer *peer = peer_net.dirty[i];

		peer->dirty = false;
		if (!peer->writable_wanted)
			flush(peer);
	}
	peer_net.dirty_count = 0;
}

static void mark_dirty(struct peer *peer)
{
	if (peer->dirty)
		return;
	if (peer_net.dirty_count == peer_net.dirty_size) {
		peer_net.dirty_size = peer_net.dirty_size * 2 + 64;
		peer_net.dirty =
			realloc(peer_net.dirty,
				peer_net.dirty_size * sizeof(*peer_net.dirty));
		if (!peer_net.dirty)
			die("out of memory");
	}
	peer->dirty = true;
	peer_net.dirty[peer_net.dirty_count++] = peer;
}

uint8_t *peer_put(struct peer *peer, size_t size)
{
	uint8_t *at;

	if (peer->out_size - peer->out_len < size) {
		peer->out_size = peer->out_size * 2 + size;
		peer->out = realloc(peer->out, peer->out_size);
		if (!peer->out)
			die("out of memory");
	}
	mark_dirty(peer);
	at = peer->out + peer->out_len;
	peer->out_len += size;
	return at;
}

void peer_unput(struct peer *peer, size_t size)
{
	peer->out_len -= size;
}

static void granted(struct peer *peer, const uint8_t *body, size_t len)
{
	size_t at = 2;

	if (peer->level == 5 && len > 2)
		at += 1 + (size_t)body[2];
	if (at >= len)
		die("peer %u: malformed SUBACK", peer->index);
	for (; at < len; at++) {
		if (body[at] > 2)
			die("peer %u: subscription refused, 0x%02x",
			    peer->index, body[at]);
		peer->subscribed++;
	}
}

static void handle(struct peer *peer, uint8_t header, const uint8_t *body,
		   size_t len)
{
	switch (header >> 4) {
	case PACKET_CONNACK:
		if (len < 2 || body[1] != 0)
			die("peer %u: CONNACK 0x%02x", peer->index,
			    len < 2 ? 0 : body[1]);
		peer->connected = true;
		peer->session_present = body[0] & 1;
		break;
	case PACKET_SUBACK:
		granted(peer, body, len);
		break;
	default:
		if (header >> 4 == PACKET_DISCONNECT)
			die("peer %u: DISCONNECT 0x%02x from the broker",
			    peer->index, len ? body[0] : 0);
		break;
	}
	if (peer->packet)
		peer->packet(peer, header, body, len);
}

static void keep_tail(struct peer *peer, const uint8_t *data, size_t len)
{
	if (!len) {
		free(peer->tail);
		peer->tail = NULL;
	} else if (data != peer->tail) {
		uint8_t *tail = realloc(peer->tail, len);

		if (!tail)
			die("out of memory");
		memcpy(tail, data, len);
		peer->tail = tail;
	}
	peer->tail_len = len;
}

static void receive(struct peer *peer)
{
	uint8_t *data = peer_net.input;
	size_t used = 0, len = peer->tail_len, body = 0;
	ssize_t n;
	long packet = 0;

	if (len >= INPUT_SIZE)
		die("peer %u: a packet of more than %d bytes", peer->index,
		    INPUT_SIZE);
	if (len)
		memcpy(data, peer->tail, len);
	n = channel_receive(&peer->channel, data + len, INPUT_SIZE - len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		die("peer %u: the broker closed the connection%s%s",
		    peer->index, n ? ": " : "", n ? strerror(errno) : "");
	peer_net.now = peer_clock();
	len += (size_t)n;
	while (peer->channel.fd >= 0 &&
	       (packet = packet_length(data + used, len - used, &body)) > 0 &&
	       used + (size_t)packet <= len) {
		handle(peer, data[used], data + used + body,
		       (size_t)packet - body);
		used += (size_t)packet;
	}
	if (packet < 0)
		die("peer %u: malformed length", peer->index);
	if (peer->channel.fd >= 0)
		keep_tail(peer, data + used, len - used);
}

void peer_turn(uint64_t timeout)
{
	struct epoll_event events[EVENTS];
	struct timespec wait = { .tv_sec = (time_t)(timeout / 1000000000),
				 .tv_nsec = (long)(timeout % 1000000000) };
	int n;

	if (peer_net.awake)
		wait = (struct timespec){ 0 };
	flush_dirty();
	n = epoll_pwait2(peer_net.epoll, events, EVENTS, &wait, NULL);
	if (n < 0 && errno != EINTR)
		die("epoll_pwait2: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct peer *peer = events[i].data.ptr;

		if (events[i].events & EPOLLOUT)
			flush(peer);
		if (!(events[i].events & ~(uint32_t)EPOLLOUT))
			continue;
		do
			receive(peer);
		while (peer->channel.fd >= 0 &&
		       channel_holds_more(&peer->channel));
	}
	peer_net.now = peer_clock();
}

void peer_open(struct peer *peer, const char *id, bool clean)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(peer_net.port) };
	int on = 1, fd;
	size_t room = PACKET_SPACE + strlen(id);

	if (inet_pton(AF_INET, peer_net.host, &address.sin_addr) != 1)
		die("%s is not an address", peer_net.host);
	peer->level = peer_net.level;
	peer->connected = false;
	peer->subscribed = 0;
	peer->writable_wanted = false;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("peer %u: socket: %s", peer->index, strerror(errno));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("peer %u: connect: %s", peer->index, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	channel_open(&peer->channel, fd, peer_net.kind);
	watch(peer, EPOLL_CTL_ADD, EPOLLIN);
	peer_unput(peer, room - packet_connect(peer_put(peer, room),
					       peer->level, id, clean));
}

void peer_close(struct peer *peer)
{
	if (!peer->writable_wanted) {
		packet_disconnect(peer_put(peer, 2));
		flush(peer);
	}
	for (size_t i = 0; i < peer_net.dirty_count; i++) {
		if (peer_net.dirty[i] == peer)
			peer_net.dirty[i] =
				peer_net.dirty[--peer_net.dirty_count];
	}
	channel_close(&peer->channel);
	peer->dirty = false;
	free(peer->tail);
	free(peer->out);
	peer->tail = NULL;
	peer->out = NULL;
	peer->tail_len = peer->out_len = peer->out_size = 0;
}

void peer_await(const unsigned int *counter, unsigned int goal,
		const char *what)
{
	unsigned int last = *counter;
	uint64_t since = peer_clock();

	while (*counter < goal) {
		peer_turn(100000000);
		if (*counter != last) {
			last = *counter;
			since = peer_net.now;
		} else if (peer_net.now - since > STUCK_NS) {
			die("waited in vain for %s: %u of %u", what, last,
			    goal);
		}
	}
}

void peer_await_connected(struct peer *peers, unsigned int count)
{
	uint64_t since = peer_clock();

	for (unsigned int i = 0; i < count; i++) {
		while (!peers[i].connected) {
			peer_turn(100000000);
			if (peer_net.now - since > STUCK_NS)
				die("waited in vain for CONNACK %u of %u", i,
				    count);
		}
	}
}

void peer_await_subscribed(struct peer *peer, unsigned int filters)
{
	peer_await(&peer->subscribed, filters, "SUBACK");
}

void peer_subscribe(struct peer *peer, const char *filter, int qos)
{
	size_t room = PACKET_SPACE + strlen(filter);

	peer_unput(peer, room - packet_subscribe(peer_put(peer, room),
						 peer->level, 1, filter, qos));
}

void peer_ack(struct peer *peer, enum packet_type type, uint16_t id)
{
	packet_ack(peer_put(peer, 4), type, id);
}
