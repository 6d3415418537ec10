/* What each kind of pin is to Home Assistant: a table, and what its components
 * say. The keys are Home Assistant's abbreviations. */
#include <stdio.h>
#include <string.h>

#include "gpio/clicks.h"
#include "gpio/discovery_internal.h"
#include "gpio/topics.h"

/* ---- one component ------------------------------------------------------ */

static void put(struct discovery *d, json_t *to, const char *key,
		const char *text)
{
	discovery_put_text(d, to, key, text);
}

static void put_topic(struct discovery *d, json_t *to, const char *key,
		      const char *kind, const struct pin *pin,
		      const char *suffix)
{
	discovery_put_topic(d, to, key, kind, pin->name, suffix);
}

static const char *label_of(const struct pin *pin)
{
	return pin->label[0] ? pin->label : pin->name;
}

/* "gpio17", "gpiochip2_5": what the line is called, whatever the pin is. */
static void put_line(char out[DISCOVERY_NAME_SIZE], const struct pin *pin)
{
	char chip[DIALECT_ID_SIZE];

	if (pin->chip[0])
		(void)snprintf(out, DISCOVERY_NAME_SIZE, "%s_%u",
			       dialect_id(chip, pin->chip), pin->line);
	else
		(void)snprintf(out, DISCOVERY_NAME_SIZE, "gpio%u", pin->line);
}

/* What is no entity: it has no state, and is not available or not. */
static json_t *add(struct discovery *d, const struct pin *pin,
		   const char *platform, const char *suffix)
{
	char line[DISCOVERY_NAME_SIZE];

	put_line(line, pin);
	return discovery_add(d, platform, line, suffix);
}

/* what says more than the pin's label. Available if the pin obeys. */
static json_t *add_entity(struct discovery *d, const struct pin *pin,
			  const char *platform, const char *suffix,
			  const char *what)
{
	char line[DISCOVERY_NAME_SIZE];
	char label[PIN_TEXT_MAX + 32];
	char topic[TOPICS_SIZE];
	json_t *one;

	put_line(line, pin);
	(void)snprintf(label, sizeof(label), "%s%s%s", label_of(pin),
		       what[0] ? " " : "", what);
	one = discovery_add_entity(d, platform, line, suffix, label);
	discovery_put_available(
		d, one,
		topics_pin(topic, d->box->node,
			   pin->direction == LINE_OUTPUT ? "out" : "in",
			   pin->name, "/status"),
		NULL);
	return one;
}

/* ---- outputs ------------------------------------------------------------ */

static void put_switch(struct discovery *d, const struct pin *pin)
{
	json_t *one = add_entity(d, pin, "switch", "", "");

	put_topic(d, one, "stat_t", "out", pin, "");
	put_topic(d, one, "cmd_t", "out", pin, "/set");
}

static void put_light(struct discovery *d, const struct pin *pin)
{
	json_t *one = add_entity(d, pin, "light", "", "");

	put(d, one, "schema", "json");
	put_topic(d, one, "stat_t", "light", pin, "");
	put_topic(d, one, "cmd_t", "light", pin, "/set");
}

/* ---- inputs ------------------------------------------------------------- */

static json_t *put_level(struct discovery *d, const struct pin *pin,
			 const char *device_class)
{
	json_t *one = add_entity(d, pin, "binary_sensor", "", "");

	put_topic(d, one, "stat_t", "in", pin, "");
	if (device_class)
		put(d, one, "dev_cla", device_class);
	return one;
}

static void put_input(struct discovery *d, const struct pin *pin)
{
	(void)put_level(d, pin, NULL);
}

static void put_contact(struct discovery *d, const struct pin *pin)
{
	(void)put_level(d, pin, "opening");
}

static void put_motion(struct discovery *d, const struct pin *pin)
{
	(void)put_level(d, pin, "motion");
}

/* What a button can say, and Home Assistant's word for it where it has one. */
static const struct {
	enum click click;
	const char *trigger;
} clicks[] = {
	{ CLICK_PRESS, "button_press" },
	{ CLICK_RELEASE, "button_release" },
	{ CLICK_SINGLE, "button_short_press" },
	{ CLICK_DOUBLE, "button_double_press" },
	{ CLICK_TRIPLE, "button_triple_press" },
	{ CLICK_LONG, "button_long_press" },
	{ CLICK_HOLD, "button_hold" },
};

#define CLICKS (sizeof(clicks) / sizeof(clicks[0]))

static bool can_say(const struct pin *pin, enum click click)
{
	switch (click) {
	case CLICK_DOUBLE:
	case CLICK_TRIPLE:
		return pin->clicks.double_ms > 0;
	case CLICK_LONG:
		return pin->clicks.long_ms > 0;
	case CLICK_HOLD:
		return pin->clicks.hold_ms > 0;
	case CLICK_PRESS:
	case CLICK_RELEASE:
	case CLICK_SINGLE:
		return true;
	}
	return false;
}

