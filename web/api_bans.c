/* Who is kept out of MQTT: /bans. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/admin.h"
#include "broker/base/cidr.h"
#include "broker/base/clock.h"
#include "db/bans.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/payload.h"
#include "web/reply.h"

#define YEAR_S (366 * 24 * 3600)

static const char *const kinds[] = { "user", "client", "address", NULL };

static json_t *until_json(int64_t until)
{
	return until ? json_integer(until) : json_null();
}

static json_t *ban_json(const struct ban *ban, const struct db_ban *made)
{
	return json_pack("{s:I,s:s,s:o,s:o,s:o,s:I,s:b,s:o,s:o}", "id",
			 (json_int_t)ban->id, "kind", ban_kind_text(ban->kind),
			 "what", payload_text(slice_str(ban->what)), "reason",
			 payload_text(slice_str(ban->reason)), "until",
			 until_json(ban->until), "hits", (json_int_t)ban->hits,
			 "automatic", (int)(ban->id >= BAN_AUTOMATIC),
			 "created",
			 made ? json_integer(made->created) : json_null(), "by",
			 made ? json_string(made->by) : json_null());
}

static const struct db_ban *find(const struct db_ban *rows, size_t count,
				 uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

/* What the broker judges by, with what config.db knows besides. */
static json_t *bans_json(const struct admin_bans *all,
			 const struct db_ban *rows, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < all->count; i++) {
		const struct ban *ban = &all->bans[i];

		if (json_array_append_new(
			    list, ban_json(ban, find(rows, count, ban->id)))) {
			json_decref(list);
			list = NULL;
		}
	}
	return json_pack("{s:o}", "bans", list);
}

void api_bans(struct request *request)
{
	struct db_ban *rows;
	struct admin_bans *all;
	size_t count;
	int r;

	r = db_bans_list(request->web->config, clock_wall_ms(), &rows, &count);
	if (r) {
		reply_error(request, r, "Listing the bans");
		return;
	}
	r = admin_bans(request->web->admin, &all);
	if (r) {
		free(rows);
		reply_error(request, r, "Listing the bans");
		return;
	}
	reply_json(request, 200, bans_json(all, rows, count));
	free(all);
	free(rows);
}

static void reply_failed(struct request *request, int error, const char *what)
{
	if (error == -ENOENT)
		reply_problem(request, 404, "no-such-ban",
			      "There is no such ban (any more).");
	else if (error == -EINVAL)
		reply_problem(request, 422, "invalid",
			      "What is to be banned is malformed.");
	else if (error == -ENFILE)
		reply_problem(request, 409, "too-many-bans",
			      "There are %d bans; no more fit.", LIMIT_BANS);
	else
		reply_error(request, error, what);
}

/* The body, checked. False: the request has been answered. */
static bool read_ban(struct request *request, struct db_ban *ban)
{
	const char *what, *reason;
	struct cidr network;
	struct form form;
	int64_t seconds;
	int kind;

	if (!form_begin(&form, request))
		return false;
	kind = form_choice(&form, "kind", kinds, -1);
	what = form_text(&form, "what", FORM_REQUIRED, LIMIT_CLIENT_ID);
	reason = form_text(&form, "reason", FORM_OPTIONAL, BAN_REASON_MAX);
	seconds = form_has(&form, "seconds")
			  ? form_number(&form, "seconds", FORM_REQUIRED, 1,
					YEAR_S)
			  : 0;
	if (what && !what[0])
		form_error(&form, "what", "must not be empty");
	else if (what && kind == BAN_ADDRESS && cidr_parse(what, &network) < 0)
		form_error(&form, "what",
			   "must be an address or a network, as 192.0.2.7, "
			   "192.0.2.0/24 or 2001:db8::/32");
	if (!form_end(&form))
		return false;
	assert(what && kind >= 0);
	ban->kind = (enum ban_kind)kind;
	ban->created = clock_wall_ms();
	ban->until = seconds ? ban->created + seconds * 1000 : 0;
	snprintf(ban->what, sizeof(ban->what), "%s", what);
	snprintf(ban->reason, sizeof(ban->reason), "%s", reason ? reason : "");
	snprintf(ban->by, sizeof(ban->by), "%s", request->user);
	return true;
}

void api_ban_add(struct request *request)
{
	struct db_ban row = { 0 };
	struct ban ban;
	int r;

	if (!read_ban(request, &row))
		return;
	r = db_bans_add(request->web->config, &row);
	if (r == 0)
		r = context_bans_changed(request->web);
	if (r) {
		reply_failed(request, r, "Storing the ban");
		return;
	}
	audit(request, "%s %s banned (%u): %s", ban_kind_text(row.kind),
	      row.what, row.id, row.reason);
	ban = (struct ban){
		.id = row.id,
		.kind = row.kind,
		.what = row.what,
		.reason = row.reason,
		.until = row.until,
	};
	reply_json(request, 201, ban_json(&ban, &row));
}

void api_ban_delete(struct request *request)
{
	char *end;
	unsigned long id = strtoul(request->segments[3], &end, 10);
	int r = -ENOENT;

	if (*end == '\0' && id >= BAN_AUTOMATIC && id <= UINT32_MAX)
		r = admin_unban(request->web->admin, (uint32_t)id);
	else if (*end == '\0' && id > 0 && id < BAN_AUTOMATIC)
		r = db_bans_remove(request->web->config, (uint32_t)id);
	if (r == 0 && id < BAN_AUTOMATIC)
		r = context_bans_changed(request->web);
	if (r) {
		reply_failed(request, r, "Lifting the ban");
		return;
	}
	audit(request, "ban %lu lifted", id);
	reply_empty(request, 204);
}
