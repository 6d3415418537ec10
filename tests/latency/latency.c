/*
 * In the guest of qemu: how long an edge takes from the wire to a subscriber, and
 * a command from a publisher to the wire, next to what the kernel alone takes from
 * an edge to a process that waits for it in epoll. All three begin with the same
 * write to the simulator or to a socket, with everybody else asleep.
 *
 *	latency DIRECTORY PORT
 *
 * DIRECTORY is the simulated chip's in /sys. There is one thread:
 * NOLINTBEGIN(concurrency-mt-unsafe)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "gpio/lines_gpiod.h"

#define SAMPLES 200
/* Everybody sleeps again by then, and the hub has written what it writes. */
#define PAUSE_MS 30

#define BARE_LINE 24
#define DOOR_LINE 22
#define PUMP_LINE 17
static const unsigned int counter_lines[] = { 5, 6, 12, 13, 16, 23, 25, 26 };
#define COUNTERS 8
#define FLIPS 1000 /* of each counter's line */
/* The kernel's number of the chip's first line. */
#define FIRST_LINE 512

static const char *directory;
static const char *port;

__attribute__((noreturn, format(printf, 1, 2))) static void
die(const char *format, ...)
{
	const int error = errno;
	va_list args;

	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)printf(": %s\n", strerrordesc_np(error));
	exit(1);
}

static void wait_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* ---- the wire ----------------------------------------------------------- */

static int open_pull(unsigned int line)
{
	char path[200];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/sim_gpio%u/pull", directory,
		       line);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void flip(int pull, bool up)
{
	const char *text = up ? "pull-up" : "pull-down";

	if (pwrite(pull, text, strlen(text), 0) < 0)
		die("pull");
}

/* When the kernel last drove the line, by its own record; 0: never. */
static uint64_t driven_at(unsigned int line)
{
	FILE *trace = fopen("/sys/kernel/tracing/trace", "re");
	uint64_t found = 0;
	char row[300];

	if (!trace)
		die("trace");
	while (fgets(row, sizeof(row), trace)) {
		const char *at = strstr(row, ": gpio_value: ");
		const char *stamp = at;
		char *end;

		if (!at || strtoul(at + 14, NULL, 10) != FIRST_LINE + line)
			continue;
		while (stamp > row && stamp[-1] != ' ')
			stamp--;
		found = strtoull(stamp, &end, 10) * 1000000000;
		found += strtoull(end + 1, NULL, 10) * 1000;
	}
	(void)fclose(trace);
	return found;
}

/* ---- MQTT, as little as it takes ---------------------------------------- */

static uint8_t *put_text(uint8_t *out, const char *text)
{
	size_t len = strlen(text);

	*out++ = (uint8_t)(len >> 8);
	*out++ = (uint8_t)len;
	memcpy(out, text, len);
	return out + len;
}

/* body must be shorter than 128 bytes. */
static void send_packet(int fd, uint8_t first, const uint8_t *body, size_t len)
{
	uint8_t packet[130] = { first, (uint8_t)len };

	memcpy(packet + 2, body, len);
	if (len > 127 || send(fd, packet, len + 2, 0) != (ssize_t)len + 2)
		die("send");
}

static int dial(const char *name)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	/* MQTT 3.1.1, clean session, no keep-alive */
	uint8_t body[128] = { 0, 4, 'M', 'Q', 'T', 'T', 4, 0x02, 0, 0 };
	uint8_t answer[4];
	uint8_t *end = put_text(body + 10, name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	send_packet(fd, 0x10, body, (size_t)(end - body));
	if (recv(fd, answer, sizeof(answer), MSG_WAITALL) != 4 || answer[3])
		die("CONNACK");
	return fd;
}

static int subscriber(const char *filter)
{
	uint8_t body[128] = { 0, 1 };
	uint8_t *end = put_text(body + 2, filter);
	uint8_t answer[5];
	int fd = dial(filter);

	*end++ = 0;
	send_packet(fd, 0x82, body, (size_t)(end - body));
	if (recv(fd, answer, sizeof(answer), MSG_WAITALL) != 5 || answer[4])
		die("SUBACK");
	return fd;
}

static void publish(int fd, const char *topic, const char *payload)
{
	uint8_t body[128];
	uint8_t *end = put_text(body, topic);

	memcpy(end, payload, strlen(payload));
	send_packet(fd, 0x30, body, (size_t)(end - body) + strlen(payload));
}

/* ---- who waits for it --------------------------------------------------- */

static void wait_readable(int fd)
{
	int poll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) ||
	    epoll_wait(poll, &event, 1, -1) != 1)
		die("epoll");
	(void)close(poll);
}

/* Bare: a line of its own, and nothing else. */
static void watch_line(int out)
{
	const struct line_config config = { .offset = BARE_LINE,
					    .direction = LINE_INPUT };
	struct line_request *request;
	struct line_event event;
	struct lines *lines;
	uint64_t now = 0;

	if (lines_gpiod_open(NULL, &lines) ||
	    lines_request(lines, "bare", &config, 1, &request))
		die("line");
	while (write(out, &now, sizeof(now)) == sizeof(now)) {
		wait_readable(request->fd);
		if (lines_read(request, &event, 1) != 1)
			die("event");
		now = clock_ns();
	}
	exit(0);
}

