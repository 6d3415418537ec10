/* HTTPS and MQTT over secure WebSocket, on a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include <cmocka.h>

#include "tests/web/hub.h"
#include "web/limits.h"

static int setup(void **state)
{
	*state = hub_start(HUB_TLS);
	return 0;
}

static int teardown(void **state)
{
	hub_stop(*state);
	return 0;
}

#define UPGRADE                                           \
	"Upgrade: websocket\r\nConnection: Upgrade\r\n"   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Version: 13\r\n"                   \
	"Sec-WebSocket-Protocol: mqtt\r\n"

/* CONNECT of MQTT 3.1.1, clean, client "ws", no user name: in one masked frame
 * whose mask is 0. */
static const char connect_frame[] = "\x82\x90\0\0\0\0"
				    "\x10\x0e\0\4MQTT\4\2\0\x3c\0\2ws";

/* literal, with its NULs. */
#define TEXT(literal) literal, sizeof(literal) - 1

#define STATUS "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"

struct secure {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

static struct secure secure_connect(const struct hub *hub)
{
	struct secure s = { .fd = hub_connect(hub->tls_port) };

	s.context = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_load_verify_locations(
				 s.context, hub_path(hub, "cert.pem"), NULL),
			 1);
	SSL_CTX_set_verify(s.context, SSL_VERIFY_PEER, NULL);
	s.ssl = SSL_new(s.context);
	SSL_set_fd(s.ssl, s.fd);
	assert_int_equal(SSL_connect(s.ssl), 1);
	return s;
}

static void secure_close(struct secure *s)
{
	SSL_free(s->ssl);
	SSL_CTX_free(s->context);
	close(s->fd);
}

/* Reads until text was seen. */
static void secure_expect(struct secure *s, const char *text, size_t len,
			  char *data, size_t size)
{
	size_t have = 0;

	while (!memmem(data, have, text, len)) {
		int n = SSL_read(s->ssl, data + have, (int)(size - have));

		if (n <= 0)
			fail_msg("the peer closed after %.*s", (int)have, data);
		have += (size_t)n;
	}
	data[have < size ? have : size - 1] = '\0';
}

static void test_https(void **state)
{
	static const char body[] = "{\"user\":\"" HUB_ADMIN
				   "\",\"password\":\"" HUB_PASSWORD "\"}";
	struct secure s = secure_connect(*state);
	char text[1024], *data = malloc(65536);
	int len;

	assert_non_null(data);
	len = snprintf(text, sizeof(text),
		       "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n"
		       "Origin: https://localhost\r\n"
		       "Content-Type: application/json\r\n"
		       "Content-Length: %zu\r\n\r\n%s",
		       strlen(body), body);
	assert_int_equal(SSL_write(s.ssl, text, len), len);
	secure_expect(&s, TEXT("\"csrf\""), data, 65536);
	assert_memory_equal(data, "HTTP/1.1 200", 12);
	assert_non_null(strstr(data, "Set-Cookie: __Host-hearth_session="));
	assert_non_null(strstr(data, "; Secure"));
	/* The next one on the same connection, in two records. */
	assert_int_equal(SSL_write(s.ssl, TEXT("GET / HTTP/1.1\r\nHo")), 18);
	assert_int_equal(SSL_write(s.ssl, TEXT("st: localhost\r\n\r\n")), 17);
	secure_expect(&s, TEXT("</html>"), data, 65536);
	free(data);
	secure_close(&s);
}

static void test_mqtt_over_secure_websocket(void **state)
{
	struct secure s = secure_connect(*state);
	char text[1024], data[1024];
	size_t len;

	len = (size_t)snprintf(text, sizeof(text),
			       "GET /mqtt HTTP/1.1\r\nHost: localhost\r\n"
			       "%s\r\n",
			       UPGRADE);
	/* The first frame comes with the head. */
	memcpy(text + len, connect_frame, sizeof(connect_frame) - 1);
	len += sizeof(connect_frame) - 1;
	assert_int_equal(SSL_write(s.ssl, text, (int)len), len);
	secure_expect(&s, "\x82\x04\x20\x02\x00\x05", 6, data, sizeof(data));
	assert_memory_equal(data, "HTTP/1.1 101", 12);
	secure_close(&s);
}

static void test_plain_http_on_the_tls_port_is_told(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->tls_port);
	struct answer answer;

	hub_send(fd, TEXT(STATUS "\r\n"));
	answer = hub_read(fd);
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body, "HTTPS"));
	answer_free(&answer);
	close(fd);
}

static void test_a_slow_handshake_is_given_up(void **state)
{
	struct hub *hub = *state;
	int fd = hub_connect(hub->tls_port);
	struct secure s = secure_connect(hub);
	char byte;

	hub_send(fd, "\x16\x03\x01", 3);
	/* s has shaken hands, but says nothing. */
	hub_advance(hub, WEB_HANDSHAKE_MS + 1);
	assert_true(hub_closed(fd));
	assert_true(SSL_read(s.ssl, &byte, 1) <= 0);
	close(fd);
	secure_close(&s);
}

/* Peers that vanish in every state leave nothing behind. */
static void test_vanished_tls_peers_are_forgotten(void **state)
{
	struct hub *hub = *state;

	for (int i = 0; i < 3 * WEB_CONNECTIONS; i++) {
		struct secure s;
		int fd = hub_connect(hub->tls_port);

		hub_send(fd, "\x16\x03", (size_t)i % 3);
		close(fd);
		if (i % 16)
			continue;
		s = secure_connect(hub);
		assert_true(SSL_write(s.ssl, TEXT("GET / HTTP/1.1\r\nHost: "
						  "localhost\r\n\r\n")) > 0);
		secure_close(&s);
	}
	test_https(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_https),
		TEST(test_mqtt_over_secure_websocket),
		TEST(test_plain_http_on_the_tls_port_is_told),
		TEST(test_a_slow_handshake_is_given_up),
		TEST(test_vanished_tls_peers_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
