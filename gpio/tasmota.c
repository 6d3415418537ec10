#include "gpio/tasmota.h"

#include <stdio.h>
#include <string.h>

#include "broker/base/json_text.h"

/* What a relay is, in "rl". */
#define NOTHING 0
#define RELAY 1
#define LIGHT 2
#define SHUTTER 3

/* "swc": the input is said as it is, or there is none. */
#define FOLLOWS 1
#define NO_SWITCH (-1)

const char *tasmota_device(char out[TASMOTA_DEVICE_SIZE], const char *node)
{
	char id[DIALECT_ID_SIZE];

	(void)snprintf(out, TASMOTA_DEVICE_SIZE, "hearth_%s",
		       dialect_id(id, node));
	return out;
}

const char *tasmota_topic(char out[TASMOTA_TOPIC_SIZE], const char *prefix,
			  const char *node, const char *leaf)
{
	char name[TASMOTA_DEVICE_SIZE];

	(void)snprintf(out, TASMOTA_TOPIC_SIZE, "%s/%s/%s", prefix,
		       tasmota_device(name, node), leaf);
	return out;
}

const char *tasmota_discovery_topic(char out[TASMOTA_TOPIC_SIZE],
				    const char *node, const char *leaf)
{
	char mac[DIALECT_MAC_SIZE];

	(void)snprintf(out, TASMOTA_TOPIC_SIZE, "tasmota/discovery/%s/%s",
		       dialect_tasmota_mac(mac, node), leaf);
	return out;
}

static bool take_prefix(struct slice *text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (text->len < len || memcmp(text->data, prefix, len) != 0)
		return false;
	*text = slice_of(text->data + len, text->len - len);
	return true;
}

bool tasmota_is_command(const char *node, struct slice topic,
			struct slice *command)
{
	char own[TASMOTA_TOPIC_SIZE];

	if (!take_prefix(&topic, tasmota_topic(own, "cmnd", node, "")) &&
	    !take_prefix(&topic, TASMOTA_GROUP))
		return false;
	*command = topic;
	return topic.len > 0 && !memchr(topic.data, '/', topic.len);
}

/* ---- what there is ------------------------------------------------------ */

size_t tasmota_lights(const struct discovery_things *things,
		      const struct device **light)
{
	size_t count = 0;

	for (size_t i = 0; i < things->devices; i++) {
		if (things->device[i]->kind != DEVICE_LIGHT)
			continue;
		*light = things->device[i];
		count++;
	}
	return count;
}

unsigned int tasmota_channels(const struct device *light)
{
	struct channel_name names[CHANNEL_NAMES_MAX];

	return channel_names_split(light->outputs, names);
}

const char *tasmota_quantity(const char *unit, const char *source)
{
	static const struct {
		const char *unit;
		const char *quantity;
		const char *source; /* what the source must have in it */
	} table[] = {
		{ "°C", "Temperature", "" },  { "hPa", "Pressure", "" },
		{ "%", "Humidity", "humid" }, { "lx", "Illuminance", "" },
		{ "V", "Voltage", "" },	      { "A", "Current", "" },
		{ "W", "Power", "" },	      { "kWh", "Total", "" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].unit, unit) == 0 &&
		    strstr(source, table[i].source))
			return table[i].quantity;
	return "Value";
}

/* A place among the relays; 0: it has none. */
static unsigned int place_of(const struct tasmota_numbers *numbers,
			     const struct device *cover)
{
	unsigned int up = tasmota_number(numbers, TASMOTA_RELAYS, cover->up);
	unsigned int down =
		tasmota_number(numbers, TASMOTA_RELAYS, cover->down);

	return cover->kind == DEVICE_COVER && up && down == up + 1 ? up : 0;
}

const struct device *tasmota_shutter(const struct tasmota_numbers *numbers,
				     const struct discovery_things *things,
				     unsigned int number)
{
	const struct device *at = NULL;
	unsigned int last = 0;

	/* The one behind the last, so often. */
	while (number-- > 0) {
		unsigned int next = 0;

		at = NULL;
		for (size_t i = 0; i < things->devices; i++) {
			unsigned int place =
				place_of(numbers, things->device[i]);

			if (place > last && (!next || place < next)) {
				next = place;
				at = things->device[i];
			}
		}
		if (!at)
			return NULL;
		last = next;
	}
	return at;
}

/* ---- the document ------------------------------------------------------- */

