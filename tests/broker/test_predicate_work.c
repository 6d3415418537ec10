/* What predicates look at is counted, and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/match/document.h"
#include "broker/match/predicate.h"
#include "broker/match/predicate_eval.h"

static int setup(void **state)
{
	*state = document_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	document_free(*state);
	return 0;
}

static struct predicate *parsed(const char *text)
{
	struct predicate_error error;
	struct predicate *p;

	if (predicate_parse(slice_str(text), &p, &error) < 0)
		fail_msg("%s: byte %zu: %s", text, error.at, error.why);
	return p;
}

/* Bytes looked at by this predicate alone; UINT64_MAX: more than most. */
static uint64_t work_of(struct document *d, const char *text,
			struct slice payload, uint64_t most)
{
	struct predicate *p = parsed(text);
	uint64_t reads = 0;
	struct subject s = {
		.payload = payload,
		.document = d,
		.parsed = &reads,
		.work = most,
	};
	const bool holds = predicate_eval(p, &s);

	predicate_free(p);
	assert_false(holds && s.cut_short);
	return s.cut_short ? UINT64_MAX : most - s.work;
}

/* Each way to look at much counts what it looks at. */
static void test_work_is_counted(void **state)
{
	static const struct {
		const char *predicate;
		bool list; /* 1000 numbers; else a text of 5000 bytes */
		uint64_t least;
	} works[] = {
		{ "$qos=0", false, 0 },
		{ "$value~zz", false, 10000 }, /* once to read it */
		{ "$value~zz,$value~zz", false, 10000 }, /* does not go on */
		{ "$value~zz|$value~zz", false, 15000 },
		{ "$value>1", false, 10000 },
		{ "$type=text", false, 5000 },
		{ "$value~zz", true, 10000 },
		{ "0=7", true, 5000 },
		{ "999=7", true, 9000 },
		{ "999=7|998=7", true, 13000 },
	};
	static char text[5001], list[5001];

	memset(text, 'x', 5000);
	memset(list, '[', 1);
	for (size_t i = 0; i < 1000; i++)
		memcpy(list + 1 + 5 * i, i == 999 ? " 1  ]" : " 1  ,", 5);
	list[4999] = ' ';
	list[4998] = ']';
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		const struct slice payload =
			slice_of(works[i].list ? list : text, 4999);
		const uint64_t work = work_of(*state, works[i].predicate,
					      payload, LIMIT_MATCH_WORK);

		if (work + 16 < works[i].least ||
		    work > works[i].least + works[i].least / 2 + 100)
			fail_msg("%s: %u", works[i].predicate, (unsigned)work);
		/* With less than that it is told, and does not hold. */
		if (work > 100)
			assert_int_equal(work_of(*state, "$value~zz|$value~zz",
						 payload, 5),
					 UINT64_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_work_is_counted, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
