/*
 * A light that can be dimmed, of one channel or of the colours red, green, blue
 * (and white): how bright it is to be, and how it gets there. Pure: it drives
 * nothing and reads no clock. Whether it is on is logic.h's decision.
 *
 * Brightness is as the eye sees it and as Home Assistant counts it, 1 to 255; the
 * share of time that a channel is on is the gamma-th power of that.
 */
#ifndef GPIO_LIGHT_H
#define GPIO_LIGHT_H

#include <stdbool.h>
#include <stdint.h>

#define LIGHT_CHANNELS_MAX 4u /* red, green, blue, white */
#define LIGHT_FULL 255u

/* A step of a transition: the eye sees no more than fifty in a second. */
#define LIGHT_STEP_MS 20u

/* What a command says besides ON. */
struct light_wish {
	uint8_t brightness; /* 0: as it was */
	bool any_color;
	uint8_t color[LIGHT_CHANNELS_MAX];
	bool any_transition;
	uint32_t transition_ms;
};

struct light {
	unsigned int channels; /* 1, 3 or 4 */
	double gamma;
	uint32_t transition_ms; /* where a command has none */
	bool on;
	uint8_t brightness; /* also while it is off: for the next time */
	uint8_t color[LIGHT_CHANNELS_MAX];
	double from[LIGHT_CHANNELS_MAX]; /* seen, not shares */
	double to[LIGHT_CHANNELS_MAX];
	uint64_t since;
	uint64_t ms; /* from there to there */
};

/* It is so bright now. */
void light_init(struct light *light, unsigned int channels, double gamma,
		uint32_t transition_ms, const double *duty);

/* Begin to become so. wish NULL: as it was, and at once. */
void light_switch(struct light *light, bool on, const struct light_wish *wish,
		  uint64_t now);

/* What each channel is to be at now; true: there is more to come. */
bool light_duty(const struct light *light, uint64_t now,
		double duty[LIGHT_CHANNELS_MAX]);

/* A brightness (or the share of a colour) in percent, never 0, and back. */
unsigned int light_percent(uint8_t brightness);
uint8_t light_of_percent(unsigned int percent);

#endif
