/* Backups over REST, on a whole hub: taken away, kept, and taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/backup/seal.h"
#include "tests/web/rest.h"

#define MAGIC "\211HEARTH\n"

static struct answer ask(void **state, const char *method, const char *path,
			 const char *body)
{
	struct rig *rig = *state;

	return hub_request(rig->hub, method, path, rig->admin.headers, body);
}

static struct answer take_away(void **state, const char *body)
{
	struct answer answer = ask(state, "POST", "/api/v1/backup", body);

	assert_int_equal(answer.status, 200);
	assert_memory_equal(answer.body, MAGIC, 8);
	return answer;
}

/* PUT of raw bytes, without a login. */
static struct answer send_file(void **state, const char *path,
			       const char *bytes, size_t len, size_t told)
{
	struct rig *rig = *state;
	int fd = hub_connect(rig->hub->port);
	struct answer answer;
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "PUT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 path, told);

	hub_send(fd, head, (size_t)n);
	hub_send(fd, bytes, len);
	answer = hub_read(fd);
	close(fd);
	return answer;
}

/* Announce and send; the answer to that. */
static struct answer upload(void **state, const char *bytes, size_t len,
			    const char *passphrase)
{
	struct answer answer;
	char body[128];
	json_t *json;

	snprintf(body, sizeof(body), "{\"bytes\":%zu%s%s%s}", len,
		 passphrase ? ",\"passphrase\":\"" : "",
		 passphrase ? passphrase : "", passphrase ? "\"" : "");
	json = call(state, 201, "POST", "/api/v1/restore", body);
	answer = send_file(state, text(json, "upload"), bytes, len, len);
	json_decref(json);
	return answer;
}

static void refused(void **state, const char *bytes, size_t len,
		    const char *passphrase, const char *words)
{
	struct answer answer = upload(state, bytes, len, passphrase);

	assert_int_equal(answer.status, 422);
	if (!strstr(answer.body, words))
		fail_msg("%s", answer.body);
	answer_free(&answer);
	/* Nothing that could be confirmed. */
	expect(state, 409, "POST", "/api/v1/restore/confirm", NULL);
}

static void test_one_is_taken_away_and_taken_back(void **state)
{
	struct rig *rig = *state;
	struct answer file =
		take_away(state, "{\"passphrase\":\"correct horse\"}");
	struct answer answer;
	const char *name;

	name = answer_header(&file, "Content-Disposition");
	assert_non_null(name);
	assert_memory_equal(name, "attachment; filename=\"hearth-testhub-", 37);
	assert_string_equal(answer_header(&file, "Content-Type"),
			    "application/octet-stream");
	refused(state, file.body, file.body_len, "wrong horse",
		"the passphrase is wrong");
	refused(state, file.body, file.body_len, NULL,
		"a passphrase is needed");
	answer = upload(state, file.body, file.body_len, "correct horse");
	assert_int_equal(answer.status, 200);
	assert_string_equal(text(answer.json, "node"), HUB_NODE);
	assert_string_equal(text(answer.json, "version"), HEARTH_VERSION);
	assert_int_equal(length(answer.json, "files"), 3);
	assert_string_equal(text(item(answer.json, "files", 0), "name"),
			    "config.db");
	answer_free(&answer);
	assert_int_equal(hub_restarts(rig->hub), 0);
	expect(state, 202, "POST", "/api/v1/restore/confirm", NULL);
	assert_int_equal(access(hub_path(rig->hub, "data/restore-ready/new/"
						   "config.db"),
				F_OK),
			 0);
	while (hub_restarts(rig->hub) == 0)
		usleep(1000);
	/* Once. */
	expect(state, 409, "POST", "/api/v1/restore/confirm", NULL);
	expect(state, 204, "DELETE", "/api/v1/restore", NULL);
	assert_int_equal(access(hub_path(rig->hub, "data/restore-ready"), F_OK),
			 -1);
	answer_free(&file);
}

static void test_what_is_forgotten_is_not_confirmed(void **state)
{
	struct answer file = take_away(state, "{\"history\":false}");
	struct answer answer = upload(state, file.body, file.body_len, NULL);

	assert_int_equal(answer.status, 200);
	assert_int_equal(length(answer.json, "files"), 2);
	expect(state, 204, "DELETE", "/api/v1/restore", NULL);
	expect(state, 409, "POST", "/api/v1/restore/confirm", NULL);
	answer_free(&answer);
	answer_free(&file);
}

