/* What somebody should look at: /notices. */
#include <stdlib.h>

#include "broker/admin.h"
#include "broker/base/clock.h"
#include "db/config.h"
#include "db/db.h"
#include "web/api.h"
#include "web/payload.h"
#include "web/reply.h"

static json_t *text_or_null(const char *text)
{
	return text[0] ? payload_text(slice_str(text)) : json_null();
}

static int add(json_t *list, const char *kind, const struct guard_notice *n)
{
	return json_array_append_new(
		list,
		json_pack("{s:s,s:o,s:o,s:o,s:I,s:I,s:I}", "kind", kind,
			  "subject", payload_text(slice_str(n->subject)),
			  "from", text_or_null(n->from), "other",
			  text_or_null(n->other), "first", (json_int_t)n->first,
			  "last", (json_int_t)n->last, "count",
			  (json_int_t)n->count));
}

/* A damaged file, until somebody has taken it away. */
static int add_files(json_t *list, const struct db *db)
{
	const struct db_notice *files;
	size_t count = db_notices(db, &files);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = add(list, "set_aside",
			&(struct guard_notice){ .subject = files[i].name,
						.from = "",
						.other = "",
						.first = files[i].time,
						.last = files[i].time,
						.count = 1 });
	return r;
}

static int add_store(json_t *list, const struct admin_counters *n)
{
	const int64_t now = clock_wall_ms();

	if (!n->has_store || n->store_health == STORE_OK)
		return 0;
	return add(list, "store",
		   &(struct guard_notice){ .subject = db_file_name(DB_STATE),
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
		r = add_store(list, counters);
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
