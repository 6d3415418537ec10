/* Certificates for tests, in memory. P-256. Each failure fails the test. */
#ifndef TESTS_BROKER_PKI_H
#define TESTS_BROKER_PKI_H

#include <stddef.h>

#include <openssl/x509.h>

struct pki {
	X509 *certificate;
	EVP_PKEY *key;
	char pem[2048]; /* of the certificate */
};

/* One that signs others, itself signed by none. */
void pki_make_ca(struct pki *out, const char *name);
/* One for a server; names as in "DNS:hub.local,IP:127.0.0.1", NULL: none. It is
 * valid from begin to end, seconds from now. ca NULL: signed by itself. */
void pki_make(struct pki *out, const struct pki *ca, const char *names,
	      long begin, long end);
void pki_free(struct pki *pki);

#endif
