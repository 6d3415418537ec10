#include "tests/gpio/bad_pins.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/pins.h"
#include "tests/gpio/bad_maker.h"

#define FIRST_LINE 4 /* and on: all of them on the header */

/* ---- what is good ------------------------------------------------------- */

static json_t *good_pin(struct maker *m, size_t i)
{
	bool out = roll(m, 2);
	json_t *pin = json_pack("{s:s,s:i}", "dir", out ? "out" : "in", "line",
				(int)(FIRST_LINE + i));
	char name[24];

	(void)snprintf(name, sizeof(name), "p%zu", i);
	json_object_set_new(pin, "name", json_string(name));
	if (roll(m, 3) == 0)
		json_object_set_new(pin, "label",
				    json_string("K\xc3\xbc"
						"che"));
	if (roll(m, 3) == 0)
		json_object_set_new(pin, "active_low", json_true());
	return pin;
}

static void begin(struct maker *m)
{
	m->document = json_pack("{s:i,s:[]}", "revision", (int)roll(m, 1000000),
				"pins");
	m->list = json_object_get(m->document, "pins");
	m->count = 2 + roll(m, 9);
	m->at = roll(m, m->count);
	for (size_t i = 0; i < m->count; i++)
		json_array_append_new(m->list, good_pin(m, i));
	m->victim = json_array_get(m->list, m->at);
}

/* Some other pin. */
static json_t *other(struct maker *m)
{
	size_t i = roll(m, m->count - 1);

	return json_array_get(m->list, i + (i >= m->at));
}

/* ---- fields of one pin that cannot be together -------------------------- */

static void wrong_kind(struct maker *m)
{
	static const char *const in[] = { "button", "contact", "motion",
					  "counter" };
	static const char *const out[] = { "relay", "light" };
	bool output = roll(m, 2);

	turn(m, output ? "out" : "in");
	put(m, "kind", json_string(output ? in[roll(m, 4)] : out[roll(m, 2)]));
	expect(m, "kind");
}

static void impossible_limits(struct maker *m)
{
	turn(m, "out");
	switch (roll(m, 3)) {
	case 0:
		put(m, "max_on", json_integer(60));
		put(m, "min_on", json_integer(60 + (json_int_t)roll(m, 99)));
		expect(m, "max_on");
		break;
	case 1:
		put(m, "max_on", json_real(0.5));
		put(m, "safe", json_string("on"));
		expect(m, "safe");
		break;
	default:
		put(m, "dead_ms", json_integer(100));
		expect(m, "dead_ms");
		break;
	}
}

static void impossible_input(struct maker *m)
{
	static const struct {
		const char *members, *field;
	} cases[] = {
		{ "{\"mode\":\"toggle\"}", "target" },
		{ "{\"unit\":\"l\"}", "unit" },
		{ "{\"per_unit\":10}", "per_unit" },
		{ "{\"kind\":\"counter\",\"unit\":\"kWh\"}", "per_unit" },
		{ "{\"kind\":\"counter\",\"interval\":0.5}", "interval" },
		{ "{\"kind\":\"counter\",\"mode\":\"follow\",\"target\":\"x\"}",
		  "mode" },
		{ "{\"hold_ms\":200,\"long_ms\":0}", "hold_ms" },
		{ "{\"hold_ms\":49}", "hold_ms" },
	};
	size_t i = roll(m, sizeof(cases) / sizeof(cases[0]));
	json_t *members = json_loads(cases[i].members, 0, NULL);

	turn(m, "in");
	json_object_update(m->victim, members);
	json_decref(members);
	expect(m, cases[i].field);
}

/* ---- pins that cannot be together ---------------------------------------- */

/* Of two that are the same, the later one is told. */
static void expect_later(struct maker *m, const json_t *pin, const char *field)
{
	size_t i = 0;

	while (json_array_get(m->list, i) != pin)
		i++;
	if (i > m->at)
		m->victim = json_array_get(m->list, i);
	expect(m, field);
}

static void same_name(struct maker *m)
{
	json_t *pin = other(m);

	put(m, "name", json_incref(json_object_get(pin, "name")));
	expect_later(m, pin, "name");
}

static void same_line(struct maker *m)
{
	json_t *pin = other(m);

	put(m, "line", json_incref(json_object_get(pin, "line")));
	expect_later(m, pin, "line");
}

static void lonely_group(struct maker *m)
{
	turn(m, "out");
	put(m, "interlock", json_string("gate"));
	expect(m, "interlock");
}

static void group_that_begins_on(struct maker *m)
{
	json_t *pin = other(m);
	const char *field = roll(m, 2) ? "boot" : "safe";

	json_object_set_new(pin, "dir", json_string("out"));
	json_object_set_new(pin, "interlock", json_string("gate"));
	turn(m, "out");
	put(m, "interlock", json_string("gate"));
	put(m, field, json_string("on"));
	expect(m, field);
}

static void bad_target(struct maker *m)
{
	json_t *pin = other(m);

	turn(m, "in");
	json_object_set_new(pin, "dir", json_string("in"));
	put(m, "mode", json_string("follow"));
	put(m, "target",
	    roll(m, 2) ? json_incref(json_object_get(pin, "name"))
		       : json_string("nobody"));
	expect(m, "target");
}

/* ---- not on this board -------------------------------------------------- */

static void not_on_the_board(struct maker *m)
{
	switch (roll(m, 3)) {
	case 0:
		put(m, "chip", json_string("gpio-elsewhere"));
		expect(m, "chip");
		break;
	case 1:
		put(m, "line", json_integer(58 + (json_int_t)roll(m, 400)));
		expect(m, "line");
		break;
	default:
		put(m, "line", json_integer(17));
		for (size_t i = 0; i < m->count; i++)
			assert(FIRST_LINE + i != 17);
		put(m, "pin", json_integer(12));
		expect(m, "pin");
		break;
	}
}

