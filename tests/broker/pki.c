#include "tests/broker/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void begin(struct pki *out, const char *name, long from, long to)
{
	static long serial = 1;
	X509_NAME *subject;

	out->key = EVP_EC_gen("P-256");
	out->certificate = X509_new();
	assert_non_null(out->key);
	assert_non_null(out->certificate);
	X509_set_version(out->certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(out->certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(out->certificate), from);
	X509_gmtime_adj(X509_getm_notAfter(out->certificate), to);
	X509_set_pubkey(out->certificate, out->key);
	subject = X509_get_subject_name(out->certificate);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
}

static void sign(struct pki *out, const struct pki *by)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	X509_set_issuer_name(out->certificate,
			     X509_get_subject_name(by->certificate));
	assert_true(X509_sign(out->certificate, by->key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, out->certificate), 1);
	len = BIO_read(bio, out->pem, sizeof(out->pem) - 1);
	assert_true(len > 0);
	out->pem[len] = '\0';
	BIO_free(bio);
}

void pki_make_ca(struct pki *out, const char *name)
{
	begin(out, name, -3600, 3600);
	extend(out->certificate, NID_basic_constraints, "critical,CA:TRUE");
	sign(out, out);
}

void pki_make(struct pki *out, const struct pki *ca, const char *names,
	      long from, long to)
{
	begin(out, "hub", from, to);
	if (names)
		extend(out->certificate, NID_subject_alt_name, names);
	sign(out, ca ? ca : out);
}

void pki_free(struct pki *pki)
{
	X509_free(pki->certificate);
	EVP_PKEY_free(pki->key);
	memset(pki, 0, sizeof(*pki));
}
