/*
 * Requests to the hub: JSON there, JSON back, over libcurl. One connection, kept
 * for further requests. Proxies of the environment are not used: the hub is in
 * the house, and passwords go nowhere else. Redirects are not followed.
 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

struct http;

/* Bytes of one answer: ten thousand samples of a kilobyte, and to spare. */
#define HTTP_ANSWER_MAX (32 * 1024 * 1024)

struct http_options {
	const char *url; /* http://host:port, without a path */
	const char *user; /* NULL: no login */
	const char *password;
	const char *ca_file; /* PEM; NULL: the system's */
};

/* Returns NULL when out of memory. Strings are copied. */
struct http *http_new(const struct http_options *options);
/* NULL does nothing. */
void http_free(struct http *http);

struct http_answer {
	long status;
	json_t *json; /* NULL: no body, or one that is no JSON */
};

void http_answer_clear(struct http_answer *answer);

/*
 * path is percent-encoded; body NULL: none. header: NULL, or one further line.
 * Returns 0 when the hub answered, whatever it said; -ENOTCONN when it could not be
 * reached (http_error() says why); -EMSGSIZE; -ENOMEM.
 */
int http_request(struct http *http, const char *method, const char *path,
		 const json_t *body, const char *header,
		 struct http_answer *answer);

/* What went wrong last, in words. */
const char *http_error(const struct http *http);

/* Return false to end the stream. */
typedef bool http_sink(void *arg, const char *data, size_t len);

/*
 * GET a stream that lasts: sink is called with what comes. Returns as
 * http_request(); 0 also when sink ended it. An answer other than 200 is put in
 * answer and not given to sink.
 */
int http_stream(struct http *http, const char *path, http_sink *sink, void *arg,
		struct http_answer *answer);

/* How long a request may take from now on, in seconds; one minute unless set. */
void http_patience(struct http *http, long seconds);

/*
 * GET, or POST of body if it is not NULL, whose answer, if it is 200, goes to sink,
 * and else into *answer. Returns as http_request(), 0 also when sink ended it.
 */
int http_download(struct http *http, const char *path, const json_t *body,
		  http_sink *sink, void *arg, struct http_answer *answer);
/* PUT so many bytes of a file. Returns as http_request(). */
int http_upload(struct http *http, const char *path, FILE *file, size_t len,
		struct http_answer *answer);

/* text as one segment of a path, or value of a query, in memory the caller frees;
 * NULL when out of memory. */
char *http_escape(const char *text);

#endif
