#include "tests/base/notify_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/notify_listener.XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener = -1;

int notify_listener_open(void)
{
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify",
		       directory);
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)(void *)&address,
		 sizeof(address)))
		return -1;
	return notify_listener_announce();
}

int notify_listener_announce(void)
{
	/* One thread yet. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	return setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

void notify_listener_close(void)
{
	(void)close(listener);
	(void)unlink(address.sun_path);
	(void)rmdir(directory);
}

bool notify_listener_read(char *text, size_t size, int *fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { text, size - 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(listener, &message, MSG_DONTWAIT);
	const struct cmsghdr *c;
	int came = -1;

	if (n < 0)
		return false;
	text[n] = '\0';
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&came, CMSG_DATA(c), sizeof(came));
	if (fd)
		*fd = came;
	else if (came >= 0)
		(void)close(came);
	return true;
}
