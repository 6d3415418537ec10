/*
 * A PROXY header cut anywhere is waited for or refused, never taken for another:
 * what is said of a part is what is said of the whole.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "broker/wire/proxy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header whole, part;
	int r = proxy_parse(data, size, &whole);

	assert(r == -EPROTO || (r >= 0 && (size_t)r <= size));
	assert(r <= PROXY_HEADER_MAX);
	for (size_t len = 0; len < size && len <= PROXY_HEADER_MAX; len++) {
		int early = proxy_parse(data, len, &part);

		if (r > 0 && len >= (size_t)r) {
			assert(early == r);
			assert(part.family == whole.family);
		} else if (r >= 0) {
			assert(early == 0);
		} else {
			assert(early <= 0);
		}
	}
	return 0;
}
