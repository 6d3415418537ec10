#include "tests/crash/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void link_init(struct link *link)
{
	link->fd = -1;
	link->len = 0;
}

void link_open(struct link *link, const struct place *place)
{
	link_close(link);
	link->fd = place->connect(place->arg);
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link_init(link);
}

int link_take(struct link *link)
{
	int fd = link->fd;

	link_init(link);
	return fd;
}

void link_send(struct link *link, const struct place *place,
	       const uint8_t *bytes, size_t len)
{
	/* What the broker has closed meanwhile is noticed by who reads. */
	if (send(link->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len &&
	    errno != EPIPE && errno != ECONNRESET)
		abort();
	place->turn(place->arg);
}

static void fill(struct link *link)
{
	ssize_t n = recv(link->fd, link->in + link->len,
			 sizeof(link->in) - link->len, 0);

	if (n > 0)
		link->len += (size_t)n;
}

bool link_next(struct link *link, struct frame *frame)
{
	if (link->fd < 0)
		return false;
	fill(link);
	return framing_next(link->in, link->len, sizeof(link->in), frame) > 0;
}

void link_drop(struct link *link, const struct frame *frame)
{
	link->len -= frame->size;
	memmove(link->in, link->in + frame->size, link->len);
}

bool link_ended(struct link *link)
{
	uint8_t byte;
	ssize_t n;

	if (link->fd < 0 || link->len)
		return false;
	n = recv(link->fd, &byte, 1, MSG_PEEK);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}
