#include "tests/broker/sim_store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/broker/sim_rows.h"

struct operation {
	struct operation *next;
	uint64_t batch;
	enum sim_kind kind;
	bool remove;
	struct sim_row row;
};

struct sim_store {
	struct store door;
	struct sim_table tables[KINDS];
	struct operation *first;
	struct operation **last;
	uint64_t filling;
	uint64_t flushed;
	uint64_t committed;
	int fd;
	unsigned int history_rules;
	bool automatic;
	bool congested;
	int refuses;
	enum store_health health;
	bool armed;
	bool failed;
	unsigned int left;
};

static const struct slice nothing;

static struct sim_store *of(struct store *store)
{
	return (struct sim_store *)(void *)store;
}

static const struct sim_store *of_const(const struct store *store)
{
	return (const struct sim_store *)(const void *)store;
}

/* Room for what is put in now, because a commit cannot fail. */
static bool reserve(struct sim_table *table)
{
	size_t cap = table->count + table->coming + 1;
	struct sim_row *rows;

	if (cap <= table->cap)
		return true;
	rows = realloc(table->rows, cap * 2 * sizeof(*rows));
	if (!rows)
		return false;
	table->rows = rows;
	table->cap = cap * 2;
	return true;
}

static int put(struct sim_store *sim, enum sim_kind kind, bool remove,
	       const char *key, struct slice value, struct message *message)
{
	struct operation *op;

	if (sim->armed && sim->left-- == 0) {
		sim->armed = false;
		sim->failed = true;
		return -ENOMEM;
	}
	if (!reserve(&sim->tables[kind]))
		return -ENOMEM;
	op = calloc(1, sizeof(*op));
	if (!op)
		return -ENOMEM;
	op->row.key = strdup(key);
	op->row.value = malloc(value.len + 1);
	if (!op->row.key || !op->row.value) {
		free(op->row.key);
		free(op->row.value);
		free(op);
		return -ENOMEM;
	}
	if (value.len)
		memcpy(op->row.value, value.data, value.len);
	((char *)op->row.value)[value.len] = '\0';
	op->row.len = value.len;
	op->row.message = message ? message_ref(message) : NULL;
	op->batch = sim->filling;
	op->kind = kind;
	op->remove = remove;
	*sim->last = op;
	sim->last = &op->next;
	sim->tables[kind].coming++;
	return 0;
}

static struct sim_row *find(struct sim_table *table, const char *key)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].key, key) == 0)
			return &table->rows[i];
	return NULL;
}

static void drop(struct sim_table *table, struct sim_row *row)
{
	sim_row_clear(row);
	*row = table->rows[--table->count];
}

/* Keys of what belongs to a session begin with its number and '/'. */
static void drop_prefix(struct sim_table *table, const char *prefix)
{
	for (size_t i = table->count; i-- > 0;)
		if (strncmp(table->rows[i].key, prefix, strlen(prefix)) == 0)
			drop(table, &table->rows[i]);
}

static void apply(struct sim_store *sim, struct operation *op)
{
	struct sim_table *table = &sim->tables[op->kind];
	struct sim_row *row = find(table, op->row.key);
	char prefix[32];

	if (row)
		drop(table, row);
	if (op->remove && op->kind == SESSION) {
		snprintf(prefix, sizeof(prefix), "%s/", op->row.key);
		drop_prefix(&sim->tables[SUBSCRIPTION], prefix);
		drop_prefix(&sim->tables[QUEUED], prefix);
		drop_prefix(&sim->tables[INBOUND], prefix);
	}
	table->coming--;
	if (!op->remove) {
		assert(table->count < table->cap);
		table->rows[table->count++] = op->row;
	} else {
		sim_row_clear(&op->row);
	}
	free(op);
}

void sim_store_commit(struct sim_store *sim)
{
	const uint64_t one = 1;

	while (sim->first && sim->first->batch <= sim->flushed) {
		struct operation *op = sim->first;

		sim->first = op->next;
		if (!sim->first)
			sim->last = &sim->first;
		apply(sim, op);
	}
	sim->committed = sim->flushed;
	if (write(sim->fd, &one, sizeof(one)) < 0)
		abort();
}

void sim_store_cut(struct sim_store *sim)
{
	while (sim->first) {
		struct operation *op = sim->first;

		sim->first = op->next;
		sim->tables[op->kind].coming--;
		sim_row_clear(&op->row);
		free(op);
	}
	sim->last = &sim->first;
	sim->flushed = sim->committed;
	sim->filling = sim->committed + 1;
}

