/* Who changed what: /audit. */
#include <stdlib.h>

#include "db/audit.h"
#include "web/api.h"
#include "web/payload.h"
#include "web/reply.h"

static json_t *entry_json(const struct db_audit *e)
{
	return json_pack("{s:I,s:I,s:s,s:s,s:o}", "id", (json_int_t)e->id,
			 "time", (json_int_t)e->time, "user", e->user,
			 "address", e->address, "what",
			 payload_text(slice_str(e->what)));
}

void api_audit(struct request *request)
{
	json_t *list = json_array();
	struct db_audit *entries = NULL;
	int64_t before = 0, limit = 100;
	size_t count = 0;
	int r;

	if (!request_number(request, "before", 1, INT64_MAX, &before) ||
	    !request_number(request, "limit", 1, WEB_PAGE_MAX, &limit)) {
		json_decref(list);
		return;
	}
	r = db_audit_list(request->web->config, before, (size_t)limit, &entries,
			  &count);
	if (r) {
		json_decref(list);
		reply_error(request, r, "Listing the changes");
		return;
	}
	for (size_t i = 0; list && i < count; i++) {
		if (json_array_append_new(list, entry_json(&entries[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	free(entries);
	reply_json(request, 200, json_pack("{s:o}", "changes", list));
}
