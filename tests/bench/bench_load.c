/*
 * bench-load: puts a load on an MQTT broker, checks every message, measures.
 * tests/bench/run starts it; 'bench-load --help' lists the options.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/load.h"
#include "tests/bench/peer.h"

static const struct {
	const char *name;
	int (*run)(const struct load_options *);
	enum load_shape shape;
} loads[] = {
	{ "pairs", load_traffic, LOAD_PAIRS },
	{ "fan-in", load_traffic, LOAD_FAN_IN },
	{ "fan-out", load_traffic, LOAD_FAN_OUT },
	{ "wild", load_traffic, LOAD_WILD },
	{ "storm", load_storm, LOAD_PAIRS },
	{ "idle", load_idle, LOAD_PAIRS },
	{ "filters", load_filters, LOAD_PAIRS },
	{ "retained", load_retained, LOAD_PAIRS },
	{ "queue", load_queue, LOAD_PAIRS },
	{ "offline", load_offline, LOAD_PAIRS },
};
#define LOADS (sizeof(loads) / sizeof(loads[0]))

static struct load_options options = {
	.publishers = 10,
	.subscribers = 10,
	.count = 1000,
	.sessions = 20,
	.filters = 20000,
	.topics = 1,
	.window = 20,
	.outstanding = 1000,
	.burst = 16,
	.warm_ms = 300,
	.run_ms = 1200,
	.size = 64,
	.quiet_ms = 1500,
};
static unsigned int port = 1883, level = 4, qos, pid, subscribe, channel;
static unsigned int durable, save, card, awake;

static const struct {
	const char *name;
	unsigned int *value, min, max;
	const char *help;
} numbers[] = {
	{ "port", &port, 1, 65535, "the broker's, on 127.0.0.1" },
	{ "level", &level, 4, 5, "4: MQTT 3.1.1, 5: MQTT 5.0" },
	{ "pid", &pid, 0, 1u << 30, "the broker's, for its processor time" },
	{ "publishers", &options.publishers, 1, 10000,
	  "or clients of a storm" },
	{ "subscribers", &options.subscribers, 1, 10000, "" },
	{ "count", &options.count, 1, 1000000, "what to keep" },
	{ "sessions", &options.sessions, 1, 10000, "that it is spread over" },
	{ "filters", &options.filters, 2, 1000000, "of wild, all together" },
	{ "topics", &options.topics, 1, 100000, "of a publisher of pairs" },
	{ "others", &options.others, 0, 1000000, "filters of no topic" },
	{ "bystanders", &options.bystanders, 0, 10000, "idle connections" },
	{ "qos", &qos, 0, 2, "" },
	{ "size", &options.size, STAMP_SIZE, 200000, "bytes of a payload" },
	{ "json", &options.json, 0, 1, "payloads of JSON, from 63 bytes" },
	{ "predicates", &options.predicates, 0, 1000,
	  "different ones of the subscribers of fan-out; with json" },
	{ "window", &options.window, 1, 60000, "unacknowledged, a publisher" },
	{ "outstanding", &options.outstanding, 1, 100000,
	  "not yet at all subscribers" },
	{ "burst", &options.burst, 1, 1000, "messages in one write" },
	{ "rate", &options.rate, 0, 1000000, "messages a second, 0: all" },
	{ "warm", &options.warm_ms, 0, 60000, "milliseconds before measuring" },
	{ "time", &options.run_ms, 1, 600000, "milliseconds to measure" },
	{ "channel", &channel, CHANNEL_PLAIN, CHANNEL_WEBSOCKET,
	  "1: through TLS, 2: in WebSocket frames" },
	{ "subscribe", &subscribe, 0, 1, "idle: a subscription each" },
	{ "quiet", &options.quiet_ms, 0, 60000,
	  "milliseconds without a write after which it has settled" },
	{ "durable", &durable, 0, 1, "subscribers with durable sessions" },
	{ "awake", &awake, 0, 1, "never sleep: nobody has to wake us" },
	{ "card", &card, 0, 1000, "descriptor of slow_card's counters" },
	{ "save", &save, 0, 1, "SIGUSR1 makes the broker write its state" },
};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static void usage(FILE *out)
{
	fputs("bench-load LOAD [--OPTION N]...\nloads:", out);
	for (size_t i = 0; i < LOADS; i++)
		fprintf(out, " %s", loads[i].name);
	fputs("\noptions:\n", out);
	for (size_t i = 0; i < NUMBERS; i++)
		fprintf(out, "  --%-12s %u to %u (%u)  %s\n", numbers[i].name,
			numbers[i].min, numbers[i].max, *numbers[i].value,
			numbers[i].help);
}

static void read_options(int argc, char **argv)
{
	struct option list[NUMBERS + 2] = { 0 };
	int i;

	for (size_t n = 0; n < NUMBERS; n++) {
		list[n].name = numbers[n].name;
		list[n].has_arg = required_argument;
	}
	list[NUMBERS].name = "help";
	opterr = 1;
	while (getopt_long(argc, argv, "", list, &i) == 0) {
		char *end;
		unsigned long value;

		if ((size_t)i == NUMBERS) {
			usage(stdout);
			exit(0);
		}
		errno = 0;
		value = strtoul(optarg, &end, 10);
		if (errno || *end || value < numbers[i].min ||
		    value > numbers[i].max)
			die("--%s: %u to %u", numbers[i].name, numbers[i].min,
			    numbers[i].max);
		*numbers[i].value = (unsigned int)value;
	}
	if (optind != argc - 1) {
		usage(stderr);
		exit(2);
	}
}

uint64_t load_cpu(const struct load_options *o)
{
	struct timespec t;
	clockid_t id = CLOCK_PROCESS_CPUTIME_ID;
	int r;

	if (o == &options && !o->pid)
		return 0;
	if (o->pid) {
		r = clock_getcpuclockid(o->pid, &id);
		if (r)
			die("the processor time of %d: %s", (int)o->pid,
			    strerror(r));
	}
	if (clock_gettime(id, &t) < 0)
		die("the broker has ended");
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void load_pause(const char *what, unsigned int count)
{
	int c;

	printf("{\"holds\": \"%s\", \"count\": %u}\n", what, count);
	fflush(stdout);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
}

int main(int argc, char **argv)
{
	const char *name;

	read_options(argc, argv);
	name = argv[optind];
	options.pid = (pid_t)pid;
	options.qos = (int)qos;
	options.subscribe = subscribe;
	options.durable = durable;
	options.save = save;
	options.card = card ? (int)card : -1;
	for (size_t i = 0; i < LOADS; i++) {
		if (strcmp(loads[i].name, name) != 0)
			continue;
		options.shape = loads[i].shape;
		if (options.shape == LOAD_FAN_IN)
			options.subscribers = 1;
		if (options.shape == LOAD_FAN_OUT)
			options.publishers = 1;
		if ((options.shape == LOAD_PAIRS ||
		     options.shape == LOAD_WILD) &&
		    loads[i].run == load_traffic)
			options.subscribers = options.publishers;
		peer_net_open("127.0.0.1", (uint16_t)port, (int)level,
			      (enum channel_kind)channel);
		peer_net.awake = awake;
		return loads[i].run(&options);
	}
	usage(stderr);
	return 2;
}