static void watch_topic(int out)
{
	int fd = subscriber("hearth/pi/in/door");
	uint8_t bytes[200];
	uint64_t now = 0;

	/* The retained state. */
	if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
		die("recv");
	while (write(out, &now, sizeof(now)) == sizeof(now)) {
		wait_readable(fd);
		if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
			die("recv");
		now = clock_ns();
	}
	exit(0);
}

/* ---- figures ------------------------------------------------------------ */

struct figures {
	uint64_t p50, p99, max;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct figures figures_of(uint64_t samples[SAMPLES])
{
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	return (struct figures){ samples[SAMPLES / 2],
				 samples[SAMPLES * 99 / 100],
				 samples[SAMPLES - 1] };
}

static void print(const char *what, struct figures f, struct figures bare)
{
	(void)printf("%-28s p50 %7.1f us (%.2f)   p99 %7.1f us (%.2f)   max "
		     "%7.1f us\n",
		     what, (double)f.p50 / 1000,
		     (double)f.p50 / (double)bare.p50, (double)f.p99 / 1000,
		     (double)f.p99 / (double)bare.p99, (double)f.max / 1000);
}

/* From the flip of a line to whoever waits for it in another process. */
static struct figures measure_edges(unsigned int line, void (*watch)(int out))
{
	static uint64_t samples[SAMPLES];
	int pull = open_pull(line);
	uint64_t then;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	flip(pull, false);
	pid = fork();
	if (pid == 0)
		watch(ends[1]);
	if (read(ends[0], &then, sizeof(then)) != sizeof(then))
		die("no watcher");
	for (size_t i = 0; i < SAMPLES; i++) {
		uint64_t start;

		wait_ms(PAUSE_MS);
		start = clock_ns();
		flip(pull, i % 2 == 0);
		if (read(ends[0], &then, sizeof(then)) != sizeof(then))
			die("watcher gone");
		samples[i] = then - start;
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(pull);
	return figures_of(samples);
}

/* From the write to the socket to the line, by the kernel's record. */
static struct figures measure_commands(void)
{
	static uint64_t samples[SAMPLES];
	int fd = dial("switch");

	for (size_t i = 0; i < SAMPLES; i++) {
		uint64_t start;
		uint64_t then;

		wait_ms(PAUSE_MS);
		start = clock_ns();
		publish(fd, "hearth/pi/out/pump/set", i % 2 ? "OFF" : "ON");
		while ((then = driven_at(PUMP_LINE)) < start / 1000 * 1000)
			wait_ms(PAUSE_MS);
		samples[i] = then - start / 1000 * 1000;
	}
	(void)close(fd);
	return figures_of(samples);
}

/* ---- bursts ------------------------------------------------------------- */

/* The next count that is published, and whose: hearth/pi/in/cN/count. */
static unsigned long next_count(int fd, unsigned int *counter)
{
	uint8_t packet[200];
	size_t topic;

	if (recv(fd, packet, 2, MSG_WAITALL) != 2 ||
	    recv(fd, packet + 2, packet[1], MSG_WAITALL) != packet[1])
		die("count");
	packet[2 + packet[1]] = '\0';
	topic = (size_t)packet[2] << 8 | packet[3];
	*counter = packet[4 + strlen("hearth/pi/in/c")] - (unsigned int)'0';
	if (*counter >= COUNTERS)
		die("topic");
	return strtoul((char *)packet + 4 + topic, NULL, 10);
}

static uint64_t flip_all(void)
{
	int pulls[COUNTERS];
	uint64_t start;

	for (unsigned int i = 0; i < COUNTERS; i++)
		pulls[i] = open_pull(counter_lines[i]);
	start = clock_ns();
	for (unsigned int n = 0; n < FLIPS; n++)
		for (unsigned int i = 0; i < COUNTERS; i++)
			flip(pulls[i], n % 2 == 1);
	return clock_ns() - start;
}

/* All eight as fast as this guest can flip them: every pulse is counted, also of
 * edges that nobody took in time; those are told on .../error. */
static void measure_burst(void)
{
	const struct timeval patience = { .tv_sec = 30 };
	unsigned long counts[COUNTERS] = { 0 };
	int fd = subscriber("hearth/pi/in/+/count");
	unsigned int whole = 0;
	unsigned int counter;
	uint64_t took;

	took = flip_all();
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	/* One that stays behind ends this by the time. */
	while (whole < COUNTERS) {
		unsigned long count = next_count(fd, &counter);

		counts[counter] = count;
		whole = 0;
		for (unsigned int i = 0; i < COUNTERS; i++)
			whole += counts[i] == FLIPS / 2;
	}
	(void)printf("burst: 8 inputs, %d edges at %.0f a second: every pulse"
		     " counted\n",
		     COUNTERS * FLIPS,
		     (double)COUNTERS * FLIPS * 1e9 / (double)took);
	(void)close(fd);
}

int main(int argc, char **argv)
{
	struct figures bare;
	struct figures edge;
	struct figures command;

	if (argc != 3)
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	directory = argv[1];
	port = argv[2];

	bare = measure_edges(BARE_LINE, watch_line);
	print("edge to epoll, bare", bare, bare);
	edge = measure_edges(DOOR_LINE, watch_topic);
	print("edge to subscriber", edge, bare);
	command = measure_commands();
	print("command to line", command, bare);
	measure_burst();
	return 0;
}
/* NOLINTEND(concurrency-mt-unsafe) */
