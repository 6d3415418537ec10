/* The bans of admin.h. */
#include <errno.h>
#include <stdlib.h>

#include "broker/admin.h"
#include "broker/admin/admin_call.h"
#include "broker/protocol/banned.h"

#define NOTHING slice_of(NULL, 0)

static void drop_bans(void *bans)
{
	bans_free(bans);
}

static int run_set_bans(struct broker *b, struct admin_call *call)
{
	struct bans *bans = call->out;

	call->out = NULL;
	bans_inherit(bans, b->bans);
	b->bans = bans;
	banned_sweep(b);
	return 0;
}

int admin_set_bans(struct admin *admin, struct bans *bans)
{
	struct admin_call *call = admin_call_new(admin, run_set_bans, NOTHING);

	if (!call) {
		bans_free(bans);
		return -ENOMEM;
	}
	call->out = bans;
	call->drop = drop_bans;
	return admin_call_ask(call, NULL);
}

static const char *keep(char **at, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = memcpy(*at, text, size);

	*at += size;
	return copy;
}

static int run_bans(struct broker *b, struct admin_call *call)
{
	const size_t count = bans_count(b->bans, loop_now(b->loop));
	struct admin_bans *out;
	struct ban *at = NULL;
	size_t bytes = 0, i = 0;
	char *text;

	while ((at = bans_next(b->bans, at)))
		bytes += strlen(at->what) + strlen(at->reason) + 2;
	out = malloc(sizeof(*out) + count * sizeof(out->bans[0]) + bytes);
	if (!out)
		return -ENOMEM;
	out->count = count;
	text = (char *)&out->bans[count];
	for (at = NULL; (at = bans_next(b->bans, at)); i++) {
		out->bans[i] = *at;
		out->bans[i].what = keep(&text, at->what);
		out->bans[i].reason = keep(&text, at->reason);
	}
	call->out = out;
	return 0;
}

int admin_bans(struct admin *admin, struct admin_bans **out)
{
	void *made;
	int r = admin_call_ask(admin_call_new(admin, run_bans, NOTHING), &made);

	if (r == 0)
		*out = made;
	return r;
}

static int run_unban(struct broker *b, struct admin_call *call)
{
	return bans_remove(b->bans, (uint32_t)call->tag);
}

int admin_unban(struct admin *admin, uint32_t id)
{
	struct admin_call *call = admin_call_new(admin, run_unban, NOTHING);

	if (call)
		call->tag = id;
	return admin_call_ask(call, NULL);
}
