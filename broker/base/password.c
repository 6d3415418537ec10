#include "broker/base/password.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SALT_LEN 16
#define KEY_LEN 32
/* Base64 without padding, as in the PHC string format. */
#define SALT_TEXT 22
#define KEY_TEXT 43

#define LOG_N_MIN 10
#define LOG_N_MAX 20
#define R_MAX 8
#define P_MAX 16

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

struct cost {
	unsigned int log_n; /* 0: the quick form */
	unsigned int r;
	unsigned int p;
};

/* OWASP's choice for 16 MiB: a Pi with 512 MB can spare that. */
static struct cost human = { .log_n = 14, .r = 8, .p = 5 };

void password_set_cost(unsigned int log_n)
{
	assert(log_n >= LOG_N_MIN && log_n <= LOG_N_MAX);
	human.log_n = log_n;
}

static int derive_slow(const struct cost *cost, struct slice password,
		       const uint8_t salt[SALT_LEN], uint8_t key[KEY_LEN])
{
	uint64_t n = UINT64_C(1) << cost->log_n;
	/* What the algorithm holds, and a little for OpenSSL's counting. */
	uint64_t memory = UINT64_C(128) * cost->r * (n + cost->p + 16);

	/* The parameters are in range, so only memory can be missing. */
	if (EVP_PBE_scrypt((const char *)password.data, password.len, salt,
			   SALT_LEN, n, cost->r, cost->p, memory, key,
			   KEY_LEN) != 1)
		return -ENOMEM;
	return 0;
}

static int derive_quick(struct slice password, const uint8_t salt[SALT_LEN],
			uint8_t key[KEY_LEN])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int r = -ENOMEM;

	if (!md)
		return -ENOMEM;
	if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(md, salt, SALT_LEN) == 1 &&
	    EVP_DigestUpdate(md, password.data, password.len) == 1 &&
	    EVP_DigestFinal_ex(md, key, NULL) == 1)
		r = 0;
	EVP_MD_CTX_free(md);
	return r;
}

static void write_key(const uint8_t key[KEY_LEN], char text[KEY_TEXT + 2])
{
	EVP_EncodeBlock((unsigned char *)text, key, KEY_LEN);
	text[KEY_TEXT] = '\0'; /* the padding */
}

static void write_hash(const struct cost *cost, const uint8_t salt[SALT_LEN],
		       const char *key_text, char out[PASSWORD_HASH_SIZE])
{
	unsigned char salt_text[SALT_TEXT + 3];
	char head[32] = "$sha256$";

	EVP_EncodeBlock(salt_text, salt, SALT_LEN);
	if (cost->log_n)
		(void)snprintf(head, sizeof(head), "$scrypt$ln=%u,r=%u,p=%u$",
			       cost->log_n, cost->r, cost->p);
	(void)snprintf(out, PASSWORD_HASH_SIZE, "%s%.*s$%s", head, SALT_TEXT,
		       (char *)salt_text, key_text);
}

/* The last field: the key of this cost and salt, as text. */
static int derive(const struct cost *cost, struct slice password,
		  const uint8_t salt[SALT_LEN], char text[KEY_TEXT + 2])
{
	uint8_t key[KEY_LEN];
	int r;

	if (password.len == 0)
		password = slice_of("", 0); /* OpenSSL takes no NULL here */
	r = cost->log_n ? derive_slow(cost, password, salt, key)
			: derive_quick(password, salt, key);
	if (r < 0)
		return r;

	write_key(key, text);
	OPENSSL_cleanse(key, sizeof(key));
	return 0;
}

int password_hash(enum password_kind kind, struct slice password,
		  char out[PASSWORD_HASH_SIZE])
{
	const struct cost quick = { 0 };
	const struct cost *cost = kind == PASSWORD_HUMAN ? &human : &quick;
	char key_text[KEY_TEXT + 2];
	uint8_t salt[SALT_LEN];
	int r;

	if (password.len < PASSWORD_MIN || password.len > PASSWORD_MAX)
		return -EINVAL;
	if (getentropy(salt, sizeof(salt)) < 0)
		return -EIO;

	r = derive(cost, password, salt, key_text);
	if (r < 0)
		return r;
	write_hash(cost, salt, key_text, out);
	return 0;
}

