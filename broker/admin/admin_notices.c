/* The notices of admin.h. */
#include <errno.h>
#include <stdlib.h>

#include "broker/admin.h"
#include "broker/admin/admin_call.h"

#define NOTHING slice_of(NULL, 0)

static const char *keep(char **at, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = memcpy(*at, text, size);

	*at += size;
	return copy;
}

static int run_notices(struct broker *b, struct admin_call *call)
{
	struct admin_notices *out;
	struct guard_notice n;
	size_t at = 0, count = 0, bytes = 0;
	char *text;

	for (; guard_next_notice(b->guard, &at, &n); count++)
		bytes += strlen(n.subject) + strlen(n.from) + strlen(n.other) +
			 3;
	out = malloc(sizeof(*out) + count * sizeof(out->notices[0]) + bytes);
	if (!out)
		return -ENOMEM;
	out->count = *guard_counters(b->guard);
	out->notice_count = count;
	text = (char *)&out->notices[count];
	at = 0;
	for (size_t i = 0; guard_next_notice(b->guard, &at, &n); i++) {
		out->notices[i] = n;
		out->notices[i].subject = keep(&text, n.subject);
		out->notices[i].from = keep(&text, n.from);
		out->notices[i].other = keep(&text, n.other);
	}
	call->out = out;
	return 0;
}

int admin_notices(struct admin *admin, struct admin_notices **out)
{
	void *made;
	int r = admin_call_ask(admin_call_new(admin, run_notices, NOTHING),
			       &made);

	if (r == 0)
		*out = made;
	return r;
}