static int put_text(json_t *to, const char *key, const char *text)
{
	return json_object_set_new(to, key, json_string(text));
}

static int put_int(json_t *to, const char *key, json_int_t value)
{
	return json_object_set_new(to, key, json_integer(value));
}

struct relays {
	int kind[TASMOTA_NUMBERS_MAX];
	const char *label[TASMOTA_NUMBERS_MAX];
	size_t count;
};

/* Places with a name that is of no pin here stay nothing. */
static void put_relay(struct relays *relays, unsigned int number, int kind,
		      const char *label)
{
	if (!number)
		return;
	relays->kind[number - 1] = kind;
	relays->label[number - 1] = label;
	if (relays->count < number)
		relays->count = number;
}

static void find_relays(const struct discovery_things *things,
			const struct tasmota_numbers *numbers,
			struct relays *out)
{
	const struct device *light;
	const size_t lights = tasmota_lights(things, &light);

	*out = (struct relays){ 0 };
	for (size_t i = 0; i < things->pins; i++) {
		const struct pin *pin = things->pin[i];

		if (pin->direction != LINE_OUTPUT)
			continue;
		/* Of a light all would be said to be dimmed. */
		put_relay(out,
			  tasmota_number(numbers, TASMOTA_RELAYS, pin->name),
			  pin->kind == PIN_LIGHT && !lights ? LIGHT : RELAY,
			  pin->label[0] ? pin->label : pin->name);
	}
	for (size_t i = 0; i < things->devices; i++) {
		const struct device *device = things->device[i];
		const char *label =
			device->label[0] ? device->label : device->name;
		unsigned int up = place_of(numbers, device);

		if (device->kind == DEVICE_LIGHT)
			put_relay(out,
				  tasmota_number(numbers, TASMOTA_RELAYS,
						 device->name),
				  LIGHT, label);
		else if (up) {
			put_relay(out, up, SHUTTER, label);
			put_relay(out, up + 1, SHUTTER, label);
		}
	}
}

static int put_relays(json_t *document, const struct discovery_things *things,
		      const struct tasmota_numbers *numbers)
{
	struct relays relays;
	json_t *kinds = json_array();
	json_t *names = json_array();
	int bad = 0;

	find_relays(things, numbers, &relays);
	for (size_t i = 0; i < relays.count; i++) {
		const char *label = relays.label[i];

		bad |= json_array_append_new(kinds,
					     json_integer(relays.kind[i]));
		bad |= json_array_append_new(names, label ? json_string(label)
							  : json_null());
	}
	bad |= json_object_set_new(document, "rl", kinds);
	bad |= json_object_set_new(document, "fn", names);
	return bad;
}

/* The highest number in use, of this kind. */
static unsigned int last_of(const struct discovery_things *things,
			    const struct tasmota_numbers *numbers,
			    enum tasmota_kind kind)
{
	unsigned int last = 0;

	for (size_t i = 0; i < things->pins; i++) {
		unsigned int number =
			tasmota_kind(things->pin[i]) == kind
				? tasmota_number(numbers, kind,
						 things->pin[i]->name)
				: 0;

		last = number > last ? number : last;
	}
	return last;
}

static bool has_pin(const struct discovery_things *things,
		    enum tasmota_kind kind, const char *name)
{
	for (size_t i = 0; i < things->pins; i++)
		if (tasmota_kind(things->pin[i]) == kind &&
		    strcmp(things->pin[i]->name, name) == 0)
			return true;
	return false;
}

/* Inputs are known by their name, which clients look for in RESULT and SENSOR. */
static int put_inputs(json_t *document, const struct discovery_things *things,
		      const struct tasmota_numbers *numbers)
{
	json_t *modes = json_array();
	json_t *names = json_array();
	json_t *buttons = json_array();
	unsigned int count = last_of(things, numbers, TASMOTA_SWITCHES);
	int bad = 0;

	for (unsigned int n = 1; n <= count; n++) {
		const char *name = tasmota_name(numbers, TASMOTA_SWITCHES, n);
		bool there = has_pin(things, TASMOTA_SWITCHES, name);

		bad |= json_array_append_new(
			modes, json_integer(there ? FOLLOWS : NO_SWITCH));
		bad |= json_array_append_new(names, there ? json_string(name)
							  : json_null());
	}
	count = last_of(things, numbers, TASMOTA_BUTTONS);
	for (unsigned int n = 1; n <= count; n++)
		bad |= json_array_append_new(
			buttons,
			json_integer(has_pin(
				things, TASMOTA_BUTTONS,
				tasmota_name(numbers, TASMOTA_BUTTONS, n))));
	bad |= json_object_set_new(document, "swc", modes);
	bad |= json_object_set_new(document, "swn", names);
	bad |= json_object_set_new(document, "btn", buttons);
	return bad;
}

