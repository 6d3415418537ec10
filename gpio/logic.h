/*
 * Decides what outputs do. Pure: it touches no line and reads no clock; time
 * (monotonic milliseconds) is passed in, decisions come out as actions. Every
 * way to switch an output leads through here, whoever asked: a command, an
 * input, a timer, a start, a stop.
 *
 * An order is judged by logic_order(); what has been accepted, and what time
 * itself asks for, logic_act() gives out one line at a time. What is decided
 * becomes the state only when logic_done() says that the line was written and
 * read back, so a failing line never lies.
 *
 * The rules, in the order of their weight:
 *
 *	interlock  of a group at most one output is on, and the next one goes on
 *	           only when the last has been off for the dead time
 *	max_on     an output is on for no longer, whoever renews the order
 *	min_off    it stays off that long; a start counts as going off
 *	min_on     it stays on that long, but never against safety
 *	cycles     it goes on so often in any hour, but never against safety
 *	locked     no order moves it; safety and time still do
 *
 * "Safety" is the safe value: driven when a lease ends, when the hub has been
 * gone for the output's fail-safe time, and at the stop.
 *
 * Debouncing is not here: both backends do it (lines.h).
 */
#ifndef GPIO_LOGIC_H
#define GPIO_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Outputs of one node. The header has 28 lines; a second chip fits too. */
#define LOGIC_OUTPUTS_MAX 64u

/* Longest time of any rule or order: a week. More is a mistake in the unit. */
#define LOGIC_TIME_MAX_MS (UINT64_C(7) * 24 * 3600 * 1000)

/* Most starts an hour that can be counted; one a minute. */
#define LOGIC_CYCLES_MAX 60u
#define LOGIC_HOUR_MS (UINT64_C(3600) * 1000)

/* A line that did not obey safety or time is tried again this often. */
#define LOGIC_RETRY_MS 1000u

/* Answers that may wait to be taken; see logic_answer(). */
#define LOGIC_ANSWERS_MAX (2 * LOGIC_OUTPUTS_MAX)

enum logic_safe {
	LOGIC_SAFE_OFF,
	LOGIC_SAFE_ON,
	LOGIC_SAFE_HOLD, /* as it is */
};

/* After a start of the board. A restart of the process alone leaves outputs as
 * they are, but for what is still to come: "on" waits for min_off and dead times.
 * It does not wait for another of its group that is on: then it is given up. */
enum logic_boot {
	LOGIC_BOOT_AS_READ,
	LOGIC_BOOT_OFF,
	LOGIC_BOOT_ON,
	LOGIC_BOOT_RESTORE, /* what it was last told */
};

/* What holds for an output. Times in milliseconds; 0: no such rule. */
struct logic_rules {
	enum logic_safe safe;
	enum logic_boot boot;
	uint8_t group; /* 1 to 255: interlocked with the others of that number */
	bool locked;
	uint32_t cycles; /* starts in any hour, at most LOGIC_CYCLES_MAX */
	uint32_t dead_ms; /* of a group the longest of its outputs holds */
	uint64_t max_on_ms;
	uint64_t min_on_ms;
	uint64_t min_off_ms;
	uint64_t auto_off_ms; /* on_time of orders that have none */
	uint64_t command_timeout_ms; /* lease of orders that have none */
	uint64_t failsafe_ms;
};

enum logic_verb {
	LOGIC_OFF,
	LOGIC_ON,
	LOGIC_TOGGLE,
};

struct logic_command {
	enum logic_verb verb;
	uint64_t on_time_ms; /* switch off again after so long; 0: see rules */
	uint64_t lease_ms; /* safe value when not ordered again by then */
};

/* Why an order was refused, or what became of it. */
enum logic_result {
	LOGIC_APPLIED,
	LOGIC_ACCEPTED, /* logic_order() only: the answer comes */
	LOGIC_NO_OUTPUT,
	LOGIC_TOO_LONG, /* on_time or lease */
	LOGIC_LOCKED,
	LOGIC_MIN_ON, /* wait_ms more */
	LOGIC_MIN_OFF, /* wait_ms more */
	LOGIC_MAX_ON, /* its time is up and the line does not obey */
	LOGIC_CYCLES, /* wait_ms more */
	LOGIC_INTERLOCK, /* output 'other' is on and may not go off */
	LOGIC_SUPERSEDED, /* by a newer order, before it could be done */
	LOGIC_FAULT, /* the line could not be written, or reads otherwise */
};

