/*
 * The history as a file: /history/export, CSV or NDJSON. It is made page by page
 * as the peer takes it; whoever takes nothing for WEB_ANSWER_MS is cut off.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/base/clock.h"
#include "broker/base/json_text.h"
#include "broker/base/log.h"
#include "broker/wire/topic.h"
#include "web/api.h"
#include "web/history_walk.h"
#include "web/payload.h"
#include "web/reply.h"
#include "web/server.h"

/* Rows made at once, and bytes the longest of them may come to. */
#define PAGE 200
#define BLOCK ((size_t)64 * 1024)
#define TEXT_MAX ((size_t)16 * 1024 * 1024)

struct export
{
	struct history_walk walk;
	struct MHD_Connection *connection;
	struct buffer text; /* made and not yet taken */
	size_t taken;
	bool json;
	bool over;
};

/* ---- rows ---------------------------------------------------------------- */

static int put(struct buffer *out, const char *text)
{
	return buffer_append(out, text, strlen(text));
}

/* RFC 4180. A leading = + - @ would be a formula to a spreadsheet. */
static int put_field(struct buffer *out, struct slice text)
{
	static const char formula[6] = "=+-@\t\r";
	double value;
	int r = buffer_append(out, "\"", 1);

	if (!r && text.len && memchr(formula, text.data[0], sizeof(formula)) &&
	    !db_history_value(text, &value))
		r = buffer_append(out, "'", 1);
	for (size_t i = 0; !r && i < text.len; i++) {
		if (text.data[i] == '"')
			r = buffer_append(out, "\"", 1);
		if (!r)
			r = buffer_append(out, &text.data[i], 1);
	}

	return r ? r : buffer_append(out, "\"", 1);
}

static void time_text(int64_t time, char *out, size_t size)
{
	time_t seconds = (time_t)(time / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	(void)snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		       tm.tm_min, tm.tm_sec, (int)(time % 1000));
}

/* A payload that is no text goes as base64, as in JSON. */
static int put_payload(struct buffer *out, const struct db_history_sample *s)
{
	json_t *object;
	const char *text;
	int r;

	if (!s->binary)
		return put_field(out, s->payload);
	object = json_object();
	r = object ? payload_set(object, s->payload) : -ENOMEM;
	text = json_string_value(json_object_get(object, "payload_base64"));
	if (!r)
		r = put_field(out, slice_str(text ? text : ""));
	json_decref(object);

	return r;
}

static int put_csv(struct buffer *out, const char *topic,
		   const struct db_history_sample *s)
{
	const char *const origin[] = { s->user, s->client, s->address };
	char text[64];
	int r;

	time_text(s->time, text, sizeof(text));
	r = put(out, text);
	if (!r)
		r = put(out, ",");
	if (!r)
		r = put_field(out, slice_str(topic));
	if (!r)
		r = put(out, ",");
	if (!r)
		r = put_payload(out, s);
	if (!r)
		r = put(out, ",");
	json_text_real(text, s->value);
	if (!r && s->has_value)
		r = put(out, text);
	for (size_t i = 0; !r && i < sizeof(origin) / sizeof(origin[0]); i++) {
		r = put(out, ",");
		if (!r)
			r = put_field(out, slice_str(origin[i]));
	}

	return r ? r : put(out, "\r\n");
}

static int put_json(struct buffer *out, const char *topic,
		    const struct db_history_sample *s)
{
	json_t *object = json_pack(
		"{s:o,s:I,s:o,s:o,s:o,s:o}", "topic",
		payload_text(slice_str(topic)), "t", (json_int_t)s->time,
		"value", s->has_value ? json_real(s->value) : json_null(),
		"user", payload_text(slice_str(s->user)), "client",
		payload_text(slice_str(s->client)), "address",
		payload_text(slice_str(s->address)));
	char *text = NULL;
	int r = -ENOMEM;

	if (object && !payload_set(object, s->payload))
		text = json_text(object, JSON_COMPACT);
	if (text) {
		r = put(out, text);
		if (!r)
			r = put(out, "\n");
	}
	free(text);
	json_decref(object);

	return r;
}

