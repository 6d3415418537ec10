/*
 * Whom a client believes to be its server: an OpenSSL context for TLS 1.2 and
 * 1.3. A server must show a certificate that one of those pinned has signed, or is
 * itself, that is valid today, and that names the host we connect to. Only of a
 * certificate that is pinned itself the names do not matter: there is no other
 * server that has its key. There is no way to look away.
 */
#ifndef BROKER_CLIENT_CLIENT_TLS_H
#define BROKER_CLIENT_CLIENT_TLS_H

#include <stddef.h>

struct client_tls;
struct ssl_st;

/* Certificates that may be pinned; a hub has one, and another while it
 * changes. */
#define CLIENT_TLS_PINS_MAX 16

/* Bytes of a PEM text: 16 certificates of 2 kB. */
#define CLIENT_TLS_PEM_MAX ((size_t)32 * 1024)

struct client_tls_options {
	const char *pem; /* the certificates pinned; NULL: those that the
			  * system trusts */
	size_t pem_len;
	const char *name; /* must stand in the server's certificate; NULL: the
			   * host of the address */
};

/* Returns 0; -EINVAL: no certificate in it, one that cannot be read, or too many;
 * -ENOENT: the system trusts none; -ENOMEM. Strings are copied. */
int client_tls_new(const struct client_tls_options *options,
		   struct client_tls **out);
/* After the clients that use it. NULL is accepted. */
void client_tls_free(struct client_tls *tls);

/* A session on a socket, which stays the caller's, before its handshake. To be
 * freed by SSL_free(). NULL: out of memory. */
struct ssl_st *client_tls_begin(const struct client_tls *tls, int fd,
				const char *host);

#endif
