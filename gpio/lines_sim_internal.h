/* What the simulated board (lines_sim.c) and the world around it
 * (lines_sim_world.c) share. */
#ifndef GPIO_LINES_SIM_INTERNAL_H
#define GPIO_LINES_SIM_INTERNAL_H

#include "gpio/lines_sim.h"

/* Of the larger chip. */
#define SIM_LINES 58u

struct sim_request;

struct sim_line {
	char name[LINES_NAME_SIZE];
	char consumer[LINES_NAME_SIZE]; /* "": free */
	struct sim_request *holder; /* NULL: free or held by somebody else */
	unsigned int index; /* in holder */

	/* The wire. */
	bool output; /* outlives the request, as on a Pi */
	bool driven;
	int connected; /* -1: to nothing */
	bool pulled_up;
	uint64_t press_ends; /* clock_ns(); 0: nobody presses */
	int broken; /* errno of every set and get; 0 works */
	enum lines_sim_fault fault;
	unsigned int bounces; /* that are to come */
	uint64_t bounce_at; /* clock_ns(); 0: it is at rest */
	bool bounced; /* for now the contact is where it should not be */

	/* As requested. */
	bool active_low;
	uint64_t debounce_ns;
	bool reported; /* logical, after debouncing */
	uint64_t settles; /* clock_ns(); 0: quiet */
	uint32_t seqno;
};

struct sim_request {
	struct line_request
		base; /* fd is a timerfd: due now, or when something settles */
	unsigned int offsets[LINES_REQUEST_MAX];
	struct line_event events[LINES_EVENTS_MAX];
	size_t head;
	size_t waiting;
};

struct sim {
	struct lines base;
	struct sim_line line[SIM_LINES]; /* base.count of them */
};

/* lines must be simulated. */
struct sim *lines_sim_of(struct lines *lines);

/* The level on the wire, and what it means for who requested the line. */
bool sim_line_wire(const struct sim_line *line);
bool sim_line_level(const struct sim_line *line);
/* Let happen what is due by now: presses that end, bounces, quiet times. */
void sim_line_catch_up(struct sim_line *line, uint64_t now);
/* The level on the wire may have changed; before: what it meant. */
void sim_line_moved(struct sim_line *line, bool before, uint64_t now);
/* Make it readable when there is something to read. */
void sim_request_arm(struct sim_request *request);

#endif
