#include "tests/db/history_model.h"

#include <stdlib.h>

#include "broker/origin.h"
#include "db/db.h"
#include "tests/db/fault_vfs.h"
#include "tests/db/scratch.h"

struct history_writer *writer;
struct db_history *reader;
int64_t put_last;
static struct db *db;

static const struct history_writer_options keep_all = { .bytes = UINT64_MAX };

static int open_all(const struct history_writer_options *options)
{
	struct db_options file = { .dir = scratch_path(""),
				   .vfs = fault_vfs_name() };

	return db_open(&file, &db) ||
	       history_writer_open(db, options, &writer) ||
	       db_history_open(db, &reader);
}

static void close_all(void)
{
	db_history_close(reader);
	history_writer_close(writer);
	db_close(db);
}

int history_model_setup(void **state)
{
	*state = NULL;
	scratch_make();
	return open_all(&keep_all);
}

int history_model_teardown(void **state)
{
	(void)state;
	fault_vfs_disarm();
	close_all();
	scratch_remove();
	return 0;
}

void history_model_reopen(const struct history_writer_options *options)
{
	close_all();
	if (open_all(options))
		abort();
}

void history_model_renew(void)
{
	close_all();
	scratch_remove();
	scratch_make();
	if (open_all(&keep_all))
		abort();
}

void put_bytes(int64_t time, const char *topic, struct slice payload,
	       const char *user)
{
	struct origin *origin = origin_new(user, "c1", "a");
	struct message_parts parts = {
		.topic = slice_str(topic),
		.payload = payload,
		.time = time,
		.origin = origin,
		.expires = MESSAGE_NO_EXPIRY,
	};
	struct message *message = message_new(&parts);

	put_last = time;
	history_writer_put(writer, message);
	message_unref(message);
	origin_unref(origin);
}

void put(int64_t time, const char *topic, const char *payload)
{
	put_bytes(time, topic, slice_str(payload), "anna");
}

struct db_history_samples *ask(const char *topic, int64_t from, int64_t to,
			       uint64_t after, size_t limit)
{
	struct db_history_query query = {
		.topic = slice_str(topic),
		.from = from,
		.to = to,
		.after = after,
		.limit = limit,
	};
	struct db_history_samples *out = NULL;

	if (db_history_samples(reader, &query, &out))
		abort();
	return out;
}
