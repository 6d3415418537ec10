/* Predicates: what may be written, and what it means for a message. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "broker/limits.h"
#include "broker/match/document.h"
#include "broker/match/predicate.h"
#include "broker/match/predicate_eval.h"
#include "broker/wire/properties.h"
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

static struct predicate *parsed(const char *text)
{
	struct predicate_error error;
	struct predicate *p;

	if (predicate_parse(slice_str(text), &p, &error) < 0)
		fail_msg("%s: byte %zu: %s", text, error.at, error.why);
	return p;
}

/* Does payload fit text? The rest of the message is given by the subject. */
static bool fits(struct document *d, const char *text, struct subject s)
{
	struct predicate *p = parsed(text);
	uint64_t reads = 0;
	bool verdict;

	s.type = SUBJECT_UNREAD;
	s.document = d;
	s.parsed = &reads;
	s.work = LIMIT_MATCH_WORK;
	verdict = predicate_eval(p, &s);
	assert_int_equal(verdict, predicate_eval(p, &s));
	assert_true(reads <= 1);
	predicate_free(p);
	return verdict;
}

/* ---- what may be written ------------------------------------------------ */

static void test_what_is_malformed_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} rows[] = {
		{ "", 1, "the predicate is empty" },
		{ "temp", 5, "an operator" },
		{ "temp,x=1", 5, "an operator" },
		{ "temp!25", 5, "an operator" },
		{ ">25", 1, "a field" },
		{ "a=1,", 5, "a field" },
		{ "a=1|", 5, "a field" },
		{ "a=1,,b=2", 5, "a field" },
		{ "a=1||b=2", 5, "a field" },
		{ "  =1", 3, "a field" },
		{ "a==1", 3, "= ! < > ~ in a value" },
		{ "a=1=2", 4, "= ! < > ~ in a value" },
		{ "a=hello!", 8, "= ! < > ~ in a value" },
		{ "a>=<1", 4, "= ! < > ~ in a value" },
		{ "a=%4", 3, "% is not" },
		{ "a=b%g0", 4, "% is not" },
		{ "a%=1", 2, "% is not" },
		{ ".a=1", 1, "a name is missing" },
		{ "a..b=1", 3, "a name is missing" },
		{ "a.=1", 2, "a name is missing" },
		{ "a=1,b>x", 7, "< <= > >= compare" },
		{ "a<", 3, "< <= > >= compare" },
		{ "a>=true", 4, "< <= > >= compare" },
		{ "a>%2b5", 3, "< <= > >= compare" },
		{ "a>+5", 3, "/ + # must" },
		{ "a/b>5", 2, "/ + # must" },
		{ "a=#", 3, "/ + # must" },
		{ "$foo=1", 1, "no such $" },
		{ "a=1|$user=1", 5, "no such $" },
		{ "$user.=1", 1, "no such $" },
		{ "$qos=high", 6, "$qos is" },
		{ "$qos~1", 6, "$qos is" },
		{ "$type=integer", 7, "$type is" },
		{ "$type~json", 7, "$type is" },
		{ "$retain=yes", 9, "$retain is" },
		{ "$retain~true", 9, "$retain is" },
	};
	struct predicate_error error;
	struct predicate *p;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (predicate_parse(slice_str(rows[i].text), &p, &error) !=
		    -EINVAL)
			fail_msg("%s is taken", rows[i].text);
		if (error.at != rows[i].at ||
		    strncmp(error.why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("%s: byte %zu: %s", rows[i].text, error.at,
				 error.why);
	}
}

/* "a=1,a=1,..." with so many comparisons. */
static void write_terms(char *text, size_t terms)
{
	for (size_t i = 0; i < terms; i++)
		memcpy(text + 4 * i, "a=1,", 5);
	text[4 * terms - 1] = '\0';
}

