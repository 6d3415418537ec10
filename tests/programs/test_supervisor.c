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
#include "broker/base/notify.h"
#include "programs/supervisor.h"
#include "tests/failing_malloc.h"

static char shell[] = "/bin/sh";
static char option[] = "-c";

/* Each start writes one byte into a pipe, then the child does as it is told. */
struct fixture {
	struct loop *loop;
	int starts[2];
	char script[256];
	char *argv[4];
	char log[4096];
	struct supervisor_options options;
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
	fixture->options.name = "child";
	fixture->options.argv = fixture->argv;
	supervisor = supervisor_new(fixture->loop, &fixture->options);
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
	const struct supervisor_options options = { .name = "child",
						    .argv = argv,
						    .watchdog_ms = 5000 };

	(void)state;
	errno = 0;
	assert_null(supervisor_new(fixture->loop, &options));
	assert_int_equal(errno, ENOENT);
	supervisor_free(NULL);

	for (unsigned int n = 0; n < 3; n++) {
		failing_malloc_arm(n);
		errno = 0;
		assert_null(supervisor_new(fixture->loop, &options));
		assert_true(failing_malloc_disarm());
		assert_int_equal(errno, ENOMEM);
	}
}

/* ---- what it leaves ------------------------------------------------------ */

/* So many bytes of after's shell before the next start's. */
static void expect(struct supervisor *supervisor, const char *starts)
{
	uint64_t deadline = clock_ms() + 60000;
	char byte;

	while (*starts) {
		assert_true(clock_ms() < deadline);
		loop_turn(fixture->loop, 5);
		supervisor_reap(supervisor);
		if (read(fixture->starts[0], &byte, 1) != 1)
			continue;
		assert_int_equal(byte, *starts);
		starts++;
	}
}

static void test_what_a_dead_child_leaves_is_put_in_order_first(void **state)
{
	static char script[64];
	static char *after[] = { shell, option, script, NULL };
	struct supervisor *supervisor;

	(void)state;
	snprintf(script, sizeof(script), "sleep 0.2; printf s >&%d; exit 3",
		 fixture->starts[1]);
	fixture->options.after = after;
	supervisor = supervise(":", "exec sleep 600");
	expect(supervisor, "x");
	kill(supervisor_pid(supervisor), SIGKILL);
	expect(supervisor, "sx");
	assert_non_null(strstr(fixture->log, "did not put in order"));
	kill(supervisor_pid(supervisor), SIGKILL);
	expect(supervisor, "sx");
	/* One that ends as it should needs none. */
	supervisor_free(supervisor);
	assert_int_equal(read(fixture->starts[0], script, 1), -1);
}

/* It is not waited for for ever, and what is not there does not keep the child
 * from being started. */
static void test_the_order_has_its_limits(void **state)
{
	static char sleep_long[] = "exec sleep 600";
	static char nowhere[] = "/nonexistent";
	static char *slow[] = { shell, option, sleep_long, NULL };
	static char *none[] = { nowhere, NULL };
	struct supervisor *supervisor;

	(void)state;
	fixture->options.after = slow;
	supervisor = supervise(":", "exec sleep 600");
	expect(supervisor, "x");
	kill(supervisor_pid(supervisor), SIGKILL);
	expect(supervisor, "x");
	assert_non_null(strstr(fixture->log, "not done within 2000 ms"));
	supervisor_free(supervisor);

	fixture->options.after = none;
	supervisor = supervise(":", "exec sleep 600");
	expect(supervisor, "x");
	kill(supervisor_pid(supervisor), SIGKILL);
	expect(supervisor, "x");
	assert_non_null(strstr(fixture->log, "started after it: No such file"));
	supervisor_free(supervisor);
}

