/*
 * Reads the log that recorder.h writes, and adds to it what its starter has to say.
 */
#ifndef TESTS_CRASH_DAEMON_RECORD_LOG_H
#define TESTS_CRASH_DAEMON_RECORD_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/crash/disk.h"
#include "tests/crash_daemon/record.h"

struct record_log;

/* One record; what it points to is valid until the next is read. */
struct record_read {
	enum record_type type;
	int fd;
	uint64_t at;
	uint64_t now;
	char name[256];
	char to[256];
	const uint8_t *data;
	size_t len;
};

/* make: a new file; else one that is there, which is only read. Ends the program
 * if it cannot, as all here. */
struct record_log *record_log_open(const char *path, bool make);
void record_log_close(struct record_log *log);

/* The next one that is there as a whole. */
bool record_log_next(struct record_log *log, struct record_read *out);

/* Cut off what the recorded program was killed in the middle of. Of a log that was
 * made here; the next record is one that is added after this. */
void record_log_mend(struct record_log *log);

/* RECORD_SEED, RECORD_CUT and RECORD_STOP. */
void record_log_add(struct record_log *log, enum record_type type, uint64_t at);
/* A file as it is before anything is recorded. */
void record_log_add_file(struct record_log *log, const char *name,
			 const uint8_t *data, size_t len);

/* A record of a file as what is done to it. Returns false for any other record. */
bool record_log_disk_op(const struct record_read *record, struct disk_op *out);

#endif
