/* Sockets that the recorded program accepts; recorder.h. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#undef _FORTIFY_SOURCE
#include "tests/crash_daemon/recorder.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS 4096

static _Atomic bool accepted[FDS];

bool recorder_is_socket(int fd)
{
	return fd >= 0 && fd < FDS && atomic_load(&accepted[fd]);
}

static void tell(enum record_type type, int fd, uint64_t at)
{
	const struct record record = { .type = type, .fd = fd, .at = at };

	recorder_lock();
	recorder_add(&record);
	recorder_unlock();
}

static void tell_bytes(enum record_type type, int fd, const struct iovec *data,
		       int count, ssize_t len)
{
	const struct record record = {
		.type = type,
		.fd = fd,
		.data = data,
		.data_count = count,
		.data_len = (size_t)len,
	};

	if (len > 0)
		recorder_add(&record);
}

int listen(int fd, int backlog)
{
	struct sockaddr_in address = { 0 };
	socklen_t len = sizeof(address);
	int r = NEXT(listen)(fd, backlog);

	if (r == 0 && getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	    address.sin_family == AF_INET)
		tell(RECORD_LISTEN, fd, ntohs(address.sin_port));
	return r;
}

static int note(int fd)
{
	if (fd < 0 || fd >= FDS)
		return fd;
	atomic_store(&accepted[fd], true);
	tell(RECORD_ACCEPT, fd, 0);
	return fd;
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict len, int flags)
{
	return note(NEXT(accept4)(fd, address, len, flags));
}

int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict len)
{
	return note(NEXT(accept)(fd, address, len));
}

int close(int fd)
{
	if (recorder_is_socket(fd)) {
		tell(RECORD_HANGUP, fd, 0);
		atomic_store(&accepted[fd], false);
	}
	return NEXT(close)(fd);
}

static ssize_t heard(int fd, void *data, ssize_t n, int flags)
{
	const struct iovec bytes = { .iov_base = data, .iov_len = (size_t)n };

	if (n <= 0 || (flags & MSG_PEEK) || !recorder_is_socket(fd))
		return n;
	recorder_lock();
	tell_bytes(RECORD_HEARD, fd, &bytes, 1, n);
	recorder_unlock();
	return n;
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	return heard(fd, data, NEXT(recv)(fd, data, size, flags), flags);
}

ssize_t __recv_chk(int fd, void *data, size_t size, size_t room, int flags);

ssize_t __recv_chk(int fd, void *data, size_t size, size_t room, int flags)
{
	return heard(fd, data, NEXT(__recv_chk)(fd, data, size, room, flags),
		     flags);
}

ssize_t read(int fd, void *data, size_t size)
{
	return heard(fd, data, NEXT(read)(fd, data, size), 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t n;

	if (!recorder_is_socket(fd))
		return NEXT(sendmsg)(fd, message, flags);
	recorder_lock();
	n = NEXT(sendmsg)(fd, message, flags);
	tell_bytes(RECORD_SAID, fd, message->msg_iov, (int)message->msg_iovlen,
		   n);
	recorder_unlock();
	return n;
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	struct iovec bytes = { .iov_base = (void *)(uintptr_t)data,
			       .iov_len = len };
	const struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	return sendmsg(fd, &message, flags);
}

ssize_t writev(int fd, const struct iovec *data, int count)
{
	const struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)data,
		.msg_iovlen = (size_t)count,
	};

	return recorder_is_socket(fd) ? sendmsg(fd, &message, 0)
				      : NEXT(writev)(fd, data, count);
}
