/*
 * A simulated board: a chip that looks like a Raspberry Pi 4's (58 lines, label
 * pinctrl-bcm2711, GPIO0..27 on the header, GPIO2 and 3 held by "i2c-1"), and
 * behind it an expander on that bus (8 lines without names, label pcf8574), with the same requests, events and debouncing as the kernel's, on a laptop
 * and in tests. A released output keeps its level, as on a Pi.
 *
 * Besides what lines.h offers, the world outside can be played: a wire that
 * pulls a line up or down, a finger on a button, a line that fails.
 */
#ifndef GPIO_LINES_SIM_H
#define GPIO_LINES_SIM_H

#include "gpio/lines.h"

/* Longest press of a simulated button, in milliseconds. */
#define LINES_SIM_PRESS_MAX 60000u

/* Returns 0 or -ENOMEM. */
int lines_sim_open(struct lines **out);

/* True if lines is a simulated board: only then call the rest. */
bool lines_are_simulated(const struct lines *lines);

/*
 * Connect the line to a level (0 or 1, electrical) or, at -1, to nothing but
 * its pull. Returns 0, -EINVAL (no such line) or -EPERM (an output: what is on
 * the wire there is ours to say).
 */
int lines_sim_connect(struct lines *lines, unsigned int offset, int level);

/* Hold the line at the opposite of its resting level for some milliseconds
 * (1..LINES_SIM_PRESS_MAX). Errors as above, -EINVAL also for the time. */
int lines_sim_press(struct lines *lines, unsigned int offset, uint32_t ms);

/* The electrical level on the wire; offset must be a line. */
bool lines_sim_level(struct lines *lines, unsigned int offset);

/* Tests: this line's next set or get fails so. 0 takes it back. */
void lines_sim_break(struct lines *lines, unsigned int offset, int error);
/* Tests: somebody else holds the line; NULL lets it go. */
void lines_sim_occupy(struct lines *lines, unsigned int offset,
		      const char *consumer);

#endif
