#include "broker/match/predicate.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/limits.h"

struct parse {
	struct slice text;
	size_t at;
	struct slice *path; /* the next step goes here */
	uint8_t *plain; /* the next decoded byte goes here */
	struct predicate_error *error;
};

static int fail(const struct parse *p, size_t at, const char *why)
{
	*p->error = (struct predicate_error){ .why = why, .at = at + 1 };
	return -EINVAL;
}

static bool is_one_of(uint8_t c, const char *set)
{
	return c && strchr(set, c);
}

/* The part up to one of the bytes in stop, without the spaces at its ends. */
static struct slice take_until(struct parse *p, const char *stop)
{
	const uint8_t *text = p->text.data;
	size_t start = p->at, end;

	while (p->at < p->text.len && !is_one_of(text[p->at], stop))
		p->at++;
	end = p->at;
	while (start < end && text[start] == ' ')
		start++;
	while (end > start && text[end - 1] == ' ')
		end--;
	return slice_of(text + start, end - start);
}

static size_t place(const struct parse *p, const uint8_t *at)
{
	return (size_t)(at - p->text.data);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(struct parse *p, struct slice part, struct slice *out)
{
	const uint8_t *end = part.data + part.len;
	uint8_t *to = p->plain;

	for (const uint8_t *at = part.data; at < end; at++) {
		int high = -1, low = -1;

		if (*at != '%') {
			*to++ = *at;
			continue;
		}
		if (end - at > 2) {
			high = hex_digit(at[1]);
			low = hex_digit(at[2]);
		}
		if (high < 0 || low < 0)
			return fail(p, place(p, at),
				    "% is not followed by two hex digits");
		*to++ = (uint8_t)(high << 4 | low);
		at += 2;
	}
	*out = slice_of(p->plain, (size_t)(to - p->plain));
	p->plain = to;
	return 0;
}

/* ---- operands ----------------------------------------------------------- */

/* a.b.0: split before it is decoded, so that %2E is part of a name. */
static int take_path(struct parse *p, struct slice part,
		     struct predicate_term *term)
{
	const uint8_t *end = part.data + part.len;
	const uint8_t *at = part.data;

	term->operand = PREDICATE_FIELD;
	term->path = p->path;
	for (;;) {
		const uint8_t *dot = memchr(at, '.', (size_t)(end - at));
		size_t len = (size_t)((dot ? dot : end) - at);
		int r;

		if (len == 0)
			return fail(p, place(p, at), "a name is missing");
		if (term->steps == LIMIT_MATCH_DEPTH)
			return fail(p, place(p, at), "too many names");
		r = decode(p, slice_of(at, len), p->path);
		if (r < 0)
			return r;
		p->path++;
		term->steps++;
		if (!dot)
			return 0;
		at = dot + 1;
		if (at == end)
			return fail(p, place(p, dot), "a name is missing");
	}
}

static int take_special(struct parse *p, struct slice part,
			struct predicate_term *term)
{
	static const struct {
		const char *name;
		enum predicate_operand operand;
	} known[] = {
		{ "$value", PREDICATE_VALUE },
		{ "$type", PREDICATE_TYPE },
		{ "$content-type", PREDICATE_CONTENT_TYPE },
		{ "$qos", PREDICATE_QOS },
		{ "$retain", PREDICATE_RETAIN },
	};
	static const char user[] = "$user.";
	const size_t prefix = sizeof(user) - 1;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_equal(part, slice_str(known[i].name))) {
			term->operand = (uint8_t)known[i].operand;
			return 0;
		}
	}
	if (part.len <= prefix || memcmp(part.data, user, prefix) != 0)
		return fail(p, place(p, part.data), "no such $ operand");
	term->operand = PREDICATE_USER;
	return decode(p, slice_of(part.data + prefix, part.len - prefix),
		      &term->name);
}

static int take_operand(struct parse *p, struct predicate_term *term)
{
	struct slice part = take_until(p, "=!<>~,|");

	if (part.len == 0)
		return fail(p, p->at, "a field or $ operand is missing");
	return part.data[0] == '$' ? take_special(p, part, term)
				   : take_path(p, part, term);
}

/* ---- operators and values ----------------------------------------------- */

