#include "programs/watchdog.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/base/loop.h"

extern char **environ;

struct watchdog {
	struct loop *loop;
	struct loop_source source;
	struct loop_timer timer;
	uint32_t ms;
	pid_t pid; /* 0: no child */
	void (*silent)(void *arg);
	void *arg;
	char socket[sizeof("NOTIFY_SOCKET=@") +
		    sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char usec[sizeof("WATCHDOG_USEC=") + 20];
};

/* One datagram. False: there is none. *ours: the child sent it. */
static bool hear(const struct watchdog *watchdog, bool *ours)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[64];
	struct iovec part = { text, sizeof(text) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct cmsghdr *c;
	struct ucred who;

	*ours = false;
	if (recvmsg(watchdog->source.fd, &message, MSG_DONTWAIT) < 0)
		return false;
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_CREDENTIALS &&
	    c->cmsg_len == CMSG_LEN(sizeof(who))) {
		memcpy(&who, CMSG_DATA(c), sizeof(who));
		*ours = watchdog->pid > 0 && who.pid == watchdog->pid;
	}
	return true;
}

/* All that waits. True if the child was among them. */
static bool hear_all(const struct watchdog *watchdog)
{
	bool any = false;
	bool ours;

	while (hear(watchdog, &ours))
		any |= ours;
	return any;
}

static void on_word(struct loop_source *source, uint32_t events)
{
	struct watchdog *watchdog = list_entry(source, struct watchdog, source);

	(void)events;
	if (hear_all(watchdog))
		loop_timer_set(watchdog->loop, &watchdog->timer, watchdog->ms);
}

static void on_timer(struct loop_timer *timer)
{
	struct watchdog *watchdog = list_entry(timer, struct watchdog, timer);

	/* We may be late ourselves: what has been said counts. */
	if (hear_all(watchdog))
		loop_timer_set(watchdog->loop, &watchdog->timer, watchdog->ms);
	else
		watchdog->silent(watchdog->arg);
}

/* A name of the kernel's choice in the abstract namespace: no file is left. */
static int open_socket(struct watchdog *watchdog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	const int on = 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&address,
		 sizeof(address.sun_family)) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		r = -errno;
	if (!r)
		r = loop_add(watchdog->loop, &watchdog->source, fd, EPOLLIN,
			     on_word);
	if (r) {
		(void)close(fd);
		return r;
	}
	len -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
	(void)snprintf(watchdog->socket, sizeof(watchdog->socket),
		       "NOTIFY_SOCKET=@%.*s", (int)len - 1,
		       address.sun_path + 1);
	return 0;
}

struct watchdog *watchdog_new(struct loop *loop, uint32_t ms,
			      void (*silent)(void *arg), void *arg)
{
	struct watchdog *watchdog = calloc(1, sizeof(*watchdog));
	int r;

	if (!watchdog)
		return NULL;
	watchdog->loop = loop;
	watchdog->ms = ms;
	watchdog->silent = silent;
	watchdog->arg = arg;
	watchdog->timer.fn = on_timer;
	list_init(&watchdog->timer.link);
	(void)snprintf(watchdog->usec, sizeof(watchdog->usec),
		       "WATCHDOG_USEC=%lu000", (unsigned long)ms);
	r = open_socket(watchdog);
	if (r) {
		free(watchdog);
		errno = -r;
		return NULL;
	}

	return watchdog;
}

void watchdog_free(struct watchdog *watchdog)
{
	int fd;

	if (!watchdog)
		return;
	loop_timer_cancel(watchdog->loop, &watchdog->timer);
	fd = watchdog->source.fd;
	loop_remove(watchdog->loop, &watchdog->source);
	(void)close(fd);
	free(watchdog);
}

/* What systemd told us is not meant for the child. */
static bool is_ours_alone(const char *entry)
{
	return strncmp(entry, "NOTIFY_SOCKET=", 14) == 0 ||
	       strncmp(entry, "WATCHDOG_", 9) == 0;
}

char **watchdog_environment(const struct watchdog *watchdog)
{
	size_t n = 0;
	char **out;

	while (environ[n])
		n++;
	out = calloc(n + 3, sizeof(*out));
	if (!out)
		return NULL;

	n = 0;
	for (char **entry = environ; *entry; entry++)
		if (!is_ours_alone(*entry))
			out[n++] = *entry;
	/* posix_spawn() wants char *, and changes nothing. */
	memcpy(&out[n++], &(const char *){ watchdog->socket }, sizeof(*out));
	memcpy(&out[n], &(const char *){ watchdog->usec }, sizeof(*out));
	return out;
}

void watchdog_of(struct watchdog *watchdog, pid_t pid)
{
	watchdog->pid = pid;
	loop_timer_cancel(watchdog->loop, &watchdog->timer);
}
