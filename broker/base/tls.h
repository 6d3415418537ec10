/*
 * The server side of TLS 1.2 and 1.3, for every listener of hearthd: one OpenSSL
 * context for each certificate. A new certificate is taken by making a new
 * context; connections of the old one go on.
 *
 * Any thread; a context is not changed once it is made.
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;
struct tls;

struct tls_options {
	const char *certificate; /* PEM, with its chain */
	const char *key; /* PEM */
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

/* The Common Name of the certificate that the client has shown and that was
 * found good, as text with a NUL. False if there is none, or it has a NUL in it,
 * or is longer than size - 1. */
bool tls_client_name(struct ssl_st *ssl, char *out, size_t size);

#endif
