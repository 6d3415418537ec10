/*
 * Judges what gpio/logic does, seeing nothing but the lines, the clock, the
 * orders and their answers. It states the rules anew, as what may be seen:
 *
 *	- of an interlock group never two are on, no dead time is shorter, no
 *	  output is on for longer or off for shorter than its rule, none starts
 *	  more often, a locked one is not moved by orders;
 *	- an output owes a value at the start of the board (its boot rule), when
 *	  a lease ends, the hub has been gone for its time, or all stops (its safe
 *	  value), and when nobody knows what is on its line: off. "Off" it owes
 *	  at once, "on" as soon as min_off, its group and the line let it; what
 *	  it owes is not lost but by a newer order or a newer debt, and what it
 *	  owed at the start of the board not by a restart of the process;
 *	- no output moves but by order, for its group, because its time is up, or
 *	  to pay what it owes. So one that holds, holds.
 */
#ifndef TESTS_GPIO_LOGIC_OBSERVER_H
#define TESTS_GPIO_LOGIC_OBSERVER_H

#include "gpio/logic.h"

#define OUTPUTS 5u

struct debt {
	bool any;
	bool on;
	bool boot; /* to the start of the board */
};

/* What a restart of the process finds again. */
struct kept {
	bool on;
	bool told;
	struct debt debt;
	uint64_t leased_until;
	uint64_t on_until;
};

struct observed {
	struct logic_rules rules;
	/* The line. */
	bool on;
	uint64_t since;
	uint64_t known_since; /* the process may have noticed it later */
	uint64_t excused; /* until then: it did not obey */
	uint64_t starts[LOGIC_CYCLES_MAX];
	uint64_t started;
	/* What holds of it. */
	bool told;
	bool failed_safe;
	bool gives_way; /* to an order for another of its group */
	struct debt debt;
	uint64_t leased_until; /* 0: never */
	uint64_t on_until; /* 0: for ever */
	/* An order that waits for its answer. */
	bool waiting;
	bool asked;
	uint64_t lease;
	uint64_t on_time;
	struct kept kept;
};

struct observer {
	/* A board that pins.c would take: "on" is safe, or the value at the
	 * start, of no output in a group. Of others only what may never be is
	 * observed. */
	bool sound;
	uint64_t now;
	bool hub;
	uint64_t hub_lost;
	struct observed output[OUTPUTS];
};

extern struct observer observer;

/* The test's: says what and where, and ends it. */
__attribute__((noreturn)) void observer_broken(const char *what,
					       unsigned int i);

static inline void must(bool holds, const char *what, unsigned int i)
{
	if (!holds)
		observer_broken(what, i);
}

/* The board starts: the line reads so, and the file says told. */
void observer_boot(unsigned int i, bool reads_on);
/* hearth-gpiod --safe was there: it knows no rules but this one. */
void observer_safe_tool(unsigned int i);
/* The process starts, the board has not. */
void observer_resume(unsigned int i);
/* What is remembered now will be found. */
void observer_save(void);

/* An order for this value was accepted. */
void observer_order(unsigned int i, const struct logic_command *command,
		    bool on);
void observer_answer(unsigned int i, bool applied);
/* All stops: the safe value is owed. */
void observer_make_safe(unsigned int i);

/* Before logic_act(): what has fallen due? */
void observer_due(void);
void observer_write(unsigned int i, bool on);
void observer_write_failed(unsigned int i, bool on);
/* After all that was due has been done. */
void observer_rest(void);

#endif
