/*
 * The sockets that listeners listen on, and how their peers are called.
 *
 * Any thread.
 */
#ifndef BROKER_PEER_LISTEN_SOCKET_H
#define BROKER_PEER_LISTEN_SOCKET_H

#include <sys/socket.h>

struct listener_options;

#define LISTEN_ADDRESS_SIZE 64 /* of a peer's, with port and NUL */

/*
 * A listening, non-blocking socket. Returns it, or a negative errno: -EADDRINUSE
 * also for a unix socket that somebody serves, or a file that is no socket;
 * -ENODEV for an interface that is not there; -ENOENT for a group that is not, or
 * the folder of a unix socket.
 */
int listen_socket_open(const struct listener_options *options);
/* Close it and give its name back. */
void listen_socket_close(int fd, const struct listener_options *options);

/* "192.0.2.7:49152", "[2001:db8::1]:49152" or "unix". An IPv4 peer of an IPv6
 * socket is called as what it is. */
void listen_socket_peer(const struct sockaddr_storage *peer,
			char out[LISTEN_ADDRESS_SIZE]);

#endif
