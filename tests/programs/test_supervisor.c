#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/base/loop.h"
#include "programs/supervisor.h"
#include "tests/failing_malloc.h"

/* Each start writes one byte into a pipe, then the child does as it is told. */
struct fixture {
	struct loop *loop;
	int starts[2];
	char script[128];
	char *argv[4];
	char log[4096];
};

static struct fixture *fixture;

static void keep_line(enum log_level level, const char *line)
{
	size_t len = strlen(fixture->log);

	(void)level;
	snprintf(fixture->log + len, sizeof(fixture->log) - len, "%s\n", line);
}

static int setup(void **state)
{
	static char shell[] = "/bin/sh";
	static char option[] = "-c";
	sigset_t set;

	fixture = calloc(1, sizeof(*fixture));
	if (!fixture || pipe2(fixture->starts, O_NONBLOCK))
		return -1;
	fixture->loop = loop_new();
	fixture->argv[0] = shell;
	fixture->argv[1] = option;
	fixture->argv[2] = fixture->script;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	log_set_sink(keep_line);
	*state = fixture;

	return fixture->loop ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	log_set_sink(NULL);
	clock_set_source(NULL, NULL);
	loop_free(fixture->loop);
	close(fixture->starts[0]);
	close(fixture->starts[1]);
	free(fixture);

	return 0;
}

/* What the child's shell does before and after it says that it runs. */
static struct supervisor *supervise(const char *before, const char *then)
{
	struct supervisor *supervisor;

	snprintf(fixture->script, sizeof(fixture->script),
		 "%s; printf x >&%d; %s", before, fixture->starts[1], then);
	supervisor = supervisor_new(fixture->loop, "child", fixture->argv);
	assert_non_null(supervisor);

	return supervisor;
}

/* Turn the loop until the child has been started so many more times. */
static void wait_for_starts(struct supervisor *supervisor, int count)
{
	uint64_t deadline = clock_ms() + 60000;
	char byte;

	while (count > 0) {
		assert_true(clock_ms() < deadline);
		loop_turn(fixture->loop, 5);
		supervisor_reap(supervisor);
		if (read(fixture->starts[0], &byte, 1) == 1)
			count--;
	}
}

static void test_a_child_that_ended_is_started_again(void **state)
{
	struct supervisor *supervisor = supervise(":", "exit 3");

	(void)state;
	wait_for_starts(supervisor, 3);
	assert_non_null(strstr(fixture->log,
			       "ended with status 3; starting it again in 0"
			       " ms"));
	assert_non_null(strstr(fixture->log, "again in 100 ms"));
	supervisor_free(supervisor);
}

static void test_a_killed_child_is_started_again(void **state)
{
	struct supervisor *supervisor = supervise(":", "exec sleep 600");
	pid_t first = supervisor_pid(supervisor);

	(void)state;
	wait_for_starts(supervisor, 1);
	kill(first, SIGKILL);
	wait_for_starts(supervisor, 1);
	assert_int_not_equal(supervisor_pid(supervisor), first);
	assert_non_null(strstr(fixture->log, "killed by signal 9 (KILL)"));
	supervisor_free(supervisor);
}

/* Time stands still but for what a test adds. */
static uint64_t offset_ns;

static uint64_t later(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec +
	       offset_ns;
}

/* Each end doubles the wait, up to the longest. */
static void test_the_wait_grows_to_its_limit(void **state)
{
	struct supervisor *supervisor;

	(void)state;
	offset_ns = 0;
	clock_set_source(later, NULL);
	supervisor = supervise(":", "exit 0");
	for (int i = 0; i < 9; i++) {
		wait_for_starts(supervisor, 1);
		/* The wait itself is over at once. */
		while (supervisor_pid(supervisor))
			supervisor_reap(supervisor);
		offset_ns += 10001ull * 1000000;
	}
	assert_non_null(strstr(fixture->log, "again in 0 ms"));
	assert_non_null(strstr(fixture->log, "again in 100 ms"));
	assert_non_null(strstr(fixture->log, "again in 6400 ms"));
	assert_non_null(strstr(fixture->log, "again in 10000 ms"));
	assert_null(strstr(fixture->log, "again in 12800 ms"));
	supervisor_free(supervisor);
}

static void test_a_healthy_child_is_started_again_at_once(void **state)
{
	struct supervisor *supervisor;

	(void)state;
	offset_ns = 0;
	clock_set_source(later, NULL);
	supervisor = supervise(":", "exec sleep 600");
	for (int i = 0; i < 3; i++) {
		wait_for_starts(supervisor, 1);
		offset_ns += (SUPERVISOR_HEALTHY_MS + 1) * 1000000ull;
		kill(supervisor_pid(supervisor), SIGKILL);
		while (supervisor_pid(supervisor))
			supervisor_reap(supervisor);
	}
	assert_null(strstr(fixture->log, "again in 100 ms"));
	supervisor_free(supervisor);
}

/* Our blocked SIGTERM must not be inherited: it could not be asked to end. */
static void test_the_child_is_asked_to_end(void **state)
{
	struct supervisor *supervisor = supervise(":", "exec sleep 600");
	pid_t pid = supervisor_pid(supervisor);

	(void)state;
	wait_for_starts(supervisor, 1);
	supervisor_free(supervisor);
	assert_string_equal(fixture->log, "");
	/* Nothing of it is left, not even its exit status. */
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_a_child_that_does_not_listen_is_killed(void **state)
{
	struct supervisor *supervisor =
		supervise("trap '' TERM", "exec sleep 600");
	pid_t pid = supervisor_pid(supervisor);

	(void)state;
	wait_for_starts(supervisor, 1);
	supervisor_free(supervisor);
	assert_non_null(strstr(fixture->log, "does not end within 3000 ms"));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_a_program_that_is_not_there_is_an_error(void **state)
{
	static char path[] = "/nonexistent";
	char *argv[] = { path, NULL };

	(void)state;
	errno = 0;
	assert_null(supervisor_new(fixture->loop, "child", argv));
	assert_int_equal(errno, ENOENT);
	supervisor_free(NULL);

	failing_malloc_arm(0);
	assert_null(supervisor_new(fixture->loop, "child", argv));
	assert_true(failing_malloc_disarm());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_child_that_ended_is_started_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_a_killed_child_is_started_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_wait_grows_to_its_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_healthy_child_is_started_again_at_once, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_the_child_is_asked_to_end,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_child_that_does_not_listen_is_killed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_a_program_that_is_not_there_is_an_error, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
