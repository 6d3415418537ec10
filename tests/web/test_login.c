/* Claim, log in, log out, Basic, CSRF: over HTTP, on a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/web/hub.h"
#include "web/limits.h"

static int setup_claimed(void **state)
{
	*state = hub_start(HUB_CLAIMED);
	return 0;
}

static int setup_unclaimed(void **state)
{
	*state = hub_start(HUB_UNCLAIMED);
	return 0;
}

static int teardown(void **state)
{
	hub_stop(*state);
	return 0;
}

static void expect(void **state, int status, const char *method,
		   const char *path, const char *headers, const char *body)
{
	json_decref(hub_expect(*state, status, method, path, headers, body));
}

/* target: "POST /api/v1/login" */
static void expect_type(void **state, int status, const char *slug,
			const char *target, const char *headers,
			const char *body)
{
	const char *space = strchr(target, ' ');
	char method[8], type[64];
	json_t *json;

	snprintf(method, sizeof(method), "%.*s", (int)(space - target), target);
	json = hub_expect(*state, status, method, space + 1, headers, body);
	snprintf(type, sizeof(type), "/problems/%s", slug);
	assert_string_equal(json_string_value(json_object_get(json, "type")),
			    type);
	assert_int_equal(json_integer_value(json_object_get(json, "status")),
			 status);
	json_decref(json);
}

static bool truth(const json_t *json, const char *name)
{
	return json_is_true(json_object_get(json, name));
}

static void test_an_unclaimed_hub_serves_only_its_claim(void **state)
{
	static const char *const closed[] = {
		"GET /api/v1/status",  "GET /api/v1/clients",
		"GET /api/v1/users",   "GET /api/v1/acl",
		"GET /api/v1/pins",    "GET /api/v1/topics",
		"GET /api/v1/history", "GET /api/v1/events?filter=%23",
	};
	json_t *json;

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		expect_type(state, 403, "unclaimed", closed[i], NULL, NULL);
	expect_type(state, 403, "unclaimed", "POST /api/v1/login", NULL,
		    "{\"user\":\"a\",\"password\":\"b\"}");
	expect_type(state, 403, "unclaimed", "POST /api/v1/publish", NULL,
		    "{\"topic\":\"a\",\"payload\":\"b\"}");
	expect(state, 200, "GET", "/", NULL, NULL);
	json = hub_expect(*state, 200, "GET", "/api/v1/session", NULL, NULL);
	assert_false(truth(json, "claimed"));
	assert_false(truth(json, "authenticated"));
	json_decref(json);
}

static void claim_body(char *out, size_t size, const char *token,
		       const char *password)
{
	snprintf(out, size,
		 "{\"token\":\"%s\",\"user\":\"anna\",\"password\":\"%s\"}",
		 token, password);
}

static void test_the_token_claims_once(void **state)
{
	struct hub *hub = *state;
	struct answer answer;
	char body[256], header[512];

	claim_body(body, sizeof(body), "0123456789abcdef0123456789abcdef",
		   HUB_PASSWORD);
	expect_type(state, 403, "wrong-token", "POST /api/v1/claim", NULL,
		    body);
	claim_body(body, sizeof(body), hub->token, "short");
	expect_type(state, 422, "invalid", "POST /api/v1/claim", NULL, body);
	claim_body(body, sizeof(body), hub->token, HUB_PASSWORD);
	answer = hub_request(hub, "POST", "/api/v1/claim", NULL, body);
	assert_int_equal(answer.status, 201);
	assert_true(truth(answer.json, "claimed"));
	assert_true(truth(answer.json, "authenticated"));
	assert_true(truth(answer.json, "admin"));
	snprintf(header, sizeof(header), "Cookie: %.*s\r\n",
		 (int)strcspn(answer_header(&answer, "Set-Cookie"), ";"),
		 answer_header(&answer, "Set-Cookie"));
	answer_free(&answer);
	expect(state, 200, "GET", "/api/v1/status", header, NULL);
	expect_type(state, 409, "already-claimed", "POST /api/v1/claim", NULL,
		    body);
	hub_login(hub, "anna", HUB_PASSWORD);
}

