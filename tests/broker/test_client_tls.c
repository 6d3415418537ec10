/* Whom a client speaks to by TLS, and whom not. The server is OpenSSL's, on the
 * same thread. */
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/base/loop.h"
#include "broker/client/client.h"
#include "broker/client/client_tls.h"
#include "tests/broker/pki.h"
#include "tests/failing_malloc.h"

/* However busy the machine: longer than this is a failure. */
#define DEADLINE_MS 30000

/* More than OpenSSL holds and the loop reads at once. */
#define PAYLOAD 300000u

#define HOUR 3600L

struct rig {
	struct loop *loop;
	struct client *client;
	struct client_tls *tls;
	SSL_CTX *context;
	int listener;
	uint16_t port;
	SSL *peer; /* NULL: nobody has come */

	unsigned int connected;
	unsigned int failed;
	unsigned int lost;
	unsigned int messages;
	size_t bytes;
	char why[192];
};

static void on_connected(void *arg, bool session_present)
{
	struct rig *rig = arg;

	(void)session_present;
	rig->connected++;
}

static void on_disconnected(void *arg, bool was_connected, const char *why)
{
	struct rig *rig = arg;

	if (was_connected)
		rig->lost++;
	else
		rig->failed++;
	(void)snprintf(rig->why, sizeof(rig->why), "%s", why);
}

static void on_message(void *arg, const struct client_message *message)
{
	struct rig *rig = arg;

	rig->messages++;
	rig->bytes += message->payload.len;
}

static const struct client_callbacks callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.message = on_message,
};

static int setup(void **state)
{
	static struct rig rig;
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	/* As hearth-gpiod does: OpenSSL writes without MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	rig = (struct rig){ .loop = loop_new() };
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rig.listener =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!rig.loop || rig.listener < 0 ||
	    bind(rig.listener, (struct sockaddr *)(void *)&in, sizeof(in)) ||
	    listen(rig.listener, 8) ||
	    getsockname(rig.listener, (struct sockaddr *)(void *)&in, &len))
		return -1;
	rig.port = ntohs(in.sin_port);
	*state = &rig;
	return 0;
}

static void drop_peer(struct rig *rig)
{
	if (!rig->peer)
		return;
	(void)close(SSL_get_fd(rig->peer));
	SSL_free(rig->peer);
	rig->peer = NULL;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	client_free(rig->client);
	client_tls_free(rig->tls);
	drop_peer(rig);
	SSL_CTX_free(rig->context);
	(void)close(rig->listener);
	loop_free(rig->loop);
	return 0;
}

static void serve_as(struct rig *rig, const struct pki *pki)
{
	rig->context = SSL_CTX_new(TLS_server_method());
	assert_non_null(rig->context);
	assert_int_equal(
		SSL_CTX_use_certificate(rig->context, pki->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(rig->context, pki->key), 1);
}

static void make_client(struct rig *rig, const char *host, const char *pem,
			const char *name)
{
	const struct client_tls_options tls = {
		.pem = pem,
		.pem_len = strlen(pem),
		.name = name,
	};
	char address[80];
	const struct client_options options = {
		.address = address,
		.version = MQTT_3_1_1,
		.client_id = "c",
		.clean_start = true,
		.retry_min_ms = 1,
		.retry_max_ms = 20,
		.tls = NULL,
	};
	struct client_options o = options;

	(void)snprintf(address, sizeof(address), "mqtts://%s:%u", host,
		       rig->port);
	assert_int_equal(client_tls_new(&tls, &rig->tls), 0);
	o.tls = rig->tls;
	assert_int_equal(
		client_new(rig->loop, &o, &callbacks, rig, &rig->client), 0);
	client_start(rig->client);
}

/* One turn of both sides. */
static void turn(struct rig *rig)
{
	uint8_t bytes[256];
	int fd;

	assert_int_equal(loop_turn(rig->loop, 5), 0);
	fd = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		drop_peer(rig);
		rig->peer = SSL_new(rig->context);
		assert_non_null(rig->peer);
		assert_int_equal(SSL_set_fd(rig->peer, fd), 1);
		SSL_set_accept_state(rig->peer);
	}
	/* CONNECT is short, and one record. */
	if (rig->peer && SSL_read(rig->peer, bytes, sizeof(bytes)) > 0 &&
	    bytes[0] == 0x10)
		assert_int_equal(SSL_write(rig->peer, "\x20\x02\x00\x00", 4),
				 4);
}

