#include "gpio/light.h"

#include <math.h>
#include <string.h>

void light_init(struct light *light, unsigned int channels, double gamma,
		uint32_t transition_ms, const double *duty)
{
	double most = 0;

	*light = (struct light){
		.channels = channels,
		.gamma = gamma,
		.transition_ms = transition_ms,
		.brightness = LIGHT_FULL,
	};
	memset(light->color, LIGHT_FULL, sizeof(light->color));
	for (unsigned int i = 0; i < channels; i++) {
		light->to[i] = light->from[i] = pow(duty[i], 1 / gamma);
		most = fmax(most, light->to[i]);
	}
	light->on = round(most * LIGHT_FULL) >= 1;
	if (!light->on)
		return;
	light->brightness = (uint8_t)round(most * LIGHT_FULL);
	for (unsigned int i = 0; i < channels; i++)
		light->color[i] =
			(uint8_t)round(light->to[i] / most * LIGHT_FULL);
}

static double share(const struct light *light, uint64_t now)
{
	uint64_t gone = now > light->since ? now - light->since : 0;

	return gone >= light->ms ? 1 : (double)gone / (double)light->ms;
}

static double seen(const struct light *light, unsigned int i, double share)
{
	return light->from[i] + (light->to[i] - light->from[i]) * share;
}

static void take(struct light *light, const struct light_wish *wish)
{
	light->ms = wish->any_transition ? wish->transition_ms
					 : light->transition_ms;
	if (wish->brightness)
		light->brightness = wish->brightness;
	if (wish->any_color)
		memcpy(light->color, wish->color, sizeof(light->color));
}

void light_switch(struct light *light, bool on, const struct light_wish *wish,
		  uint64_t now)
{
	double at = share(light, now);

	for (unsigned int i = 0; i < light->channels; i++)
		light->from[i] = seen(light, i, at);
	light->since = now;
	light->ms = 0;
	light->on = on;
	if (wish)
		take(light, wish);
	for (unsigned int i = 0; i < light->channels; i++)
		light->to[i] = on ? (double)light->brightness / LIGHT_FULL *
					       light->color[i] / LIGHT_FULL
				  : 0;
}

bool light_duty(const struct light *light, uint64_t now,
		double duty[LIGHT_CHANNELS_MAX])
{
	double at = share(light, now);

	for (unsigned int i = 0; i < light->channels; i++)
		duty[i] = pow(seen(light, i, at), light->gamma);
	return at < 1;
}

unsigned int light_percent(uint8_t brightness)
{
	unsigned int percent =
		(brightness * 100u + LIGHT_FULL / 2) / LIGHT_FULL;

	return percent ? percent : 1;
}

uint8_t light_of_percent(unsigned int percent)
{
	unsigned int brightness = (percent * LIGHT_FULL + 50) / 100;

	return (uint8_t)(brightness ? brightness : 1);
}
