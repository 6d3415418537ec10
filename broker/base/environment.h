/*
 * What whoever started us has put into the environment. Nobody changes it while
 * several threads run.
 */
#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

#include <stdint.h>

/* NULL: it is not set. Borrowed from the environment. */
const char *environment_text(const char *name);

/* A plain decimal number; 0 for anything else, and if it is not set. */
uint64_t environment_number(const char *name);

#endif
