#include "broker/match/document.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/limits.h"
#include "broker/match/decimal.h"
#include "broker/wire/utf8.h"

struct document {
	const uint8_t *at; /* while reading */
	const uint8_t *end;
	uint32_t count;
	uint32_t used; /* of plain */
	struct document_node nodes[LIMIT_MATCH_NODES];
	uint8_t plain[LIMIT_MATCH_PAYLOAD]; /* strings without their escapes */
};

struct document *document_new(void)
{
	return malloc(sizeof(struct document));
}

void document_free(struct document *document)
{
	free(document);
}

static void skip_space(struct document *d)
{
	while (d->at < d->end && (*d->at == ' ' || *d->at == '\t' ||
				  *d->at == '\n' || *d->at == '\r'))
		d->at++;
}

/* Behind white space: is this the next byte? Then it is taken. */
static bool take(struct document *d, uint8_t byte)
{
	skip_space(d);
	if (d->at == d->end || *d->at != byte)
		return false;
	d->at++;
	return true;
}

static struct document_node *node_new(struct document *d,
				      enum document_kind kind)
{
	struct document_node *node = &d->nodes[d->count];

	if (d->count == LIMIT_MATCH_NODES)
		return NULL;
	d->count++;
	*node = (struct document_node){
		.text = d->at,
		.after = (uint16_t)d->count,
		.kind = (uint8_t)kind,
	};
	return node;
}

/* ---- strings ------------------------------------------------------------ */

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of "\uXXXX"; -EINVAL. */
static int32_t take_hex(struct document *d)
{
	int32_t value = 0;

	if (d->end - d->at < 4)
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		int digit = hex_value(*d->at++);

		if (digit < 0)
			return -EINVAL;
		value = value * 16 + digit;
	}
	return value;
}

static void put_character(struct document *d, uint32_t c)
{
	uint8_t *out = d->plain + d->used;

	if (c < 0x80) {
		out[0] = (uint8_t)c;
		d->used += 1;
	} else if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		d->used += 2;
	} else if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		d->used += 3;
	} else {
		out[0] = (uint8_t)(0xf0 | c >> 18);
		out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[3] = (uint8_t)(0x80 | (c & 0x3f));
		d->used += 4;
	}
}

/* Behind "\u": one escape, or the two of a surrogate pair. */
static int take_unicode(struct document *d)
{
	int32_t high = take_hex(d), low;

	if (high < 0 || (high >= 0xdc00 && high < 0xe000))
		return -EINVAL;
	if (high < 0xd800 || high >= 0xe000) {
		put_character(d, (uint32_t)high);
		return 0;
	}
	if (d->end - d->at < 2 || d->at[0] != '\\' || d->at[1] != 'u')
		return -EINVAL;
	d->at += 2;
	low = take_hex(d);
	if (low < 0xdc00 || low >= 0xe000)
		return -EINVAL;
	put_character(d, 0x10000 + ((uint32_t)(high - 0xd800) << 10) +
				 (uint32_t)(low - 0xdc00));
	return 0;
}

/* Behind a backslash. What is written is never longer than what is read. */
static int take_escape(struct document *d)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (d->at == d->end)
		return -EINVAL;
	if (*d->at == 'u') {
		d->at++;
		return take_unicode(d);
	}
	name = *d->at ? strchr(names, *d->at) : NULL;
	if (!name)
		return -EINVAL;
	d->at++;
	put_character(d, (uint8_t)values[name - names]);
	return 0;
}

/* The rest of a string in which an escape was met. */
static int take_escaped(struct document *d)
{
	while (d->at < d->end && *d->at != '"') {
		uint8_t c = *d->at++;

		if (c < ' ')
			return -EINVAL;
		if (c != '\\')
			d->plain[d->used++] = c;
		else if (take_escape(d) < 0)
			return -EINVAL;
	}
	return 0;
}

/* At the byte behind its quotation mark. */
static int read_string(struct document *d)
{
	struct document_node *node = node_new(d, DOCUMENT_STRING);
	const uint8_t *start = d->at;

	if (!node)
		return -EMSGSIZE;
	while (d->at < d->end && *d->at != '"' && *d->at != '\\')
		if (*d->at++ < ' ')
			return -EINVAL;
	node->len = (uint32_t)(d->at - start);
	if (d->at < d->end && *d->at == '\\') {
		node->text = d->plain + d->used;
		memcpy(d->plain + d->used, start, node->len);
		d->used += node->len;
		if (take_escaped(d) < 0)
			return -EINVAL;
		node->len = (uint32_t)(d->plain + d->used - node->text);
	}
	if (d->at == d->end)
		return -EINVAL;
	d->at++;
	return 0;
}

/* ---- values ------------------------------------------------------------- */

static int read_number(struct document *d)
{
	struct document_node *node = node_new(d, DOCUMENT_NUMBER);
	struct decimal ignored;

	if (!node)
		return -EMSGSIZE;
	while (d->at < d->end && *d->at && strchr("+-.0123456789eE", *d->at))
		d->at++;
	node->len = (uint32_t)(d->at - node->text);
	return decimal_parse(document_text(node), &ignored) ? 0 : -EINVAL;
}

