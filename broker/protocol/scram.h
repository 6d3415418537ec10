/*
 * SCRAM-SHA-256, the server's side of one exchange (RFC 5802, RFC 7677): bytes
 * in, bytes out. It knows no packet, no table of users, no clock and no random
 * numbers; all of them are the caller's.
 *
 *	client-first	scram_first()		who it says it is
 *	server-first	scram_challenge()	salt, iterations, nonce
 *	client-final	scram_final()		its proof, and ours in return
 *
 * No channel binding: a client that asks for it ("p=") is refused; one that could
 * and saw that we do not offer it ("y") is right. User names are bytes; no SASLprep.
 *
 * Any thread; nothing is shared.
 */
#ifndef BROKER_PROTOCOL_SCRAM_H
#define BROKER_PROTOCOL_SCRAM_H

#include "broker/base/scram_keys.h"

/* The name of the Authentication Method. */
#define SCRAM_METHOD "SCRAM-SHA-256"

/* Bytes of one message of a client: name, nonce, and what it is bound to. */
#define SCRAM_MESSAGE_MAX 512
/* Bytes of a user name and of the client's nonce. */
#define SCRAM_NAME_MAX 64
#define SCRAM_NONCE_MAX 128
/* Our part of the nonce: 144 random bits in base64, with the NUL. */
#define SCRAM_OUR_NONCE_SIZE 25

struct scram;

/* -EINVAL: malformed, or something that we do not do; -ENOMEM. On success the
 * caller frees *out. */
int scram_first(struct slice message, struct scram **out);
/* NULL does nothing. */
void scram_free(struct scram *scram);

/* The user of client-first, unescaped. */
struct slice scram_user(const struct scram *scram);

/* nonce: printable ASCII without ','. known false: the exchange goes on as ever,
 * and no proof is right. Returns server-first, which lives until the next call. */
struct slice scram_challenge(struct scram *scram, const struct scram_keys *keys,
			     bool known, const char *nonce);

/* server-final after scram_final() has returned 0, empty before. */
struct slice scram_answer(const struct scram *scram);

/* After scram_challenge(). 0 and server-final, which lives as long as scram;
 * -EACCES: the proof is wrong; -EINVAL: malformed, or not of this exchange;
 * -ENOMEM. After any of them only scram_free() may follow. */
int scram_final(struct scram *scram, struct slice message, struct slice *out);

#endif
