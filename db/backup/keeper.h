/*
 * The thread that makes backups: every night by itself, and on demand. Slow work
 * (copying, deriving keys, reading a backup through) is done here and nowhere
 * else, one after the other.
 */
#ifndef DB_BACKUP_KEEPER_H
#define DB_BACKUP_KEEPER_H

#include "db/backup/generations.h"
#include "db/backup/restore.h"

struct keeper;
struct mailbox;

/* Jobs that wait: each may take minutes. */
#define KEEPER_JOBS_MAX 4

/* After a start the house has better to do first. */
#define KEEPER_FIRST_MS (10u * 60 * 1000)
/* Between looks at the clock, and after a failure. */
#define KEEPER_LOOK_MS 60000u
#define KEEPER_RETRY_MS (3600u * 1000)

/* Strings are borrowed and must live until keeper_free(). */
struct keeper_options {
	struct backup_source source;
	bool nightly;
	unsigned int hour; /* local time */
	unsigned int keep;
	bool history; /* in the nightly ones */
	const char *path; /* of the generations; NULL: <data>/backups */
	const char *passphrase_file; /* of the generations; NULL: none */
	uint32_t first_ms; /* 0: KEEPER_FIRST_MS */
};

enum keeper_kind {
	KEEPER_MAKE, /* a generation, now */
	KEEPER_EXPORT, /* to a file without a name: fd, at its beginning */
	KEEPER_FETCH, /* a generation, to be read: fd */
	KEEPER_RESTORE, /* restore_stage() what fd has, from its beginning; -1:
			   generation number */
};

/* What is asked is filled in by the asker; the rest is the answer. */
struct keeper_job {
	enum keeper_kind kind;
	char *passphrase; /* NULL: none; freed with the job. Of a generation:
			     NULL, the file's is tried */
	bool history; /* KEEPER_EXPORT */
	unsigned int number; /* also of what KEEPER_MAKE made */
	int fd; /* closed with the job unless it is -1 */
	void *owner; /* the asker's */
	struct mailbox *reply; /* gets the job back; must have room */

	int result; /* 0, or an error of reason.h */
	struct reason reason;
	struct restore_info info; /* KEEPER_RESTORE */
	struct archive_info made; /* KEEPER_EXPORT */
	uint64_t bytes; /* of KEEPER_MAKE, KEEPER_EXPORT, KEEPER_FETCH */
};

/* How the last generation went, and what is done now. */
struct keeper_status {
	bool running; /* something */
	bool tried; /* the rest means something */
	int64_t time; /* when it was begun, ms since 1970 UTC */
	uint64_t ms; /* how long it took */
	int result;
	struct reason reason;
	struct generation made;
};

/* Passphrase is copied; fd -1. Returns NULL when out of memory. */
struct keeper_job *keeper_job_new(enum keeper_kind kind,
				  const char *passphrase);
/* NULL does nothing. */
void keeper_job_free(struct keeper_job *job);

/* Starts the thread. Returns NULL with errno set. */
struct keeper *keeper_new(const struct keeper_options *options);
/* What runs is given up; jobs that wait are answered -ECANCELED. The thread has
 * ended when this returns. NULL does nothing. */
void keeper_stop(struct keeper *keeper);
/* After that. NULL does nothing. */
void keeper_free(struct keeper *keeper);

/* Returns 0, and job is taken, or -EAGAIN: too many wait. */
int keeper_submit(struct keeper *keeper, struct keeper_job *job);

/* The newest; valid until the next call. For one thread, always the same. */
const struct keeper_status *keeper_status(struct keeper *keeper);
const struct keeper_options *keeper_options(const struct keeper *keeper);

#endif