static int put_options(json_t *document, bool several_lights)
{
	static const struct {
		const char *option;
		int value;
	} options[] = {
		{ "4", 0 }, /* answers are on RESULT */
		{ "11", 0 },  { "13", 0 }, /* a click is a click */
		{ "17", 0 }, /* colours in hex */
		{ "20", 0 }, /* a dimmer switches on */
		{ "30", 0 }, /* relays are no lights */
		{ "73", 1 },  { "114", 1 }, /* buttons and inputs are said */
		{ "82", 0 }, /* colour temperature: none */
		{ "117", 1 }, /* speed is the time of the whole fade */
	};
	json_t *object = json_object();
	int bad = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		bad |= put_int(object, options[i].option, options[i].value);
	bad |= put_int(object, "68", several_lights);
	bad |= json_object_set_new(document, "so", object);
	return bad;
}

static int put_words(json_t *document)
{
	int bad = json_object_set_new(
		document, "tp", json_pack("[sss]", "cmnd", "stat", "tele"));

	bad |= json_object_set_new(
		document, "state",
		json_pack("[ssss]", "OFF", "ON", "TOGGLE", "HOLD"));
	bad |= put_text(document, "ofln", "Offline");
	bad |= put_text(document, "onln", "Online");
	bad |= put_text(document, "ft", "%prefix%/%topic%/");
	return bad;
}

static int put_device(json_t *document, const char *node)
{
	char name[TASMOTA_DEVICE_SIZE];
	char mac[DIALECT_MAC_SIZE];
	int bad = put_text(document, "dn", node);

	bad |= put_text(document, "t", tasmota_device(name, node));
	bad |= put_text(document, "hn", name);
	bad |= put_text(document, "mac", dialect_tasmota_mac(mac, node));
	bad |= put_text(document, "ip", "");
	bad |= put_text(document, "md", "hearth");
	bad |= put_text(document, "sw", HEARTH_VERSION);
	bad |= put_int(document, "ver", 1);
	/* Neither a fan nor a foreign controller. */
	bad |= put_int(document, "if", 0);
	bad |= put_int(document, "ty", 0);
	return bad;
}

static int put_light(json_t *document, const struct discovery_things *things)
{
	/* Tasmota's number for a light is that of its channels. */
	const struct device *light = NULL;
	size_t count = tasmota_lights(things, &light);
	unsigned int channels = 0;
	int bad;

	if (count == 1)
		channels = tasmota_channels(light);
	else if (count > 1)
		channels = 1;
	bad = put_int(document, "lt_st", (json_int_t)channels);
	bad |= put_int(document, "lk", 1);
	bad |= put_options(document, count > 1);
	return bad;
}

static int put_shutters(json_t *document, const struct discovery_things *things,
			const struct tasmota_numbers *numbers)
{
	json_t *list = json_array();
	int bad = 0;

	for (unsigned int n = 1; tasmota_shutter(numbers, things, n); n++)
		bad |= json_array_append_new(list, json_integer(0));
	bad |= json_object_set_new(document, "sho", list);
	return bad;
}

static char *dump_and_free(json_t *document, int bad)
{
	char *text = bad ? NULL : json_text(document, JSON_COMPACT);

	json_decref(document);
	return text;
}

char *tasmota_config(const char *node, const struct discovery_things *things,
		     const struct tasmota_numbers *numbers)
{
	json_t *document = json_object();
	int bad = put_device(document, node);

	bad |= put_words(document);
	bad |= put_relays(document, things, numbers);
	bad |= put_inputs(document, things, numbers);
	bad |= put_light(document, things);
	bad |= put_shutters(document, things, numbers);
	return dump_and_free(document, bad);
}

char *tasmota_sensors(json_t *sensors)
{
	json_t *document = json_object();
	int bad = json_object_set_new(document, "sn", sensors);

	bad |= put_int(document, "ver", 1);
	return dump_and_free(document, bad);
}
