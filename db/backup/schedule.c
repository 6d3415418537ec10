#include "db/backup/schedule.h"

#include <time.h>

/* That hour of the day now is in, and days from then. Where the hour does not
 * exist, the night the clocks change, mktime() takes the one beside it. */
static int64_t at_hour(unsigned int hour, int64_t now, int days)
{
	time_t seconds = (time_t)(now / 1000);
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	tm.tm_hour = (int)hour;
	tm.tm_min = 0;
	tm.tm_sec = 0;
	tm.tm_mday += days;
	tm.tm_isdst = -1;

	return (int64_t)mktime(&tm) * 1000;
}

bool schedule_due(unsigned int hour, int64_t now, int64_t last)
{
	int64_t latest = at_hour(hour, now, 0);

	if (latest > now)
		latest = at_hour(hour, now, -1);

	return last < latest || last > now + SCHEDULE_AHEAD_MS;
}

int64_t schedule_next(unsigned int hour, int64_t now)
{
	int64_t next = at_hour(hour, now, 0);

	return next > now ? next : at_hour(hour, now, 1);
}
