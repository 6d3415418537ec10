/*
 * Predicates: parser, reader of JSON, evaluation. Jansson is the second opinion
 * on what is JSON. Input: a predicate, a newline, a payload.
 */
#include <errno.h>
#include <jansson.h>

#include "broker/limits.h"
#include "broker/match/document.h"
#include "broker/match/predicate.h"
#include "broker/match/predicate_eval.h"
#include "tests/fuzz/fuzz.h"

static struct document *document;

static void check_document(struct slice text)
{
	json_error_t error;
	json_t *json = json_loadb((const char *)text.data, text.len,
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	int r = document_read(document, text);

	/* What is beyond Jansson's variables, or our limits, is no contradiction.
	 * It takes a NUL for the end of the text. */
	if (text.len && memchr(text.data, 0, text.len))
		assert(r < 0);
	else if (r != -EMSGSIZE &&
		 (json ||
		  json_error_code(&error) != json_error_numeric_overflow))
		assert((r == 0) == (json != NULL));
	json_decref(json);
}

static void check_predicate(struct slice text, struct slice payload)
{
	struct predicate_error error = { 0 };
	struct predicate *p;
	uint64_t reads = 0;
	struct subject s = {
		.payload = payload,
		.document = document,
		.parsed = &reads,
		.work = LIMIT_MATCH_WORK,
	};
	bool verdict;

	if (predicate_parse(text, &p, &error) < 0) {
		assert(error.why && error.at >= 1 && error.at <= text.len + 1);
		return;
	}
	assert(slice_equal(p->text, text));
	assert(p->count >= 1 && p->count <= LIMIT_PREDICATE_TERMS);
	assert(p->terms[p->count - 1].last);
	verdict = predicate_eval(p, &s);
	assert(verdict == predicate_eval(p, &s));
	assert(reads <= 1);
	predicate_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t len = newline ? (size_t)(newline - data) : size;
	struct fuzz_copy text = fuzz_copy(data, len);
	struct fuzz_copy payload = fuzz_copy(data + len + (newline != NULL),
					     size - len - (newline != NULL));

	if (!document)
		document = document_new();
	assert(document);
	check_document(payload.bytes);
	check_predicate(text.bytes, payload.bytes);
	fuzz_copy_free(&text);
	fuzz_copy_free(&payload);
	return 0;
}
