#include "broker/admin/trace_file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/base/mailbox.h"

/* Pieces that may wait for the disk; each is at most TRACE_PIECE. */
#define PIECES 32

struct piece {
	char *text; /* NULL: the end */
	size_t len;
};

struct trace_file {
	struct mailbox *pieces;
	pthread_t thread;
	int fd;
	atomic_uint waiting; /* pieces; one more fits, the end */
	struct piece end;
	bool ended;
};

/* A full disk ends the trace, not the hub: what cannot be written is lost. */
static void write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void *run(void *arg)
{
	struct trace_file *file = arg;
	struct piece *piece;

	while ((piece = mailbox_wait(file->pieces, -1)) != &file->end) {
		write_all(file->fd, piece->text, piece->len);
		free(piece->text);
		free(piece);
		atomic_fetch_sub(&file->waiting, 1);
	}
	close(file->fd);
	return NULL;
}

/* No signal is its business. */
static int start(struct trace_file *file)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&file->thread, NULL, run, file);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

struct trace_file *trace_file_new(int fd)
{
	struct trace_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return NULL;
	file->fd = fd;
	file->pieces = mailbox_new(PIECES + 1);
	r = file->pieces ? start(file) : ENOMEM;
	if (r == 0)
		return file;
	if (file->pieces)
		mailbox_free(file->pieces);
	free(file);
	errno = r;
	return NULL;
}

int trace_file_write(struct trace_file *file, char *text, size_t len)
{
	struct piece *piece;

	if (atomic_load(&file->waiting) >= PIECES)
		return -EAGAIN;
	piece = malloc(sizeof(*piece));
	if (!piece)
		return -EAGAIN;
	piece->text = text;
	piece->len = len;
	atomic_fetch_add(&file->waiting, 1);
	/* There is room: no more than these and the end are ever posted. */
	mailbox_post(file->pieces, piece);
	return 0;
}

void trace_file_end(struct trace_file *file)
{
	if (!file->ended)
		mailbox_post(file->pieces, &file->end);
	file->ended = true;
}

void trace_file_free(struct trace_file *file)
{
	if (!file)
		return;
	trace_file_end(file);
	pthread_join(file->thread, NULL);
	mailbox_free(file->pieces);
	free(file);
}