static void put_trigger(struct discovery *d, const struct pin *pin,
			const char *click, const char *type)
{
	json_t *one = add(d, pin, "device_automation", click);

	put(d, one, "atype", "trigger");
	put_topic(d, one, "t", "in", pin, "/event");
	put(d, one, "pl", click);
	put(d, one, "val_tpl", "{{ value_json.event_type }}");
	put(d, one, "type", type);
	put(d, one, "stype", label_of(pin));
}

static void put_button(struct discovery *d, const struct pin *pin)
{
	json_t *event = add_entity(d, pin, "event", "", "");
	json_t *types = json_array();

	(void)put_level(d, pin, NULL);
	put_topic(d, event, "stat_t", "in", pin, "/event");
	put(d, event, "dev_cla", "button");
	for (size_t i = 0; i < CLICKS; i++) {
		const char *text = click_text(clicks[i].click);

		if (!can_say(pin, clicks[i].click))
			continue;
		d->bad |= json_array_append_new(types, json_string(text));
		put_trigger(d, pin, text, clicks[i].trigger);
	}
	d->bad |= json_object_set_new(event, "event_types", types);
}

/* ---- counters ----------------------------------------------------------- */

/* What our units are to Home Assistant, and what comes of them in an hour. A class
 * allows certain units only; without one any is fine. */
static const struct unit {
	const char *unit; /* as people write it */
	const char *known; /* as Home Assistant does */
	const char *class;
	const char *rate; /* of one an hour */
	const char *rate_class;
} units[] = {
	{ "kWh", "kWh", "energy", "kW", "power" },
	{ "Wh", "Wh", "energy", "W", "power" },
	{ "MWh", "MWh", "energy", "MW", "power" },
	{ "m³", "m³", "volume", "m³/h", "volume_flow_rate" },
	{ "m3", "m³", "volume", "m³/h", "volume_flow_rate" },
	{ "L", "L", "volume", "L/h", NULL },
	{ "l", "L", "volume", "L/h", NULL },
	{ "gal", "gal", "volume", "gal/h", NULL },
	{ "ft³", "ft³", "volume", "ft³/h", NULL },
};

static const struct unit *unit_of(const struct pin *pin)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].unit, pin->unit) == 0)
			return &units[i];
	return NULL;
}

static void put_unit(struct discovery *d, json_t *to, const char *class,
		     const char *unit, const char *state_class)
{
	if (class)
		put(d, to, "dev_cla", class);
	if (unit[0])
		put(d, to, "unit_of_meas", unit);
	put(d, to, "stat_cla", state_class);
}

static void put_rate(struct discovery *d, const struct pin *pin,
		     const struct unit *unit)
{
	json_t *one = add_entity(d, pin, "sensor", "rate", "rate");
	char text[PIN_UNIT_MAX + 8];

	(void)snprintf(text, sizeof(text), "%s/h",
		       pin->unit[0] ? pin->unit : "pulses");
	put_topic(d, one, "stat_t", "in", pin, "/rate");
	put_unit(d, one, unit ? unit->rate_class : NULL,
		 unit ? unit->rate : text, "measurement");
}

static void put_counter(struct discovery *d, const struct pin *pin)
{
	const struct unit *unit = pin->per_unit > 0 ? unit_of(pin) : NULL;
	bool meter = pin->per_unit > 0;
	json_t *count =
		add_entity(d, pin, "sensor", "count", meter ? "pulses" : "");
	json_t *value;

	put_topic(d, count, "stat_t", "in", pin, "/count");
	put_unit(d, count, NULL, meter || !pin->unit[0] ? "pulses" : pin->unit,
		 "total_increasing");
	put_rate(d, pin, unit);
	if (!meter)
		return;
	put(d, count, "ent_cat", "diagnostic");
	value = add_entity(d, pin, "sensor", "", "");
	put_topic(d, value, "stat_t", "sensor", pin, "");
	put_unit(d, value, unit ? unit->class : NULL,
		 unit ? unit->known : pin->unit, "total_increasing");
}

/* ---- all ---------------------------------------------------------------- */

static const struct {
	enum line_direction direction;
	enum pin_kind kind;
	void (*put)(struct discovery *d, const struct pin *pin);
} kinds[] = {
	{ LINE_OUTPUT, PIN_RELAY, put_switch },
	{ LINE_OUTPUT, PIN_SWITCH, put_switch },
	{ LINE_OUTPUT, PIN_LIGHT, put_light },
	{ LINE_INPUT, PIN_SWITCH, put_input },
	{ LINE_INPUT, PIN_CONTACT, put_contact },
	{ LINE_INPUT, PIN_MOTION, put_motion },
	{ LINE_INPUT, PIN_BUTTON, put_button },
	{ LINE_INPUT, PIN_COUNTER, put_counter },
};

void discovery_put_pin(struct discovery *discovery, const struct pin *pin)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].direction == pin->direction &&
		    kinds[i].kind == pin->kind)
			kinds[i].put(discovery, pin);
}
