#include "gpio/tasmota_command.h"

#include <math.h>
#include <string.h>

#include "gpio/words.h"

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

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

struct tasmota_command tasmota_command(struct slice name, struct slice argument)
{
	struct tasmota_command command = {
		.index = 1,
		.argument = words_trim(argument),
	};
	size_t len = name.len;

	while (len > 0 && is_digit(name.data[len - 1]))
		len--;
	if (len < name.len &&
	    !words_number(slice_of(name.data + len, name.len - len), 999,
			  &command.index))
		return command;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words_are(slice_of(name.data, len), words[i].word))
			command.verb = words[i].verb;
	return command;
}

bool tasmota_backlog_next(struct slice *rest, struct tasmota_command *out)
{
	while (rest->len > 0) {
		const uint8_t *end = memchr(rest->data, ';', rest->len);
		size_t len = end ? (size_t)(end - rest->data) : rest->len;
		struct slice one = words_trim(slice_of(rest->data, len));
		size_t name = 0;

		rest->data += len + (end ? 1 : 0);
		rest->len -= len + (end ? 1 : 0);
		if (one.len == 0)
			continue;
		while (name < one.len && !strchr(" \t", one.data[name]))
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
		if (words_are(argument, verbs[i].word)) {
			*out = verbs[i].verb;
			return true;
		}
	}
	return false;
}

bool tasmota_parse_percent(struct slice argument, unsigned int now,
			   unsigned int *out)
{
	if (words_are(argument, "+"))
		*out = now > 90 ? 100 : now + 10;
	else if (words_are(argument, "-"))
		*out = now < 10 ? 0 : now - 10;
	else
		return words_number(argument, 100, out);
	return true;
}

bool tasmota_parse_hsb(struct slice argument, unsigned int out[3])
{
	return words_list(argument, 360, out, 3) == 3 && out[1] <= 100 &&
	       out[2] <= 100;
}

/* ---- light -------------------------------------------------------------- */

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