static void test_what_is_too_much_is_refused(void **state)
{
	char text[LIMIT_PREDICATE + 2];
	struct predicate_error error;
	struct predicate *p;

	(void)state;
	write_terms(text, LIMIT_PREDICATE_TERMS);
	predicate_free(parsed(text));
	write_terms(text, LIMIT_PREDICATE_TERMS + 1);
	assert_int_equal(predicate_parse(slice_str(text), &p, &error), -EINVAL);
	assert_string_equal(error.why, "too many comparisons");

	memset(text, 'x', sizeof(text));
	memcpy(text, "a=", 2);
	assert_int_equal(
		predicate_parse(slice_of(text, LIMIT_PREDICATE), &p, &error),
		0);
	predicate_free(p);
	assert_int_equal(predicate_parse(slice_of(text, LIMIT_PREDICATE + 1),
					 &p, &error),
			 -EINVAL);
	assert_string_equal(error.why, "the predicate is too long");

	for (size_t i = 0; i <= LIMIT_MATCH_DEPTH; i++)
		memcpy(text + 2 * i, "a.", 2);
	memcpy(text + 2 * LIMIT_MATCH_DEPTH - 1, "=1", 3);
	predicate_free(parsed(text));
	memcpy(text + 2 * LIMIT_MATCH_DEPTH - 1, ".a=1", 5);
	assert_int_equal(predicate_parse(slice_str(text), &p, &error), -EINVAL);
	assert_string_equal(error.why, "too many names");
	assert_int_equal(error.at, 2 * LIMIT_MATCH_DEPTH + 1);
}

static void test_no_memory_no_predicate(void **state)
{
	struct predicate_error error;
	struct predicate *p;

	(void)state;
	failing_malloc_arm(0);
	assert_int_equal(predicate_parse(slice_str("a=1"), &p, &error),
			 -ENOMEM);
	assert_true(failing_malloc_disarm());
	predicate_free(NULL);
}

/* ---- what it means ------------------------------------------------------ */

