#include "db/history_topics_of_day.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/wire/topic.h"
#include "db/history_table.h"
#include "db/statement.h"

/* Names of one day: as many topics as are remembered, with long names. */
#define TEXT_MAX ((size_t)4 * 1024 * 1024)

static int add(struct topics_of_day *topics, const struct statement *s)
{
	struct slice name = statement_bytes_at(s, 2);
	struct topic_of_day topic = {
		.id = statement_int_at(s, 0),
		.first = statement_int_at(s, 1),
		.name = topics->text.len,
		.len = name.len,
	};
	int r;

	if (topics->count == topics->cap) {
		size_t cap = topics->cap ? topics->cap * 2 : 16;
		struct topic_of_day *grown =
			realloc(topics->list, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		topics->list = grown;
		topics->cap = cap;
	}
	r = buffer_append(&topics->text, name.data, name.len);
	if (r < 0)
		return r;
	topics->list[topics->count++] = topic;
	return 0;
}

/* Is there a quicker way to one topic than through all rows? */
static int look_for_index(struct topics_of_day *topics, struct sqlite3 *sqlite)
{
	char table[HISTORY_TABLE_SIZE];
	struct statement s;
	int r;

	if (topics->count != 1)
		return 0;
	history_table(topics->day, table);
	statement_open(&s, sqlite,
		       "SELECT 1 FROM sqlite_schema"
		       " WHERE type = 'index' AND tbl_name = ?");
	statement_text(&s, table);
	r = statement_step(&s);
	statement_close(&s);
	if (r > 0)
		topics->only = topics->list[0].id;

	return r < 0 ? r : 0;
}

int topics_of_day_read(struct topics_of_day *topics, struct sqlite3 *sqlite,
		       uint32_t day, struct slice filter)
{
	const bool wild = topic_has_wildcard(filter);
	struct statement s;
	int r = 0;

	*topics = (struct topics_of_day){ .day = day };
	buffer_init(&topics->text, TEXT_MAX);
	statement_open(&s, sqlite,
		       wild ? "SELECT t.id, d.first, t.topic FROM days d"
			      " JOIN topics t ON t.id = d.topic"
			      " WHERE d.day = ? ORDER BY d.topic"
			    : "SELECT t.id, d.first, t.topic FROM days d"
			      " JOIN topics t ON t.id = d.topic"
			      " WHERE d.day = ? AND t.topic = ?");
	statement_int(&s, day);
	if (!wild)
		statement_text_slice(&s, filter);
	while (r >= 0 && (r = statement_step(&s)) > 0)
		if (topic_matches(filter, statement_bytes_at(&s, 2)))
			r = add(topics, &s);
	statement_close(&s);
	if (r < 0)
		return r;

	return look_for_index(topics, sqlite);
}

void topics_of_day_free(struct topics_of_day *topics)
{
	free(topics->list);
	buffer_free(&topics->text);
}

void topics_of_day_select(const struct topics_of_day *topics,
			  struct statement *s, struct sqlite3 *sqlite,
			  enum topics_of_day_order order)
{
	char table[HISTORY_TABLE_SIZE];
	char sql[320];

	history_table(topics->day, table);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT h.id, h.topic, h.payload, h.origin, o.user,"
		       " o.client FROM %s h"
		       " LEFT JOIN origins o ON o.id = h.origin"
		       " WHERE %s = ?1 AND h.id BETWEEN ?2 AND ?3"
		       " ORDER BY h.id %s LIMIT ?4",
		       table, topics->only ? "h.topic" : "0",
		       order == TOPICS_OF_DAY_UP ? "ASC" : "DESC");
	statement_open(s, sqlite, sql);
	statement_int(s, topics->only);
}

static int by_id(const void *key, const void *topic)
{
	const int64_t a = *(const int64_t *)key;
	const int64_t b = ((const struct topic_of_day *)topic)->id;

	return (a > b) - (a < b);
}

const struct topic_of_day *
topics_of_day_find(const struct topics_of_day *topics, int64_t topic,
		   int64_t row)
{
	const struct topic_of_day *found =
		bsearch(&topic, topics->list, topics->count,
			sizeof(*topics->list), by_id);

	return found && row >> HISTORY_ID_SHIFT >= found->first ? found : NULL;
}

struct slice topics_of_day_name(const struct topics_of_day *topics,
				const struct topic_of_day *topic)
{
	return slice_of(topics->text.data + topic->name, topic->len);
}
