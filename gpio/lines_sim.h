/*
 * A simulated board: a chip that looks like a Raspberry Pi 4's (58 lines, label
 * pinctrl-bcm2711, GPIO0..27 on the header, GPIO2 and 3 held by "i2c-1"), and
 * behind it an expander on that bus (8 lines without names, label pcf8574), with the same requests, events and debouncing as the kernel's, on a laptop
 * and in tests. A released output keeps its level, as on a Pi.
 *
 * Besides what lines.h offers, the world outside can be played: a wire that
 * pulls a line up or down, a finger on a button, a line that fails:
 *
 *	busy         another program holds it
 *	io_error     it can be neither read nor written
 *	lost_events  before each edge that is told two were lost: it went there and
 *	             back too fast
 *	bounce       each change of an input's level chatters for six milliseconds
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

enum lines_sim_fault {
	LINES_SIM_WORKS,
	LINES_SIM_BUSY,
	LINES_SIM_IO_ERROR,
	LINES_SIM_LOST_EVENTS,
	LINES_SIM_BOUNCE,
};

/* False: there is none of this name. */
bool lines_sim_fault_find(const char *name, enum lines_sim_fault *out);
/* NULL for LINES_SIM_WORKS. */
const char *lines_sim_fault_name(enum lines_sim_fault fault);

/*
 * From now on the line has this fault, and no other. Returns 0, -EINVAL (no such
 * line), or -EBUSY: it is held, by us or another, so nobody else can take it.
 */
int lines_sim_set_fault(struct lines *lines, unsigned int offset,
			enum lines_sim_fault fault);
/* The one it has; offset must be a line. */
enum lines_sim_fault lines_sim_get_fault(struct lines *lines,
					 unsigned int offset);

/* The electrical level on the wire; offset must be a line. */
bool lines_sim_level(struct lines *lines, unsigned int offset);

/* Tests: this line's next set or get fails so. 0 takes it back. */
void lines_sim_break(struct lines *lines, unsigned int offset, int error);
/* Tests: somebody else holds the line; NULL lets it go. */
void lines_sim_occupy(struct lines *lines, unsigned int offset,
		      const char *consumer);

#endif
