#include "db/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_AT_FIRST 16

struct rows {
	char *all;
	size_t count;
	size_t room;
};

static int make_room(struct rows *rows, size_t size)
{
	const size_t room = rows->room ? rows->room * 2 : ROWS_AT_FIRST;
	char *all;

	if (rows->count < rows->room)
		return 0;
	all = room <= SIZE_MAX / size ? realloc(rows->all, room * size) : NULL;
	if (!all)
		return -ENOMEM;
	memset(all + rows->count * size, 0, (room - rows->count) * size);
	rows->all = all;
	rows->room = room;
	return 0;
}

int rows_list(struct statement *s, const struct rows_kind *kind, size_t max,
	      void *out, size_t *count)
{
	struct rows rows = { 0 };
	int r = make_room(&rows, kind->size);

	while (!r && rows.count < max && (r = statement_step(s)) > 0) {
		r = make_room(&rows, kind->size);
		if (!r)
			r = kind->read(s, rows.all + rows.count * kind->size);
		rows.count++;
	}
	statement_close(s);
	if (r < 0) {
		free(rows.all);
		return r;
	}

	memcpy(out, &rows.all, sizeof(rows.all));
	*count = rows.count;
	return 0;
}
