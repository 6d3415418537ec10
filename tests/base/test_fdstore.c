#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/fdstore.h"
#include "tests/base/notify_listener.h"

static int setup(void **state)
{
	(void)state;
	return notify_listener_open();
}

static int teardown(void **state)
{
	(void)state;
	notify_listener_close();
	return 0;
}

static void test_a_copy_is_kept_under_its_name_and_dropped(void **state)
{
	char text[400];
	char byte = 0;
	int pair[2];
	int fd;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(fdstore_keep("line 17 low x", pair[0]), 0);
	assert_true(notify_listener_read(text, sizeof(text), &fd));
	assert_string_equal(text, "FDSTORE=1\nFDPOLL=0\nFDNAME=line 17 low x");
	assert_true(fd >= 0);
	/* The same pipe, which is open for as long as the copy is. */
	(void)close(pair[0]);
	assert_int_equal(write(pair[1], "a", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'a');
	(void)close(fd);
	(void)close(pair[1]);

	assert_int_equal(fdstore_drop("line 17 low x"), 0);
	assert_true(notify_listener_read(text, sizeof(text), &fd));
	assert_int_equal(fd, -1);
	assert_string_equal(text, "FDSTOREREMOVE=1\nFDNAME=line 17 low x");
}

static void test_names_that_systemd_would_not_take(void **state)
{
	char name[FDSTORE_NAME_MAX + 2];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[FDSTORE_NAME_MAX + 1] = '\0';
	assert_false(fdstore_name_valid(name));
	name[FDSTORE_NAME_MAX] = '\0';
	assert_true(fdstore_name_valid(name));
	assert_false(fdstore_name_valid(""));
	assert_false(fdstore_name_valid("a:b"));
	assert_false(fdstore_name_valid("a\nFDSTORE=1"));
	assert_false(fdstore_name_valid("\xc3\xa4"));
	assert_int_equal(fdstore_keep("a:b", 0), -EINVAL);
	assert_int_equal(fdstore_drop(""), -EINVAL);
}

static void test_without_a_listener_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(fdstore_keep("a", 0), 0);
	assert_int_equal(fdstore_drop("a"), 0);
	assert_int_equal(notify_listener_announce(), 0);
}

struct taken {
	char text[200];
	int closed_on_exec;
};

static void on_taken(void *arg, const char *name, int fd)
{
	struct taken *taken = arg;
	size_t len = strlen(taken->text);

	(void)snprintf(taken->text + len, sizeof(taken->text) - len, "%d=%s;",
		       fd, name);
	taken->closed_on_exec += (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* In a process of its own, whose descriptors from 3 on are what we say. */
static void take_in_child(const char *fds, const char *names, bool mine,
			  const char *wanted)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct taken taken = { .text = "" };
		char number[24];

		(void)snprintf(number, sizeof(number), "%d",
			       mine ? (int)getpid() : (int)getppid());
		for (int fd = 3; fd < 6; fd++)
			(void)dup2(0, fd);
		(void)close(6);
		(void)setenv("LISTEN_PID", number, 1);
		(void)setenv("LISTEN_FDS", fds, 1);
		if (names)
			(void)setenv("LISTEN_FDNAMES", names, 1);
		fdstore_take(on_taken, &taken);
		if (strcmp(taken.text, wanted) != 0)
			_exit(1);
		if (wanted[0] && !taken.closed_on_exec)
			_exit(2);
		/* Only once. */
		fdstore_take(on_taken, &taken);
		_exit(strcmp(taken.text, wanted) != 0 ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_what_was_kept_is_taken_by_name(void **state)
{
	(void)state;
	take_in_child("2", "line 1 high x:other", true,
		      "3=line 1 high x;4=other;");
	take_in_child("3", "a::c", true, "3=a;4=;5=c;");
	take_in_child("3", "a", true, "3=a;4=;5=;");
	take_in_child("1", NULL, true, "3=;");
	/* More than are open. */
	take_in_child("9", "a:b:c:d", true, "3=a;4=b;5=c;");
	/* Meant for our parent. */
	take_in_child("2", "a:b", false, "");
	take_in_child("x", "a", true, "");
	take_in_child("-1", "a", true, "");
	take_in_child("", "a", true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_copy_is_kept_under_its_name_and_dropped),
		cmocka_unit_test(test_names_that_systemd_would_not_take),
		cmocka_unit_test(test_without_a_listener_nothing_happens),
		cmocka_unit_test(test_what_was_kept_is_taken_by_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
