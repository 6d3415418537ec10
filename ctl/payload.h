/*
 * Payloads in the hub's JSON: "payload" when they are UTF-8, else
 * "payload_base64".
 */
#ifndef CTL_PAYLOAD_H
#define CTL_PAYLOAD_H

#include <stddef.h>

#include <jansson.h>

/* Adds one of the two members. Returns 0 or -ENOMEM. */
int payload_put(json_t *object, const char *data, size_t len);

/* The payload of object in memory the caller frees. Returns 0; -EINVAL: there is
 * none, or the base64 is malformed; -ENOMEM. */
int payload_get(const json_t *object, char **out, size_t *len);

#endif
