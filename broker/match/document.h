/*
 * A JSON text (RFC 8259), read once and then asked for its values: a list of
 * nodes in the order of the text, in memory that is there already, so reading
 * allocates nothing and costs a few passes over the text at most.
 *
 * Numbers stay as they are written. Of a name that stands twice in an object, the
 * last one counts.
 */
#ifndef BROKER_MATCH_DOCUMENT_H
#define BROKER_MATCH_DOCUMENT_H

#include "broker/base/slice.h"

enum document_kind {
	DOCUMENT_OBJECT,
	DOCUMENT_ARRAY,
	DOCUMENT_STRING,
	DOCUMENT_NUMBER,
	DOCUMENT_TRUE,
	DOCUMENT_FALSE,
	DOCUMENT_NULL,
};

struct document_node {
	const uint8_t *text; /* a string without its escapes, the others as they
			      * are written; an object's and array's: nothing */
	uint32_t len;
	uint16_t after; /* the node behind this one and all that is in it */
	uint8_t kind;
};

struct document;

/* NULL when out of memory. */
struct document *document_new(void);
void document_free(struct document *document);

/* Take up another text, which must stay as it is as long as it is asked for.
 * Returns 0; -EINVAL if it is not JSON; -EMSGSIZE if it is longer than
 * LIMIT_MATCH_PAYLOAD, deeper than LIMIT_MATCH_DEPTH or has more than
 * LIMIT_MATCH_NODES names and values. Only after 0 may it be asked. */
int document_read(struct document *document, struct slice text);

/* The whole value. */
const struct document_node *document_root(const struct document *document);
/* The value at the end of the path, whose steps are names in objects and indices
 * (0, 1, ...) in arrays; NULL if there is none. How many values were passed on the
 * way is added to *passed. */
const struct document_node *document_find(const struct document *document,
					  const struct slice *path,
					  size_t steps, size_t *passed);

static inline struct slice document_text(const struct document_node *node)
{
	return slice_of(node->text, node->len);
}

#endif
