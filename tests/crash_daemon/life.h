/*
 * One random life of a real hearthd and its clients. It is killed now and then and
 * goes on with what a power cut might have left; at its end it is stopped. All that
 * was recorded is replayed, see replay.h.
 */
#ifndef TESTS_CRASH_DAEMON_LIFE_H
#define TESTS_CRASH_DAEMON_LIFE_H

#include "tests/crash_daemon/daemon.h"
#include "tests/crash_daemon/replay.h"

struct life_options {
	struct daemon_options daemon;
	uint64_t seed; /* of what the clients do; not of when what happens */
	unsigned int steps;
	bool expected; /* that a promise is broken: no log is kept */
};

enum life_end {
	LIFE_KEPT, /* every promise */
	LIFE_BROKEN, /* one was not */
	LIFE_FAILED, /* the daemon or the recorder does not do what it should */
};

/* wrong: "", or what is, and where the log is, which is then kept. */
enum life_end life_run(const struct life_options *options, struct house *house,
		       struct replay_counts *counts, char wrong[512]);

#endif
