#include "web/node_join.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME "mqtts://"
#define HOST_SIZE (NODE_JOIN_HUB_MAX + 1)

bool node_join_hub_valid(const char *hub)
{
	const char *host = hub + strlen(SCHEME);

	return strncmp(hub, SCHEME, strlen(SCHEME)) == 0 && *host &&
	       strlen(hub) <= NODE_JOIN_HUB_MAX &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-._:[]%") == strlen(host);
}

/* Without the port, and without brackets unless they are wanted. */
static bool host_of(const char *text, bool brackets, char out[HOST_SIZE])
{
	const bool literal = text[0] == '[';
	const char *end = literal ? strchr(text, ']') : NULL;
	const char *from = literal && !brackets ? text + 1 : text;

	if (literal && !end)
		return false;
	if (!literal)
		end = text + strcspn(text, ":");
	else if (brackets)
		end++;
	if (end <= from || end - from >= HOST_SIZE)
		return false;
	memcpy(out, from, (size_t)(end - from));
	out[end - from] = '\0';
	return true;
}

static bool is_this_machine(const char *host)
{
	return strcmp(host, "localhost") == 0 ||
	       strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

bool node_join_hub(const char *host, uint16_t port,
		   char out[NODE_JOIN_HUB_MAX + 1])
{
	char name[HOST_SIZE];
	int n;

	if (!host_of(host, true, name) || is_this_machine(name))
		return false;
	n = snprintf(out, NODE_JOIN_HUB_MAX + 1, SCHEME "%s:%u", name, port);
	return n <= NODE_JOIN_HUB_MAX && node_join_hub_valid(out);
}

/* ---- certificates -------------------------------------------------------- */

struct chain {
	X509 *leaf; /* the first, which the hub shows as its own */
	X509 *top; /* the last; may be the first */
};

static void chain_free(struct chain *chain)
{
	if (chain->top != chain->leaf)
		X509_free(chain->top);
	X509_free(chain->leaf);
}

static bool read_chain(const char *path, struct chain *out)
{
	BIO *bio = BIO_new_file(path, "re");
	X509 *next;
	bool good = true;

	*out = (struct chain){ 0 };
	ERR_clear_error();
	for (int i = 0; bio && i < NODE_JOIN_CHAIN_MAX; i++) {
		next = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (!next) {
			/* The end looks like this; all else is damage. */
			good = ERR_GET_REASON(ERR_peek_last_error()) ==
			       PEM_R_NO_START_LINE;
			break;
		}
		if (!out->leaf)
			out->leaf = next;
		if (out->top && out->top != out->leaf)
			X509_free(out->top);
		out->top = next;
	}
	BIO_free(bio);
	ERR_clear_error();
	return good && out->leaf;
}

static bool names(X509 *leaf, const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, bytes) == 1 ||
	    inet_pton(AF_INET6, host, bytes) == 1)
		return X509_check_ip_asc(leaf, host, 0) == 1;
	return X509_check_host(leaf, host, 0, 0, NULL) == 1;
}

/* The first name of the DNS that it has, without wildcards. */
static bool first_name(X509 *leaf, char out[HOST_SIZE])
{
	GENERAL_NAMES *all =
		X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; !found && i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
		const char *text;

		if (name->type != GEN_DNS)
			continue;
		text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
		found = strlen(text) ==
				(size_t)ASN1_STRING_length(name->d.dNSName) &&
			strlen(text) < HOST_SIZE &&
			strspn(text, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-._") == strlen(text);
		if (found)
			memcpy(out, text, strlen(text) + 1);
	}
	GENERAL_NAMES_free(all);
	return found;
}

/* The hub is reached by a name that its certificate does not have? A certificate
 * that is pinned itself needs none. */
static void write_name(BIO *out, const struct chain *chain, const char *hub)
{
	char host[HOST_SIZE];

	if (chain->leaf == chain->top ||
	    !host_of(hub + strlen(SCHEME), false, host) ||
	    names(chain->leaf, host) || !first_name(chain->leaf, host))
		return;
	BIO_printf(out, "server-name = %s\n", host);
}

/* By the names alone: where memory runs out, OpenSSL takes one that has signed
 * itself for another. */
static bool has_signed_itself(const X509 *certificate)
{
	return X509_NAME_cmp(X509_get_subject_name(certificate),
			     X509_get_issuer_name(certificate)) == 0;
}

static void write_ca(BIO *out, const struct chain *chain, const char *hub)
{
	char line[256];

	write_name(out, chain, hub);
	if (!has_signed_itself(chain->top) && chain->leaf != chain->top) {
		BIO_printf(out, "ca = system\n");
		return;
	}
	X509_NAME_oneline(X509_get_subject_name(chain->top), line,
			  sizeof(line));
	BIO_printf(out, "# The hub is known by %s\n", line);
	PEM_write_bio_X509(out, chain->top);
}

static char *text_of(BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	char *text = len > 0 ? malloc((size_t)len + 1) : NULL;

	if (!text)
		return NULL;
	memcpy(text, bytes, (size_t)len);
	text[len] = '\0';
	OPENSSL_cleanse(bytes, (size_t)len);
	return text;
}

char *node_join_text(const struct node_join *join)
{
	struct chain chain;
	char *text = NULL;
	BIO *out;

	if (!read_chain(join->certificate, &chain)) {
		chain_free(&chain);
		errno = EINVAL;
		return NULL;
	}
	out = BIO_new(BIO_s_mem());
	if (out) {
		BIO_printf(out,
			   "# /etc/hearth/satellite.conf of the board %s:"
			   " a secret, chmod 600.\n"
			   "hub = %s\nnode = %s\nuser = %s\npassword = %s\n",
			   join->node, join->hub, join->node, join->user,
			   join->password);
		write_ca(out, &chain, join->hub);
		text = text_of(out);
	}
	BIO_free(out);
	chain_free(&chain);
	/* Whatever had no room above is told there. */
	if (text && ERR_peek_error()) {
		OPENSSL_cleanse(text, strlen(text));
		free(text);
		text = NULL;
	}
	ERR_clear_error();
	if (!text)
		errno = ENOMEM;
	return text;
}
