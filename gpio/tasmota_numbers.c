#include "gpio/tasmota_numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/file.h"

static const char *const keys[TASMOTA_KINDS] = {
	[TASMOTA_RELAYS] = "relays",
	[TASMOTA_SWITCHES] = "switches",
	[TASMOTA_BUTTONS] = "buttons",
	[TASMOTA_COUNTERS] = "counters",
};

enum tasmota_kind tasmota_kind(const struct pin *pin)
{
	if (pin->direction == LINE_OUTPUT)
		return TASMOTA_RELAYS;
	if (pin->kind == PIN_BUTTON)
		return TASMOTA_BUTTONS;
	return pin->kind == PIN_COUNTER ? TASMOTA_COUNTERS : TASMOTA_SWITCHES;
}

unsigned int tasmota_number(const struct tasmota_numbers *numbers,
			    enum tasmota_kind kind, const char *name)
{
	for (unsigned int i = 0; i < TASMOTA_NUMBERS_MAX; i++)
		if (strcmp(numbers->name[kind][i], name) == 0)
			return i + 1;
	return 0;
}

const char *tasmota_name(const struct tasmota_numbers *numbers,
			 enum tasmota_kind kind, unsigned int number)
{
	if (number < 1 || number > TASMOTA_NUMBERS_MAX)
		return "";
	return numbers->name[kind][number - 1];
}

/* ---- giving them -------------------------------------------------------- */

static bool is_there(const struct discovery_things *things,
		     enum tasmota_kind kind, const char *name)
{
	for (size_t i = 0; i < things->pins; i++)
		if (tasmota_kind(things->pin[i]) == kind &&
		    strcmp(things->pin[i]->name, name) == 0)
			return true;
	for (size_t i = 0; kind == TASMOTA_RELAYS && i < things->devices; i++)
		if (things->device[i]->kind == DEVICE_LIGHT &&
		    strcmp(things->device[i]->name, name) == 0)
			return true;
	return false;
}

/* stale: a number of something that is there no more is free, too. */
static bool is_free(const struct tasmota_numbers *numbers,
		    const struct discovery_things *things,
		    enum tasmota_kind kind, unsigned int place, bool stale)
{
	const char *name = numbers->name[kind][place];

	return !name[0] || (stale && !is_there(things, kind, name));
}

/* The first of count places in a row; TASMOTA_NUMBERS_MAX: there are none. */
static unsigned int find_room(const struct tasmota_numbers *numbers,
			      const struct discovery_things *things,
			      enum tasmota_kind kind, unsigned int count)
{
	for (int stale = 0; stale <= 1; stale++) {
		unsigned int free = 0;

		for (unsigned int i = 0; i < TASMOTA_NUMBERS_MAX; i++) {
			free = is_free(numbers, things, kind, i, stale)
				       ? free + 1
				       : 0;
			if (free == count)
				return i + 1 - count;
		}
	}
	return TASMOTA_NUMBERS_MAX;
}

static void set(struct tasmota_numbers *numbers, enum tasmota_kind kind,
		unsigned int place, const char *name)
{
	(void)snprintf(numbers->name[kind][place], PIN_NAME_MAX + 1, "%s",
		       name);
}

/* True: it had none, and has one now. */
static bool give(struct tasmota_numbers *numbers,
		 const struct discovery_things *things, enum tasmota_kind kind,
		 const char *name)
{
	unsigned int place;

	if (tasmota_number(numbers, kind, name))
		return false;
	place = find_room(numbers, things, kind, 1);
	if (place == TASMOTA_NUMBERS_MAX)
		return false;
	set(numbers, kind, place, name);
	return true;
}

static bool give_pair(struct tasmota_numbers *numbers,
		      const struct discovery_things *things,
		      const struct device *cover)
{
	const enum tasmota_kind kind = TASMOTA_RELAYS;
	unsigned int up = tasmota_number(numbers, kind, cover->up);
	unsigned int down = tasmota_number(numbers, kind, cover->down);
	unsigned int place;

	if (up && down == up + 1)
		return false;
	place = find_room(numbers, things, kind, 2);
	if (place == TASMOTA_NUMBERS_MAX)
		return false;
	if (up)
		set(numbers, kind, up - 1, "");
	if (down)
		set(numbers, kind, down - 1, "");
	set(numbers, kind, place, cover->up);
	set(numbers, kind, place + 1, cover->down);
	return true;
}

bool tasmota_numbers_assign(struct tasmota_numbers *numbers,
			    const struct discovery_things *things)
{
	bool changed = false;

	for (size_t i = 0; i < things->devices; i++)
		if (things->device[i]->kind == DEVICE_COVER)
			changed |=
				give_pair(numbers, things, things->device[i]);
	for (size_t i = 0; i < things->pins; i++)
		changed |= give(numbers, things, tasmota_kind(things->pin[i]),
				things->pin[i]->name);
	for (size_t i = 0; i < things->devices; i++)
		if (things->device[i]->kind == DEVICE_LIGHT)
			changed |= give(numbers, things, TASMOTA_RELAYS,
					things->device[i]->name);
	return changed;
}

/* ---- the file ----------------------------------------------------------- */

static bool take_name(json_t *value, char out[PIN_NAME_MAX + 1])
{
	const char *name = json_string_value(value);

	if (json_is_null(value))
		return true;
	if (!name || strlen(name) > PIN_NAME_MAX)
		return false;
	memcpy(out, name, strlen(name) + 1);
	return true;
}

static bool take(json_t *document, struct tasmota_numbers *out)
{
	for (size_t kind = 0; kind < TASMOTA_KINDS; kind++) {
		json_t *list = json_object_get(document, keys[kind]);
		json_t *value;
		size_t i;

		if (!json_is_array(list) ||
		    json_array_size(list) > TASMOTA_NUMBERS_MAX)
			return false;
		json_array_foreach(list, i, value)
		{
			if (!take_name(value, out->name[kind][i]))
				return false;
		}
	}
	return true;
}

int tasmota_numbers_load(const char *directory, struct tasmota_numbers *out)
{
	size_t len = 0;
	int r;
	char *bytes = file_load(directory, TASMOTA_NUMBERS_FILE, &len, &r);
	json_t *document;

	memset(out, 0, sizeof(*out));
	if (!bytes)
		return r;
	document = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	r = take(document, out) ? 0 : -EINVAL;
	if (r)
		memset(out, 0, sizeof(*out));
	json_decref(document);
	free(bytes);
	return r;
}

/* As long as its last name. */
static json_t *list_of(const struct tasmota_numbers *numbers, size_t kind)
{
	json_t *list = json_array();
	size_t count = TASMOTA_NUMBERS_MAX;
	int bad = 0;

	while (count > 0 && !numbers->name[kind][count - 1][0])
		count--;
	for (size_t i = 0; i < count; i++) {
		const char *name = numbers->name[kind][i];

		bad |= json_array_append_new(list, name[0] ? json_string(name)
							   : json_null());
	}
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}

int tasmota_numbers_save(const char *directory,
			 const struct tasmota_numbers *numbers)
{
	json_t *document = json_object();
	char *text = NULL;
	int bad = 0;
	int r = -ENOMEM;

	for (size_t kind = 0; kind < TASMOTA_KINDS; kind++)
		bad |= json_object_set_new(document, keys[kind],
					   list_of(numbers, kind));
	if (document && !bad)
		text = json_text(document, JSON_INDENT(1));
	if (text)
		r = file_replace(directory, TASMOTA_NUMBERS_FILE,
				 slice_str(text), true);
	json_decref(document);
	free(text);
	return r;
}
