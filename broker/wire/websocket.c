#include "broker/wire/websocket.h"

#include <assert.h>
#include <errno.h>
#include <strings.h>

#include "broker/wire/sha1.h"
#include "broker/wire/writer.h"

#define KEY_SIZE 24 /* 16 bytes in base64 */
#define ACCEPT_SIZE 28 /* 20 bytes in base64 */

/* RFC 6455, section 1.3. */
static const char accept_guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Headers that may stand once at most. */
enum single {
	SINGLE_HOST,
	SINGLE_ORIGIN,
	SINGLE_COOKIE,
	SINGLE_UPGRADE,
	SINGLE_KEY,
	SINGLE_VERSION,
	SINGLES,
};

static const char *const single_names[SINGLES] = {
	[SINGLE_HOST] = "Host",
	[SINGLE_ORIGIN] = "Origin",
	[SINGLE_COOKIE] = "Cookie",
	[SINGLE_UPGRADE] = "Upgrade",
	[SINGLE_KEY] = "Sec-WebSocket-Key",
	[SINGLE_VERSION] = "Sec-WebSocket-Version",
};

struct headers {
	struct slice single[SINGLES];
	bool seen[SINGLES];
	bool connection_upgrade;
	bool has_body;
	struct slice protocol;
};

size_t websocket_head_end(const uint8_t *data, size_t len)
{
	const uint8_t *end = NULL;

	if (len > 0)
		end = memmem(data, len, "\r\n\r\n", 4);
	return end ? (size_t)(end - data) + 4 : 0;
}

/* ASCII letters in either case, as header names and tokens compare. */
static bool is_word(struct slice text, const char *word)
{
	return text.len == strlen(word) &&
	       strncasecmp((const char *)text.data, word, text.len) == 0;
}

