#include "broker/protocol/scram.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/base/scram_keys.h"

#define KEY_TEXT 44 /* base64 of a key, with its padding */
#define SALT_TEXT 24
#define HEADER_MAX (SCRAM_MESSAGE_MAX / 2)

/* "r=" both nonces ",s=" salt ",i=" iterations. */
#define CHALLENGE_MAX \
	(2 + SCRAM_NONCE_MAX + SCRAM_OUR_NONCE_SIZE + 3 + SALT_TEXT + 3 + 10)

struct scram {
	struct scram_keys keys;
	bool known;
	char name[SCRAM_NAME_MAX + 1];
	size_t header_len; /* gs2-header: what client-first begins with */
	size_t first_len;
	size_t nonce_at, nonce_len; /* the client's, within first */
	uint8_t first[SCRAM_MESSAGE_MAX];
	size_t challenge_len;
	size_t both_nonces_len; /* behind "r=" in challenge */
	char challenge[CHALLENGE_MAX + 1];
	char final[2 + KEY_TEXT + 1];
};

/* ---- reading ------------------------------------------------------------ */

static bool take(struct slice *rest, const char *text)
{
	const size_t len = strlen(text);

	if (rest->len < len || memcmp(rest->data, text, len) != 0)
		return false;
	*rest = slice_of(rest->data + len, rest->len - len);
	return true;
}

/* Up to the next ',' or the end; the ',' is left. */
static struct slice take_value(struct slice *rest)
{
	const uint8_t *comma = memchr(rest->data, ',', rest->len);
	const size_t len = comma ? (size_t)(comma - rest->data) : rest->len;
	const struct slice value = slice_of(rest->data, len);

	*rest = slice_of(rest->data + len, rest->len - len);
	return value;
}

/* saslname: ',' and '=' are written "=2C" and "=3D". */
static bool unescape(struct slice from, char out[SCRAM_NAME_MAX + 1])
{
	size_t len = 0;

	while (from.len > 0) {
		char c = (char)from.data[0];

		if (c == '=' && take(&from, "=2C"))
			c = ',';
		else if (c == '=' && take(&from, "=3D"))
			c = '=';
		else if (c == '=' || c == '\0')
			return false;
		else
			from = slice_of(from.data + 1, from.len - 1);
		if (len == SCRAM_NAME_MAX)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return len > 0 && scram_prepared(slice_of(out, len));
}

/* Printable ASCII but ',' (RFC 5802, 7). */
static bool nonce_valid(struct slice nonce)
{
	for (size_t i = 0; i < nonce.len; i++) {
		if (nonce.data[i] <= ' ' || nonce.data[i] > '~' ||
		    nonce.data[i] == ',')
			return false;
	}
	return nonce.len > 0 && nonce.len <= SCRAM_NONCE_MAX;
}

/* "," or ",x=...": attributes to come that nobody has to know. */
static bool extensions_valid(struct slice rest)
{
	while (rest.len > 0) {
		struct slice value;

		if (!take(&rest, ","))
			return false;
		value = take_value(&rest);
		if (value.len < 3 || value.data[1] != '=' ||
		    !((value.data[0] >= 'a' && value.data[0] <= 'z') ||
		      (value.data[0] >= 'A' && value.data[0] <= 'Z')))
			return false;
	}
	return true;
}

/* gs2-header: no channel binding, and acting for nobody but oneself. */
static bool read_header(struct scram *s, struct slice *rest,
			struct slice *acts_for)
{
	const uint8_t *start = rest->data;

	if (!take(rest, "n,") && !take(rest, "y,"))
		return false;
	*acts_for = slice_of(NULL, 0);
	if (take(rest, "a=")) {
		*acts_for = take_value(rest);
		if (acts_for->len == 0)
			return false;
	}
	if (!take(rest, ","))
		return false;
	s->header_len = (size_t)(rest->data - start);
	return s->header_len <= HEADER_MAX;
}

static bool read_first(struct scram *s)
{
	struct slice rest = slice_of(s->first, s->first_len);
	struct slice acts_for, name, nonce;

	/* "m=" would stand before "n=": an extension that one must know. */
	if (!read_header(s, &rest, &acts_for) || !take(&rest, "n="))
		return false;
	name = take_value(&rest);
	if (!unescape(name, s->name))
		return false;
	if (acts_for.len > 0 && !slice_equal(acts_for, name))
		return false;
	if (!take(&rest, ",r="))
		return false;
	nonce = take_value(&rest);
	s->nonce_at = (size_t)(nonce.data - s->first);
	s->nonce_len = nonce.len;
	return nonce_valid(nonce) && extensions_valid(rest);
}

int scram_first(struct slice message, struct scram **out)
{
	struct scram *s;

	if (message.len == 0 || message.len > SCRAM_MESSAGE_MAX)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	memcpy(s->first, message.data, message.len);
	s->first_len = message.len;
	if (!read_first(s)) {
		scram_free(s);
		return -EINVAL;
	}
	*out = s;
	return 0;
}

void scram_free(struct scram *scram)
{
	if (!scram)
		return;
	OPENSSL_cleanse(scram, sizeof(*scram));
	free(scram);
}

struct slice scram_user(const struct scram *scram)
{
	return slice_str(scram->name);
}

struct slice scram_answer(const struct scram *scram)
{
	return slice_str(scram->final);
}

struct slice scram_challenge(struct scram *s, const struct scram_keys *keys,
			     bool known, const char *nonce)
{
	unsigned char salt[SALT_TEXT + 1];

	assert(strlen(nonce) < SCRAM_OUR_NONCE_SIZE);
	s->keys = *keys;
	s->known = known;
	EVP_EncodeBlock(salt, keys->salt, SCRAM_SALT_LEN);
	s->both_nonces_len = s->nonce_len + strlen(nonce);
	s->challenge_len = (size_t)snprintf(
		s->challenge, sizeof(s->challenge), "r=%.*s%s,s=%s,i=%u",
		(int)s->nonce_len, (const char *)s->first + s->nonce_at, nonce,
		(char *)salt, keys->iterations);
	return slice_of(s->challenge, s->challenge_len);
}

/* ---- the proof ---------------------------------------------------------- */

/* "c=": the gs2-header once more, so that nobody on the way can change it. */
static bool bound(const struct scram *s, struct slice value)
{
	unsigned char text[(HEADER_MAX + 2) / 3 * 4 + 1];
	const int len = EVP_EncodeBlock(text, s->first, (int)s->header_len);

	return slice_equal(value, slice_of(text, (size_t)len));
}

static bool read_proof(struct slice text, uint8_t proof[SCRAM_KEY_LEN])
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[SCRAM_KEY_LEN + 1];

	if (text.len != KEY_TEXT || text.data[KEY_TEXT - 1] != '=')
		return false;
	for (size_t i = 0; i < KEY_TEXT - 1; i++) {
		if (!text.data[i] || !strchr(base64, text.data[i]))
			return false;
	}
	if (EVP_DecodeBlock(bytes, text.data, KEY_TEXT) < 0)
		return false;
	memcpy(proof, bytes, SCRAM_KEY_LEN);
	return true;
}