/* 1: there is text, 0: it is over, or a negative errno. */
static int make_page(struct export *export)
{
	struct db_history_samples *samples;
	const char *topic;
	int r = history_walk_next(&export->walk, PAGE, &topic, &samples);

	if (r <= 0)
		return r;
	export->text.len = 0;
	export->taken = 0;
	r = 0;
	for (size_t i = 0; !r && i < samples->count; i++)
		r = export->json ? put_json(&export->text, topic,
					    &samples->samples[i])
				 : put_csv(&export->text, topic,
					   &samples->samples[i]);
	free(samples);

	return r ? r : 1;
}

/* ---- the answer ---------------------------------------------------------- */

static ssize_t on_read(void *arg, uint64_t position, char *out, size_t max)
{
	struct export *export = arg;
	size_t len;

	(void)position;
	if (export->taken == export->text.len) {
		int r = export->over ? 0 : make_page(export);

		if (r < 0) {
			/* The peer sees that it was cut off. */
			log_error("web", "exporting the history: %s",
				  strerrordesc_np(-r));
			return MHD_CONTENT_READER_END_WITH_ERROR;
		}
		if (r == 0)
			return MHD_CONTENT_READER_END_OF_STREAM;
	}
	len = export->text.len - export->taken;
	if (len > max)
		len = max;
	memcpy(out, export->text.data + export->taken, len);
	export->taken += len;
	server_progress(export->connection);

	return (ssize_t)len;
}

static void export_free(void *arg)
{
	struct export *export = arg;

	history_walk_end(&export->walk);
	buffer_free(&export->text);
	free(export);
}

static int export_new(struct request *request, struct slice filter,
		      const struct export *wanted, struct export **out)
{
	static const char head[] =
		"time,topic,payload,value,user,client,address\r\n";
	struct export *export = calloc(1, sizeof(*export));
	int r;

	if (!export)
		return -ENOMEM;
	*export = *wanted;
	export->connection = request->connection;
	buffer_init(&export->text, TEXT_MAX);
	r = history_walk_begin(&export->walk, request, filter, NULL, 0);
	if (!r && !export->json)
		r = put(&export->text, head);
	if (r) {
		export_free(export);
		return r;
	}

	*out = export;
	return 0;
}

/* False: answered. */
static bool read_query(struct request *request, struct export *export,
		       const char **filter)
{
	const char *format = request_query(request, "format");

	*filter = request_query(request, "filter");
	if (!*filter || !topic_filter_valid(slice_str(*filter))) {
		reply_problem(request, 400, "bad-parameter",
			      "filter must be a topic filter.");
		return false;
	}
	if (format && strcmp(format, "csv") != 0 &&
	    strcmp(format, "ndjson") != 0) {
		reply_problem(request, 400, "bad-parameter",
			      "format must be csv or ndjson.");
		return false;
	}
	export->json = format && format[0] == 'n';
	export->walk.to = clock_wall_ms();
	return request_number(request, "to", 0, INT64_MAX, &export->walk.to) &&
	       request_number(request, "from", 0, INT64_MAX,
			      &export->walk.from);
}

void api_history_export(struct request *request)
{
	struct export wanted = { 0 };
	struct MHD_Response *response;
	struct export *export;
	const char *filter;
	bool json;
	int r;

	if (!read_query(request, &wanted, &filter))
		return;
	r = export_new(request, slice_str(filter), &wanted, &export);
	if (r) {
		reply_error(request, r, "Exporting the history");
		return;
	}
	json = export->json;
	response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, on_read, export, export_free);
	if (!response)
		export_free(export);
	reply_response(request, 200, response);
	reply_header(request, "Content-Type",
		     json ? "application/x-ndjson" : "text/csv; charset=utf-8");
	reply_header(request, "Content-Disposition",
		     json ? "attachment; filename=\"history.ndjson\""
			  : "attachment; filename=\"history.csv\"");
	reply_header(request, "Cache-Control", "no-store");
}
