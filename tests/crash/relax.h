/*
 * SQLite made forgetful, so that a test can prove that it would notice: every
 * connection opened from then on is synchronous = NORMAL, which says that it has
 * committed before it has synced, whatever db.c asks for.
 */
#ifndef TESTS_CRASH_RELAX_H
#define TESTS_CRASH_RELAX_H

#include <stdbool.h>

void relax_all(bool on);

#endif
