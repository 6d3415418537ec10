#include "gpio/light_command.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"

static const char *const colors[LIGHT_CHANNELS_MAX] = { "r", "g", "b", "w" };

static bool whole_number(json_t *value, json_int_t min, json_int_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= min &&
	       json_integer_value(value) <= max;
}

/* All of them, and nothing else. */
static const char *take_color(json_t *value, unsigned int channels,
			      struct light_wish *wish)
{
	if (channels == 1)
		return "this light has no colours";
	if (json_object_size(value) != channels)
		return channels == 3 ? "color must have r, g and b"
				     : "color must have r, g, b and w";
	for (unsigned int i = 0; i < channels; i++) {
		json_t *one = json_object_get(value, colors[i]);

		if (!whole_number(one, 0, LIGHT_FULL))
			return "a colour must be from 0 to 255";
		wish->color[i] = (uint8_t)json_integer_value(one);
	}
	wish->any_color = true;
	return NULL;
}

static const char *take_wish(json_t *document, unsigned int channels,
			     struct light_wish *wish)
{
	json_t *brightness = json_object_get(document, "brightness");
	json_t *transition = json_object_get(document, "transition");
	json_t *color = json_object_get(document, "color");
	double seconds = json_number_value(transition);

	if (brightness && !whole_number(brightness, 1, LIGHT_FULL))
		return "brightness must be from 1 to 255";
	wish->brightness = (uint8_t)json_integer_value(brightness);
	if (transition && !(json_is_number(transition) && seconds >= 0 &&
			    seconds <= LIGHT_TRANSITION_MAX))
		return "transition must be from 0 s to an hour";
	wish->any_transition = transition;
	wish->transition_ms = (uint32_t)lround(seconds * 1000);
	return color ? take_color(color, channels, wish) : NULL;
}

/* The rest is an output's. */
static int take_rest(json_t *document, struct topics_command *out,
		     const char **reason)
{
	char *text;
	int r = -EINVAL;

	(void)json_object_del(document, "brightness");
	(void)json_object_del(document, "transition");
	(void)json_object_del(document, "color");
	text = json_text(document, JSON_COMPACT);
	*reason = "out of memory";
	if (text)
		r = topics_parse_command(slice_str(text), out, reason);
	free(text);
	return r;
}

int light_command_parse(struct slice payload, unsigned int channels,
			struct topics_command *out, struct light_wish *wish,
			const char **reason)
{
	json_t *document = NULL;
	int r;

	*out = (struct topics_command){ 0 };
	*wish = (struct light_wish){ 0 };
	if (payload.len <= COMMAND_MAX)
		document = json_loadb((const char *)payload.data, payload.len,
				      JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(document)) {
		json_decref(document);
		return topics_parse_command(payload, out, reason);
	}
	*reason = take_wish(document, channels, wish);
	r = *reason ? -EINVAL : take_rest(document, out, reason);
	json_decref(document);
	return r;
}

static int put_color(json_t *object, const struct light *light)
{
	json_t *color = json_object();
	int bad = 0;

	for (unsigned int i = 0; i < light->channels; i++)
		bad |= json_object_set_new(color, colors[i],
					   json_integer(light->color[i]));
	bad |= json_object_set(object, "color", color);
	json_decref(color);
	return bad;
}

char *light_state_text(const struct light *light)
{
	json_t *object = json_object();
	const char *mode = light->channels == 1	  ? "brightness"
			   : light->channels == 3 ? "rgb"
						  : "rgbw";
	char *text = NULL;
	int bad = json_object_set_new(object, "state",
				      json_string(topics_state(light->on)));

	bad |= json_object_set_new(object, "brightness",
				   json_integer(light->brightness));
	bad |= json_object_set_new(object, "color_mode", json_string(mode));
	if (light->channels > 1)
		bad |= put_color(object, light);
	if (!bad)
		text = json_text(object, JSON_COMPACT);
	json_decref(object);
	return text;
}
