#include "gpio/pin_rules.h"

#include <string.h>

static const struct field_word safes[] = {
	{ "off", LOGIC_SAFE_OFF },
	{ "on", LOGIC_SAFE_ON },
	{ "hold", LOGIC_SAFE_HOLD },
	{ NULL, 0 },
};

static const struct field_word boots[] = {
	{ "as_read", LOGIC_BOOT_AS_READ },
	{ "off", LOGIC_BOOT_OFF },
	{ "on", LOGIC_BOOT_ON },
	{ "restore", LOGIC_BOOT_RESTORE },
	{ NULL, 0 },
};

/* Members in seconds. */
static const struct {
	const char *field;
	size_t offset;
} times[] = {
	{ "max_on", offsetof(struct logic_rules, max_on_ms) },
	{ "min_on", offsetof(struct logic_rules, min_on_ms) },
	{ "min_off", offsetof(struct logic_rules, min_off_ms) },
	{ "auto_off", offsetof(struct logic_rules, auto_off_ms) },
	{ "command_timeout", offsetof(struct logic_rules, command_timeout_ms) },
	{ "failsafe", offsetof(struct logic_rules, failsafe_ms) },
};

#define TIMES (sizeof(times) / sizeof(times[0]))

static const char *const others[] = { "safe",	 "boot",   "interlock",
				      "dead_ms", "cycles", "locked" };

/* Longest dead time: a shutter's motor stops in less. */
#define DEAD_MAX_MS 60000u

static uint64_t *time_of(struct logic_rules *rules, size_t i)
{
	return (uint64_t *)(void *)((char *)rules + times[i].offset);
}

bool pin_rules_know(const char *field)
{
	for (size_t i = 0; i < TIMES; i++)
		if (strcmp(times[i].field, field) == 0)
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i], field) == 0)
			return true;
	return false;
}

void pin_rules_take(const struct field_place *place, json_t *object,
		    struct pin *out)
{
	struct logic_rules *rules = &out->rules;
	unsigned int dead = 0, cycles = 0;
	int safe = LOGIC_SAFE_OFF;
	int boot = LOGIC_BOOT_AS_READ;

	field_word(place, "safe", json_object_get(object, "safe"), safes,
		   &safe);
	field_word(place, "boot", json_object_get(object, "boot"), boots,
		   &boot);
	field_text(place, "interlock", json_object_get(object, "interlock"),
		   out->interlock, sizeof(out->interlock));
	field_number(place, "dead_ms", json_object_get(object, "dead_ms"),
		     DEAD_MAX_MS, &dead);
	field_number(place, "cycles", json_object_get(object, "cycles"),
		     LOGIC_CYCLES_MAX, &cycles);
	field_bool(place, "locked", json_object_get(object, "locked"),
		   &rules->locked);
	for (size_t i = 0; i < TIMES; i++)
		field_seconds(place, times[i].field,
			      json_object_get(object, times[i].field),
			      time_of(rules, i));
	rules->safe = (enum logic_safe)safe;
	rules->boot = (enum logic_boot)boot;
	rules->dead_ms = dead;
	rules->cycles = (uint8_t)cycles;
}

static void complain(const struct field_place *place, const char *field,
		     const char *why)
{
	pin_errors_add(place->errors, place->pin, field, "%s", why);
}

static void check_input(const struct field_place *place, json_t *object)
{
	const char *field;
	json_t *value;

	json_object_foreach(object, field, value)
	{
		/* The hub's answer for an input has it, as for all. */
		if (pin_rules_know(field) && strcmp(field, "safe") != 0 &&
		    !json_is_null(value))
			complain(place, field, "is for outputs");
	}
}

void pin_rules_check(const struct field_place *place, json_t *object,
		     const struct pin *pin)
{
	const struct logic_rules *rules = &pin->rules;

	if (pin->direction == LINE_INPUT) {
		check_input(place, object);
		return;
	}
	if (rules->max_on_ms && rules->max_on_ms <= rules->min_on_ms)
		complain(place, "max_on", "must be longer than min_on");
	if (rules->max_on_ms && rules->safe == LOGIC_SAFE_ON)
		complain(place, "safe", "cannot be on with max_on");
	if (pin->interlock[0] && rules->safe == LOGIC_SAFE_ON)
		complain(place, "safe", "cannot be on in an interlock group");
	if (pin->interlock[0] && rules->boot == LOGIC_BOOT_ON)
		complain(place, "boot", "cannot be on in an interlock group");
	if (rules->dead_ms && !pin->interlock[0])
		complain(place, "dead_ms", "is for interlock groups");
}

static unsigned int members(const struct pins *pins, const char *interlock)
{
	unsigned int n = 0;

	for (size_t i = 0; i < pins->count; i++)
		n += strcmp(pins->pin[i].interlock, interlock) == 0;
	return n;
}

void pin_rules_group(struct pins *pins, struct pin_errors *errors)
{
	uint8_t groups = 0;

	for (size_t i = 0; i < pins->count; i++) {
		struct pin *pin = &pins->pin[i];

		if (!pin->interlock[0])
			continue;
		if (members(pins, pin->interlock) < 2)
			pin_errors_add(errors, pin->name, "interlock",
				       "no other output is in %s",
				       pin->interlock);
		pin->rules.group = 0;
		for (size_t k = 0; k < i && !pin->rules.group; k++)
			if (strcmp(pins->pin[k].interlock, pin->interlock) == 0)
				pin->rules.group = pins->pin[k].rules.group;
		if (!pin->rules.group)
			pin->rules.group = ++groups;
	}
}

static int set_seconds(json_t *object, const char *field, uint64_t ms)
{
	if (!ms)
		return 0;
	return json_object_set_new(
		object, field,
		ms % 1000 ? json_real((double)ms / 1000)
			  : json_integer((json_int_t)ms / 1000));
}

static int set_number(json_t *object, const char *field, unsigned int number)
{
	return number ? json_object_set_new(object, field, json_integer(number))
		      : 0;
}

int pin_rules_to_json(const struct pin *pin, json_t *object)
{
	struct logic_rules rules = pin->rules;
	int bad = json_object_set_new(
		object, "safe",
		json_string(field_word_text(safes, (int)rules.safe)));

	if (rules.boot != LOGIC_BOOT_AS_READ)
		bad |= json_object_set_new(
			object, "boot",
			json_string(field_word_text(boots, (int)rules.boot)));
	if (pin->interlock[0])
		bad |= json_object_set_new(object, "interlock",
					   json_string(pin->interlock));
	bad |= set_number(object, "dead_ms", rules.dead_ms);
	bad |= set_number(object, "cycles", rules.cycles);
	if (rules.locked)
		bad |= json_object_set_new(object, "locked", json_true());
	for (size_t i = 0; i < TIMES; i++)
		bad |= set_seconds(object, times[i].field, *time_of(&rules, i));
	return bad;
}

bool pin_rules_same(const struct pin *a, const struct pin *b)
{
	const struct logic_rules *x = &a->rules, *y = &b->rules;

	return strcmp(a->interlock, b->interlock) == 0 && x->safe == y->safe &&
	       x->boot == y->boot && x->locked == y->locked &&
	       x->cycles == y->cycles && x->dead_ms == y->dead_ms &&
	       x->max_on_ms == y->max_on_ms && x->min_on_ms == y->min_on_ms &&
	       x->min_off_ms == y->min_off_ms &&
	       x->auto_off_ms == y->auto_off_ms &&
	       x->command_timeout_ms == y->command_timeout_ms &&
	       x->failsafe_ms == y->failsafe_ms;
}