static const struct {
	const char *predicate;
	const char *payload;
	bool fits;
} cases[] = {
	/* Fields. */
	{ "temp.value>25", "{\"temp\":{\"value\":25.1}}", true },
	{ "temp.value>25", "{\"temp\":{\"value\":25}}", false },
	{ "temp.value>=25", "{\"temp\":{\"value\":25.0}}", true },
	{ "temp.value<-3", "{\"temp\":{\"value\":-3.5}}", true },
	{ "temp.value<=-3", "{\"temp\":{\"value\":-2}}", false },
	{ "temp.value>25", "{\"temp\":{\"value\":\"26\"}}", false },
	{ "temp.value>25", "{\"temp\":26}", false },
	{ "temp.value>25", "{\"temp.value\":26}", false },
	{ "temp%2Evalue>25", "{\"temp.value\":26}", true },
	{ "temp > 25", "{\"temp\":26}", true },
	{ "temp%20>25", "{\"temp\":26}", false },
	{ "temp%20>25", "{\"temp \":26}", true },
	{ "l.1=x", "{\"l\":[1,\"x\"]}", true },
	{ "0.t=5", "[{\"t\":5}]", true },
	{ "%24x=5", "{\"$x\":5}", true },
	{ "a%2Fb=c%2Fd", "{\"a/b\":\"c/d\"}", true },
	{ "a=b%2bc", "{\"a\":\"b+c\"}", true },
	{ "room=living room", "{\"room\":\"living room\"}", true },
	{ "room= hall ", "{\"room\":\"hall\"}", true },
	{ "room=%20hall", "{\"room\":\"hall\"}", false },
	{ "t=%c3%BC", "{\"t\":\"\\u00fc\"}", true },
	/* Texts, words and nothing. */
	{ "state=ON", "{\"state\":\"ON\"}", true },
	{ "state=ON", "{\"state\":\"on\"}", false },
	{ "state!=ON", "{\"state\":\"OFF\"}", true },
	{ "state!=ON", "{\"state\":\"ON\"}", false },
	{ "state!=ON", "{}", false },
	{ "state!=ON", "{\"state\":{}}", false },
	{ "state!=ON", "{\"state\":[]}", false },
	{ "state~", "{\"state\":\"\"}", true },
	{ "state~", "{\"other\":\"\"}", false },
	{ "state=", "{\"state\":\"\"}", true },
	{ "state=", "{\"state\":\"x\"}", false },
	{ "name~itch", "{\"name\":\"kitchen\"}", true },
	{ "name~itch", "{\"name\":\"hitc\"}", false },
	{ "name~kitchens", "{\"name\":\"kitchen\"}", false },
	{ "on=true", "{\"on\":true}", true },
	{ "on=true", "{\"on\":\"true\"}", true },
	{ "on=true", "{\"on\":false}", false },
	{ "on!=true", "{\"on\":false}", true },
	{ "on=1", "{\"on\":true}", false },
	{ "x=null", "{\"x\":null}", true },
	{ "x!=null", "{\"x\":0}", true },
	{ "x!=null", "{}", false },
	/* Numbers are numbers, however long. */
	{ "id=9007199254740993", "{\"id\":9007199254740993}", true },
	{ "id=9007199254740993", "{\"id\":9007199254740992}", false },
	{ "id>18446744073709551615", "{\"id\":18446744073709551616}", true },
	{ "id<1e400", "{\"id\":1e399}", true },
	{ "n=0.3", "{\"n\":3e-1}", true },
	{ "n=5", "{\"n\":\"5\"}", true },
	{ "n=5", "{\"n\":\"5.0\"}", false },
	{ "n!=5", "{\"n\":5.0}", false },
	{ "n~5", "{\"n\":0.25}", true },
	{ "n=-0", "{\"n\":0}", true },
	/* The whole payload. */
	{ "$value>25", "25.5", true },
	{ "$value>25", " 25.5\n", true },
	{ "$value>25", "24", false },
	{ "$value>25", "\"26\"", false },
	{ "$value>25", "hot", false },
	{ "$value=21.5", "21.50", true },
	{ "$value=ON", "ON", true },
	{ "$value!=ON", "OFF", true },
	{ "$value=ON", "\"ON\"", false },
	{ "$value=%22ON%22", "\"ON\"", true },
	{ "$value=true", "true", true },
	{ "$value~err", "an error", true },
	{ "$value=", "", true },
	{ "$value!=", "", false },
	{ "$value!=", "x", true },
	{ "$value~\"t\"", "{\"t\":1}", true },
	{ "$value~x", "x\xff", false },
	{ "$value!=x", "\xff", false },
	/* Its type. */
	{ "$type=json", "{}", true },
	{ "$type=json", "[1]", true },
	{ "$type=json", "\"x\"", true },
	{ "$type=json", "null", true },
	{ "$type=json", "5", false },
	{ "$type=number", "5", true },
	{ "$type=number", "0x5", false },
	{ "$type=bool", "true", true },
	{ "$type=bool", " false ", true },
	{ "$type=bool", "ON", false },
	{ "$type=text", "ON", true },
	{ "$type=text", "{\"a\":", true },
	{ "$type=text", "", true },
	{ "$type=binary", "\x89PNG", true },
	{ "$type!=binary", "ON", true },
	{ "$type!=json", "{}", false },
	/* And, or. */
	{ "a=1,b=2", "{\"a\":1,\"b\":2}", true },
	{ "a=1,b=2", "{\"a\":1,\"b\":3}", false },
	{ "a=1|b=2", "{\"a\":0,\"b\":2}", true },
	{ "a=1|b=2", "{\"a\":0,\"b\":0}", false },
	{ "a=1,b=2|c=3", "{\"a\":1,\"b\":0,\"c\":3}", true },
	{ "a=1|b=2,c=3", "{\"a\":0,\"b\":2,\"c\":0}", false },
	{ "a=1|b=2,c=3", "{\"a\":1,\"b\":0,\"c\":0}", true },
	{ "a=1,b=2|a=2,b=1", "{\"a\":2,\"b\":1}", true },
	{ "a=1,b=2|a=2,b=1", "{\"a\":2,\"b\":2}", false },
	/* What is no JSON fits no field, and is no error. */
	{ "a!=1", "not JSON", false },
	{ "a!=1", "", false },
	{ "a!=1", "{\"a\":2", false },
	{ "a!=1", "{\"a\":2}", true },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct subject s = { .payload = slice_str(cases[i].payload) };

		if (fits(*state, cases[i].predicate, s) != cases[i].fits)
			fail_msg("%s on %s", cases[i].predicate,
				 cases[i].payload);
	}
}

static void test_qos_and_retain(void **state)
{
	for (uint8_t qos = 0; qos <= 2; qos++) {
		struct subject s = { .qos = qos, .retain = qos == 1 };

		assert_int_equal(fits(*state, "$qos=1", s), qos == 1);
		assert_int_equal(fits(*state, "$qos>=1", s), qos >= 1);
		assert_int_equal(fits(*state, "$retain=true", s), qos == 1);
		assert_int_equal(fits(*state, "$retain=false", s), qos != 1);
		assert_int_equal(fits(*state, "$retain!=true", s), qos != 1);
	}
}

/* Properties as they stand in a PUBLISH, without their length. */
static struct slice properties(uint8_t bytes[256])
{
	struct writer w = writer_of(bytes, 256);

