/*
 * Makes the nth allocation from now fail, once. Linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup, so
 * product code carries no allocator plumbing; works together with AddressSanitizer.
 */
#ifndef TESTS_FAILING_MALLOC_H
#define TESTS_FAILING_MALLOC_H

#include <stdbool.h>

/* n == 0 fails the very next allocation. */
void failing_malloc_arm(unsigned int n);
/* True if the armed failure happened. No allocation fails after this. */
bool failing_malloc_disarm(void);

#endif
