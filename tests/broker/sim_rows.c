#include "tests/broker/sim_rows.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void sim_row_clear(struct sim_row *row)
{
	free(row->key);
	free(row->value);
	message_unref(row->message);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct sim_row *)a)->key,
		      ((const struct sim_row *)b)->key);
}

static int load_session(const struct sim_row *row,
			const struct store_loader *loader, void *arg)
{
	char *rest;
	struct store_session s = { .id = strtoull(row->key, NULL, 10) };
	const char *end;

	s.expiry = (uint32_t)strtoul(row->value, &rest, 10);
	s.version = (uint8_t)strtoul(rest, &rest, 10);
	rest++;
	end = strrchr(rest, '\n'); /* identifiers may hold one, users may not */
	assert(end);
	s.client_id = slice_of(rest, (size_t)(end - rest));
	s.user = slice_str(end + 1);
	return loader->session(arg, &s);
}

/* Another process reads bytes, not our message: a copy. */
static struct message *copy_message(const struct message *m)
{
	const struct message_parts parts = {
		.topic = message_topic(m),
		.properties = message_properties(m),
		.payload = message_payload(m),
		.qos = m->qos,
		.retain = m->retain,
		.expires = m->expires,
		.time = m->time,
		.origin = m->origin,
	};
	struct message *copy = message_new(&parts);

	if (copy)
		copy->id = m->id;
	return copy;
}

static int load_message(const struct sim_row *row,
			int (*give)(void *arg, struct message *message),
			void *arg)
{
	struct message *copy = copy_message(row->message);

	return copy ? give(arg, copy) : -ENOMEM;
}

static int load_will(const struct sim_row *row,
		     const struct store_loader *loader, void *arg)
{
	struct store_will will;

	memcpy(&will, row->value, sizeof(will));
	will.message = copy_message(row->message);
	return will.message ? loader->will(arg, &will) : -ENOMEM;
}

static int load_row(enum sim_kind kind, const struct sim_row *row,
		    const struct store_loader *loader, void *arg)
{
	uint64_t session = strtoull(row->key, NULL, 10);
	struct store_queued queued;
	uint32_t value[2];

	switch (kind) {
	case SESSION:
		return load_session(row, loader, arg);
	case SUBSCRIPTION:
		memcpy(value, row->value, sizeof(value));
		return loader->subscription(
			arg, session,
			&(struct store_subscription){
				.filter = slice_str(row->key + 21),
				.options = (uint8_t)value[0],
				.identifier = value[1],
			});
	case MESSAGE:
		return load_message(row, loader->message, arg);
	case QUEUED:
		memcpy(&queued, row->value, sizeof(queued));
		queued.identifiers =
			slice_of((const uint8_t *)row->value + sizeof(queued),
				 row->len - sizeof(queued));
		return loader->queued(arg, &queued);
	case INBOUND:
		return loader->inbound(
			arg, session,
			(uint16_t)strtoul(row->key + 21, NULL, 10));
	case RETAINED:
		return load_message(row, loader->retained, arg);
	case WILLS:
		return load_will(row, loader, arg);
	case HISTORY:
	case KINDS:
	default:
		return 0;
	}
}

int sim_rows_load(struct sim_table tables[KINDS],
		  const struct store_loader *loader, void *arg)
{
	int r = 0;

	for (unsigned int kind = 0; kind < KINDS && r == 0; kind++) {
		struct sim_table *table = &tables[kind];

		if (table->count)
			qsort(table->rows, table->count, sizeof(*table->rows),
			      by_key);
		for (size_t i = 0; i < table->count && r == 0; i++)
			r = load_row((enum sim_kind)kind, &table->rows[i],
				     loader, arg);
	}
	return r;
}
