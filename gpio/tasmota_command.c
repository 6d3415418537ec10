#include "gpio/tasmota_command.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	enum tasmota_verb verb;
} words[] = {
	{ "power", TASMOTA_POWER },
	{ "dimmer", TASMOTA_DIMMER },
	{ "color", TASMOTA_COLOR },
	{ "hsbcolor", TASMOTA_HSBCOLOR },
	{ "white", TASMOTA_WHITE },
	{ "channel", TASMOTA_CHANNEL },
	{ "fade", TASMOTA_FADE },
	{ "speed", TASMOTA_SPEED },
	{ "shutteropen", TASMOTA_SHUTTER_OPEN },
	{ "shutterclose", TASMOTA_SHUTTER_CLOSE },
	{ "shutterstop", TASMOTA_SHUTTER_STOP },
	{ "shutterposition", TASMOTA_SHUTTER_POSITION },
	{ "state", TASMOTA_STATE },
	{ "status", TASMOTA_STATUS },
	{ "backlog", TASMOTA_BACKLOG },
	{ "nodelay", TASMOTA_NODELAY },
};

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice trim(struct slice text)
{
	while (text.len > 0 && is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

static bool is_word(struct slice text, const char *word)
{
	return text.len == strlen(word) &&
	       (text.len == 0 ||
		strncasecmp((const char *)text.data, word, text.len) == 0);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool tasmota_parse_number(struct slice argument, unsigned int max,
			  unsigned int *out)
{
	unsigned int value = 0;

	if (argument.len < 1 || argument.len > 6)
		return false;
	for (size_t i = 0; i < argument.len; i++) {
		if (!is_digit(argument.data[i]))
			return false;
		value = value * 10 + (unsigned int)(argument.data[i] - '0');
	}
	*out = value;
	return value <= max;
}

struct tasmota_command tasmota_command(struct slice name, struct slice argument)
{
	struct tasmota_command command = {
		.index = 1,
		.argument = trim(argument),
	};
	size_t len = name.len;

	while (len > 0 && is_digit(name.data[len - 1]))
		len--;
	if (len < name.len &&
	    !tasmota_parse_number(slice_of(name.data + len, name.len - len),
				  999, &command.index))
		return command;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(slice_of(name.data, len), words[i].word))
			command.verb = words[i].verb;
	return command;
}

bool tasmota_backlog_next(struct slice *rest, struct tasmota_command *out)
{
	while (rest->len > 0) {
		const uint8_t *end = memchr(rest->data, ';', rest->len);
		size_t len = end ? (size_t)(end - rest->data) : rest->len;
		struct slice one = trim(slice_of(rest->data, len));
		size_t name = 0;

		rest->data += len + (end ? 1 : 0);
		rest->len -= len + (end ? 1 : 0);
		if (one.len == 0)
			continue;
		while (name < one.len && !is_space(one.data[name]))
			name++;
		*out = tasmota_command(
			slice_of(one.data, name),
			slice_of(one.data + name, one.len - name));
		return true;
	}
	return false;
}

bool tasmota_parse_power(struct slice argument, enum logic_verb *out)
{
	static const struct {
		const char *word;
		enum logic_verb verb;
	} verbs[] = {
		{ "ON", LOGIC_ON },	    { "OFF", LOGIC_OFF },
		{ "TOGGLE", LOGIC_TOGGLE }, { "TRUE", LOGIC_ON },
		{ "FALSE", LOGIC_OFF },	    { "1", LOGIC_ON },
		{ "0", LOGIC_OFF },	    { "2", LOGIC_TOGGLE },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (is_word(argument, verbs[i].word)) {
			*out = verbs[i].verb;
			return true;
		}
	}
	return false;
}

bool tasmota_parse_percent(struct slice argument, unsigned int now,
			   unsigned int *out)
{
	if (is_word(argument, "+"))
		*out = now > 90 ? 100 : now + 10;
	else if (is_word(argument, "-"))
		*out = now < 10 ? 0 : now - 10;
	else
		return tasmota_parse_number(argument, 100, out);
	return true;
}

/* Numbers with commas between them. Returns how many, 0: something else. */
static unsigned int parse_list(struct slice text, unsigned int max,
			       unsigned int *out, unsigned int most)
{
	unsigned int count = 0;

	for (;;) {
		const uint8_t *end =
			text.len ? memchr(text.data, ',', text.len) : NULL;
		size_t len = end ? (size_t)(end - text.data) : text.len;

		if (count == most ||
		    !tasmota_parse_number(trim(slice_of(text.data, len)), max,
					  &out[count]))
			return 0;
		count++;
		if (!end)
			return count;
		text = slice_of(text.data + len + 1, text.len - len - 1);
	}
}

static int hex_digit(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static unsigned int parse_hex(struct slice text, unsigned int *out,
			      unsigned int most)
{
	if (text.len > 0 && text.data[0] == '#')
		text = slice_of(text.data + 1, text.len - 1);
	if (text.len % 2 || text.len > 2 * (size_t)most)
		return 0;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_digit(text.data[i]);
		int low = hex_digit(text.data[i + 1]);

		if (high < 0 || low < 0)
			return 0;
		out[i / 2] = (unsigned int)(high * 16 + low);
	}
	return (unsigned int)text.len / 2;
}

bool tasmota_parse_color(struct slice argument, unsigned int channels,
			 uint8_t out[LIGHT_CHANNELS_MAX])
{
	unsigned int value[LIGHT_CHANNELS_MAX] = { 0 };
	bool is_list = argument.len && memchr(argument.data, ',', argument.len);
	unsigned int count;

	if (channels < 3)
		return false;
	count = is_list ? parse_list(argument, LIGHT_FULL, value, channels)
			: parse_hex(argument, value, channels);
	for (unsigned int i = 0; i < LIGHT_CHANNELS_MAX; i++)
		out[i] = (uint8_t)value[i];
	return count >= 3;
}

bool tasmota_parse_hsb(struct slice argument, unsigned int out[3])
{
	return parse_list(argument, 360, out, 3) == 3 && out[1] <= 100 &&
	       out[2] <= 100;
}

/* ---- light -------------------------------------------------------------- */

unsigned int tasmota_percent(uint8_t brightness)
{
	unsigned int percent =
		(brightness * 100u + LIGHT_FULL / 2) / LIGHT_FULL;

	return percent ? percent : 1;
}

uint8_t tasmota_brightness(unsigned int percent)
{
	unsigned int brightness = (percent * LIGHT_FULL + 50) / 100;

	return (uint8_t)(brightness ? brightness : 1);
}

void tasmota_to_hs(const uint8_t rgb[3], unsigned int *hue,
		   unsigned int *saturation)
{
	double r = rgb[0], g = rgb[1], b = rgb[2];
	double most = fmax(r, fmax(g, b));
	double by = most - fmin(r, fmin(g, b));
	double at;

	*hue = 0;
	*saturation = most > 0 ? (unsigned int)lround(100 * by / most) : 0;
	if (by <= 0)
		return;
	if (r >= most)
		at = (g - b) / by;
	else if (g >= most)
		at = 2 + (b - r) / by;
	else
		at = 4 + (r - g) / by;
	*hue = (unsigned int)lround(60 * at + (at < 0 ? 360 : 0)) % 360;
}

void tasmota_from_hs(unsigned int hue, unsigned int saturation, uint8_t rgb[3])
{
	for (unsigned int i = 0; i < 3; i++) {
		/* Each colour is full for a third of the circle around its own
		 * place, and rises and falls in a sixth. */
		double away = fabs(fmod(hue + 360 - 120.0 * i, 360));
		double full;

		away = fmin(away, 360 - away);
		full = fmin(fmax((120 - away) / 60, 0), 1);
		rgb[i] = (uint8_t)lround(LIGHT_FULL *
					 (1 - saturation / 100.0 * (1 - full)));
	}
}

uint8_t tasmota_full_color(uint8_t color[LIGHT_CHANNELS_MAX])
{
	uint8_t most = 0;

	for (unsigned int i = 0; i < LIGHT_CHANNELS_MAX; i++)
		most = color[i] > most ? color[i] : most;
	for (unsigned int i = 0; most && i < LIGHT_CHANNELS_MAX; i++)
		color[i] = (uint8_t)((color[i] * LIGHT_FULL + most / 2) / most);
	return most;
}
