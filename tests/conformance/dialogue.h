/*
 * What the dialogues of tests/conformance share: a broker under a clock that
 * stands still, whole handshakes in one call, and packets byte by byte.
 */
#ifndef TESTS_DIALOGUE_H
#define TESTS_DIALOGUE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The bytes of a string literal, which may hold NULs. */
#define SEND(peer, literal) sim_peer_send(peer, literal, sizeof(literal) - 1)
#define LITERAL(text)                                     \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

#define DIALOGUE(name) \
	cmocka_unit_test_setup_teardown(name, dialogue_setup, dialogue_teardown)

static const enum mqtt_version versions[] __attribute__((unused)) = {
	MQTT_3_1,
	MQTT_3_1_1,
	MQTT_5_0,
};

/* *state is the broker: no users; each program runs without and with a store. At the end everything is counted. */
int dialogue_setup(void **state);
/* The same with users; access is taken. */
int dialogue_begin(void **state, struct access *access);
int dialogue_teardown(void **state);

/* The next packet is CONNACK. */
struct mqtt_connack dialogue_connack(struct sim_peer *peer);
/* Opened and connected with this packet, CONNACK success taken. */
struct sim_peer *dialogue_connect(struct broker *broker,
				  const struct mqtt_connect *packet);
/* A 5.0 client with a clean start and these limits of its own, 0: none. */
struct sim_peer *dialogue_limited(struct broker *broker, const char *id,
				  uint16_t receive_maximum,
				  uint32_t max_packet);

/* The connection ends, in 5.0 with a DISCONNECT that gives this reason, and
 * nothing else was sent. Frees the peer. */
void dialogue_ended(struct sim_peer *peer, enum mqtt_reason reason);

/* Publish and see the handshake through. */
void dialogue_publish(struct sim_peer *peer, const char *topic,
		      const char *payload, uint8_t qos, bool retain);
/* Receive and see the handshake through. */
void dialogue_receive(struct sim_peer *peer, const char *topic,
		      const char *payload, uint8_t qos);
/* Acknowledge what has been received. */
void dialogue_finish(struct sim_peer *peer, uint8_t qos, uint16_t packet_id);
/* UNSUBSCRIBE with identifier 11, UNSUBACK is taken: its reason in 5.0. */
uint8_t dialogue_unsubscribe(struct sim_peer *peer, const char *filter);
/* DISCONNECT with this reason; expiry below 0: none. */
void dialogue_disconnect(struct sim_peer *peer, enum mqtt_reason reason,
			 int64_t expiry);

#endif
