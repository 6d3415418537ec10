/*
 * What a node has besides pins: sensors that the kernel reads, and covers, which
 * two of its outputs drive, and lights that can be dimmed. They are in the same configuration, below "devices", and judged with it (pins.h):
 *
 *	{"pins":[...],"devices":[{"name":"boiler","kind":"ds18b20",
 *	 "source":"28-0316a2791cff","interval":30,"delta":0.2}, ...]}
 *
 * name and kind must be there. Of every device can be said
 *
 *	kind         "ds18b20", "iio", "cpu_temperature", "under_voltage",
 *	             "throttled" (1 or 0); "cover"; "light"
 *	label, room  for people
 *
 * of a sensor
 *
 *	source       which: of a ds18b20 its number on the 1-Wire bus; of an iio
 *	             its name, or its address, and a channel: "bme280/in_temp",
 *	             "1-0076/in_pressure"; the others are there once
 *	unit         for people; if nothing is said, that of the kind or channel
 *	interval     how often it is read, in seconds
 *	delta        published when it differs by so much from what was said last;
 *	             0: when it differs
 *	factor, offset   value * factor + offset is what is published
 *
 * of a cover
 *
 *	up, down     names of the outputs that drive it: of one interlock group,
 *	             safe when off, free to stop at any time
 *	up_time, down_time   seconds from closed to open, and from open to closed
 *	end_time     seconds that it runs on at the ends, where its own switch
 *	             stops it, so that its position is right again
 *
 * which cover.h explains; of a light (that can be dimmed)
 *
 *	outputs      one, three (red, green, blue) or four (white too) channels with
 *	             a space between them: "pwm:fe20c000.pwm:0", "led:ACT"
 *	frequency    of PWM, in Hz
 *	inverted     low is light
 *	gamma        the share of time is the gamma-th power of the brightness
 *	transition   seconds from one brightness to another, where nothing is said
 *	safe, boot (no "restore"), locked, max_on, auto_off, command_timeout,
 *	failsafe     as of outputs: logic.h
 *
 * The hub knows this header too.
 */
#ifndef GPIO_DEVICES_H
#define GPIO_DEVICES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpio/channel_name.h"
#include "gpio/logic.h"

/* Devices of one node: a 1-Wire bus of a house has a dozen. */
#define DEVICES_MAX 32u

/* As those of pins: names share their topics. */
#define DEVICE_NAME_MAX 32u
#define DEVICE_TEXT_MAX 64u
#define DEVICE_UNIT_MAX 16u

/* A name in sysfs and a channel. */
#define DEVICE_SOURCE_MAX 96u

/* A reading takes a DS18B20 most of a second, so more often is of no use; less
 * often than once a day nobody needs. */
#define DEVICE_INTERVAL_MS 60000u
#define DEVICE_INTERVAL_MIN_MS 1000u
#define DEVICE_INTERVAL_MAX 86400u /* seconds */

/* A gate may take minutes; more is a mistake. */
#define DEVICE_TRAVEL_MAX 600u /* seconds */
#define DEVICE_TRAVEL_MIN_MS 100u
#define DEVICE_END_MS 2000u
#define DEVICE_END_MAX 60u /* seconds */

/* Of delta, factor, offset. A sensor's scale is not off by more. */
#define DEVICE_REAL_MAX 1000000u

/* Of a light: channels and the spaces between them. */
#define DEVICE_OUTPUTS_MAX (CHANNEL_NAMES_MAX * (CHANNEL_NAME_MAX + 1) - 1)

/* No driver here goes beyond; the eye needs some hundred. */
#define DEVICE_FREQUENCY 1000u
#define DEVICE_FREQUENCY_MAX 100000u /* Hz */
#define DEVICE_GAMMA 2.2
#define DEVICE_GAMMA_MAX 5u
#define DEVICE_TRANSITION_MAX 60u /* seconds */

enum device_kind {
	DEVICE_DS18B20,
	DEVICE_IIO,
	DEVICE_CPU_TEMPERATURE,
	DEVICE_UNDER_VOLTAGE,
	DEVICE_THROTTLED,
	DEVICE_COVER,
	DEVICE_LIGHT,
};

struct device {
	enum device_kind kind;
	char name[DEVICE_NAME_MAX + 1];
	char label[DEVICE_TEXT_MAX + 1];
	char room[DEVICE_TEXT_MAX + 1];

	/* Texts: of sensors, */
	char source[DEVICE_SOURCE_MAX + 1];
	char unit[DEVICE_UNIT_MAX + 1]; /* see device_unit() */
	/* covers, */
	char up[DEVICE_NAME_MAX + 1];
	char down[DEVICE_NAME_MAX + 1];
	/* lights. */
	char outputs[DEVICE_OUTPUTS_MAX + 1];
	bool inverted;
	uint32_t frequency;

	/* Numbers: of sensors, */
	uint64_t interval_ms;
	double delta;
	double factor;
	double offset;
	/* covers, */
	uint64_t up_ms;
	uint64_t down_ms;
	uint64_t end_ms;
	/* lights. */
	double gamma;
	uint64_t transition_ms;
	struct logic_rules rules;
};

struct pins;
struct pin_errors;

/* As pin_parse() and pin_to_json() of pins.h. */
int device_parse(json_t *object, const char *fallback, struct device *out,
		 struct pin_errors *errors);
json_t *device_to_json(const struct device *device, bool all);

/* The word for a kind. */
const char *device_kind_text(enum device_kind kind);
/* What its values are in: unit, or what follows from kind and source. */
const char *device_unit(const struct device *device);

/* The devices of a configuration: what pins_parse() and pins_to_json() of pins.h
 * do with them. Not 0: out of memory. */
void devices_take(json_t *document, struct pins *out,
		  struct pin_errors *errors);
int devices_put(const struct pins *pins, json_t *document);
/* What devices must agree on with each other and with the pins. */
void devices_agree(const struct pins *pins, struct pin_errors *errors);

/* The one of this name, or NULL. */
const struct device *devices_find(const struct pins *pins, const char *name);
bool device_same(const struct device *a, const struct device *b);

#endif