static void test_a_child_killed_at_the_stop_is_put_in_order_too(void **state)
{
	static char script[64];
	static char *after[] = { shell, option, script, NULL };
	struct supervisor *supervisor;
	char byte;

	(void)state;
	snprintf(script, sizeof(script), "printf s >&%d", fixture->starts[1]);
	fixture->options.after = after;
	supervisor = supervise("trap '' TERM", "exec sleep 600");
	expect(supervisor, "x");
	supervisor_free(supervisor);
	assert_int_equal(read(fixture->starts[0], &byte, 1), 1);
	assert_int_equal(byte, 's');
}

/* ---- the watchdog -------------------------------------------------------- */

/* This program as a child: it says so, speaks (or lets a child of its own do it)
 * and hangs. */
static int be_a_child(const char *how, const char *fd)
{
	if (strcmp(how, "--speak") == 0)
		(void)notify_send("WATCHDOG=1");
	if (strcmp(how, "--let-speak") == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)notify_send("WATCHDOG=1");
			_exit(0);
		}
		(void)waitpid(pid, NULL, 0);
	}
	if (write((int)strtol(fd, NULL, 10), "x", 1) != 1)
		return 1;
	for (;;)
		(void)pause();
}

static struct supervisor *supervise_speaker(const char *how)
{
	static char self[] = "/proc/self/exe";
	static char fd[12];
	struct supervisor *supervisor;

	snprintf(fd, sizeof(fd), "%d", fixture->starts[1]);
	snprintf(fixture->script, sizeof(fixture->script), "%s", how);
	fixture->argv[0] = self;
	fixture->argv[1] = fixture->script;
	fixture->argv[2] = fd;
	fixture->options.name = "child";
	fixture->options.argv = fixture->argv;
	fixture->options.watchdog_ms = 50;
	supervisor = supervisor_new(fixture->loop, &fixture->options);
	assert_non_null(supervisor);
	return supervisor;
}

static void test_a_child_that_falls_silent_is_killed(void **state)
{
	struct supervisor *supervisor = supervise_speaker("--speak");

	(void)state;
	expect(supervisor, "xxx");
	assert_non_null(strstr(fixture->log, "has said nothing for 50 ms"));
	assert_non_null(strstr(fixture->log, "killed by signal 9 (KILL)"));
	supervisor_free(supervisor);
}

/* However long a child takes to start; and a word counts only from itself. */
static void test_silence_before_the_first_word_is_none(void **state)
{
	static const char *const how[] = { "--be-silent", "--let-speak" };

	(void)state;
	clock_set_source(later, NULL);
	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		struct supervisor *supervisor = supervise_speaker(how[i]);

		offset_ns = 0;
		expect(supervisor, "x");
		for (int turn = 0; turn < 10; turn++) {
			offset_ns += 3600 * UINT64_C(1000000000);
			loop_turn(fixture->loop, 0);
		}
		assert_string_equal(fixture->log, "");
		supervisor_free(supervisor);
	}
}

/* What systemd wants of us it does not want of our child. */
static void test_the_childs_environment_is_its_own(void **state)
{
	struct supervisor *supervisor;

	(void)state;
	/* One thread. NOLINTBEGIN(concurrency-mt-unsafe) */
	assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent", 1), 0);
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	fixture->options.watchdog_ms = 5000;
	supervisor =
		supervise("[ -z \"$WATCHDOG_PID\" ] && "
			  "[ \"$WATCHDOG_USEC\" = 5000000 ] && "
			  "[ \"$NOTIFY_SOCKET\" != /nonexistent ] || exit 1",
			  "exec sleep 600");
	expect(supervisor, "x");
	supervisor_free(supervisor);
	assert_string_equal(fixture->log, "");
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	/* NOLINTEND(concurrency-mt-unsafe) */
}

int main(int argc, char **argv)
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
		cmocka_unit_test_setup_teardown(
			test_what_a_dead_child_leaves_is_put_in_order_first,
			setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_order_has_its_limits,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_child_killed_at_the_stop_is_put_in_order_too,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_child_that_falls_silent_is_killed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_silence_before_the_first_word_is_none, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_the_childs_environment_is_its_own, setup,
			teardown),
	};

	if (argc == 3)
		return be_a_child(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
