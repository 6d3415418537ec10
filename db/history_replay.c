#include "db/history_replay.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "broker/origin.h"
#include "broker/wire/topic.h"
#include "db/db.h"
#include "db/history.h"
#include "db/history_table.h"
#include "db/history_topics_of_day.h"
#include "db/history_write.h"
#include "db/statement.h"

/* Longer payloads may have been cut, at the start of a character (cut() of
 * history_write.c). */
#define WHOLE_MAX (DB_HISTORY_PAYLOAD_MAX - 4)

/* Ids of one day. */
#define DAY_IDS ((int64_t)86400000 << HISTORY_ID_SHIFT)

/* ---- what belongs to it ------------------------------------------------- */

static bool belongs(const struct history_request *request,
		    const struct message *message)
{
	return message->time >= request->since &&
	       topic_matches(history_request_filter(request),
			     message_topic(message));
}

/* Of those that wait to be written, the last ones that belong to it. */
static int take_tail(struct history_request *request,
		     struct message *const *rows, size_t count)
{
	size_t first = count;
	size_t n = 0;

	while (first > 0 && (!request->last || n < request->last))
		n += belongs(request, rows[--first]);
	if (n == 0)
		return 0;
	request->tail = calloc(n, sizeof(*request->tail));
	if (!request->tail)
		return -ENOMEM;
	for (; first < count; first++) {
		if (!belongs(request, rows[first]))
			continue;
		request->tail[request->tail_count++] = message_ref(rows[first]);
		request->tail_bytes += message_size(rows[first]);
	}
	return 0;
}

int history_replay_mark(struct history_request *request,
			struct history_writer *writer)
{
	struct message *const *rows;
	size_t count;
	int r;

	r = history_writer_mark(writer, &request->end);
	if (r < 0)
		return r;
	rows = history_writer_waiting(writer, &count);
	r = take_tail(request, rows, count);
	if (r < 0)
		return r;

	request->found = !request->last;
	request->missing = request->last - (uint32_t)request->tail_count;
	request->scan = request->end;
	request->first = request->end + 1;
	if (request->last && !request->missing)
		request->found = true;
	if (!request->last && request->since < 0)
		request->first = 0;
	else if (!request->last &&
		 request->since <= request->end >> HISTORY_ID_SHIFT)
		request->first = request->since << HISTORY_ID_SHIFT;
	return 0;
}

/* ---- days --------------------------------------------------------------- */

static uint32_t day_of(int64_t id)
{
	return history_day(id >> HISTORY_ID_SHIFT);
}

/* The lowest id of a day. */
static int64_t day_start(uint32_t day)
{
	struct tm tm = {
		.tm_year = (int)(day / 10000) - 1900,
		.tm_mon = (int)(day / 100 % 100) - 1,
		.tm_mday = (int)(day % 100),
	};

	return (int64_t)timegm(&tm) * 1000 << HISTORY_ID_SHIFT;
}

/* The day that sql names; 0: none. */
static int find_day(struct sqlite3 *sqlite, const char *sql, uint32_t day,
		    uint32_t *out)
{
	struct statement s;
	int r;

	statement_open(&s, sqlite, sql);
	statement_int(&s, day);
	r = statement_step(&s);
	*out = r > 0 ? (uint32_t)statement_int_at(&s, 0) : 0;
	statement_close(&s);

	return r < 0 ? r : 0;
}

static int day_from(struct sqlite3 *sqlite, uint32_t day, uint32_t *out)
{
	return find_day(sqlite, "SELECT min(day) FROM days WHERE day >= ?", day,
			out);
}

static int day_until(struct sqlite3 *sqlite, uint32_t day, uint32_t *out)
{
	return find_day(sqlite, "SELECT max(day) FROM days WHERE day <= ?", day,
			out);
}

/* ---- looking back for the first of the last so many --------------------- */

/* Down from request->scan through a day. Returns how many rows were looked at, or
 * a negative errno. */
static int look_back(struct history_request *request, struct sqlite3 *sqlite,
		     uint32_t day, const struct topics_of_day *topics,
		     int budget)
{
	struct statement s;
	int seen = 0;
	int r = 0;

	topics_of_day_select(topics, &s, sqlite, TOPICS_OF_DAY_DOWN);
	statement_int(&s, day_start(day));
	statement_int(&s, request->scan);
	statement_int(&s, budget);
	while (request->missing && (r = statement_step(&s)) > 0) {
		int64_t id = statement_int_at(&s, 0);

		seen++;
		request->scan = id - 1;
		if (!topics_of_day_find(topics, statement_int_at(&s, 1), id))
			continue;
		request->first = id;
		request->missing--;
	}
	statement_close(&s);

	return r < 0 ? r : seen;
}

/* Until the first one is found or enough has been done for this time. */
static int find_first(struct history_request *request, struct sqlite3 *sqlite)
{
	int budget = HISTORY_REPLAY_SCAN;

	while (request->missing && budget > 0) {
		struct topics_of_day topics;
		uint32_t day;
		int r;

		r = day_until(sqlite, day_of(request->scan), &day);
		if (r < 0)
			return r;
		if (!day || request->scan < 0)
			break;
		r = topics_of_day_read(&topics, sqlite, day,
				       history_request_filter(request));
		if (!r && topics.count)
			r = look_back(request, sqlite, day, &topics, budget);
		topics_of_day_free(&topics);
		if (r < 0)
			return r;
		if (r < budget)
			request->scan = day_start(day) - 1;
		budget -= r + 1;
	}
	request->found = budget > 0 || !request->missing;
	return 0;
}

