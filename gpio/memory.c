#include "gpio/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/file.h"

#define BOOT_ID_DIRECTORY "/proc/sys/kernel/random"
#define BOOT_ID_SIZE 40

bool memory_counts(const struct logic_rules *rules)
{
	return rules->boot == LOGIC_BOOT_RESTORE || rules->group ||
	       rules->cycles || rules->max_on_ms || rules->min_on_ms ||
	       rules->min_off_ms || rules->auto_off_ms ||
	       rules->command_timeout_ms;
}

bool memory_wanted(const struct logic_rules *rules)
{
	return memory_counts(rules) || rules->boot != LOGIC_BOOT_AS_READ;
}

/* Changes with every start of the board; "" if the kernel does not say. */
static void boot_id(char out[BOOT_ID_SIZE])
{
	size_t len = 0;
	int error;
	char *text = file_load(BOOT_ID_DIRECTORY, "boot_id", &len, &error);

	out[0] = '\0';
	if (text && len > 1 && len < BOOT_ID_SIZE) {
		memcpy(out, text, len - 1); /* without the line's end */
		out[len - 1] = '\0';
	}
	free(text);
}

/* ---- reading ------------------------------------------------------------ */

static bool take_time(json_t *value, uint64_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static bool take_starts(json_t *list, struct logic_memory *out)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count > LOGIC_CYCLES_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!take_time(json_array_get(list, i), &out->starts[i]))
			return false;
	out->started = (uint32_t)count;
	return true;
}

static bool take_entry(json_t *object, struct memory_entry *out)
{
	const char *chip = json_string_value(json_object_get(object, "chip"));
	struct logic_memory *m = &out->memory;
	uint64_t line;

	*out = (struct memory_entry){ 0 };
	if (!chip || strlen(chip) >= sizeof(out->chip) ||
	    !take_time(json_object_get(object, "line"), &line) ||
	    line > UINT16_MAX)
		return false;
	memcpy(out->chip, chip, strlen(chip) + 1);
	out->line = (unsigned int)line;
	m->on = json_is_true(json_object_get(object, "on"));
	m->told = json_is_true(json_object_get(object, "told"));
	m->starting = json_is_true(json_object_get(object, "starting"));
	return take_time(json_object_get(object, "since"), &m->since) &&
	       take_time(json_object_get(object, "off_at"), &m->off_at) &&
	       take_time(json_object_get(object, "lease_at"), &m->lease_at) &&
	       take_starts(json_object_get(object, "starts"), m);
}

static bool take_document(json_t *document, struct memory *out)
{
	const char *boot = json_string_value(json_object_get(document, "boot"));
	json_t *list = json_object_get(document, "outputs");
	size_t count = json_array_size(list);
	char now[BOOT_ID_SIZE];

	if (!boot || !json_is_array(list) || count > PINS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!take_entry(json_array_get(list, i), &out->entry[i]))
			return false;
	boot_id(now);
	out->same_boot = now[0] && strcmp(boot, now) == 0;
	out->count = count;
	return true;
}

int memory_load(const char *directory, struct memory *out)
{
	size_t len = 0;
	int r;
	char *bytes = file_load(directory, MEMORY_FILE, &len, &r);
	json_t *document;

	out->count = 0;
	out->same_boot = false;
	if (!bytes)
		return r;
	document = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	r = take_document(document, out) ? 0 : -EINVAL;
	json_decref(document);
	free(bytes);
	return r;
}

/* memory->count if there is none. */
static size_t find(const struct memory *memory, const char *chip,
		   unsigned int line)
{
	size_t i = 0;

	while (i < memory->count && (memory->entry[i].line != line ||
				     strcmp(memory->entry[i].chip, chip) != 0))
		i++;
	return i;
}

const struct memory_entry *memory_of(const struct memory *memory,
				     const char *chip, unsigned int line)
{
	size_t i = find(memory, chip, line);

	return i < memory->count ? &memory->entry[i] : NULL;
}

void memory_keep(struct memory *memory, const char *chip, unsigned int line,
		 const struct logic_memory *what)
{
	size_t i = find(memory, chip, line);
	struct memory_entry *entry;

	if (i == PINS_MAX) {
		i = --memory->count;
		memmove(memory->entry, memory->entry + 1,
			i * sizeof(memory->entry[0]));
	}
	if (i == memory->count)
		memory->count++;
	entry = &memory->entry[i];
	*entry = (struct memory_entry){
		.live = true,
		.line = line,
		.memory = *what,
	};
	(void)snprintf(entry->chip, sizeof(entry->chip), "%s", chip);
}

/* ---- writing ------------------------------------------------------------ */

static int set_time(json_t *object, const char *key, uint64_t time)
{
	return json_object_set_new(object, key, json_integer((json_int_t)time));
}

/* The oldest first, so that reading them counts on in the same order. */
static json_t *starts_to_json(const struct logic_memory *m)
{
	uint32_t count =
		m->started < LOGIC_CYCLES_MAX ? m->started : LOGIC_CYCLES_MAX;
	json_t *list = json_array();
	int bad = 0;

	for (uint32_t i = m->started - count; i != m->started; i++)
		bad |= json_array_append_new(
			list,
			json_integer(
				(json_int_t)m->starts[i % LOGIC_CYCLES_MAX]));
	if (bad) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *entry_to_json(const struct memory_entry *entry)
{
	const struct logic_memory *m = &entry->memory;
	json_t *object = json_object();
	int bad = 0;

	bad |= json_object_set_new(object, "chip", json_string(entry->chip));
	bad |= set_time(object, "line", entry->line);
	bad |= json_object_set_new(object, "on", json_boolean(m->on));
	bad |= json_object_set_new(object, "told", json_boolean(m->told));
	/* Seldom, and unknown to those before. */
	if (m->starting)
		bad |= json_object_set_new(object, "starting", json_true());
	bad |= set_time(object, "since", m->since);
	bad |= set_time(object, "off_at", m->off_at);
	bad |= set_time(object, "lease_at", m->lease_at);
	bad |= json_object_set_new(object, "starts", starts_to_json(m));
	if (bad) {
		json_decref(object);
		return NULL;
	}
	return object;
}

char *memory_text(const struct memory *memory)
{
	json_t *document = json_object();
	json_t *list = json_array();
	char boot[BOOT_ID_SIZE];
	char *text = NULL;
	int bad = 0;

	boot_id(boot);
	for (size_t i = 0; i < memory->count; i++)
		bad |= json_array_append_new(list,
					     entry_to_json(&memory->entry[i]));
	bad |= json_object_set_new(document, "boot", json_string(boot));
	bad |= json_object_set_new(document, "outputs", list);
	if (!bad)
		text = json_text(document, JSON_COMPACT);
	json_decref(document);
	return text;
}
