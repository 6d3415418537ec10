#include "db/store.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/base/mailbox.h"
#include "db/batch.h"
#include "db/db.h"
#include "db/history_write.h"
#include "db/state.h"
#include "db/store_thread.h"

/* Batches on their way: as many loop turns as may pass during one sync. When it
 * is full the batch being filled simply grows. */
#define BATCHES 4096

struct db_store {
	struct store store; /* must be first */
	struct store_thread thread;
	pthread_t pthread;
	bool running;

	/* The broker thread's. */
	struct batch *filling;
	uint64_t number; /* of the batch being filled */
	bool one_processor;
};

static struct db_store *store_of(struct store *store)
{
	return (struct db_store *)store;
}

static const struct db_store *const_store_of(const struct store *store)
{
	return (const struct db_store *)store;
}

static bool room_for(struct db_store *store, size_t bytes)
{
	if (atomic_load_explicit(&store->thread.pending_bytes,
				 memory_order_relaxed) +
		    bytes >
	    DB_STORE_HARD_BYTES)
		return false;
	if (!store->filling)
		store->filling = batch_new();

	return store->filling != NULL;
}

static void count_pending(struct db_store *store, size_t bytes)
{
	atomic_fetch_add_explicit(&store->thread.pending_ops, 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&store->thread.pending_bytes, bytes,
				  memory_order_relaxed);
}

/* NULL: out of memory, or too much waits already. */
static struct op *add(struct store *door, enum op_type type, size_t text)
{
	struct db_store *store = store_of(door);
	size_t before;
	struct op *op;

	if (!room_for(store, text))
		return NULL;
	before = store->filling->bytes;
	op = batch_add(store->filling, type, text);
	if (op)
		count_pending(store, store->filling->bytes - before);

	return op;
}

/* Copy text into the operation's own room. */
static struct slice own(struct op *op, size_t offset, struct slice text)
{
	uint8_t *at = batch_text(op) + offset;

	if (!text.len)
		return slice_of(NULL, 0);
	memcpy(at, text.data, text.len);

	return slice_of(at, text.len);
}

static int add_message(struct store *door, enum op_type type,
		       struct message *message)
{
	struct db_store *store = store_of(door);
	size_t before;

	if (!room_for(store, message_size(message)))
		return -ENOMEM;
	before = store->filling->bytes;
	if (!batch_add_message(store->filling, type, message))
		return -ENOMEM;
	count_pending(store, store->filling->bytes - before);

	return 0;
}

static int add_key(struct store *door, enum op_type type, uint64_t a,
		   uint64_t b)
{
	struct op *op = add(door, type, 0);

	if (!op)
		return -ENOMEM;
	op->u.key.session = a;
	op->u.key.seq = b;

	return 0;
}

static int do_load(struct store *door, const struct store_loader *loader,
		   void *arg)
{
	struct db_store *store = store_of(door);

	assert(!store->running);
	return state_load(store->thread.state, loader, arg);
}

static int session_save(struct store *door, const struct store_session *row)
{
	size_t len = row->client_id.len;
	struct op *op = add(door, OP_SESSION_SAVE, len + row->user.len);

	if (!op)
		return -ENOMEM;
	op->u.session = *row;
	op->u.session.client_id = own(op, 0, row->client_id);
	op->u.session.user = own(op, len, row->user);

	return 0;
}

static int session_remove(struct store *door, uint64_t session)
{
	return add_key(door, OP_SESSION_REMOVE, session, 0);
}

static int subscription_save(struct store *door, uint64_t session,
			     const struct store_subscription *row)
{
	struct op *op = add(door, OP_SUBSCRIPTION_SAVE, row->filter.len);

	if (!op)
		return -ENOMEM;
	op->u.subscription.session = session;
	op->u.subscription.row = *row;
	op->u.subscription.row.filter = own(op, 0, row->filter);

	return 0;
}

static int subscription_remove(struct store *door, uint64_t session,
			       struct slice filter)
{
	struct op *op = add(door, OP_SUBSCRIPTION_REMOVE, filter.len);

