#include "db/history_table.h"

#include <stdio.h>
#include <time.h>

uint32_t history_day(int64_t time)
{
	time_t seconds = (time_t)(time / 1000);
	struct tm tm;

	/* 1970 to 9999: four digits, and no time before the epoch. */
	if (time < 0 || time > 253402300799999 || !gmtime_r(&seconds, &tm))
		return 19700101;

	return (uint32_t)(tm.tm_year + 1900) * 10000 +
	       (uint32_t)(tm.tm_mon + 1) * 100 + (uint32_t)tm.tm_mday;
}

void history_table(uint32_t day, char out[HISTORY_TABLE_SIZE])
{
	(void)snprintf(out, HISTORY_TABLE_SIZE, "h_%08u", day);
}