struct logic_verdict {
	enum logic_result result;
	unsigned int output;
	unsigned int other;
	uint64_t wait_ms;
	uint32_t token; /* of the order */
};

/* Drive this output so. Answer with logic_done() or logic_failed(). */
struct logic_action {
	unsigned int output;
	bool on;
};

/* What is meant to happen and has not yet. */
struct logic_want {
	bool any;
	bool on;
	bool safety; /* not to be given up; min_on, cycles, locked do not count */
	bool answered; /* nobody waits for an answer */
	uint32_t token;
	uint64_t on_time_ms;
	uint64_t lease_ms;
};

/* What must outlive the process for the rules to hold. */
struct logic_memory {
	bool on;
	bool told; /* the last order's value, for LOGIC_BOOT_RESTORE */
	bool starting; /* what its boot rule says is still to be done */
	uint64_t since; /* when it last changed */
	uint64_t off_at; /* 0: no time set */
	uint64_t lease_at; /* 0: no lease */
	uint64_t starts[LOGIC_CYCLES_MAX]; /* the newest at started - 1 */
	uint32_t started;
};

struct logic_output {
	bool used;
	bool failed_safe; /* since the hub is gone */
	struct logic_rules rules;
	struct logic_memory now; /* .on as last read back from the line */
	struct logic_want want;
	uint64_t retry_at;
};

struct logic {
	unsigned int top; /* outputs in use are below */
	bool hub;
	uint64_t hub_lost_at;
	struct logic_output output[LOGIC_OUTPUTS_MAX];
	size_t answers;
	struct logic_verdict answer[LOGIC_ANSWERS_MAX];
};

/* The hub is not there yet. */
void logic_init(struct logic *logic, uint64_t now);

/* What is known of an output when its line is taken. */
struct logic_start {
	bool on; /* as the line reads */
	bool told; /* what LOGIC_BOOT_RESTORE restores */
	/* As of logic_remember() before the process ended, if the board has not
	 * been started anew since; else NULL. */
	const struct logic_memory *memory;
};

/*
 * The line is held. With a memory the output goes on where it was; without one
 * the board has been started and its boot rule holds. What the memory does not
 * explain is judged strictly: it is then taken to have changed just now, and one
 * that is on and may not be for ever goes off. output must not be in use.
 */
void logic_add(struct logic *logic, unsigned int output,
	       const struct logic_rules *rules, struct logic_start start,
	       uint64_t now);
/* Whoever waits for an answer gets LOGIC_SUPERSEDED. */
void logic_remove(struct logic *logic, unsigned int output);
/* New rules for what goes on as it is. */
void logic_set_rules(struct logic *logic, unsigned int output,
		     const struct logic_rules *rules);
const struct logic_memory *logic_remember(const struct logic *logic,
					  unsigned int output);

/*
 * Ask for something. LOGIC_ACCEPTED: logic_answer() tells what became of it,
 * with the token, exactly once; anything else is the refusal, and nothing has
 * changed. The line is written and read back for every order, also if it is in
 * that state already.
 */
struct logic_verdict logic_order(struct logic *logic, unsigned int output,
				 const struct logic_command *command,
				 uint32_t token, uint64_t now);

/* The hub is there, or is gone. */
void logic_hub(struct logic *logic, bool there, uint64_t now);

/* Order the safe value of one output, for safety. */
void logic_make_safe(struct logic *logic, unsigned int output);

/* The next line to drive by now. False: none until logic_next(). Answer each
 * with logic_done() or logic_failed() before asking for the next. */
bool logic_act(struct logic *logic, uint64_t now, struct logic_action *action);

/* The line was written as the action said and reads as on. Should that be
 * another value, it is kept as the truth, but the action has failed. */
void logic_done(struct logic *logic, const struct logic_action *action, bool on,
		uint64_t now);
/* It could not be written, or not read. One that was to go on is then driven off,
 * for nobody knows what became of it. */
void logic_failed(struct logic *logic, const struct logic_action *action,
		  uint64_t now);

/* When logic_act() will have something, UINT64_MAX if never. */
uint64_t logic_next(const struct logic *logic, uint64_t now);

/* The oldest answer that nobody has taken. To be emptied before the next order:
 * each order makes at most LOGIC_OUTPUTS_MAX of them. */
bool logic_answer(struct logic *logic, struct logic_verdict *answer);

#endif
