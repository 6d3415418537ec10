/*
 * Which lines are used, as what: the configuration the hub sends on
 * $hearth/gpio/<node>/config and hearth-gpiod keeps in gpio.state,
 *
 *	{"revision":7,"pins":[{"name":"pump","dir":"out","line":17, ...}, ...]}
 *
 * and perhaps what pin_dialects.h has. name, dir and line must be there. Of every
 * pin can be said
 *
 *	chip         label of its chip; null: the board's own header
 *	pin          its number on the header; it is only compared
 *	kind         out: "relay", "light", "switch"; in: "switch", "button",
 *	             "contact", "motion", "counter"
 *	label, room  for people, at most PIN_TEXT_MAX bytes
 *	active_low   low is on
 *
 * of an input
 *
 *	bias         "up" (if nothing is said), "down", "none", "as_is"
 *	debounce_ms  a level counts when it has lasted so long
 *	target       name of an output that it switches, hub or no hub, and
 *	mode         how: "follow" (as the input is, also at the start), "toggle"
 *	             (with every change: a wall switch), "momentary" (with every
 *	             press: a button); "detached": not at all
 *	double_ms, long_ms, hold_ms   of a button: clicks.h
 *	unit, per_unit, interval      of a counter: what it counts (at most
 *	             PIN_UNIT_MAX bytes), pulses for one of it, and how often its
 *	             value is published, in seconds
 *
 * of an output
 *
 *	safe         "off", "on", "hold"
 *	boot         "as_read", "off", "on", "restore"
 *	interlock    a group's name, with dead_ms
 *	max_on, min_on, min_off, auto_off, command_timeout, failsafe   in seconds
 *	cycles       starts an hour
 *	locked
 *
 * which logic.h explains. It is judged as a whole: every mistake is listed with
 * pin and field, and one mistake refuses all of it.
 *
 * Below "devices" is what the node has besides pins: devices.h.
 *
 * This header and devices.h, logic.h, lines.h, clicks.h for its types are what the
 * hub knows of gpio/: it judges and keeps pins by the same code.
 */
#ifndef GPIO_PINS_H
#define GPIO_PINS_H

#include <jansson.h>

#include "broker/base/slice.h"
#include "gpio/clicks.h"
#include "gpio/devices.h"
#include "gpio/lines.h"
#include "gpio/logic.h"
#include "gpio/pin_dialects.h"

/* Pins of one node; also what logic.h has room for. */
#define PINS_MAX LOGIC_OUTPUTS_MAX

/* Letters, digits, '-' and '_': a level of a topic, and an identifier for Home
 * Assistant. */
#define PIN_NAME_MAX 32u

/* Longest label and room, bytes: a tile's width. */
#define PIN_TEXT_MAX 64u

/* The kernel's largest chips have 512 lines. */
#define PIN_LINE_MAX 511u

/* Longest dead time: a shutter's motor stops in less. */
#define PIN_DEAD_MAX_MS 60000u

/* Of a counter. A meter's disc of 10,000 pulses for a kWh is the finest there
 * is; a million is a mistake. */
#define PIN_UNIT_MAX 16u
#define PIN_PER_UNIT_MAX 1000000u
#define PIN_INTERVAL_MS 10000u
#define PIN_INTERVAL_MAX 3600u /* seconds */

/* Longest debounce time. Nobody presses a button for that long by accident. */
#define PIN_DEBOUNCE_MAX_MS 10000u

/* Bytes of a configuration: 64 pins of 500, 32 devices of 400, and room to
 * spare. */
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
	PIN_COUNTER,
};

enum pin_mode {
	PIN_DETACHED,
	PIN_FOLLOW,
	PIN_TOGGLE,
	PIN_MOMENTARY,
};

struct pin {
	char name[PIN_NAME_MAX + 1];
	enum line_direction direction;
	char chip[LINES_NAME_SIZE]; /* label; "" the header's */
	unsigned int line;
	unsigned int header_pin; /* 0: not said */
	bool active_low;
	enum pin_kind kind;
	char label[PIN_TEXT_MAX + 1];
	char room[PIN_TEXT_MAX + 1];

	/* Inputs. */
	enum line_bias bias; /* outputs: as it is */
	uint32_t debounce_ms;
	struct clicks_times clicks;
	char target[PIN_NAME_MAX + 1]; /* "": none */
	enum pin_mode mode;
	char unit[PIN_UNIT_MAX + 1];
	double per_unit; /* 0: pulses are all there is */
	uint64_t interval_ms;

	/* Outputs. */
	char interlock[PIN_NAME_MAX + 1]; /* "": none */
	struct logic_rules rules; /* group follows from interlock */
};

struct pins {
	json_int_t revision; /* given back in the report; -1: none */
	struct pin_dialects dialects;
	size_t count;
	struct pin pin[PINS_MAX];
	size_t devices;
	struct device device[DEVICES_MAX];
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
 * Read one pin by itself. Returns 0, or -EINVAL with at least one error added,
 * in which the pin without a name is called fallback.
 */
int pin_parse(json_t *object, const char *fallback, struct pin *out,
	      struct pin_errors *errors);
/* The pin again; all: also what is as by default. NULL: out of memory. */
json_t *pin_to_json(const struct pin *pin, bool all);

struct field_place;

/* The name of a pin or a device, by which it is called from then on; "" if it has
 * none, which is not complained of, or a wrong one, which is. False: it is no object;
 * that is complained of. */
bool pin_take_name(struct field_place *place, json_t *object,
		   char out[PIN_NAME_MAX + 1]);

/* What pins must agree on with each other: names, lines, interlock groups (which
 * get their numbers), targets. Same answers. */
int pins_agree(struct pins *pins, struct pin_errors *errors);

/*
 * Read a configuration. Returns 0, or -EINVAL with at least one error added; of
 * *out then only the revision means something (-1 where none could be read).
 */
int pins_parse(struct slice json, struct pins *out, struct pin_errors *errors);

/* Does this board have these lines, chip and header pins? Same answers. */
int pins_check(const struct pins *pins, struct lines *lines,
	       struct pin_errors *errors);
/* The same, of pins that were good once: a chip that is missing (an expander
 * came loose) is no reason to leave all other outputs to themselves. */
int pins_check_kept(const struct pins *pins, struct lines *lines,
		    struct pin_errors *errors);

/* The configuration again. NULL: out of memory. */
json_t *pins_to_json(const struct pins *pins);

/* The one of this name, or NULL. */
const struct pin *pins_find(const struct pins *pins, const char *name);

/* True if both are requested from the kernel in the same way, so that going
 * from one to the other needs no line to be released. */
bool pin_same_line(const struct pin *a, const struct pin *b);
bool pin_same(const struct pin *a, const struct pin *b);

#endif
