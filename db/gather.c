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
