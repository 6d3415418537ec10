#include "broker/base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/base/environment.h"

/* Fills in the address NOTIFY_SOCKET names: a path, or with a leading '@' a name
 * in the abstract namespace. Returns its length or a negative errno. */
static int address_of(const char *name, struct sockaddr_un *address)
{
	size_t len = strlen(name);

	/* systemd also knows vsock:, for virtual machines. */
	if (name[0] != '/' && name[0] != '@')
		return -EAFNOSUPPORT;
	if (len >= sizeof(address->sun_path))
		return -ENAMETOOLONG;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, name, len);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (int)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* fd < 0: none goes along. */
static ssize_t send_to(int socket_fd, const struct sockaddr_un *address,
		       size_t len, const char *state, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct sockaddr_un to = *address;
	/* sendmsg() only reads it. */
	struct iovec part = { (void *)(uintptr_t)state, strlen(state) };
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = (socklen_t)len,
		.msg_iov = &part,
		.msg_iovlen = 1,
	};

	if (fd >= 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	return sendmsg(socket_fd, &message, MSG_NOSIGNAL);
}

int notify_send_fd(const char *state, int fd)
{
	const char *name = environment_text("NOTIFY_SOCKET");
	struct sockaddr_un address;
	int socket_fd;
	int r = 0;
	int len;

	if (!name || !*name)
		return 0;
	len = address_of(name, &address);
	if (len < 0)
		return len;

	socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (socket_fd < 0)
		return -errno;
	if (send_to(socket_fd, &address, (size_t)len, state, fd) < 0)
		r = -errno;
	close(socket_fd);

	return r;
}

int notify_send(const char *state)
{
	return notify_send_fd(state, -1);
}

uint64_t notify_watchdog_ms(void)
{
	/* Set for our parent and inherited, it is none of ours. */
	if (environment_text("WATCHDOG_PID") &&
	    environment_number("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return environment_number("WATCHDOG_USEC") / 2 / 1000;
}
