#include "broker/admin/admin_call.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/clock.h"

/* How long a call waits for the broker thread. */
#define ANSWER_MS 5000
/* How long until it is asked again if the broker is still there to answer. */
#define LOOK_MS 50

/* Calls that were given up and come back later; each took ANSWER_MS. */
#define REPLIES 64

#define FOR_EVER UINT64_MAX

struct admin {
	struct broker *broker;
	struct mailbox *replies;
	unsigned int under_way; /* calls that the broker thread has */
};

struct broker *admin_broker(const struct admin *admin)
{
	return admin->broker;
}

void admin_call_free(struct admin_call *call)
{
	if (!call)
		return;
	if (call->out && call->drop)
		call->drop(call->out);
	else
		free(call->out);
	free(call->text);
	free(call->user);
	free(call->after);
	free(call);
}

static void run(struct broker *broker, struct broker_call *posted)
{
	struct admin_call *call = list_entry(posted, struct admin_call, call);

	call->result = call->fn(broker, call);
	/* There is room: no more than REPLIES are ever under way. */
	mailbox_post(call->admin->replies, call);
}

/* The admin may be gone. */
static void drop(struct broker *broker, struct broker_call *posted)
{
	(void)broker;
	admin_call_free(list_entry(posted, struct admin_call, call));
}

struct admin *admin_open(struct broker *broker)
{
	struct admin *admin = calloc(1, sizeof(*admin));

	if (!admin)
		return NULL;
	admin->broker = broker;
	admin->replies = mailbox_new(REPLIES);
	if (!admin->replies) {
		free(admin);
		return NULL;
	}
	return admin;
}

/* The next answer, or NULL when the time is over, or the broker. */
static struct admin_call *next_reply(struct admin *admin, uint64_t until)
{
	for (;;) {
		/* Before looking: what it answered at its end is there then. */
		const bool ended = broker_ended(admin->broker);
		const uint64_t now = clock_ms();
		struct admin_call *call;
		uint64_t wait = until > now ? until - now : 0;

		if (wait > LOOK_MS)
			wait = LOOK_MS;
		call = mailbox_wait(admin->replies, ended ? 0 : (int)wait);
		if (call || ended || wait == 0)
			return call;
	}
}

void admin_close(struct admin *admin)
{
	struct admin_call *call;

	if (!admin)
		return;
	/* The broker thread still holds pointers to us until it has answered. */
	while (admin->under_way > 0 && (call = next_reply(admin, FOR_EVER))) {
		admin->under_way--;
		admin_call_free(call);
	}
	mailbox_free(admin->replies);
	free(admin);
}

struct admin_call *admin_call_new(struct admin *admin, admin_call_fn *fn,
				  struct slice text)
{
	struct admin_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->call.run = run;
	call->call.drop = drop;
	call->admin = admin;
	call->fn = fn;
	if (!text.data)
		return call;
	call->text = strndup((const char *)text.data, text.len);
	call->text_len = text.len;
	if (!call->text) {
		free(call);
		return NULL;
	}
	return call;
}

static int wait_for(const struct admin_call *call)
{
	struct admin *admin = call->admin;
	const uint64_t until = clock_ms() + ANSWER_MS;
	struct admin_call *back;

	while ((back = next_reply(admin, until))) {
		admin->under_way--;
		if (back == call)
			return 0;
		admin_call_free(back); /* one that had been given up */
	}
	return broker_ended(admin->broker) ? -ESHUTDOWN : -ETIMEDOUT;
}

int admin_call_ask(struct admin_call *call, void **out)
{
	struct admin *admin;
	int r;

	if (!call)
		return -ENOMEM;
	admin = call->admin;
	if (admin->under_way >= REPLIES ||
	    broker_post(admin->broker, &call->call) < 0) {
		admin_call_free(call);
		return -EAGAIN;
	}
	admin->under_way++;
	r = wait_for(call);
	if (r < 0)
		return r;
	r = call->result;
	if (r == 0 && out) {
		*out = call->out;
		call->out = NULL;
	}
	admin_call_free(call);
	return r;
}
