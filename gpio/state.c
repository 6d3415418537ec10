#include "gpio/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/file.h"

int state_load(const char *directory, struct pins *out,
	       struct pin_errors *errors)
{
	size_t len = 0;
	int r;
	char *bytes = file_load(directory, STATE_FILE, &len, &r);

	if (!bytes)
		return r;

	r = pins_parse(slice_of(bytes, len), out, errors);
	free(bytes);
	return r;
}

static bool file_is(const char *directory, const char *bytes, size_t len)
{
	size_t there = 0;
	int error;
	char *old = file_load(directory, STATE_FILE, &there, &error);
	bool same = old && there == len && memcmp(old, bytes, len) == 0;

	free(old);
	return same;
}

int state_save(const char *directory, const struct pins *pins)
{
	json_t *document = pins_to_json(pins);
	char *text;
	int r;

	/* It changes at every start of the hub; the pins do not. */
	(void)json_object_del(document, "revision");
	text = document ? json_text(document, JSON_INDENT(1)) : NULL;
	r = text ? 0 : -ENOMEM;

	json_decref(document);
	/* A card wears out by writing. */
	if (text && !file_is(directory, text, strlen(text)))
		r = file_replace(directory, STATE_FILE, slice_str(text), true);
	free(text);
	return r;
}
