/*
 * Decides what outputs do. Pure: it touches no line and reads no clock; time
 * (monotonic milliseconds) is passed in, decisions come out as actions. Every
 * way to switch an output leads through here, whoever asked: a command, a
 * timer, a stop. What is decided becomes the state only when logic_done() says
 * that the line was written and read back, so a failing line never lies.
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

/* Longest on_time: a week. More than that is a mistake in the unit. */
#define LOGIC_ON_TIME_MAX_MS (UINT64_C(7) * 24 * 3600 * 1000)

/* An output that could not be switched off when its time was up is tried again
 * this often, until it obeys. */
#define LOGIC_RETRY_MS 1000u

enum logic_safe {
	LOGIC_SAFE_OFF,
	LOGIC_SAFE_ON,
	LOGIC_SAFE_HOLD, /* as it is */
};

enum logic_verb {
	LOGIC_OFF,
	LOGIC_ON,
	LOGIC_TOGGLE,
};

struct logic_command {
	enum logic_verb verb;
	uint64_t on_time_ms; /* switch off again after so long; 0: never */
};

/* Drive this output so. Answer with logic_done() or logic_failed(). */
struct logic_action {
	unsigned int output;
	bool on;
	uint64_t on_time_ms; /* of a command; part of what logic_done() keeps */
};

struct logic_output {
	bool used;
	enum logic_safe safe;
	bool on; /* as last read back from the line */
	uint64_t off_at; /* 0: no time set */
};

struct logic {
	struct logic_output output[LOGIC_OUTPUTS_MAX];
};

void logic_init(struct logic *logic);

/* The line is held and was read as on. output must not be in use. */
void logic_add(struct logic *logic, unsigned int output, enum logic_safe safe,
	       bool on);
void logic_remove(struct logic *logic, unsigned int output);
void logic_set_safe(struct logic *logic, unsigned int output,
		    enum logic_safe safe);

/*
 * What a command asks for. Returns 0, -ENOENT (output not in use) or -ERANGE
 * (on_time too long). The action is given even if the output is in that state
 * already: the line is written and read back for every command.
 */
int logic_command(const struct logic *logic, unsigned int output,
		  const struct logic_command *command,
		  struct logic_action *action);

/* The line was written as the action said and reads as on. Should that be
 * another value, it is kept as the truth, but the action has failed. */
void logic_done(struct logic *logic, const struct logic_action *action, bool on,
		uint64_t now);
/* It could not be written: nothing has changed; if its time is up, the output
 * is due again in LOGIC_RETRY_MS. */
void logic_failed(struct logic *logic, const struct logic_action *action,
		  uint64_t now);

/* The next action that is due by now. False: none. */
bool logic_due(const struct logic *logic, uint64_t now,
	       struct logic_action *action);
/* When something will be due, UINT64_MAX if never. */
uint64_t logic_next(const struct logic *logic);

/* The action that makes this output safe. False: it holds, or is not in use. */
bool logic_make_safe(const struct logic *logic, unsigned int output,
		     struct logic_action *action);

#endif
