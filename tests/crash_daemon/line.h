/*
 * The connections of a recorded broker as the log tells of them, put together to
 * packets both ways and made known to a model: who was promised what, and when.
 */
#ifndef TESTS_CRASH_DAEMON_LINE_H
#define TESTS_CRASH_DAEMON_LINE_H

#include "tests/crash_daemon/heard.h"
#include "tests/crash_daemon/record_log.h"

struct line;

struct lines {
	struct line *all; /* of the program that runs; by no order */
	struct line *current[MODEL_CLIENTS]; /* the latest of each, or NULL */
	struct heard heard;
	bool stopping; /* connections may end */
};

void lines_init(struct lines *lines);
/* All are lost: the program has been killed. */
void lines_drop(struct lines *lines);
/* ACCEPT, HEARD, SAID, HANGUP, STOP; any other record is ignored. */
void lines_follow(struct lines *lines, struct model *m,
		  const struct record_read *record);

#endif
