#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/events.h"
#include "tests/failing_malloc.h"

struct seen {
	char text[512];
	size_t len;
	int left; /* events to take; 0: all */
};

static bool take(void *arg, const char *type, const char *data, size_t len)
{
	struct seen *seen = arg;

	seen->len += (size_t)snprintf(seen->text + seen->len,
				      sizeof(seen->text) - seen->len,
				      "%s=%.*s;", type, (int)len, data);
	assert_int_equal(strlen(data), len);
	return seen->left == 0 || --seen->left > 0;
}

static const struct {
	const char *stream;
	const char *seen;
} table[] = {
	{ "data: YHOO\ndata: +2\ndata: 10\n\n", "message=YHOO\n+2\n10;" },
	{ ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\n"
	  "id\n\ndata:  third event\n\n",
	  "message=first event;message=second event;message= third event;" },
	{ "data\n\ndata\ndata\n\ndata:", "message=;message=\n;" },
	{ "event: add\ndata: 1\n\ndata: 2\n\n", "add=1;message=2;" },
	{ "event: lost\n\ndata: 1\n\n", "message=1;" },
	{ "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
	  "message=a;message=b;message=c;" },
	{ "data: a\r\ndata: b\r\n\r\n", "message=a\nb;" },
	{ "data: not ended\n", "" },
	{ "nonsense: 1\n:\n\n", "" },
};

static void test_examples_of_the_specification(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct seen seen = { 0 };
		struct events *events = events_new(take, &seen);

		assert_non_null(events);
		assert_int_equal(events_feed(events, table[i].stream,
					     strlen(table[i].stream)),
				 0);
		assert_string_equal(seen.text, table[i].seen);
		events_free(events);
	}
}

static void test_any_two_pieces_are_as_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t len = strlen(table[i].stream);

		for (size_t cut = 0; cut <= len; cut++) {
			struct seen seen = { 0 };
			struct events *events = events_new(take, &seen);

			assert_non_null(events);
			assert_int_equal(
				events_feed(events, table[i].stream, cut), 0);
			assert_int_equal(events_feed(events,
						     table[i].stream + cut,
						     len - cut),
					 0);
			assert_string_equal(seen.text, table[i].seen);
			events_free(events);
		}
	}
}

static void test_the_receiver_can_end_it(void **state)
{
	static const char stream[] = "data: 1\n\ndata: 2\n\n";
	struct seen seen = { .left = 1 };
	struct events *events = events_new(take, &seen);

	(void)state;
	assert_int_equal(events_feed(events, stream, sizeof(stream) - 1),
			 -ECANCELED);
	assert_string_equal(seen.text, "message=1;");
	events_free(events);
}

static void test_a_line_without_end_is_refused(void **state)
{
	struct seen seen = { 0 };
	struct events *events = events_new(take, &seen);
	char *piece = malloc(EVENTS_MAX);

	(void)state;
	assert_non_null(piece);
	memset(piece, 'x', EVENTS_MAX);
	assert_int_equal(events_feed(events, piece, EVENTS_MAX), 0);
	assert_int_equal(events_feed(events, piece, 1), -EMSGSIZE);
	free(piece);
	events_free(events);
}

static void test_feed_survives_allocation_failure(void **state)
{
	unsigned int n = 0;
	int r;

	(void)state;
	do {
		struct seen seen = { 0 };
		struct events *events;

		failing_malloc_arm(n++);
		events = events_new(take, &seen);
		r = events ? events_feed(events, "data: 1\n\n", 9) : -ENOMEM;
		events_free(events);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(seen.text, "");
	} while (n < 20);

	assert_int_equal(r, 0);
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples_of_the_specification),
		cmocka_unit_test(test_any_two_pieces_are_as_one),
		cmocka_unit_test(test_the_receiver_can_end_it),
		cmocka_unit_test(test_a_line_without_end_is_refused),
		cmocka_unit_test(test_feed_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
