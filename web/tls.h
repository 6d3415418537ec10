/*
 * TLS for the web side: one OpenSSL context, TLS 1.2 and 1.3, HTTP/1.1 by ALPN.
 */
#ifndef WEB_TLS_H
#define WEB_TLS_H

struct ssl_st;
struct tls;

/* PEM files: the certificate with its chain, and its key. Returns NULL with
 * errno set, after logging which file and why. */
struct tls *tls_new(const char *certificate, const char *key);
void tls_free(struct tls *tls);

/* A server session on fd, which stays the caller's, before its handshake. Freed
 * by SSL_free(). NULL when out of memory. */
struct ssl_st *tls_accept(struct tls *tls, int fd);

#endif
