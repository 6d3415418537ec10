/*
 * Where a peer is: as text for the log and the broker, and as the key its
 * connections and wrong passwords are counted under. An IPv4 address seen
 * through an IPv6 socket is an IPv4 address.
 */
#ifndef WEB_ADDRESS_H
#define WEB_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE 64 /* "[...]:65535", with a zone, and the NUL */
#define ADDRESS_KEY_SIZE 64

/* "192.0.2.7:49152", "[2001:db8::1]:49152". */
void address_text(const struct sockaddr *address, char out[ADDRESS_TEXT_SIZE]);
/* "192.0.2.7", "2001:db8:0:1::/64": a peer has a whole /64 to draw from. */
void address_key(const struct sockaddr *address, char out[ADDRESS_KEY_SIZE]);
bool address_is_loopback(const struct sockaddr *address);

#endif
