#include "gpio/tallies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/file.h"

static bool take(json_t *document, struct tallies *out)
{
	const char *name;
	json_t *value;

	if (!json_is_object(document) || json_object_size(document) > PINS_MAX)
		return false;
	json_object_foreach(document, name, value)
	{
		struct tally *tally = &out->tally[out->count];
		json_int_t count = json_integer_value(value);

		if (!json_is_integer(value) || count < 0 ||
		    (uint64_t)count > TALLY_MAX ||
		    strlen(name) >= sizeof(tally->name))
			return false;
		memcpy(tally->name, name, strlen(name) + 1);
		tally->count = (uint64_t)count;
		out->count++;
	}
	return true;
}

int tallies_load(const char *directory, struct tallies *out)
{
	size_t len = 0;
	int r;
	char *bytes = file_load(directory, TALLIES_FILE, &len, &r);
	json_t *document;

	out->count = 0;
	if (!bytes)
		return r;
	document = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	r = take(document, out) ? 0 : -EINVAL;
	if (r)
		out->count = 0;
	json_decref(document);
	free(bytes);
	return r;
}

int tallies_save(const char *directory, const struct tallies *tallies)
{
	json_t *document = json_object();
	char *text = NULL;
	int bad = 0;
	int r = -ENOMEM;

	for (size_t i = 0; i < tallies->count; i++)
		bad |= json_object_set_new(
			document, tallies->tally[i].name,
			json_integer((json_int_t)tallies->tally[i].count));
	if (document && !bad)
		text = json_text(document, JSON_INDENT(1));
	if (text)
		r = file_replace(directory, TALLIES_FILE, slice_str(text),
				 true);
	json_decref(document);
	free(text);
	return r;
}

/* tallies->count if there is none. */
static size_t find(const struct tallies *tallies, const char *name)
{
	size_t i = 0;

	while (i < tallies->count && strcmp(tallies->tally[i].name, name) != 0)
		i++;
	return i;
}

void tallies_put(struct tallies *tallies, const char *name, uint64_t count)
{
	size_t i = find(tallies, name);
	struct tally *tally;

	if (i == PINS_MAX) {
		i = --tallies->count;
		memmove(tallies->tally, tallies->tally + 1,
			i * sizeof(tallies->tally[0]));
	}
	if (i == tallies->count)
		tallies->count++;
	tally = &tallies->tally[i];
	(void)snprintf(tally->name, sizeof(tally->name), "%s", name);
	tally->count = count;
}

uint64_t tallies_of(const struct tallies *tallies, const char *name)
{
	size_t i = find(tallies, name);

	return i < tallies->count ? tallies->tally[i].count : 0;
}
