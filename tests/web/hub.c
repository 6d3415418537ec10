#include "tests/web/hub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/access.h"
#include "broker/authenticator.h"
#include "broker/base/clock.h"
#include "broker/base/hash.h"
#include "broker/base/log.h"
#include "broker/broker.h"
#include "db/access_rules.h"
#include "db/backup/keeper.h"
#include "db/claim.h"
#include "db/config.h"
#include "db/db.h"
#include "db/history_policies.h"
#include "db/store.h"
#include "tests/web/certificate.h"
#include "web/web.h"

/* Far longer than anything takes, also on a machine that is busy. */
#define DEADLINE_MS 60000
#define ANSWER_MAX (4 * 1024 * 1024)

struct hub_parts {
	char root[64];
	struct db *db;
	struct db_config *config;
	struct authenticator *authenticator;
	struct db_store *store; /* NULL: none */
	struct keeper *keeper;
	struct web *web;
	pthread_t thread;
	atomic_uint restarts;
};

/* How far the hub's time is ahead of the machine's. */
static atomic_uint_least64_t ahead_ns;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char logged[65536];

static void keep_log(enum log_level level, const char *line)
{
	size_t used;

	(void)level;
	pthread_mutex_lock(&log_lock);
	used = strlen(logged);
	snprintf(logged + used, sizeof(logged) - used, "%s\n", line);
	pthread_mutex_unlock(&log_lock);
}

bool hub_logged(const char *text)
{
	bool found;

	pthread_mutex_lock(&log_lock);
	found = strstr(logged, text) != NULL;
	pthread_mutex_unlock(&log_lock);
	return found;
}

static uint64_t moved_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec +
	       atomic_load(&ahead_ns);
}

static void *run_broker(void *arg)
{
	broker_run(arg);
	return NULL;
}

const char *hub_path(const struct hub *hub, const char *name)
{
	static char paths[4][192];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", hub->parts->root, name);
	return path;
}

static void claim(struct hub_parts *parts, const char *token)
{
	struct db_user user = { .name = HUB_ADMIN, .kind = DB_USER_PERSON };

	assert_int_equal(password_hash(PASSWORD_HUMAN, slice_str(HUB_PASSWORD),
				       user.hash),
			 0);
	assert_int_equal(db_claim(parts->config, token, &user), 0);
}

/* History is committed soon, so that a test need not wait for it. */
static struct store *open_store(struct hub_parts *parts)
{
	const struct db_store_options options = { .history_ms = 10 };

	assert_int_equal(db_store_open(parts->db, &options, &parts->store), 0);
	return db_store_door(parts->store);
}

static void start_broker(struct hub *hub, enum hub_kind kind)
{
	const struct db_history_policy everything = {
		.filter = "#",
		.policy = { .keep = true, .averages = true },
	};
	const struct db_access_options access = { .node = HUB_NODE };
	struct broker_options options = {
		.node = HUB_NODE,
		.authenticator = hub->parts->authenticator,
		.closed = kind == HUB_UNCLAIMED,
	};

	if (kind == HUB_STORED)
		options.store = open_store(hub->parts);
	assert_int_equal(
		db_history_policies_put(hub->parts->config, &everything), 0);
	assert_int_equal(db_history_policies_build(hub->parts->config,
						   &options.history_rules),
			 0);

	assert_int_equal(
		db_access_build(hub->parts->config, &access, &options.access),
		0);
	hub->broker = broker_new(&options);
	assert_non_null(hub->broker);
	history_rules_unref(options.history_rules);
	assert_int_equal(broker_load(hub->broker), 0);
	if (options.store)
		assert_int_equal(db_store_start(hub->parts->store), 0);
	assert_int_equal(pthread_create(&hub->parts->thread, NULL, run_broker,
					hub->broker),
			 0);
}

/* Where main would begin anew. */
static void count_restart(void *arg)
{
	struct hub_parts *parts = arg;

	atomic_fetch_add(&parts->restarts, 1);
}

unsigned int hub_restarts(const struct hub *hub)
{
	return atomic_load(&hub->parts->restarts);
}

static void start_keeper(struct hub_parts *parts)
{
	const struct keeper_options options = {
		.source = { .db = parts->db, .node = HUB_NODE },
		.keep = 2,
	};

	parts->keeper = keeper_new(&options);
	assert_non_null(parts->keeper);
}

