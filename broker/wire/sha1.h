/*
 * SHA-1 (RFC 3174), because the WebSocket handshake proves with it that it was
 * understood. It protects nothing, so it may be this small one: it allocates
 * nothing, cannot fail, and is there where the system forbids SHA-1.
 */
#ifndef WIRE_SHA1_H
#define WIRE_SHA1_H

#include "broker/base/slice.h"

#define SHA1_SIZE 20
/* Longer texts are not hashed here: the handshake's has 60 bytes. */
#define SHA1_TEXT_MAX 1024

/* text.len <= SHA1_TEXT_MAX. */
void sha1(struct slice text, uint8_t out[SHA1_SIZE]);

#endif
