/*
 * How many connections each address has, and all together. Whoever holds a
 * connection holds its place here; the web thread's alone.
 */
#ifndef WEB_PEERS_H
#define WEB_PEERS_H

#include <stddef.h>
#include <sys/socket.h>

struct peers;

/* Returns NULL with errno set. */
struct peers *peers_new(size_t total, size_t per_address);
void peers_free(struct peers *peers);

/* Take a place. Returns it (0 or more), -EUSERS: the address has enough, or
 * -ENFILE: all places are taken. Loopback is bound by the total only. */
int peers_enter(struct peers *peers, const struct sockaddr *address);
/* Give a place back; a negative one does nothing. */
void peers_leave(struct peers *peers, int place);
size_t peers_count(const struct peers *peers);

#endif
