#include "db/backup/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/base/mailbox.h"
#include "db/backup/files.h"
#include "db/backup/passphrase.h"
#include "db/backup/schedule.h"

struct keeper {
	struct keeper_options options;
	struct mailbox *jobs;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	uint64_t look_at; /* monotonic: nothing by itself before */

	/* The newest status passes from the thread to whoever asks by this one
	 * pointer: who takes it out of it owns it. */
	struct keeper_status *_Atomic news;
	struct keeper_status *seen; /* the asker's */
	struct keeper_status now; /* the thread's */
};

struct keeper_job *keeper_job_new(enum keeper_kind kind, const char *passphrase)
{
	struct keeper_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->kind = kind;
	job->fd = -1;
	job->passphrase = passphrase ? strdup(passphrase) : NULL;
	if (passphrase && !job->passphrase) {
		free(job);
		return NULL;
	}

	return job;
}

void keeper_job_free(struct keeper_job *job)
{
	if (!job)
		return;
	if (job->passphrase)
		explicit_bzero(job->passphrase, strlen(job->passphrase));
	free(job->passphrase);
	if (job->fd >= 0)
		close(job->fd);
	free(job);
}

/* Without memory the old one is shown a while longer. */
static void tell(struct keeper *keeper)
{
	struct keeper_status *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	*copy = keeper->now;
	free(atomic_exchange(&keeper->news, copy));
}

const struct keeper_status *keeper_status(struct keeper *keeper)
{
	static const struct keeper_status nothing;
	struct keeper_status *news = atomic_exchange(&keeper->news, NULL);

	if (news) {
		free(keeper->seen);
		keeper->seen = news;
	}

	return keeper->seen ? keeper->seen : &nothing;
}

const struct keeper_options *keeper_options(const struct keeper *keeper)
{
	return &keeper->options;
}

static int data_fd(const struct keeper *keeper)
{
	return db_dir_fd(keeper->options.source.db);
}

/* Of the generations. 1: there is one, 0: there is none to be had. */
static int own_passphrase(const struct keeper *keeper,
			  char out[PASSPHRASE_SIZE], struct reason *reason)
{
	const char *file = keeper->options.passphrase_file;
	int r;

	if (!file)
		return 0;
	r = passphrase_read(file, out, reason);
	return r ? r : 1;
}

/* ---- generations ----------------------------------------------------------- */

static int make(struct keeper *keeper, struct generation *out,
		struct reason *reason)
{
	const struct keeper_options *options = &keeper->options;
	char passphrase[PASSPHRASE_SIZE];
	struct backup_options how = { .history = options->history,
				      .stop = &keeper->stop };
	int dir;
	int r = own_passphrase(keeper, passphrase, reason);

	if (r < 0)
		return r;
	if (r > 0)
		how.passphrase = passphrase;
	dir = generations_dir(data_fd(keeper), options->path);
	if (dir < 0)
		return reason_set(reason, dir, "%.100s: %s",
				  options->path ? options->path : "backups",
				  strerrordesc_np(-dir));
	r = generations_make(dir, &options->source, &how, options->keep, out,
			     reason);
	close(dir);
	explicit_bzero(passphrase, sizeof(passphrase));

	return r;
}

static void make_and_tell(struct keeper *keeper)
{
	struct keeper_status *now = &keeper->now;
	uint64_t begun = clock_ms();

	*now = (struct keeper_status){ .tried = true, .time = clock_wall_ms() };
	now->result = make(keeper, &now->made, &now->reason);
	now->ms = clock_ms() - begun;
	if (now->result)
		log_error("backup", "none could be made: %s",
			  reason_text(&now->reason, now->result));
	else
		log_info("backup", "%s: %" PRIu64 " bytes in %" PRIu64 " ms",
			 now->made.name, now->made.bytes, now->ms);
}

static int64_t last_made(const struct keeper *keeper)
{
	struct generation newest;
	int dir = generations_dir(data_fd(keeper), keeper->options.path);
	int count;

	if (dir < 0)
		return -1;
	count = generations_list(dir, &newest, 1);
	close(dir);

	return count > 0 ? newest.time : -1;
}

/* A generation that the clock cannot be compared with counts as made long ago,
 * but not every minute anew. */
static void look(struct keeper *keeper)
{
	uint64_t now = clock_ms();

	if (!keeper->options.nightly || now < keeper->look_at ||
	    atomic_load(&keeper->stop))
		return;
	keeper->look_at = now + KEEPER_LOOK_MS;
	if (!schedule_due(keeper->options.hour, clock_wall_ms(),
			  last_made(keeper)))
		return;
	keeper->now.running = true;
	tell(keeper);
	make_and_tell(keeper);
	tell(keeper);
	if (keeper->now.result)
		keeper->look_at = clock_ms() + KEEPER_RETRY_MS;
}

/* ---- jobs ------------------------------------------------------------------ */

static int make_now(struct keeper *keeper, struct keeper_job *job)
{
	make_and_tell(keeper);
	job->number = keeper->now.made.number;
	job->bytes = keeper->now.made.bytes;
	job->reason = keeper->now.reason;

	return keeper->now.result;
}

