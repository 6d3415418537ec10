/*
 * What can be done to a broker. Each load prints one line of JSON on standard
 * output when it has measured, and its faults (lost, duplicated, reordered,
 * corrupt) are part of it. The loads that measure memory print a line when the
 * broker holds what they are about, and go on when a line comes on standard
 * input.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum load_shape {
	LOAD_PAIRS, /* publisher i to subscriber i */
	LOAD_FAN_IN, /* all publishers to one subscriber */
	LOAD_FAN_OUT, /* one publisher to all subscribers */
	LOAD_WILD, /* pairs; many wildcard filters, a topic in many */
};

struct load_options {
	enum load_shape shape;
	pid_t pid; /* the broker's, for its processor time; 0: unknown */
	unsigned int publishers, subscribers;
	unsigned int count; /* of whatever the load is about */
	unsigned int sessions; /* that the count is spread over */
	unsigned int filters; /* LOAD_WILD: all together */
	unsigned int topics; /* LOAD_PAIRS: of each publisher, in turn */
	unsigned int others; /* filters that match nothing */
	unsigned int bystanders; /* connections that do nothing */
	unsigned int window; /* unacknowledged messages of a publisher */
	unsigned int outstanding; /* messages not yet at all subscribers */
	unsigned int burst; /* messages in one write */
	unsigned int rate; /* messages a second, all together; 0: all it can */
	unsigned int warm_ms, run_ms;
	unsigned int quiet_ms; /* load_settled() */
	int qos;
	unsigned int size; /* of a payload */
	unsigned int json; /* payloads of JSON */
	unsigned int predicates; /* LOAD_FAN_OUT: so many different ones that
				  * all messages fit; 0 none */
	bool subscribe; /* idle connections have a subscription each */
	bool durable; /* subscribers of pairs and fans have durable sessions */
	bool save; /* SIGUSR1 makes the broker write what it keeps */
	int card; /* descriptor of a struct card_count; -1: the kernel counts */
};

/* Messages through the broker for run_ms. */
int load_traffic(const struct load_options *options);
/* Connect, CONNACK, DISCONNECT, over and over. */
int load_storm(const struct load_options *options);
/* Many connections that do nothing. */
int load_idle(const struct load_options *options);
/* Many filters on few connections. */
int load_filters(const struct load_options *options);
/* Retained messages: store, then replay to '#' several times. */
int load_retained(const struct load_options *options);
/* Messages for offline sessions: queue, then drain. */
int load_queue(const struct load_options *options);
/* The same from many publishers at a time, for run_ms: what the disk takes. */
int load_offline(const struct load_options *options);

/* Processor time the broker has used so far, all threads, nanoseconds. */
uint64_t load_cpu(const struct load_options *options);
/* Bytes the broker has written to disk so far. */
uint64_t load_written(const struct load_options *options);
/* The same once it has not written any for quiet_ms; what is kept in memory to be
 * written later is asked for first, if it can be. */
uint64_t load_settled(const struct load_options *options);
/* Tell the driver and wait until it has measured. */
void load_pause(const char *what, unsigned int count);

#endif
