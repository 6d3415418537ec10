/*
 * JSON values as text. json_dumps() of jansson can return half a text when
 * memory runs out in the middle (its buffer's error is not looked at); this
 * measures first and then writes into memory that is there.
 */
#ifndef GPIO_JSON_TEXT_H
#define GPIO_JSON_TEXT_H

#include <jansson.h>

/* The text, to be freed by the caller, or NULL: out of memory. */
char *json_text(const json_t *value, size_t flags);

#endif