static int read_word(struct document *d, const char *word,
		     enum document_kind kind)
{
	const size_t len = strlen(word);
	struct document_node *node;

	if ((size_t)(d->end - d->at) < len || memcmp(d->at, word, len) != 0)
		return -EINVAL;
	node = node_new(d, kind);
	if (!node)
		return -EMSGSIZE;
	node->len = (uint32_t)len;
	d->at += len;
	return 0;
}

static int read_value(struct document *d, unsigned int depth);

static int read_member(struct document *d, unsigned int depth)
{
	int r = take(d, '"') ? read_string(d) : -EINVAL;

	if (r < 0)
		return r;
	return take(d, ':') ? read_value(d, depth) : -EINVAL;
}

/* An object or array, behind its first bracket; depth is that of what is in it. */
static int read_bracket(struct document *d, enum document_kind kind,
			unsigned int depth)
{
	const uint8_t close = kind == DOCUMENT_OBJECT ? '}' : ']';
	struct document_node *node = node_new(d, kind);
	int r = 0;

	if (!node || depth > LIMIT_MATCH_DEPTH)
		return -EMSGSIZE;
	if (!take(d, close)) {
		do {
			r = kind == DOCUMENT_OBJECT ? read_member(d, depth)
						    : read_value(d, depth);
		} while (r == 0 && take(d, ','));
		if (r == 0 && !take(d, close))
			r = -EINVAL;
	}
	node->after = (uint16_t)d->count;
	return r;
}

/* Recursion is bounded by LIMIT_MATCH_DEPTH. */
static int read_value(struct document *d, unsigned int depth)
{
	skip_space(d);
	if (d->at == d->end)
		return -EINVAL;
	switch (*d->at) {
	case '{':
		d->at++;
		return read_bracket(d, DOCUMENT_OBJECT, depth + 1);
	case '[':
		d->at++;
		return read_bracket(d, DOCUMENT_ARRAY, depth + 1);
	case '"':
		d->at++;
		return read_string(d);
	case 't':
		return read_word(d, "true", DOCUMENT_TRUE);
	case 'f':
		return read_word(d, "false", DOCUMENT_FALSE);
	case 'n':
		return read_word(d, "null", DOCUMENT_NULL);
	default:
		return read_number(d);
	}
}

int document_read(struct document *d, struct slice text)
{
	int r;

	if (text.len > LIMIT_MATCH_PAYLOAD)
		return -EMSGSIZE;
	if (text.len == 0)
		return -EINVAL;
	d->at = text.data;
	d->end = text.data + text.len;
	d->count = 0;
	d->used = 0;
	r = read_value(d, 0);
	if (r < 0)
		return r;
	skip_space(d);
	return d->at == d->end && utf8_valid(text) ? 0 : -EINVAL;
}

/* ---- asking ------------------------------------------------------------- */

const struct document_node *document_root(const struct document *document)
{
	return &document->nodes[0];
}

static const struct document_node *member(const struct document *d,
					  const struct document_node *object,
					  struct slice name, size_t *passed)
{
	const struct document_node *found = NULL;
	uint32_t at = (uint32_t)(object - d->nodes) + 1;

	while (at < object->after) {
		if (slice_equal(document_text(&d->nodes[at]), name))
			found = &d->nodes[at + 1];
		at = d->nodes[at + 1].after;
		++*passed;
	}
	return found;
}

/* "0", "1", "12", not "012": LIMIT_MATCH_NODES for what is none. */
static uint32_t index_of(struct slice step)
{
	uint32_t index = 0;

	if (step.len == 0 || (step.len > 1 && step.data[0] == '0'))
		return LIMIT_MATCH_NODES;
	for (size_t i = 0; i < step.len; i++) {
		if (step.data[i] < '0' || step.data[i] > '9' ||
		    index >= LIMIT_MATCH_NODES)
			return LIMIT_MATCH_NODES;
		index = index * 10 + (uint32_t)(step.data[i] - '0');
	}
	return index;
}

static const struct document_node *element(const struct document *d,
					   const struct document_node *array,
					   struct slice step, size_t *passed)
{
	uint32_t index = index_of(step);
	uint32_t at = (uint32_t)(array - d->nodes) + 1;

	while (at < array->after && index > 0) {
		at = d->nodes[at].after;
		index--;
		++*passed;
	}
	return at < array->after ? &d->nodes[at] : NULL;
}

const struct document_node *document_find(const struct document *document,
					  const struct slice *path,
					  size_t steps, size_t *passed)
{
	const struct document_node *node = document_root(document);

	for (size_t i = 0; i < steps && node; i++) {
		if (node->kind == DOCUMENT_OBJECT)
			node = member(document, node, path[i], passed);
		else if (node->kind == DOCUMENT_ARRAY)
			node = element(document, node, path[i], passed);
		else
			node = NULL;
	}
	return node;
}
