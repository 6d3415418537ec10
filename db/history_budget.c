#include "db/history_budget.h"

#include "db/history_write.h"

#define DAY_MS UINT64_C(86400000)

/* Rows beyond a full commit, for each doubling of the interval. */
#define ROWS_PER_STEP 500

/* 2048 s: a topic keeps two rows an hour at least. */
#define THIN_MAX 12

void history_budget_day(struct history_budget *b, uint32_t day, uint64_t rows,
			uint64_t rest)
{
	b->day = day;
	b->rows = rows;
	b->rest = rest;
}

static uint64_t share(const struct history_budget *b)
{
	return b->limit / 8 * 5;
}

uint64_t history_budget_wait(const struct history_budget *b, int64_t now,
			     uint64_t bytes)
{
	const uint64_t today = (uint64_t)(now < 0 ? 0 : now) % DAY_MS;
	const uint64_t first = share(b) / 8;
	const uint64_t gradual = share(b) - first;
	const uint64_t wanted = b->rows + bytes;
	uint64_t due;

	if (!b->limit || !b->rows || wanted < first)
		return 0;
	if (wanted - first >= gradual)
		return DAY_MS - today;
	/* When as much of the day is over as is wanted of the budget; as a
	 * double, since the product would be too large. */
	due = (uint64_t)((double)(wanted - first) / (double)gradual *
			 (double)DAY_MS) +
	      1;

	return due > today ? due - today : 0;
}

bool history_budget_rest(const struct history_budget *b, uint64_t bytes)
{
	return !b->limit || b->rest + bytes <= b->limit - share(b);
}

void history_budget_wrote(struct history_budget *b, size_t rows)
{
	if (rows >= (size_t)2 * HISTORY_ROWS && b->thin < THIN_MAX)
		b->thin++;
	else if (rows < HISTORY_ROWS / 2 && b->thin)
		b->thin--;
}

uint32_t history_budget_interval(const struct history_budget *b, size_t rows)
{
	unsigned int step = b->thin;

	if (rows >= HISTORY_ROWS)
		step += (unsigned int)((rows - HISTORY_ROWS) / ROWS_PER_STEP) +
			1;
	if (!step)
		return 0;

	return 1000U << ((step > THIN_MAX ? THIN_MAX : step) - 1);
}
