#include "broker/match/matcher.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/limits.h"
#include "broker/match/document.h"
#include "broker/match/predicate_eval.h"
#include "broker/routing/publish.h"

/* Milliseconds between two lines about messages that take too long. */
#define LOG_MS 60000

struct matcher {
	struct hash_table predicates;
	struct document *document; /* there while there are predicates */
	struct subject subject; /* the message being asked about */
	uint64_t stamp; /* its number */
	uint64_t evaluated;
	uint64_t parsed;
	uint64_t cut_short;
	uint64_t logged; /* clock_ms() of the last line; 0 none yet */
};

struct matcher *matcher_new(void)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));

	if (!matcher)
		return NULL;
	if (hash_table_init(&matcher->predicates) < 0) {
		free(matcher);
		return NULL;
	}
	return matcher;
}

void matcher_free(struct matcher *matcher)
{
	if (!matcher)
		return;
	assert(matcher->predicates.count == 0);
	hash_table_free(&matcher->predicates);
	free(matcher);
}

struct predicate *matcher_find(const struct matcher *matcher, struct slice text)
{
	struct hash_node *at =
		hash_table_first(&matcher->predicates, hash_bytes(text));

	for (; at; at = hash_table_next(at)) {
		struct predicate *predicate =
			hash_entry(at, struct predicate, by_text);

		if (slice_equal(predicate->text, text))
			return predicate;
	}
	return NULL;
}

int matcher_check(const struct matcher *matcher, struct slice text,
		  struct predicate_error *error)
{
	struct predicate *predicate;
	int r;

	if (matcher_find(matcher, text))
		return 0;
	r = predicate_parse(text, &predicate, error);
	if (r == 0)
		predicate_free(predicate);
	return r;
}

/* Reading a payload must not need memory: it is taken with the first one. */
static int add(struct matcher *matcher, struct slice text,
	       struct predicate **out)
{
	struct document *document = matcher->document;
	struct predicate_error ignored;
	int r;

	if (matcher->predicates.count >= LIMIT_PREDICATES)
		return -EDQUOT;
	if (!document)
		document = document_new();
	if (!document)
		return -ENOMEM;
	r = predicate_parse(text, out, &ignored);
	if (r < 0) {
		if (!matcher->document)
			document_free(document);
		return r;
	}
	matcher->document = document;
	hash_table_add(&matcher->predicates, &(*out)->by_text,
		       hash_bytes(text));
	return 0;
}

int matcher_obtain(struct matcher *matcher, struct slice text,
		   struct predicate **out)
{
	int r = 0;

	*out = matcher_find(matcher, text);
	if (!*out)
		r = add(matcher, text, out);
	if (r == 0)
		(*out)->refs++;
	return r;
}

void matcher_release(struct matcher *matcher, struct predicate *predicate)
{
	if (!predicate || --predicate->refs > 0)
		return;
	hash_table_remove(&matcher->predicates, &predicate->by_text);
	predicate_free(predicate);
	if (matcher->predicates.count > 0)
		return;
	document_free(matcher->document);
	matcher->document = NULL;
	matcher->stamp++; /* what was read is gone */
}

/* Sending one message may make others be routed in between: then the first is
 * taken up again, and read again. */
static void take_up(struct matcher *matcher, struct publish *p)
{
	const uint32_t most = p->match.most ? p->match.most : LIMIT_MATCH_WORK;

	p->match.stamp = ++matcher->stamp;
	matcher->subject = (struct subject){
		.payload = p->payload,
		.properties = p->properties,
		.qos = p->qos,
		.retain = p->retain,
		.document = matcher->document,
		.parsed = &matcher->parsed,
		.work = most - p->match.work,
	};
}

static void tell_cut_short(struct matcher *matcher, struct publish *p)
{
	const uint64_t now = clock_ms();

	p->match.cut_short = true;
	matcher->cut_short++;
	if (matcher->logged && now - matcher->logged < LOG_MS)
		return;
	matcher->logged = now;
	log_warn("topic",
		 "%.*s: a message is too much work for %zu predicates: those "
		 "not reached do not match",
		 (int)p->topic.len, (const char *)p->topic.data,
		 matcher->predicates.count);
}

static bool evaluate(struct matcher *matcher, struct predicate *predicate,
		     struct publish *p)
{
	const uint64_t before = matcher->subject.work;
	const bool holds = predicate_eval(predicate, &matcher->subject);

	matcher->evaluated++;
	p->match.work += (uint32_t)(before - matcher->subject.work);
	if (matcher->subject.cut_short && !p->match.cut_short)
		tell_cut_short(matcher, p);
	return holds;
}

bool matcher_holds(struct matcher *matcher, struct predicate *predicate,
		   struct publish *p)
{
	if (p->match.stamp == 0 || p->match.stamp != matcher->stamp)
		take_up(matcher, p);
	if (predicate->stamp != matcher->stamp) {
		predicate->stamp = matcher->stamp;
		predicate->verdict = evaluate(matcher, predicate, p);
	}
	return predicate->verdict;
}

struct matcher_counts matcher_counts(const struct matcher *matcher)
{
	return (struct matcher_counts){
		.predicates = matcher->predicates.count,
		.evaluated = matcher->evaluated,
		.parsed = matcher->parsed,
		.cut_short = matcher->cut_short,
	};
}
