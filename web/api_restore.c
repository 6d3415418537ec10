/*
 * Take a backup back: /restore. First it is checked, a kept one at once, one that
 * comes from outside when it has been sent; then, when whoever asks has seen what
 * is in it and agrees, the hub begins anew with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "db/backup/files.h"
#include "db/config.h"
#include "db/db.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/backup_jobs.h"
#include "web/form.h"
#include "web/payload.h"
#include "web/reply.h"
#include "web/upload.h"

/* For the answer to leave. */
#define RESTART_MS 300

static json_t *files_json(const struct restore_info *info)
{
	json_t *list = json_array();

	for (int kind = 0; list && kind < ARCHIVE_KINDS; kind++) {
		if (info->has[kind] &&
		    json_array_append_new(
			    list,
			    json_pack(
				    "{s:s,s:I}", "name",
				    archive_kind_name((enum archive_kind)kind),
				    "bytes", (json_int_t)info->sizes[kind]))) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static void on_checked(struct request *request, struct keeper_job *job)
{
	const struct archive_info *archive = &job->info.archive;

	if (job->result) {
		backup_jobs_refused(request, job);
		return;
	}
	request->web->restore_time = archive->time;
	request->web->restore_checked = true;
	reply_json(request, 200,
		   json_pack("{s:I,s:o,s:o,s:o}", "time",
			     (json_int_t)archive->time, "node",
			     payload_text(slice_str(archive->node)), "version",
			     payload_text(slice_str(archive->version)), "files",
			     files_json(&job->info)));
}

static void check(struct request *request, struct keeper_job *job)
{
	/* What was checked before is gone. */
	request->web->restore_checked = false;
	backup_jobs_submit(request, job, on_checked);
}

static void announce(struct request *request, int64_t bytes,
		     const char *passphrase)
{
	const char *name;

	name = upload_announce(request->web, (uint64_t)bytes, passphrase);
	if (name)
		reply_json(request, 201,
			   json_pack("{s:o}", "upload",
				     json_sprintf("/api/v1/restore/%s", name)));
	else
		reply_error(request, -errno, "The upload");
}

void api_restore(struct request *request)
{
	struct keeper_job *job;
	const char *passphrase;
	struct form form;
	int64_t number = 0;
	int64_t bytes = 0;

	if (!backup_offered(request) || !form_begin(&form, request))
		return;
	passphrase = backup_passphrase(&form);
	if (form_has(&form, "number"))
		number = form_number(&form, "number", FORM_REQUIRED, 1, 999999);
	else
		bytes = form_number(&form, "bytes", FORM_REQUIRED, 1,
				    UPLOAD_BYTES_MAX);
	if (!form_end(&form))
		return;
	if (!number) {
		announce(request, bytes, passphrase);
		return;
	}
	job = keeper_job_new(KEEPER_RESTORE, passphrase);
	if (job)
		job->number = (unsigned int)number;
	check(request, job);
}

void api_restore_upload(struct request *request)
{
	struct keeper_job *job;
	char *passphrase = NULL;
	int fd = upload_end(request, &passphrase);

	if (fd < 0) {
		reply_error(request, fd, "The upload");
		return;
	}
	job = keeper_job_new(KEEPER_RESTORE, NULL);
	if (job) {
		job->fd = fd;
		job->passphrase = passphrase;
	} else {
		free(passphrase);
	}
	check(request, job);
}

static void on_restart(struct loop_timer *timer)
{
	struct web_context *web =
		list_entry(timer, struct web_context, restart_timer);

	web->restart(web->restart_arg);
}

void api_restore_confirm(struct request *request)
{
	struct web_context *web = request->web;
	char stamp[FILES_STAMP_SIZE];
	int r = -ENOENT;

	if (!backup_offered(request))
		return;
	if (web->restore_checked)
		r = restore_commit(db_dir_fd(db_config_db(web->config)));
	web->restore_checked = false;
	if (r == -ENOENT) {
		reply_problem(request, 409, "nothing-checked",
			      "No backup has been checked; begin anew.");
		return;
	}
	if (r) {
		reply_error(request, r, "Laying the backup ready");
		return;
	}
	files_stamp(web->restore_time, stamp);
	audit(request, "backup of %s restored", stamp);
	log_warn("hearthd", "begins anew with the backup of %s", stamp);
	web->restart_timer.fn = on_restart;
	loop_timer_set(web->loop, &web->restart_timer, RESTART_MS);
	reply_json(request, 202,
		   json_pack("{s:I}", "time", (json_int_t)web->restore_time));
}

void api_restore_forget(struct request *request)
{
	int r;

	if (!backup_offered(request))
		return;
	request->web->restore_checked = false;
	r = restore_forget(db_dir_fd(db_config_db(request->web->config)));
	if (r)
		reply_error(request, r, "Forgetting the backup");
	else
		reply_empty(request, 204);
}