int password_stand_in(char out[PASSWORD_HASH_SIZE])
{
	uint8_t random[SALT_LEN + KEY_LEN];
	char key_text[KEY_TEXT + 2];

	if (getentropy(random, sizeof(random)) < 0)
		return -EIO;
	write_key(random + SALT_LEN, key_text);
	write_hash(&human, random, key_text, out);
	return 0;
}

/* Take "name<1..max>end" off the front of *at. Returns the number, 0 if it is
 * something else. One spelling of each number: no sign, no leading zero. */
static unsigned int take_number(const char **at, const char *name,
				unsigned int max, char end)
{
	size_t len = strlen(name);
	unsigned int n = 0;
	const char *p;

	if (strncmp(*at, name, len) != 0)
		return 0;
	p = *at + len;
	if (*p == '0')
		return 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (unsigned int)(*p - '0');
		if (n > max)
			return 0;
	}
	if (*p != end)
		return 0;
	*at = p + 1;
	return n;
}

static bool take_salt(const char **at, uint8_t salt[SALT_LEN])
{
	unsigned char padded[SALT_TEXT + 3];
	uint8_t bytes[SALT_LEN + 2];

	if (strspn(*at, base64) != SALT_TEXT || (*at)[SALT_TEXT] != '$')
		return false;
	memcpy(padded, *at, SALT_TEXT);
	memcpy(padded + SALT_TEXT, "==", 3);
	if (EVP_DecodeBlock(bytes, padded, SALT_TEXT + 2) != sizeof(bytes))
		return false;
	memcpy(salt, bytes, SALT_LEN);
	*at += SALT_TEXT + 1;
	return true;
}

/* Returns the text of the key within hash, or NULL if hash is none of ours. */
static const char *parse(const char *hash, struct cost *cost,
			 uint8_t salt[SALT_LEN])
{
	static const char slow[] = "$scrypt$";
	static const char quick[] = "$sha256$";
	const char *at = hash;

	*cost = (struct cost){ 0 };
	if (strncmp(at, slow, sizeof(slow) - 1) == 0) {
		at += sizeof(slow) - 1;
		cost->log_n = take_number(&at, "ln=", LOG_N_MAX, ',');
		cost->r = take_number(&at, "r=", R_MAX, ',');
		cost->p = take_number(&at, "p=", P_MAX, '$');
		if (!cost->log_n || !cost->r || !cost->p)
			return NULL;
	} else if (strncmp(at, quick, sizeof(quick) - 1) == 0) {
		at += sizeof(quick) - 1;
	} else {
		return NULL;
	}

	if (!take_salt(&at, salt))
		return NULL;
	if (strspn(at, base64) != KEY_TEXT || at[KEY_TEXT] != '\0')
		return NULL;
	return at;
}

int password_verify(const char *hash, struct slice password)
{
	char key_text[KEY_TEXT + 2];
	uint8_t salt[SALT_LEN];
	struct cost cost;
	const char *stored;
	int r;

	stored = parse(hash, &cost, salt);
	if (!stored)
		return -EINVAL;
	if (password.len > PASSWORD_MAX)
		return 0;

	r = derive(&cost, password, salt, key_text);
	if (r < 0)
		return r;
	return CRYPTO_memcmp(stored, key_text, KEY_TEXT) == 0;
}

int password_generate(char out[PASSWORD_TOKEN_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[(PASSWORD_TOKEN_SIZE - 1) / 2];

	if (getentropy(bytes, sizeof(bytes)) < 0)
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = hex[bytes[i] >> 4];
		out[2 * i + 1] = hex[bytes[i] & 15];
	}
	out[PASSWORD_TOKEN_SIZE - 1] = '\0';
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return 0;
}