static void test_the_cookie_is_guarded(void **state)
{
	struct answer answer;
	const char *cookie;

	answer = hub_request(*state, "POST", "/api/v1/login", NULL,
			     "{\"user\":\"anna\",\"password\":\"" HUB_PASSWORD
			     "\"}");
	assert_int_equal(answer.status, 200);
	cookie = answer_header(&answer, "Set-Cookie");
	assert_non_null(cookie);
	assert_non_null(strstr(cookie, "; HttpOnly"));
	assert_non_null(strstr(cookie, "; SameSite=Strict"));
	assert_non_null(strstr(cookie, "; Path=/"));
	assert_null(strstr(cookie, "Domain"));
	answer_free(&answer);
}

static void test_changes_need_the_csrf_token(void **state)
{
	static const char body[] = "{\"topic\":\"a\",\"payload\":\"b\"}";
	struct login login = hub_login(*state, HUB_ADMIN, HUB_PASSWORD);
	char headers[512];

	expect(state, 200, "POST", "/api/v1/publish", login.headers, body);
	snprintf(headers, sizeof(headers), "Cookie: %s\r\n", login.cookie);
	expect(state, 200, "GET", "/api/v1/status", headers, NULL);
	expect_type(state, 403, "csrf", "POST /api/v1/publish", headers, body);
	snprintf(headers, sizeof(headers),
		 "Cookie: %s\r\nX-CSRF-Token: "
		 "00000000000000000000000000000000\r\n",
		 login.cookie);
	expect_type(state, 403, "csrf", "POST /api/v1/publish", headers, body);
	expect_type(state, 401, "not-logged-in", "POST /api/v1/publish", NULL,
		    body);
}

static void test_other_sites_are_refused(void **state)
{
	struct login login = hub_login(*state, HUB_ADMIN, HUB_PASSWORD);
	char headers[640];

	snprintf(headers, sizeof(headers), "%sOrigin: http://evil.example\r\n",
		 login.headers);
	expect_type(state, 403, "cross-site", "POST /api/v1/logout", headers,
		    "{}");
	snprintf(headers, sizeof(headers), "%sSec-Fetch-Site: same-site\r\n",
		 login.headers);
	expect_type(state, 403, "cross-site", "GET /api/v1/status", headers,
		    NULL);
	snprintf(headers, sizeof(headers),
		 "%sOrigin: http://127.0.0.1:%u\r\n"
		 "Sec-Fetch-Site: same-origin\r\n",
		 login.headers, ((struct hub *)*state)->port);
	expect(state, 204, "POST", "/api/v1/logout", headers, "{}");
}

static void test_logging_out_ends_the_session(void **state)
{
	struct login login = hub_login(*state, HUB_ADMIN, HUB_PASSWORD);

	expect(state, 204, "POST", "/api/v1/logout", login.headers, NULL);
	expect_type(state, 401, "not-logged-in", "GET /api/v1/status",
		    login.headers, NULL);
}

static void test_logging_in_again_changes_the_session(void **state)
{
	static const char body[] =
		"{\"user\":\"anna\",\"password\":\"" HUB_PASSWORD "\"}";
	struct login login = hub_login(*state, HUB_ADMIN, HUB_PASSWORD);

	expect(state, 200, "POST", "/api/v1/login", login.headers, body);
	expect(state, 401, "GET", "/api/v1/status", login.headers, NULL);
}

static void test_wrong_names_and_passwords_look_alike(void **state)
{
	json_t *name, *password;

	name = hub_expect(*state, 401, "POST", "/api/v1/login", NULL,
			  "{\"user\":\"nobody\",\"password\":\"wrong one\"}");
	password = hub_expect(*state, 401, "POST", "/api/v1/login", NULL,
			      "{\"user\":\"anna\",\"password\":\"wrong one\"}");
	assert_true(json_equal(name, password));
	json_decref(name);
	json_decref(password);
	/* The system's own user has no password that could be right. */
	expect(state, 401, "POST", "/api/v1/login", NULL,
	       "{\"user\":\"gpio\",\"password\":\"\"}");
}

static void test_an_idle_session_ends(void **state)
{
	struct login login = hub_login(*state, HUB_ADMIN, HUB_PASSWORD);

	expect(state, 200, "GET", "/api/v1/status", login.headers, NULL);
	hub_advance(*state, WEB_SESSION_IDLE_MS);
	expect(state, 401, "GET", "/api/v1/status", login.headers, NULL);
}

/* anna:correct horse battery */
#define BASIC                   \
	"Authorization: Basic " \
	"YW5uYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=\r\n"

