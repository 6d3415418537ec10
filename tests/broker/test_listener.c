#include "broker/peer/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/peer/connection.h"
#include "broker/wire/connect.h"

#define DEADLINE_MS 30000

static unsigned int turned_away;

/* Descriptors as the test wants them to run out. open() is open64() where files
 * may be large. */
static bool open_fails;
static unsigned int accepts;

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	if (open_fails) {
		errno = EMFILE;
		return -1;
	}
	return __real_open64(path, flags, 0600);
}

int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	accepts++;
	return __real_accept4(fd, from, len, flags);
}

static void count_lines(enum log_level level, const char *line)
{
	(void)level;
	turned_away += strstr(line, "turned away") != NULL;
}

static struct broker *open_broker(const struct listener_options *listener)
{
	const struct broker_options options = {
		.node = "test",
		.listeners = listener,
		.listener_count = 1,
	};

	log_set_sink(count_lines);
	turned_away = 0;
	return broker_new(&options);
}

static int tcp_socket(const struct broker *broker)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(broker_listener_port(broker, 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Turns until the peer's end is readable; true if that is the stream's end. */
static bool ended(struct broker *broker, int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;
	ssize_t n;

	for (int i = 0; i < DEADLINE_MS / 10 && poll(&wait, 1, 0) == 0; i++)
		loop_turn(broker->loop, 10);
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

static void turn_until(struct broker *broker, size_t connections)
{
	for (int i = 0;
	     i < DEADLINE_MS / 10 && broker->connection_count != connections;
	     i++)
		loop_turn(broker->loop, 10);
	assert_int_equal(broker->connection_count, connections);
}

static void test_tcp_gets_a_port_and_an_address(void **state)
{
	const struct listener_options options = {
		.name = "lan",
		.address = "127.0.0.1",
	};
	struct broker *broker = open_broker(&options);
	const struct connection *c;
	int fd;

	(void)state;
	assert_non_null(broker);
	assert_int_not_equal(broker_listener_port(broker, 0), 0);
	assert_int_equal(broker_listener_port(broker, 1), 0);
	fd = tcp_socket(broker);
	turn_until(broker, 1);
	c = list_entry(broker->connections.next, struct connection, link);
	assert_memory_equal(c->address, "127.0.0.1:", 10);
	close(fd);
	turn_until(broker, 0);
	broker_free(broker);
}

static void test_ipv6_addresses_stand_in_brackets(void **state)
{
	const struct listener_options options = {
		.name = "lan",
		.address = "::1",
	};
	struct broker *broker = open_broker(&options);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct connection *c;
	int fd;

	(void)state;
	if (!broker) { /* only on a machine without IPv6 */
		assert_true(errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
		skip();
		return;
	}
	to.sin6_port = htons(broker_listener_port(broker, 0));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	turn_until(broker, 1);
	c = list_entry(broker->connections.next, struct connection, link);
	assert_memory_equal(c->address, "[::1]:", 6);
	close(fd);
	broker_free(broker);
}

static void test_what_cannot_be_listened_on_is_told(void **state)
{
	struct listener_options options = {
		.name = "lan",
		.address = "not an address",
	};
	struct broker *first, *second;

	(void)state;
	assert_null(open_broker(&options));
	assert_int_equal(errno, EINVAL);
	options.address = "127.0.0.1";
	first = open_broker(&options);
	options.port = broker_listener_port(first, 0);
	second = open_broker(&options);
	assert_null(second);
	assert_int_equal(errno, EADDRINUSE);
	broker_free(first);
}

static void test_too_many_are_turned_away(void **state)
{
	const struct listener_options options = {
		.name = "lan",
		.address = "127.0.0.1",
		.max_connections = 2,
	};
	struct broker *broker = open_broker(&options);
	int fds[3];

	(void)state;
	for (size_t i = 0; i < 2; i++)
		fds[i] = tcp_socket(broker);
	turn_until(broker, 2);
	fds[2] = tcp_socket(broker);
	assert_true(ended(broker, fds[2]));
	assert_int_equal(broker->connection_count, 2);
	assert_int_equal(turned_away, 1);
	/* One goes, and there is room again. */
	close(fds[0]);
	turn_until(broker, 1);
	close(fds[2]);
	fds[2] = tcp_socket(broker);
	turn_until(broker, 2);
	close(fds[1]);
	close(fds[2]);
	broker_free(broker);
}

/* At EMFILE a peer is told by a close, and the loop does not spin on it. */
static void test_without_descriptors_a_peer_is_told(void **state)
{
	const struct listener_options options = {
		.name = "lan",
		.address = "127.0.0.1",
	};
	struct broker *broker = open_broker(&options);
	struct rlimit before, less;
	int fds[64], count = 0, fd;

	(void)state;
	fd = tcp_socket(broker);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	less = before;
	less.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	while (count < 64 && (fds[count] = open("/dev/null", O_RDONLY)) >= 0)
		count++;
	assert_true(ended(broker, fd));
	assert_int_equal(broker->connection_count, 0);
	assert_int_equal(turned_away, 1);
	while (count > 0)
		close(fds[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(fd);
	fd = tcp_socket(broker);
	turn_until(broker, 1);
	close(fd);
	broker_free(broker);
}

static int use_up(int fds[64])
{
	int count = 0;

	while (count < 64 && (fds[count] = open("/dev/null", O_RDONLY)) >= 0)
		count++;
	return count;
}

/* The reserve could not be had again: nobody can be told, and the loop waits. */
static void test_without_the_reserve_it_pauses(void **state)
{
	const struct listener_options options = {
		.name = "lan",
		.address = "127.0.0.1",
	};
	struct broker *broker = open_broker(&options);
	struct rlimit before, less;
	int fds[64], peers[3], count;

	(void)state;
	for (int i = 0; i < 3; i++)
		peers[i] = tcp_socket(broker);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	less = before;
	less.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	count = use_up(fds);
	/* The first is told by means of the reserve, the second takes the place
	 * of that, and the third is left in the backlog. */
	open_fails = true;
	assert_true(ended(broker, peers[0]));
	turn_until(broker, 1);
	accepts = 0;
	for (int i = 0; i < 50; i++)
		loop_turn(broker->loop, 0);
	assert_true(accepts <= 2);
	open_fails = false;
	while (count > 0)
		close(fds[--count]);
	turn_until(broker, 2);
	/* And there is a reserve again. */
	count = use_up(fds);
	fds[63] = peers[0];
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	peers[0] = tcp_socket(broker);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	assert_true(ended(broker, peers[0]));
	while (count > 0)
		close(fds[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(fds[63]);
	for (int i = 0; i < 3; i++)
		close(peers[i]);
	broker_free(broker);
}

/* "::" is the IPv4 networks as well, and their peers are called as IPv4. */
static void test_every_network_is_of_both_kinds(void **state)
{
	const struct listener_options options = {
		.name = "lan",
		.address = "::",
	};
	struct broker *broker = open_broker(&options);
	const struct connection *c;
	int fd;

	(void)state;
	if (!broker) { /* only on a machine without IPv6 */
		assert_true(errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
		skip();
		return;
	}
	fd = tcp_socket(broker);
	turn_until(broker, 1);
	c = list_entry(broker->connections.next, struct connection, link);
	assert_memory_equal(c->address, "127.0.0.1:", 10);
	close(fd);
	broker_free(broker);
}

/* Who serves a socket keeps it; who made it gives it the rights. */
static void test_a_served_unix_socket_is_not_taken(void **state)
{
	char folder[] = "/tmp/hearth-test-XXXXXX";
	char path[64];
	const struct listener_options options = { .name = "local",
						  .type = LISTENER_UNIX,
						  .path = path,
						  .mode = 0604 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct broker *broker;
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	broker = open_broker(&options);
	assert_non_null(broker);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0604);
	assert_null(open_broker(&options));
	assert_int_equal(errno, EADDRINUSE);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
	broker_free(broker);
	assert_int_equal(rmdir(folder), 0);
}

/* Another one than ours, if we may give it to one. */
static gid_t foreign_group(void)
{
	gid_t groups[64], found = getegid();
	int count = getgroups(64, groups);

	for (int i = 0; i < count; i++)
		if (groups[i] != getegid())
			found = groups[i];
	return geteuid() == 0 ? 1 : found; /* daemon, on Debian */
}

static void test_a_unix_socket_may_be_for_a_group(void **state)
{
	char folder[] = "/tmp/hearth-test-XXXXXX";
	char path[64], strings[16384];
	struct listener_options options = { .name = "local",
					    .type = LISTENER_UNIX,
					    .path = path,
					    .group = "no-such-group" };
	const gid_t wanted = foreign_group();
	struct group group, *found = NULL;
	struct broker *broker;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	assert_null(open_broker(&options));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(stat(path, &st), -1);
	getgrgid_r(wanted, &group, strings, sizeof(strings), &found);
	if (!found) { /* ours has no name on this machine */
		assert_int_equal(rmdir(folder), 0);
		skip();
	}
	options.group = group.gr_name;
	broker = open_broker(&options);
	assert_non_null(broker);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_gid, wanted);
	assert_int_equal(st.st_mode & 0777, 0660);
	broker_free(broker);
	assert_int_equal(rmdir(folder), 0);
}

/* An interface that is not there is told; one that is, is listened on. */
static void test_an_address_may_be_of_an_interface(void **state)
{
	struct listener_options options = {
		.name = "lan",
		.address = "fe80::1%no-such-if",
	};
	struct broker *broker;

	(void)state;
	assert_null(open_broker(&options));
	assert_int_equal(errno, ENODEV);
	options.address = "::1%lo";
	broker = open_broker(&options);
	if (!broker) { /* only on a machine without IPv6 */
		assert_true(errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
		skip();
	}
	broker_free(broker);
}

static void test_a_stale_unix_socket_is_replaced_and_removed(void **state)
{
	char folder[] = "/tmp/hearth-test-XXXXXX";
	char path[64];
	struct listener_options options = { .name = "gpio",
					    .type = LISTENER_UNIX };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct broker *broker;
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	options.path = path;
	/* What a killed process leaves behind. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
	broker = open_broker(&options);
	assert_non_null(broker);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	turn_until(broker, 1);
	close(fd);
	broker_free(broker);
	assert_int_equal(stat(path, &st), -1);

	/* A file of another kind is not ours to remove. */
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_null(open_broker(&options));
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void *serve(void *arg)
{
	broker_run(arg);
	return NULL;
}

/* At the stop listeners go before the connections that came by them. */
static void test_connections_outlive_their_listener(void **state)
{
	const struct listener_options options = {
		.name = "lan",
		.address = "127.0.0.1",
	};
	struct broker *broker = open_broker(&options);
	const struct mqtt_connect packet = {
		.version = MQTT_5_0,
		.clean_start = true,
		.client_id = slice_str("dev"),
	};
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_reason_packet last;
	struct frame frame;
	pthread_t thread;
	size_t len = 0;
	ssize_t n;
	int fd;

	(void)state;
	fd = tcp_socket(broker);
	assert_int_equal(pthread_create(&thread, NULL, serve, broker), 0);
	connect_encode(&w, &packet);
	assert_int_equal(send(fd, bytes, w.len, 0), w.len);
	/* CONNACK is there: connected. */
	while (framing_next(bytes, len, sizeof(bytes), &frame) == 0) {
		n = recv(fd, bytes + len, sizeof(bytes) - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
	}
	broker_stop(broker);
	pthread_join(thread, NULL);
	len = 0;
	while ((n = recv(fd, bytes + len, sizeof(bytes) - len, 0)) > 0)
		len += (size_t)n;
	assert_int_equal(framing_next(bytes, len, sizeof(bytes), &frame), 1);
	assert_int_equal(frame.type, MQTT_DISCONNECT);
	assert_int_equal(disconnect_decode(MQTT_5_0, false, frame.body, &last),
			 MQTT_SUCCESS);
	assert_int_equal(last.reason, MQTT_SERVER_SHUTTING_DOWN);
	close(fd);
	broker_free(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_gets_a_port_and_an_address),
		cmocka_unit_test(test_ipv6_addresses_stand_in_brackets),
		cmocka_unit_test(test_what_cannot_be_listened_on_is_told),
		cmocka_unit_test(test_too_many_are_turned_away),
		cmocka_unit_test(test_without_descriptors_a_peer_is_told),
		cmocka_unit_test(test_without_the_reserve_it_pauses),
		cmocka_unit_test(test_every_network_is_of_both_kinds),
		cmocka_unit_test(test_an_address_may_be_of_an_interface),
		cmocka_unit_test(test_a_unix_socket_may_be_for_a_group),
		cmocka_unit_test(test_a_served_unix_socket_is_not_taken),
		cmocka_unit_test(
			test_a_stale_unix_socket_is_replaced_and_removed),
		cmocka_unit_test(test_connections_outlive_their_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
