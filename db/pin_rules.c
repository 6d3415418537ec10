#include "db/pin_rules.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "db/pins.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WEEK (7u * 24 * 3600)

static const char *const boots[] = { "as_read", "off", "on", "restore" };

const char *const db_pin_limit_names[DB_PIN_LIMITS] = {
	"dead_ms", "cycles",   "max_on",	  "min_on",
	"min_off", "auto_off", "command_timeout", "failsafe",
};

const uint32_t db_pin_limit_max[DB_PIN_LIMITS] = {
	60000, 60, WEEK, WEEK, WEEK, WEEK, WEEK, WEEK,
};

static const char *const ranges[DB_PIN_LIMITS] = {
	"0 to 60000",  "0 to 60",     "0 to 604800", "0 to 604800",
	"0 to 604800", "0 to 604800", "0 to 604800", "0 to 604800",
};

const char *db_pin_boot_text(enum db_pin_boot boot)
{
	return (size_t)boot < COUNT(boots) ? boots[boot] : NULL;
}

int db_pin_boot_parse(const char *text, enum db_pin_boot *out)
{
	for (size_t i = 0; i < COUNT(boots); i++) {
		if (strcmp(boots[i], text) == 0) {
			*out = (enum db_pin_boot)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool group_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len <= DB_PIN_INTERLOCK_MAX && !name[len];
}

static bool any(const struct db_pin_rules *rules)
{
	for (size_t i = 0; i < DB_PIN_LIMITS; i++)
		if (rules->limit[i])
			return true;
	return rules->boot || rules->interlock[0] || rules->locked;
}

int db_pin_rules_check(const struct db_pin *pin, const char **field,
		       const char **message)
{
	const struct db_pin_rules *rules = &pin->rules;
	const uint32_t max_on = rules->limit[DB_PIN_MAX_ON];
	const bool group = rules->interlock[0];
	const bool safe_on = pin->safe == DB_PIN_SAFE_ON;
	const struct {
		bool ok;
		const char *field;
		const char *message;
	} checks[] = {
		{ db_pin_boot_text(rules->boot) != NULL, "boot",
		  "as_read, off, on or restore" },
		{ group_valid(rules->interlock), "interlock",
		  "at most 32 of a-z, 0-9, _ and -" },
		{ pin->dir == DB_PIN_OUT || !any(rules), "dir",
		  "out: rules are for outputs" },
		{ !max_on || max_on > rules->limit[DB_PIN_MIN_ON], "max_on",
		  "longer than min_on" },
		{ !max_on || !safe_on, "safe", "not on with max_on" },
		{ !group || !safe_on, "safe", "not on in an interlock group" },
		{ !group || rules->boot != DB_PIN_BOOT_ON, "boot",
		  "not on in an interlock group" },
		{ group || !rules->limit[DB_PIN_DEAD_MS], "dead_ms",
		  "0 outside of interlock groups" },
	};

	for (size_t i = 0; i < DB_PIN_LIMITS; i++) {
		if (rules->limit[i] <= db_pin_limit_max[i])
			continue;
		*field = db_pin_limit_names[i];
		*message = ranges[i];
		return -EINVAL;
	}
	for (size_t i = 0; i < COUNT(checks); i++) {
		if (checks[i].ok)
			continue;
		*field = checks[i].field;
		*message = checks[i].message;
		return -EINVAL;
	}
	return 0;
}
