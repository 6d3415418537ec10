/* Which certificate a client is shown, who it is by its own, and that a session is
 * resumed. */
#include "broker/base/tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "tests/failing_malloc.h"

static char folder[] = "/tmp/hearth-test-XXXXXX";

static void discard(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static char *path_of(const char *name, const char *suffix)
{
	static char paths[8][64];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s.%s", folder, name, suffix);
	return path;
}

/* Self-signed, which also makes it a CA of its own. rsa: of the other kind. */
static void make(const char *name, const char *cn, const char *alternatives,
		 bool rsa)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_EXTENSION *extension;
	FILE *file;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 24 * 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
				   (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	if (alternatives) {
		extension = X509V3_EXT_conf_nid(
			NULL, NULL, NID_subject_alt_name, alternatives);
		assert_non_null(extension);
		X509_add_ext(cert, extension, -1);
		X509_EXTENSION_free(extension);
	}
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	file = fopen(path_of(name, "crt"), "we");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, cert), 1);
	fclose(file);
	file = fopen(path_of(name, "key"), "we");
	assert_non_null(file);
	assert_int_equal(
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_set_sink(discard);
	assert_non_null(mkdtemp(folder));
	make("first", "first", "DNS:hub.local", false);
	make("second", "second", "DNS:hub.example,DNS:*.hub.example", true);
	make("third", "third", "DNS:other.example", false);
	make("client", "kitchen",
	     "URI:urn:dev:1,email:a@b.example,DNS:dev.example,"
	     "DNS:second.example,URI:urn:dev:2",
	     false);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "first", "second", "third",
					     "client" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unlink(path_of(names[i], "crt"));
		unlink(path_of(names[i], "key"));
	}
	return rmdir(folder);
}

/* A handshake of both ends. The client's session for the next time is taken. */
struct meeting {
	SSL *server;
	SSL *client;
	int ends[2];
	bool done;
};

static SSL_SESSION *kept;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(kept);
	kept = session;
	return 1;
}

static SSL_CTX *client_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	assert_non_null(context);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(context, keep_session);
	return context;
}

static struct meeting meet(struct tls *tls, SSL_CTX *context, const char *name,
			   SSL_SESSION *session)
{
	struct meeting m = { 0 };
	char wish[64];
	char byte;

	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, m.ends),
			 0);
	m.server = tls_accept(tls, m.ends[0]);
	assert_non_null(m.server);
	m.client = SSL_new(context);
	SSL_set_fd(m.client, m.ends[1]);
	SSL_set_connect_state(m.client);
	if (name) {
		snprintf(wish, sizeof(wish), "%s", name);
		SSL_set_tlsext_host_name(m.client, wish);
	}
	if (session)
		SSL_set_session(m.client, session);
	for (int i = 0; i < 20; i++) {
		SSL_do_handshake(m.client);
		SSL_do_handshake(m.server);
		/* Tickets of 1.3 come behind the handshake. */
		SSL_read(m.client, &byte, 1);
	}
	m.done = SSL_is_init_finished(m.client) &&
		 SSL_is_init_finished(m.server);
	return m;
}

static void part(struct meeting *m)
{
	SSL_shutdown(m->client);
	SSL_shutdown(m->server);
	SSL_free(m->client);
	SSL_free(m->server);
	close(m->ends[0]);
	close(m->ends[1]);
}

static struct tls *several(void)
{
	char second[160], third[160];
	const char *const sni[] = { second, third };
	const struct tls_options options = {
		.certificate = path_of("first", "crt"),
		.key = path_of("first", "key"),
		.sni = sni,
		.sni_count = 2,
		.protocol = "mqtt",
	};

	snprintf(second, sizeof(second), "%s %s", path_of("second", "crt"),
		 path_of("second", "key"));
	snprintf(third, sizeof(third), "%s %s", path_of("third", "crt"),
		 path_of("third", "key"));
	return tls_new(&options, "test");
}

static void test_the_name_wished_for_chooses_the_certificate(void **state)
{
	static const struct {
		const char *wish;
		const char *shown;
	} wishes[] = {
		{ NULL, "first" },
		{ "hub.local", "first" },
		{ "hub.example", "second" },
		{ "HUB.example", "second" },
		{ "a.hub.example", "second" },
		{ "a.b.hub.example", "first" },
		{ "other.example", "third" },
		{ "unknown.example", "first" },
	};
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls *tls = several();
	SSL_CTX *context = client_context();

	(void)state;
	assert_non_null(tls);
	for (size_t i = 0; i < 2 * sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct meeting m;
		X509 *shown;
		char name[64] = "";

		SSL_CTX_set_max_proto_version(context, versions[i % 2]);
		m = meet(tls, context, wishes[i / 2].wish, NULL);
		assert_true(m.done);
		shown = SSL_get1_peer_certificate(m.client);
		X509_NAME_get_text_by_NID(X509_get_subject_name(shown),
					  NID_commonName, name, sizeof(name));
		assert_string_equal(name, wishes[i / 2].shown);
		X509_free(shown);
		part(&m);
	}
	SSL_CTX_free(context);
	tls_free(tls);
}

/* With several certificates and with one, by both versions; not by the next
 * context, which may have another CRL. */
static void test_a_session_is_resumed(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tls *tls = several(), *next = several();
		SSL_CTX *context = client_context();
		struct meeting m;

		SSL_CTX_set_max_proto_version(context, versions[i]);
		m = meet(tls, context, "hub.example", NULL);
		assert_true(m.done);
		assert_false(SSL_session_reused(m.server));
		part(&m);
		assert_non_null(kept);
		m = meet(tls, context, "hub.example", kept);
		assert_true(m.done);
		assert_true(SSL_session_reused(m.server));
		part(&m);
		m = meet(next, context, "hub.example", kept);
		assert_true(m.done);
		assert_false(SSL_session_reused(m.server));
		part(&m);
		SSL_SESSION_free(kept);
		kept = NULL;
		SSL_CTX_free(context);
		tls_free(tls);
		tls_free(next);
	}
}

