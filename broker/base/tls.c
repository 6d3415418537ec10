#include "broker/base/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
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
};

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
	free(ptr);
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

static int load_own(SSL_CTX *context, const struct tls_options *o,
		    const char *subject)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, o->certificate) != 1)
		return fail(subject, o->certificate);
	if (SSL_CTX_use_PrivateKey_file(context, o->key, SSL_FILETYPE_PEM) !=
		    1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return fail(subject, o->key);
	return 0;
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

static void configure(struct tls *tls)
{
	SSL_CTX *context = tls->context;

	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
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
		free(tls);
		errno = ENOMEM;
		return NULL;
	}
	configure(tls);
	r = load_own(tls->context, options, subject);
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

static bool copy_name(X509 *certificate, char *out, size_t size)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *text = NULL;
	bool good = false;
	int len;

	if (at < 0)
		return false;
	len = ASN1_STRING_to_UTF8(
		&text,
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (len > 0 && (size_t)len < size && !memchr(text, 0, (size_t)len)) {
		memcpy(out, text, (size_t)len);
		out[len] = '\0';
		good = true;
	}
	OPENSSL_free(text);
	return good;
}

bool tls_client_name(struct ssl_st *ssl, char *out, size_t size)
{
	X509 *certificate;
	bool good;

	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return false;
	certificate = SSL_get1_peer_certificate(ssl);
	if (!certificate)
		return false;
	good = copy_name(certificate, out, size);
	X509_free(certificate);
	return good;
}
