#include "gpio/reader.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "broker/base/loop.h"
#include "broker/base/mailbox.h"
#include "gpio/sensor_read.h"

struct reader {
	struct loop *loop;
	const char *sysfs;
	reader_fn *done;
	void *arg;
	struct mailbox *asked;
	struct mailbox *told;
	struct loop_source source;
	unsigned int under_way;
	atomic_bool stop;
	pthread_t thread;
	struct reading last; /* asked for at the end */
};

static void discard(struct reader *reader, struct reading *reading)
{
	if (reading != &reader->last)
		free(reading);
}

static void *run(void *arg)
{
	struct reader *reader = arg;
	struct reading *reading;

	while ((reading = mailbox_wait(reader->asked, -1))) {
		int r;

		if (atomic_load(&reader->stop)) {
			discard(reader, reading);
			return NULL;
		}
		reading->error = sensor_read(reader->sysfs, &reading->device,
					     &reading->value);
		/* There is room for all that can be asked. */
		r = mailbox_post(reader->told, reading);
		assert(!r);
	}
	return NULL;
}

static void on_told(struct loop_source *source, uint32_t events)
{
	struct reader *reader = list_entry(source, struct reader, source);
	struct reading *reading;

	(void)events;
	while ((reading = mailbox_take(reader->told))) {
		reader->under_way--;
		reader->done(reader->arg, reading);
		free(reading);
	}
}

/* Signals are the loop's. */
static int start(struct reader *reader)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r)
		return -r;
	r = pthread_create(&reader->thread, NULL, run, reader);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		(void)pthread_setname_np(reader->thread, "sensors");
	return -r;
}

int reader_new(struct loop *loop, const char *sysfs, reader_fn *done, void *arg,
	       struct reader **out)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;

	reader->loop = loop;
	reader->sysfs = sysfs;
	reader->done = done;
	reader->arg = arg;
	/* One more for the end. */
	reader->asked = mailbox_new(READER_ASKED_MAX + 1);
	if (!reader->asked) {
		r = -errno;
		goto err_free;
	}
	reader->told = mailbox_new(READER_ASKED_MAX);
	if (!reader->told) {
		r = -errno;
		goto err_asked;
	}
	r = loop_add(loop, &reader->source, mailbox_fd(reader->told), EPOLLIN,
		     on_told);
	if (r)
		goto err_told;
	r = start(reader);
	if (r)
		goto err_source;
	*out = reader;
	return 0;

err_source:
	loop_remove(loop, &reader->source);
err_told:
	mailbox_free(reader->told);
err_asked:
	mailbox_free(reader->asked);
err_free:
	free(reader);
	return r;
}

static void empty(struct reader *reader, struct mailbox *mailbox)
{
	struct reading *item;

	while ((item = mailbox_take(mailbox)))
		discard(reader, item);
}

void reader_free(struct reader *reader)
{
	int r;

	if (!reader)
		return;
	atomic_store(&reader->stop, true);
	r = mailbox_post(reader->asked, &reader->last);
	assert(!r);
	(void)pthread_join(reader->thread, NULL);
	loop_remove(reader->loop, &reader->source);
	empty(reader, reader->asked);
	empty(reader, reader->told);
	mailbox_free(reader->asked);
	mailbox_free(reader->told);
	free(reader);
}

int reader_ask(struct reader *reader, unsigned int place, uint32_t generation,
	       const struct device *device)
{
	struct reading *reading;
	int r;

	if (reader->under_way == READER_ASKED_MAX)
		return -EAGAIN;
	reading = malloc(sizeof(*reading));
	if (!reading)
		return -ENOMEM;
	*reading = (struct reading){
		.place = place,
		.generation = generation,
		.device = *device,
	};
	/* There is room for all that can be under way. */
	r = mailbox_post(reader->asked, reading);
	assert(!r);
	reader->under_way++;
	return 0;
}
