/* The thread that reads sensors, with a sensor that makes it wait. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/loop.h"
#include "gpio/reader.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/tree.h"

#define ZONE "class/thermal/thermal_zone0/temp"

static const struct device cpu = { .kind = DEVICE_CPU_TEMPERATURE };

static char root[TREE_ROOT_SIZE];
static struct loop *loop;
static struct reading last;
static unsigned int told;

static int setup(void **state)
{
	(void)state;
	tree_make(root);
	loop = loop_new();
	told = 0;
	return loop ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	tree_remove(root);
	return 0;
}

static void on_reading(void *arg, const struct reading *reading)
{
	assert_ptr_equal(arg, root);
	last = *reading;
	told++;
}

static struct reader *make(void)
{
	struct reader *reader;

	assert_int_equal(reader_new(loop, root, on_reading, root, &reader), 0);
	return reader;
}

static void await(unsigned int count)
{
	while (told < count)
		assert_int_equal(loop_turn(loop, 20), 0);
}

static void test_what_was_asked_is_told_with_who_asked(void **state)
{
	struct reader *reader = make();

	(void)state;
	tree_put(root, ZONE, "48500\n");
	assert_int_equal(reader_ask(reader, 7, 3, &cpu), 0);
	await(1);
	assert_int_equal(last.place, 7);
	assert_int_equal(last.generation, 3);
	assert_int_equal(last.error, 0);
	assert_true(last.value == 48.5);
	tree_delete(root, ZONE);
	assert_int_equal(reader_ask(reader, 8, 4, &cpu), 0);
	await(2);
	assert_int_equal(last.error, -ENODEV);
	reader_free(reader);
	reader_free(NULL);
}

/* A pipe keeps its reader waiting until somebody writes. */
static void make_slow(void)
{
	char path[128];

	tree_put(root, ZONE, "");
	(void)snprintf(path, sizeof(path), "%s/" ZONE, root);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void let_on(void)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/" ZONE, root);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "1000\n", 5), 5);
	(void)close(fd);
}

static void test_a_slow_sensor_keeps_only_its_thread(void **state)
{
	struct device other = { .kind = DEVICE_UNDER_VOLTAGE };
	struct reader *reader = make();

	(void)state;
	make_slow();
	assert_int_equal(reader_ask(reader, 0, 1, &cpu), 0);
	/* As many as there is room for, and no more. */
	for (unsigned int i = 1; i < READER_ASKED_MAX; i++)
		assert_int_equal(reader_ask(reader, i, 1, &other), 0);
	assert_int_equal(reader_ask(reader, 1, 1, &other), -EAGAIN);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(told, 0);
	let_on();
	await(READER_ASKED_MAX);
	assert_int_equal(last.place, READER_ASKED_MAX - 1);
	assert_int_equal(reader_ask(reader, 1, 1, &other), 0);
	await(READER_ASKED_MAX + 1);
	reader_free(reader);
}

static void test_the_end_waits_for_one_and_forgets_the_rest(void **state)
{
	struct reader *reader = make();

	(void)state;
	tree_put(root, ZONE, "48500\n");
	for (unsigned int i = 0; i < READER_ASKED_MAX; i++)
		assert_int_equal(reader_ask(reader, i, 1, &cpu), 0);
	reader_free(reader);
	assert_int_equal(told, 0);
}

static void test_it_survives_each_failing_allocation(void **state)
{
	struct reader *reader = NULL;
	unsigned int n;
	int r;

	(void)state;
	tree_put(root, ZONE, "48500\n");
	for (n = 0;; n++) {
		failing_malloc_arm(n);
		r = reader_new(loop, root, on_reading, root, &reader);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_true(n >= 3);
	failing_malloc_arm(0);
	assert_int_equal(reader_ask(reader, 0, 1, &cpu), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(reader_ask(reader, 0, 1, &cpu), 0);
	await(1);
	reader_free(reader);
}

#define READER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		READER_TEST(test_what_was_asked_is_told_with_who_asked),
		READER_TEST(test_a_slow_sensor_keeps_only_its_thread),
		READER_TEST(test_the_end_waits_for_one_and_forgets_the_rest),
		READER_TEST(test_it_survives_each_failing_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
