/*
 * What a browser, or whoever says to be one, sends first: the head, its target,
 * Host, Origin and Cookie. Input: a request head.
 *
 * A head that is let through is read again naively: nothing in it may be read
 * in two ways.
 */
#include <strings.h>

#include "tests/fuzz/fuzz.h"
#include "web/head.h"
#include "web/request.h"

/* Every line ends by CR LF and by nothing else; no NUL; the first empty line is
 * the last. */
static void check_lines(struct slice head)
{
	for (size_t i = 0; i < head.len; i++) {
		assert(head.data[i]);
		if (head.data[i] == '\n')
			assert(i && head.data[i - 1] == '\r');
		if (head.data[i] == '\r')
			assert(i + 1 < head.len && head.data[i + 1] == '\n');
		if (head.data[i] == '\n' && i + 1 < head.len)
			assert(head.data[i + 1] != ' ' &&
			       head.data[i + 1] != '\t');
	}
}

/* How often a header stands in the head, whatever its case. */
static unsigned int headers_named(struct slice head, const char *name)
{
	size_t len = strlen(name);
	unsigned int count = 0;

	for (size_t i = 0; i + len + 1 < head.len; i++)
		if (head.data[i] == '\n' && head.data[i + 1 + len] == ':' &&
		    strncasecmp((const char *)head.data + i + 1, name, len) ==
			    0)
			count++;
	return count;
}

static void check_head(struct slice head)
{
	unsigned int lengths = headers_named(head, "Content-Length");
	unsigned int codings = headers_named(head, "Transfer-Encoding");

	check_lines(head);
	assert(headers_named(head, "Host") <= 1);
	assert(lengths + codings <= 1);
}

/* Nothing decoded holds more than was sent. */
static void check_target(const char *target)
{
	struct request *request = request_new(NULL, target);
	size_t total = 0;

	if (!request)
		return;
	assert(request->segment_count <= WEB_PATH_SEGMENTS);
	assert(request->query_count <= WEB_QUERY_PARAMETERS);
	for (size_t i = 0; i < request->segment_count; i++)
		total += strlen(request->segments[i]) + 1;
	for (size_t i = 0; i < request->query_count; i++)
		total += strlen(request->query[i].name) +
			 strlen(request->query[i].value) + 1;
	assert(!request->segment_count || total <= strlen(target) + 1);
	request_free(request);
}

static void feed_target(struct slice head)
{
	const uint8_t *begin = memchr(head.data, ' ', head.len);
	const uint8_t *end;
	char *target;

	if (!begin++)
		return;
	end = memchr(begin, ' ', head.len - (size_t)(begin - head.data));
	if (!end)
		return;
	target = strndup((const char *)begin, (size_t)(end - begin));
	assert(target);
	check_target(target);
	free(target);
}

static void feed_names(struct slice bytes)
{
	static const struct same_site site = { .node = "node" };
	struct slice value;

	if (same_site_host(&site, bytes))
		assert(!memchr(bytes.data, '/', bytes.len) &&
		       !memchr(bytes.data, '@', bytes.len));
	if (cookie_find(bytes, "hearth_session", &value))
		assert(!memchr(value.data, ';', value.len));
	assert(!same_site_origin(bytes, slice_of("", 0), false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_copy copy = fuzz_copy(data, size);
	const char *why = NULL;

	if (head_check(copy.bytes, &why) == 0) {
		check_head(copy.bytes);
		feed_target(copy.bytes);
	} else {
		assert(why);
		feed_names(copy.bytes);
	}
	fuzz_copy_free(&copy);
	return 0;
}