/* ---- the door ----------------------------------------------------------- */

static int session_save(struct store *store, const struct store_session *s)
{
	char key[32];
	char value[4096];
	int n = snprintf(value, sizeof(value), "%u %u %.*s\n%.*s", s->expiry,
			 s->version, (int)s->client_id.len,
			 (const char *)s->client_id.data, (int)s->user.len,
			 (const char *)s->user.data);

	snprintf(key, sizeof(key), "%020llu", (unsigned long long)s->id);
	return put(of(store), SESSION, false, key, slice_of(value, (size_t)n),
		   NULL);
}

static int session_remove(struct store *store, uint64_t id)
{
	char key[32];

	snprintf(key, sizeof(key), "%020llu", (unsigned long long)id);
	return put(of(store), SESSION, true, key, nothing, NULL);
}

static void subscription_key(char key[4200], uint64_t session,
			     struct slice filter)
{
	snprintf(key, 4200, "%020llu/%.*s", (unsigned long long)session,
		 (int)filter.len, (const char *)filter.data);
}

static int subscription_save(struct store *store, uint64_t session,
			     const struct store_subscription *s)
{
	uint32_t value[2] = { s->options, s->identifier };
	char key[4200];

	subscription_key(key, session, s->filter);
	return put(of(store), SUBSCRIPTION, false, key,
		   slice_of(value, sizeof(value)), NULL);
}

static int subscription_remove(struct store *store, uint64_t session,
			       struct slice filter)
{
	char key[4200];

	subscription_key(key, session, filter);
	return put(of(store), SUBSCRIPTION, true, key, nothing, NULL);
}

static int message_op(struct store *store, uint64_t id, struct message *message)
{
	char key[32];

	snprintf(key, sizeof(key), "%020llu", (unsigned long long)id);
	return put(of(store), MESSAGE, !message, key, nothing, message);
}

static int message_save(struct store *store, struct message *message)
{
	return message_op(store, message->id, message);
}

static int message_remove(struct store *store, uint64_t id)
{
	return message_op(store, id, NULL);
}

static int pair_op(struct store *store, enum sim_kind kind, bool remove,
		   uint64_t session, uint64_t n, struct slice value)
{
	char key[64];

	snprintf(key, sizeof(key), "%020llu/%020llu",
		 (unsigned long long)session, (unsigned long long)n);
	return put(of(store), kind, remove, key, value, NULL);
}

static int queue_save(struct store *store, const struct store_queued *q)
{
	uint8_t value[sizeof(*q) + 512];

	assert(q->identifiers.len <= 512);
	memcpy(value, q, sizeof(*q));
	if (q->identifiers.len)
		memcpy(value + sizeof(*q), q->identifiers.data,
		       q->identifiers.len);
	return pair_op(store, QUEUED, false, q->session, q->seq,
		       slice_of(value, sizeof(*q) + q->identifiers.len));
}

static int queue_remove(struct store *store, uint64_t session, uint64_t seq,
			uint64_t message)
{
	(void)message;
	return pair_op(store, QUEUED, true, session, seq, nothing);
}

static int inbound_add(struct store *store, uint64_t session, uint16_t id)
{
	return pair_op(store, INBOUND, false, session, id, nothing);
}

static int inbound_remove(struct store *store, uint64_t session, uint16_t id)
{
	return pair_op(store, INBOUND, true, session, id, nothing);
}

static int retained_op(struct store *store, struct slice topic,
		       struct message *message)
{
	char key[4200];

	snprintf(key, sizeof(key), "%.*s", (int)topic.len,
		 (const char *)topic.data);
	return put(of(store), RETAINED, !message, key, nothing, message);
}

static int retained_save(struct store *store, struct message *message,
			 bool lazy)
{
	(void)lazy;
	return retained_op(store, message_topic(message), message);
}

static int retained_remove(struct store *store, struct slice topic)
{
	return retained_op(store, topic, NULL);
}

static int will_op(struct store *store, uint64_t session,
		   const struct store_will *will)
{
	struct slice value = will ? slice_of(will, sizeof(*will)) : nothing;
	char key[32];

	snprintf(key, sizeof(key), "%020llu", (unsigned long long)session);
	return put(of(store), WILLS, !will, key, value,
		   will ? will->message : NULL);
}

