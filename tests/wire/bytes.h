/*
 * Bytes for tests of wire/. BYTES() is written like the tables of the
 * specification; an exact copy ends where its allocation ends, so that
 * AddressSanitizer sees a decoder look one byte too far.
 */
#ifndef TESTS_WIRE_BYTES_H
#define TESTS_WIRE_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/slice.h"

#define BYTES(...)                                 \
	slice_of((const uint8_t[]){ __VA_ARGS__ }, \
		 sizeof((const uint8_t[]){ __VA_ARGS__ }))
/* A string literal that may hold NULs. */
#define TEXT(literal) slice_of(literal, sizeof(literal) - 1)
/* The same as an initializer of something static. */
#define STATIC_TEXT(literal)                                                   \
	{                                                                      \
		.data = (const uint8_t *)(literal), .len = sizeof(literal) - 1 \
	}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline uint8_t *exact_copy(struct slice bytes)
{
	uint8_t *copy = malloc(bytes.len ? bytes.len : 1);

	assert_non_null(copy);
	if (bytes.len)
		memcpy(copy, bytes.data, bytes.len);
	return copy;
}

static inline void assert_slice(struct slice got, struct slice wanted)
{
	assert_int_equal(got.len, wanted.len);
	if (wanted.len)
		assert_memory_equal(got.data, wanted.data, wanted.len);
}

#endif
