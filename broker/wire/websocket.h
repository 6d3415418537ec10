/*
 * The WebSocket handshake (RFC 6455, section 4.2) by its bytes: from a whole
 * HTTP request head to the answer. Frames are the transport's and wslay's.
 */
#ifndef WIRE_WEBSOCKET_H
#define WIRE_WEBSOCKET_H

#include "broker/base/slice.h"

#define WEBSOCKET_HEAD_MAX 8192

struct websocket_request {
	struct slice path; /* without the query */
	struct slice query;
	struct slice host;
	struct slice origin; /* empty if none was sent */
	struct slice cookie; /* the Cookie header's value, empty if none */
	struct slice key;
	bool upgrade; /* Connection: Upgrade and Upgrade: websocket */
	bool offers_mqtt; /* Sec-WebSocket-Protocol lists "mqtt" or "mqttv3.1" */
	struct slice protocol; /* the one to answer, borrowed from the head */
};

/* Offset behind the empty line that ends the head; 0 if it is not there yet. */
size_t websocket_head_end(const uint8_t *data, size_t len);

/*
 * head ends with the empty line. Returns 0 and the request, upgrade or not;
 * -EPROTO when it is no HTTP/1.1 GET that can be judged: bad request line,
 * bare CR, folded line, NUL, two Host, Upgrade or key headers.
 */
int websocket_parse(struct slice head, struct websocket_request *out);

/* 0, or the HTTP status to refuse with: 400 (key or version missing, 426 for a
 * version other than 13, 426 if !upgrade, 400 if no mqtt subprotocol). */
int websocket_refusal(const struct websocket_request *request);

/* The 101 answer, written to out (at most 256 bytes). Returns its length. */
size_t websocket_accept(const struct websocket_request *request,
			uint8_t out[256]);

#endif
