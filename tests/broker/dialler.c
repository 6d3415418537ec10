#include "tests/broker/dialler.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "broker/wire/connect.h"

/* Turns of at most 10 ms until a wait is given up: a minute. */
#define PATIENCE 6000

static void discard(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

struct broker *dialler_broker(const struct listener_options *listener)
{
	const struct broker_options options = {
		.node = "kitchen",
		.listeners = listener,
		.listener_count = 1,
	};
	struct broker *broker;

	log_set_sink(discard);
	broker = broker_new(&options);
	assert_non_null(broker);
	return broker;
}

void dialler_dial(struct dialler *d, struct broker *broker)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(broker_listener_port(broker, 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	d->broker = broker;
	d->len = 0;
	d->in[0] = '\0';
	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(d->fd >= 0);
	assert_int_equal(connect(d->fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

void dialler_hang_up(struct dialler *d)
{
	close(d->fd);
	d->fd = -1;
}

void dialler_send(struct dialler *d, const void *bytes, size_t len)
{
	assert_int_equal(send(d->fd, bytes, len, MSG_NOSIGNAL), len);
}

void dialler_drip(struct dialler *d, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int unread = 1;

		/* A refusal may come before all is said. */
		if (send(d->fd, (const uint8_t *)bytes + i, 1, MSG_NOSIGNAL) <
		    0)
			return;
		for (int turn = 0; turn < PATIENCE && unread > 0; turn++) {
			loop_turn(d->broker->loop, 0);
			if (ioctl(d->fd, TIOCOUTQ, &unread) < 0)
				return;
		}
		loop_turn(d->broker->loop, 0);
	}
}

/* Take what is there. Returns false at the end of the stream. */
static bool take(struct dialler *d)
{
	struct pollfd wait = { .fd = d->fd, .events = POLLIN };
	ssize_t n;

	loop_turn(d->broker->loop, 0);
	if (poll(&wait, 1, 0) == 0) {
		loop_turn(d->broker->loop, 10);
		return true;
	}
	assert_true(d->len < sizeof(d->in) - 1);
	n = recv(d->fd, d->in + d->len, sizeof(d->in) - 1 - d->len,
		 MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	d->len += (size_t)n;
	d->in[d->len] = '\0';
	return true;
}

void dialler_wait(struct dialler *d, size_t len)
{
	for (int i = 0; i < PATIENCE && d->len < len && take(d); i++)
		;
	assert_true(d->len >= len);
}

void dialler_expect(struct dialler *d, const char *text)
{
	size_t len = strlen(text);
	bool more = true;

	for (int i = 0; i < PATIENCE && more; i++) {
		if (memmem(d->in, d->len, text, len))
			return;
		more = take(d);
	}
	fail_msg("expected %s, got %s", text, d->in);
}

void dialler_ended(struct dialler *d)
{
	for (int i = 0; i < PATIENCE; i++)
		if (!take(d))
			return;
	fail_msg("the stream goes on");
}

void dialler_arrivals(struct broker *broker, size_t count)
{
	for (int i = 0; i < PATIENCE && broker->arrival_count != count; i++)
		loop_turn(broker->loop, 10);
	assert_int_equal(broker->arrival_count, count);
}

void dialler_connections(struct broker *broker, size_t count)
{
	for (int i = 0; i < PATIENCE && broker->connection_count != count; i++)
		loop_turn(broker->loop, 10);
	assert_int_equal(broker->connection_count, count);
}

size_t dialler_connect(uint8_t out[128])
{
	const struct mqtt_connect packet = {
		.version = MQTT_3_1_1,
		.clean_start = true,
		.client_id = slice_str("dev"),
	};
	struct writer w = writer_of(out, 128);

	connect_encode(&w, &packet);
	return w.len;
}
