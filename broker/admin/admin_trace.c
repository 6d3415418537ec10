/* The trace of admin.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/admin/admin_call.h"
#include "broker/admin/trace.h"

#define NOTHING slice_of(NULL, 0)

static void drop_trace(void *trace)
{
	trace_free(trace);
}

/* The one before goes back to the caller's thread, which may wait for its disk. */
static int run_start(struct broker *b, struct admin_call *call)
{
	struct trace *trace = call->out;

	if (b->trace)
		return -EBUSY;
	call->out = b->trace_ended;
	b->trace_ended = NULL;
	trace_start(b, trace);
	return 0;
}

int admin_trace_start(struct admin *admin,
		      const struct admin_trace_options *options)
{
	struct trace *trace = trace_new(options);
	struct admin_call *call;

	if (!trace) {
		int r = -errno;

		close(options->fd);
		return r;
	}
	call = admin_call_new(admin, run_start, NOTHING);
	if (!call) {
		trace_free(trace);
		return -ENOMEM;
	}
	call->out = trace;
	call->drop = drop_trace;
	return admin_call_ask(call, NULL);
}

static int run_stop(struct broker *b, struct admin_call *call)
{
	(void)call;
	if (!b->trace)
		return -ENOENT;
	trace_stop(b, "stopped");
	return 0;
}

int admin_trace_stop(struct admin *admin)
{
	return admin_call_ask(admin_call_new(admin, run_stop, NOTHING), NULL);
}

static int run_tell(struct broker *b, struct admin_call *call)
{
	struct admin_trace *out = malloc(sizeof(*out));

	if (!out)
		return -ENOMEM;
	trace_tell(b, out);
	call->out = out;
	return 0;
}

int admin_trace(struct admin *admin, struct admin_trace *out)
{
	void *made;
	int r = admin_call_ask(admin_call_new(admin, run_tell, NOTHING), &made);

	if (r < 0)
		return r;
	*out = *(struct admin_trace *)made;
	free(made);
	return 0;
}