static int size_of(struct keeper_job *job)
{
	struct stat st;

	if (fstat(job->fd, &st) || lseek(job->fd, 0, SEEK_SET) < 0)
		return -errno;
	job->bytes = (uint64_t)st.st_size;

	return 0;
}

/* Without a name, so that nothing of it is left, whatever happens. */
static int export_one(struct keeper *keeper, struct keeper_job *job)
{
	const struct backup_options how = { .passphrase = job->passphrase,
					    .history = job->history,
					    .stop = &keeper->stop };
	int r;

	job->fd = files_create(data_fd(keeper), "backup.tmp");
	if (job->fd < 0)
		return job->fd;
	(void)unlinkat(data_fd(keeper), "backup.tmp", 0);
	r = backup_create(&keeper->options.source, &how, job->fd, &job->made,
			  &job->reason);

	return r ? r : size_of(job);
}

static int fetch(struct keeper *keeper, struct keeper_job *job)
{
	int dir = generations_dir(data_fd(keeper), keeper->options.path);

	if (dir < 0)
		return dir;
	job->fd = generations_open(dir, job->number);
	close(dir);

	return job->fd < 0 ? job->fd : size_of(job);
}

static int check(struct keeper *keeper, struct keeper_job *job,
		 const char *passphrase)
{
	const struct restore_source source = { job->fd, passphrase };

	if (lseek(job->fd, 0, SEEK_SET) < 0)
		return -errno;

	return restore_stage(db_dir(keeper->options.source.db), data_fd(keeper),
			     &source, &job->info, &job->reason);
}

static int stage(struct keeper *keeper, struct keeper_job *job)
{
	const bool ours = job->fd < 0 && !job->passphrase;
	char own[PASSPHRASE_SIZE] = "";
	int r = 0;

	if (ours)
		r = own_passphrase(keeper, own, &job->reason);
	if (r >= 0)
		r = job->fd < 0 ? fetch(keeper, job) : 0;
	if (!r)
		r = check(keeper, job, own[0] ? own : job->passphrase);
	explicit_bzero(own, sizeof(own));

	return r;
}

static int perform(struct keeper *keeper, struct keeper_job *job)
{
	switch (job->kind) {
	case KEEPER_MAKE:
		return make_now(keeper, job);
	case KEEPER_EXPORT:
		return export_one(keeper, job);
	case KEEPER_FETCH:
		return fetch(keeper, job);
	case KEEPER_RESTORE:
		return stage(keeper, job);
	}

	return -EINVAL;
}

static void answer(struct keeper *keeper, struct keeper_job *job)
{
	if (atomic_load(&keeper->stop)) {
		job->result = -ECANCELED;
	} else {
		keeper->now.running = true;
		tell(keeper);
		job->result = perform(keeper, job);
		keeper->now.running = false;
		tell(keeper);
	}
	/* Whoever asks makes room for as many as he asks. */
	if (mailbox_post(job->reply, job))
		keeper_job_free(job);
}

/* ---- the thread ------------------------------------------------------------ */

static int wait_ms(const struct keeper *keeper)
{
	uint64_t now = clock_ms();

	if (!keeper->options.nightly)
		return -1;
	if (keeper->look_at <= now)
		return 0;
	return keeper->look_at - now < KEEPER_LOOK_MS
		       ? (int)(keeper->look_at - now)
		       : (int)KEEPER_LOOK_MS;
}

/* The keeper itself among the jobs only wakes the thread. */
static void *run(void *arg)
{
	struct keeper *keeper = arg;
	void *job;

	while (!atomic_load(&keeper->stop)) {
		job = mailbox_wait(keeper->jobs, wait_ms(keeper));
		if (job && job != keeper)
			answer(keeper, job);
		look(keeper);
	}
	while ((job = mailbox_take(keeper->jobs)))
		if (job != keeper)
			answer(keeper, job);

	return NULL;
}

/* No signal is ours. */
static int start_thread(struct keeper *keeper)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&keeper->thread, NULL, run, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	keeper->started = !r;

	return -r;
}

struct keeper *keeper_new(const struct keeper_options *options)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int r;

	if (!keeper)
		return NULL;
	keeper->options = *options;
	keeper->look_at = clock_ms() + (options->first_ms ? options->first_ms
							  : KEEPER_FIRST_MS);
	keeper->jobs = mailbox_new(KEEPER_JOBS_MAX);
	r = keeper->jobs ? start_thread(keeper) : -errno;
	if (r) {
		keeper_free(keeper);
		errno = -r;
		return NULL;
	}

	return keeper;
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper || !keeper->started)
		return;
	atomic_store(&keeper->stop, true);
	/* Full: then it is awake. */
	(void)mailbox_post(keeper->jobs, keeper);
	pthread_join(keeper->thread, NULL);
	keeper->started = false;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	keeper_stop(keeper);
	mailbox_free(keeper->jobs);
	free(atomic_exchange(&keeper->news, NULL));
	free(keeper->seen);
	free(keeper);
}

int keeper_submit(struct keeper *keeper, struct keeper_job *job)
{
	return mailbox_post(keeper->jobs, job);
}
