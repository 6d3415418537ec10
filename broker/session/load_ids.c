#include "broker/session/load_ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

void load_ids_clear(struct load_ids *ids)
{
	free(ids->all);
	*ids = (struct load_ids){ 0 };
}

/* The first that is not below it. */
static size_t place_of(const struct load_ids *ids, uint64_t id)
{
	size_t low = 0, end = ids->count;

	while (low < end) {
		const size_t middle = low + (end - low) / 2;

		if (ids->all[middle].id < id)
			low = middle + 1;
		else
			end = middle;
	}
	return low;
}

int load_ids_put(struct load_ids *ids, uint64_t id, void *of)
{
	size_t at = ids->count;

	if (ids->count == ids->cap) {
		size_t cap = ids->cap ? ids->cap * 2 : FIRST_CAP;
		struct load_id *all = realloc(ids->all, cap * sizeof(*all));

		if (!all)
			return -ENOMEM;
		ids->all = all;
		ids->cap = cap;
	}
	/* Out of order only from a file that is not ours. */
	if (at > 0 && ids->all[at - 1].id > id) {
		at = place_of(ids, id);
		memmove(&ids->all[at + 1], &ids->all[at],
			(ids->count - at) * sizeof(*ids->all));
	}
	ids->all[at] = (struct load_id){ .id = id, .of = of };
	ids->count++;
	return 0;
}

void *load_ids_get(struct load_ids *ids, uint64_t id)
{
	size_t at = ids->place;

	/* The same again, or the next. */
	if (at < ids->count && ids->all[at].id != id)
		at++;
	if (at >= ids->count || ids->all[at].id != id)
		at = place_of(ids, id);
	if (at >= ids->count || ids->all[at].id != id)
		return NULL;
	ids->place = at;
	return ids->all[at].of;
}
