#include "gpio/pin_table.h"

#include "gpio/pin_fields.h"

#define WEEK ((size_t)(LOGIC_TIME_MAX_MS / 1000))

const struct field_word pin_directions[] = {
	{ "in", LINE_INPUT },
	{ "out", LINE_OUTPUT },
	{ NULL, 0 },
};

const struct field_word pin_biases[] = {
	{ "none", LINE_BIAS_NONE },
	{ "up", LINE_BIAS_UP },
	{ "down", LINE_BIAS_DOWN },
	{ "as_is", LINE_BIAS_AS_IS },
	{ NULL, 0 },
};

const struct field_word pin_kinds[] = {
	{ "relay", PIN_RELAY },	    { "light", PIN_LIGHT },
	{ "switch", PIN_SWITCH },   { "button", PIN_BUTTON },
	{ "contact", PIN_CONTACT }, { "motion", PIN_MOTION },
	{ "counter", PIN_COUNTER }, { NULL, 0 },
};

static const struct field_word modes[] = {
	{ "detached", PIN_DETACHED },
	{ "follow", PIN_FOLLOW },
	{ "toggle", PIN_TOGGLE },
	{ "momentary", PIN_MOMENTARY },
	{ NULL, 0 },
};

const struct field_word pin_safes[] = {
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

#define PLACE(member) .offset = offsetof(struct pin, member)
#define RULE(member) .offset = offsetof(struct pin, rules.member)
#define SECONDS(text, member)                                                  \
	{                                                                      \
		text, FIELD_SECONDS, FIELD_OUT, RULE(member##_ms), .max = WEEK \
	}

const struct field pin_table[] = {
	{ "chip", FIELD_TEXT, PLACE(chip), .max = LINES_NAME_SIZE - 1 },
	{ "line", FIELD_NUMBER, PLACE(line), .max = PIN_LINE_MAX,
	  .needed = true },
	{ "pin", FIELD_NUMBER, PLACE(header_pin), .max = 40 },
	{ "kind", FIELD_WORD, PLACE(kind), .words = pin_kinds },
	{ "label", FIELD_TEXT, PLACE(label), .max = PIN_TEXT_MAX },
	{ "room", FIELD_TEXT, PLACE(room), .max = PIN_TEXT_MAX },
	{ "active_low", FIELD_BOOL, PLACE(active_low) },

	{ "bias", FIELD_WORD, FIELD_IN, PLACE(bias), .words = pin_biases },
	{ "debounce_ms", FIELD_NUMBER, FIELD_IN, PLACE(debounce_ms),
	  .max = PIN_DEBOUNCE_MAX_MS },
	{ "double_ms", FIELD_NUMBER, FIELD_IN, PLACE(clicks.double_ms),
	  .max = CLICKS_DOUBLE_MAX_MS },
	{ "long_ms", FIELD_NUMBER, FIELD_IN, PLACE(clicks.long_ms),
	  .max = CLICKS_TIME_MAX_MS },
	{ "hold_ms", FIELD_NUMBER, FIELD_IN, PLACE(clicks.hold_ms),
	  .max = CLICKS_TIME_MAX_MS },
	{ "target", FIELD_TEXT, FIELD_IN, PLACE(target), .max = PIN_NAME_MAX },
	{ "mode", FIELD_WORD, FIELD_IN, PLACE(mode), .words = modes },
	{ "unit", FIELD_TEXT, FIELD_IN, PLACE(unit), .max = PIN_UNIT_MAX },
	{ "per_unit", FIELD_REAL, FIELD_IN, PLACE(per_unit),
	  .max = PIN_PER_UNIT_MAX },
	{ "interval", FIELD_SECONDS, FIELD_IN, PLACE(interval_ms),
	  .max = PIN_INTERVAL_MAX },

	{ "safe", FIELD_WORD, FIELD_OUT, RULE(safe), .words = pin_safes },
	{ "boot", FIELD_WORD, FIELD_OUT, RULE(boot), .words = boots },
	{ "interlock", FIELD_TEXT, FIELD_OUT, PLACE(interlock),
	  .max = PIN_NAME_MAX },
	{ "dead_ms", FIELD_NUMBER, FIELD_OUT, RULE(dead_ms),
	  .max = PIN_DEAD_MAX_MS },
	{ "cycles", FIELD_NUMBER, FIELD_OUT, RULE(cycles),
	  .max = LOGIC_CYCLES_MAX },
	{ "locked", FIELD_BOOL, FIELD_OUT, RULE(locked) },
	SECONDS("max_on", max_on),
	SECONDS("min_on", min_on),
	SECONDS("min_off", min_off),
	SECONDS("auto_off", auto_off),
	SECONDS("command_timeout", command_timeout),
	SECONDS("failsafe", failsafe),
	{ .name = NULL },
};

void pin_defaults(enum line_direction direction, struct pin *out)
{
	bool in = direction == LINE_INPUT;

	*out = (struct pin){
		.direction = direction,
		.bias = in ? LINE_BIAS_UP : LINE_BIAS_AS_IS,
		.kind = in ? PIN_SWITCH : PIN_RELAY,
		.clicks.double_ms = CLICKS_DOUBLE_MS,
		.clicks.long_ms = CLICKS_LONG_MS,
		.interval_ms = PIN_INTERVAL_MS,
	};
}
