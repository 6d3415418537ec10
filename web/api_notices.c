/* What somebody should look at: /notices. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/admin.h"
#include "broker/base/clock.h"
#include "db/config.h"
#include "db/db.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/payload.h"
#include "web/reply.h"

static json_t *text_or_null(const char *text)
{
	return text[0] ? payload_text(slice_str(text)) : json_null();
}

static json_t *notice_json(const char *kind, const struct guard_notice *n)
{
	return json_pack("{s:s,s:o,s:o,s:o,s:I,s:I,s:I}", "kind", kind,
			 "subject", payload_text(slice_str(n->subject)), "from",
			 text_or_null(n->from), "other", text_or_null(n->other),
			 "first", (json_int_t)n->first, "last",
			 (json_int_t)n->last, "count", (json_int_t)n->count);
}

static int add(json_t *list, const char *kind, const struct guard_notice *n)
{
	return json_array_append_new(list, notice_json(kind, n));
}

static const char *const instead_names[] = {
	[DB_INSTEAD_UNKNOWN] = NULL,
	[DB_INSTEAD_EMPTY] = "empty",
	[DB_INSTEAD_BACKUP] = "backup",
};

static json_t *file_json(const struct db_notice *file)
{
	json_t *json = notice_json(
		"set_aside", &(struct guard_notice){ .subject = file->name,
						     .from = "",
						     .other = "",
						     .first = file->time,
						     .last = file->time,
						     .count = 1 });
	json_t *more =
		json_pack("{s:s,s:s,s:s?}", "file", db_file_name(file->file),
			  "why", db_why_name(file->why), "instead",
			  instead_names[file->instead]);
	int r = json_object_update(json, more);

	if (r == 0 && file->instead == DB_INSTEAD_BACKUP)
		r = json_object_set_new(json, "backup_time",
					json_integer(file->backup_time));
	json_decref(more);
	if (r) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* What could not be used, until somebody has taken it away. */
static int add_files(json_t *list, const struct db *db)
{
	const struct db_notice *files;
	size_t count = db_notices(db, &files);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = json_array_append_new(list, file_json(&files[i]));
	return r;
}

static int add_store(json_t *list, const struct db *db,
		     const struct admin_counters *n)
{
	const int64_t now = clock_wall_ms();
	const char *kind = db_stand_in(db)    ? "memory"
			   : n->store_refuses ? "refusing"
					      : "store";
	const int error = db_stand_in(db) ? db_stand_in(db) : n->store_refuses;

	if (!n->has_store || (n->store_health == STORE_OK && !error))
		return 0;
	return add(list, kind,
		   &(struct guard_notice){
			   .subject = error ? strerrordesc_np(-error)
					    : db_file_name(DB_STATE),
			   .from = "",
			   .other = "",
			   .first = now,
			   .last = now,
			   .count = 1 });
}

static json_t *notices_json(const struct request *request,
			    const struct admin_notices *all,
			    const struct admin_counters *counters)
{
	const struct db *db = db_config_db(request->web->config);
	json_t *list = json_array();
	int r = list ? 0 : -1;

	if (r == 0)
		r = add_store(list, db, counters);
	if (r == 0)
		r = add_files(list, db);
	for (size_t i = 0; r == 0 && i < all->notice_count; i++)
		r = add(list, notice_kind_text(all->notices[i].kind),
			&all->notices[i]);
	if (r) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o}", "notices", list);
}

void api_notices(struct request *request)
{
	struct admin_counters counters;
	struct admin_notices *all;
	int r;

	r = admin_counters(request->web->admin, &counters);
	if (r == 0)
		r = admin_notices(request->web->admin, &all);
	if (r) {
		reply_error(request, r, "Listing the notices");
		return;
	}
	reply_json(request, 200, notices_json(request, all, &counters));
	free(all);
}

/* Somebody has looked at what was set aside. */
void api_notice_delete(struct request *request)
{
	const char *name = request->segments[3];
	int r = db_notice_remove(db_config_db(request->web->config), name);

	if (r == -ENOENT) {
		reply_problem(request, 404, "not-found",
			      "There is no such notice.");
		return;
	}
	if (r) {
		reply_error(request, r, "Deleting what was set aside");
		return;
	}
	audit(request, "deleted %s, which had been set aside", name);
	reply_empty(request, 204);
}
