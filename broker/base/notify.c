#include "broker/base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *environment(const char *name)
{
	/* Nobody changes it. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	return getenv(name);
}

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

int notify_send(const char *state)
{
	const char *name = environment("NOTIFY_SOCKET");
	struct sockaddr_un address;
	int r = 0;
	int len;
	int fd;

	if (!name || !*name)
		return 0;
	len = address_of(name, &address);
	if (len < 0)
		return len;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		   (const struct sockaddr *)&address, (socklen_t)len) < 0)
		r = -errno;
	close(fd);

	return r;
}

/* A plain decimal number; 0 for anything else. */
static uint64_t number(const char *text)
{
	unsigned long long n;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? n : 0;
}

uint64_t notify_watchdog_ms(void)
{
	const char *pid = environment("WATCHDOG_PID");

	/* Set for our parent and inherited, it is none of ours. */
	if (pid && number(pid) != (uint64_t)getpid())
		return 0;
	return number(environment("WATCHDOG_USEC")) / 2 / 1000;
}
