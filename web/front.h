/*
 * The door of the web side: owns the listening sockets, accepts, does TLS, and
 * reads the first request head of each connection under an absolute deadline.
 * GET /mqtt upgraded to a WebSocket goes to the broker as an ordinary client;
 * everything else that has a sound head goes to server.h; the rest is refused
 * here. The web thread's alone, but for front_new() and front_port().
 */
#ifndef WEB_FRONT_H
#define WEB_FRONT_H

#include <stddef.h>
#include <stdint.h>

struct front;
struct peers;
struct tls;
struct web_context;
struct web_listener;

/* Opens the listening sockets. tls may be NULL if no listener asks for it.
 * Everything is borrowed. Returns NULL with errno set, after logging. */
struct front *front_new(struct web_context *web, struct peers *peers,
			struct tls *tls, const struct web_listener *listeners,
			size_t count);
/* From the next connection on. Borrowed. */
void front_set_tls(struct front *front, struct tls *tls);
uint16_t front_port(const struct front *front, size_t index);
/* Close listeners and all that have not been handed on. NULL does nothing. */
void front_free(struct front *front);

#endif
