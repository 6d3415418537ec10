#include "broker/wire/websocket.h"

#include <errno.h>

#include "broker/wire/writer.h"
#include "tests/wire/bytes.h"

/* RFC 6455, section 1.3, with our subprotocol. */
#define UPGRADE                                           \
	"Host: server.example.com\r\n"                    \
	"Upgrade: websocket\r\n"                          \
	"Connection: Upgrade\r\n"                         \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Origin: http://example.com\r\n"                  \
	"Sec-WebSocket-Version: 13\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: mqtt\r\n"
#define GET "GET /mqtt HTTP/1.1\r\n"
#define END "\r\n"

static int parse(const char *head, size_t len, struct websocket_request *out)
{
	return websocket_parse(slice_of(head, len), out);
}

#define PARSE(literal, out) parse(literal, sizeof(literal) - 1, out)

static void test_the_rfcs_example_is_accepted(void **state)
{
	struct websocket_request request;
	uint8_t out[WEBSOCKET_ANSWER_MAX];
	size_t len;

	(void)state;
	assert_int_equal(PARSE(GET UPGRADE PROTOCOL END, &request), 0);
	assert_true(request.upgrade);
	assert_true(request.offers_mqtt);
	assert_false(request.has_body);
	assert_slice(request.path, TEXT("/mqtt"));
	assert_int_equal(request.query.len, 0);
	assert_slice(request.host, TEXT("server.example.com"));
	assert_slice(request.origin, TEXT("http://example.com"));
	assert_slice(request.key, TEXT("dGhlIHNhbXBsZSBub25jZQ=="));
	assert_int_equal(request.cookie.len, 0);
	assert_int_equal(websocket_refusal(&request), 0);

	len = websocket_accept(&request, out);
	assert_slice(
		slice_of(out, len),
		TEXT("HTTP/1.1 101 Switching Protocols\r\n"
		     "Upgrade: websocket\r\n"
		     "Connection: Upgrade\r\n"
		     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		     "Sec-WebSocket-Protocol: mqtt\r\n"
		     "\r\n"));
}

/* What Firefox sends: two tokens in Connection, extensions, other case. */
static void test_a_browsers_head_is_understood(void **state)
{
	struct websocket_request request;

	(void)state;
	assert_int_equal(
		PARSE("GET /mqtt?x=1&y=/a HTTP/1.1\r\n"
		      "host:\t hearth.local:8443\t \t\r\n"
		      "User-Agent: Mozilla/5.0 (X11; Linux) \xe2\x98\x83\r\n"
		      "Sec-WebSocket-Version: 13\r\n"
		      "origin: https://hearth.local:8443\r\n"
		      "Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n"
		      "Sec-WebSocket-Extensions: permessage-deflate\r\n"
		      "SEC-WEBSOCKET-KEY: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
		      "Connection: keep-alive, uPGRADE\r\n"
		      "Cookie: session=abc; theme=dark\r\n"
		      "Upgrade: WebSocket\r\n"
		      "Empty:\r\n" END,
		      &request),
		0);
	assert_slice(request.path, TEXT("/mqtt"));
	assert_slice(request.query, TEXT("x=1&y=/a"));
	assert_slice(request.host, TEXT("hearth.local:8443"));
	assert_slice(request.cookie, TEXT("session=abc; theme=dark"));
	assert_slice(request.protocol, TEXT("mqtt"));
	assert_int_equal(websocket_refusal(&request), 0);
}

static void test_an_ordinary_request_is_parsed_without_upgrade(void **state)
{
	struct websocket_request request;

	(void)state;
	assert_int_equal(PARSE("GET / HTTP/1.1\r\nHost: a\r\n" END, &request),
			 0);
	assert_false(request.upgrade);
	assert_int_equal(websocket_refusal(&request), 426);
	assert_int_equal(PARSE("GET / HTTP/1.1\r\n" END, &request), 0);
	assert_int_equal(request.host.len, 0);
	/* One of the two headers is not enough. */
	assert_int_equal(PARSE(GET "Upgrade: websocket\r\n" END, &request), 0);
	assert_false(request.upgrade);
	assert_int_equal(PARSE(GET "Connection: upgrade\r\n" END, &request), 0);
	assert_false(request.upgrade);
	assert_int_equal(PARSE(GET
			       "Connection: upgrade\r\nUpgrade: h2c\r\n" END,
			       &request),
			 0);
	assert_false(request.upgrade);
}

