#include "tests/ctl/fake_hub.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 131072

struct fake_hub {
	const struct fake_answer *answers;
	char url[64];
	int fd;
	pthread_t thread;
	pthread_mutex_t mutex;
	size_t count;
	char *requests[FAKE_HUB_MAX];
};

/* The bytes of body that the head announces. */
static size_t content_length(const char *head)
{
	const char *field = strcasestr(head, "\r\nContent-Length:");

	return field ? strtoul(field + 17, NULL, 10) : 0;
}

/* Whole request in text; false: the peer closed. */
static bool read_request(int fd, char *text)
{
	size_t len = 0;
	size_t wanted = REQUEST_MAX;

	while (len < wanted) {
		ssize_t r = read(fd, text + len, REQUEST_MAX - 1 - len);
		char *end;

		if (r <= 0)
			return false;
		len += (size_t)r;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end)
			wanted =
				(size_t)(end + 4 - text) + content_length(text);
		assert(len < REQUEST_MAX - 1);
	}

	return true;
}

static void keep_request(struct fake_hub *hub, const char *text)
{
	pthread_mutex_lock(&hub->mutex);
	assert(hub->count < FAKE_HUB_MAX);
	hub->requests[hub->count] = strdup(text);
	assert(hub->requests[hub->count]);
	hub->count++;
	pthread_mutex_unlock(&hub->mutex);
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t r = send(fd, data, len, MSG_NOSIGNAL);

		if (r <= 0)
			return;
		data += r;
		len -= (size_t)r;
	}
}

/* false: close the connection now. */
static bool answer(int fd, const struct fake_answer *answer)
{
	const char *body = answer->body ? answer->body : "";
	size_t len = strlen(body);
	char head[256];
	int n;

	if (!answer->type) {
		n = snprintf(head, sizeof(head),
			     "HTTP/1.1 %d Fake\r\n"
			     "Content-Type: application/json\r\n"
			     "Content-Length: %zu\r\n\r\n",
			     answer->status, len);
		send_all(fd, head, (size_t)n);
		send_all(fd, body, len);
		return true;
	}
	n = snprintf(head, sizeof(head),
		     "HTTP/1.1 %d Fake\r\nContent-Type: %s\r\n"
		     "Connection: close\r\n\r\n",
		     answer->status, answer->type);
	send_all(fd, head, (size_t)n);
	for (size_t i = 0; i < len; i++)
		send_all(fd, body + i, 1);

	return false;
}

static void serve(struct fake_hub *hub, int fd)
{
	char *text = malloc(REQUEST_MAX);
	const struct fake_answer *next;

	assert(text);
	do {
		if (!read_request(fd, text))
			break;
		keep_request(hub, text);
		next = &hub->answers[hub->count - 1];
	} while (next->status && answer(fd, next));
	free(text);
}

static void *run(void *arg)
{
	struct fake_hub *hub = arg;

	for (;;) {
		int fd = accept4(hub->fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL;
		serve(hub, fd);
		close(fd);
	}
}

struct fake_hub *fake_hub_new(const struct fake_answer *answers)
{
	struct fake_hub *hub = calloc(1, sizeof(*hub));
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int r;

	assert(hub);
	hub->answers = answers;
	pthread_mutex_init(&hub->mutex, NULL);
	hub->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(hub->fd >= 0);
	r = bind(hub->fd, (struct sockaddr *)&address, sizeof(address));
	assert(r == 0);
	r = listen(hub->fd, 8);
	assert(r == 0);
	r = getsockname(hub->fd, (struct sockaddr *)&address, &len);
	assert(r == 0);
	snprintf(hub->url, sizeof(hub->url), "http://127.0.0.1:%d",
		 ntohs(address.sin_port));
	r = pthread_create(&hub->thread, NULL, run, hub);
	assert(r == 0);

	return hub;
}

void fake_hub_free(struct fake_hub *hub)
{
	shutdown(hub->fd, SHUT_RDWR);
	pthread_join(hub->thread, NULL);
	close(hub->fd);
	for (size_t i = 0; i < hub->count; i++)
		free(hub->requests[i]);
	pthread_mutex_destroy(&hub->mutex);
	free(hub);
}

const char *fake_hub_url(const struct fake_hub *hub)
{
	return hub->url;
}

size_t fake_hub_count(struct fake_hub *hub)
{
	size_t count;

	pthread_mutex_lock(&hub->mutex);
	count = hub->count;
	pthread_mutex_unlock(&hub->mutex);

	return count;
}

const char *fake_hub_request(struct fake_hub *hub, size_t n)
{
	const char *text = "";

	pthread_mutex_lock(&hub->mutex);
	if (n < hub->count)
		text = hub->requests[n];
	pthread_mutex_unlock(&hub->mutex);

	return text;
}
