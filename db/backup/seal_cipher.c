/* The cryptography of seal_format.h. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "db/backup/seal_format.h"

#define KEY 32
#define NONCE 12

struct seal_cipher {
	uint8_t head[SEAL_HEAD];
	enum seal_mode mode;
	uint64_t number; /* of the next chunk */
	EVP_CIPHER_CTX *aes;
	EVP_MD_CTX *sha;
	uint8_t key[KEY];
};

int seal_head_digest(const uint8_t head[SEAL_HEAD], uint8_t out[SEAL_TAG])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(head, SEAL_AT_DIGEST, digest, NULL, EVP_sha256(),
		       NULL) != 1)
		return -ENOMEM;
	memcpy(out, digest, SEAL_TAG);
	return 0;
}

/* Key for the chunks, and key for the check. */
static int derive(const uint8_t head[SEAL_HEAD], const char *passphrase,
		  uint8_t keys[2 * KEY])
{
	unsigned int log_n = head[SEAL_AT_COST];
	unsigned int r = head[SEAL_AT_COST + 1];
	unsigned int p = head[SEAL_AT_COST + 2];
	uint64_t n = UINT64_C(1) << log_n;
	uint64_t memory = UINT64_C(128) * r * (n + p + 16);

	/* The parameters are in range, so only memory can be missing. */
	if (EVP_PBE_scrypt(passphrase, strlen(passphrase), head + SEAL_AT_SALT,
			   SEAL_SALT, n, r, p, memory, keys, 2 * KEY) != 1)
		return -ENOMEM;
	return 0;
}

static int compute_check(const uint8_t head[SEAL_HEAD], const uint8_t *key,
			 uint8_t out[SEAL_TAG])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int len = sizeof(mac);

	if (!HMAC(EVP_sha256(), key, KEY, head, SEAL_AT_CHECK, mac, &len))
		return -ENOMEM;
	memcpy(out, mac, SEAL_TAG);
	return 0;
}

static struct seal_cipher *cipher_alloc(enum seal_mode mode)
{
	struct seal_cipher *cipher = calloc(1, sizeof(*cipher));

	if (!cipher)
		return NULL;
	cipher->mode = mode;
	if (mode == SEAL_ENCRYPTED)
		cipher->aes = EVP_CIPHER_CTX_new();
	else
		cipher->sha = EVP_MD_CTX_new();
	if (!cipher->aes && !cipher->sha) {
		free(cipher);
		errno = ENOMEM;
		return NULL;
	}
	return cipher;
}

struct seal_cipher *seal_cipher_new(uint8_t head[SEAL_HEAD],
				    const char *passphrase)
{
	struct seal_cipher *cipher;
	uint8_t keys[2 * KEY];
	int r = 0;

	cipher = cipher_alloc(passphrase ? SEAL_ENCRYPTED : SEAL_PLAIN);
	if (!cipher)
		return NULL;
	if (passphrase) {
		r = derive(head, passphrase, keys);
		if (!r)
			r = compute_check(head, keys + KEY,
					  head + SEAL_AT_CHECK);
		memcpy(cipher->key, keys, KEY);
		OPENSSL_cleanse(keys, sizeof(keys));
	}
	if (!r)
		r = seal_head_digest(head, head + SEAL_AT_DIGEST);
	if (r) {
		seal_cipher_free(cipher);
		errno = -r;
		return NULL;
	}
	memcpy(cipher->head, head, SEAL_HEAD);
	return cipher;
}

static int unlock(struct seal_cipher *cipher, const char *passphrase)
{
	uint8_t check[SEAL_TAG];
	uint8_t keys[2 * KEY];
	int r = derive(cipher->head, passphrase, keys);

	if (!r)
		r = compute_check(cipher->head, keys + KEY, check);
	if (!r &&
	    CRYPTO_memcmp(check, cipher->head + SEAL_AT_CHECK, SEAL_TAG) != 0)
		r = -EKEYREJECTED;
	if (!r)
		memcpy(cipher->key, keys, KEY);
	OPENSSL_cleanse(keys, sizeof(keys));
	return r;
}

