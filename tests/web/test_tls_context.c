/* A TLS context is given back while sessions use it: when certificates are read
 * anew. */
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/tls.h"
#include "tests/failing_malloc.h"
#include "tests/web/certificate.h"

static const unsigned char offered[] = "\x04mqtt";

struct files {
	char dir[32];
	char *certificate;
	char *key;
};

static int setup(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-tls-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_true(asprintf(&f->certificate, "%s/c.pem", f->dir) > 0);
	assert_true(asprintf(&f->key, "%s/k.pem", f->dir) > 0);
	certificate_make(f->certificate, f->key);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct files *f = *state;

	unlink(f->certificate);
	unlink(f->key);
	rmdir(f->dir);
	free(f->certificate);
	free(f->key);
	free(f);
	return 0;
}

static struct tls *make(const struct files *f)
{
	const struct tls_options options = {
		.certificate = f->certificate,
		.key = f->key,
		.protocol = "mqtt",
	};

	return tls_new(&options, "test");
}

/* The handshake comes to its end, with the protocol agreed on by name. */
static void test_a_session_keeps_what_it_needs_of_it(void **state)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	struct tls *tls = make(*state);
	const unsigned char *protocol;
	SSL *server, *client;
	unsigned int len;
	int ends[2];

	assert_non_null(tls);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	server = tls_accept(tls, ends[0]);
	client = SSL_new(context);
	SSL_set_fd(client, ends[1]);
	assert_int_equal(
		SSL_set_alpn_protos(client, offered, sizeof(offered) - 1), 0);
	assert_true(SSL_connect(client) < 0); /* it has said hello */
	tls_free(tls);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(server);
		SSL_connect(client);
	}
	assert_true(SSL_is_init_finished(server) &&
		    SSL_is_init_finished(client));
	SSL_get0_alpn_selected(client, &protocol, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(protocol, "mqtt", 4);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(context);
	close(ends[0]);
	close(ends[1]);
}

static void test_without_memory_there_is_none(void **state)
{
	failing_malloc_arm(0);
	assert_null(make(*state));
	assert_true(failing_malloc_disarm());
	tls_free(NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_session_keeps_what_it_needs_of_it),
		T(test_without_memory_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
