/*
 * A client that does what the specification asks of it, at the other end of a
 * socket pair, though it may vanish at any moment; what it says and hears is
 * entered in the ledger. Its acknowledgements wait until it is told to send them.
 */
#ifndef TESTS_FUZZ_ACTOR_H
#define TESTS_FUZZ_ACTOR_H

#include "broker/core.h"
#include "broker/wire/framing.h"
#include "tests/fuzz/ledger.h"

/* Everything an input may do happens within a session's life. */
#define ACTOR_EXPIRY (24u * 3600)
#define ACTOR_ACKS 1024
#define ACTOR_BYTES (64 * 1024)

struct actor_options {
	bool clean_start;
	bool durable;
	bool will;
	uint32_t will_delay; /* seconds */
	uint16_t receive_maximum; /* 0: none */
};

struct actor {
	struct ledger *ledger;
	unsigned int number;
	enum mqtt_version version;
	int fd; /* -1: away */
	bool connected; /* CONNACK came */
	bool certain; /* its session exists, and outlives a power cut */
	struct actor_options options; /* of the last CONNECT */
	uint8_t in[ACTOR_BYTES];
	size_t len;
	bool started[65536]; /* QoS 2 identifiers received, not released */
	struct {
		enum mqtt_packet_type type;
		uint16_t packet_id;
	} acks[ACTOR_ACKS];
	size_t ack_count;
	/* By filter: SUBSCRIBEs of this connection that wait for their SUBACK,
	 * and those of them, the first, that an UNSUBSCRIBE has followed. */
	unsigned int asking[LEDGER_FILTERS];
	unsigned int given_up[LEDGER_FILTERS];
	uint16_t connections; /* with a will */
};

void actor_init(struct actor *a, unsigned int number, struct ledger *ledger);

/* CONNECT, on a new connection; what came on an older one and was not read is
 * lost with it. */
void actor_connect(struct actor *a, struct broker *broker, uint64_t now,
		   const struct actor_options *options);
/* Without a word, or the broker went. */
void actor_vanish(struct actor *a, uint64_t now);
/* And the broker runs until it knows. */
void actor_disconnect(struct actor *a, struct broker *broker, uint64_t now);

/* These do nothing unless connected. */
void actor_subscribe(struct actor *a, unsigned int filter, uint8_t qos);
void actor_unsubscribe(struct actor *a, unsigned int filter);
void actor_publish(struct actor *a, unsigned int topic, uint8_t qos);
/* Send so many of the acknowledgements that wait. */
void actor_acknowledge(struct actor *a, size_t count);

/* Take in what has come. Returns whether anything had. */
bool actor_read(struct actor *a, uint64_t now);

#endif