static void test_the_least_version_is_kept(void **state)
{
	const struct tls_options options = {
		.certificate = path_of("first", "crt"),
		.key = path_of("first", "key"),
		.only_1_3 = true,
		.protocol = "mqtt",
	};
	struct tls *tls = tls_new(&options, "test");
	SSL_CTX *context = client_context();
	struct meeting m;

	(void)state;
	m = meet(tls, context, NULL, NULL);
	assert_true(m.done);
	part(&m);
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	m = meet(tls, context, NULL, NULL);
	assert_false(m.done);
	part(&m);
	SSL_SESSION_free(kept);
	kept = NULL;
	SSL_CTX_free(context);
	tls_free(tls);
}

static struct tls *mutual(void)
{
	const struct tls_options options = {
		.certificate = path_of("first", "crt"),
		.key = path_of("first", "key"),
		.client_ca = path_of("client", "crt"),
		.protocol = "mqtt",
	};

	return tls_new(&options, "test");
}

/* Also after it was resumed, when no certificate is shown again. */
static void test_a_certificate_names_its_user(void **state)
{
	static const struct {
		enum tls_user where;
		const char *user;
	} users[] = {
		{ TLS_USER_YES, "kitchen" },
		{ TLS_USER_CN, "kitchen" },
		{ TLS_USER_SAN_DNS, "dev.example" },
		{ TLS_USER_SAN_EMAIL, "a@b.example" },
		{ TLS_USER_SAN_URI, "urn:dev:1" },
	};
	struct tls *tls = mutual();
	SSL_CTX *context = client_context();
	struct meeting m;
	char name[65];

	(void)state;
	assert_int_equal(SSL_CTX_use_certificate_file(context,
						      path_of("client", "crt"),
						      SSL_FILETYPE_PEM),
			 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(context,
						     path_of("client", "key"),
						     SSL_FILETYPE_PEM),
			 1);
	for (int again = 0; again < 2; again++) {
		m = meet(tls, context, NULL, again ? kept : NULL);
		assert_true(m.done);
		assert_int_equal(SSL_session_reused(m.server), again);
		for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
			assert_true(tls_client_name(m.server, users[i].where,
						    name, sizeof(name)));
			assert_string_equal(name, users[i].user);
		}
		assert_false(tls_client_name(m.server, TLS_USER_NO, name,
					     sizeof(name)));
		/* As long as the room for it, without the NUL. */
		assert_false(tls_client_name(m.server, TLS_USER_CN, name, 7));
		assert_true(tls_client_name(m.server, TLS_USER_CN, name, 8));
		part(&m);
	}
	SSL_SESSION_free(kept);
	kept = NULL;
	SSL_CTX_free(context);
	tls_free(tls);
}

/* Who has no name of the kind is nobody. */
static void test_what_is_not_in_it_is_no_user(void **state)
{
	struct tls *tls;
	SSL_CTX *context = client_context();
	struct meeting m;
	char name[65];

	(void)state;
	make("client", "kitchen", NULL, false);
	tls = mutual();
	SSL_CTX_use_certificate_file(context, path_of("client", "crt"),
				     SSL_FILETYPE_PEM);
	SSL_CTX_use_PrivateKey_file(context, path_of("client", "key"),
				    SSL_FILETYPE_PEM);
	m = meet(tls, context, NULL, NULL);
	assert_true(m.done);
	assert_false(tls_client_name(m.server, TLS_USER_SAN_DNS, name,
				     sizeof(name)));
	assert_true(tls_client_name(m.server, TLS_USER_CN, name, sizeof(name)));
	part(&m);
	SSL_SESSION_free(kept);
	kept = NULL;
	SSL_CTX_free(context);
	tls_free(tls);
}

static void test_a_wrong_further_certificate_is_refused(void **state)
{
	char pair[160];
	const char *const sni[] = { pair };
	const struct tls_options options = {
		.certificate = path_of("first", "crt"),
		.key = path_of("first", "key"),
		.sni = sni,
		.sni_count = 1,
		.protocol = "mqtt",
	};

	(void)state;
	snprintf(pair, sizeof(pair), "%s %s", path_of("second", "crt"),
		 path_of("third", "key"));
	assert_null(tls_new(&options, "test"));
	snprintf(pair, sizeof(pair), "%s %s", path_of("none", "crt"),
		 path_of("second", "key"));
	assert_null(tls_new(&options, "test"));
}

static void test_every_allocation_may_fail(void **state)
{
	struct tls *tls;
	unsigned int n = 0;

	(void)state;
	do {
		failing_malloc_arm(n++);
		tls = several();
		if (!failing_malloc_disarm())
			break;
		tls_free(tls);
	} while (n < 10000);
	assert_non_null(tls);
	assert_true(n > 2 && n < 10000);
	tls_free(tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_the_name_wished_for_chooses_the_certificate),
		cmocka_unit_test(test_a_session_is_resumed),
		cmocka_unit_test(test_the_least_version_is_kept),
		cmocka_unit_test(test_a_certificate_names_its_user),
		cmocka_unit_test(test_what_is_not_in_it_is_no_user),
		cmocka_unit_test(test_a_wrong_further_certificate_is_refused),
		cmocka_unit_test(test_every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
