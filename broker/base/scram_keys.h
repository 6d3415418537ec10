/*
 * What a server keeps of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677): a
 * salt, how often it was hashed, StoredKey and ServerKey. As text, printable
 * ASCII without spaces or colons:
 *
 *	$scram-sha-256$i=4096$<salt>$<StoredKey>$<ServerKey>	in base64
 *
 * Whoever steals it can try passwords at PBKDF2's price, which is far below that
 * of scrypt (password.h) however often it hashes. A generated secret has 128 random
 * bits, so the least that RFC 7677 allows is enough, and a small board can log in
 * with it; of a password that a person chose it is only made if the owner wants
 * that (hearth.conf, scram), and hashed as often as OWASP asks.
 *
 * RFC 5802 wants names and passwords prepared by SASLprep, which leaves printable
 * ASCII as it is. Others get no keys and have no such exchange: their users log in
 * with the password itself. To guess at Unicode's tables would let a client in
 * today that another version locks out.
 */
#ifndef BASE_SCRAM_KEYS_H
#define BASE_SCRAM_KEYS_H

#include <stdbool.h>

#include "broker/base/slice.h"

#define SCRAM_KEY_LEN 32
#define SCRAM_SALT_LEN 16
#define SCRAM_TEXT_SIZE 144 /* with the NUL */

#define SCRAM_ITERATIONS_GENERATED 4096 /* RFC 7677, 4 */
#define SCRAM_ITERATIONS_CHOSEN 600000 /* OWASP, PBKDF2-HMAC-SHA256 */
/* Ours are within; more would only make clients wait. */
#define SCRAM_ITERATIONS_MAX 10000000

struct scram_keys {
	uint32_t iterations;
	uint8_t salt[SCRAM_SALT_LEN];
	uint8_t stored[SCRAM_KEY_LEN];
	uint8_t server[SCRAM_KEY_LEN];
};

/* Milliseconds for a generated secret, up to a second for a chosen one: that on
 * the hasher thread only. Returns 0, -EINVAL for 0 iterations or an endless
 * password, -ENOMEM. */
int scram_keys_derive(struct slice password, uint32_t iterations,
		      const uint8_t salt[SCRAM_SALT_LEN],
		      struct scram_keys *out);

/* Is it the same after SASLprep, as far as we can tell: printable ASCII? */
bool scram_prepared(struct slice text);

/* The same with a random salt, as text. -EILSEQ: the password is not
 * scram_prepared(); -EIO: no random numbers. */
int scram_keys_make(struct slice password, uint32_t iterations,
		    char out[SCRAM_TEXT_SIZE]);

void scram_keys_format(const struct scram_keys *keys,
		       char out[SCRAM_TEXT_SIZE]);
/* False if it is none of ours, or "". */
bool scram_keys_parse(const char *text, struct scram_keys *out);

/*
 * Keys for a name that has none, so that who asks cannot tell: the same at each
 * asking, under secret, and of as many iterations as some user has. Nobody's
 * proof fits them. False when out of memory.
 */
bool scram_keys_of_nobody(const uint8_t secret[SCRAM_KEY_LEN],
			  struct slice name, struct scram_keys *out);

#endif
