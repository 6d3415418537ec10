/* MQTT in WebSocket frames (6), from the first frame on: the handshake is tried
 * in tests/wire/test_websocket.c. */
#include "tests/conformance/dialogue.h"

#include <sys/socket.h>
#include <unistd.h>

#define BINARY 0x2
#define TEXT 0x1
#define CONTINUATION 0x0
#define FIN 0x80

static const uint8_t hello[] = "\x10\x0d\0\4MQTT\4\2\0\0\0\1a\xc0\0";
static const uint8_t answer[] = "\x20\2\0\0\xd0\0";

struct browser {
	struct broker *broker;
	int fd;
};

static struct browser browser_open(struct broker *broker)
{
	struct connection_options options = {
		.address = "test:1",
		.websocket = true,
	};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, ends),
			 0);
	options.fd = ends[0];
	assert_non_null(connection_new(broker, &options));
	return (struct browser){ .broker = broker, .fd = ends[1] };
}

static void browser_close(struct browser *b)
{
	close(b->fd);
	sim_run(b->broker);
}

/* A masked frame of at most 125 bytes. */
static void send_frame(struct browser *b, uint8_t first, const uint8_t *data,
		       size_t len)
{
	static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };
	uint8_t frame[6 + 125] = { first, (uint8_t)(0x80 | len) };

	assert_in_range(len, 0, 125);
	memcpy(frame + 2, mask, 4);
	for (size_t i = 0; i < len; i++)
		frame[6 + i] = data[i] ^ mask[i % 4];
	assert_int_equal(send(b->fd, frame, 6 + len, MSG_NOSIGNAL), 6 + len);
	sim_run(b->broker);
}

/* The payload of all frames, which must be whole and binary: its length. */
static size_t receive(struct browser *b, uint8_t *out, size_t size)
{
	uint8_t in[256];
	ssize_t n = recv(b->fd, in, sizeof(in), 0);
	size_t len = 0;

	for (ssize_t at = 0; at < n;) {
		const size_t part = in[at + 1];

		assert_int_equal(in[at], FIN | BINARY);
		assert_in_range(part, 0, 125); /* a server masks nothing */
		assert_in_range(len + part, 0, size);
		memcpy(out + len, in + at + 2, part);
		len += part;
		at += 2 + (ssize_t)part;
	}
	return len;
}

static void assert_answered(struct browser *b)
{
	uint8_t got[64];

	assert_int_equal(receive(b, got, sizeof(got)), sizeof(answer) - 1);
	assert_memory_equal(got, answer, sizeof(answer) - 1);
}

static void test_packets_come_as_frames_may_cut_them(void **state)
{
	const size_t len = sizeof(hello) - 1;

	/* Two packets in one frame; cut anywhere, as frames or fragments. */
	for (size_t cut = 0; cut <= len; cut++) {
		for (int fragments = 0; fragments <= 1; fragments++) {
			struct browser b = browser_open(*state);

			send_frame(&b, fragments ? BINARY : FIN | BINARY, hello,
				   cut);
			send_frame(&b,
				   FIN | (fragments ? CONTINUATION : BINARY),
				   hello + cut, len - cut);
			assert_answered(&b);
			browser_close(&b);
		}
	}
}

static void test_a_text_frame_ends_the_connection(void **state)
{
	struct browser b = browser_open(*state);
	uint8_t byte;

	send_frame(&b, FIN | BINARY, hello, sizeof(hello) - 1);
	assert_answered(&b);
	send_frame(&b, FIN | TEXT, (const uint8_t *)"\xc0\0", 2);
	assert_int_equal(recv(b.fd, &byte, 1, 0), 0);
	browser_close(&b);

	b = browser_open(*state);
	send_frame(&b, FIN | TEXT, hello, sizeof(hello) - 1);
	assert_int_equal(recv(b.fd, &byte, 1, 0), 0);
	browser_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_packets_come_as_frames_may_cut_them),
		DIALOGUE(test_a_text_frame_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
