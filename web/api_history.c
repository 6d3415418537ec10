/* What was said when: /history. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/access.h"
#include "broker/base/clock.h"
#include "broker/wire/topic.h"
#include "db/history.h"
#include "db/history_steps.h"
#include "web/api.h"
#include "web/history_walk.h"
#include "web/payload.h"
#include "web/reply.h"

#define LIMIT_DEFAULT 1000
#define DAY_MS (24 * 3600 * (int64_t)1000)

static bool may_read(const struct request *request, const char *topic)
{
	return access_may(request->web->access, request->user, "$web",
			  slice_str(topic), ACCESS_READ)
		.allowed;
}

static json_t *sample_json(const struct db_history_sample *sample)
{
	json_t *value =
		sample->has_value ? json_real(sample->value) : json_null();
	json_t *body;

	/* A number JSON cannot say (infinity) has no value here. */
	if (!value)
		value = json_null();
	body = json_pack("{s:I,s:o,s:o,s:o,s:o}", "t", (json_int_t)sample->time,
			 "value", value, "user",
			 payload_text(slice_str(sample->user)), "client",
			 payload_text(slice_str(sample->client)), "address",
			 payload_text(slice_str(sample->address)));
	if (body && payload_set(body, sample->payload)) {
		json_decref(body);
		return NULL;
	}
	return body;
}

/* As text: 64 bits are more than JavaScript's numbers hold. topic: the page goes
 * on from there, over more than one. */
static json_t *cursor_json(uint64_t cursor, const char *topic)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, cursor);
	return topic ? json_sprintf("%s/%s", number, topic)
		     : json_string(number);
}

/* Returns 0 or -ENOMEM. topic NULL: it is said elsewhere. */
static int append_samples(json_t *list, const char *topic,
			  const struct db_history_samples *samples)
{
	for (size_t i = 0; i < samples->count; i++) {
		json_t *sample = sample_json(&samples->samples[i]);

		if (!sample ||
		    (topic &&
		     json_object_set_new(sample, "topic",
					 payload_text(slice_str(topic))))) {
			json_decref(sample);
			return -ENOMEM;
		}
		if (json_array_append_new(list, sample))
			return -ENOMEM;
	}
	return 0;
}

/* ---- a topic ------------------------------------------------------------- */

static json_t *samples_json(const char *topic,
			    const struct db_history_samples *samples)
{
	json_t *list = json_array(), *next = json_null();

	if (list && append_samples(list, NULL, samples)) {
		json_decref(list);
		list = NULL;
	}
	if (samples->more && samples->count)
		next = cursor_json(samples->samples[samples->count - 1].cursor,
				   NULL);
	return json_pack("{s:o,s:o,s:o}", "topic",
			 payload_text(slice_str(topic)), "samples", list,
			 "next", next);
}

static void answer_topic(struct request *request,
			 const struct db_history_query *query)
{
	struct db_history_samples *samples;
	int r = db_history_samples(request->web->history, query, &samples);

	if (r) {
		reply_error(request, r, "Reading the history");
		return;
	}
	reply_json(request, 200,
		   samples_json(request_query(request, "topic"), samples));
	free(samples);
}

/* ---- a topic in steps ---------------------------------------------------- */

static json_t *steps_json(const char *topic, uint32_t step,
			  const struct db_history_steps *steps)
{
	json_t *list = json_array(), *next = json_null();

	for (size_t i = 0; list && i < steps->count; i++) {
		const struct db_history_step *at = &steps->steps[i];

		if (json_array_append_new(
			    list,
			    json_pack("{s:I,s:I,s:f,s:f,s:f}", "t",
				      (json_int_t)at->time, "count",
				      (json_int_t)at->count, "min", at->min,
				      "avg", at->avg, "max", at->max))) {
			json_decref(list);
			list = NULL;
		}
	}
	if (steps->more && steps->count)
		next = cursor_json(
			(uint64_t)steps->steps[steps->count - 1].time, NULL);
	return json_pack("{s:o,s:I,s:o,s:o}", "topic",
			 payload_text(slice_str(topic)), "step",
			 (json_int_t)step, "steps", list, "next", next);
}

static void answer_steps(struct request *request,
			 const struct db_history_query *query, uint32_t step)
{
	const int64_t after = (int64_t)query->after;
	struct db_history_steps_query wanted = {
		.topic = query->topic,
		.from = query->from,
		.to = query->to,
		.step = step,
		.limit = query->limit,
	};
	struct db_history_steps *steps;
	int r;

	if (after && wanted.from <= after)
		wanted.from = after + 1;
	r = db_history_steps(request->web->history, &wanted, &steps);
	if (r) {
		reply_error(request, r, "Reading the history");
		return;
	}
	reply_json(request, 200,
		   steps_json(request_query(request, "topic"), step, steps));
	free(steps);
}

/* ---- a filter ------------------------------------------------------------ */

