/*
 * Keeps a child process running: starts it, and starts it again when it has
 * ended, at once the first time, then after 100 ms, doubled up to 10 s. One that
 * has run for a minute counts as healthy: its next end is a first time again.
 *
 * What it leaves behind can be put in order first: a second program runs after
 * each end that was not asked for, and the child starts again when that has ended.
 * One that hangs (watchdog.h) is killed.
 *
 * Belongs to the thread of its loop. SIGCHLD must be blocked and given to
 * supervisor_reap(). The child starts with no signal blocked or ignored.
 */
#ifndef PROGRAMS_SUPERVISOR_H
#define PROGRAMS_SUPERVISOR_H

#include <stdint.h>
#include <sys/types.h>

struct loop;
struct supervisor;

#define SUPERVISOR_DELAY_MS 100
#define SUPERVISOR_DELAY_MAX_MS 10000
#define SUPERVISOR_HEALTHY_MS 60000
/* From SIGTERM to SIGKILL: it drives its outputs to their safe values first. */
#define SUPERVISOR_STOP_MS 3000
/* Longest run of the program that puts things in order, a matter of milliseconds. */
#define SUPERVISOR_AFTER_MS 2000

struct supervisor_options {
	const char *name; /* for the log */
	char *const *argv; /* argv[0] is the program's path */
	char *const *after; /* runs after it; NULL: nothing does */
	uint32_t watchdog_ms; /* longest silence; 0: it may be silent */
};

/*
 * Everything is borrowed but the struct itself. Starts the child before it
 * returns. Returns NULL with errno set: ENOENT, EACCES and the like when there is
 * no such program.
 */
struct supervisor *supervisor_new(struct loop *loop,
				  const struct supervisor_options *options);

/* A child of this process has ended, perhaps this one. */
void supervisor_reap(struct supervisor *supervisor);

/* The child's process, 0 while it does not run. */
pid_t supervisor_pid(const struct supervisor *supervisor);

/* SIGTERM, wait for the end, SIGKILL if it takes longer than SUPERVISOR_STOP_MS.
 * One that had to be killed is followed by the second program. NULL does nothing. */
void supervisor_free(struct supervisor *supervisor);

#endif