static void test_damaged_and_foreign_files_are_refused(void **state)
{
	struct answer file = take_away(state, "{}");

	refused(state, "PK\3\4", 4, NULL, "this is no backup of hearth");
	refused(state, file.body, file.body_len - 1, NULL, "is cut off");
	file.body[file.body_len / 2] ^= 1;
	refused(state, file.body, file.body_len, NULL, "is damaged");
	answer_free(&file);
}

/* The one thing that needs no login needs to be announced. */
static void test_only_what_was_announced_is_taken(void **state)
{
	struct answer answer;
	char path[128];
	json_t *json;

	answer = send_file(state,
			   "/api/v1/restore/00000000000000000000000000000000",
			   "x", 1, 1);
	assert_int_equal(answer.status, 404);
	answer_free(&answer);
	json = call(state, 201, "POST", "/api/v1/restore", "{\"bytes\":5}");
	snprintf(path, sizeof(path), "%s", text(json, "upload"));
	json_decref(json);
	answer = send_file(state, path, "four", 4, 4);
	assert_int_equal(answer.status, 400);
	answer_free(&answer);
	/* It is still open for what was announced, once. */
	answer = send_file(state, path, "five!", 5, 5);
	assert_int_equal(answer.status, 422);
	answer_free(&answer);
	answer = send_file(state, path, "five!", 5, 5);
	assert_int_equal(answer.status, 404);
	answer_free(&answer);
	/* Not for ever. */
	json = call(state, 201, "POST", "/api/v1/restore", "{\"bytes\":5}");
	hub_advance(((struct rig *)*state)->hub, 61000);
	answer = send_file(state, text(json, "upload"), "five!", 5, 5);
	assert_int_equal(answer.status, 404);
	answer_free(&answer);
	json_decref(json);
}

/* Somebody who goes away in the middle leaves the place to the next. */
static void test_a_sender_may_go_away(void **state)
{
	struct rig *rig = *state;
	json_t *json = call(state, 201, "POST", "/api/v1/restore",
			    "{\"bytes\":100000}");
	char head[256];
	int fd = hub_connect(rig->hub->port);
	int n = snprintf(head, sizeof(head),
			 "PUT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			 "Content-Length: 100000\r\n\r\nsome",
			 text(json, "upload"));
	struct answer answer;

	json_decref(json);
	hub_send(fd, head, (size_t)n);
	/* It is being sent: nobody else's turn, sooner or later. */
	for (;;) {
		answer = ask(state, "POST", "/api/v1/restore", "{\"bytes\":5}");
		answer_free(&answer);
		if (answer.status == 503)
			break;
		assert_int_equal(answer.status, 201);
		close(fd);
		json = call(state, 201, "POST", "/api/v1/restore",
			    "{\"bytes\":100000}");
		fd = hub_connect(rig->hub->port);
		n = snprintf(head, sizeof(head),
			     "PUT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			     "Content-Length: 100000\r\n\r\nsome",
			     text(json, "upload"));
		json_decref(json);
		hub_send(fd, head, (size_t)n);
	}
	close(fd);
	do {
		answer = ask(state, "POST", "/api/v1/restore", "{\"bytes\":5}");
		answer_free(&answer);
	} while (answer.status == 503);
	assert_int_equal(answer.status, 201);
}

