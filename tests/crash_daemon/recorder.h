/*
 * Preloaded into a program of release quality: writes down what it does to the
 * files of its data directory and to the sockets it accepts, with all bytes, and
 * gives it the clock of who runs it. record.h has the log's form.
 *
 * One lock makes the order: what goes out by a socket is handed to the kernel and
 * written down under it, and a file is said to be synced after that is over. So a
 * packet that left before a sync had ended stands before it in the log. Changes of
 * files wait for each other, so that a sync covers what stands before it.
 */
#ifndef TESTS_CRASH_DAEMON_RECORDER_H
#define TESTS_CRASH_DAEMON_RECORDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "tests/crash_daemon/record.h"

/* A record's own and the data's, which the broker sends in at most 64. */
#define RECORD_PARTS 96

/* What may be written down. */
struct record {
	enum record_type type;
	int fd;
	uint64_t at;
	const char *name;
	const char *to;
	const struct iovec *data;
	int data_count;
	size_t data_len; /* the first so many bytes of data */
};

/* The next definition of a function that is ours, too; found once. */
void *recorder_next(void **cache, const char *name);
#define NEXT(function)                                                     \
	__extension__({                                                    \
		static void *cache;                                        \
		(__typeof__(&(function)))recorder_next(&cache, #function); \
	})

/* Between these two the order of the log is the order of what is done. */
void recorder_lock(void);
void recorder_unlock(void);
/* Locked. Keeps errno. */
void recorder_add(const struct record *record);

/* A socket that was accepted: what is sent to it is written down. */
bool recorder_is_socket(int fd);

/* The data directory; NULL before all is set up. */
const char *recorder_dir(void);
/* As RECORD_SLOW says. */
void recorder_dawdle(void);

#endif