	writer_u8(&w, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR);
	writer_u8(&w, 1);
	writer_u8(&w, MQTT_PROP_USER_PROPERTY);
	writer_string(&w, slice_str("kind"));
	writer_string(&w, slice_str("alarm"));
	writer_u8(&w, MQTT_PROP_CONTENT_TYPE);
	writer_string(&w, slice_str("application/json"));
	writer_u8(&w, MQTT_PROP_USER_PROPERTY);
	writer_string(&w, slice_str("a.b"));
	writer_string(&w, slice_str("7"));
	writer_u8(&w, MQTT_PROP_USER_PROPERTY);
	writer_string(&w, slice_str("kind"));
	writer_string(&w, slice_str("10"));
	assert_false(w.overflow);
	return slice_of(bytes, w.len);
}

static void test_properties(void **state)
{
	static const struct {
		const char *predicate;
		bool fits;
	} rows[] = {
		{ "$content-type=application%2Fjson", true },
		{ "$content-type~json", true },
		{ "$content-type!=text", true },
		{ "$content-type=json", false },
		{ "$user.kind=alarm", true },
		{ "$user.kind>9", true },
		{ "$user.kind>10", false },
		{ "$user.kind=test", false },
		{ "$user.kind!=alarm", true }, /* the second is another */
		{ "$user.a.b=7.0", true },
		{ "$user.a%2Eb=7", true },
		{ "$user.a=7", false },
		{ "$user.KIND~", false },
		{ "$user.none!=x", false },
	};
	uint8_t bytes[256];
	struct subject with = { .properties = properties(bytes) };
	struct subject without = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (fits(*state, rows[i].predicate, with) != rows[i].fits)
			fail_msg("%s", rows[i].predicate);
		assert_false(fits(*state, rows[i].predicate, without));
	}
}

/* A payload above the limits matches nothing that asks about it. */
static void test_a_payload_above_the_limits_is_unknown(void **state)
{
	static const char *const rows[] = { "a=1",	   "a!=1",
					    "$value~",	   "$value!=x",
					    "$type=json",  "$type!=json",
					    "$type=binary" };
	const size_t size = LIMIT_MATCH_PAYLOAD + 1;
	char *text = malloc(size);
	struct subject s = { .payload = slice_of(text, size), .qos = 1 };

	assert_non_null(text);
	memset(text, ' ', size);
	memcpy(text, "{\"a\":1}", 7);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(fits(*state, rows[i], s));
	assert_true(fits(*state, "$qos=1", s));
	s.payload.len--;
	assert_true(fits(*state, "a=1", s));
	assert_true(fits(*state, "$type=json", s));

	memset(text, '[', size);
	s.payload.len = LIMIT_MATCH_DEPTH + 1;
	assert_false(fits(*state, "$type!=json", s));
	free(text);
}

/* ---- against a naive model ---------------------------------------------- */

/* Predicates and payloads made of the same few pieces. */
static const char *const paths[][3] = { { "a" },      { "b" }, { "b", "c" },
					{ "l", "1" }, { "l" }, { "$value" } };
static const char *const relations[] = { "=", "!=", "<", "<=", ">", ">=", "~" };
static const char *const values[] = { "0",    "1", "-1.5", "2",	 "1.0", "true",
				      "null", "",  "a, b", "1 ", "|%=" };
static const char *const leaves[] = {
	"0",	    "1",    "-1.5",   "2.0",	      "1e0",
	"true",	    "null", "\"\"",   "\"1\"",	      "\"a\"",
	"\"a, b\"", "{}",   "[1, 2]", "\"\\u0031 \"", "\"|%=\""
};

struct naive {
	const char *const *path;
	size_t relation;
	const char *value;
};

static bool naive_text(const struct naive *n, const char *text)
{
	return n->relation == 0 ? strcmp(text, n->value) == 0
	       : n->relation == 1
		       ? strcmp(text, n->value) != 0
		       : n->relation == 6 && strstr(text, n->value) != NULL;
}

static bool naive_number(const struct naive *n, double x, const char *text)
{
	char *end;
	const double y = strtod(n->value, &end);

	if (!*n->value || *end || n->relation == 6)
		return naive_text(n, text);
	return n->relation == 0	  ? x == y
	       : n->relation == 1 ? x != y
	       : n->relation == 2 ? x < y
	       : n->relation == 3 ? x <= y
	       : n->relation == 4 ? x > y
				  : x >= y;
}

