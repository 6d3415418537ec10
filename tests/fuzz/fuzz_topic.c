/*
 * Topic names, filters and shared filters against a second, naive reading of
 * MQTT 5.0, section 4.7. Input: a filter, a newline, a name.
 */
#include <assert.h>
#include <stdlib.h>

#include "broker/wire/history_filter.h"
#include "broker/wire/topic.h"
#include "tests/fuzz/fuzz.h"

#define NAIVE_LEVELS_MAX 64

struct levels {
	struct slice level[NAIVE_LEVELS_MAX];
	size_t count;
};

/* False if there are more than this reading cares for. */
static bool split(struct slice topic, struct levels *out)
{
	size_t start = 0, i;

	out->count = 0;
	for (i = 0; i <= topic.len; i++) {
		if (i < topic.len && topic.data[i] != '/')
			continue;
		if (out->count == NAIVE_LEVELS_MAX)
			return false;
		out->level[out->count++] =
			slice_of(topic.data + start, i - start);
		start = i + 1;
	}
	return true;
}

static bool is(struct slice level, const char *text)
{
	return slice_equal(level, slice_str(text));
}

static bool holds_wildcard(struct slice text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '+' || text.data[i] == '#')
			return true;
	}
	return false;
}

static bool naive_filter_valid(const struct levels *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (is(f->level[i], "#") && i + 1 < f->count)
			return false;
		if (!is(f->level[i], "#") && !is(f->level[i], "+") &&
		    holds_wildcard(f->level[i]))
			return false;
	}
	return true;
}

static bool naive_matches(const struct levels *f, const struct levels *n,
			  size_t at)
{
	if (at == f->count)
		return at == n->count;
	if (is(f->level[at], "#"))
		return true;
	if (at == n->count)
		return false;
	if (!is(f->level[at], "+") && !slice_equal(f->level[at], n->level[at]))
		return false;
	return naive_matches(f, n, at + 1);
}

static bool has_nul(struct slice text)
{
	return text.len > 0 && memchr(text.data, 0, text.len);
}

static void check_share(struct slice filter)
{
	struct slice group, rest;
	int r = topic_split_share(filter, &group, &rest);

	if (r == 0)
		assert(slice_equal(rest, filter));
	if (r != 1)
		return;
	assert(group.len > 0 && rest.len > 0);
	assert(!holds_wildcard(group));
	assert(!memchr(group.data, '/', group.len));
	assert(filter.len == 7 + group.len + 1 + rest.len);
	assert(rest.data + rest.len == filter.data + filter.len);
}

/* The parts stand behind one another, with their prefixes before them. */
static void check_parts(struct slice text)
{
	struct topic_parts parts;
	size_t len = 0;

	if (topic_split(text, &parts) < 0)
		return;
	if (parts.history.data) {
		len += 9 + parts.history.len + 1;
		assert(!parts.group.data);
		assert(memchr(parts.history.data, '/', parts.history.len));
	}
	if (parts.group.data)
		len += 7 + parts.group.len + 1;
	if (parts.predicate.data) {
		len += 7 + parts.predicate.len + 1;
		assert(!parts.predicate.len ||
		       !memchr(parts.predicate.data, '/', parts.predicate.len));
		assert(parts.filter.len > 0);
	}
	assert(len + parts.filter.len == text.len);
	assert(parts.filter.data + parts.filter.len == text.data + text.len);
}

/* What is taken apart has its three parts and a filter; what is refused is told
 * where. */
static void check_history(struct slice text)
{
	struct history_error error = { 0 };
	struct history_filter asked;
	struct topic_parts parts;

	if (!history_filter_meant(text))
		return;
	if (history_filter_parse(text, 100000, &asked, &error) < 0) {
		assert(error.why && error.at > 0 && error.at <= text.len + 1);
		return;
	}
	assert(asked.start != HISTORY_LAST ||
	       (asked.count > 0 && asked.count <= 100000));
	assert(asked.seconds <= HISTORY_SECONDS_MAX);
	assert(asked.time >= 0 && asked.time <= 253402387200000);
	if (topic_split(text, &parts) == 0)
		assert(parts.history.data && !parts.group.data);
}

static void check(struct slice filter, struct slice name)
{
	struct levels f, n;

	check_share(filter);
	check_parts(filter);
	check_history(filter);
	topic_name_valid(filter);
	if (!split(filter, &f) || !split(name, &n))
		return;
	if (filter.len > 0 && !has_nul(filter))
		assert(topic_filter_valid(filter) == naive_filter_valid(&f));
	assert(topic_name_valid(name) ==
	       (name.len > 0 && !has_nul(name) && !holds_wildcard(name)));
	assert(topic_levels(name) == n.count);
	if (!topic_filter_valid(filter) || !topic_name_valid(name))
		return;
	assert(topic_matches(filter, name) ==
	       (naive_matches(&f, &n, 0) &&
		!(name.data[0] == '$' && (f.level[0].len == 1) &&
		  holds_wildcard(f.level[0]))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t len = newline ? (size_t)(newline - data) : size;
	struct fuzz_copy filter = fuzz_copy(data, len);
	struct fuzz_copy name = fuzz_copy(data + len + (newline != NULL),
					  size - len - (newline != NULL));

	check(filter.bytes, name.bytes);
	fuzz_copy_free(&filter);
	fuzz_copy_free(&name);
	return 0;
}
