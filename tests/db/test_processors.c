/* Who goes first where there is but one processor. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_yield(void);

static int processors; /* 0: nobody knows */
static int yields;

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	assert_int_equal(pid, 0);
	assert_int_equal(size, sizeof(*set));
	if (!processors) {
		errno = EINVAL;
		return -1;
	}
	CPU_ZERO(set);
	/* Not the first ones: which they are says nothing. */
	for (unsigned int i = 0; i < (unsigned int)processors; i++)
		CPU_SET(3 + i, set);
	return 0;
}

int __wrap_sched_yield(void)
{
	yields++;
	return 0;
}

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static int yields_with(int count)
{
	struct model m;

	processors = count;
	model_open(&m, NULL, NULL);
	yields = 0;
	m.store->ops->flush(m.store);
	assert_int_equal(yields, 0); /* nothing to hand over */
	model_retain(&m, 1, "hall/light", "ON", false);
	m.store->ops->flush(m.store);
	m.store->ops->flush(m.store);
	assert_int_equal(model_close(&m), 0);
	return yields;
}

static void test_the_readers_go_first_on_one_processor(void **state)
{
	(void)state;
	assert_int_equal(yields_with(1), 1);
	assert_string_equal(model_load(),
			    "retained 1 hall/light=ON t1 q1 r1 p2 "
			    "user/client@192.0.2.7:1\n");
}

static void test_several_processors_need_no_turns(void **state)
{
	(void)state;
	assert_int_equal(yields_with(2), 0);
	assert_int_equal(yields_with(4), 0);
	assert_int_equal(yields_with(0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_readers_go_first_on_one_processor),
		TEST(test_several_processors_need_no_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
