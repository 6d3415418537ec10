#include "web/known.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "web/limits.h"

struct known {
	uint8_t key[32];
	size_t count; /* added so far */
	struct known_tag tags[WEB_KNOWN_PASSWORDS];
};

struct known *known_new(void)
{
	struct known *known = calloc(1, sizeof(*known));

	if (!known)
		return NULL;
	if (getrandom(known->key, sizeof(known->key), 0) !=
	    (ssize_t)sizeof(known->key)) {
		free(known);
		errno = EIO;
		return NULL;
	}
	return known;
}

void known_free(struct known *known)
{
	if (!known)
		return;
	OPENSSL_cleanse(known, sizeof(*known));
	free(known);
}

/* A hash holds no NUL, so no two pairs give the same text. */
bool known_tag(const struct known *known, const char *hash,
	       const char *password, struct known_tag *out)
{
	size_t hash_len = strlen(hash) + 1, len = strlen(password);
	unsigned char *text = malloc(hash_len + len + 1);
	bool good;

	if (!text)
		return false;
	memcpy(text, hash, hash_len);
	memcpy(text + hash_len, password, len + 1);
	good = HMAC(EVP_sha256(), known->key, (int)sizeof(known->key), text,
		    hash_len + len, out->bytes, NULL) != NULL;
	OPENSSL_cleanse(text, hash_len + len);
	free(text);
	return good;
}

bool known_has(const struct known *known, const struct known_tag *tag)
{
	size_t count = known->count < WEB_KNOWN_PASSWORDS ? known->count
							  : WEB_KNOWN_PASSWORDS;

	for (size_t i = 0; i < count; i++)
		if (CRYPTO_memcmp(&known->tags[i], tag, sizeof(*tag)) == 0)
			return true;
	return false;
}

void known_add(struct known *known, const struct known_tag *tag)
{
	if (known_has(known, tag))
		return;
	known->tags[known->count % WEB_KNOWN_PASSWORDS] = *tag;
	known->count++;
}
