/*
 * Payloads in JSON: as text where they are UTF-8, else in base64, under the
 * names "payload" and "payload_base64".
 */
#ifndef WEB_PAYLOAD_H
#define WEB_PAYLOAD_H

#include <jansson.h>

#include "broker/base/slice.h"

/* Returns 0 or -ENOMEM. */
int payload_set(json_t *object, struct slice payload);

/* A text from bytes that may be no UTF-8: each bad one becomes U+FFFD. For names
 * that peers chose. NULL when out of memory. */
json_t *payload_text(struct slice text);

/* Decode base64. Returns 0 and memory freed by the caller, -EINVAL, -ENOMEM. */
int payload_decode(const char *text, uint8_t **out, size_t *len);

#endif