/* ---- rows --------------------------------------------------------------- */

/* A page being filled. */
struct page {
	struct history_request *request;
	size_t bytes;
	int budget; /* of rows looked at */
	struct origin *origin; /* of the last row, */
	int64_t origin_id; /* and its number */
};

static bool full(const struct page *page)
{
	return page->request->count == HISTORY_PAGE ||
	       page->bytes >= HISTORY_PAGE_BYTES;
}

static int use_origin(struct page *page, const struct statement *s)
{
	int64_t id = statement_int_at(s, 3);
	char *user, *client;
	int r = -ENOMEM;

	if (page->origin && page->origin_id == id)
		return 0;
	origin_unref(page->origin);
	page->origin = NULL;
	user = strndup((const char *)statement_bytes_at(s, 4).data,
		       statement_bytes_at(s, 4).len);
	client = strndup((const char *)statement_bytes_at(s, 5).data,
			 statement_bytes_at(s, 5).len);
	if (user && client)
		page->origin = origin_new(user, client, "");
	if (page->origin) {
		page->origin_id = id;
		r = 0;
	}
	free(user);
	free(client);
	return r;
}

static int add_row(struct page *page, const struct statement *s,
		   struct slice topic)
{
	struct history_request *request = page->request;
	struct message_parts parts = {
		.topic = topic,
		.payload = statement_bytes_at(s, 2),
		.expires = MESSAGE_NO_EXPIRY,
		.time = statement_int_at(s, 0) >> HISTORY_ID_SHIFT,
	};
	struct message *message;
	int r;

	r = use_origin(page, s);
	if (r < 0)
		return r;
	parts.origin = page->origin;
	message = message_new(&parts);
	if (!message)
		return -ENOMEM;
	request->rows[request->count++] = (struct history_row){
		.message = message,
		.cut = parts.payload.len > WHOLE_MAX,
	};
	page->bytes += message_size(message);
	return 0;
}

/* Up from request->first through a day. Returns how many rows were looked at, or
 * a negative errno. */
static int read_day(struct page *page, struct sqlite3 *sqlite, uint32_t day,
		    const struct topics_of_day *topics)
{
	struct history_request *request = page->request;
	struct statement s;
	int seen = 0;
	int r = 0;

	topics_of_day_select(topics, &s, sqlite, TOPICS_OF_DAY_UP);
	statement_int(&s, request->first);
	statement_int(&s, request->end);
	statement_int(&s, page->budget);
	while (!full(page) && (r = statement_step(&s)) > 0) {
		int64_t id = statement_int_at(&s, 0);
		const struct topic_of_day *topic =
			topics_of_day_find(topics, statement_int_at(&s, 1), id);

		seen++;
		if (topic)
			r = add_row(page, &s,
				    topics_of_day_name(topics, topic));
		if (r < 0)
			break;
		request->first = id + 1;
	}
	statement_close(&s);
	if (r < 0)
		return r;

	/* Nothing of this day is left. */
	if (r == 0 && seen < page->budget && !full(page) &&
	    request->first < day_start(day) + DAY_IDS)
		request->first = day_start(day) + DAY_IDS;
	return seen;
}

static int read_rows(struct page *page, struct sqlite3 *sqlite)
{
	struct history_request *request = page->request;

	while (!full(page) && page->budget > 0 &&
	       request->first <= request->end) {
		struct topics_of_day topics;
		uint32_t day;
		int r;

		r = day_from(sqlite, day_of(request->first), &day);
		if (r < 0)
			return r;
		if (!day || day_start(day) > request->end) {
			request->first = request->end + 1;
			break;
		}
		if (request->first < day_start(day))
			request->first = day_start(day);
		r = topics_of_day_read(&topics, sqlite, day,
				       history_request_filter(request));
		if (!r && topics.count)
			r = read_day(page, sqlite, day, &topics);
		else if (!r)
			request->first = day_start(day) + DAY_IDS;
		topics_of_day_free(&topics);
		if (r < 0)
			return r;
		page->budget -= r + 1;
	}
	return 0;
}

static void give_tail(struct page *page)
{
	struct history_request *request = page->request;

	while (!full(page) && request->tail_next < request->tail_count) {
		struct message **at = &request->tail[request->tail_next++];

		request->rows[request->count++] = (struct history_row){
			.message = *at,
		};
		page->bytes += message_size(*at);
		*at = NULL;
	}
}

static int fill(struct page *page, struct sqlite3 *sqlite)
{
	struct history_request *request = page->request;
	int r = 0;

	if (!request->found)
		r = find_first(request, sqlite);
	if (!r && request->found)
		r = read_rows(page, sqlite);
	return r;
}

int history_replay_page(struct history_request *request, struct sqlite3 *sqlite)
{
	struct page page = { .request = request,
			     .budget = HISTORY_REPLAY_SCAN };
	int r;

	/* All of a page is of one moment: numbers of topics mean the same. */
	r = db_error(sqlite3_exec(sqlite, "BEGIN", NULL, NULL, NULL));
	if (!r) {
		r = fill(&page, sqlite);
		sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL);
	}
	origin_unref(page.origin);
	if (!r && request->found && request->first > request->end)
		give_tail(&page);
	request->more =
		!r && (!request->found || request->first <= request->end ||
		       request->tail_next < request->tail_count);
	request->result = r;
	if (r < 0)
		history_request_clear(request);
	return r;
}
