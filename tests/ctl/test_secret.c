#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <cmocka.h>

#include "ctl/secret.h"

static int from_text(const char *text, char **out)
{
	FILE *in = tmpfile();
	int r;

	assert_non_null(in);
	fputs(text, in);
	rewind(in);
	*out = NULL;
	r = secret_from_file("-", in, out);
	fclose(in);
	return r;
}

static void test_the_first_line_is_the_secret(void **state)
{
	char longest[SECRET_MAX + 3];
	char *secret;

	(void)state;
	assert_int_equal(from_text("one two \nthree\n", &secret), 0);
	assert_string_equal(secret, "one two ");
	secret_free(secret);
	assert_int_equal(from_text("dos\r\n", &secret), 0);
	assert_string_equal(secret, "dos");
	secret_free(secret);
	assert_int_equal(from_text("no end", &secret), 0);
	assert_string_equal(secret, "no end");
	secret_free(secret);

	assert_int_equal(from_text("", &secret), -EINVAL);
	assert_int_equal(from_text("\nsecond\n", &secret), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[SECRET_MAX] = '\0';
	assert_int_equal(from_text(longest, &secret), 0);
	assert_int_equal(strlen(secret), SECRET_MAX);
	secret_free(secret);
	longest[SECRET_MAX] = 'x';
	longest[SECRET_MAX + 1] = '\0';
	assert_int_equal(from_text(longest, &secret), -EINVAL);
	assert_int_equal(secret_from_file("/nonexistent", NULL, &secret),
			 -ENOENT);
}

/* In the child: its terminal is the pty. */
static void child(void)
{
	struct termios shown;
	char *secret = NULL;
	int r = secret_ask("Password", &secret);

	if (r || strcmp(secret, "open sesame") != 0)
		_exit(10);
	secret_free(secret);
	if (tcgetattr(STDIN_FILENO, &shown) || !(shown.c_lflag & ECHO))
		_exit(11);
	_exit(0);
}

/* Read what the child's terminal shows until it holds text or the child ends. */
static void read_until(int fd, char *shown, size_t size, const char *text)
{
	size_t len = strlen(shown);

	while (!text || !strstr(shown, text)) {
		ssize_t r = read(fd, shown + len, size - 1 - len);

		if (r <= 0)
			return;
		len += (size_t)r;
		shown[len] = '\0';
	}
}

static void test_what_is_typed_is_not_shown(void **state)
{
	char shown[1024] = "";
	int status = -1;
	int fd;
	pid_t pid = forkpty(&fd, NULL, NULL, NULL);

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		child();
	/* The prompt comes before the echo is off, or after: either way the
	 * child throws away what was typed before, so type again until it has
	 * ended. */
	read_until(fd, shown, sizeof(shown), "Password: ");
	for (;;) {
		struct termios now;

		if (tcgetattr(fd, &now) == 0 && !(now.c_lflag & ECHO))
			break;
		poll(NULL, 0, 1);
	}
	assert_int_equal(write(fd, "open sesame\n", 12), 12);
	read_until(fd, shown, sizeof(shown), NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_null(strstr(shown, "sesame"));
	close(fd);
}

/* Ctrl-C at the prompt must leave a terminal that echoes. */
static void test_a_signal_puts_the_echo_back(void **state)
{
	char shown[1024] = "";
	struct termios now;
	int status = -1;
	int master;
	int slave;
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(master);
		if (login_tty(slave))
			_exit(12);
		child();
	}
	do {
		assert_int_equal(tcgetattr(slave, &now), 0);
		poll(NULL, 0, 1);
	} while (now.c_lflag & ECHO);
	assert_int_equal(write(master, "op\x03", 3), 3);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_true(now.c_lflag & ECHO);
	close(slave);
	read_until(master, shown, sizeof(shown), NULL);
	assert_null(strstr(shown, "op"));
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_line_is_the_secret),
		cmocka_unit_test(test_what_is_typed_is_not_shown),
		cmocka_unit_test(test_a_signal_puts_the_echo_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
