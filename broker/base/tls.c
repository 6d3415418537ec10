#include "broker/base/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"

/* Longest name ALPN can carry here. */
#define PROTOCOL_MAX 32

struct tls {
	SSL_CTX *context;
	unsigned char
		protocol_len; /* with the byte of length in front, as ALPN */
	unsigned char protocol[1 + PROTOCOL_MAX];
	/* Each only holds a certificate, its chain and its key. */
	SSL_CTX *others[TLS_SNI_MAX];
	size_t other_count;
};

static void free_tls(struct tls *tls)
{
	for (size_t i = 0; tls && i < tls->other_count; i++)
		SSL_CTX_free(tls->others[i]);
	free(tls);
}

/* A context outlives tls_free() while sessions use it, and asks us for the protocol:
 * the struct goes with it. */
static void free_with_context(void *parent, void *ptr, CRYPTO_EX_DATA *data,
			      int idx, long argl, void *argp)
{
	(void)parent;
	(void)data;
	(void)idx;
	(void)argl;
	(void)argp;
	free_tls(ptr);
}

static int ex_index;

static void make_ex_index(void)
{
	ex_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
					    free_with_context);
}

static SSL_CTX *new_context(struct tls *tls)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	SSL_CTX *context;

	(void)pthread_once(&once, make_ex_index);
	context = SSL_CTX_new(TLS_server_method());
	if (context && SSL_CTX_set_ex_data(context, ex_index, tls) != 1) {
		SSL_CTX_free(context);
		return NULL;
	}
	return context;
}

/* One that offers only others is let on without: it may not know better. */
static int choose_protocol(SSL *ssl, const unsigned char **out,
			   unsigned char *out_len, const unsigned char *in,
			   unsigned int in_len, void *arg)
{
	const struct tls *tls = arg;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, tls->protocol,
				  tls->protocol_len, in,
				  in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int fail(const char *subject, const char *file)
{
	char text[256];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	log_error(subject, "%s: %s", file, text);
	return -EINVAL;
}

static int load_pair(SSL_CTX *context, const char *certificate, const char *key,
		     const char *subject)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return fail(subject, certificate);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return fail(subject, key);
	return 0;
}

/* Called in each handshake, before a certificate is needed: the one that has the
 * name wished for, unless the first has it. */
static int choose_certificate(SSL *ssl, void *arg)
{
	const struct tls *tls = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	STACK_OF(X509) * chain;
	SSL_CTX *other;

	if (!name || X509_check_host(SSL_CTX_get0_certificate(tls->context),
				     name, 0, 0, NULL) == 1)
		return 1;
	for (size_t i = 0; i < tls->other_count; i++) {
		other = tls->others[i];
		if (X509_check_host(SSL_CTX_get0_certificate(other), name, 0, 0,
				    NULL) != 1)
			continue;
		/* The first may be of another kind of key, and be preferred. */
		SSL_certs_clear(ssl);
		SSL_CTX_get0_chain_certs(other, &chain);
		return SSL_use_cert_and_key(
			ssl, SSL_CTX_get0_certificate(other),
			SSL_CTX_get0_privatekey(other), chain, 1);
	}
	return 1;
}

/* "CERTIFICATE KEY". */
static int load_other(struct tls *tls, const char *pair, const char *subject)
{
	size_t len = strcspn(pair, " ");
	char *certificate = strndup(pair, len);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int r = -ENOMEM;

	if (certificate && context)
		r = load_pair(context, certificate,
			      pair + len + strspn(pair + len, " "), subject);
	if (r == 0)
		tls->others[tls->other_count++] = context;
	else
		SSL_CTX_free(context);
	free(certificate);
	return r;
}

static int load_own(struct tls *tls, const struct tls_options *o,
		    const char *subject)
{
	int r = load_pair(tls->context, o->certificate, o->key, subject);

	for (size_t i = 0; r == 0 && i < o->sni_count && i < TLS_SNI_MAX; i++)
		r = load_other(tls, o->sni[i], subject);
	if (r == 0 && tls->other_count > 0)
		SSL_CTX_set_cert_cb(tls->context, choose_certificate, tls);
	return r;
}

