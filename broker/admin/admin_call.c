#include "broker/admin/admin_call.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/clock.h"

/* How long a call waits for the broker thread. */
#define ANSWER_MS 5000

/* Calls that were given up and come back later; each took ANSWER_MS. */
#define REPLIES 64

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

void admin_close(struct admin *admin)
{
	if (!admin)
		return;
	/* The broker thread still holds pointers to us until it has answered. */
	for (; admin->under_way > 0; admin->under_way--)
		admin_call_free(mailbox_wait(admin->replies, -1));
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
	uint64_t now;

	for (;;) {
		now = clock_ms();
		if (now >= until)
			return -ETIMEDOUT;
		back = mailbox_wait(admin->replies, (int)(until - now));
		if (!back)
			return -ETIMEDOUT;
		admin->under_way--;
		if (back == call)
			return 0;
		admin_call_free(back); /* one that had been given up */
	}
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