static void test_guessing_is_slowed_down(void **state)
{
	static const char wrong[] =
		"{\"user\":\"anna\",\"password\":\"wrong one\"}";
	struct answer answer;

	/* Found right before: known without asking the hasher. */
	expect(state, 200, "GET", "/api/v1/status", BASIC, NULL);
	for (int i = 0; i <= WEB_LOGIN_FREE; i++)
		expect(state, 401, "POST", "/api/v1/login", NULL, wrong);
	/* Patience makes the wait longer than any machine is slow. */
	for (int i = 0; i < 8; i++) {
		hub_advance(*state, WEB_LOGIN_WAIT_MAX_MS);
		expect(state, 401, "POST", "/api/v1/login", NULL, wrong);
	}
	answer = hub_request(*state, "POST", "/api/v1/login", NULL, wrong);
	assert_int_equal(answer.status, 429);
	assert_non_null(answer_header(&answer, "Retry-After"));
	answer_free(&answer);
	/* The right one is not looked at either, known or not. */
	expect(state, 429, "POST", "/api/v1/login", NULL,
	       "{\"user\":\"anna\",\"password\":\"" HUB_PASSWORD "\"}");
	expect(state, 429, "GET", "/api/v1/status", BASIC, NULL);
	hub_advance(*state, WEB_LOGIN_WAIT_MAX_MS);
	expect(state, 200, "GET", "/api/v1/status", BASIC, NULL);
}

static void test_programs_use_basic(void **state)
{
	static const char *const wrong[] = {
		"Authorization: Basic YW5uYTp3cm9uZw==\r\n", /* anna:wrong */
		"Authorization: Basic YW5uYQ==\r\n", /* anna */
		"Authorization: Basic !!!!\r\n",
		"Authorization: Basic YW5uYTpjb3JyZWN0AA==\r\n", /* a NUL */
	};
	struct answer answer;

	expect(state, 200, "GET", "/api/v1/status", BASIC, NULL);
	expect(state, 200, "POST", "/api/v1/publish", BASIC,
	       "{\"topic\":\"a\",\"payload\":\"b\"}");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect(state, 401, "GET", "/api/v1/status", wrong[i], NULL);
	/* Else a browser would ask for a password and keep it. */
	answer = hub_request(*state, "GET", "/api/v1/status", NULL, NULL);
	assert_int_equal(answer.status, 401);
	assert_null(
		strstr(answer_header(&answer, "WWW-Authenticate"), "Basic"));
	answer_free(&answer);
}

static void test_a_new_password_ends_other_sessions(void **state)
{
	struct login one = hub_login(*state, HUB_ADMIN, HUB_PASSWORD);
	struct login two = hub_login(*state, HUB_ADMIN, HUB_PASSWORD);

	expect_type(state, 403, "wrong-password",
		    "POST /api/v1/account/password", one.headers,
		    "{\"old\":\"wrong\",\"new\":\"another good one\"}");
	expect(state, 422, "POST", "/api/v1/account/password", one.headers,
	       "{\"old\":\"" HUB_PASSWORD "\",\"new\":\"short\"}");
	expect(state, 204, "POST", "/api/v1/account/password", one.headers,
	       "{\"old\":\"" HUB_PASSWORD "\",\"new\":\"another good one\"}");
	expect(state, 200, "GET", "/api/v1/status", one.headers, NULL);
	expect(state, 401, "GET", "/api/v1/status", two.headers, NULL);
	expect(state, 401, "GET", "/api/v1/status", BASIC, NULL);
	hub_login(*state, HUB_ADMIN, "another good one");
}

#define CLAIMED(name) \
	cmocka_unit_test_setup_teardown(name, setup_claimed, teardown)
#define UNCLAIMED(name) \
	cmocka_unit_test_setup_teardown(name, setup_unclaimed, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNCLAIMED(test_an_unclaimed_hub_serves_only_its_claim),
		UNCLAIMED(test_the_token_claims_once),
		CLAIMED(test_the_cookie_is_guarded),
		CLAIMED(test_changes_need_the_csrf_token),
		CLAIMED(test_other_sites_are_refused),
		CLAIMED(test_logging_out_ends_the_session),
		CLAIMED(test_logging_in_again_changes_the_session),
		CLAIMED(test_wrong_names_and_passwords_look_alike),
		CLAIMED(test_an_idle_session_ends),
		CLAIMED(test_guessing_is_slowed_down),
		CLAIMED(test_programs_use_basic),
		CLAIMED(test_a_new_password_ends_other_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
