#include "broker/base/scram_keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/base/password.h"

/* Base64 without padding, as in password.c. */
#define SALT_TEXT 22
#define KEY_TEXT 43

static const char head[] = "$scram-sha-256$i=";

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* StoredKey and ServerKey of a SaltedPassword (RFC 5802, 3). */
static bool split(const uint8_t salted[SCRAM_KEY_LEN], struct scram_keys *out)
{
	uint8_t client[SCRAM_KEY_LEN];
	bool done;

	done = HMAC(EVP_sha256(), salted, SCRAM_KEY_LEN,
		    (const unsigned char *)"Client Key", 10, client, NULL) &&
	       EVP_Digest(client, sizeof(client), out->stored, NULL,
			  EVP_sha256(), NULL) == 1 &&
	       HMAC(EVP_sha256(), salted, SCRAM_KEY_LEN,
		    (const unsigned char *)"Server Key", 10, out->server, NULL);
	OPENSSL_cleanse(client, sizeof(client));
	return done;
}

int scram_keys_derive(struct slice password, uint32_t iterations,
		      const uint8_t salt[SCRAM_SALT_LEN],
		      struct scram_keys *out)
{
	uint8_t salted[SCRAM_KEY_LEN];
	bool done;

	if (iterations == 0 || iterations > SCRAM_ITERATIONS_MAX ||
	    password.len > PASSWORD_MAX)
		return -EINVAL;
	if (password.len == 0)
		password = slice_of("", 0); /* OpenSSL takes no NULL here */
	out->iterations = iterations;
	memcpy(out->salt, salt, SCRAM_SALT_LEN);
	done = PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.len,
				 salt, SCRAM_SALT_LEN, (int)iterations,
				 EVP_sha256(), SCRAM_KEY_LEN, salted) == 1 &&
	       split(salted, out);
	OPENSSL_cleanse(salted, sizeof(salted));
	return done ? 0 : -ENOMEM;
}

bool scram_prepared(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	return true;
}

int scram_keys_make(struct slice password, uint32_t iterations,
		    char out[SCRAM_TEXT_SIZE])
{
	uint8_t salt[SCRAM_SALT_LEN];
	struct scram_keys keys;
	int r;

	if (!scram_prepared(password))
		return -EILSEQ;
	if (getentropy(salt, sizeof(salt)) < 0)
		return -EIO;
	r = scram_keys_derive(password, iterations, salt, &keys);
	if (r == 0)
		scram_keys_format(&keys, out);
	OPENSSL_cleanse(&keys, sizeof(keys));
	return r;
}

void scram_keys_format(const struct scram_keys *keys, char out[SCRAM_TEXT_SIZE])
{
	unsigned char salt[SALT_TEXT + 3];
	unsigned char stored[KEY_TEXT + 2], server[KEY_TEXT + 2];

	EVP_EncodeBlock(salt, keys->salt, SCRAM_SALT_LEN);
	EVP_EncodeBlock(stored, keys->stored, SCRAM_KEY_LEN);
	EVP_EncodeBlock(server, keys->server, SCRAM_KEY_LEN);
	(void)snprintf(out, SCRAM_TEXT_SIZE, "%s%u$%.*s$%.*s$%.*s", head,
		       keys->iterations, SALT_TEXT, (char *)salt, KEY_TEXT,
		       (char *)stored, KEY_TEXT, (char *)server);
}

/* One spelling of each number: no sign, no leading zero. 0: none of ours. */
static uint32_t take_iterations(const char **at)
{
	uint32_t n = 0;
	const char *p = *at;

	if (*p == '0')
		return 0;
	for (; *p >= '0' && *p <= '9' && n <= SCRAM_ITERATIONS_MAX; p++)
		n = n * 10 + (uint32_t)(*p - '0');
	*at = p;
	return n <= SCRAM_ITERATIONS_MAX ? n : 0;
}

/* "$" and len bytes as base64 without its padding. */
static bool take_bytes(const char **at, uint8_t *out, size_t len)
{
	const size_t text = (len * 4 + 2) / 3, padded = (len + 2) / 3 * 4;
	unsigned char block[KEY_TEXT + 1];
	uint8_t bytes[SCRAM_KEY_LEN + 1];

	if (**at != '$' || strspn(*at + 1, base64) != text)
		return false;
	memset(block, '=', sizeof(block));
	memcpy(block, *at + 1, text);
	if (EVP_DecodeBlock(bytes, block, (int)padded) < 0)
		return false;
	memcpy(out, bytes, len);
	*at += 1 + text;
	return true;
}

bool scram_keys_parse(const char *text, struct scram_keys *out)
{
	const char *at = text + sizeof(head) - 1;

	if (strncmp(text, head, sizeof(head) - 1) != 0)
		return false;
	out->iterations = take_iterations(&at);
	return out->iterations > 0 &&
	       take_bytes(&at, out->salt, SCRAM_SALT_LEN) &&
	       take_bytes(&at, out->stored, SCRAM_KEY_LEN) &&
	       take_bytes(&at, out->server, SCRAM_KEY_LEN) && *at == '\0';
}

bool scram_keys_of_nobody(const uint8_t secret[SCRAM_KEY_LEN],
			  struct slice name, struct scram_keys *out)
{
	uint8_t mac[SCRAM_KEY_LEN];

	if (!HMAC(EVP_sha256(), secret, SCRAM_KEY_LEN, name.data, name.len, mac,
		  NULL))
		return false;
	memcpy(out->salt, mac, SCRAM_SALT_LEN);
	/* Half of the names look like a person's. */
	out->iterations = mac[SCRAM_SALT_LEN] & 1 ? SCRAM_ITERATIONS_CHOSEN
						  : SCRAM_ITERATIONS_GENERATED;
	/* Keys that no proof is known for; they cost what others cost. */
	memcpy(out->stored, mac, SCRAM_KEY_LEN);
	memcpy(out->server, mac, SCRAM_KEY_LEN);
	return true;
}
