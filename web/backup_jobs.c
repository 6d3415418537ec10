#include "web/backup_jobs.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/mailbox.h"
#include "web/reply.h"

/* The keeper holds one more than wait for it. */
#define JOBS_MAX (KEEPER_JOBS_MAX + 1)

struct backup_jobs {
	struct loop *loop;
	struct keeper *keeper;
	struct mailbox *mailbox;
	struct loop_source source;
	unsigned int jobs; /* under way */
};

struct job {
	struct backup_jobs *backups;
	struct request *request; /* NULL: gone meanwhile */
	backup_jobs_fn *fn;
};

static void take(struct keeper_job *answer)
{
	struct job *job = answer->owner;
	struct request *request = job->request;
	backup_jobs_fn *fn = job->fn;

	job->backups->jobs--;
	free(job);
	if (request) {
		request->job = NULL;
		fn(request, answer);
	}
	keeper_job_free(answer);
}

static void on_answers(struct loop_source *source, uint32_t events)
{
	struct backup_jobs *backups =
		list_entry(source, struct backup_jobs, source);
	struct keeper_job *answer;

	(void)events;
	while ((answer = mailbox_take(backups->mailbox)))
		take(answer);
}

struct backup_jobs *backup_jobs_new(struct loop *loop, struct keeper *keeper)
{
	struct backup_jobs *backups = calloc(1, sizeof(*backups));
	int r;

	if (!backups)
		return NULL;
	backups->loop = loop;
	backups->keeper = keeper;
	backups->mailbox = mailbox_new(JOBS_MAX);
	if (!backups->mailbox)
		goto err_free;
	r = loop_add(loop, &backups->source, mailbox_fd(backups->mailbox),
		     EPOLLIN, on_answers);
	if (r) {
		errno = -r;
		goto err_mailbox;
	}
	return backups;

err_mailbox:
	mailbox_free(backups->mailbox);
err_free:
	free(backups);
	return NULL;
}

void backup_jobs_stop(struct backup_jobs *backups)
{
	loop_remove(backups->loop, &backups->source);
}

void backup_jobs_free(struct backup_jobs *backups)
{
	struct keeper_job *answer;

	if (!backups)
		return;
	while ((answer = mailbox_take(backups->mailbox)))
		take(answer);
	mailbox_free(backups->mailbox);
	free(backups);
}

struct keeper *backup_jobs_keeper(const struct backup_jobs *backups)
{
	return backups->keeper;
}

static void cancel(struct request *request)
{
	struct job *job = request->job;

	job->request = NULL;
	request->job = NULL;
}

bool backup_jobs_submit(struct request *request, struct keeper_job *work,
			backup_jobs_fn *fn)
{
	struct backup_jobs *backups = request->web->backups;
	struct job *job;
	int r = -ENOMEM;

	if (!work)
		goto err_reply;
	job = malloc(sizeof(*job));
	if (!job)
		goto err_work;
	*job = (struct job){ .backups = backups, .request = request, .fn = fn };
	work->owner = job;
	work->reply = backups->mailbox;
	r = backups->jobs < JOBS_MAX ? keeper_submit(backups->keeper, work)
				     : -EAGAIN;
	if (r)
		goto err_job;
	backups->jobs++;
	request->job = job;
	request->cancel = cancel;
	return true;

err_job:
	free(job);
err_work:
	keeper_job_free(work);
err_reply:
	reply_error(request, r, "The backup");
	return false;
}

static bool is_the_files_fault(int error)
{
	return error == -EILSEQ || error == -ENOTSUP || error == -ENOKEY ||
	       error == -EKEYREJECTED || error == -EBADMSG;
}

void backup_jobs_refused(struct request *request, const struct keeper_job *job)
{
	const char *slug =
		job->result == -ENOKEY || job->result == -EKEYREJECTED
			? "passphrase"
			: "backup-refused";

	if (job->result == -ENOENT && !job->reason.text[0])
		reply_problem(request, 404, "not-found",
			      "There is no such backup.");
	else if (job->kind == KEEPER_RESTORE && is_the_files_fault(job->result))
		reply_problem(request, 422, slug,
			      "The backup is refused: %s. Nothing has been"
			      " changed.",
			      reason_text(&job->reason, job->result));
	else if (job->reason.text[0])
		reply_problem(request, 503, "backup-failed",
			      "No backup could be made or read: %s.",
			      job->reason.text);
	else
		reply_error(request, job->result, "The backup");
}
