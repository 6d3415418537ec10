/* Backups to take away, and those kept on the hub: /backup and /backups. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "db/backup/files.h"
#include "db/backup/schedule.h"
#include "db/config.h"
#include "db/db.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/backup_jobs.h"
#include "web/form.h"
#include "web/payload.h"
#include "web/reply.h"

bool backup_offered(struct request *request)
{
	if (request->web->backups)
		return true;
	reply_problem(request, 503, "no-backups", "This hub makes no backups.");
	return false;
}

const char *backup_passphrase(struct form *form)
{
	const char *text = form_text(form, "passphrase", FORM_OPTIONAL,
				     SEAL_PASSPHRASE_MAX);

	if (text && strlen(text) < SEAL_PASSPHRASE_MIN)
		form_error(form, "passphrase", "must have 8 to 1024 bytes");
	return text;
}

/* ---- to take away ------------------------------------------------------------ */

/* Names go into a header, and into file systems of all kinds. */
static void download_name(const char *node, const char *what, char out[96])
{
	size_t len = (size_t)snprintf(out, 96, "hearth-%.32s-", node);

	for (size_t i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-",
			    out[i]))
			out[i] = '_';
	(void)snprintf(out + len, 96 - len, "%.32s.hearth", what);
}

static void reply_file(struct request *request, struct keeper_job *job,
		       const char *what)
{
	struct MHD_Response *response =
		MHD_create_response_from_fd64(job->bytes, job->fd);
	char name[96];
	char header[160];

	/* The response closes it. */
	if (response)
		job->fd = -1;
	request->bytes = job->bytes;
	reply_response(request, 200, response);
	download_name(request->web->node, what, name);
	(void)snprintf(header, sizeof(header), "attachment; filename=\"%s\"",
		       name);
	reply_header(request, "Content-Disposition", header);
	reply_header(request, "Content-Type", "application/octet-stream");
	reply_header(request, "Cache-Control", "no-store");
}

static void on_exported(struct request *request, struct keeper_job *job)
{
	char stamp[FILES_STAMP_SIZE];

	if (job->result) {
		backup_jobs_refused(request, job);
		return;
	}
	audit(request, "backup taken away%s%s",
	      job->passphrase ? ", encrypted" : ", not encrypted",
	      job->history ? ", with the history" : "");
	files_stamp(job->made.time, stamp);
	reply_file(request, job, stamp);
}

void api_backup(struct request *request)
{
	struct keeper_job *job;
	const char *passphrase;
	struct form form;
	bool history;

	if (!backup_offered(request) || !form_begin(&form, request))
		return;
	passphrase = backup_passphrase(&form);
	history = form_bool(&form, "history", true);
	if (!form_end(&form))
		return;
	job = keeper_job_new(KEEPER_EXPORT, passphrase);
	if (job)
		job->history = history;
	backup_jobs_submit(request, job, on_exported);
}

static void on_fetched(struct request *request, struct keeper_job *job)
{
	char what[24];

	if (job->result) {
		backup_jobs_refused(request, job);
		return;
	}
	audit(request, "backup %u taken away", job->number);
	(void)snprintf(what, sizeof(what), "backup-%06u", job->number);
	reply_file(request, job, what);
}

void api_backup_fetch(struct request *request)
{
	const char *text = request->segments[request->segment_count - 1];
	struct keeper_job *job;
	unsigned long number;
	char *end;

	if (!backup_offered(request))
		return;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || number > 999999)
		number = 0;
	job = keeper_job_new(KEEPER_FETCH, NULL);
	if (job)
		job->number = (unsigned int)number;
	backup_jobs_submit(request, job, on_fetched);
}

/* ---- those that are kept ------------------------------------------------------ */

static json_t *generation_json(const struct generation *generation)
{
	return json_pack(
		"{s:I,s:I,s:I,s:s}", "number", (json_int_t)generation->number,
		"time", (json_int_t)generation->time, "bytes",
		(json_int_t)generation->bytes, "file", generation->name);
}

static json_t *generations_json(int dir)
{
	struct generation *list = calloc(GENERATIONS_MAX, sizeof(*list));
	json_t *array = json_array();
	int count = list ? generations_list(dir, list, GENERATIONS_MAX) : 0;

	for (int i = 0; array && i < count; i++) {
		if (json_array_append_new(array, generation_json(&list[i]))) {
			json_decref(array);
			array = NULL;
		}
	}
	free(list);
	return array;
}

static json_t *last_json(const struct keeper_status *status)
{
	if (!status->tried)
		return json_null();
	return json_pack(
		"{s:I,s:b,s:I,s:I,s:o}", "time", (json_int_t)status->time, "ok",
		(int)(status->result == 0), "ms", (json_int_t)status->ms,
		"bytes", (json_int_t)status->made.bytes, "error",
		status->result ? payload_text(slice_str(reason_text(
					 &status->reason, status->result)))
			       : json_null());
}

static json_t *nightly_json(struct keeper *keeper)
{
	const struct keeper_options *options = keeper_options(keeper);

	return json_pack(
		"{s:b,s:i,s:i,s:b,s:b,s:o,s:o}", "enabled",
		(int)options->nightly, "hour", (int)options->hour, "keep",
		(int)options->keep, "history", (int)options->history,
		"encrypted", (int)(options->passphrase_file != NULL), "path",
		options->path ? payload_text(slice_str(options->path))
			      : json_null(),
		"next",
		options->nightly ? json_integer(schedule_next(options->hour,
							      clock_wall_ms()))
				 : json_null());
}

void api_backups(struct request *request)
{
	const struct keeper_status *status;
	const struct keeper_options *options;
	struct keeper *keeper;
	int dir;

	if (!backup_offered(request))
		return;
	keeper = backup_jobs_keeper(request->web->backups);
	options = keeper_options(keeper);
	status = keeper_status(keeper);
	/* A medium that is not there shows in how the last night went. */
	dir = generations_dir(db_dir_fd(db_config_db(request->web->config)),
			      options->path);
	reply_json(request, 200,
		   json_pack("{s:o,s:b,s:o,s:o}", "backups",
			     dir < 0 ? json_array() : generations_json(dir),
			     "running", (int)status->running, "last",
			     last_json(status), "nightly",
			     nightly_json(keeper)));
	if (dir >= 0)
		close(dir);
}

static void on_made(struct request *request, struct keeper_job *job)
{
	if (job->result) {
		backup_jobs_refused(request, job);
		return;
	}
	audit(request, "backup %u made", job->number);
	reply_json(request, 201,
		   json_pack("{s:I,s:I}", "number", (json_int_t)job->number,
			     "bytes", (json_int_t)job->bytes));
}

void api_backup_make(struct request *request)
{
	if (backup_offered(request))
		backup_jobs_submit(request, keeper_job_new(KEEPER_MAKE, NULL),
				   on_made);
}