/* Returns the length of client-final-without-proof, 0 if it is not of this
 * exchange. The proof stands last. */
static size_t read_final(const struct scram *s, struct slice message,
			 uint8_t proof[SCRAM_KEY_LEN])
{
	const struct slice nonces =
		slice_of(s->challenge + 2, s->both_nonces_len);
	struct slice rest = message;
	const uint8_t *last;

	if (!take(&rest, "c=") || !bound(s, take_value(&rest)) ||
	    !take(&rest, ",r=") || !slice_equal(take_value(&rest), nonces))
		return 0;
	last = memrchr(rest.data, ',', rest.len);
	if (!last)
		return 0;
	if (!extensions_valid(slice_of(rest.data, (size_t)(last - rest.data))))
		return 0;
	rest = slice_of(last, (size_t)(message.data + message.len - last));
	if (!take(&rest, ",p=") || !read_proof(rest, proof))
		return 0;
	return (size_t)(last - message.data);
}

/* AuthMessage (RFC 5802, 3). Returns its length. */
static size_t write_auth_message(const struct scram *s, struct slice final,
				 uint8_t *out)
{
	const size_t bare = s->first_len - s->header_len;
	uint8_t *at = out;

	memcpy(at, s->first + s->header_len, bare);
	at += bare;
	*at++ = ',';
	memcpy(at, s->challenge, s->challenge_len);
	at += s->challenge_len;
	*at++ = ',';
	memcpy(at, final.data, final.len);
	return (size_t)(at - out) + final.len;
}

static bool hmac(const uint8_t key[SCRAM_KEY_LEN], struct slice text,
		 uint8_t out[SCRAM_KEY_LEN])
{
	return HMAC(EVP_sha256(), key, SCRAM_KEY_LEN, text.data, text.len, out,
		    NULL);
}

/* 0, -EACCES or -ENOMEM; our signature as text. proof becomes the client's key. */
static int judge(struct scram *s, struct slice auth_message,
		 uint8_t proof[SCRAM_KEY_LEN])
{
	uint8_t signature[SCRAM_KEY_LEN], stored[SCRAM_KEY_LEN];
	bool right;

	if (!hmac(s->keys.stored, auth_message, signature))
		return -ENOMEM;
	for (size_t i = 0; i < SCRAM_KEY_LEN; i++)
		proof[i] ^= signature[i];
	if (EVP_Digest(proof, SCRAM_KEY_LEN, stored, NULL, EVP_sha256(),
		       NULL) != 1 ||
	    !hmac(s->keys.server, auth_message, signature))
		return -ENOMEM;
	right = CRYPTO_memcmp(stored, s->keys.stored, SCRAM_KEY_LEN) == 0;
	if (!right || !s->known)
		return -EACCES;
	memcpy(s->final, "v=", 2);
	EVP_EncodeBlock((unsigned char *)s->final + 2, signature,
			SCRAM_KEY_LEN);
	return 0;
}

int scram_final(struct scram *s, struct slice message, struct slice *out)
{
	uint8_t text[2 * SCRAM_MESSAGE_MAX + CHALLENGE_MAX + 2];
	uint8_t proof[SCRAM_KEY_LEN];
	size_t len = 0;
	int r;

	assert(s->challenge_len > 0);
	if (message.len <= SCRAM_MESSAGE_MAX)
		len = read_final(s, message, proof);
	if (len == 0)
		return -EINVAL;
	len = write_auth_message(s, slice_of(message.data, len), text);
	r = judge(s, slice_of(text, len), proof);
	OPENSSL_cleanse(proof, sizeof(proof));
	if (r == 0)
		*out = slice_of(s->final, sizeof(s->final) - 1);
	return r;
}