static struct slice trimmed(struct slice text)
{
	while (text.len > 0 && (*text.data == ' ' || *text.data == '\t'))
		text = slice_of(text.data + 1, text.len - 1);
	while (text.len > 0 && (text.data[text.len - 1] == ' ' ||
				text.data[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* What stands before the next byte separator in rest; false at the end. */
static bool take_until(struct slice *rest, uint8_t separator,
		       struct slice *part)
{
	const uint8_t *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, separator, rest->len);
	if (!end) {
		*part = *rest;
		*rest = slice_of(NULL, 0);
		return true;
	}
	*part = slice_of(rest->data, (size_t)(end - rest->data));
	*rest = slice_of(end + 1, rest->len - part->len - 1);
	return true;
}

static bool list_holds(struct slice list, const char *word)
{
	struct slice item;

	while (take_until(&list, ',', &item)) {
		if (is_word(trimmed(item), word))
			return true;
	}
	return false;
}

/* "mqtt" is ours; "mqttv3.1" is what old clients offer and nothing else. */
static void note_protocols(struct headers *headers, struct slice list)
{
	struct slice item;

	while (take_until(&list, ',', &item)) {
		item = trimmed(item);
		if (slice_equal(item, slice_str("mqtt")) ||
		    (slice_equal(item, slice_str("mqttv3.1")) &&
		     headers->protocol.len == 0))
			headers->protocol = item;
	}
}

static bool is_token_byte(uint8_t byte)
{
	if (byte <= ' ' || byte >= 0x7f)
		return false;
	return !strchr("\"(),/:;<=>?@[\\]{}", byte);
}

static int take_header(struct headers *headers, struct slice line)
{
	struct slice name, value = line;
	unsigned int i;

	if (!take_until(&value, ':', &name) || name.len == 0 ||
	    name.len == line.len)
		return -EPROTO;
	/* Also refuses a folded line and a space before the colon. */
	for (i = 0; i < name.len; i++) {
		if (!is_token_byte(name.data[i]))
			return -EPROTO;
	}
	value = trimmed(value);

	for (i = 0; i < SINGLES; i++) {
		if (!is_word(name, single_names[i]))
			continue;
		if (headers->seen[i])
			return -EPROTO;
		headers->seen[i] = true;
		headers->single[i] = value;
		return 0;
	}
	if (is_word(name, "Connection"))
		headers->connection_upgrade |= list_holds(value, "upgrade");
	else if (is_word(name, "Sec-WebSocket-Protocol"))
		note_protocols(headers, value);
	else if (is_word(name, "Content-Length") ||
		 is_word(name, "Transfer-Encoding"))
		headers->has_body = true;
	return 0;
}

/* The bytes before the next CR LF. A CR or LF alone is a control character and
 * as such refused, as everything else that could mean two things. */
static bool take_line(struct slice *rest, struct slice *line)
{
	const uint8_t *end = memmem(rest->data, rest->len, "\r\n", 2);
	size_t i;

	if (!end)
		return false;
	*line = slice_of(rest->data, (size_t)(end - rest->data));
	*rest = slice_of(end + 2, rest->len - line->len - 2);
	for (i = 0; i < line->len; i++) {
		uint8_t byte = line->data[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return true;
}

static int take_request_line(struct slice line, struct websocket_request *out)
{
	struct slice method, target, path = { 0 };
	size_t i;

	if (!take_until(&line, ' ', &method) ||
	    !slice_equal(method, slice_str("GET")) ||
	    !take_until(&line, ' ', &target) ||
	    !slice_equal(line, slice_str("HTTP/1.1")))
		return -EPROTO;
	if (target.len == 0 || target.data[0] != '/')
		return -EPROTO;
	for (i = 0; i < target.len; i++) {
		if (target.data[i] <= ' ' || target.data[i] >= 0x7f ||
		    target.data[i] == '#')
			return -EPROTO;
	}
	take_until(&target, '?', &path);
	out->path = path;
	out->query = target;
	return 0;
}

int websocket_parse(struct slice head, struct websocket_request *out)
{
	struct headers headers = { 0 };
	struct websocket_request request = { 0 };
	struct slice line;

	if (head.len > WEBSOCKET_HEAD_MAX || !take_line(&head, &line) ||
	    take_request_line(line, &request))
		return -EPROTO;
	for (;;) {
		if (!take_line(&head, &line))
			return -EPROTO;
		if (line.len == 0)
			break;
		if (take_header(&headers, line))
			return -EPROTO;
	}
	if (head.len > 0)
		return -EPROTO;

	request.host = headers.single[SINGLE_HOST];
	request.origin = headers.single[SINGLE_ORIGIN];
	request.cookie = headers.single[SINGLE_COOKIE];
	request.key = headers.single[SINGLE_KEY];
	request.version = headers.single[SINGLE_VERSION];
	request.upgrade =
		headers.connection_upgrade &&
		list_holds(headers.single[SINGLE_UPGRADE], "websocket");
	request.has_body = headers.has_body;
	request.protocol = headers.protocol;
	request.offers_mqtt = headers.protocol.len > 0;
	*out = request;
	return 0;
}

static bool key_valid(struct slice key)
{
	size_t i;

	if (key.len != KEY_SIZE || key.data[KEY_SIZE - 1] != '=' ||
	    key.data[KEY_SIZE - 2] != '=')
		return false;
	for (i = 0; i < KEY_SIZE - 2; i++) {
		if (!memchr(base64_digits, key.data[i],
			    sizeof(base64_digits) - 1))
			return false;
	}
	return true;
}

int websocket_refusal(const struct websocket_request *request)
{
	if (!request->upgrade)
		return 426;
	if (request->host.len == 0 || request->has_body ||
	    request->version.len == 0 || !key_valid(request->key))
		return 400;
	if (!slice_equal(request->version, slice_str("13")))
		return 426;
	return request->offers_mqtt ? 0 : 400;
}

/* 20 bytes are six groups of three and one of two. */
static void base64_of_digest(const uint8_t digest[SHA1_SIZE],
			     uint8_t out[ACCEPT_SIZE])
{
	size_t i, at = 0;

	for (i = 0; i < SHA1_SIZE; i += 3) {
		uint32_t group = (uint32_t)digest[i] << 16 |
				 (uint32_t)digest[i + 1] << 8;

		if (i + 2 < SHA1_SIZE)
			group |= digest[i + 2];
		out[at++] = (uint8_t)base64_digits[group >> 18];
		out[at++] = (uint8_t)base64_digits[group >> 12 & 63];
		out[at++] = (uint8_t)base64_digits[group >> 6 & 63];
		out[at++] = (uint8_t)base64_digits[group & 63];
	}
	out[at - 1] = '=';
}

static void put(struct writer *w, const char *text)
{
	writer_bytes(w, slice_str(text));
}

size_t websocket_accept(const struct websocket_request *request,
			uint8_t out[WEBSOCKET_ANSWER_MAX])
{
	uint8_t digest[SHA1_SIZE], encoded[ACCEPT_SIZE];
	struct writer w = writer_of(out, WEBSOCKET_ANSWER_MAX);

	assert(websocket_refusal(request) == 0);

	/* Key and GUID are hashed in a row; out has room for them meanwhile. */
	writer_bytes(&w, request->key);
	put(&w, accept_guid);
	sha1(slice_of(out, w.len), digest);
	base64_of_digest(digest, encoded);

	w = writer_of(out, WEBSOCKET_ANSWER_MAX);
	put(&w, "HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: ");
	writer_bytes(&w, slice_of(encoded, sizeof(encoded)));
	put(&w, "\r\nSec-WebSocket-Protocol: ");
	writer_bytes(&w, request->protocol);
	put(&w, "\r\n\r\n");
	assert(!w.overflow);
	return w.len;
}

static const char *status_line(int status)
{
	switch (status) {
	case 403:
		return "HTTP/1.1 403 Forbidden\r\n";
	case 404:
		return "HTTP/1.1 404 Not Found\r\n";
	case 426:
		return "HTTP/1.1 426 Upgrade Required\r\n"
		       "Upgrade: websocket\r\n"
		       "Sec-WebSocket-Version: 13\r\n";
	case 503:
		return "HTTP/1.1 503 Service Unavailable\r\n";
	default:
		return "HTTP/1.1 400 Bad Request\r\n";
	}
}

size_t websocket_refuse(int status, uint8_t out[WEBSOCKET_ANSWER_MAX])
{
	struct writer w = writer_of(out, WEBSOCKET_ANSWER_MAX);

	put(&w, status_line(status));
	/* RFC 9110, 7.8: whoever sends Upgrade names it in Connection too. */
	put(&w, status == 426 ? "Connection: Upgrade, close\r\n"
			      : "Connection: close\r\n");
	put(&w, "Content-Length: 0\r\n\r\n");
	assert(!w.overflow);
	return w.len;
}
