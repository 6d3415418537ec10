/*
 * Who is owed what: the reference that fuzz_delivery holds the broker against. It
 * knows of a message who had subscribed for certain when it was published, if its
 * publisher was told that it is safe, and who received it.
 */
#ifndef TESTS_FUZZ_LEDGER_H
#define TESTS_FUZZ_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_ACTORS 4
#define LEDGER_TOPICS 4
#define LEDGER_FILTERS 6
#define LEDGER_MESSAGES 512
#define LEDGER_WILLS 512

/* The filter that is shared. */
#define LEDGER_SHARED 5

struct ledger_message {
	uint8_t publisher;
	uint8_t topic;
	uint8_t qos;
	bool acknowledged;
	bool owed[LEDGER_ACTORS];
	bool owed_group; /* to any of its members */
	bool received_group;
	/* Perhaps handed over, and not yet on disk: a member may have had it whose
	 * session does not last, and has ended. */
	bool handed_over;
	uint8_t received[LEDGER_ACTORS]; /* times, by a session of now */
};

struct ledger_session {
	bool subscribed[LEDGER_FILTERS]; /* SUBACK came */
	bool asked
		[LEDGER_FILTERS]; /* SUBSCRIBE went, since the session began */
	bool durable;
	bool shared_once; /* order and number are not its own any more */
	uint32_t newest[LEDGER_ACTORS][LEDGER_TOPICS];
};

/* Of one connection; its number is in the payload. */
struct ledger_will {
	bool may_come;
	uint64_t due; /* until then its session may cancel it; seconds */
};

struct ledger {
	struct ledger_message messages[LEDGER_MESSAGES];
	uint32_t count; /* messages are numbered from 1 */
	struct ledger_session sessions[LEDGER_ACTORS];
	struct ledger_will wills[LEDGER_ACTORS][LEDGER_WILLS];
};

const char *ledger_topic(unsigned int n);
const char *ledger_filter(unsigned int n);

void ledger_ask(struct ledger *l, unsigned int actor, unsigned int filter);
void ledger_subscribed(struct ledger *l, unsigned int actor,
		       unsigned int filter);
/* UNSUBSCRIBE goes now: nothing is owed by this filter any more. */
void ledger_unsubscribe(struct ledger *l, unsigned int actor,
			unsigned int filter);
/* It has ended, or may have. */
void ledger_session_gone(struct ledger *l, unsigned int actor);
/* The broker has lost its memory. */
void ledger_power_cut(struct ledger *l);

/* Returns its number, or 0 when there are too many. */
uint32_t ledger_publish(struct ledger *l, unsigned int actor,
			unsigned int topic, uint8_t qos);
void ledger_acknowledged(struct ledger *l, uint32_t number);
/* A delivery that is new as far as the client can tell. Asserts what holds for
 * each: QoS 2 comes once, and the order is the publisher's. */
void ledger_received(struct ledger *l, unsigned int actor, uint32_t number,
		     uint8_t qos);
/* Nothing is on its way any more: asserts that all that was acknowledged came. */
void ledger_settle(const struct ledger *l);

#endif
