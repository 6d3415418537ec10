#include "ctl/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "broker/base/json_text.h"

/* Seconds: a hub that is there answers a connect at once, and a request within
 * the 10 s it waits for its broker. */
#define CONNECT_TIMEOUT 10L
#define REQUEST_TIMEOUT 60L
/* A stream has a comment every 15 s. */
#define STREAM_SILENCE 45L

struct http {
	CURL *curl;
	char *url;
	long timeout;
	char error[CURL_ERROR_SIZE];
};

/* What arrives: kept in body, or handed on. */
struct transfer {
	CURL *curl;
	char *body;
	size_t len;
	bool too_long;
	http_sink *sink;
	void *arg;
	bool ended;
	struct http_answer *answer; /* of request() */
};

static bool set_options(struct http *http, const struct http_options *options)
{
	CURL *curl = http->curl;
	bool ok = true;

	ok &= !curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
	ok &= !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	ok &= !curl_easy_setopt(curl, CURLOPT_PROXY, "");
	ok &= !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	ok &= !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
	ok &= !curl_easy_setopt(curl, CURLOPT_USERAGENT,
				"hearthctl/" HEARTH_VERSION);
	if (options->ca_file)
		ok &= !curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
	if (options->user) {
		ok &= !curl_easy_setopt(curl, CURLOPT_HTTPAUTH,
					(long)CURLAUTH_BASIC);
		ok &= !curl_easy_setopt(curl, CURLOPT_USERNAME, options->user);
		ok &= !curl_easy_setopt(curl, CURLOPT_PASSWORD,
					options->password ? options->password
							  : "");
	}

	return ok;
}

struct http *http_new(const struct http_options *options)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->timeout = REQUEST_TIMEOUT;
	http->url = strdup(options->url);
	http->curl = curl_easy_init();
	if (!http->url || !http->curl || !set_options(http, options)) {
		http_free(http);
		return NULL;
	}

	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	free(http->url);
	free(http);
}

void http_answer_clear(struct http_answer *answer)
{
	json_decref(answer->json);
	*answer = (struct http_answer){ 0 };
}

static size_t keep(struct transfer *transfer, const char *data, size_t len)
{
	char *body;

	if (len > HTTP_ANSWER_MAX - transfer->len) {
		transfer->too_long = true;
		return 0;
	}
	body = realloc(transfer->body, transfer->len + len + 1);
	if (!body)
		return 0;
	memcpy(body + transfer->len, data, len);
	transfer->body = body;
	transfer->len += len;

	return len;
}

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	if (!transfer->sink || status != 200)
		return keep(transfer, data, len);
	if (transfer->sink(transfer->arg, data, len))
		return len;
	transfer->ended = true;

	return 0;
}

static int perform(struct http *http, struct transfer *transfer,
		   struct http_answer *answer)
{
	CURLcode code;

	transfer->curl = http->curl;
	http->error[0] = '\0';
	curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, transfer);
	code = curl_easy_perform(http->curl);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	if (code == CURLE_OK || transfer->ended) {
		if (transfer->len > 0)
			answer->json = json_loadb(transfer->body, transfer->len,
						  JSON_REJECT_DUPLICATES, NULL);
		return 0;
	}
	if (transfer->too_long)
		return -EMSGSIZE;
	if (code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR)
		return -ENOMEM;
	if (!http->error[0])
		snprintf(http->error, sizeof(http->error), "%s",
			 curl_easy_strerror(code));

	return -ENOTCONN;
}

/* The whole address of a path, or NULL. */
static char *address(const struct http *http, const char *path)
{
	size_t url_len = strlen(http->url);
	size_t path_size = strlen(path) + 1;
	char *text;

	while (url_len > 0 && http->url[url_len - 1] == '/')
		url_len--;
	text = malloc(url_len + path_size);
	if (!text)
		return NULL;
	memcpy(text, http->url, url_len);
	memcpy(text + url_len, path, path_size);

	return text;
}

