#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/pin_table.h"
#include "gpio/pins.h"
#include "tests/gpio/bad_dice.h"
#include "tests/gpio/bad_maker.h"

size_t roll(struct maker *m, size_t n)
{
	assert(n > 0);
	return dice_roll(&m->dice, n);
}

void put(struct maker *m, const char *field, json_t *value)
{
	assert(json_object_set_new(m->victim, field, value) == 0);
}

void expect(struct maker *m, const char *field)
{
	const char *name =
		json_string_value(json_object_get(m->victim, "name"));

	(void)snprintf(m->out->pin, sizeof(m->out->pin), "%s", name);
	(void)snprintf(m->out->field, sizeof(m->out->field), "%s", field);
}

void expect_place(struct maker *m, const char *field)
{
	(void)snprintf(m->out->pin, sizeof(m->out->pin), "#%zu", m->at + 1);
	(void)snprintf(m->out->field, sizeof(m->out->field), "%s", field);
}

void turn(struct maker *m, const char *dir)
{
	put(m, "dir", json_string(dir));
}

/* ---- one field ---------------------------------------------------------- */

static json_t *long_text(size_t len)
{
	char text[512];

	assert(len < sizeof(text));
	memset(text, 'x', len);
	return json_stringn(text, len);
}

static json_t *bad_text(struct maker *m, size_t max)
{
	switch (roll(m, 6)) {
	case 0:
		return long_text(max + 1 + roll(m, 200));
	case 1:
		return json_string("a\nb");
	case 2:
		return json_stringn("a\0b", 3);
	case 3:
		return json_integer(7);
	case 4:
		return json_pack("[s]", "a");
	default:
		return json_true();
	}
}

static json_t *bad_number(struct maker *m, size_t max, bool whole)
{
	switch (roll(m, whole ? 9 : 8)) {
	case 0:
		return json_integer((json_int_t)max + 1);
	case 1:
		return json_integer(-1);
	case 2:
		return json_integer(INT64_MAX);
	case 3:
		return json_integer(INT64_MIN);
	case 4:
		return json_real(1e300);
	case 5:
		return json_string("5");
	case 6:
		return json_pack("{s:i}", "value", 5);
	case 7:
		return json_true();
	default:
		return json_real(0.5);
	}
}

static json_t *bad_bool(struct maker *m)
{
	static const char *const texts[] = { "true", "", "yes" };

	return roll(m, 2) ? json_integer((json_int_t)roll(m, 2))
			  : json_string(texts[roll(m, 3)]);
}

static json_t *bad_word(struct maker *m, const struct field_word *words)
{
	char text[64];

	switch (roll(m, 5)) {
	case 0:
		return json_integer(words[0].value);
	case 1:
		return json_null();
	case 2:
		(void)snprintf(text, sizeof(text), "%s ", words[0].text);
		return json_string(text);
	case 3:
		return json_string("");
	default:
		return json_string("sideways");
	}
}

static json_t *bad_value(struct maker *m, const struct field *field)
{
	switch (field->type) {
	case FIELD_WORD:
		return bad_word(m, field->words);
	case FIELD_BOOL:
		return bad_bool(m);
	case FIELD_NUMBER:
		return bad_number(m, field->max, true);
	case FIELD_SECONDS:
	case FIELD_REAL:
		return bad_number(m, field->max, false);
	case FIELD_TEXT:
		return bad_text(m, field->max);
	case FIELD_SIGNED:
		break; /* No pin has one. */
	}
	abort();
}

static size_t fields(void)
{
	size_t n = 0;

	while (pin_table[n].name)
		n++;
	return n;
}

void bad_any_field(struct maker *m)
{
	const struct field *field = &pin_table[roll(m, fields())];

	put(m, field->name, bad_value(m, field));
	expect(m, field->name);
}

void bad_unknown_field(struct maker *m)
{
	static const char *const names[] = {
		"colour",
		"Line",
		"",
		"a/b",
		"line ",
		"\xc3\xa4\xc3\xb6",
		/* Longer than an error's field: where it is cut is no end of
		 * a character. */
		"einviellaenger\xc3\xa4r",
		"veryveryverylongindeed",
	};
	const char *name = names[roll(m, sizeof(names) / sizeof(names[0]))];

	put(m, name, json_integer(1));
	expect(m, name);
}

void bad_wrong_direction(struct maker *m)
{
	static const struct {
		const char *dir, *field, *text;
		int number;
	} cases[] = {
		{ "in", "safe", "on", 0 },
		{ "in", "boot", "restore", 0 },
		{ "in", "interlock", "g", 0 },
		{ "in", "dead_ms", NULL, 5 },
		{ "in", "max_on", NULL, 5 },
		{ "in", "cycles", NULL, 5 },
		{ "out", "debounce_ms", NULL, 5 },
		{ "out", "mode", "follow", 0 },
		{ "out", "long_ms", NULL, 900 },
		{ "out", "unit", "kWh", 0 },
		{ "out", "interval", NULL, 60 },
		{ "out", "target", "p0", 0 },
	};
	size_t i = roll(m, sizeof(cases) / sizeof(cases[0]));

	turn(m, cases[i].dir);
	put(m, cases[i].field,
	    cases[i].text ? json_string(cases[i].text)
			  : json_integer(cases[i].number));
	expect(m, cases[i].field);
}

void bad_name(struct maker *m)
{
	static const char *const names[] = { "a/b", "a b",	"+",
					     "#",   "\xc3\xa4", "" };

	switch (roll(m, 4)) {
	case 0:
		put(m, "name", long_text(PIN_NAME_MAX + 1 + roll(m, 300)));
		break;
	case 1:
		put(m, "name", json_integer(5));
		break;
	case 2:
		put(m, "name", json_stringn("a\0", 2));
		break;
	default:
		put(m, "name", json_string(names[roll(m, 6)]));
		break;
	}
	expect_place(m, "name");
}

void bad_direction(struct maker *m)
{
	put(m, "dir", roll(m, 2) ? json_string("both") : json_integer(1));
	expect(m, "dir");
}

void bad_missing(struct maker *m)
{
	static const char *const needed[] = { "name", "dir", "line" };
	size_t i = roll(m, 3);

	if (i == 0)
		expect_place(m, needed[i]);
	else
		expect(m, needed[i]);
	if (roll(m, 2))
		put(m, needed[i], json_null());
	else
		json_object_del(m->victim, needed[i]);
}