static void start_web(struct hub *hub, bool tls)
{
	struct hub_parts *parts = hub->parts;
	const struct web_listener listeners[] = {
		{ .address = "127.0.0.1" },
		{ .address = "127.0.0.1", .tls = true },
	};
	const char *hosts[] = { "hub.example" };
	struct web_options options = {
		.broker = hub->broker,
		.authenticator = parts->authenticator,
		.db = parts->db,
		.store = parts->store,
		.config = parts->config,
		.node = HUB_NODE,
		.listeners = listeners,
		.listener_count = tls ? 2 : 1,
		.keeper = parts->keeper,
		.restart = count_restart,
		.restart_arg = parts,
	};
	static const char *kept_hosts[1];

	kept_hosts[0] = hosts[0];
	options.hosts = kept_hosts;
	options.host_count = 1;
	if (tls) {
		certificate_make(hub_path(hub, "cert.pem"),
				 hub_path(hub, "key.pem"));
		options.tls_certificate = hub_path(hub, "cert.pem");
		options.tls_key = hub_path(hub, "key.pem");
	}
	parts->web = web_start(&options);
	assert_non_null(parts->web);
	hub->port = web_port(parts->web, 0);
	hub->tls_port = web_port(parts->web, 1);
}

struct hub *hub_start(enum hub_kind kind)
{
	struct hub *hub = calloc(1, sizeof(*hub));
	struct db_options options = { 0 };
	struct hub_parts *parts;

