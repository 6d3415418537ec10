#include "gpio/device_table.h"

#define EVERY (~0u)
#define SENSORS                                                                \
	(DEVICE_IS(DEVICE_DS18B20) | DEVICE_IS(DEVICE_IIO) |                   \
	 DEVICE_IS(DEVICE_CPU_TEMPERATURE) | DEVICE_IS(DEVICE_UNDER_VOLTAGE) | \
	 DEVICE_IS(DEVICE_THROTTLED))
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
	{ .field.name = NULL },
};

void device_defaults(enum device_kind kind, struct device *out)
{
	*out = (struct device){
		.kind = kind,
		.interval_ms = DEVICE_INTERVAL_MS,
		.factor = 1,
		.end_ms = DEVICE_END_MS,
	};
}
