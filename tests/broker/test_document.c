/* A JSON text is read as RFC 8259 has it; Jansson is the second opinion. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "broker/limits.h"
#include "broker/match/document.h"
#include "tests/failing_malloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int setup(void **state)
{
	*state = document_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	document_free(*state);
	return 0;
}

/* The value at "a/b/0", or NULL. */
static const struct document_node *find(const struct document *d,
					const char *path)
{
	struct slice steps[LIMIT_MATCH_DEPTH];
	size_t n = 0;
	size_t passed = 0;

	while (*path) {
		size_t len = strcspn(path, "/");

		steps[n++] = slice_of(path, len);
		path += len + (path[len] == '/');
	}
	return document_find(d, steps, n, &passed);
}

static void test_values_are_found(void **state)
{
	static const char text[] =
		" { \"temp\" : { \"value\": 21.50, \"unit\": \"\\u00b0C\" },\n"
		"\"list\":[1,[2,3],{\"x\":true},null,\"\"],\"\":false,"
		"\"k\\\"ey\": \"a\\\\b\\/\\b\\f\\n\\r\\t\\ud83d\\ude00\","
		"\"twice\":1,\"twice\":[2], \"e\":{}, \"0\":\"zero\" } ";
	static const struct {
		const char *path;
		int kind; /* -1 nothing there */
		const char *text;
	} rows[] = {
		{ "", DOCUMENT_OBJECT, NULL },
		{ "temp", DOCUMENT_OBJECT, NULL },
		{ "temp/value", DOCUMENT_NUMBER, "21.50" },
		{ "temp/unit", DOCUMENT_STRING,
		  "\xc2\xb0"
		  "C" },
		{ "temp/value/x", -1, NULL },
		{ "temp/val", -1, NULL },
		{ "value", -1, NULL },
		{ "list", DOCUMENT_ARRAY, NULL },
		{ "list/0", DOCUMENT_NUMBER, "1" },
		{ "list/1/1", DOCUMENT_NUMBER, "3" },
		{ "list/2/x", DOCUMENT_TRUE, "true" },
		{ "list/3", DOCUMENT_NULL, "null" },
		{ "list/4", DOCUMENT_STRING, "" },
		{ "list/5", -1, NULL },
		{ "list/00", -1, NULL },
		{ "list/-1", -1, NULL },
		{ "list/4294967296", -1, NULL },
		{ "list/x", -1, NULL },
		{ "k\"ey", DOCUMENT_STRING, "a\\b/\b\f\n\r\t\xf0\x9f\x98\x80" },
		{ "twice/0", DOCUMENT_NUMBER, "2" },
		{ "e", DOCUMENT_OBJECT, NULL },
		{ "e/x", -1, NULL },
		{ "0", DOCUMENT_STRING, "zero" },
		{ "k", -1, NULL },
	};

	assert_int_equal(document_read(*state, slice_str(text)), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct document_node *node = find(*state, rows[i].path);

		if ((node ? node->kind : -1) != rows[i].kind)
			fail_msg("%s: kind", rows[i].path);
		if (rows[i].text &&
		    !slice_equal(document_text(node), slice_str(rows[i].text)))
			fail_msg("%s: text", rows[i].path);
	}
}

static void test_what_is_no_json(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"{",
		"}",
		"[",
		"]",
		"{]",
		"[}",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{1:1}",
		"{\"a\" 1}",
		"\"",
		"\"\\",
		"\"\\\"",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\ud800\"",
		"\"\\ud800\\u0041\"",
		"\"\\udc00\"",
		"\"\\ud800x\"",
		"\"\t\"",
		"\"\\n\t\"",
		"tru",
		"truex",
		"nul",
		"True",
		"1 1",
		"1a",
		"01",
		"+1",
		"-",
		"'a'",
		"ON",
		"\357\273\2771",
		"\"\xff\"",
		"\"\xc0\x80\"",
		"\"\xed\xa0\x80\"",
		"[1]x",
		"//",
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (document_read(*state, slice_str(rows[i])) != -EINVAL)
			fail_msg("%s is taken", rows[i]);
	assert_int_equal(document_read(*state, slice_of("1\0", 2)), -EINVAL);
	assert_int_equal(document_read(*state, slice_of("\"\\\0\"", 4)),
			 -EINVAL);
}

