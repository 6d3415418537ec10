#include "db/gather.h"

void gather_expect(struct gather *gather, size_t ops, uint64_t begun,
		   uint64_t now)
{
	uint64_t wait = (now - begun) / GATHER_SHARE;

	gather->ops = ops;
	gather->until = now + (wait < GATHER_MAX_NS ? wait : GATHER_MAX_NS);
}

uint64_t gather_left(const struct gather *gather, size_t ops, uint64_t now)
{
	if (ops >= gather->ops || now >= gather->until)
		return 0;

	return gather->until - now;
}

void gather_begin(struct gather *gather, uint64_t now)
{
	gather->since = now;
}

uint64_t gather_removals_left(const struct gather *gather, uint64_t now)
{
	const uint64_t waited = now - gather->since;

	return waited < GATHER_REMOVALS_NS ? GATHER_REMOVALS_NS - waited : 0;
}