static void until(struct rig *rig, const unsigned int *counter, unsigned int n)
{
	const uint64_t end = clock_ms() + DEADLINE_MS;

	while (*counter < n) {
		if (clock_ms() >= end)
			fail_msg("%u failed: %s", rig->failed, rig->why);
		turn(rig);
	}
}

enum pinned { CA, OTHER_CA, ITSELF, OTHER };

struct example {
	const char *names; /* in the certificate */
	const char *host;
	const char *name; /* that it must have; NULL: the host */
	long begin, end;
	enum pinned pinned;
	const char *why; /* NULL: it is believed */
};

#define GOOD -HOUR, HOUR

static const struct example examples[] = {
	{ "IP:127.0.0.1", "127.0.0.1", NULL, GOOD, CA, NULL },
	{ "DNS:localhost", "localhost", NULL, GOOD, CA, NULL },
	{ "DNS:hub.local", "127.0.0.1", "hub.local", GOOD, CA, NULL },
	{ "DNS:*.home.net", "127.0.0.1", "a.home.net", GOOD, CA, NULL },
	{ NULL, "127.0.0.1", NULL, GOOD, ITSELF, NULL },
	{ "DNS:other.local", "127.0.0.1", NULL, GOOD, ITSELF, NULL },
	{ "IP:127.0.0.1", "127.0.0.1", NULL, GOOD, OTHER_CA, "issuer" },
	{ "IP:127.0.0.1", "127.0.0.1", NULL, GOOD, OTHER, "issuer" },
	{ "IP:127.0.0.2", "127.0.0.1", NULL, GOOD, CA, "IP address" },
	{ NULL, "127.0.0.1", NULL, GOOD, CA, "IP address" },
	{ "DNS:127.0.0.1", "127.0.0.1", NULL, GOOD, CA, "IP address" },
	{ "DNS:hub.local", "localhost", NULL, GOOD, CA, "hostname" },
	{ "DNS:localhost", "localhost", "hub.local", GOOD, CA, "hostname" },
	{ "DNS:h*b.local", "127.0.0.1", "hub.local", GOOD, CA, "hostname" },
	{ "IP:127.0.0.1", "127.0.0.1", NULL, -2 * HOUR, -HOUR, CA, "expired" },
	{ "IP:127.0.0.1", "127.0.0.1", NULL, HOUR, 2 * HOUR, CA, "not yet" },
	{ NULL, "127.0.0.1", NULL, -2 * HOUR, -HOUR, ITSELF, "expired" },
};

static void try_example(struct rig *rig, const struct example *e)
{
	struct pki ca, other_ca, hub, other;
	const char *pem;

	pki_make_ca(&ca, "the house");
	/* Of the same name, so that only its key tells it apart. */
	pki_make_ca(&other_ca, "the house");
	pki_make(&hub, &ca, e->names, e->begin, e->end);
	pki_make(&other, &ca, e->names, e->begin, e->end);
	pem = e->pinned == CA	    ? ca.pem
	      : e->pinned == ITSELF ? hub.pem
	      : e->pinned == OTHER  ? other.pem
				    : other_ca.pem;
	serve_as(rig, &hub);
	make_client(rig, e->host, pem, e->name);
	until(rig, e->why ? &rig->failed : &rig->connected, e->why ? 2 : 1);
	if (e->why) {
		assert_int_equal(rig->connected, 0);
		if (!strstr(rig->why, e->why) &&
		    !(strcmp(e->why, "issuer") == 0 &&
		      strstr(rig->why, "signature")))
			fail_msg("%s", rig->why);
	}
	pki_free(&ca);
	pki_free(&other_ca);
	pki_free(&hub);
	pki_free(&other);
}

static void test_only_the_right_one_is_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		void *rig = NULL;

		assert_int_equal(setup(&rig), 0);
		try_example(rig, &examples[i]);
		assert_int_equal(teardown(&rig), 0);
	}
}