struct seal_cipher *seal_cipher_open(const uint8_t head[SEAL_HEAD],
				     const char *passphrase)
{
	struct seal_cipher *cipher;
	int r;

	cipher = cipher_alloc((enum seal_mode)head[SEAL_AT_MODE]);
	if (!cipher)
		return NULL;
	memcpy(cipher->head, head, SEAL_HEAD);
	r = cipher->mode == SEAL_ENCRYPTED ? unlock(cipher, passphrase) : 0;
	if (r) {
		seal_cipher_free(cipher);
		errno = -r;
		return NULL;
	}
	return cipher;
}

void seal_cipher_free(struct seal_cipher *cipher)
{
	if (!cipher)
		return;
	EVP_CIPHER_CTX_free(cipher->aes);
	EVP_MD_CTX_free(cipher->sha);
	OPENSSL_cleanse(cipher->key, sizeof(cipher->key));
	free(cipher);
}

static void make_nonce(const struct seal_cipher *cipher,
		       const uint8_t prefix[4], uint8_t nonce[NONCE])
{
	uint64_t number = htobe64(cipher->number);

	memset(nonce, 0, NONCE);
	nonce[3] = prefix[0] >> 7;
	memcpy(nonce + 4, &number, sizeof(number));
}

static int plain_tag(struct seal_cipher *cipher, const uint8_t prefix[4],
		     const uint8_t *data, size_t len, uint8_t tag[SEAL_TAG])
{
	uint64_t number = htobe64(cipher->number);
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *sha = cipher->sha;

	if (EVP_DigestInit_ex(sha, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(sha, cipher->head, SEAL_HEAD) != 1 ||
	    EVP_DigestUpdate(sha, &number, sizeof(number)) != 1 ||
	    EVP_DigestUpdate(sha, prefix, 4) != 1 ||
	    EVP_DigestUpdate(sha, data, len) != 1 ||
	    EVP_DigestFinal_ex(sha, digest, NULL) != 1)
		return -ENOMEM;
	memcpy(tag, digest, SEAL_TAG);
	return 0;
}

int seal_cipher_seal(struct seal_cipher *cipher, const uint8_t prefix[4],
		     uint8_t *data, size_t len, uint8_t tag[SEAL_TAG])
{
	uint8_t nonce[NONCE];
	int done;

	if (cipher->mode == SEAL_PLAIN) {
		int r = plain_tag(cipher, prefix, data, len, tag);

		cipher->number++;
		return r;
	}
	make_nonce(cipher, prefix, nonce);
	if (EVP_EncryptInit_ex(cipher->aes, EVP_aes_256_gcm(), NULL,
			       cipher->key, nonce) != 1 ||
	    EVP_EncryptUpdate(cipher->aes, NULL, &done, prefix, 4) != 1 ||
	    EVP_EncryptUpdate(cipher->aes, data, &done, data, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(cipher->aes, data + len, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher->aes, EVP_CTRL_GCM_GET_TAG, SEAL_TAG,
				tag) != 1)
		return -ENOMEM;
	cipher->number++;
	return 0;
}

int seal_cipher_unseal(struct seal_cipher *cipher, const uint8_t prefix[4],
		       uint8_t *data, size_t len, const uint8_t tag[SEAL_TAG])
{
	uint8_t given[SEAL_TAG];
	uint8_t nonce[NONCE];
	int done;

	if (cipher->mode == SEAL_PLAIN) {
		int r = plain_tag(cipher, prefix, data, len, given);

		cipher->number++;
		if (!r && CRYPTO_memcmp(given, tag, SEAL_TAG) != 0)
			r = -EBADMSG;
		return r;
	}
	memcpy(given, tag, SEAL_TAG);
	make_nonce(cipher, prefix, nonce);
	if (EVP_DecryptInit_ex(cipher->aes, EVP_aes_256_gcm(), NULL,
			       cipher->key, nonce) != 1 ||
	    EVP_DecryptUpdate(cipher->aes, NULL, &done, prefix, 4) != 1 ||
	    EVP_DecryptUpdate(cipher->aes, data, &done, data, (int)len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher->aes, EVP_CTRL_GCM_SET_TAG, SEAL_TAG,
				given) != 1)
		return -ENOMEM;
	cipher->number++;
	return EVP_DecryptFinal_ex(cipher->aes, data + len, &done) == 1
		       ? 0
		       : -EBADMSG;
}