static int load_clients(SSL_CTX *context, const struct tls_options *o,
			const char *subject)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	STACK_OF(X509_NAME) * names;

	if (!o->client_ca)
		return 0;
	if (SSL_CTX_load_verify_locations(context, o->client_ca, NULL) != 1)
		return fail(subject, o->client_ca);
	names = SSL_load_client_CA_file(o->client_ca);
	if (!names)
		return fail(subject, o->client_ca);
	SSL_CTX_set_client_CA_list(context, names);
	if (o->client_crl) {
		if (X509_STORE_load_locations(store, o->client_crl, NULL) != 1)
			return fail(subject, o->client_crl);
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
						    X509_V_FLAG_CRL_CHECK_ALL);
	}
	SSL_CTX_set_verify(context,
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   NULL);
	/* Sessions are resumed only where they were begun. */
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"hearth",
				       6);
	return 0;
}

static void configure(struct tls *tls, bool only_1_3)
{
	SSL_CTX *context = tls->context;

	SSL_CTX_set_min_proto_version(context, only_1_3 ? TLS1_3_VERSION
							: TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, tls);
}

struct tls *tls_new(const struct tls_options *options, const char *subject)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	size_t len = strnlen(options->protocol, PROTOCOL_MAX);
	int r;

	if (!tls)
		return NULL;
	tls->protocol[0] = (unsigned char)len;
	memcpy(tls->protocol + 1, options->protocol, len);
	tls->protocol_len = (unsigned char)(len + 1);
	tls->context = new_context(tls);
	if (!tls->context) {
		free_tls(tls);
		errno = ENOMEM;
		return NULL;
	}
	configure(tls, options->only_1_3);
	r = load_own(tls, options, subject);
	if (r == 0)
		r = load_clients(tls->context, options, subject);
	if (r == 0)
		return tls;
	tls_free(tls);
	errno = -r;
	return NULL;
}

void tls_free(struct tls *tls)
{
	if (tls)
		SSL_CTX_free(tls->context); /* and with the last session, tls */
}

struct ssl_st *tls_accept(struct tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->context);

	if (!ssl)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}

static bool copy_text(const unsigned char *text, int len, char *out,
		      size_t size)
{
	if (!text || len <= 0 || (size_t)len >= size ||
	    memchr(text, 0, (size_t)len))
		return false;
	memcpy(out, text, (size_t)len);
	out[len] = '\0';
	return true;
}

static bool copy_common_name(X509 *certificate, char *out, size_t size)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *text = NULL;
	bool good;
	int len;

	if (at < 0)
		return false;
	len = ASN1_STRING_to_UTF8(
		&text,
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	good = copy_text(text, len, out, size);
	OPENSSL_free(text);
	return good;
}

/* The first of the kind decides: a certificate is one user's. */
static bool copy_alternative(X509 *certificate, int kind, char *out,
			     size_t size)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool good = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != kind)
			continue;
		good = copy_text(ASN1_STRING_get0_data(name->d.ia5),
				 ASN1_STRING_length(name->d.ia5), out, size);
		break;
	}
	GENERAL_NAMES_free(names);
	return good;
}

static bool copy_user(X509 *certificate, enum tls_user where, char *out,
		      size_t size)
{
	switch (where) {
	case TLS_USER_NO:
		return false;
	case TLS_USER_YES:
	case TLS_USER_CN:
		return copy_common_name(certificate, out, size);
	case TLS_USER_SAN_DNS:
		return copy_alternative(certificate, GEN_DNS, out, size);
	case TLS_USER_SAN_EMAIL:
		return copy_alternative(certificate, GEN_EMAIL, out, size);
	case TLS_USER_SAN_URI:
		return copy_alternative(certificate, GEN_URI, out, size);
	}
	return false;
}

bool tls_client_name(struct ssl_st *ssl, enum tls_user where, char *out,
		     size_t size)
{
	X509 *certificate;
	bool good;

	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return false;
	certificate = SSL_get1_peer_certificate(ssl);
	if (!certificate)
		return false;
	good = copy_user(certificate, where, out, size);
	X509_free(certificate);
	return good;
}