	assert_non_null(hub);
	signal(SIGPIPE, SIG_IGN);
	logged[0] = '\0';
	log_set_sink(keep_log);
	clock_set_source(moved_clock, NULL);
	hash_seed();
	password_set_cost(10);
	parts = hub->parts = calloc(1, sizeof(*parts));
	assert_non_null(parts);
	snprintf(parts->root, sizeof(parts->root), "/tmp/hearth-web-XXXXXX");
	assert_non_null(mkdtemp(parts->root));
	options.dir = hub_path(hub, "data");
	assert_int_equal(db_open(&options, &parts->db), 0);
	assert_int_equal(db_config_open(parts->db, &parts->config), 0);
	assert_int_equal(db_claim_token(parts->config, hub->token), 0);
	if (kind != HUB_UNCLAIMED)
		claim(parts, hub->token);
	parts->authenticator = authenticator_new();
	assert_non_null(parts->authenticator);
	start_broker(hub, kind);
	start_keeper(parts);
	start_web(hub, kind == HUB_TLS);
	return hub;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void hub_stop(struct hub *hub)
{
	struct hub_parts *parts = hub->parts;

	web_stop(parts->web);
	keeper_stop(parts->keeper);
	broker_stop(hub->broker);
	pthread_join(parts->thread, NULL);
	authenticator_free(parts->authenticator);
	web_free(parts->web);
	keeper_free(parts->keeper);
	if (parts->store)
		db_store_stop(parts->store);
	broker_free(hub->broker);
	db_store_free(parts->store);
	db_config_close(parts->config);
	db_close(parts->db);
	log_set_sink(NULL);
	nftw(parts->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(parts);
	free(hub);
}

/* ---- HTTP --------------------------------------------------------------- */

int hub_connect(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void hub_send(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		/* The peer may have refused and closed before the end. */
		if (n < 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* Bytes read, 0 at the end or a reset. */
static size_t read_some(int fd, char *out, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	n = recv(fd, out, size, 0);
	return n > 0 ? (size_t)n : 0;
}

const char *answer_header(const struct answer *answer, const char *name)
{
	static char value[1024];
	size_t len = strlen(name);
	const char *line = answer->head;

	while (line && (line = strstr(line, "\r\n"))) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			snprintf(value, sizeof(value), "%.*s",
				 (int)strcspn(line, "\r"), line);
			return value;
		}
	}
	return NULL;
}

/* The chunks of data as one; false if the last one is not there yet. */
static bool unchunk(const char *data, size_t len, struct answer *out)
{
	const char *end = data + len;

	free(out->body);
	out->body = calloc(1, len + 1);
	out->body_len = 0;
	while (data < end) {
		char *after;
		size_t size = strtoul(data, &after, 16);

		if (end - after < 2)
			return false;
		data = after + 2;
		if (size == 0)
			return true;
		if ((size_t)(end - data) < size + 2)
			return false;
		memcpy(out->body + out->body_len, data, size);
		out->body_len += size;
		data += size + 2;
	}
	return false;
}

static bool whole(const char *data, size_t len, bool ended, struct answer *out)
{
	const char *body = memmem(data, len, "\r\n\r\n", 4);
	const char *value;
	size_t head_len, want;

	if (!body)
		return ended;
	head_len = (size_t)(body - data) + 4;
	free(out->head);
	out->head = strndup(data, head_len);
	out->status = (int)strtol(data + 9, NULL, 10);
	value = answer_header(out, "Transfer-Encoding");
	if (value)
		return unchunk(data + head_len, len - head_len, out) || ended;
	value = answer_header(out, "Content-Length");
	want = value ? strtoul(value, NULL, 10) : SIZE_MAX;
	if (out->status == 204 || out->status == 304 || out->status == 101)
		want = 0;
	if (len - head_len < want && !ended)
		return false;
	out->body_len = len - head_len < want ? len - head_len : want;
	if (out->body_len >= ANSWER_MAX)
		abort();
	free(out->body);
	out->body = calloc(1, out->body_len + 1);
	memcpy(out->body, data + head_len, out->body_len);
	return true;
}

struct answer hub_read(int fd)
{
	struct answer answer = { 0 };
	char *data = malloc(ANSWER_MAX);
	bool ended = false;
	size_t len = 0;

	assert_non_null(data);
	while (!ended && !whole(data, len, false, &answer)) {
		size_t n = read_some(fd, data + len, ANSWER_MAX - len);

		ended = n == 0;
		len += n;
	}
	if (ended && len)
		whole(data, len, true, &answer);
	if (answer.body)
		answer.json = json_loadb(answer.body, answer.body_len,
					 JSON_DECODE_ANY, NULL);
	free(data);
	return answer;
}

void answer_free(struct answer *answer)
{
	json_decref(answer->json);
	free(answer->head);
	free(answer->body);
}

bool hub_closed(int fd)
{
	char bytes[4096];

	while (read_some(fd, bytes, sizeof(bytes)))
		;
	return true;
}

struct answer hub_request(const struct hub *hub, const char *method,
			  const char *path, const char *headers,
			  const char *body)
{
	struct answer answer;
	char *text;
	int fd, len;

	len = asprintf(&text,
		       "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s%s"
		       "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		       method, path, hub->port, headers ? headers : "",
		       body ? "Content-Type: application/json\r\n" : "",
		       body ? strlen(body) : 0, body ? body : "");
	assert_true(len > 0);
	fd = hub_connect(hub->port);
	hub_send(fd, text, (size_t)len);
	answer = hub_read(fd);
	close(fd);
	free(text);
	return answer;
}

json_t *hub_expect(const struct hub *hub, int status, const char *method,
		   const char *path, const char *headers, const char *body)
{
	struct answer answer = hub_request(hub, method, path, headers, body);
	json_t *json = json_incref(answer.json);

	if (answer.status != status)
		fail_msg("%s %s: %d instead of %d: %s", method, path,
			 answer.status, status,
			 answer.body ? answer.body : "(nothing)");
	answer_free(&answer);
	return json;
}

struct login hub_login(const struct hub *hub, const char *user,
		       const char *password)
{
	struct login login;
	struct answer answer;
	const char *cookie;
	char body[512];

	snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"}",
		 user, password);
	answer = hub_request(hub, "POST", "/api/v1/login", NULL, body);
	assert_int_equal(answer.status, 200);
	cookie = answer_header(&answer, "Set-Cookie");
	assert_non_null(cookie);
	snprintf(login.cookie, sizeof(login.cookie), "%.*s",
		 (int)strcspn(cookie, ";"), cookie);
	snprintf(login.csrf, sizeof(login.csrf), "%s",
		 json_string_value(json_object_get(answer.json, "csrf")));
	snprintf(login.headers, sizeof(login.headers),
		 "Cookie: %s\r\nX-CSRF-Token: %s\r\n", login.cookie,
		 login.csrf);
	answer_free(&answer);
	return login;
}

/* An exchange, by which all that was sent before has been seen. */
static void settle(const struct hub *hub)
{
	struct answer answer;

	answer = hub_request(hub, "GET", "/healthz", NULL, NULL);
	answer_free(&answer);
}

void hub_advance(const struct hub *hub, uint64_t ms)
{
	settle(hub);
	atomic_fetch_add(&ahead_ns, ms * 1000000);
	/* This also wakes the loop, which then sees the time. */
	settle(hub);
}