static struct curl_slist *append(struct curl_slist *list, const char *line,
				 bool *ok)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (!longer)
		*ok = false;
	return longer ? longer : list;
}

void http_patience(struct http *http, long seconds)
{
	http->timeout = seconds;
}

/* transfer says where the answer goes. */
static int request(struct http *http, const char *method, const char *path,
		   const json_t *body, const char *header,
		   struct transfer *transfer)
{
	struct http_answer *answer = transfer->answer;
	char *text = json_text(body, JSON_COMPACT);
	char *url = address(http, path);
	struct curl_slist *list = NULL;
	bool ok = url && (text || !body);
	int r = -ENOMEM;

	*answer = (struct http_answer){ 0 };
	list = append(list, "Accept: application/json", &ok);
	/* Also without a body: the hub refuses a cross-site form by it. */
	list = append(list, "Content-Type: application/json", &ok);
	if (header)
		list = append(list, header, &ok);
	if (!ok)
		goto out;

	curl_easy_setopt(http->curl, CURLOPT_URL, url);
	curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(http->curl, CURLOPT_TIMEOUT, http->timeout);
	if (text) {
		curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)strlen(text));
		curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, text);
	} else {
		curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
	}
	r = perform(http, transfer, answer);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
out:
	curl_slist_free_all(list);
	free(transfer->body);
	free(url);
	free(text);
	return r;
}

int http_request(struct http *http, const char *method, const char *path,
		 const json_t *body, const char *header,
		 struct http_answer *answer)
{
	struct transfer transfer = { .answer = answer };

	return request(http, method, path, body, header, &transfer);
}

int http_download(struct http *http, const char *path, const json_t *body,
		  http_sink *sink, void *arg, struct http_answer *answer)
{
	struct transfer transfer = { .answer = answer,
				     .sink = sink,
				     .arg = arg };

	return request(http, body ? "POST" : "GET", path, body, NULL,
		       &transfer);
}

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
	return fread(to, 1, size * count, arg);
}

int http_upload(struct http *http, const char *path, FILE *file, size_t len,
		struct http_answer *answer)
{
	struct transfer transfer = { 0 };
	char *url = address(http, path);
	int r;

	*answer = (struct http_answer){ 0 };
	if (!url)
		return -ENOMEM;
	curl_easy_setopt(http->curl, CURLOPT_URL, url);
	curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(http->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(http->curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(http->curl, CURLOPT_READDATA, file);
	curl_easy_setopt(http->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)len);
	curl_easy_setopt(http->curl, CURLOPT_TIMEOUT, http->timeout);
	r = perform(http, &transfer, answer);
	curl_easy_setopt(http->curl, CURLOPT_UPLOAD, 0L);
	free(transfer.body);
	free(url);

	return r;
}

int http_stream(struct http *http, const char *path, http_sink *sink, void *arg,
		struct http_answer *answer)
{
	struct transfer transfer = { .sink = sink, .arg = arg };
	char *url = address(http, path);
	int r;

	*answer = (struct http_answer){ 0 };
	if (!url)
		return -ENOMEM;
	curl_easy_setopt(http->curl, CURLOPT_URL, url);
	curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(http->curl, CURLOPT_TIMEOUT, 0L);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, STREAM_SILENCE);
	r = perform(http, &transfer, answer);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 0L);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, 0L);
	free(transfer.body);
	free(url);

	return r;
}

const char *http_error(const struct http *http)
{
	return http->error;
}

char *http_escape(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *escaped = malloc(3 * strlen(text) + 1);
	char *to = escaped;

	if (!escaped)
		return NULL;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		/* RFC 3986, 2.3: unreserved. */
		if (strchr("-._~", c) || (c >= '0' && c <= '9') ||
		    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
			*to++ = *text;
		} else {
			*to++ = '%';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	*to = '\0';

	return escaped;
}
