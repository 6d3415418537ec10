/* TLS under a connection: what it holds back, what it writes in pieces, and that
 * one peer's trouble is not another's. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"

static SSL_CTX *server_context, *client_context;

static int make_contexts(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	(void)state;
	/* As hearthd does: OpenSSL writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	server_context = SSL_CTX_new(TLS_server_method());
	client_context = SSL_CTX_new(TLS_client_method());
	if (SSL_CTX_use_certificate(server_context, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(server_context, key) != 1)
		return -1;
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

static int drop_contexts(void **state)
{
	(void)state;
	SSL_CTX_free(server_context);
	SSL_CTX_free(client_context);
	return 0;
}

struct rig {
	struct sim_store *store;
	struct broker *broker;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	sim_clock_start();
	rig->store = sim_store_new();
	rig->broker = sim_broker(rig->store, NULL);
	*state = rig;
	return rig->broker ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_run(rig->broker);
	sim_check(rig->broker);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	free(rig);
	sim_clock_stop();
	return 0;
}

/* A client's end of TLS. */
struct secure {
	struct broker *broker;
	SSL *ssl;
	int fd;
};

/* The broker's end is handed over after the handshake, or before it. */
static struct secure open_as(struct broker *broker, bool handshake,
			     bool websocket)
{
	struct connection_options options = { .address = "tls:1",
					      .websocket = websocket };
	struct secure s = { .broker = broker };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, ends),
			 0);
	options.fd = ends[0];
	options.ssl = SSL_new(server_context);
	s.fd = ends[1];
	s.ssl = SSL_new(client_context);
	SSL_set_fd(options.ssl, ends[0]);
	SSL_set_fd(s.ssl, ends[1]);
	SSL_set_accept_state(options.ssl);
	SSL_set_connect_state(s.ssl);
	for (int i = 0; handshake && i < 20; i++) {
		SSL_do_handshake(s.ssl);
		SSL_do_handshake(options.ssl);
	}
	assert_int_equal(SSL_is_init_finished(options.ssl), handshake);
	ERR_clear_error();
	assert_non_null(connection_new(broker, &options));
	return s;
}

static struct secure secure_open(struct broker *broker, bool handshake)
{
	return open_as(broker, handshake, false);
}

static void secure_close(struct secure *s)
{
	SSL_free(s->ssl);
	close(s->fd);
	sim_run(s->broker);
}

static void secure_send(struct secure *s, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t n;

	for (int idle = 0; len > 0 && idle < 100; idle++) {
		ERR_clear_error();
		if (SSL_write_ex(s->ssl, at, len < 16000 ? len : 16000, &n) ==
		    1) {
			at += n;
			len -= n;
			idle = 0;
		}
		sim_run(s->broker);
	}
	assert_int_equal(len, 0);
}

/* Reads until len bytes are there or nothing comes any more. */
static size_t secure_read(struct secure *s, uint8_t *out, size_t len)
{
	size_t got = 0, n;

	for (int idle = 0; got < len && idle < 10; idle++) {
		ERR_clear_error();
		if (SSL_read_ex(s->ssl, out + got, len - got, &n) == 1) {
			got += n;
			idle = 0;
		}
		sim_run(s->broker);
	}
	return got;
}

static void connect_secure(struct secure *s, const char *id, bool clean)
{
	const struct mqtt_connect packet = sim_connect(MQTT_3_1_1, id, clean);
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof(bytes));

	connect_encode(&w, &packet);
	secure_send(s, bytes, w.len);
	assert_int_equal(secure_read(s, bytes, 4), 4);
	assert_memory_equal(bytes, "\x20\2\0\0", 4);
}

static void ping(struct secure *s)
{
	uint8_t answer[2];

	secure_send(s, "\xc0\0", 2);
	assert_int_equal(secure_read(s, answer, 2), 2);
	assert_memory_equal(answer, "\xd0\0", 2);
}

static void test_a_dialogue_over_tls(void **state)
{
	struct rig *rig = *state;
	struct secure s = secure_open(rig->broker, true);
	struct secure late = secure_open(rig->broker, false);

	connect_secure(&s, "a", true);
	ping(&s);
	/* The handshake may as well be the broker's. */
	for (int i = 0; i < 20; i++) {
		SSL_do_handshake(late.ssl);
		sim_run(rig->broker);
	}
	connect_secure(&late, "b", true);
	ping(&late);
	secure_close(&late);
	secure_close(&s);
	assert_int_equal(rig->broker->connection_count, 0);
}

static void test_large_messages_go_both_ways(void **state)
{
	static uint8_t packet[900000], got[900000];
	static const uint8_t topic[] = { 0, 1, 't' };
	struct rig *rig = *state;
	struct secure s = secure_open(rig->broker, true);
	const size_t len = sizeof(packet);

	for (size_t i = 0; i < len; i++)
		packet[i] = (uint8_t)(i % 251);
	memcpy(packet + framing_put_header(packet, 0x30, (uint32_t)len - 4),
	       topic, sizeof(topic));
	connect_secure(&s, "a", true);
	secure_send(&s, "\x82\6\0\1\0\1t\0", 8);
	assert_int_equal(secure_read(&s, got, 5), 5);
	secure_send(&s, packet, len);
	assert_int_equal(secure_read(&s, got, len), len);
	assert_memory_equal(got, packet, len);
	secure_close(&s);
}

