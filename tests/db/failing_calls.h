/*
 * Makes the nth system call from now that changes or reads the disk fail, once or
 * from then on. Linked with --wrap for each of them (tests/db/meson.build), so that
 * only calls of ours count, not SQLite's.
 */
#ifndef TESTS_DB_FAILING_CALLS_H
#define TESTS_DB_FAILING_CALLS_H

#include <stdbool.h>

/* n == 0 fails the very next one, with error, a positive errno; forever: and all
 * that follow, as if the power were cut. */
void failing_calls_arm(unsigned int n, int error, bool forever);
/* True if something has failed. */
bool failing_calls_disarm(void);

#endif
