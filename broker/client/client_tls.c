#include "broker/client/client_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "broker/client/client_address.h"

struct client_tls {
	SSL_CTX *context;
	char *name; /* NULL: the host of the address */
};

/* Our protocol, as ALPN has it: its length in front. */
static const unsigned char protocol[] = { 4, 'm', 'q', 't', 't' };

static bool is_pinned(X509_STORE *store, const X509 *certificate)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509 *pinned =
			X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (pinned && X509_cmp(pinned, certificate) == 0)
			return true;
	}
	return false;
}

/* Called for each certificate of the chain, and for each fault. Only chains of
 * pinned ones may be partial. */
static int judge(int good, X509_STORE_CTX *chain)
{
	const int error = X509_STORE_CTX_get_error(chain);
	const unsigned long flags =
		X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(chain));

	if (good)
		return 1;
	if ((error != X509_V_ERR_HOSTNAME_MISMATCH &&
	     error != X509_V_ERR_IP_ADDRESS_MISMATCH) ||
	    !(flags & X509_V_FLAG_PARTIAL_CHAIN) ||
	    !is_pinned(X509_STORE_CTX_get0_store(chain),
		       X509_STORE_CTX_get0_cert(chain)))
		return 0;
	X509_STORE_CTX_set_error(chain, X509_V_OK);
	return 1;
}

/* Returns how many, or a negative errno. */
static int read_pins(BIO *bio, X509_STORE *store)
{
	int count = 0;
	X509 *one;

	while ((one = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		const int added = X509_STORE_add_cert(store, one);

		X509_free(one);
		if (added != 1)
			return -ENOMEM;
		if (++count > CLIENT_TLS_PINS_MAX)
			return -EINVAL;
	}
	/* The end of the text looks like this; all else is damage. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return -EINVAL;
	ERR_clear_error();
	return count;
}

static int pin(struct client_tls *tls, const char *pem, size_t len)
{
	X509_STORE *store = SSL_CTX_get_cert_store(tls->context);
	BIO *bio;
	int r;

	if (len > CLIENT_TLS_PEM_MAX)
		return -EINVAL;
	bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return -ENOMEM;
	ERR_clear_error();
	r = read_pins(bio, store);
	BIO_free(bio);
	if (r <= 0)
		return r ? r : -EINVAL;
	/* One that is pinned is enough, whoever has signed it. */
	return X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1
		       ? 0
		       : -ENOMEM;
}

static int configure(struct client_tls *tls,
		     const struct client_tls_options *options)
{
	SSL_CTX *context = tls->context;

	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, judge);
	SSL_CTX_set_options(context,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* What could not be sent is offered again from elsewhere. */
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_alpn_protos(context, protocol, sizeof(protocol)))
		return -ENOMEM;
	if (options->pem)
		return pin(tls, options->pem, options->pem_len);
	return SSL_CTX_set_default_verify_paths(context) == 1 ? 0 : -ENOENT;
}

int client_tls_new(const struct client_tls_options *options,
		   struct client_tls **out)
{
	struct client_tls *tls = calloc(1, sizeof(*tls));
	int r = -ENOMEM;

	if (!tls)
		return -ENOMEM;
	tls->name = options->name ? strdup(options->name) : NULL;
	tls->context = SSL_CTX_new(TLS_client_method());
	if (tls->context && (tls->name || !options->name))
		r = configure(tls, options);
	if (r) {
		client_tls_free(tls);
		return r;
	}
	*out = tls;
	return 0;
}

void client_tls_free(struct client_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls->name);
	free(tls);
}

static bool is_numeric(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	       inet_pton(AF_INET6, host, bytes) == 1;
}

/* The name that the certificate must have, without the zone of an address. */
static bool expect(SSL *ssl, const char *name)
{
	char host[CLIENT_HOST_SIZE];
	const size_t len = strcspn(name, "%");

	if (len >= sizeof(host))
		return false;
	memcpy(host, name, len);
	host[len] = '\0';
	if (is_numeric(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
						     host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	/* SSL_set_tlsext_host_name() casts a const away. */
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
			TLSEXT_NAMETYPE_host_name, host) == 1;
}

struct ssl_st *client_tls_begin(const struct client_tls *tls, int fd,
				const char *host)
{
	SSL *ssl = SSL_new(tls->context);

	if (!ssl)
		return NULL;
	if (!expect(ssl, tls->name ? tls->name : host) ||
	    SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}
