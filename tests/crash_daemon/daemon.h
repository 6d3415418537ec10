/*
 * A hearthd of release quality, started with the recorder in a directory of its
 * own, and what becomes of it.
 */
#ifndef TESTS_CRASH_DAEMON_DAEMON_H
#define TESTS_CRASH_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/crash/link.h"
#include "tests/crash_daemon/record_log.h"

struct daemon_options {
	const char *hearthd;
	const char *recorder;
	uint32_t max_delay; /* durability.max_delay, ms */
	bool relax; /* SQLite made forgetful: relax.h */
};

struct daemon {
	struct daemon_options options;
	char scratch[64]; /* all below this is ours */
	char data[96];
	char log_path[96];
	struct record_log *log; /* read to find where it listens */
	_Atomic uint64_t *clock; /* its time, in ms */
	pid_t pid; /* 0: does not run */
	uint16_t port;
};

/* A data directory that lets everybody do everything, and an empty log. Ends the
 * program if it cannot. */
void daemon_make(struct daemon *daemon, const struct daemon_options *options);
/* keep_log: all but the log is removed. */
void daemon_remove(struct daemon *daemon, bool keep_log);

/* Returns NULL, or what failed. */
const char *daemon_start(struct daemon *daemon);
/* kill -9. */
void daemon_kill(struct daemon *daemon);
/* SIGTERM. Returns NULL if it ended as it should. */
const char *daemon_stop(struct daemon *daemon);

/* What its clients see of it. */
struct place daemon_place(struct daemon *daemon);

#endif