static int will_save(struct store *store, const struct store_will *will)
{
	return will_op(store, will->session, will);
}

static int will_remove(struct store *store, uint64_t session)
{
	return will_op(store, session, NULL);
}

static int history(struct store *store, struct message *message)
{
	char key[32];

	snprintf(key, sizeof(key), "%020llu", (unsigned long long)message->id);
	return put(of(store), HISTORY, false, key, nothing, message);
}

static void history_rules(struct store *store, struct history_rules *rules)
{
	(void)rules;
	of(store)->history_rules++;
}

static uint64_t current(const struct store *store)
{
	return of_const(store)->filling;
}

static void flush(struct store *store)
{
	struct sim_store *sim = of(store);
	struct operation *op = sim->first;
	bool any = false;

	for (; op; op = op->next)
		any |= op->batch == sim->filling;
	if (!any)
		return;
	sim->flushed = sim->filling++;
	if (sim->automatic)
		sim_store_commit(sim);
}

static uint64_t committed(struct store *store)
{
	uint64_t n;

	if (read(of(store)->fd, &n, sizeof(n)) < 0)
		assert(errno == EAGAIN);
	return of(store)->committed;
}

static int fd(const struct store *store)
{
	return of_const(store)->fd;
}

static bool congested(const struct store *store)
{
	return of_const(store)->congested;
}

static enum store_health health(const struct store *store)
{
	return of_const(store)->health;
}

static int refuses(const struct store *store)
{
	return of_const(store)->refuses;
}

static int load(struct store *store, const struct store_loader *loader,
		void *arg)
{
	return sim_rows_load(of(store)->tables, loader, arg);
}

static const struct store_ops operations = {
	.load = load,
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
	.history_rules = history_rules,
	.current = current,
	.flush = flush,
	.committed = committed,
	.fd = fd,
	.congested = congested,
	.health = health,
	.refuses = refuses,
};

struct sim_store *sim_store_new(void)
{
	struct sim_store *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->door.ops = &operations;
	sim->last = &sim->first;
	sim->filling = 1;
	sim->automatic = true;
	sim->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return sim;
}

void sim_store_free(struct sim_store *sim)
{
	if (!sim)
		return;
	sim_store_cut(sim);
	for (size_t kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < sim->tables[kind].count; i++)
			sim_row_clear(&sim->tables[kind].rows[i]);
		free(sim->tables[kind].rows);
	}
	close(sim->fd);
	free(sim);
}

struct store *sim_store_door(struct sim_store *sim)
{
	return &sim->door;
}

void sim_store_set_auto(struct sim_store *sim, bool on)
{
	sim->automatic = on;
}

void sim_store_fail(struct sim_store *sim, unsigned int n)
{
	sim->armed = true;
	sim->failed = false;
	sim->left = n;
}

bool sim_store_failed(const struct sim_store *sim)
{
	return sim->failed;
}

void sim_store_set_refuses(struct sim_store *sim, int error)
{
	const uint64_t one = 1;

	sim->refuses = error;
	if (write(sim->fd, &one, sizeof(one)) < 0)
		abort();
}

void sim_store_set_congested(struct sim_store *sim, bool on)
{
	sim->congested = on;
}

size_t sim_store_sessions(const struct sim_store *sim)
{
	return sim->tables[SESSION].count;
}

size_t sim_store_subscriptions(const struct sim_store *sim)
{
	return sim->tables[SUBSCRIPTION].count;
}

size_t sim_store_messages(const struct sim_store *sim)
{
	return sim->tables[MESSAGE].count;
}

size_t sim_store_queued(const struct sim_store *sim)
{
	return sim->tables[QUEUED].count;
}

size_t sim_store_inbound(const struct sim_store *sim)
{
	return sim->tables[INBOUND].count;
}

size_t sim_store_retained(const struct sim_store *sim)
{
	return sim->tables[RETAINED].count;
}

unsigned int sim_store_history_rules(const struct sim_store *sim)
{
	return sim->history_rules;
}

void sim_store_set_health(struct sim_store *sim, enum store_health health)
{
	sim->health = health;
}

size_t sim_store_wills(const struct sim_store *sim)
{
	return sim->tables[WILLS].count;
}

size_t sim_store_history(const struct sim_store *sim)
{
	return sim->tables[HISTORY].count;
}
