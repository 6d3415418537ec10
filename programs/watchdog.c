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
#include "programs/fd_keeper.h"

extern char **environ;

struct watchdog {
	struct loop *loop;
	struct loop_source source;
	struct loop_timer timer;
	uint32_t ms;
	pid_t pid; /* 0: no child */
	struct fd_keeper *keeper;
	void (*silent)(void *arg);
	void *arg;
	char socket[sizeof("NOTIFY_SOCKET=@") +
		    sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char usec[sizeof("WATCHDOG_USEC=") + 20];
};

/* What came with a word: who says it, and a descriptor or -1. */
static void read_control(struct msghdr *message, pid_t *who, int *fd)
{
	struct ucred credentials;

	*who = 0;
	*fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
	     c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS &&
		    c->cmsg_len == CMSG_LEN(sizeof(credentials))) {
			memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
			*who = credentials.pid;
		} else if (c->cmsg_type == SCM_RIGHTS &&
			   c->cmsg_len == CMSG_LEN(sizeof(*fd))) {
			memcpy(fd, CMSG_DATA(c), sizeof(*fd));
		}
	}
}

/* One datagram. False: there is none. *ours: the child sent it. There is room
 * for one descriptor; the kernel closes what is more. */
static bool hear(const struct watchdog *watchdog, bool *ours)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) +
			   CMSG_SPACE(sizeof(int))];
	} control;
	char text[400];
	struct iovec part = { text, sizeof(text) - 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	pid_t who;
	int fd;

	*ours = false;
	n = recvmsg(watchdog->source.fd, &message,
		    MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return false;
	text[n] = '\0';
	read_control(&message, &who, &fd);
	*ours = watchdog->pid > 0 && who == watchdog->pid;
	if (*ours)
		fd_keeper_hear(watchdog->keeper, text, fd);
	else if (fd >= 0)
		(void)close(fd);
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
	watchdog->keeper = fd_keeper_new();
	r = watchdog->keeper ? open_socket(watchdog) : -ENOMEM;
	if (r) {
		fd_keeper_free(watchdog->keeper);
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
	fd_keeper_free(watchdog->keeper);
	free(watchdog);
}

/* What systemd told us is not meant for the child. */
static bool is_ours_alone(const char *entry)
{
	return strncmp(entry, "NOTIFY_SOCKET=", 14) == 0 ||
	       strncmp(entry, "WATCHDOG_", 9) == 0 ||
	       strncmp(entry, "LISTEN_", 7) == 0;
}

char **watchdog_environment(const struct watchdog *watchdog)
{
	const char *kept[FD_KEEPER_ENTRIES];
	size_t n = 0;
	char **out;

	while (environ[n])
		n++;
	out = calloc(n + 3 + FD_KEEPER_ENTRIES, sizeof(*out));
	if (!out)
		return NULL;

	n = 0;
	for (char **entry = environ; *entry; entry++)
		if (!is_ours_alone(*entry))
			out[n++] = *entry;
	/* posix_spawn() wants char *, and changes nothing. */
	memcpy(&out[n++], &(const char *){ watchdog->socket }, sizeof(*out));
	memcpy(&out[n++], &(const char *){ watchdog->usec }, sizeof(*out));
	memcpy(&out[n], kept,
	       fd_keeper_environment(watchdog->keeper, kept) * sizeof(*out));
	return out;
}

int watchdog_hand_over(const struct watchdog *watchdog,
		       posix_spawn_file_actions_t *actions)
{
	return fd_keeper_hand_over(watchdog->keeper, actions);
}

void watchdog_of(struct watchdog *watchdog, pid_t pid)
{
	/* Its last words: it may have sent something to keep. */
	if (pid == 0)
		(void)hear_all(watchdog);
	watchdog->pid = pid;
	loop_timer_cancel(watchdog->loop, &watchdog->timer);
}
