/* The WebSocket handshake: a head that is taken must be one by stricter, plainer
 * rules, and its answer must be whole. Input: bytes of a stream. */
#include "broker/wire/websocket.h"
#include "tests/fuzz/fuzz.h"

static bool inside(struct slice part, struct slice whole)
{
	return part.len == 0 ||
	       (part.data >= whole.data &&
		part.data + part.len <= whole.data + whole.len);
}

static void check_request(const struct websocket_request *request,
			  struct slice head)
{
	assert(inside(request->path, head) && inside(request->query, head));
	assert(inside(request->host, head) && inside(request->origin, head));
	assert(inside(request->cookie, head) && inside(request->key, head));
	assert(inside(request->version, head));
	assert(inside(request->protocol, head));
	assert(request->path.len > 0 && request->path.data[0] == '/');
	assert(!memchr(request->path.data, '?', request->path.len));
	assert(request->offers_mqtt == (request->protocol.len > 0));
}

static void check_answer(const uint8_t *answer, size_t len)
{
	assert(len <= WEBSOCKET_ANSWER_MAX);
	assert(websocket_head_end(answer, len) == len);
	assert(memcmp(answer, "HTTP/1.1 ", 9) == 0);
}

/* One line for each LF, one LF for each CR: nothing an other reader could
 * divide differently. */
static void check_lines(struct slice head)
{
	size_t i;

	for (i = 0; i < head.len; i++) {
		if (head.data[i] == '\r')
			assert(i + 1 < head.len && head.data[i + 1] == '\n');
		if (head.data[i] == '\n')
			assert(i > 0 && head.data[i - 1] == '\r');
		assert(head.data[i] != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_copy stream = fuzz_copy(data, size);
	size_t end = websocket_head_end(stream.memory, size);
	struct fuzz_copy head = fuzz_copy(data, end ? end : size);
	uint8_t answer[WEBSOCKET_ANSWER_MAX];
	struct websocket_request request;

	assert(end <= size);
	if (websocket_parse(head.bytes, &request) == 0) {
		int status = websocket_refusal(&request);

		assert(end != 0);
		check_lines(head.bytes);
		check_request(&request, head.bytes);
		check_answer(answer,
			     status ? websocket_refuse(status, answer)
				    : websocket_accept(&request, answer));
	}
	fuzz_copy_free(&head);
	fuzz_copy_free(&stream);
	return 0;
}