/* A packet of less than 64 KiB in a frame, masked with a key of zero. */
static size_t put_frame(uint8_t *out, size_t size,
			const struct mqtt_publish *packet)
{
	const size_t len = publish_size(MQTT_3_1_1, packet);
	struct writer w = writer_of(out, size);

	writer_u8(&w, 0x82);
	writer_u8(&w, 0x80 | 126);
	writer_u16(&w, (uint16_t)len);
	writer_u32(&w, 0);
	publish_encode(&w, MQTT_3_1_1, packet);
	assert_false(w.overflow);
	return w.len;
}

/* While the store is behind nothing is read. What TLS had taken from the socket
 * by then is read later without a further byte from the peer: of five records
 * a read of a WebSocket takes four and the front of the fifth. */
static void test_what_tls_held_back_is_read_when_it_goes_on(void **state)
{
	static const uint8_t hello[] = "\x82\x8f\0\0\0\0"
				       "\x10\x0d\0\4MQTT\4\0\0\0\0\1a";
	static uint8_t bytes[80000], payload[3900];
	struct rig *rig = *state;
	struct secure s = open_as(rig->broker, true, true);
	struct mqtt_publish packet = {
		.topic = slice_str("t"),
		.payload = slice_of(payload, sizeof(payload)),
		.qos = 2,
	};
	uint8_t acks[20 * 6];
	size_t len = 0, got = 0, n;

	secure_send(&s, hello, sizeof(hello) - 1);
	assert_int_equal(secure_read(&s, acks, 6), 6);
	for (packet.packet_id = 1; packet.packet_id <= 20; packet.packet_id++)
		len += put_frame(bytes + len, sizeof(bytes) - len, &packet);
	assert_in_range(len, 65536 + 1, 5 * 16000);
	sim_store_set_auto(rig->store, false);
	sim_store_set_congested(rig->store, true);
	for (size_t at = 0; at < len; at += n)
		assert_int_equal(
			SSL_write_ex(s.ssl, bytes + at,
				     len - at < 16000 ? len - at : 16000, &n),
			1);
	sim_run(rig->broker);
	sim_store_set_congested(rig->store, false);
	for (int i = 0; i < 50 && got < sizeof(acks); i++) {
		sim_run(rig->broker);
		sim_store_commit(rig->store);
		got += secure_read(&s, acks + got, sizeof(acks) - got);
	}
	assert_int_equal(got, sizeof(acks));
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(acks[6 * i + 5], i + 1);
	sim_store_set_auto(rig->store, true);
	secure_close(&s);
}

/* One that never finishes its handshake leaves an error in the thread's queue
 * when it is shut down. */
static void test_one_peers_trouble_is_not_anothers(void **state)
{
	struct rig *rig = *state;
	struct secure good = secure_open(rig->broker, true);
	struct secure noise, silent, torn;

	connect_secure(&good, "good", true);
	noise = secure_open(rig->broker, false);
	assert_int_equal(send(noise.fd, "\x10\x0d\0\4MQTT\4\2\0\0\0\1a", 15, 0),
			 15);
	sim_run(rig->broker);
	ping(&good);
	silent = secure_open(rig->broker, false);
	torn = secure_open(rig->broker, true);
	sim_clock_advance(rig->broker, LIMIT_CONNECT_TIME + 100);
	ping(&good);
	assert_int_equal(send(torn.fd, "\x17\3\3\0\x20garbage", 12, 0), 12);
	sim_run(rig->broker);
	ping(&good);
	secure_close(&noise);
	secure_close(&silent);
	secure_close(&torn);
	ping(&good);
	assert_int_equal(rig->broker->connection_count, 1);
	/* Whatever else has left an error behind on this thread. */
	ERR_raise(ERR_LIB_SSL, SSL_R_UNINITIALIZED);
	sim_run(rig->broker);
	assert_int_equal(SSL_write(good.ssl, "\xc0", 1), 1);
	ERR_raise(ERR_LIB_SSL, SSL_R_UNINITIALIZED);
	sim_run(rig->broker);
	ERR_clear_error();
	assert_int_equal(SSL_write(good.ssl, "\0", 1), 1);
	ERR_raise(ERR_LIB_SSL, SSL_R_UNINITIALIZED);
	sim_run(rig->broker);
	assert_int_equal(rig->broker->connection_count, 1);
	secure_close(&good);
}

/* Data and close_notify in one go: both are seen without the socket's end. */
static void test_an_end_right_behind_data_is_seen(void **state)
{
	struct rig *rig = *state;
	struct secure s = secure_open(rig->broker, true);

	connect_secure(&s, "a", true);
	assert_int_equal(SSL_write(s.ssl, "\xc0\0", 2), 2);
	SSL_shutdown(s.ssl);
	sim_run(rig->broker);
	assert_int_equal(rig->broker->session_count, 0);
	secure_close(&s);
	assert_int_equal(rig->broker->connection_count, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_dialogue_over_tls),
		T(test_large_messages_go_both_ways),
		T(test_what_tls_held_back_is_read_when_it_goes_on),
		T(test_one_peers_trouble_is_not_anothers),
		T(test_an_end_right_behind_data_is_seen),
	};

	return cmocka_run_group_tests(tests, make_contexts, drop_contexts);
}
