#include "gpio/device_table.h"

#include "gpio/pin_table.h"

#define EVERY (~0u)
#define SENSORS                                                                \
	(DEVICE_IS(DEVICE_DS18B20) | DEVICE_IS(DEVICE_IIO) |                   \
	 DEVICE_IS(DEVICE_CPU_TEMPERATURE) | DEVICE_IS(DEVICE_UNDER_VOLTAGE) | \
	 DEVICE_IS(DEVICE_THROTTLED))
#define LIGHTS DEVICE_IS(DEVICE_LIGHT)
#define COVERS DEVICE_IS(DEVICE_COVER)
#define CHOSEN (DEVICE_IS(DEVICE_DS18B20) | DEVICE_IS(DEVICE_IIO))
#define MEASURING (CHOSEN | DEVICE_IS(DEVICE_CPU_TEMPERATURE))

const struct field_word device_kinds[] = {
	{ "ds18b20", DEVICE_DS18B20 },
	{ "iio", DEVICE_IIO },
	{ "cpu_temperature", DEVICE_CPU_TEMPERATURE },
	{ "under_voltage", DEVICE_UNDER_VOLTAGE },
	{ "throttled", DEVICE_THROTTLED },
	{ "cover", DEVICE_COVER },
	{ "light", DEVICE_LIGHT },
	{ NULL, 0 },
};

#define PLACE(member) .offset = offsetof(struct device, member)
#define TEXT(text, member, longest)                                \
	{                                                          \
		.name = (text), .type = FIELD_TEXT, PLACE(member), \
		.max = (longest)                                   \
	}
#define REAL(text, kind)                                    \
	{                                                   \
		.name = #text, .type = (kind), PLACE(text), \
		.max = DEVICE_REAL_MAX                      \
	}

#define SECONDS(text, member, longest)                                \
	{                                                             \
		.name = (text), .type = FIELD_SECONDS, PLACE(member), \
		.max = (longest)                                      \
	}

#define RULE(text, member)                           \
	{                                            \
		{ .name = (text),                    \
		  .type = FIELD_SECONDS,             \
		  PLACE(rules.member),               \
		  .max = LOGIC_TIME_MAX_MS / 1000 }, \
			LIGHTS                       \
	}

/* What it was told is not kept: its brightness is where it was left. */
static const struct field_word boots[] = {
	{ "as_read", LOGIC_BOOT_AS_READ },
	{ "off", LOGIC_BOOT_OFF },
	{ "on", LOGIC_BOOT_ON },
	{ NULL, 0 },
};

const struct device_field device_table[] = {
	{ TEXT("label", label, DEVICE_TEXT_MAX), EVERY },
	{ TEXT("room", room, DEVICE_TEXT_MAX), EVERY },
	{ TEXT("source", source, DEVICE_SOURCE_MAX), CHOSEN },
	{ TEXT("unit", unit, DEVICE_UNIT_MAX), MEASURING },
	{ { .name = "interval",
	    .type = FIELD_SECONDS,
	    PLACE(interval_ms),
	    .max = DEVICE_INTERVAL_MAX },
	  SENSORS },
	{ REAL(delta, FIELD_REAL), MEASURING },
	{ REAL(factor, FIELD_SIGNED), MEASURING },
	{ REAL(offset, FIELD_SIGNED), MEASURING },
	{ TEXT("up", up, DEVICE_NAME_MAX), COVERS },
	{ TEXT("down", down, DEVICE_NAME_MAX), COVERS },
	{ SECONDS("up_time", up_ms, DEVICE_TRAVEL_MAX), COVERS },
	{ SECONDS("down_time", down_ms, DEVICE_TRAVEL_MAX), COVERS },
	{ SECONDS("end_time", end_ms, DEVICE_END_MAX), COVERS },
	{ TEXT("outputs", outputs, DEVICE_OUTPUTS_MAX), LIGHTS },
	{ { .name = "frequency",
	    .type = FIELD_NUMBER,
	    PLACE(frequency),
	    .max = DEVICE_FREQUENCY_MAX },
	  LIGHTS },
	{ { .name = "inverted", .type = FIELD_BOOL, PLACE(inverted) }, LIGHTS },
	{ { .name = "gamma",
	    .type = FIELD_REAL,
	    PLACE(gamma),
	    .max = DEVICE_GAMMA_MAX },
	  LIGHTS },
	{ SECONDS("transition", transition_ms, DEVICE_TRANSITION_MAX), LIGHTS },
	{ { .name = "safe",
	    .type = FIELD_WORD,
	    PLACE(rules.safe),
	    .words = pin_safes },
	  LIGHTS },
	{ { .name = "boot",
	    .type = FIELD_WORD,
	    PLACE(rules.boot),
	    .words = boots },
	  LIGHTS },
	{ { .name = "locked", .type = FIELD_BOOL, PLACE(rules.locked) },
	  LIGHTS },
	RULE("max_on", max_on_ms),
	RULE("auto_off", auto_off_ms),
	RULE("command_timeout", command_timeout_ms),
	RULE("failsafe", failsafe_ms),
	{ .field.name = NULL },
};

void device_defaults(enum device_kind kind, struct device *out)
{
	*out = (struct device){
		.kind = kind,
		.interval_ms = DEVICE_INTERVAL_MS,
		.factor = 1,
		.end_ms = DEVICE_END_MS,
		.frequency = DEVICE_FREQUENCY,
		.gamma = DEVICE_GAMMA,
	};
}
