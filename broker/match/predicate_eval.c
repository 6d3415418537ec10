#include "broker/match/predicate_eval.h"

#include <errno.h>

#include "broker/limits.h"
#include "broker/match/document.h"
#include "broker/wire/properties.h"
#include "broker/wire/utf8.h"

/* What comparing costs beside the bytes that are looked at, and what passing one
 * value of a document does, in bytes searched for a text. */
#define TERM_WORK 16
#define VALUE_WORK 4

static void charge(struct subject *s, size_t work)
{
	s->work -= work < s->work ? work : s->work;
}

static enum subject_type type_of_json(const struct document_node *root)
{
	switch ((enum document_kind)root->kind) {
	case DOCUMENT_NUMBER:
		return SUBJECT_NUMBER;
	case DOCUMENT_TRUE:
	case DOCUMENT_FALSE:
		return SUBJECT_BOOL;
	case DOCUMENT_OBJECT:
	case DOCUMENT_ARRAY:
	case DOCUMENT_STRING:
	case DOCUMENT_NULL:
		break;
	}
	return SUBJECT_JSON;
}

/* Reads the payload the first time it is asked. */
static enum subject_type type_of(struct subject *s)
{
	int r;

	if (s->type != SUBJECT_UNREAD)
		return (enum subject_type)s->type;
	++*s->parsed;
	charge(s, s->payload.len < LIMIT_MATCH_PAYLOAD ? s->payload.len
						       : LIMIT_MATCH_PAYLOAD);
	r = document_read(s->document, s->payload);
	if (r == 0)
		s->type = (uint8_t)type_of_json(document_root(s->document));
	else if (r == -EMSGSIZE)
		s->type = SUBJECT_UNKNOWN;
	else
		s->type =
			utf8_valid(s->payload) ? SUBJECT_TEXT : SUBJECT_BINARY;
	return (enum subject_type)s->type;
}

static bool holds_order(enum predicate_relation relation, int order)
{
	switch (relation) {
	case PREDICATE_EQUAL:
		return order == 0;
	case PREDICATE_NOT_EQUAL:
		return order != 0;
	case PREDICATE_LESS:
		return order < 0;
	case PREDICATE_AT_MOST:
		return order <= 0;
	case PREDICATE_MORE:
		return order > 0;
	case PREDICATE_AT_LEAST:
		return order >= 0;
	case PREDICATE_CONTAINS:
		break;
	}
	return false;
}

static bool holds_text(const struct predicate_term *term, struct slice text,
		       struct subject *s)
{
	const struct slice value = term->value;

	charge(s, text.len);
	switch ((enum predicate_relation)term->relation) {
	case PREDICATE_EQUAL:
		return slice_equal(text, value);
	case PREDICATE_NOT_EQUAL:
		return !slice_equal(text, value);
	case PREDICATE_CONTAINS:
		return value.len == 0 ||
		       (text.len >= value.len &&
			memmem(text.data, text.len, value.data, value.len));
	case PREDICATE_LESS:
	case PREDICATE_AT_MOST:
	case PREDICATE_MORE:
	case PREDICATE_AT_LEAST:
		break;
	}
	return false;
}

static bool holds_number(const struct predicate_term *term, struct slice text,
			 struct subject *s)
{
	struct decimal number;

	charge(s, text.len);
	if (!term->is_number || term->relation == PREDICATE_CONTAINS ||
	    !decimal_parse(text, &number))
		return holds_text(term, text, s);
	return holds_order((enum predicate_relation)term->relation,
			   decimal_compare(&number, &term->number));
}

static bool holds_field(const struct predicate_term *term, struct subject *s)
{
	const struct document_node *node;
	size_t passed = 0;

	if (type_of(s) > SUBJECT_BOOL)
		return false;
	node = document_find(s->document, term->path, term->steps, &passed);
	charge(s, passed * VALUE_WORK);
	if (!node || node->kind == DOCUMENT_OBJECT ||
	    node->kind == DOCUMENT_ARRAY)
		return false;
	return node->kind == DOCUMENT_NUMBER
		       ? holds_number(term, document_text(node), s)
		       : holds_text(term, document_text(node), s);
}

static bool holds_value(const struct predicate_term *term, struct subject *s)
{
	const enum subject_type type = type_of(s);

	if (type == SUBJECT_NUMBER)
		return holds_number(
			term, document_text(document_root(s->document)), s);
	return type < SUBJECT_BINARY && holds_text(term, s->payload, s);
}

static bool holds_type(const struct predicate_term *term, struct subject *s)
{
	static const char *const names[] = {
		[SUBJECT_JSON] = "json",     [SUBJECT_NUMBER] = "number",
		[SUBJECT_BOOL] = "bool",     [SUBJECT_TEXT] = "text",
		[SUBJECT_BINARY] = "binary",
	};
	const enum subject_type type = type_of(s);

	return type != SUBJECT_UNKNOWN &&
	       holds_text(term, slice_str(names[type]), s);
}

static bool holds_user(const struct predicate_term *term, struct subject *s)
{
	struct slice name, value;
	size_t at = 0;

	charge(s, s->properties.len);
	while (properties_next_user(s->properties, &at, &name, &value))
		if (slice_equal(name, term->name) &&
		    holds_number(term, value, s))
			return true;
	return false;
}

static bool holds(const struct predicate_term *term, struct subject *s)
{
	struct slice text;
	char digit;

	switch ((enum predicate_operand)term->operand) {
	case PREDICATE_FIELD:
		return holds_field(term, s);
	case PREDICATE_VALUE:
		return holds_value(term, s);
	case PREDICATE_TYPE:
		return holds_type(term, s);
	case PREDICATE_CONTENT_TYPE:
		charge(s, s->properties.len);
		return properties_content_type(s->properties, &text) &&
		       holds_number(term, text, s);
	case PREDICATE_USER:
		return holds_user(term, s);
	case PREDICATE_QOS:
		digit = (char)('0' + s->qos);
		return holds_number(term, slice_of(&digit, 1), s);
	case PREDICATE_RETAIN:
		return holds_text(term, slice_str(s->retain ? "true" : "false"),
				  s);
	}
	return false;
}

bool predicate_eval(const struct predicate *predicate, struct subject *subject)
{
	bool all = true;

	for (size_t i = 0; i < predicate->count; i++) {
		const struct predicate_term *term = &predicate->terms[i];

		if (subject->work == 0) {
			subject->cut_short = true;
			return false;
		}
		charge(subject, TERM_WORK);
		all = all && holds(term, subject);
		if (term->last && all)
			return true;
		if (term->last)
			all = true;
	}
	return false;
}
