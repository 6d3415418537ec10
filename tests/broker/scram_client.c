#include "tests/broker/scram_client.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

static void hmac(const uint8_t key[32], const char *text, uint8_t out[32])
{
	HMAC(EVP_sha256(), key, 32, (const unsigned char *)text, strlen(text),
	     out, NULL);
}

void scram_client_first(struct scram_client *client, const char *name,
			const char *nonce)
{
	(void)snprintf(client->bare, sizeof(client->bare), "n=%s,r=%s", name,
		       nonce);
	(void)snprintf(client->message, sizeof(client->message), "n,,%s",
		       client->bare);
}

bool scram_client_prove(struct scram_client *client, const char *password,
			struct slice challenge)
{
	uint8_t salted[32], key[32], stored[32], signature[32], salt[64];
	char first[512], without[512], auth[1280], text[48];
	char *nonce, *salt_text, *count;
	int salt_len;

	(void)snprintf(first, sizeof(first), "%.*s", (int)challenge.len,
		       (const char *)challenge.data);
	nonce = strstr(first, "r=");
	salt_text = strstr(first, ",s=");
	count = strstr(first, ",i=");
	if (nonce != first || !salt_text || !count || strlen(salt_text) > 60)
		return false;
	(void)snprintf(without, sizeof(without), "c=biws,%.*s",
		       (int)(salt_text - first), first);
	(void)snprintf(auth, sizeof(auth), "%s,%s,%s", client->bare, first,
		       without);
	salt_len = EVP_DecodeBlock(salt, (unsigned char *)salt_text + 3,
				   (int)(count - salt_text - 3));
	for (const char *pad = count - 1; *pad == '='; pad--)
		salt_len--;
	PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, salt_len,
			  (int)strtol(count + 3, NULL, 10), EVP_sha256(), 32,
			  salted);
	hmac(salted, "Client Key", key);
	EVP_Digest(key, 32, stored, NULL, EVP_sha256(), NULL);
	hmac(stored, auth, signature);
	for (int i = 0; i < 32; i++)
		key[i] ^= signature[i];
	EVP_EncodeBlock((unsigned char *)text, key, 32);
	(void)snprintf(client->message, sizeof(client->message), "%s,p=%s",
		       without, text);

	hmac(salted, "Server Key", key);
	hmac(key, auth, signature);
	EVP_EncodeBlock((unsigned char *)text, signature, 32);
	(void)snprintf(client->expected, sizeof(client->expected), "v=%s",
		       text);
	return true;
}
