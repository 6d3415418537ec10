/*
 * The server side of TLS 1.2 and 1.3, for every listener of hearthd: an OpenSSL
 * context with one certificate, or several of which the client's wish (SNI) decides.
 * A new certificate is taken by making a new context; connections of the old one go
 * on. Sessions are resumed by tickets, which no other context understands: what a
 * new CRL revokes does not come back by one.
 *
 * Any thread; a context is not changed once it is made.
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;
struct tls;

/* Where in a client's certificate its user stands. Of several alternative names of
 * the kind it is the first. */
enum tls_user {
	TLS_USER_NO,
	TLS_USER_YES, /* the Common Name, too */
	TLS_USER_CN,
	TLS_USER_SAN_DNS,
	TLS_USER_SAN_EMAIL,
	TLS_USER_SAN_URI,
};

/* Further certificates of one context. */
#define TLS_SNI_MAX 16

struct tls_options {
	const char *certificate; /* PEM, with its chain */
	const char *key; /* PEM */
	/* "CERTIFICATE KEY" each, for clients that wish for a name in it; whoever
	 * wishes for none of them gets the first. At most TLS_SNI_MAX. */
	const char *const *sni;
	size_t sni_count;
	bool only_1_3; /* TLS 1.2 is refused */
	/* PEM: clients must show a certificate that one of these has signed; or
	 * NULL: none is asked for. */
	const char *client_ca;
	const char *client_crl; /* PEM: revoked ones; or NULL */
	const char *protocol; /* by ALPN: "mqtt", "http/1.1" */
};

/* Returns NULL with errno set, after logging which file and why; subject is for
 * the log. Strings are not kept. */
struct tls *tls_new(const struct tls_options *options, const char *subject);
/* NULL does nothing. */
void tls_free(struct tls *tls);

/* A server session on fd, which stays the caller's, before its handshake: the
 * first read makes it. Freed by SSL_free(). NULL when out of memory. */
struct ssl_st *tls_accept(struct tls *tls, int fd);

/* The user that the client's certificate names, if it was found good, as text with
 * a NUL. False if there is none, or it has a NUL in it, or is longer than
 * size - 1. */
bool tls_client_name(struct ssl_st *ssl, enum tls_user where, char *out,
		     size_t size);

#endif
