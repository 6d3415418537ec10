#include "broker/peer/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/broker.h"

#define BACKLOG 1024

/* Bytes of a group's entry, with its members. */
#define GROUP_SIZE 16384

/* Of a unix socket: our user and group. */
#define UNIX_MODE 0660

void listen_socket_peer(const struct sockaddr_storage *peer,
			char out[LISTEN_ADDRESS_SIZE])
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;
	char text[INET6_ADDRSTRLEN] = "?";
	struct in_addr mapped;

	if (peer->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		snprintf(out, LISTEN_ADDRESS_SIZE, "%s:%u", text,
			 ntohs(v4->sin_port));
	} else if (peer->ss_family == AF_INET6 &&
		   IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(&mapped, v6->sin6_addr.s6_addr + 12, sizeof(mapped));
		inet_ntop(AF_INET, &mapped, text, sizeof(text));
		snprintf(out, LISTEN_ADDRESS_SIZE, "%s:%u", text,
			 ntohs(v6->sin6_port));
	} else if (peer->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		snprintf(out, LISTEN_ADDRESS_SIZE, "[%s]:%u", text,
			 ntohs(v6->sin6_port));
	} else {
		snprintf(out, LISTEN_ADDRESS_SIZE, "unix");
	}
}

/* A process that was killed leaves its socket behind, and nobody answers there.
 * One that is served is not ours to take, nor is a file of another kind. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0
		    ? -errno
		    : 0;
	close(fd);
	if (r != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* Give the socket to the group that may open it, with the mode that says so. */
static int give_rights(const struct listener_options *o, mode_t mode)
{
	char strings[GROUP_SIZE];
	struct group group, *found = NULL;
	int r;

	if (o->group) {
		r = getgrnam_r(o->group, &group, strings, sizeof(strings),
			       &found);
		if (!found)
			return r ? -r : -ENOENT;
		if (chown(o->path, (uid_t)-1, group.gr_gid) < 0)
			return -errno;
	}
	return chmod(o->path, mode) < 0 ? -errno : 0;
}

static int bind_unix(int fd, const struct listener_options *o)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const mode_t mode = o->mode ? o->mode : UNIX_MODE;
	int r;

	if (strlen(o->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, o->path, strlen(o->path) + 1);
	r = remove_stale(&address);
	if (r < 0)
		return r;
	/* Before it has a name, so that it is at no time open to more; after, as
	 * the umask takes bits away. */
	if (fchmod(fd, mode) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = give_rights(o, mode);
	if (r < 0)
		unlink(o->path);
	return r;
}

/* "fe80::1%eth0": the address, and the interface it is one of. */
static int parse_v6(const char *text, struct sockaddr_in6 *out)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET6, address, &out->sin6_addr) != 1)
		return -EINVAL;
	if (!text[len])
		return 0;
	out->sin6_scope_id = if_nametoindex(text + len + 1);
	return out->sin6_scope_id ? 0 : -ENODEV;
}

static int bind_v6(int fd, const struct listener_options *o)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons(o->port) };
	int r = parse_v6(o->address, &address);
	int only;

	if (r < 0)
		return r;
	/* "::" is every network, the IPv4 ones too. */
	only = !IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) <
		    0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

static int bind_v4(int fd, const struct listener_options *o)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(o->port) };

	if (inet_pton(AF_INET, o->address, &address.sin_addr) != 1)
		return -EINVAL;
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0
		       ? -errno
		       : 0;
}

static int bind_ip(int fd, const struct listener_options *o, int family)
{
	const int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -errno;
	return family == AF_INET6 ? bind_v6(fd, o) : bind_v4(fd, o);
}

int listen_socket_open(const struct listener_options *o)
{
	int family = o->type == LISTENER_UNIX  ? AF_UNIX
		     : strchr(o->address, ':') ? AF_INET6
					       : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = family == AF_UNIX ? bind_unix(fd, o) : bind_ip(fd, o, family);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

void listen_socket_close(int fd, const struct listener_options *options)
{
	close(fd);
	if (options->type == LISTENER_UNIX)
		unlink(options->path);
}
