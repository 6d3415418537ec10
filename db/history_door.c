#include "db/history_door.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/base/mailbox.h"
#include "broker/limits.h"
#include "db/db.h"
#include "db/history_replay.h"
#include "db/store.h"

/* Requests in either mailbox: each is in one place only. And the word to stop. */
#define REQUESTS (LIMIT_PLAYBACKS + 1)

/* The connection is kept so long when nobody asks. */
#define IDLE_MS 10000

struct db_history_door {
	struct history door; /* must be first */
	struct db *db;
	struct db_store *store;
	struct mailbox *questions;
	struct mailbox *answers;
	atomic_uint replays; /* asked and not over */
	atomic_size_t tails; /* bytes */
	atomic_bool failing; /* told in the log */

	/* The broker's. */
	pthread_t thread;
	bool running;

	/* The thread's own. */
	struct sqlite3 *sqlite;
};

static struct history_request stop_request;

static struct db_history_door *door_of(struct history *history)
{
	return (struct db_history_door *)(void *)history;
}

/* ---- the thread --------------------------------------------------------- */

static void disconnect(struct db_history_door *door)
{
	sqlite3_close(door->sqlite);
	door->sqlite = NULL;
}

/* Said once. */
static void tell(struct db_history_door *door, int error)
{
	if (!atomic_exchange(&door->failing, error != 0) && error)
		log_error("history.db", "cannot be replayed: %s",
			  strerrordesc_np(-error));
}

static void read_page(struct db_history_door *door,
		      struct history_request *request)
{
	int r = 0;

	if (!door->sqlite)
		r = db_connect(door->db, DB_HISTORY, true, &door->sqlite);
	if (!r)
		r = history_replay_page(request, door->sqlite);
	request->result = r;
	tell(door, r);
	/* What it has open may be a file that is none any more. */
	if (r < 0)
		disconnect(door);
}

static void *run(void *arg)
{
	struct db_history_door *door = arg;
	struct history_request *request;

	do {
		request = mailbox_wait(door->questions,
				       door->sqlite ? IDLE_MS : -1);
		if (!request) {
			disconnect(door);
		} else if (request != &stop_request) {
			read_page(door, request);
			/* There is room for all that can be under way. */
			mailbox_post(door->answers, request);
		}
	} while (request != &stop_request);
	disconnect(door);

	return NULL;
}

static int start(struct db_history_door *door)
{
	sigset_t all;
	sigset_t old;
	int r;

	if (door->running)
		return 0;
	/* Signals are main's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&door->thread, NULL, run, door);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	door->running = !r;

	return -r;
}

/* ---- the store's thread ------------------------------------------------- */

static void on_mark(void *arg, struct history_request *request,
		    struct history_writer *writer)
{
	struct db_history_door *door = arg;
	size_t before;
	int r;

	r = history_replay_mark(request, writer);
	before = atomic_fetch_add(&door->tails, request->tail_bytes);
	if (!r && before + request->tail_bytes > DB_HISTORY_TAILS_MAX)
		r = -ENOBUFS;
	request->marked = true;
	request->result = r;
	if (r)
		tell(door, r);
	mailbox_post(r ? door->answers : door->questions, request);
}

/* ---- the broker's ------------------------------------------------------- */

static int ask(struct history *history, struct history_request *request)
{
	struct db_history_door *door = door_of(history);
	int r;

	if (request->marked)
		return mailbox_post(door->questions, request);
	if (atomic_load(&door->replays) >= LIMIT_PLAYBACKS)
		return -EAGAIN;
	r = start(door);
	if (r)
		return r;
	/* Before: what is stored after the mark must find it set. */
	atomic_fetch_add(&door->replays, 1);
	r = db_store_mark(door->store, request);
	if (r)
		atomic_fetch_sub(&door->replays, 1);

	return r;
}

static struct history_request *answer(struct history *history)
{
	return mailbox_take(door_of(history)->answers);
}

static int answers_fd(const struct history *history)
{
	return mailbox_fd(
		((const struct db_history_door *)(const void *)history)
			->answers);
}

static void over(struct history *history, struct history_request *request)
{
	struct db_history_door *door = door_of(history);

	atomic_fetch_sub(&door->tails, request->tail_bytes);
	atomic_fetch_sub(&door->replays, 1);
}

static const struct history_ops ops = {
	.ask = ask,
	.answer = answer,
	.fd = answers_fd,
	.over = over,
};

/* ---- main's ------------------------------------------------------------- */

int db_history_door_open(struct db *db, struct db_store *store,
			 struct db_history_door **out)
{
	struct db_history_door *door = calloc(1, sizeof(*door));

	if (!door)
		return -ENOMEM;
	door->door.ops = &ops;
	door->db = db;
	door->store = store;
	door->questions = mailbox_new(REQUESTS);
	door->answers = mailbox_new(REQUESTS);
	if (!door->questions || !door->answers) {
		db_history_door_close(door);
		return -ENOMEM;
	}
	db_store_watch_replays(store, on_mark, door, &door->replays);

	*out = door;
	return 0;
}

static void empty(struct mailbox *mailbox)
{
	struct history_request *request;

	while (mailbox && (request = mailbox_take(mailbox)))
		history_request_free(request);
	mailbox_free(mailbox);
}

void db_history_door_close(struct db_history_door *door)
{
	if (!door)
		return;
	if (door->running) {
		mailbox_post(door->questions, &stop_request);
		pthread_join(door->thread, NULL);
	}
	empty(door->questions);
	empty(door->answers);
	free(door);
}

struct history *db_history_door_history(struct db_history_door *door)
{
	return &door->door;
}
