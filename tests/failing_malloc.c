#include "tests/failing_malloc.h"

#include <errno.h>
#include <stddef.h>

static bool armed;
static bool failed;
static unsigned int left;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static bool must_fail(void)
{
	if (!armed || left-- > 0)
		return false;

	armed = false;
	failed = true;
	errno = ENOMEM; /* as the real ones do */
	return true;
}

void *__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return must_fail() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return must_fail() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return must_fail() ? NULL : __real_strndup(text, len);
}

void failing_malloc_arm(unsigned int n)
{
	armed = true;
	failed = false;
	left = n;
}

bool failing_malloc_disarm(void)
{
	armed = false;
	return failed;
}