/* Pages of one topic after the other, until there is enough. */
static int gather(struct history_walk *walk, size_t limit, json_t *list,
		  json_t **next)
{
	size_t left = limit;
	int r = 1;

	while (left && r > 0) {
		struct db_history_samples *samples;
		const char *topic;

		r = history_walk_next(walk, left, &topic, &samples);
		if (r <= 0)
			break;
		if (append_samples(list, topic, samples))
			r = -ENOMEM;
		left -= samples->count;
		free(samples);
	}
	*next = NULL;
	if (r >= 0)
		*next = walk->at < walk->count
				? cursor_json(walk->after,
					      walk->topics[walk->at].topic)
				: json_null();
	return r < 0 ? r : 0;
}

/* cursor: where the page before ended, "id/topic". False: it is none. */
static bool read_cursor(const char *cursor, uint64_t *after, const char **topic)
{
	char *end;

	*after = 0;
	*topic = NULL;
	if (!cursor)
		return true;
	if (cursor[0] < '0' || cursor[0] > '9')
		return false;
	*after = strtoull(cursor, &end, 10);
	*topic = end + 1;
	return *end == '/' && topic_name_valid(slice_str(*topic));
}

static void answer_filter(struct request *request, const char *filter,
			  const struct db_history_query *query)
{
	struct history_walk walk = { .from = query->from, .to = query->to };
	json_t *list = json_array(), *next = NULL;
	const char *topic;
	uint64_t after;
	int r;

	if (!topic_filter_valid(slice_str(filter)) ||
	    !read_cursor(request_query(request, "after"), &after, &topic)) {
		json_decref(list);
		reply_problem(request, 400, "bad-parameter",
			      "filter must be a topic filter, and after the "
			      "next of a page before.");
		return;
	}
	r = history_walk_begin(&walk, request, slice_str(filter), topic, after);
	if (!r) {
		r = list ? gather(&walk, query->limit, list, &next) : -ENOMEM;
		history_walk_end(&walk);
	}
	if (r) {
		json_decref(list);
		reply_error(request, r, "Reading the history");
		return;
	}
	reply_json(request, 200,
		   json_pack("{s:o,s:o}", "samples", list, "next", next));
}

/* ---- what is asked ------------------------------------------------------- */

/* False: answered. */
static bool read_query(struct request *request, struct db_history_query *query)
{
	int64_t to = clock_wall_ms(), from;
	int64_t limit = LIMIT_DEFAULT;

	if (!request_number(request, "to", 0, INT64_MAX, &to))
		return false;
	from = to - DAY_MS;
	if (!request_number(request, "from", 0, INT64_MAX, &from) ||
	    !request_number(request, "limit", 1, DB_HISTORY_LIMIT_MAX, &limit))
		return false;
	query->from = from;
	query->to = to;
	query->limit = (size_t)limit;
	return true;
}

/* False: answered. */
static bool read_topic(struct request *request, struct db_history_query *query,
		       uint32_t *step)
{
	const char *topic = request_query(request, "topic");
	int64_t after = 0, seconds = 0;

	if (!topic || !topic_name_valid(slice_str(topic))) {
		reply_problem(request, 400, "bad-parameter",
			      "topic must be a topic, without + and #; or "
			      "filter a topic filter.");
		return false;
	}
	if (!request_number(request, "after", 0, INT64_MAX, &after) ||
	    !request_number(request, "step", 1, DB_HISTORY_STEP_MAX, &seconds))
		return false;
	query->topic = slice_str(topic);
	query->after = (uint64_t)after;
	*step = (uint32_t)seconds;
	if (may_read(request, topic))
		return true;
	reply_problem(request, 403, "not-authorized",
		      "No rule allows you to read that.");
	return false;
}

void api_history(struct request *request)
{
	const char *filter = request_query(request, "filter");
	struct db_history_query query = { 0 };
	uint32_t step;

	if (!read_query(request, &query))
		return;
	if (filter)
		answer_filter(request, filter, &query);
	else if (!read_topic(request, &query, &step))
		return;
	else if (step)
		answer_steps(request, &query, step);
	else
		answer_topic(request, &query);
}

static json_t *topic_json(const struct db_history_topic *topic)
{
	return json_pack("{s:o,s:I,s:I,s:I}", "topic",
			 payload_text(slice_str(topic->topic)), "samples",
			 (json_int_t)topic->samples, "first",
			 (json_int_t)topic->first, "last",
			 (json_int_t)topic->last);
}

void api_history_topics(struct request *request)
{
	json_t *list = json_array();
	struct db_history_topic *topics;
	size_t count;
	int r;

	r = db_history_topics(request->web->history, &topics, &count);
	if (r) {
		json_decref(list);
		reply_error(request, r, "Listing the history");
		return;
	}
	for (size_t i = 0; list && i < count; i++) {
		if (!may_read(request, topics[i].topic))
			continue;
		if (json_array_append_new(list, topic_json(&topics[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	free(topics);
	reply_json(request, 200, json_pack("{s:o}", "topics", list));
}
