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

#define SAMPLES 500
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

/* A line, and who says when it has heard of its edge. */
struct watched {
	const char *what;
	unsigned int line;
	void (*watch)(int out);
	uint64_t samples[SAMPLES];
	int pull;
	int heard; /* a pipe's end: the time of each edge */
	pid_t pid;
};

static uint64_t heard_at(const struct watched *w)
{
	uint64_t then;

	if (read(w->heard, &then, sizeof(then)) != sizeof(then))
		die("%s: nobody watches", w->what);
	return then;
}

static void begin_watching(struct watched *w)
{
	int ends[2];

	w->pull = open_pull(w->line);
	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	flip(w->pull, false);
	w->pid = fork();
	if (w->pid == 0)
		w->watch(ends[1]);
	(void)close(ends[1]);
	w->heard = ends[0];
	(void)heard_at(w);
}

static void end_watching(struct watched *w)
{
	(void)kill(w->pid, SIGKILL);
	(void)waitpid(w->pid, NULL, 0);
	(void)close(w->heard);
	(void)close(w->pull);
}

/* From the flip of a line to whoever waits for it in another process. */
static uint64_t time_edge(struct watched *w, bool up)
{
	uint64_t start;

	wait_ms(PAUSE_MS);
	start = clock_ns();
	flip(w->pull, up);
	return heard_at(w) - start;
}

/* From the write to the socket to the line, by the kernel's record, which takes
 * long to read and is left alone until all has happened. */
static uint64_t time_command(int fd, bool on)
{
	uint64_t start;
	uint64_t then;

	wait_ms(PAUSE_MS);
	start = clock_ns();
	publish(fd, "hearth/pi/out/pump/set", on ? "ON" : "OFF");
	do
		wait_ms(PAUSE_MS);
	while ((then = driven_at(PUMP_LINE)) < start / 1000 * 1000);
	return then - start / 1000 * 1000;
}

/* In turns: what the guest does besides meets all of them. */
static void measure(struct watched *bare, struct watched *door,
		    uint64_t commands[SAMPLES])
{
	int fd = dial("switch");

	begin_watching(bare);
	begin_watching(door);
	for (size_t i = 0; i < SAMPLES; i++) {
		bare->samples[i] = time_edge(bare, i % 2 == 0);
		door->samples[i] = time_edge(door, i % 2 == 0);
		commands[i] = time_command(fd, i % 2 == 0);
	}
	end_watching(door);
	end_watching(bare);
	(void)close(fd);
}

/* ---- bursts ------------------------------------------------------------- */

/* The next message: its topic without "hearth/pi/", and its text; cut off. */
static void next_message(int fd, char topic[64], char text[256])
{
	uint8_t packet[4096];
	size_t size = 0;
	size_t len;

	if (recv(fd, packet, 1, MSG_WAITALL) != 1)
		die("nothing more comes");
	for (unsigned int shift = 0;; shift += 7) {
		if (recv(fd, packet, 1, MSG_WAITALL) != 1)
			die("length");
		size |= (size_t)(packet[0] & 0x7f) << shift;
		if (!(packet[0] & 0x80))
			break;
	}
	if (size < 2 || size >= sizeof(packet) ||
	    recv(fd, packet, size, MSG_WAITALL) != (ssize_t)size)
		die("message of %zu bytes", size);
	packet[size] = '\0';
	len = (size_t)packet[0] << 8 | packet[1];
	(void)snprintf(topic, 64, "%.*s", (int)(len - 10),
		       (char *)packet + 2 + 10);
	(void)snprintf(text, 256, "%s", (char *)packet + 2 + len);
}

struct burst {
	unsigned long counts[COUNTERS]; /* as published */
	unsigned long lost[COUNTERS]; /* edges, as told on .../error */
};

/* in/cN/count, or error: {"topic":"hearth/pi/in/cN", ..., "N so far"} */
static void hear(struct burst *burst, const char *topic, const char *text)
{
	const char *lost = strstr(text, " were lost, ");
	const char *name = strstr(text, "/in/c");
	unsigned int counter = COUNTERS;

	if (strncmp(topic, "in/c", 4) == 0)
		counter = (unsigned int)(topic[4] - '0');
	else if (lost && name)
		counter = (unsigned int)(name[5] - '0');
	if (counter >= COUNTERS)
		die("%s: %s", topic, text);
	if (lost)
		burst->lost[counter] = strtoul(lost + 12, NULL, 10);
	else
		burst->counts[counter] = strtoul(text, NULL, 10);
}

static unsigned int whole_counts(const struct burst *burst)
{
	unsigned int whole = 0;

	for (unsigned int i = 0; i < COUNTERS; i++)
		whole += burst->counts[i] == FLIPS / 2;
	return whole;
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
	int errors = subscriber("hearth/pi/error");
	int counts = subscriber("hearth/pi/in/+/count");
	struct burst burst = { 0 };
	unsigned long lost = 0;
	char topic[64];
	char text[256];
	uint64_t took;

	took = flip_all();
	(void)setsockopt(counts, SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	/* One that stays behind ends this by the time. */
	while (whole_counts(&burst) < COUNTERS) {
		next_message(counts, topic, text);
		hear(&burst, topic, text);
	}
	/* Told when they were missed, which was before they were counted. */
	while (recv(errors, text, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
		next_message(errors, topic, text);
		hear(&burst, topic, text);
	}
	for (unsigned int i = 0; i < COUNTERS; i++)
		lost += burst.lost[i];
	(void)printf("burst: 8 inputs, %d edges at %.0f a second: every pulse"
		     " counted; %lu edges told as lost by the kernel\n",
		     COUNTERS * FLIPS,
		     (double)COUNTERS * FLIPS * 1e9 / (double)took, lost);
	(void)close(counts);
	(void)close(errors);
}

int main(int argc, char **argv)
{
	static struct watched bare = { .what = "edge to epoll, bare",
				       .line = BARE_LINE,
				       .watch = watch_line };
	static struct watched door = { .what = "edge to subscriber",
				       .line = DOOR_LINE,
				       .watch = watch_topic };
	static uint64_t commands[SAMPLES];
	struct figures base;

	if (argc != 3)
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	directory = argv[1];
	port = argv[2];

	measure(&bare, &door, commands);
	base = figures_of(bare.samples);
	print(bare.what, base, base);
	print(door.what, figures_of(door.samples), base);
	print("command to line", figures_of(commands), base);
	measure_burst();
	return 0;
}
/* NOLINTEND(concurrency-mt-unsafe) */
