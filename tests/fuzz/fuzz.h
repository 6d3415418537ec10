/* What fuzz targets share. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <assert.h>
#include <stdlib.h>

#include "broker/base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes in an allocation of their own size, so that AddressSanitizer sees a
 * look past their end. */
struct fuzz_copy {
	struct slice bytes;
	uint8_t *memory;
};

static inline struct fuzz_copy fuzz_copy(const uint8_t *data, size_t len)
{
	uint8_t *memory = malloc(len ? len : 1);

	assert(memory);
	if (len)
		memcpy(memory, data, len);
	return (struct fuzz_copy){ slice_of(memory, len), memory };
}

static inline void fuzz_copy_free(struct fuzz_copy *copy)
{
	free(copy->memory);
}

#endif
