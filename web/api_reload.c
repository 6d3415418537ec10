/* Read hearth.conf anew: /reload. */
#include <errno.h>
#include <stdio.h>

#include "web/api.h"
#include "web/audit.h"
#include "web/reply.h"
#include "web/web.h"

struct collected {
	json_t *mistakes;
	json_t *changes;
	bool failed; /* out of memory */
};

static void on_mistake(void *arg, unsigned int line, const char *message)
{
	struct collected *all = arg;
	char field[24] = "hearth.conf";

	if (line)
		snprintf(field, sizeof(field), "line %u", line);
	if (json_array_append_new(
		    all->mistakes,
		    json_pack("{s:s,s:s}", "field", field, "message", message)))
		all->failed = true;
}

static void on_change(void *arg, const char *what)
{
	struct collected *all = arg;

	if (json_array_append_new(all->changes, json_string(what)))
		all->failed = true;
}

void api_reload(struct request *request)
{
	struct web_context *web = request->web;
	struct collected all = { json_array(), json_array(), false };
	const struct web_report report = { on_mistake, on_change, &all };
	int r;

	if (!web->reload) {
		json_decref(all.mistakes);
		json_decref(all.changes);
		reply_error(request, -ENOTSUP, "Reading the configuration");
		return;
	}
	audit(request, "configuration to be read anew");
	r = web->reload(web, &report);
	if (all.failed) /* what cannot be told has been logged */
		r = r ? r : -ENOMEM;
	if (r == 0)
		reply_json(request, 200,
			   json_pack("{s:O}", "changes", all.changes));
	else if (json_array_size(all.mistakes) > 0)
		reply_invalid(request, json_incref(all.mistakes));
	else
		reply_error(request, r, "Reading the configuration");
	json_decref(all.mistakes);
	json_decref(all.changes);
}
