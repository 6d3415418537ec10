/*
 * When the nightly backup is due: once a day at an hour of the local time, and as
 * soon as possible when the hub was off then. Time is an argument: ms since 1970
 * UTC by the wall clock, which may be wrong on a board without one.
 */
#ifndef DB_BACKUP_SCHEDULE_H
#define DB_BACKUP_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* The clock was wrong when a time further ahead than that was written. */
#define SCHEDULE_AHEAD_MS (INT64_C(3600) * 1000)

/* Whether one is due, the last having been made at last (-1: never). One from the
 * future counts as made long ago. */
bool schedule_due(unsigned int hour, int64_t now, int64_t last);

/* The next time after now that it is that hour. */
int64_t schedule_next(unsigned int hour, int64_t now);

#endif
