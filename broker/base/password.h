/*
 * Passwords at rest. Two forms, both printable ASCII without spaces or colons:
 *
 *	$scrypt$ln=14,r=8,p=5$<salt, base64>$<hash, base64>	chosen by a person
 *	$sha256$<salt, base64>$<hash, base64>	generated here, 128 random bits
 *
 * The slow one takes hundreds of milliseconds and 16 MiB: call it on the hasher
 * thread (authenticator.h), never in a loop.
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include "broker/base/slice.h"

#define PASSWORD_HASH_SIZE 160 /* with the NUL */
#define PASSWORD_MIN 8 /* bytes; NIST SP 800-63B, 5.1.1.2 */
#define PASSWORD_MAX 1024 /* bytes; bounds the work of one check */
#define PASSWORD_TOKEN_SIZE \
	33 /* a generated secret: 32 hex digits and the NUL */

enum password_kind { PASSWORD_HUMAN, PASSWORD_GENERATED };

/* Cost for new hashes of people's passwords, 2^log_n; 14 unless set, 10..20.
 * Tests set 10. Threads: before the others start. */
void password_set_cost(unsigned int log_n);

/* Returns 0, -EINVAL for a length out of range, -ENOMEM or -EIO (no random). */
int password_hash(enum password_kind kind, struct slice password,
		  char out[PASSWORD_HASH_SIZE]);

/* A hash that no password fits, as dear to check as a person's, and made at no
 * cost. Returns 0 or -EIO. */
int password_stand_in(char out[PASSWORD_HASH_SIZE]);

/* 1 right, 0 wrong, -EINVAL for a hash that is none of ours (fails closed),
 * -ENOMEM. Compares in constant time. ln up to 20, r up to 8, p up to 16. */
int password_verify(const char *hash, struct slice password);

/* 128 random bits in hex. Returns 0 or -EIO. */
int password_generate(char out[PASSWORD_TOKEN_SIZE]);

#endif
