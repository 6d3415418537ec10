/*
 * Which lines are used, as what: the configuration the hub sends on
 * $hearth/gpio/<node>/config and hearth-gpiod keeps in gpio.state,
 *
 *	{"revision":7,"pins":[{"name":"pump","dir":"out","chip":null,"line":17,
 *	  "pin":11,"bias":"as_is","active_low":true,"debounce_ms":0,
 *	  "safe":"off","kind":"relay","label":"Pump","room":"Cellar"}, ...]}
 *
 * An output may also have "boot" ("as_read", "off", "on", "restore"), "interlock"
 * (a group's name) with "dead_ms", "max_on", "min_on", "min_off", "auto_off",
 * "command_timeout" and "failsafe" in seconds, "cycles" an hour, and "locked":
 * logic.h says what they mean.
 *
 * name, dir and line must be there; the others default to what is shown, and
 * to kind "switch" for inputs, bias "up" for inputs (outputs have none, what is
 * said of it is not looked at), and no chip and pin (the board's own header;
 * "pin" is only compared). It is judged as a whole: every
 * mistake is listed with pin and field, and one mistake refuses all of it.
 */
#ifndef GPIO_PINS_H
#define GPIO_PINS_H

#include <jansson.h>

#include "broker/base/slice.h"
#include "gpio/lines.h"
#include "gpio/logic.h"

/* Pins of one node; also what logic.h has room for. */
#define PINS_MAX LOGIC_OUTPUTS_MAX

/* Letters, digits, '-' and '_': a level of a topic, and an identifier for Home
 * Assistant. */
#define PIN_NAME_MAX 32u

/* Longest label and room, bytes: a tile's width. */
#define PIN_TEXT_MAX 64u

/* Longest debounce time. Nobody presses a button for that long by accident. */
#define PIN_DEBOUNCE_MAX_MS 10000u

/* Bytes of a configuration: 64 pins of 500, and room to spare. */
#define PINS_JSON_MAX ((size_t)64 * 1024)

/* Mistakes that are listed; there may be more. */
#define PIN_ERRORS_MAX 64u

enum pin_kind {
	PIN_RELAY,
	PIN_LIGHT,
	PIN_SWITCH,
	PIN_BUTTON,
	PIN_CONTACT,
	PIN_MOTION,
};

struct pin {
	char name[PIN_NAME_MAX + 1];
	enum line_direction direction;
	char chip[LINES_NAME_SIZE]; /* label; "" the header's */
	unsigned int line;
	unsigned int header_pin; /* 0: not said */
	enum line_bias bias; /* outputs: as it is */
	bool active_low;
	uint32_t debounce_ms;
	enum pin_kind kind;
	char interlock[PIN_NAME_MAX + 1]; /* "": none */
	struct logic_rules rules; /* outputs; group follows from interlock */
};

struct pins {
	json_int_t revision; /* given back in the report; -1: none */
	size_t count;
	struct pin pin[PINS_MAX];
};

struct pin_error {
	char pin[PIN_NAME_MAX + 1]; /* "" the whole; "#3" when it has no name */
	char field[16]; /* "" the whole */
	char message[128];
};

struct pin_errors {
	size_t count;
	struct pin_error error[PIN_ERRORS_MAX];
};

/* One more; past PIN_ERRORS_MAX it is not kept. */
__attribute__((format(printf, 4, 5))) void
pin_errors_add(struct pin_errors *errors, const char *pin, const char *field,
	       const char *format, ...);

/*
 * Read a configuration. Returns 0, or -EINVAL with at least one error added; of
 * *out then only the revision means something (-1 where none could be read).
 */
int pins_parse(struct slice json, struct pins *out, struct pin_errors *errors);

/* Does this board have these lines, chip and header pins? Same answers. */
int pins_check(const struct pins *pins, const struct lines *lines,
	       struct pin_errors *errors);

/* The configuration again, labels and rooms left out. NULL: out of memory. */
json_t *pins_to_json(const struct pins *pins);

/* True if both are requested from the kernel in the same way, so that going
 * from one to the other needs no line to be released. */
bool pin_same_line(const struct pin *a, const struct pin *b);
bool pin_same(const struct pin *a, const struct pin *b);

#endif
