/*
 * The log of what a hearthd did, in the order in which it counts: written by
 * recorder.c within it and by who started it, read by record_log.h.
 *
 * The order is such that what a record tells had happened before a later record's
 * thing began, where the one may depend on the other. What can only be made to look
 * worse than it was, is: a packet is sent when it is handed to the kernel, a file
 * is synced when that is over.
 */
#ifndef TESTS_CRASH_DAEMON_RECORD_H
#define TESTS_CRASH_DAEMON_RECORD_H

#include <stdint.h>

enum record_type {
	/* By who started it. */
	RECORD_SEED = 1, /* at: what the dice of the images start from */
	RECORD_CUT, /* it was killed; at: enum card_kind life goes on with */
	RECORD_STOP, /* it is about to be asked to end */
	/* Files: name is a path below the data directory; see disk.h. */
	RECORD_CREATE,
	RECORD_DELETE,
	RECORD_RENAME,
	RECORD_LINK,
	RECORD_WRITE, /* data, at */
	RECORD_TRUNCATE, /* at: the new size */
	RECORD_SYNC,
	RECORD_SYNC_NAMES,
	/* Sockets. */
	RECORD_LISTEN, /* at: port */
	RECORD_ACCEPT,
	RECORD_HEARD, /* data: read from it */
	RECORD_SAID, /* data: sent to it */
	RECORD_HANGUP, /* is about to be closed */
};

/* What the environment of a recorded program says. */
#define RECORD_DIR "RECORD_DIR" /* the data directory, without links */
#define RECORD_LOG "RECORD_LOG" /* a file that is there; appended to */
/* A file of one uint64_t: the time in ms, which stands still until changed. */
#define RECORD_CLOCK "RECORD_CLOCK"
/* If set: an fsync takes up to so many microseconds longer. */
#define RECORD_SLOW "RECORD_SLOW"
/* If set: SQLite is made forgetful, see relax.h. */
#define RECORD_RELAX "RECORD_RELAX"

/* The recorded program's time of the wall when its clock is 0, ms since 1970. */
#define RECORD_EPOCH_MS INT64_C(1795251600000)

/* Followed by name, to and data. */
struct record_head {
	uint32_t data_len;
	uint8_t type; /* enum record_type */
	uint8_t name_len;
	uint8_t to_len;
	uint8_t reserved;
	int32_t fd;
	uint32_t reserved_too;
	uint64_t at;
	uint64_t now; /* ms: the clock as the thread had read it last */
};

#endif