/* text is how a number is written. */
static bool naive_holds(const struct naive *n, const json_t *json,
			const char *text)
{
	switch (json ? json_typeof(json) : JSON_OBJECT) {
	case JSON_STRING:
		return naive_text(n, json_string_value(json));
	case JSON_INTEGER:
	case JSON_REAL:
		return naive_number(n, json_number_value(json), text);
	case JSON_TRUE:
		return naive_text(n, "true");
	case JSON_NULL:
		return naive_text(n, "null");
	case JSON_FALSE:
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return false;
}

struct payload {
	char text[128];
	const char *a, *c; /* how they are written */
	json_t *json;
};

static void make_payload(struct payload *p, unsigned int *seed)
{
	p->a = leaves[(size_t)rand_r(seed) % COUNT(leaves)];
	p->c = leaves[(size_t)rand_r(seed) % COUNT(leaves)];
	if (rand_r(seed) % 8 == 0)
		snprintf(p->text, sizeof(p->text), "%s", p->a);
	else
		snprintf(p->text, sizeof(p->text),
			 "{\"a\":%s,\"b\":{\"c\":%s},\"l\":[null,%s]}", p->a,
			 p->c, p->c);
	p->json = json_loads(p->text, JSON_DECODE_ANY, NULL);
	assert_non_null(p->json);
}

static bool naive_term(const struct naive *n, const struct payload *p)
{
	const json_t *json = p->json;

	if (n->path[0][0] == '$')
		return json_is_number(json)
			       ? naive_number(n, json_number_value(json), p->a)
			       : naive_text(n, p->text);
	json = json_object_get(json, n->path[0]);
	if (n->path[1])
		json = json_is_array(json) ? json_array_get(json, 1)
					   : json_object_get(json, n->path[1]);
	return naive_holds(n, json, n->path[1] ? p->c : p->a);
}

/* Some characters encoded, all that must be. */
static void write_encoded(char *out, const char *text, unsigned int *seed)
{
	const bool plain_end = *text && text[strlen(text) - 1] != ' ';

	for (; *text; text++) {
		if (strchr(",|%=.", *text) || (*text == ' ' && !plain_end) ||
		    rand_r(seed) % 8 == 0)
			out += snprintf(out, 4, "%%%02x", (unsigned char)*text);
		else
			*out++ = *text;
	}
	*out = '\0';
}

static void write_term(char *out, size_t size, const struct naive *n,
		       unsigned int *seed)
{
	char path[2][16], value[64];
	const bool special = n->path[0][0] == '$';

	write_encoded(path[0], n->path[0], seed);
	write_encoded(path[1], n->path[1] ? n->path[1] : "", seed);
	write_encoded(value, n->value, seed);
	snprintf(out, size, "%s%s%s%s%s", special ? n->path[0] : path[0],
		 n->path[1] ? "." : "", path[1], relations[n->relation], value);
}

/* Up to four comparisons, joined at random: text, and what the model says. */
static bool make_predicate(char *text, const struct payload *p,
			   unsigned int *seed)
{
	size_t count = 1 + (size_t)rand_r(seed) % 4;
	bool any = false, all = true;

	*text = '\0';
	for (size_t i = 0; i < count; i++) {
		struct naive n = {
			.path = paths[(size_t)rand_r(seed) % COUNT(paths)],
			.relation = (size_t)rand_r(seed) % COUNT(relations),
			.value = values[(size_t)rand_r(seed) % COUNT(values)],
		};
		const bool ends = i + 1 == count || rand_r(seed) % 2;

		/* "<" wants a number. */
		if (n.relation >= 2 && n.relation <= 5)
			n.value = values[(size_t)rand_r(seed) % 5];
		write_term(text + strlen(text), 128, &n, seed);
		all = all && naive_term(&n, p);
		if (ends) {
			any = any || all;
			all = true;
		}
		if (i + 1 < count)
			snprintf(text + strlen(text), 2, "%s",
				 ends ? "|" : ",");
	}
	return any;
}

static void test_the_model_says_the_same(void **state)
{
	unsigned int seed = 3;
	size_t fitting = 0;

	for (int i = 0; i < 30000; i++) {
		struct payload payload;
		char text[600];
		bool expected;

		make_payload(&payload, &seed);
		expected = make_predicate(text, &payload, &seed);
		if (fits(*state, text,
			 (struct subject){ .payload = slice_str(
						   payload.text) }) != expected)
			fail_msg("%s on %s: not %d", text, payload.text,
				 expected);
		fitting += expected;
		json_decref(payload.json);
	}
	/* Both answers are asked often. */
	assert_in_range(fitting, 3000, 27000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_is_malformed_is_told_with_its_place),
		T(test_what_is_too_much_is_refused),
		T(test_no_memory_no_predicate),
		T(test_cases),
		T(test_qos_and_retain),
		T(test_properties),
		T(test_a_payload_above_the_limits_is_unknown),
		T(test_the_model_says_the_same),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