/* ---- no configuration at all -------------------------------------------- */

static void write_bytes(struct maker *m, const char *text, size_t len)
{
	assert(len <= sizeof(m->out->bytes));
	memcpy(m->out->bytes, text, len);
	m->out->len = len;
}

static void write_document(struct maker *m)
{
	char *text = json_dumps(m->document, JSON_COMPACT);

	write_bytes(m, text, strlen(text));
	free(text);
}

static void cut_off(struct maker *m)
{
	write_document(m);
	m->out->len = 1 + roll(m, m->out->len - 1);
}

static void bad_utf8(struct maker *m)
{
	static const char bad[][5] = { "\xff",	       "\xc3",
				       "\xe2\x82",     "\xc0\xaf",
				       "\xed\xa0\x80", "\xf5\x80\x80\x80" };
	const char *what = bad[roll(m, 6)];
	char *there;

	put(m, "room", json_string("QQQQ"));
	write_document(m);
	m->out->bytes[m->out->len] = '\0';
	there = strstr(m->out->bytes, "QQQQ");
	memcpy(there, what, strlen(what));
}

static void deep(struct maker *m)
{
	static const char open[] = "[[[[[[[[[[[[[[[[{\"a\":";
	size_t n = 100 + roll(m, 2000);
	size_t len = sizeof(open) - 1;

	for (size_t i = 0; i < n; i++)
		memcpy(m->out->bytes + i * len, open, len);
	m->out->len = n * len;
}

static void too_big(struct maker *m)
{
	write_document(m);
	memset(m->out->bytes + m->out->len, ' ',
	       PINS_JSON_MAX + 1 - m->out->len);
	m->out->len = PINS_JSON_MAX + 1;
}

static void no_json(struct maker *m)
{
	static const char *const texts[] = {
		"7",
		"{",
		"[]",
		"null",
		"ON",
		"{\"pins\":[1e999]}",
		"{\"pins\":[],\"pins\":[]}",
		"{\"pins\":[]} x",
		"{\"pins\":[{\"name\":\"a\",\"name\":\"b\"}]}",
		"{\"pins\":[{\"line\":99999999999999999999999999}]}",
		"{\"pins\":[{\"line\":017}]}",
		"{\"pins\":[{'line':17}]}",
		"{\"pins\":[{\"name\":\"\\ud800\"}]}",
	};
	const char *text = texts[roll(m, sizeof(texts) / sizeof(texts[0]))];

	write_bytes(m, text, strlen(text));
	if (strcmp(text, "[]") == 0)
		(void)snprintf(m->out->field, sizeof(m->out->field), "pins");
}

static void bad_list(struct maker *m)
{
	static const char *const values[] = { "null", "7", "{}", "\"p\"",
					      "true" };
	json_t *value = json_loads(values[roll(m, 5)], JSON_DECODE_ANY, NULL);

	if (roll(m, 6) == 0)
		json_object_del(m->document, "pins");
	else
		json_object_set(m->document, "pins", value);
	json_decref(value);
	(void)snprintf(m->out->field, sizeof(m->out->field), "pins");
}

static void bad_member(struct maker *m)
{
	static const char *const values[] = { "null", "7", "[]", "\"p\"",
					      "true" };

	json_array_set_new(
		m->list, m->at,
		json_loads(values[roll(m, 5)], JSON_DECODE_ANY, NULL));
	expect_place(m, "");
}

static void too_many(struct maker *m)
{
	for (size_t i = m->count; i <= PINS_MAX; i++)
		json_array_append_new(m->list, good_pin(m, i));
	(void)snprintf(m->out->field, sizeof(m->out->field), "pins");
}

/* ---- all of them -------------------------------------------------------- */

static const struct {
	const char *name;
	void (*make)(struct maker *m);
	bool alone; /* REST can be asked for just this pin */
} mistakes[] = {
	{ "any field", bad_any_field, true },
	{ "unknown field", bad_unknown_field, true },
	{ "wrong direction", bad_wrong_direction, true },
	{ "wrong kind", wrong_kind, true },
	{ "impossible limits", impossible_limits, true },
	{ "impossible input", impossible_input, true },
	{ "bad direction", bad_direction, true },
	{ "lonely group", lonely_group, false },
	{ "bad name", bad_name, false },
	{ "missing", bad_missing, false },
	{ "same name", same_name, false },
	{ "same line", same_line, false },
	{ "group that begins on", group_that_begins_on, false },
	{ "bad target", bad_target, false },
	{ "not on the board", not_on_the_board, false },
	{ "cut off", cut_off, false },
	{ "bad UTF-8", bad_utf8, false },
	{ "deep", deep, false },
	{ "too big", too_big, false },
	{ "no JSON", no_json, false },
	{ "bad list", bad_list, false },
	{ "bad member", bad_member, false },
	{ "too many", too_many, false },
};

size_t bad_config_kinds(void)
{
	return sizeof(mistakes) / sizeof(mistakes[0]);
}

void bad_config_make(uint64_t seed, struct bad_config *out)
{
	struct maker m = { .dice = seed, .out = out };
	size_t kind = (size_t)(seed % bad_config_kinds());

	out->pin[0] = '\0';
	out->field[0] = '\0';
	out->len = 0;
	out->alone = NULL;
	out->mistake = mistakes[kind].name;
	begin(&m);
	mistakes[kind].make(&m);
	if (out->len == 0)
		write_document(&m);
	if (mistakes[kind].alone)
		out->alone = json_dumps(m.victim, JSON_COMPACT);
	json_decref(m.document);
}

void bad_config_free(struct bad_config *config)
{
	free(config->alone);
	config->alone = NULL;
}
