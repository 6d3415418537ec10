#include "gpio/cover_memory.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/json_text.h"
#include "gpio/file.h"

int cover_memory_load(const char *directory, json_t **out)
{
	size_t len = 0;
	int r;
	char *bytes = file_load(directory, COVERS_FILE, &len, &r);

	if (!bytes)
		return r;
	*out = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	free(bytes);
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	*out = NULL;
	return -EINVAL;
}

int cover_memory_save(const char *directory, const json_t *memory)
{
	char *text = json_text(memory, JSON_INDENT(1));
	int r = -ENOMEM;

	if (text)
		r = file_replace(directory, COVERS_FILE, slice_str(text), true);
	free(text);
	return r;
}

int cover_memory_put(json_t *memory, const char *name,
		     const struct cover *cover, uint64_t now)
{
	json_t *range = json_array();
	double low, high;
	int bad;

	cover_at(cover, now, &low, &high);
	if (cover->motion == COVER_UP)
		high = 100;
	else if (cover->motion == COVER_DOWN)
		low = 0;
	bad = json_array_append_new(range, json_real(low));
	bad |= json_array_append_new(range, json_real(high));
	if (!bad)
		bad = json_object_set(memory, name, range);
	json_decref(range);
	return bad;
}

void cover_memory_get(const json_t *memory, const char *name, double *low,
		      double *high)
{
	json_t *range = json_object_get(memory, name);
	json_t *from = json_array_get(range, 0);
	json_t *to = json_array_get(range, 1);

	*low = 0;
	*high = 100;
	if (!json_is_number(from) || !json_is_number(to))
		return;
	if (json_number_value(from) <= json_number_value(to)) {
		*low = json_number_value(from);
		*high = json_number_value(to);
	}
}
