/*
 * Any bytes as what hearth-gpiod hears: the first byte chooses a configuration
 * ('p'), a command ('c'), a click ('s'), what a dialect hears ('d'), or a topic
 * ('t'). What is accepted must be in range; what is refused must say why.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/homie.h"
#include "gpio/lines_sim.h"
#include "gpio/pins.h"
#include "gpio/tasmota.h"
#include "gpio/tasmota_command.h"
#include "gpio/topics.h"
#include "gpio/words.h"
#include "tests/fuzz/fuzz.h"

static void check_pins(struct slice bytes)
{
	static struct pin_errors errors;
	static struct pins pins;
	static struct pins again;
	json_t *json;
	char *text;
	int r;

	errors.count = 0;
	r = pins_parse(bytes, &pins, &errors);
	assert((r == 0) == (errors.count == 0));
	for (size_t i = 0; i < errors.count; i++)
		assert(errors.error[i].message[0]);
	if (r)
		return;

	assert(pins.count <= PINS_MAX);
	json = pins_to_json(&pins);
	text = json_text(json, 0);
	assert(pins_parse(slice_str(text), &again, &errors) == 0);
	assert(again.count == pins.count);
	for (size_t i = 0; i < pins.count; i++)
		assert(pin_same(&pins.pin[i], &again.pin[i]));
	free(text);
	json_decref(json);
}

static void check_command(struct slice bytes)
{
	struct topics_command command;
	const char *reason = NULL;
	char *text;

	if (topics_parse_command(bytes, &command, &reason)) {
		text = topics_error(slice_str("t"), bytes, reason, 1);
		assert(reason && text);
		free(text);
		return;
	}
	assert(command.logic.on_time_ms <= LOGIC_TIME_MAX_MS);
	assert(command.logic.verb != LOGIC_OFF || !command.logic.on_time_ms);
	text = topics_result(NULL, true, command.id);
	assert(text);
	free(text);
	topics_command_free(&command);
}

static void check_sim(struct slice bytes)
{
	struct topics_sim sim;
	const char *reason = NULL;

	if (topics_parse_sim(bytes, &sim, &reason)) {
		assert(reason);
		return;
	}
	assert(sim.level >= -1 && sim.level <= 1);
	assert(sim.press_ms <= LINES_SIM_PRESS_MAX);
}

static void check_topic(struct slice bytes)
{
	enum topics_kind kind;
	struct slice name;

	kind = topics_parse("pi", bytes, &name);
	assert(name.len <= bytes.len);
	assert(name.len == 0 || (kind != TOPIC_OTHER && kind != TOPIC_CONFIG &&
				 kind != TOPIC_SIM));
	assert(!name.len || !memchr(name.data, '/', name.len));
}

/* Bytes as a backlog of Tasmota, and each of its arguments as whatever it can be. */
static void check_dialects(struct slice bytes)
{
	struct slice rest = bytes;
	struct tasmota_command command;
	struct slice name, property;
	bool set;

	while (tasmota_backlog_next(&rest, &command)) {
		uint8_t color[LIGHT_CHANNELS_MAX];
		unsigned int hsb[3];
		unsigned int percent;
		enum logic_verb verb;

		assert(command.argument.len <= bytes.len);
		if (tasmota_parse_percent(command.argument, 50, &percent))
			assert(percent <= 100);
		if (tasmota_parse_hsb(command.argument, hsb))
			assert(hsb[0] <= 360 && hsb[1] <= 100 && hsb[2] <= 100);
		(void)words_color(command.argument, 4, color);
		(void)tasmota_parse_power(command.argument, &verb);
	}
	if (tasmota_is_command("pi", bytes, &name))
		assert(name.len > 0 && !memchr(name.data, '/', name.len));
	if (homie_parse("pi", bytes, &name, &property, &set))
		assert(name.len > 0 && property.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_copy copy;

	if (size < 1)
		return 0;

	copy = fuzz_copy(data + 1, size - 1);
	switch (data[0]) {
	case 'p':
		check_pins(copy.bytes);
		break;
	case 'c':
		check_command(copy.bytes);
		break;
	case 's':
		check_sim(copy.bytes);
		break;
	case 'd':
		check_dialects(copy.bytes);
		break;
	default:
		check_topic(copy.bytes);
	}
	fuzz_copy_free(&copy);
	return 0;
}
