/*
 * The WebSocket handshake (RFC 6455, section 4.2) by its bytes: from a whole
 * HTTP request head to the answer. Frames are the transport's and wslay's.
 * Who may connect (path, Host, Origin, Cookie) is judged by the caller.
 */
#ifndef WIRE_WEBSOCKET_H
#define WIRE_WEBSOCKET_H

#include "broker/base/slice.h"

/* Bytes of a request head. Browsers with a few cookies send 1 KiB. */
#define WEBSOCKET_HEAD_MAX 8192

/* Bytes of an answer, at most. */
#define WEBSOCKET_ANSWER_MAX 256

/* Slices are borrowed from the head, without the space around them, and empty
 * where a header was not sent. */
struct websocket_request {
	struct slice path; /* without the query */
	struct slice query;
	struct slice host;
	struct slice origin;
	struct slice cookie; /* the Cookie header's value */
	struct slice key;
	struct slice version;
	bool upgrade; /* Connection: Upgrade and Upgrade: websocket */
	bool has_body; /* Content-Length or Transfer-Encoding was sent */
	bool offers_mqtt; /* Sec-WebSocket-Protocol lists "mqtt" or "mqttv3.1" */
	struct slice protocol; /* the one to answer, "mqtt" before the other */
};

/* Offset behind the empty line that ends the head; 0 if it is not there yet. */
size_t websocket_head_end(const uint8_t *data, size_t len);

/*
 * head ends with the empty line. Returns 0 and the request, upgrade or not;
 * -EPROTO when it is no HTTP/1.1 GET of a path that can be judged: bad request
 * line, bare CR or LF, folded line, control character, space before a colon, a
 * second Host, Origin, Cookie, Upgrade, key or version header, more bytes than
 * WEBSOCKET_HEAD_MAX.
 */
int websocket_parse(struct slice head, struct websocket_request *out);

/* 0, or the HTTP status to refuse with: 426 if !upgrade, 400 without a Host, a
 * version, or a key of 16 bytes in base64, or with a body, 426 for a version
 * other than 13, 400 if no mqtt subprotocol is offered [MQTT-6.0.0-3]. */
int websocket_refusal(const struct websocket_request *request);

/* The 101 answer to a request that is not refused. Returns its length. */
size_t websocket_accept(const struct websocket_request *request,
			uint8_t out[WEBSOCKET_ANSWER_MAX]);

/* A whole answer that refuses with status (400, 403, 404, 426 or 503; any other
 * is written as 400) and ends the connection. Returns its length. */
size_t websocket_refuse(int status, uint8_t out[WEBSOCKET_ANSWER_MAX]);

#endif
