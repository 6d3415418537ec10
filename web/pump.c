#include "web/pump.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/base/loop.h"
#include "web/limits.h"
#include "web/peers.h"

/* One TLS record, and more than one request head. */
#define CHUNK 16384

/* Bytes under way in one direction: all are written before more are read. */
struct way {
	size_t from;
	size_t to;
	uint8_t data[CHUNK];
};

struct pump {
	struct list link;
	struct loop *loop;
	struct peers *peers;
	int place;
	SSL *ssl;
	struct loop_source outer; /* TLS */
	struct loop_source inner; /* plain */
	struct loop_timer deadline; /* for what remains after the inner end */
	struct way in; /* from outer to inner */
	struct way out;
	bool outer_ended;
	bool inner_ended;
	bool read_wants_write; /* TLS: a key update or the like */
	bool write_wants_read;
	bool write_blocked;
};

enum step { STEP_WAIT, STEP_GO_ON, STEP_BROKEN };

static bool way_empty(const struct way *way)
{
	return way->from == way->to;
}

static void pump_free(struct pump *pump)
{
	int fd = pump->outer.fd;

	loop_timer_cancel(pump->loop, &pump->deadline);
	loop_remove(pump->loop, &pump->outer);
	/* Says good-bye if that can be said at once. */
	ERR_clear_error();
	SSL_shutdown(pump->ssl);
	SSL_free(pump->ssl);
	close(fd);
	fd = pump->inner.fd;
	loop_remove(pump->loop, &pump->inner);
	close(fd);
	peers_leave(pump->peers, pump->place);
	list_remove(&pump->link);
	free(pump);
}

static enum step read_outer(struct pump *pump)
{
	int n;

	if (pump->outer_ended || !way_empty(&pump->in))
		return STEP_WAIT;
	ERR_clear_error();
	n = SSL_read(pump->ssl, pump->in.data, CHUNK);
	pump->read_wants_write = false;
	if (n > 0) {
		pump->in.from = 0;
		pump->in.to = (size_t)n;
		return STEP_GO_ON;
	}
	switch (SSL_get_error(pump->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return STEP_WAIT;
	case SSL_ERROR_WANT_WRITE:
		pump->read_wants_write = true;
		return STEP_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		pump->outer_ended = true;
		shutdown(pump->inner.fd, SHUT_WR);
		return STEP_GO_ON;
	default:
		return STEP_BROKEN;
	}
}

static enum step write_outer(struct pump *pump)
{
	int n;

	if (way_empty(&pump->out))
		return STEP_WAIT;
	ERR_clear_error();
	n = SSL_write(pump->ssl, pump->out.data + pump->out.from,
		      (int)(pump->out.to - pump->out.from));
	pump->write_blocked = false;
	pump->write_wants_read = false;
	if (n > 0) {
		pump->out.from += (size_t)n;
		return STEP_GO_ON;
	}
	switch (SSL_get_error(pump->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		pump->write_wants_read = true;
		return STEP_WAIT;
	case SSL_ERROR_WANT_WRITE:
		pump->write_blocked = true;
		return STEP_WAIT;
	default:
		return STEP_BROKEN;
	}
}

static enum step read_inner(struct pump *pump)
{
	ssize_t n;

	if (pump->inner_ended || !way_empty(&pump->out))
		return STEP_WAIT;
	n = recv(pump->inner.fd, pump->out.data, CHUNK, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? STEP_WAIT
							 : STEP_BROKEN;
	if (n == 0) {
		pump->inner_ended = true;
		loop_timer_set(pump->loop, &pump->deadline, WEB_ANSWER_MS);
		return STEP_GO_ON;
	}
	pump->out.from = 0;
	pump->out.to = (size_t)n;
	return STEP_GO_ON;
}

static enum step write_inner(struct pump *pump)
{
	ssize_t n;

	if (way_empty(&pump->in))
		return STEP_WAIT;
	n = send(pump->inner.fd, pump->in.data + pump->in.from,
		 pump->in.to - pump->in.from, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? STEP_WAIT
							 : STEP_BROKEN;
	pump->in.from += (size_t)n;
	return STEP_GO_ON;
}

static int watch(struct pump *pump)
{
	uint32_t outer = 0, inner = 0;
	int r;

	if ((way_empty(&pump->in) && !pump->outer_ended) ||
	    pump->write_wants_read)
		outer |= EPOLLIN;
	if (pump->write_blocked || pump->read_wants_write)
		outer |= EPOLLOUT;
	if (way_empty(&pump->out) && !pump->inner_ended)
		inner |= EPOLLIN;
	if (!way_empty(&pump->in))
		inner |= EPOLLOUT;
	r = loop_modify(pump->loop, &pump->outer, outer);
	return r ? r : loop_modify(pump->loop, &pump->inner, inner);
}

static void run(struct pump *pump)
{
	static enum step (*const steps[])(struct pump *) = {
		read_outer, write_inner, read_inner, write_outer
	};
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			enum step step = steps[i](pump);

			if (step == STEP_BROKEN) {
				pump_free(pump);
				return;
			}
			again |= step == STEP_GO_ON;
		}
	}
	if ((pump->inner_ended && way_empty(&pump->out)) || watch(pump))
		pump_free(pump);
}

static void on_outer(struct loop_source *source, uint32_t events)
{
	struct pump *pump = list_entry(source, struct pump, outer);

	/* An error or a vanished peer shows even when nothing is wanted. */
	if (events & EPOLLERR)
		pump_free(pump);
	else
		run(pump);
}

static void on_inner(struct loop_source *source, uint32_t events)
{
	(void)events;
	run(list_entry(source, struct pump, inner));
}

static void on_deadline(struct loop_timer *timer)
{
	pump_free(list_entry(timer, struct pump, deadline));
}

int pump_new(const struct pump_start *start)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	int pair[2], r;

	if (!pump)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       pair)) {
		r = -errno;
		goto err_free;
	}
	pump->loop = start->loop;
	pump->peers = start->peers;
	pump->place = start->place;
	pump->ssl = start->ssl;
	pump->deadline.fn = on_deadline;
	if (start->first.len)
		memcpy(pump->in.data, start->first.data, start->first.len);
	pump->in.to = start->first.len;
	/* Both are ready at once: the first turn moves the first bytes. */
	r = loop_add(pump->loop, &pump->inner, pair[0], EPOLLIN | EPOLLOUT,
		     on_inner);
	if (r)
		goto err_pair;
	r = loop_add(pump->loop, &pump->outer, start->fd, EPOLLIN, on_outer);
	if (r)
		goto err_inner;
	list_append(start->list, &pump->link);
	return pair[1];

err_inner:
	loop_remove(pump->loop, &pump->inner);
err_pair:
	close(pair[0]);
	close(pair[1]);
err_free:
	free(pump);
	return r;
}

void pumps_free(struct list *list)
{
	struct list *at, *after;

	list_for_each (at, after, list)
		pump_free(list_entry(at, struct pump, link));
}