static void test_nothing_behind_the_end_is_looked_at(void **state)
{
	static const char text[] =
		"{\"a\":[1.5e3,true,false,null,\"\\ud83d\\ude00\"]}";

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *copy = malloc(len + 1);

		memcpy(copy + 1, text, len);
		assert_int_equal(document_read(*state, slice_of(copy + 1, len)),
				 -EINVAL);
		free(copy);
	}
}

static struct slice nested(char *text, size_t depth)
{
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return slice_of(text, 2 * depth);
}

static void test_depth_is_limited(void **state)
{
	char text[2 * LIMIT_MATCH_DEPTH + 2];

	assert_int_equal(document_read(*state, nested(text, LIMIT_MATCH_DEPTH)),
			 0);
	assert_int_equal(
		document_read(*state, nested(text, LIMIT_MATCH_DEPTH + 1)),
		-EMSGSIZE);
}

static void test_values_are_limited(void **state)
{
	char text[2 * LIMIT_MATCH_NODES + 2];

	/* The array counts, too. */
	for (size_t i = 0; i < LIMIT_MATCH_NODES; i++)
		memcpy(text + 2 * i, ",1", 2);
	text[0] = '[';
	text[2 * LIMIT_MATCH_NODES - 2] = ']';
	assert_int_equal(
		document_read(*state,
			      slice_of(text, 2 * LIMIT_MATCH_NODES - 1)),
		0);
	memcpy(text + 2 * LIMIT_MATCH_NODES - 2, ",1]", 3);
	assert_int_equal(
		document_read(*state,
			      slice_of(text, 2 * LIMIT_MATCH_NODES + 1)),
		-EMSGSIZE);
}

static void test_length_is_limited(void **state)
{
	char *text = malloc(LIMIT_MATCH_PAYLOAD + 1);

	/* One string, all of it escapes or none: both fill the memory. */
	for (int escapes = 0; escapes < 2; escapes++) {
		memset(text, escapes ? '\\' : 'x', LIMIT_MATCH_PAYLOAD + 1);
		text[0] = text[LIMIT_MATCH_PAYLOAD - 1] = '"';
		assert_int_equal(
			document_read(*state,
				      slice_of(text, LIMIT_MATCH_PAYLOAD)),
			0);
		assert_int_equal(document_root(*state)->len,
				 (LIMIT_MATCH_PAYLOAD - 2) >> escapes);
	}
	memset(text, ' ', LIMIT_MATCH_PAYLOAD + 1);
	text[0] = '1';
	assert_int_equal(
		document_read(*state, slice_of(text, LIMIT_MATCH_PAYLOAD + 1)),
		-EMSGSIZE);
	free(text);
}

static void test_no_memory_no_document(void **state)
{
	(void)state;
	failing_malloc_arm(0);
	assert_null(document_new());
	assert_true(failing_malloc_disarm());
	document_free(NULL);
}

static void test_reading_allocates_nothing(void **state)
{
	failing_malloc_arm(0);
	assert_int_equal(
		document_read(*state, slice_str("{\"a\":[1,\"\\u0041\"]}")), 0);
	assert_false(failing_malloc_disarm());
}

/* ---- against Jansson ---------------------------------------------------- */

static void assert_same(const struct document *d, struct slice *path,
			size_t steps, const json_t *json);

static void assert_same_members(const struct document *d, struct slice *path,
				size_t steps, const json_t *json)
{
	void *at = json_object_iter((json_t *)(uintptr_t)json);

	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)json, at)) {
		path[steps] = slice_str(json_object_iter_key(at));
		assert_same(d, path, steps + 1, json_object_iter_value(at));
	}
}

