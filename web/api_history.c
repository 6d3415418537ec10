/* What was said when: /history. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/access.h"
#include "broker/base/clock.h"
#include "broker/wire/topic.h"
#include "db/history.h"
#include "web/api.h"
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
	body = json_pack("{s:I,s:o,s:o,s:o}", "t", (json_int_t)sample->time,
			 "value", value, "user",
			 payload_text(slice_str(sample->user)), "client",
			 payload_text(slice_str(sample->client)));
	if (body && payload_set(body, sample->payload)) {
		json_decref(body);
		return NULL;
	}
	return body;
}

static json_t *samples_json(const char *topic,
			    const struct db_history_samples *samples)
{
	json_t *list = json_array(), *next = json_null();
	char cursor[24];

	for (size_t i = 0; list && i < samples->count; i++) {
		if (json_array_append_new(list,
					  sample_json(&samples->samples[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	/* As text: 64 bits are more than JavaScript's numbers hold. */
	if (samples->more && samples->count) {
		snprintf(cursor, sizeof(cursor), "%" PRIu64,
			 samples->samples[samples->count - 1].cursor);
		next = json_string(cursor);
	}
	return json_pack("{s:o,s:o,s:o}", "topic",
			 payload_text(slice_str(topic)), "samples", list,
			 "next", next);
}

/* False: answered. */
static bool read_query(struct request *request, struct db_history_query *query)
{
	const char *topic = request_query(request, "topic");
	int64_t to = clock_wall_ms(), from = to - DAY_MS;
	int64_t limit = LIMIT_DEFAULT, after = 0;

	if (!topic || !topic_name_valid(slice_str(topic))) {
		reply_problem(request, 400, "bad-parameter",
			      "topic must be a topic, without + and #.");
		return false;
	}
	if (!request_number(request, "to", 0, INT64_MAX, &to))
		return false;
	from = to - DAY_MS;
	if (!request_number(request, "from", 0, INT64_MAX, &from) ||
	    !request_number(request, "limit", 1, DB_HISTORY_LIMIT_MAX,
			    &limit) ||
	    !request_number(request, "after", 0, INT64_MAX, &after))
		return false;
	query->topic = slice_str(topic);
	query->from = from;
	query->to = to;
	query->limit = (size_t)limit;
	query->after = (uint64_t)after;
	return true;
}

void api_history(struct request *request)
{
	struct db_history_samples *samples;
	struct db_history_query query;
	const char *topic;
	int r;

	if (!read_query(request, &query))
		return;
	topic = request_query(request, "topic");
	if (!may_read(request, topic)) {
		reply_problem(request, 403, "not-authorized",
			      "No rule allows you to read that.");
		return;
	}
	r = db_history_samples(request->web->history, &query, &samples);
	if (r) {
		reply_error(request, r, "Reading the history");
		return;
	}
	reply_json(request, 200, samples_json(topic, samples));
	free(samples);
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
