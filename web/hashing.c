#include "web/hashing.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/mailbox.h"
#include "web/reply.h"

struct hashing {
	struct loop *loop;
	struct authenticator *authenticator;
	struct mailbox *mailbox;
	struct loop_source source;
	struct web_context *web; /* for keep */
	hashing_keep_fn *keep; /* NULL: not any more */
};

struct job {
	struct request *request; /* NULL: gone meanwhile */
	hashing_fn *fn;
};

static void take(struct hashing *hashing, struct authenticator_request *answer)
{
	struct job *job = answer->owner;
	struct request *request;
	hashing_fn *fn;

	if (!job) { /* of authenticator_hand_on() */
		if (hashing->keep)
			hashing->keep(hashing->web, answer);
		authenticator_request_free(answer);
		return;
	}
	request = job->request;
	fn = job->fn;
	free(job);
	if (request) {
		request->job = NULL;
		fn(request, answer->result, answer);
	}
	authenticator_request_free(answer);
}

static void on_answers(struct loop_source *source, uint32_t events)
{
	struct hashing *hashing = list_entry(source, struct hashing, source);
	struct authenticator_request *answer;

	(void)events;
	while ((answer = mailbox_take(hashing->mailbox)))
		take(hashing, answer);
}

struct hashing *hashing_new(struct loop *loop,
			    struct authenticator *authenticator)
{
	struct hashing *hashing = calloc(1, sizeof(*hashing));
	int r;

	if (!hashing)
		return NULL;
	hashing->loop = loop;
	hashing->authenticator = authenticator;
	hashing->mailbox = mailbox_new(AUTHENTICATOR_REQUESTS_MAX);
	if (!hashing->mailbox)
		goto err_free;
	r = loop_add(loop, &hashing->source, mailbox_fd(hashing->mailbox),
		     EPOLLIN, on_answers);
	if (r) {
		errno = -r;
		goto err_mailbox;
	}
	return hashing;

err_mailbox:
	mailbox_free(hashing->mailbox);
err_free:
	free(hashing);
	return NULL;
}

void hashing_keep_with(struct hashing *hashing, struct web_context *web,
		       hashing_keep_fn *fn)
{
	hashing->web = web;
	hashing->keep = fn;
	authenticator_set_keeper(hashing->authenticator, hashing->mailbox);
}

void hashing_stop(struct hashing *hashing)
{
	authenticator_set_keeper(hashing->authenticator, NULL);
	hashing->keep = NULL;
	loop_remove(hashing->loop, &hashing->source);
}

void hashing_free(struct hashing *hashing)
{
	struct authenticator_request *answer;

	if (!hashing)
		return;
	while ((answer = mailbox_take(hashing->mailbox)))
		take(hashing, answer);
	mailbox_free(hashing->mailbox);
	free(hashing);
}

static void cancel(struct request *request)
{
	struct job *job = request->job;

	job->request = NULL;
	request->job = NULL;
}

static bool submit(struct request *request, struct authenticator_request *work,
		   hashing_fn *fn)
{
	struct hashing *hashing = request->web->hashing;
	struct job *job;
	int r = -ENOMEM;

	if (!work)
		goto err_reply;
	job = malloc(sizeof(*job));
	if (!job)
		goto err_work;
	*job = (struct job){ .request = request, .fn = fn };
	work->owner = job;
	work->reply = hashing->mailbox;
	r = authenticator_submit(hashing->authenticator, work);
	if (r)
		goto err_job;
	request->job = job;
	request->cancel = cancel;
	return true;

err_job:
	free(job);
err_work:
	authenticator_request_free(work);
err_reply:
	reply_error(request, r, "Checking the password");
	return false;
}

bool hashing_verify(struct request *request, const char *hash,
		    const char *password, bool wants_scram, hashing_fn *fn)
{
	struct authenticator_request *work = authenticator_request_new(
		AUTHENTICATOR_VERIFY, hash, slice_str(password));

	if (work)
		work->wants_scram = wants_scram;
	return submit(request, work, fn);
}

bool hashing_make(struct request *request, const char *password, hashing_fn *fn)
{
	return submit(request,
		      authenticator_request_new(AUTHENTICATOR_HASH, NULL,
						slice_str(password)),
		      fn);
}
