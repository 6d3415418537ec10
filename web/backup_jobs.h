/*
 * Jobs of the keeper (db/backup/keeper.h) for requests, which wait suspended until
 * their answer comes back. The web thread's alone.
 */
#ifndef WEB_BACKUP_JOBS_H
#define WEB_BACKUP_JOBS_H

#include "db/backup/keeper.h"
#include "web/request.h"

struct backup_jobs;

/* The job is gone afterwards, with its descriptor unless that was taken (-1). */
typedef void backup_jobs_fn(struct request *request, struct keeper_job *job);

/* keeper is borrowed. Returns NULL with errno set. */
struct backup_jobs *backup_jobs_new(struct loop *loop, struct keeper *keeper);
/* After the loop's last turn: answers are taken no more. */
void backup_jobs_stop(struct backup_jobs *backups);
/* After the keeper has stopped. NULL does nothing. */
void backup_jobs_free(struct backup_jobs *backups);

struct keeper *backup_jobs_keeper(const struct backup_jobs *backups);

/* Become the request's job. job is taken, NULL: out of memory. On error (too many
 * wait) the request has been answered 503 and false comes back. */
bool backup_jobs_submit(struct request *request, struct keeper_job *job,
			backup_jobs_fn *fn);

/* Why the keeper has refused: 422 backup-refused with its words for what is the
 * file's fault, else as reply_error(). */
void backup_jobs_refused(struct request *request, const struct keeper_job *job);

#endif
