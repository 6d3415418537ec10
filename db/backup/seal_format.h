/*
 * Inside of seal.h: how a sealed stream looks. Integers are big-endian.
 *
 *	head	80 bytes
 *	 0	8	magic
 *	 8	2	format version
 *	10	1	0: not encrypted; 1: scrypt and AES-256-GCM
 *	11	3	scrypt's log2 N, r, p; zero if not encrypted
 *	14	2	zero
 *	16	32	salt, random also when not encrypted
 *	48	16	HMAC-SHA256 of bytes 0..47 under the second half of the
 *			derived key, cut; zero if not encrypted: tells a wrong
 *			passphrase from a damaged file
 *	64	16	SHA-256 of bytes 0..63, cut
 *	chunk	as many as needed, all full but the last
 *	 0	4	length of the data; the highest bit: this is the last
 *	 4	n	data
 *	 4+n	16	tag
 *
 * Encrypted, the tag is GCM's; the nonce is 3 zero bytes, one that is 1 in the
 * last chunk, and the chunk's number in 8, so that none can be left out, doubled,
 * moved, or made the last; the key is of this file alone, by its salt. Otherwise
 * it is the first half of the SHA-256 of head, number and chunk: against damage,
 * not against people.
 */
#ifndef DB_BACKUP_SEAL_FORMAT_H
#define DB_BACKUP_SEAL_FORMAT_H

#include "broker/base/slice.h"

#define SEAL_MAGIC "\211HEARTH\n"
#define SEAL_VERSION 1
#define SEAL_HEAD 80
#define SEAL_TAG 16
#define SEAL_LAST 0x80000000u

#define SEAL_AT_VERSION 8
#define SEAL_AT_MODE 10
#define SEAL_AT_COST 11
#define SEAL_AT_SALT 16
#define SEAL_AT_CHECK 48
#define SEAL_AT_DIGEST 64
#define SEAL_SALT 32

enum seal_mode { SEAL_PLAIN, SEAL_ENCRYPTED };

/* Of new files: 32 MiB and, on a small board, some seconds. Of files that come
 * from outside: what such a board can spare. */
#define SEAL_LOG_N 15
#define SEAL_R 8
#define SEAL_P 3
#define SEAL_LOG_N_MAX 17
#define SEAL_R_MAX 8
#define SEAL_P_MAX 8

/* Seals or opens chunks; one for each stream. */
struct seal_cipher;

/* head is complete but for check and digest, which are filled in. Returns NULL
 * with errno set. passphrase NULL: not encrypted. */
struct seal_cipher *seal_cipher_new(uint8_t head[SEAL_HEAD],
				    const char *passphrase);
/* For a head that was read, whose mode and cost are in range: also EKEYREJECTED. */
struct seal_cipher *seal_cipher_open(const uint8_t head[SEAL_HEAD],
				     const char *passphrase);
/* NULL does nothing. */
void seal_cipher_free(struct seal_cipher *cipher);

/* In place, the next chunk. prefix: its first four bytes. Returns 0, -EIO or
 * -ENOMEM; opening also -EBADMSG. */
int seal_cipher_seal(struct seal_cipher *cipher, const uint8_t prefix[4],
		     uint8_t *data, size_t len, uint8_t tag[SEAL_TAG]);
int seal_cipher_unseal(struct seal_cipher *cipher, const uint8_t prefix[4],
		       uint8_t *data, size_t len, const uint8_t tag[SEAL_TAG]);

/* The digest that ends a head. */
int seal_head_digest(const uint8_t head[SEAL_HEAD], uint8_t out[SEAL_TAG]);

#endif