/* A message of many records, of which TLS holds some back: none stays there. */
static void test_a_large_message_comes_whole(void **state)
{
	static uint8_t message[PAYLOAD + 7];
	struct rig *rig = *state;
	const uint64_t end = clock_ms() + DEADLINE_MS;
	struct pki ca, hub;
	size_t sent = 0;

	pki_make_ca(&ca, "the house");
	pki_make(&hub, &ca, "IP:127.0.0.1", -HOUR, HOUR);
	serve_as(rig, &hub);
	make_client(rig, "127.0.0.1", ca.pem, NULL);
	until(rig, &rig->connected, 1);

	/* PUBLISH, its length (PAYLOAD + 3) in three bytes, topic "t". */
	message[0] = 0x30;
	message[1] = (uint8_t)(((PAYLOAD + 3) & 127) | 128);
	message[2] = (uint8_t)(((PAYLOAD + 3) >> 7 & 127) | 128);
	message[3] = (uint8_t)((PAYLOAD + 3) >> 14);
	message[5] = 1;
	message[6] = 't';
	SSL_set_mode(rig->peer, SSL_MODE_ENABLE_PARTIAL_WRITE |
					SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	while (rig->messages == 0) {
		size_t n;

		assert_true(clock_ms() < end);
		if (sent < sizeof(message) &&
		    SSL_write_ex(rig->peer, message + sent,
				 sizeof(message) - sent, &n) == 1)
			sent += n;
		assert_int_equal(loop_turn(rig->loop, 1), 0);
	}
	assert_int_equal(rig->bytes, PAYLOAD);
	assert_int_equal(rig->lost, 0);
	pki_free(&ca);
	pki_free(&hub);
}

static unsigned int reads;

int __real_SSL_read_ex(SSL *ssl, void *bytes, size_t size, size_t *len);
int __wrap_SSL_read_ex(SSL *ssl, void *bytes, size_t size, size_t *len);

int __wrap_SSL_read_ex(SSL *ssl, void *bytes, size_t size, size_t *len)
{
	reads++;
	return __real_SSL_read_ex(ssl, bytes, size, len);
}

/* The rest of a record may be a long time coming. */
static void test_half_a_record_is_waited_for_asleep(void **state)
{
	static const char half[] = "\x17\x03\x03\x01\x00half";
	struct rig *rig = *state;
	const uint64_t end = clock_ms() + DEADLINE_MS;
	struct pki ca, hub;

	pki_make_ca(&ca, "the house");
	pki_make(&hub, &ca, "IP:127.0.0.1", -HOUR, HOUR);
	serve_as(rig, &hub);
	make_client(rig, "127.0.0.1", ca.pem, NULL);
	until(rig, &rig->connected, 1);
	reads = 0;
	assert_int_equal(send(SSL_get_fd(rig->peer), half, sizeof(half) - 1,
			      MSG_NOSIGNAL),
			 sizeof(half) - 1);
	while (reads == 0) {
		assert_true(clock_ms() < end);
		assert_int_equal(loop_turn(rig->loop, 1), 0);
	}
	for (int i = 0; i < 50; i++)
		assert_int_equal(loop_turn(rig->loop, 0), 0);
	/* It may have come in two pieces. */
	assert_in_range(reads, 1, 5);
	assert_int_equal(rig->lost, 0);
	pki_free(&ca);
	pki_free(&hub);
}

/* Nobody says anything: the loop goes on turning meanwhile. */
static void test_a_handshake_that_hangs_holds_nothing_up(void **state)
{
	struct rig *rig = *state;
	struct pki ca;
	uint8_t hello[16];
	int fd = -1;
	ssize_t n = 0;

	pki_make_ca(&ca, "the house");
	make_client(rig, "127.0.0.1", ca.pem, NULL);
	for (uint64_t end = clock_ms() + DEADLINE_MS; n <= 0;) {
		assert_true(clock_ms() < end);
		/* Returns, whatever the other side does not do. */
		assert_int_equal(loop_turn(rig->loop, 1), 0);
		if (fd < 0)
			fd = accept4(rig->listener, NULL, NULL,
				     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			n = recv(fd, hello, sizeof(hello), 0);
	}
	/* A handshake, and not the CONNECT with a password in it. */
	assert_int_equal(hello[0], 0x16);
	assert_int_equal(rig->connected, 0);
	assert_int_equal(client_publish(rig->client, slice_str("a"),
					slice_str("b"), 1, false, 1),
			 0);
	assert_int_equal(loop_turn(rig->loop, 0), 0);
	client_stop(rig->client);
	(void)close(fd);
	pki_free(&ca);
}

static void test_a_server_without_tls_is_not_spoken_to(void **state)
{
	struct rig *rig = *state;
	struct pki ca;
	int fd = -1;

	pki_make_ca(&ca, "the house");
	make_client(rig, "127.0.0.1", ca.pem, NULL);
	for (uint64_t end = clock_ms() + DEADLINE_MS; rig->failed == 0;) {
		assert_true(clock_ms() < end);
		assert_int_equal(loop_turn(rig->loop, 1), 0);
		if (fd < 0)
			fd = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);
		else
			(void)send(fd, "\x20\x02\x00\x00", 4, MSG_NOSIGNAL);
	}
	assert_int_equal(rig->connected, 0);
	assert_non_null(strstr(rig->why, "TLS"));
	(void)close(fd);
	pki_free(&ca);
}

static void append(char *to, size_t size, const char *text)
{
	const size_t len = strlen(to);

	(void)snprintf(to + len, size - len, "%s", text);
}

static void test_pins_that_cannot_be_read_are_none(void **state)
{
	static char many[CLIENT_TLS_PEM_MAX + 2];
	struct client_tls_options options = { .pem = many };
	struct client_tls *tls;
	struct pki ca;

	(void)state;
	pki_make_ca(&ca, "the house");
	assert_int_equal(client_tls_new(&options, &tls), -EINVAL);
	options.pem = "-----BEGIN CERTIFICATE-----\nAAAA\n"
		      "-----END CERTIFICATE-----\n";
	options.pem_len = strlen(options.pem);
	assert_int_equal(client_tls_new(&options, &tls), -EINVAL);

	/* A good one in front of it changes nothing. */
	(void)snprintf(many, sizeof(many), "%s%s", ca.pem, options.pem);
	options.pem = many;
	options.pem_len = strlen(many);
	assert_int_equal(client_tls_new(&options, &tls), -EINVAL);
	/* Cut off in the middle. */
	options.pem_len = strlen(ca.pem) / 2;
	assert_int_equal(client_tls_new(&options, &tls), -EINVAL);

	many[0] = '\0';
	for (size_t i = 0; i < CLIENT_TLS_PINS_MAX; i++) {
		struct pki one;

		pki_make_ca(&one, "another");
		append(many, sizeof(many), one.pem);
		pki_free(&one);
	}
	options.pem_len = strlen(many);
	assert_int_equal(client_tls_new(&options, &tls), 0);
	client_tls_free(tls);
	append(many, sizeof(many), ca.pem);
	options.pem_len = strlen(many);
	assert_int_equal(client_tls_new(&options, &tls), -EINVAL);
	memset(many, '\n', sizeof(many));
	options.pem_len = CLIENT_TLS_PEM_MAX + 1;
	assert_int_equal(client_tls_new(&options, &tls), -EINVAL);
	pki_free(&ca);
	client_tls_free(NULL);
}

static void test_tls_without_knowing_whom_to_believe_is_refused(void **state)
{
	struct rig *rig = *state;
	const struct client_options options = {
		.address = "mqtts://127.0.0.1:1",
		.version = MQTT_5_0,
		.client_id = "c",
	};

	assert_int_equal(
		client_new(rig->loop, &options, &callbacks, rig, &rig->client),
		-EINVAL);
}

/* Ours; OpenSSL's own, too, where they go through the same functions. */
static void test_new_survives_allocation_failure(void **state)
{
	struct client_tls_options options = { .name = "hub.local" };
	struct client_tls *tls = NULL;
	struct pki ca;
	unsigned int n = 0;
	int r;

	(void)state;
	pki_make_ca(&ca, "the house");
	options.pem = ca.pem;
	options.pem_len = strlen(ca.pem);
	for (;;) {
		failing_malloc_arm(n++);
		r = client_tls_new(&options, &tls);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_true(n >= 2);
	client_tls_free(tls);
	pki_free(&ca);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_right_one_is_believed),
		TEST(test_a_large_message_comes_whole),
		TEST(test_half_a_record_is_waited_for_asleep),
		TEST(test_a_handshake_that_hangs_holds_nothing_up),
		TEST(test_a_server_without_tls_is_not_spoken_to),
		cmocka_unit_test(test_pins_that_cannot_be_read_are_none),
		TEST(test_tls_without_knowing_whom_to_believe_is_refused),
		cmocka_unit_test(test_new_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
