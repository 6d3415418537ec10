/*
 * What holds for an output, whoever switches it; hearth-gpiod keeps the rules
 * (gpio/logic.h says what they mean). Words and units are those of REST.
 */
#ifndef DB_PIN_RULES_H
#define DB_PIN_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum db_pin_boot {
	DB_PIN_BOOT_AS_READ,
	DB_PIN_BOOT_OFF,
	DB_PIN_BOOT_ON,
	DB_PIN_BOOT_RESTORE,
};

/* Rules that are a number; 0: no such rule. */
enum db_pin_limit {
	DB_PIN_DEAD_MS, /* of the interlock group */
	DB_PIN_CYCLES, /* starts in any hour */
	DB_PIN_MAX_ON, /* seconds, as the following */
	DB_PIN_MIN_ON,
	DB_PIN_MIN_OFF,
	DB_PIN_AUTO_OFF,
	DB_PIN_COMMAND_TIMEOUT,
	DB_PIN_FAILSAFE,
	DB_PIN_LIMITS,
};

#define DB_PIN_INTERLOCK_MAX 32

struct db_pin_rules {
	enum db_pin_boot boot;
	char interlock[DB_PIN_INTERLOCK_MAX + 1]; /* a group's name; "": none */
	bool locked;
	uint32_t limit[DB_PIN_LIMITS];
};

extern const char *const db_pin_limit_names[DB_PIN_LIMITS];
extern const uint32_t db_pin_limit_max[DB_PIN_LIMITS];

const char *db_pin_boot_text(enum db_pin_boot boot);
/* 0 or -EINVAL. */
int db_pin_boot_parse(const char *text, enum db_pin_boot *out);

struct db_pin;

/* 0, or -EINVAL with the field and what was expected of it (static strings). */
int db_pin_rules_check(const struct db_pin *pin, const char **field,
		       const char **message);

#endif
