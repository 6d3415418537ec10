#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "programs/fd_keeper.h"

/* The name is a byte longer than it may be. */
static const char too_long[] =
	"FDSTORE=1\nFDNAME="
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/* A pipe whose writing end the keeper has heard of; returns the reading end. */
static int say(struct fd_keeper *keeper, const char *word)
{
	int pair[2];

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	fd_keeper_hear(keeper, word, pair[1]);
	return pair[0];
}

/* Does anybody still have the other end? */
static bool is_open(int fd)
{
	char byte;
	bool open;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	open = read(fd, &byte, 1) < 0 && errno == EAGAIN;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	return open;
}

static void test_what_is_kept_stays_open_until_it_is_dropped(void **state)
{
	struct fd_keeper *keeper = fd_keeper_new();
	int a = say(keeper, "FDSTORE=1\nFDPOLL=0\nFDNAME=a");
	int b = say(keeper, "FDNAME=b\nFDSTORE=1");
	int newer;

	(void)state;
	assert_true(is_open(a) && is_open(b));
	newer = say(keeper, "FDSTORE=1\nFDNAME=a");
	assert_false(is_open(a));
	assert_true(is_open(newer));
	fd_keeper_hear(keeper, "FDSTOREREMOVE=1\nFDNAME=x", -1);
	assert_true(is_open(newer) && is_open(b));
	fd_keeper_hear(keeper, "FDSTOREREMOVE=1\nFDNAME=a", -1);
	assert_false(is_open(newer));
	assert_true(is_open(b));
	fd_keeper_free(keeper);
	assert_false(is_open(b));
	(void)close(a);
	(void)close(b);
	(void)close(newer);
	fd_keeper_free(NULL);
}

static void test_other_words_keep_nothing_and_leak_nothing(void **state)
{
	static const char *const words[] = {
		"WATCHDOG=1",
		"",
		"FDSTORE=1",
		"FDNAME=a",
		"FDSTORE=0\nFDNAME=a",
		"FDSTORE=1\nFDNAME=",
		"FDSTORE=1\nFDNAME=a:b",
		"FDSTORE=1\nFDNAME=\xc3\xa4",
		"XFDSTORE=1\nFDNAME=a",
		too_long,
	};
	struct fd_keeper *keeper = fd_keeper_new();
	const char *entries[FD_KEEPER_ENTRIES];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int fd = say(keeper, words[i]);

		assert_false(is_open(fd));
		(void)close(fd);
	}
	fd_keeper_hear(keeper, "FDSTORE=1\nFDNAME=a", -1);
	assert_int_equal(fd_keeper_environment(keeper, entries), 0);
	fd_keeper_free(keeper);
}

static void test_the_store_is_bounded(void **state)
{
	struct fd_keeper *keeper = fd_keeper_new();
	const char *entries[FD_KEEPER_ENTRIES];
	char word[64];
	int fds[FD_KEEPER_MAX + 1];

	(void)state;
	for (unsigned int i = 0; i <= FD_KEEPER_MAX; i++) {
		(void)snprintf(word, sizeof(word), "FDSTORE=1\nFDNAME=n%u", i);
		fds[i] = say(keeper, word);
	}
	assert_true(is_open(fds[FD_KEEPER_MAX - 1]));
	assert_false(is_open(fds[FD_KEEPER_MAX]));
	assert_int_equal(fd_keeper_environment(keeper, entries),
			 FD_KEEPER_ENTRIES);
	assert_string_equal(entries[0], "LISTEN_FDS=64");
	fd_keeper_free(keeper);
	for (unsigned int i = 0; i <= FD_KEEPER_MAX; i++)
		(void)close(fds[i]);
}

static void test_the_next_child_finds_them_by_name(void **state)
{
	static char script[] =
		"test \"$LISTEN_FDS\" = 2 && test \"$LISTEN_PPID\" = $PPID && "
		"test \"$LISTEN_FDNAMES\" = 'line 17 low x:b' && "
		"echo a >&3 && echo b >&4";
	char shell[] = "/bin/sh", option[] = "-c";
	char *const argv[] = { shell, option, script, NULL };
	struct fd_keeper *keeper = fd_keeper_new();
	const char *entries[FD_KEEPER_ENTRIES + 1] = { NULL };
	char *environment[FD_KEEPER_ENTRIES + 1];
	int a = say(keeper, "FDSTORE=1\nFDNAME=line 17 low x");
	int b = say(keeper, "FDSTORE=1\nFDNAME=b");
	posix_spawn_file_actions_t actions;
	char byte = 0;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(fd_keeper_environment(keeper, entries),
			 FD_KEEPER_ENTRIES);
	memcpy(environment, entries, sizeof(environment));
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(fd_keeper_hand_over(keeper, &actions), 0);
	assert_int_equal(
		posix_spawn(&pid, argv[0], &actions, NULL, argv, environment),
		0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(a, &byte, 1), 1);
	assert_int_equal(byte, 'a');
	assert_int_equal(read(b, &byte, 1), 1);
	assert_int_equal(byte, 'b');
	fd_keeper_free(keeper);
	(void)close(a);
	(void)close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_is_kept_stays_open_until_it_is_dropped),
		cmocka_unit_test(
			test_other_words_keep_nothing_and_leak_nothing),
		cmocka_unit_test(test_the_store_is_bounded),
		cmocka_unit_test(test_the_next_child_finds_them_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
