/* What a client or a topic does, to a file: /trace. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "broker/admin.h"
#include "broker/wire/topic.h"
#include "db/config.h"
#include "db/db.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/payload.h"
#include "web/reply.h"
#include "web/trace_dir.h"

static const char *const kinds[] = { "client", "topic", NULL };

/* The path of a file as somebody on this machine writes it. */
static json_t *path_json(const struct db *db, const char *name)
{
	json_t *path = json_sprintf("%s/trace/%s", db_dir(db), name);

	return path ? path : json_null();
}

void api_trace(struct request *request)
{
	const struct db *db = db_config_db(request->web->config);
	json_t *list = json_array();
	struct admin_trace t;
	int r;

	r = admin_trace(request->web->admin, &t);
	if (r) {
		json_decref(list);
		reply_error(request, r, "Reading the trace");
		return;
	}
	if (t.name[0] &&
	    json_array_append_new(
		    list,
		    json_pack("{s:b,s:s,s:o,s:I,s:I,s:I,s:I,s:I,s:o}",
			      "running", (int)t.running, "kind", kinds[t.kind],
			      "what", payload_text(slice_str(t.what)), "begun",
			      (json_int_t)t.begun, "seconds",
			      (json_int_t)t.seconds, "bytes",
			      (json_int_t)t.bytes, "lines", (json_int_t)t.lines,
			      "lost", (json_int_t)t.lost, "file",
			      path_json(db, t.name)))) {
		json_decref(list);
		list = NULL;
	}
	reply_json(request, 200, json_pack("{s:o}", "traces", list));
}

/* The body, checked. False: the request has been answered. */
static bool read_options(struct request *request,
			 struct admin_trace_options *out)
{
	struct form form;
	int kind;

	if (!form_begin(&form, request))
		return false;
	kind = form_choice(&form, "kind", kinds, -1);
	out->what = form_text(&form, "what", FORM_REQUIRED, LIMIT_CLIENT_ID);
	out->seconds = LIMIT_TRACE_SECONDS_USUAL;
	if (form_has(&form, "seconds"))
		out->seconds =
			(uint32_t)form_number(&form, "seconds", FORM_REQUIRED,
					      1, LIMIT_TRACE_SECONDS);
	out->max_bytes = LIMIT_TRACE_BYTES_USUAL;
	if (form_has(&form, "max_bytes"))
		out->max_bytes =
			(uint64_t)form_number(&form, "max_bytes", FORM_REQUIRED,
					      1024, LIMIT_TRACE_BYTES);
	if (out->what && !out->what[0])
		form_error(&form, "what", "must not be empty");
	else if (out->what && kind == ADMIN_TRACE_TOPIC &&
		 !topic_filter_valid(slice_str(out->what)))
		form_error(&form, "what", "must be a topic filter");
	if (!form_end(&form))
		return false;
	assert(out->what && kind >= 0);
	out->kind = (enum admin_trace_kind)kind;
	return true;
}

void api_trace_start(struct request *request)
{
	const struct db *db = db_config_db(request->web->config);
	struct admin_trace_options options = { 0 };
	char name[TRACE_NAME_SIZE];
	int r;

	if (!read_options(request, &options))
		return;
	options.fd = trace_dir_new(db, name);
	if (options.fd < 0) {
		reply_error(request, options.fd, "Making the file");
		return;
	}
	options.name = name;
	r = admin_trace_start(request->web->admin, &options);
	/* A broker that has not answered may still begin. */
	if (r == 0 || r == -ETIMEDOUT)
		trace_dir_trim(db, name);
	else
		trace_dir_remove(db, name);
	if (r == -EBUSY) {
		reply_problem(request, 409, "trace-runs",
			      "There is a trace already; stop it first.");
		return;
	}
	if (r) {
		reply_error(request, r, "Beginning the trace");
		return;
	}
	audit(request, "trace of %s %s begun", kinds[options.kind],
	      options.what);
	reply_json(request, 201,
		   json_pack("{s:o,s:I,s:I}", "file", path_json(db, name),
			     "seconds", (json_int_t)options.seconds,
			     "max_bytes", (json_int_t)options.max_bytes));
}

void api_trace_stop(struct request *request)
{
	int r = admin_trace_stop(request->web->admin);

	if (r == -ENOENT) {
		reply_problem(request, 404, "no-trace", "No trace is running.");
		return;
	}
	if (r) {
		reply_error(request, r, "Ending the trace");
		return;
	}
	reply_empty(request, 204);
}
