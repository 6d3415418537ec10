#include "broker/base/environment.h"

#include <errno.h>
#include <stdlib.h>

const char *environment_text(const char *name)
{
	/* Nobody changes it. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	return getenv(name);
}

uint64_t environment_number(const char *name)
{
	const char *text = environment_text(name);
	unsigned long long n;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? n : 0;
}
