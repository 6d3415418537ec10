/*
 * A scripted client on the other end of a socket pair, and a broker that runs
 * only when told to: every test of the broker is a dialogue without a thread.
 */
#ifndef TESTS_SIM_PEER_H
#define TESTS_SIM_PEER_H

#include "broker/core.h"
#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"
#include "tests/broker/sim_store.h"

/* A broker without listeners; store and access may be NULL, access is taken. */
struct broker *sim_broker(struct sim_store *store, struct access *access);
/* The same with options of the test's own. */
struct broker *sim_broker_with(const struct broker_options *options);
/* Turns until nothing more happens. */
void sim_run(struct broker *broker);

struct sim_peer {
	struct broker *broker;
	int fd;
	enum mqtt_version version;
	uint8_t in[256 * 1024];
	size_t len;
};

struct sim_peer *sim_peer_open(struct broker *broker);
/* The same, logged in as user already, as a browser with a session is. */
struct sim_peer *sim_peer_open_as(struct broker *broker, const char *user);
/* The same, from an address. */
struct sim_peer *sim_peer_open_at(struct broker *broker, const char *address);
/* The same, by way of a listener. */
struct sim_peer *sim_peer_open_by(struct broker *broker,
				  struct listener *listener);
/* Closes its end, without a DISCONNECT, and lets the broker notice. */
void sim_peer_close(struct sim_peer *peer);

/* Bytes to the broker, which then runs. */
void sim_peer_send(struct sim_peer *peer, const void *bytes, size_t len);
/* The same, one byte for each turn. */
void sim_peer_drip(struct sim_peer *peer, const void *bytes, size_t len);

/* The next packet, or false when there is none; body is valid until the next
 * call. */
bool sim_peer_next(struct sim_peer *peer, struct frame *frame);
/* The next packet is of this type: its body. Fails the test if not. */
struct slice sim_peer_expect(struct sim_peer *peer, enum mqtt_packet_type type);
void sim_peer_expect_nothing(struct sim_peer *peer);
/* The broker has ended the stream. */
bool sim_peer_ended(struct sim_peer *peer);

/* What clients usually say. */
struct mqtt_connect sim_connect(enum mqtt_version version, const char *id,
				bool clean);
void sim_peer_connect(struct sim_peer *peer, const struct mqtt_connect *packet);
/* Opened, connected, CONNACK success taken. *session_present may be NULL. */
struct sim_peer *sim_client(struct broker *broker, enum mqtt_version version,
			    const char *id, bool clean, bool *session_present);
void sim_peer_subscribe(struct sim_peer *peer, const char *filter, uint8_t qos);
/* SUBACK is taken: its first reason. */
uint8_t sim_peer_subscribed(struct sim_peer *peer, const char *filter,
			    uint8_t qos);
void sim_peer_publish(struct sim_peer *peer, const char *topic,
		      const char *payload, uint8_t qos, bool retain,
		      uint16_t packet_id);
void sim_peer_ack(struct sim_peer *peer, enum mqtt_packet_type type,
		  uint16_t packet_id);
/* A PUBLISH arrives with this topic and payload. Returns its packet identifier. */
uint16_t sim_peer_receive(struct sim_peer *peer, const char *topic,
			  const char *payload, uint8_t qos);
/* The next packet is a PUBLISH: all of it, valid until the next call. */
struct mqtt_publish sim_peer_message(struct sim_peer *peer);
void sim_peer_send_publish(struct sim_peer *peer,
			   const struct mqtt_publish *packet);
/* SUBACK is taken, without looking at what the subscription brings: its reason.
 * identifier 0: none. */
uint8_t sim_peer_subscribed_with(struct sim_peer *peer,
				 const struct mqtt_subscription *entry,
				 uint32_t identifier);
/* DISCONNECT is the next packet and the last: its reason. */
uint8_t sim_peer_disconnected(struct sim_peer *peer);

/* The next packet is this acknowledgement: its reason. */
uint8_t sim_peer_acked(struct sim_peer *peer, enum mqtt_packet_type type,
		       uint16_t packet_id);

#endif
