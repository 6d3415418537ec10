#include "broker/base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/base/clock.h"

#define CAPACITY_MAX 1048576

struct mailbox {
	pthread_mutex_t lock;
	int fd;
	/* fd is readable. Stays so until the taker has found nothing, so a busy
	 * mailbox costs its senders no system call. */
	bool signalled;
	size_t capacity;
	size_t first;
	size_t count;
	void *items[];
};

struct mailbox *mailbox_new(size_t capacity)
{
	struct mailbox *mailbox;
	int r;

	assert(capacity > 0 && capacity <= CAPACITY_MAX);

	mailbox = calloc(1, sizeof(*mailbox) + capacity * sizeof(void *));
	if (!mailbox)
		return NULL;
	mailbox->capacity = capacity;

	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->fd < 0)
		goto err_free;

	r = pthread_mutex_init(&mailbox->lock, NULL);
	if (r != 0) {
		errno = r;
		goto err_close;
	}

	return mailbox;

err_close:
	r = errno;
	close(mailbox->fd);
	errno = r;
err_free:
	free(mailbox);
	return NULL;
}

void mailbox_free(struct mailbox *mailbox)
{
	if (!mailbox)
		return;
	(void)pthread_mutex_destroy(&mailbox->lock);
	close(mailbox->fd);
	free(mailbox);
}

static void lock(struct mailbox *mailbox)
{
	int r = pthread_mutex_lock(&mailbox->lock);

	assert(r == 0);
	(void)r;
}

static void unlock(struct mailbox *mailbox)
{
	int r = pthread_mutex_unlock(&mailbox->lock);

	assert(r == 0);
	(void)r;
}

/* Both under the lock, so that fd and signalled agree; neither can block: the
 * counter is 0 or 1. */
static void signal_on(struct mailbox *mailbox)
{
	uint64_t one = 1;
	ssize_t n;

	if (mailbox->signalled)
		return;
	n = write(mailbox->fd, &one, sizeof(one));
	assert(n == sizeof(one));
	(void)n;
	mailbox->signalled = true;
}

static void signal_off(struct mailbox *mailbox)
{
	uint64_t counter;
	ssize_t n;

	if (!mailbox->signalled)
		return;
	n = read(mailbox->fd, &counter, sizeof(counter));
	assert(n == sizeof(counter));
	(void)n;
	mailbox->signalled = false;
}

int mailbox_post(struct mailbox *mailbox, void *item)
{
	size_t at;
	int r = -EAGAIN;

	assert(item);

	lock(mailbox);
	if (mailbox->count < mailbox->capacity) {
		at = mailbox->first + mailbox->count++;
		if (at >= mailbox->capacity)
			at -= mailbox->capacity;
		mailbox->items[at] = item;
		signal_on(mailbox);
		r = 0;
	}
	unlock(mailbox);

	return r;
}

void mailbox_wake(struct mailbox *mailbox)
{
	lock(mailbox);
	signal_on(mailbox);
	unlock(mailbox);
}

void *mailbox_take(struct mailbox *mailbox)
{
	void *item = NULL;

	lock(mailbox);
	if (mailbox->count > 0) {
		item = mailbox->items[mailbox->first];
		if (++mailbox->first == mailbox->capacity)
			mailbox->first = 0;
		mailbox->count--;
	} else {
		signal_off(mailbox);
	}
	unlock(mailbox);

	return item;
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}

void *mailbox_wait(struct mailbox *mailbox, int timeout_ms)
{
	uint64_t end = clock_ms() + (timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	struct pollfd p = { .fd = mailbox->fd, .events = POLLIN };

	for (;;) {
		void *item = mailbox_take(mailbox);
		uint64_t now;
		int wait = -1;

		if (item || timeout_ms == 0)
			return item;
		if (timeout_ms > 0) {
			now = clock_ms();
			if (now >= end)
				return NULL;
			wait = (int)(end - now);
		}
		(void)poll(&p, 1, wait);
	}
}
