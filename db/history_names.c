#include "db/history_names.h"

#include <errno.h>
#include <string.h>

#include "broker/origin.h"
#include "db/history_write.h"

static const char *const texts[NAMES_SQL] = {
	[NAMES_TOPIC_FIND] = "SELECT id FROM topics WHERE topic = ?",
	[NAMES_TOPIC_ADD] = "INSERT INTO topics (topic) VALUES (?)"
			    " RETURNING id",
	[NAMES_ORIGIN_FIND] = "SELECT id FROM origins WHERE day = ?"
			      " AND user = ? AND client = ? AND address = ?",
	[NAMES_ORIGIN_ADD] = "INSERT INTO origins (day, user, client, address)"
			     " VALUES (?, ?, ?, ?) RETURNING id",
};

int history_names_init(struct history_names *names, struct sqlite3 *sqlite)
{
	int r = history_topics_init(&names->topics, HISTORY_TOPICS_MAX);

	for (size_t i = 0; !r && i < NAMES_SQL; i++)
		r = statement_keep(&names->sql[i], sqlite, texts[i]);

	return r;
}

static void forget_origin(struct history_names *names)
{
	if (names->origin)
		origin_unref(names->origin);
	names->origin = NULL;
}

void history_names_free(struct history_names *names)
{
	forget_origin(names);
	history_topics_free(&names->topics);
	for (size_t i = 0; i < NAMES_SQL; i++)
		statement_close(&names->sql[i]);
}

void history_names_forget(struct history_names *names)
{
	history_topics_forget_ids(&names->topics);
	forget_origin(names);
}

/* The id that find gives for its bound parameters, or 0. */
static int find_id(struct statement *find, int64_t *id)
{
	int r = statement_step(find);

	*id = r > 0 ? statement_int_at(find, 0) : 0;
	statement_reset(find);

	return r < 0 ? r : 0;
}

/* The same for an INSERT with RETURNING, which must be run to its end. */
static int add_id(struct statement *add, int64_t *id)
{
	int r = statement_step(add);

	if (r > 0) {
		*id = statement_int_at(add, 0);
		r = statement_step(add);
	}
	statement_reset(add);

	return r;
}

int history_names_topic(struct history_names *names, struct slice topic,
			int64_t *id)
{
	struct history_topic *known = history_topics_get(&names->topics, topic);
	int r;

	if (!known)
		return -ENOMEM;
	if (known->id) {
		*id = known->id;
		return 0;
	}

	statement_text_slice(&names->sql[NAMES_TOPIC_FIND], topic);
	r = find_id(&names->sql[NAMES_TOPIC_FIND], id);
	if (!r && !*id) {
		statement_text_slice(&names->sql[NAMES_TOPIC_ADD], topic);
		r = add_id(&names->sql[NAMES_TOPIC_ADD], id);
	}
	if (!r)
		known->id = *id;

	return r;
}

/* Ports change with every connection and tell nobody anything. */
static struct slice without_port(const char *address)
{
	const char *end = strrchr(address, ':');
	size_t len = strlen(address);

	/* "[::1]:1883" and "192.0.2.7:1883"; else it is no such pair. */
	if (!end ||
	    (end > address && end[-1] != ']' && strchr(address, ':') != end))
		return slice_of(address, len);
	if (end > address && address[0] == '[')
		return slice_of(address + 1, (size_t)(end - address) - 2);

	return slice_of(address, (size_t)(end - address));
}

static void bind_origin(struct statement *s, uint32_t day,
			const struct origin *origin)
{
	statement_int(s, day);
	statement_text(s, origin->user);
	statement_text(s, origin->client_id);
	statement_text_slice(s, without_port(origin->address));
}

int history_names_origin(struct history_names *names, uint32_t day,
			 struct origin *origin, int64_t *id)
{
	struct statement *find = &names->sql[NAMES_ORIGIN_FIND];
	struct statement *add = &names->sql[NAMES_ORIGIN_ADD];
	int r;

	if (origin == names->origin && day == names->day) {
		*id = names->origin_id;
		return 0;
	}

	bind_origin(find, day, origin);
	r = find_id(find, id);
	if (!r && !*id) {
		bind_origin(add, day, origin);
		r = add_id(add, id);
	}
	if (r)
		return r;

	forget_origin(names);
	names->day = day;
	names->origin = origin_ref(origin);
	names->origin_id = *id;
	return 0;
}
