#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/notify.h"

/* One thread: NOLINTBEGIN(concurrency-mt-unsafe) */

static int clear(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static void test_without_a_manager_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
}

/* A manager: a datagram socket bound to address, read back through fd. */
static int manager(const struct sockaddr_un *address, size_t len)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		bind(fd, (const struct sockaddr *)address, (socklen_t)len), 0);
	return fd;
}

static void expect(int fd, const char *state)
{
	char got[64];
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, state);
}

static void test_each_state_is_one_datagram_to_a_path(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/test_notify.XXXXXX";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify",
		       dir);
	fd = manager(&address, sizeof(address));
	setenv("NOTIFY_SOCKET", address.sun_path, 1);

	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(notify_send("STATUS=2 clients"), 0);
	expect(fd, "READY=1");
	expect(fd, "STATUS=2 clients");

	close(fd);
	assert_int_equal(notify_send("READY=1"), -ECONNREFUSED);
	unlink(address.sun_path);
	assert_int_equal(notify_send("READY=1"), -ENOENT);
	rmdir(dir);
}

static void test_an_abstract_name_is_understood(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int len;
	int fd;

	(void)state;
	len = snprintf(name, sizeof(name), "@hearth-test-notify-%d", getpid());
	assert_true(len > 0);
	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	fd = manager(&address,
		     offsetof(struct sockaddr_un, sun_path) + (size_t)len);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_send("WATCHDOG=1"), 0);
	expect(fd, "WATCHDOG=1");
	close(fd);
}

static void test_an_address_we_cannot_reach_is_an_error(void **state)
{
	char longest[200];

	(void)state;
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_send("READY=1"), -EAFNOSUPPORT);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(notify_send("READY=1"), -ENAMETOOLONG);
}

static void test_the_watchdog_is_fed_twice_in_its_time(void **state)
{
	char pid[16];

	(void)state;
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_ms(), 15000);
	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "-1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30s", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
}

#define CLEAR(test) cmocka_unit_test_setup_teardown(test, clear, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAR(test_without_a_manager_nothing_happens),
		CLEAR(test_each_state_is_one_datagram_to_a_path),
		CLEAR(test_an_abstract_name_is_understood),
		CLEAR(test_an_address_we_cannot_reach_is_an_error),
		CLEAR(test_the_watchdog_is_fed_twice_in_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(concurrency-mt-unsafe) */
