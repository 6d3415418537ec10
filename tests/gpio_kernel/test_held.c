/*
 * An output that holds stays on while hearth-gpiod is killed and started again,
 * on a kernel that lets a released line fall back to its pull: in systemd's
 * place, this program keeps the descriptor (see gpio/held.h). Arguments:
 * hearth-gpiod, the directory of the simulated chip in /sys, a scratch directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LAMP 24
#define PUMP 17
#define NAME "line 24 high pinctrl-bcm2711"

static char **arguments;
static int listener = -1;

static bool is_on(unsigned int line)
{
	char path[256];
	char value = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/sim_gpio%u/value", arguments[2],
		       line);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerrordesc_np(errno));
	assert_int_equal(read(fd, &value, 1), 1);
	assert_int_equal(close(fd), 0);
	return value == '1';
}

static void write_state(const char *safe_of_lamp)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/gpio.state", arguments[3]);
	file = fopen(path, "we");
	assert_non_null(file);
	(void)fprintf(file,
		      "{\"pins\":[{\"name\":\"lamp\",\"dir\":\"out\","
		      "\"line\":%d,\"safe\":\"%s\",\"boot\":\"on\"},"
		      "{\"name\":\"pump\",\"dir\":\"out\",\"line\":%d,"
		      "\"boot\":\"on\"}]}",
		      LAMP, safe_of_lamp, PUMP);
	assert_int_equal(fclose(file), 0);
}

/* The board starts: what is on at boot goes on, whatever the test before left. */
static void forget_the_past(void)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/gpio.memory", arguments[3]);
	(void)unlink(path);
}

/* hearth-gpiod with these descriptors from 3 on, as systemd starts it. */
static pid_t start(int kept, bool safe)
{
	char number[24];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (kept >= 0 && kept != 3)
		(void)dup2(kept, 3);
	else if (kept == 3)
		(void)fcntl(3, F_SETFD, 0);
	if (kept >= 0) {
		(void)snprintf(number, sizeof(number), "%d", (int)getpid());
		(void)setenv("LISTEN_PID", number, 1);
		(void)setenv("LISTEN_FDS", "1", 1);
		(void)setenv("LISTEN_FDNAMES", NAME, 1);
	}
	if (safe)
		(void)execl(arguments[1], arguments[1], "--safe", "--backend",
			    "gpiod", "--state-dir", arguments[3], NULL);
	else
		(void)execl(arguments[1], arguments[1], "--hub",
			    "unix:/nowhere", "--node", "pi", "--backend",
			    "gpiod", "--state-dir", arguments[3], NULL);
	_exit(127);
}

/* The next word of it that begins so; the descriptor that came along or -1. */
static int hear(const char *beginning, char *text, size_t size)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	const struct cmsghdr *c;
	int fd = -1;
	ssize_t n;

	do {
		struct pollfd waits = { .fd = listener, .events = POLLIN };
		struct iovec part = { text, size - 1 };
		struct msghdr message = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};

		/* It has that one already, as systemd finds out. */
		if (fd >= 0)
			(void)close(fd);
		fd = -1;
		assert_int_equal(poll(&waits, 1, 60000), 1);
		n = recvmsg(listener, &message, MSG_CMSG_CLOEXEC);
		assert_true(n >= 0);
		text[n] = '\0';
		c = CMSG_FIRSTHDR(&message);
		if (c && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	} while (strncmp(text, beginning, strlen(beginning)) != 0);
	return fd;
}

static int end(pid_t pid, int how)
{
	int status = 0;

	assert_int_equal(kill(pid, how), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_safe(void)
{
	struct timespec before, after;
	int status = 0;
	pid_t pid;

	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	pid = start(-1, true);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	print_message("# hearth-gpiod --safe, the process: %.1f ms\n",
		      (double)(after.tv_sec - before.tv_sec) * 1e3 +
			      (double)(after.tv_nsec - before.tv_nsec) / 1e6);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_a_held_output_does_not_move_over_a_crash(void **state)
{
	char text[400];
	int kept;
	pid_t pid;

	(void)state;
	forget_the_past();
	write_state("hold");
	pid = start(-1, false);
	kept = hear("FDSTORE=1", text, sizeof(text));
	assert_true(kept >= 0);
	assert_non_null(strstr(text, "FDNAME=" NAME));
	(void)hear("READY=1", text, sizeof(text));
	assert_true(is_on(LAMP));
	assert_true(is_on(PUMP));

	(void)end(pid, SIGKILL);
	/* What is not kept is lost here at once; a Pi would hold it. */
	assert_true(is_on(LAMP));
	assert_false(is_on(PUMP));
	/* As ExecStopPost does: what holds is not in its way. */
	assert_int_equal(run_safe(), 0);
	assert_true(is_on(LAMP));

	pid = start(kept, false);
	(void)hear("READY=1", text, sizeof(text));
	assert_true(is_on(LAMP));
	assert_int_equal(end(pid, SIGTERM), 0);
	assert_true(is_on(LAMP));
	/* The last copy: nobody holds it any more. */
	(void)close(kept);
	assert_false(is_on(LAMP));
}

static void test_what_need_not_hold_is_given_back(void **state)
{
	char text[400];
	int kept;
	pid_t pid;

	(void)state;
	forget_the_past();
	write_state("hold");
	pid = start(-1, false);
	kept = hear("FDSTORE=1", text, sizeof(text));
	(void)hear("READY=1", text, sizeof(text));
	assert_true(is_on(LAMP));
	(void)end(pid, SIGKILL);
	assert_true(is_on(LAMP));

	/* It was set up anew meanwhile. */
	write_state("off");
	pid = start(kept, false);
	(void)hear("FDSTOREREMOVE=1", text, sizeof(text));
	assert_non_null(strstr(text, "FDNAME=" NAME));
	(void)close(kept);
	(void)hear("READY=1", text, sizeof(text));
	assert_int_equal(end(pid, SIGTERM), 0);
	assert_false(is_on(LAMP));
}

static int listen_up(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)state;
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/notify",
		       arguments[3]);
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)(void *)&un, sizeof(un)))
		return -1;
	return setenv("NOTIFY_SOCKET", un.sun_path, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_held_output_does_not_move_over_a_crash),
		cmocka_unit_test(test_what_need_not_hold_is_given_back),
	};

	if (argc != 4)
		return 2;
	arguments = argv;
	return cmocka_run_group_tests(tests, listen_up, NULL);
}
