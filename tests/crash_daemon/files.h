/*
 * The files of a data directory and what is known of them.
 */
#ifndef TESTS_CRASH_DAEMON_FILES_H
#define TESTS_CRASH_DAEMON_FILES_H

#include <stdbool.h>

#include "tests/crash/card.h"
#include "tests/crash_daemon/record_log.h"

/* What lies in the directory, as a beginning of the log. */
void files_record(const char *dir, struct record_log *log);
/* The directory has what is on the card, and nothing else. */
void files_put(const char *dir, const struct card *card);
/* Is it so? Says on standard output what is not. */
bool files_equal(const char *dir, const struct card *card);

#endif