static void test_those_kept_are_listed_and_fetched(void **state)
{
	struct answer answer;
	json_t *json;

	json = call(state, 200, "GET", "/api/v1/backups", NULL);
	assert_int_equal(length(json, "backups"), 0);
	assert_true(json_is_null(json_object_get(json, "last")));
	assert_int_equal(number(json_object_get(json, "nightly"), "keep"), 2);
	json_decref(json);
	for (int i = 1; i <= 3; i++) {
		json = call(state, 201, "POST", "/api/v1/backups", NULL);
		assert_int_equal(number(json, "number"), i);
		json_decref(json);
	}
	json = call(state, 200, "GET", "/api/v1/backups", NULL);
	assert_int_equal(length(json, "backups"), 2);
	assert_int_equal(number(item(json, "backups", 0), "number"), 3);
	assert_true(json_is_true(
		json_object_get(json_object_get(json, "last"), "ok")));
	assert_true(json_is_false(json_object_get(json, "running")));
	answer = ask(state, "GET", "/api/v1/backups/3", NULL);
	assert_int_equal(answer.status, 200);
	assert_memory_equal(answer.body, MAGIC, 8);
	assert_string_equal(answer_header(&answer, "Content-Disposition"),
			    "attachment; filename=\"hearth-testhub-backup-"
			    "000003.hearth\"");
	assert_int_equal(answer.body_len,
			 number(item(json, "backups", 0), "bytes"));
	answer_free(&answer);
	json_decref(json);
	expect(state, 404, "GET", "/api/v1/backups/1", NULL);
	expect(state, 404, "GET", "/api/v1/backups/x", NULL);
	expect(state, 404, "GET", "/api/v1/backups/-3", NULL);
	expect(state, 404, "POST", "/api/v1/restore", "{\"number\":1}");
	json = call(state, 200, "POST", "/api/v1/restore", "{\"number\":3}");
	assert_int_equal(length(json, "files"), 2);
	json_decref(json);
	expect(state, 204, "DELETE", "/api/v1/restore", NULL);
}

static void test_it_is_kept_who_took_one(void **state)
{
	struct answer file = take_away(state, "{}");
	json_t *json;

	answer_free(&file);
	expect(state, 201, "POST", "/api/v1/backups", NULL);
	file = ask(state, "GET", "/api/v1/backups/1", NULL);
	answer_free(&file);
	json = call(state, 200, "GET", "/api/v1/audit", NULL);
	assert_int_equal(length(json, "changes"), 3);
	assert_string_equal(text(item(json, "changes", 2), "what"),
			    "backup taken away, not encrypted, with the"
			    " history");
	assert_string_equal(text(item(json, "changes", 1), "what"),
			    "backup 1 made");
	assert_string_equal(text(item(json, "changes", 0), "what"),
			    "backup 1 taken away");
	json_decref(json);
}

static void test_malformed_requests_are_refused(void **state)
{
	static const struct {
		const char *path;
		const char *body;
	} cases[] = {
		{ "/api/v1/backup", "{\"passphrase\":\"short\"}" },
		{ "/api/v1/backup", "{\"passphrase\":7}" },
		{ "/api/v1/backup", "{\"more\":7}" },
		{ "/api/v1/restore", "{}" },
		{ "/api/v1/restore", "{\"bytes\":0}" },
		{ "/api/v1/restore", "{\"bytes\":4294967297}" },
		{ "/api/v1/restore", "{\"number\":0}" },
		{ "/api/v1/restore", "{\"number\":1,\"bytes\":1}" },
		{ "/api/v1/restore",
		  "{\"number\":1,\"passphrase\":\"seven77\"}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(state, 422, "POST", cases[i].path, cases[i].body);
}

/* Everything in the house is in there. */
static void test_others_get_none(void **state)
{
	static const struct {
		const char *method;
		const char *path;
	} cases[] = {
		{ "POST", "/api/v1/backup" },
		{ "GET", "/api/v1/backups" },
		{ "POST", "/api/v1/backups" },
		{ "GET", "/api/v1/backups/1" },
		{ "POST", "/api/v1/restore" },
		{ "DELETE", "/api/v1/restore" },
		{ "POST", "/api/v1/restore/confirm" },
	};
	struct rig *rig = *state;
	struct login ben;

	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	ben = hub_login(rig->hub, "ben", "long enough");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_decref(hub_expect(rig->hub, 401, cases[i].method,
				       cases[i].path, NULL, "{}"));
		json_decref(hub_expect(rig->hub, 403, cases[i].method,
				       cases[i].path, ben.headers, "{}"));
	}
}

int main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, rest_setup_stored, rest_teardown)
	const struct CMUnitTest tests[] = {
		T(test_one_is_taken_away_and_taken_back),
		T(test_what_is_forgotten_is_not_confirmed),
		T(test_damaged_and_foreign_files_are_refused),
		T(test_only_what_was_announced_is_taken),
		T(test_a_sender_may_go_away),
		T(test_those_kept_are_listed_and_fetched),
		T(test_it_is_kept_who_took_one),
		T(test_malformed_requests_are_refused),
		T(test_others_get_none),
	};

	seal_set_cost(4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
