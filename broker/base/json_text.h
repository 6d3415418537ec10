/*
 * JSON values as text, and real numbers as short as they can be written: jansson
 * gives them 17 digits, so that 0.2 becomes 0.20000000000000001. What is written
 * here is read as the same number again. Whole numbers are written as they are,
 * with all their digits.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <jansson.h>

/* Room for any real number: 17 digits, sign, point, exponent, NUL. */
#define JSON_TEXT_REAL_SIZE 32

/* The text, to be freed by the caller by free(), or NULL: value is NULL, or out of
 * memory. flags are those of json_dumps(). */
char *json_text(const json_t *value, size_t flags);

/* number must be finite. */
void json_text_real(char out[JSON_TEXT_REAL_SIZE], double number);

#endif