static int take_operator(struct parse *p, struct predicate_term *term)
{
	static const struct {
		const char *text;
		enum predicate_relation relation;
	} known[] = {
		{ "!=", PREDICATE_NOT_EQUAL }, { "<=", PREDICATE_AT_MOST },
		{ ">=", PREDICATE_AT_LEAST },  { "=", PREDICATE_EQUAL },
		{ "<", PREDICATE_LESS },       { ">", PREDICATE_MORE },
		{ "~", PREDICATE_CONTAINS },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].text);

		if (p->text.len - p->at >= len &&
		    memcmp(p->text.data + p->at, known[i].text, len) == 0) {
			term->relation = (uint8_t)known[i].relation;
			p->at += len;
			return 0;
		}
	}
	return fail(p, p->at, "an operator (= != < <= > >= ~) is missing");
}

static bool is_in(struct slice value, const char *const *words)
{
	for (; *words; words++)
		if (slice_equal(value, slice_str(*words)))
			return true;
	return false;
}

/* A comparison that could never hold is a mistake: say so at once. */
static const char *misfit(const struct predicate_term *term)
{
	static const char *const types[] = { "json", "number", "text",
					     "bool", "binary", NULL };
	static const char *const bools[] = { "true", "false", NULL };
	const bool equality = term->relation == PREDICATE_EQUAL ||
			      term->relation == PREDICATE_NOT_EQUAL;

	if (!equality && term->relation != PREDICATE_CONTAINS &&
	    !term->is_number)
		return "< <= > >= compare with a number";
	if (term->operand == PREDICATE_QOS &&
	    (!term->is_number || term->relation == PREDICATE_CONTAINS))
		return "$qos is compared with a number";
	if (term->operand == PREDICATE_TYPE &&
	    (!equality || !is_in(term->value, types)))
		return "$type is = or != json number text bool binary";
	if (term->operand == PREDICATE_RETAIN &&
	    (!equality || !is_in(term->value, bools)))
		return "$retain is = or != true false";
	return NULL;
}

static int take_value(struct parse *p, struct predicate_term *term)
{
	size_t start = p->at;
	struct slice part = take_until(p, "=!<>~,|");
	const char *why;
	int r;

	if (p->at < p->text.len && !is_one_of(p->text.data[p->at], ",|"))
		return fail(p, p->at, "= ! < > ~ in a value must be %-encoded");
	r = decode(p, part, &term->value);
	if (r < 0)
		return r;
	term->is_number = decimal_parse(term->value, &term->number);
	why = misfit(term);
	return why ? fail(p, start, why) : 0;
}

/* One comparison and what follows it. */
static int take_term(struct parse *p, struct predicate_term *term)
{
	int r = take_operand(p, term);

	if (r == 0)
		r = take_operator(p, term);
	if (r == 0)
		r = take_value(p, term);
	if (r < 0)
		return r;
	term->last = p->at == p->text.len || p->text.data[p->at] == '|';
	return 0;
}

/* ---- the whole ---------------------------------------------------------- */

/* The first byte of the set, or the length. */
static size_t find(struct slice text, const char *set)
{
	size_t i = 0;

	while (i < text.len && !is_one_of(text.data[i], set))
		i++;
	return i;
}

static size_t count_of(struct slice text, const char *set)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += is_one_of(text.data[i], set);
	return n;
}

int predicate_parse(struct slice text, struct predicate **out,
		    struct predicate_error *error)
{
	const size_t terms = count_of(text, ",|") + 1;
	const size_t steps = count_of(text, ".") + terms;
	const size_t foreign = find(text, "/+#");
	struct parse p = { .text = text, .error = error };
	struct predicate *predicate;
	uint8_t *copy;
	int r = 0;

	if (text.len == 0)
		return fail(&p, 0, "the predicate is empty");
	if (text.len > LIMIT_PREDICATE)
		return fail(&p, LIMIT_PREDICATE, "the predicate is too long");
	if (foreign < text.len)
		return fail(&p, foreign, "/ + # must be %-encoded");
	if (terms > LIMIT_PREDICATE_TERMS)
		return fail(&p, 0, "too many comparisons");
	predicate = calloc(
		1, sizeof(*predicate) + terms * sizeof(predicate->terms[0]) +
			   steps * sizeof(struct slice) + 2 * text.len);
	if (!predicate)
		return -ENOMEM;
	p.path = (struct slice *)(void *)&predicate->terms[terms];
	copy = (uint8_t *)(p.path + steps);
	memcpy(copy, text.data, text.len);
	predicate->text = slice_of(copy, text.len);
	p.plain = copy + text.len;

	for (; r == 0 && predicate->count < terms; p.at++)
		r = take_term(&p, &predicate->terms[predicate->count++]);
	if (r < 0) {
		predicate_free(predicate);
		return r;
	}
	*out = predicate;
	return 0;
}

void predicate_free(struct predicate *predicate)
{
	free(predicate);
}