static void test_requests_are_refused_with_their_status(void **state)
{
#define HOST "Host: a\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
	const struct {
		struct slice head;
		int status;
	} rows[] = {
		{ TEXT(GET HOST UP KEY VERSION PROTOCOL END), 0 },
		{ TEXT(GET UP KEY VERSION PROTOCOL END), 400 },
		{ TEXT(GET HOST KEY VERSION PROTOCOL END), 426 },
		{ TEXT(GET HOST UP VERSION PROTOCOL END), 400 },
		{ TEXT(GET HOST UP KEY PROTOCOL END), 400 },
		{ TEXT(GET HOST UP KEY VERSION END), 400 },
		{ TEXT(GET HOST UP KEY VERSION
		       "Sec-WebSocket-Protocol: chat, MQTT, mqttx\r\n" END),
		  400 },
		{ TEXT(GET HOST UP KEY VERSION
		       "Sec-WebSocket-Protocol: mqttv3.1\r\n" END),
		  0 },
		{ TEXT(GET HOST UP KEY VERSION
		       "Sec-WebSocket-Protocol: chat\r\n"
		       "Sec-WebSocket-Protocol: mqtt\r\n" END),
		  0 },
		{ TEXT(GET HOST UP KEY
		       "Sec-WebSocket-Version: 8\r\n" PROTOCOL END),
		  426 },
		{ TEXT(GET HOST UP KEY
		       "Sec-WebSocket-Version: 13, 8\r\n" PROTOCOL END),
		  426 },
		{ TEXT(GET HOST UP VERSION PROTOCOL
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n" END),
		  400 },
		{ TEXT(GET HOST UP VERSION PROTOCOL
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===\r\n" END),
		  400 },
		{ TEXT(GET HOST UP VERSION PROTOCOL
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ*==\r\n" END),
		  400 },
		{ TEXT(GET HOST UP VERSION PROTOCOL
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n" END),
		  400 },
		{ TEXT(GET HOST UP VERSION PROTOCOL
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=A\r\n" END),
		  400 },
		{ TEXT(GET HOST UP KEY VERSION PROTOCOL
		       "Content-Length: 0\r\n" END),
		  400 },
		{ TEXT(GET HOST UP KEY VERSION PROTOCOL
		       "Transfer-Encoding: chunked\r\n" END),
		  400 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct websocket_request request;
		int status;

		assert_int_equal(websocket_parse(rows[i].head, &request), 0);
		status = websocket_refusal(&request);
		if (status != rows[i].status)
			fail_msg("row %zu: %d", i, status);
	}
}

static void test_heads_that_could_mean_two_things_are_refused(void **state)
{
	const struct slice rows[] = {
		TEXT(""),
		TEXT("\r\n"),
		TEXT("\r\n\r\n"),
		TEXT("POST /mqtt HTTP/1.1\r\n" END),
		TEXT("get /mqtt HTTP/1.1\r\n" END),
		TEXT("GET /mqtt HTTP/1.0\r\n" END),
		TEXT("GET /mqtt HTTP/1.1 \r\n" END),
		TEXT("GET /mqtt  HTTP/1.1\r\n" END),
		TEXT("GET  /mqtt HTTP/1.1\r\n" END),
		TEXT("GET /mqtt\r\n" END),
		TEXT("GET\r\n" END),
		TEXT("GET mqtt HTTP/1.1\r\n" END),
		TEXT("GET http://a/mqtt HTTP/1.1\r\n" END),
		TEXT("GET /mq\ttt HTTP/1.1\r\n" END),
		TEXT("GET /mqtt#f HTTP/1.1\r\n" END),
		TEXT("GET /m\xc3\xbc HTTP/1.1\r\n" END),
		TEXT("GET /m\x7f HTTP/1.1\r\n" END),
		TEXT(GET "Host: a\rb\r\n" END), /* bare CR */
		TEXT(GET "Host: a\nEvil: b\r\n" END), /* bare LF */
		TEXT(GET "Host: a\r\n b\r\n" END), /* folded */
		TEXT(GET "Host: a\r\n\tb\r\n" END),
		TEXT(GET "Host: a\0b\r\n" END),
		TEXT(GET "Host: a\x7f\r\n" END),
		TEXT(GET "Host : a\r\n" END),
		TEXT(GET ": a\r\n" END),
		TEXT(GET "Host\r\n" END),
		TEXT(GET "Ho(st: a\r\n" END),
		TEXT(GET "Ho\x7fst: a\r\n" END),
		TEXT(GET "Host: a\r\nhOST: b\r\n" END),
		TEXT(GET "Host:\r\nHost: b\r\n" END),
		TEXT(GET "Origin: a\r\nOrigin: a\r\n" END),
		TEXT(GET "Cookie: a\r\nCookie: a\r\n" END),
		TEXT(GET "Upgrade: a\r\nUpgrade: websocket\r\n" END),
		TEXT(GET
		     "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b\r\n" END),
		TEXT(GET "Sec-WebSocket-Version: 13\r\n"
			 "Sec-WebSocket-Version: 13\r\n" END),
		TEXT(GET "Host: a\r\n"), /* no empty line */
		TEXT(GET "Host: a\r\n" END "more"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		uint8_t *copy = exact_copy(rows[i]);
		struct websocket_request request = { .upgrade = true };
		int r = websocket_parse(slice_of(copy, rows[i].len), &request);

		if (r != -EPROTO)
			fail_msg("row %zu: %d", i, r);
		assert_true(request.upgrade);
		free(copy);
	}
}

static void test_every_truncation_is_refused(void **state)
{
	const struct slice whole = TEXT(GET UPGRADE PROTOCOL END);
	size_t len;

	(void)state;
	for (len = 0; len < whole.len; len++) {
		uint8_t *copy = exact_copy(slice_of(whole.data, len));
		struct websocket_request request;

		assert_int_equal(websocket_head_end(copy, len), 0);
		assert_int_equal(websocket_parse(slice_of(copy, len), &request),
				 -EPROTO);
		free(copy);
	}
	assert_int_equal(websocket_head_end(whole.data, whole.len), whole.len);
}

static void test_the_heads_end_is_told_from_what_follows(void **state)
{
	const struct slice bytes =
		TEXT("GET / HTTP/1.1\r\n\r\n\x82\x80\r\n\r\n");

	(void)state;
	assert_int_equal(websocket_head_end(bytes.data, bytes.len), 18);
	assert_int_equal(websocket_head_end(NULL, 0), 0);
}

static int parse_of_size(size_t size)
{
	uint8_t *head = malloc(size);
	struct writer w = writer_of(head, size);
	struct websocket_request request;
	int r;

	assert_non_null(head);
	writer_bytes(&w, TEXT(GET "X: "));
	while (w.len < size - 4)
		writer_u8(&w, 'x');
	writer_bytes(&w, TEXT("\r\n\r\n"));
	assert_false(w.overflow);
	r = websocket_parse(slice_of(head, size), &request);
	free(head);
	return r;
}

static void test_a_head_larger_than_the_limit_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_of_size(WEBSOCKET_HEAD_MAX), 0);
	assert_int_equal(parse_of_size(WEBSOCKET_HEAD_MAX + 1), -EPROTO);
}

static void test_a_refusal_is_a_whole_answer(void **state)
{
	static const struct {
		int status;
		const char *answer;
	} rows[] = {
		{ 400, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
		       "Content-Length: 0\r\n\r\n" },
		{ 403, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"
		       "Content-Length: 0\r\n\r\n" },
		{ 404, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n"
		       "Content-Length: 0\r\n\r\n" },
		{ 426, "HTTP/1.1 426 Upgrade Required\r\n"
		       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		       "Connection: Upgrade, close\r\n"
		       "Content-Length: 0\r\n\r\n" },
		{ 503, "HTTP/1.1 503 Service Unavailable\r\n"
		       "Connection: close\r\nContent-Length: 0\r\n\r\n" },
		{ 777, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
		       "Content-Length: 0\r\n\r\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		uint8_t out[WEBSOCKET_ANSWER_MAX];
		size_t len = websocket_refuse(rows[i].status, out);

		assert_slice(slice_of(out, len), slice_str(rows[i].answer));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_rfcs_example_is_accepted),
		cmocka_unit_test(test_a_browsers_head_is_understood),
		cmocka_unit_test(
			test_an_ordinary_request_is_parsed_without_upgrade),
		cmocka_unit_test(test_requests_are_refused_with_their_status),
		cmocka_unit_test(
			test_heads_that_could_mean_two_things_are_refused),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_the_heads_end_is_told_from_what_follows),
		cmocka_unit_test(test_a_head_larger_than_the_limit_is_refused),
		cmocka_unit_test(test_a_refusal_is_a_whole_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