	if (!op)
		return -ENOMEM;
	op->u.subscription.session = session;
	op->u.subscription.row.filter = own(op, 0, filter);

	return 0;
}

static int message_save(struct store *door, struct message *message)
{
	return add_message(door, OP_MESSAGE_SAVE, message);
}

static int message_remove(struct store *door, uint64_t id)
{
	return add_key(door, OP_MESSAGE_REMOVE, id, 0);
}

static int queue_save(struct store *door, const struct store_queued *row)
{
	struct op *op = add(door, OP_QUEUE_SAVE, row->identifiers.len);

	if (!op)
		return -ENOMEM;
	op->u.queued = *row;
	op->u.queued.identifiers = own(op, 0, row->identifiers);

	return 0;
}

static int queue_remove(struct store *door, uint64_t session, uint64_t seq,
			uint64_t message)
{
	struct op *op = add(door, OP_QUEUE_REMOVE, 0);

	if (!op)
		return -ENOMEM;
	op->u.key.session = session;
	op->u.key.seq = seq;
	op->u.key.message = message;

	return 0;
}

static int inbound_add(struct store *door, uint64_t session, uint16_t packet_id)
{
	return add_key(door, OP_INBOUND_ADD, session, packet_id);
}

static int inbound_remove(struct store *door, uint64_t session,
			  uint16_t packet_id)
{
	return add_key(door, OP_INBOUND_REMOVE, session, packet_id);
}

static int retained_save(struct store *door, struct message *message, bool lazy)
{
	return add_message(door, lazy ? OP_RETAINED_LAZY : OP_RETAINED_SAVE,
			   message);
}

static int retained_remove(struct store *door, struct slice topic)
{
	struct op *op = add(door, OP_RETAINED_REMOVE, topic.len);

	if (!op)
		return -ENOMEM;
	op->u.topic = own(op, 0, topic);

	return 0;
}

static int history(struct store *door, struct message *message)
{
	return add_message(door, OP_HISTORY, message);
}

static void set_history_rules(struct store *door, struct history_rules *rules)
{
	struct store_history *history = &store_of(door)->thread.shown;

	history_rules_unref(
		atomic_exchange(&history->rules, history_rules_ref(rules)));
}

int db_store_mark(struct db_store *store, struct history_request *request)
{
	struct op *op = add(&store->store, OP_HISTORY_MARK, 0);

	if (!op)
		return -ENOMEM;
	op->u.request = request;

	return 0;
}

void db_store_watch_replays(struct db_store *store, db_store_marked_fn *on,
			    void *arg, const atomic_uint *replays)
{
	assert(!store->running);
	store->thread.marked = on;
	store->thread.marked_arg = arg;
	history_writer_watch(store->thread.history, replays);
}

static int will_save(struct store *door, const struct store_will *will)
{
	struct db_store *store = store_of(door);
	size_t before;

	if (!room_for(store, message_size(will->message)))
		return -ENOMEM;
	before = store->filling->bytes;
	if (!batch_add_will(store->filling, will))
		return -ENOMEM;
	count_pending(store, store->filling->bytes - before);

	return 0;
}

static int will_remove(struct store *door, uint64_t session)
{
	return add_key(door, OP_WILL_REMOVE, session, 0);
}

static uint64_t current(const struct store *door)
{
	return const_store_of(door)->number;
}

static void flush(struct store *door)
{
	struct db_store *store = store_of(door);
	struct batch *batch = store->filling;
	bool promised;

	if (!batch || !batch->ops)
		return;

	/* The store's thread would go before those who wait for what the broker
	 * has just sent: they first. */
	if (store->one_processor)
		(void)sched_yield();
	promised = batch->promised > 0;
	batch->number = promised ? store->number : 0;
	if (mailbox_post(store->thread.mailbox, batch))
		return; /* full: it goes on being filled */
	/* From here on it is the store thread's. */
	store->filling = NULL;
	if (promised)
		store->number++;
}