static void assert_same(const struct document *d, struct slice *path,
			size_t steps, const json_t *json)
{
	size_t passed = 0;
	const struct document_node *node =
		document_find(d, path, steps, &passed);
	char text[32];

	assert_non_null(node);
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		assert_int_equal(node->kind, DOCUMENT_OBJECT);
		assert_same_members(d, path, steps, json);
		break;
	case JSON_ARRAY:
		assert_int_equal(node->kind, DOCUMENT_ARRAY);
		for (size_t i = 0; i < json_array_size(json); i++) {
			snprintf(text, sizeof(text), "%zu", i);
			path[steps] = slice_str(text);
			assert_same(d, path, steps + 1,
				    json_array_get(json, i));
			path[steps] = slice_of(NULL, 0);
		}
		break;
	case JSON_STRING:
		assert_int_equal(node->kind, DOCUMENT_STRING);
		assert_true(slice_equal(document_text(node),
					slice_of(json_string_value(json),
						 json_string_length(json))));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		assert_int_equal(node->kind, DOCUMENT_NUMBER);
		snprintf(text, sizeof(text), "%.*s", (int)node->len,
			 node->text);
		assert_true(json_number_value(json) == strtod(text, NULL));
		break;
	case JSON_TRUE:
		assert_int_equal(node->kind, DOCUMENT_TRUE);
		break;
	case JSON_FALSE:
		assert_int_equal(node->kind, DOCUMENT_FALSE);
		break;
	case JSON_NULL:
		assert_int_equal(node->kind, DOCUMENT_NULL);
		break;
	}
}

/* A text out of pieces of JSON, most of them in places where they may stand. */
static size_t write_value(char *out, unsigned int *seed, int depth)
{
	static const char *const leaves[] = {
		"1",
		"-0.5",
		"2e3",
		"true",
		"false",
		"null",
		"\"\"",
		"\"x y\"",
		"\"\\u00e9\\n\"",
		"\"\xc3\xbc\"",
		"12345678901",
		"\"\\\"\"",
	};
	static const char *const names[] = { "a", "b", "c\\t", "0", "12" };
	const int kind = rand_r(seed) % (depth ? 4 : 2);
	size_t len = 0;
	int members = rand_r(seed) % 4;

	if (kind < 2)
		return (size_t)snprintf(
			out, 16, "%s",
			leaves[(size_t)rand_r(seed) % COUNT(leaves)]);
	out[len++] = kind == 2 ? '{' : '[';
	for (int i = 0; i < members; i++) {
		if (i)
			out[len++] = ',';
		if (kind == 2)
			len += (size_t)snprintf(
				out + len, 16, "\"%s\" :",
				names[(size_t)rand_r(seed) % COUNT(names)]);
		len += write_value(out + len, seed, depth - 1);
	}
	out[len++] = kind == 2 ? '}' : ']';
	return len;
}

static void compare(struct document *d, struct slice text)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	struct slice path[LIMIT_MATCH_DEPTH + 1];
	json_error_t error;
	json_t *json =
		json_loadb((const char *)text.data, text.len, flags, &error);
	const bool range =
		!json && json_error_code(&error) == json_error_numeric_overflow;

	/* What Jansson's variables do not hold is JSON nevertheless. */
	if (!range && (document_read(d, text) == 0) != (json != NULL))
		fail_msg("%.*s: %s", (int)text.len, text.data, error.text);
	if (json)
		assert_same(d, path, 0, json);
	json_decref(json);
}

static void test_jansson_reads_the_same(void **state)
{
	static const char noise[] = "{}[],:\"\\ 10e.-utrfalsn\n\t\x80";
	char text[4096];
	unsigned int seed = 1;

	for (int i = 0; i < 20000; i++) {
		size_t len = write_value(text, &seed, 3);

		compare(*state, slice_of(text, len));
		for (int changes = rand_r(&seed) % 3; changes; changes--)
			text[(size_t)rand_r(&seed) % len] =
				noise[(size_t)rand_r(&seed) %
				      (sizeof(noise) - 1)];
		compare(*state, slice_of(text, len));
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_values_are_found),
		T(test_what_is_no_json),
		T(test_nothing_behind_the_end_is_looked_at),
		T(test_depth_is_limited),
		T(test_values_are_limited),
		T(test_length_is_limited),
		T(test_no_memory_no_document),
		T(test_reading_allocates_nothing),
		T(test_jansson_reads_the_same),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