static uint64_t committed(struct store *door)
{
	struct db_store *store = store_of(door);
	uint64_t count;

	/* First, so that what comes between makes it readable again. */
	if (read(store->thread.fd, &count, sizeof(count)) < 0)
		assert(errno == EAGAIN || errno == EINTR);

	return atomic_load(&store->thread.committed);
}

static int event_fd(const struct store *door)
{
	return const_store_of(door)->thread.fd;
}

static bool congested(const struct store *door)
{
	const struct store_thread *thread = &const_store_of(door)->thread;

	return atomic_load_explicit(&thread->pending_ops,
				    memory_order_relaxed) >=
		       DB_STORE_PENDING_OPS ||
	       atomic_load_explicit(&thread->pending_bytes,
				    memory_order_relaxed) >=
		       DB_STORE_PENDING_BYTES;
}

static enum store_health health(const struct store *door)
{
	return atomic_load(&const_store_of(door)->thread.degraded)
		       ? STORE_DEGRADED
		       : STORE_OK;
}

static int refuses(const struct store *door)
{
	return atomic_load_explicit(&const_store_of(door)->thread.refusal.why,
				    memory_order_relaxed);
}

static const struct store_ops ops = {
	.load = do_load,
	.session_save = session_save,
	.session_remove = session_remove,
	.subscription_save = subscription_save,
	.subscription_remove = subscription_remove,
	.message_save = message_save,
	.message_remove = message_remove,
	.queue_save = queue_save,
	.queue_remove = queue_remove,
	.inbound_add = inbound_add,
	.inbound_remove = inbound_remove,
	.retained_save = retained_save,
	.retained_remove = retained_remove,
	.will_save = will_save,
	.will_remove = will_remove,
	.history = history,
	.history_rules = set_history_rules,
	.current = current,
	.flush = flush,
	.committed = committed,
	.fd = event_fd,
	.congested = congested,
	.health = health,
	.refuses = refuses,
};

static bool is_one_processor(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 &&
	       CPU_COUNT(&set) == 1;
}

int db_store_open(struct db *db, const struct db_store_options *options,
		  struct db_store **out)
{
	static const struct db_store_options defaults;
	struct db_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->store.ops = &ops;
	store->number = 1;
	store->one_processor = is_one_processor();
	r = store_thread_init(&store->thread, db, BATCHES,
			      options ? options : &defaults);
	if (r) {
		free(store);
		return r;
	}

	*out = store;
	return 0;
}

void db_store_history(const struct db_store *store,
		      struct db_store_history *out)
{
	const struct store_history *shown = &store->thread.shown;

	*out = (struct db_store_history){
		.written = atomic_load(&shown->written),
		.budget = atomic_load(&shown->budget),
		.waiting = atomic_load(&shown->waiting),
		.lost = atomic_load(&shown->lost),
		.thinned = atomic_load(&shown->thinned),
		.failing = atomic_load(&shown->failing),
	};
}

int db_store_start(struct db_store *store)
{
	sigset_t all;
	sigset_t old;
	int r;

	/* Signals are main's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&store->pthread, NULL, store_thread_run,
			   &store->thread);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	store->running = !r;
	if (!r)
		(void)pthread_setname_np(store->pthread, "store");

	return -r;
}

void db_store_turn(struct db_store *store)
{
	assert(!store->running);
	store_thread_turn(&store->thread);
}

int db_store_stop(struct db_store *store)
{
	if (!store->running)
		return 0;

	/* The mailbox empties as long as the disk takes what is in it. */
	flush(&store->store);
	while (store->filling && store->filling->ops &&
	       health(&store->store) == STORE_OK) {
		poll(NULL, 0, 1);
		flush(&store->store);
	}
	store_thread_stop(&store->thread);
	pthread_join(store->pthread, NULL);
	store->running = false;

	return store->thread.error;
}

void db_store_free(struct db_store *store)
{
	if (!store)
		return;
	assert(!store->running);
	batch_free(store->filling);
	store_thread_free(&store->thread);
	free(store);
}

struct store *db_store_door(struct db_store *store)
{
	return &store->store;
}
