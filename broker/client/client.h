/*
 * A small MQTT client over our codec, for hearth-gpiod and bridges: 3.1.1 and
 * 5.0, over a unix socket, TCP or TLS, on somebody's loop. It connects without
 * waiting, keeps alive, connects again with growing pauses, subscribes again
 * where the server has forgotten, and sends QoS 1 messages until they are
 * acknowledged.
 *
 * Names are looked up by another thread, handshakes are made as the bytes come:
 * nothing here ever waits. QoS 2 is not spoken: what is switched twice is switched
 * once.
 *
 * One thread: that of the loop. Callbacks come out of loop_turn(); they may call
 * everything here but client_free().
 */
#ifndef BROKER_CLIENT_CLIENT_H
#define BROKER_CLIENT_CLIENT_H

#include "broker/wire/framing.h"
#include "broker/wire/properties.h"
#include "broker/wire/reason.h"

/* QoS 1 messages that wait for their acknowledgement, or for a connection:
 * number and bytes. A board has 64 pins with some topics each. */
#define CLIENT_QUEUE_MESSAGES 1000u
#define CLIENT_QUEUE_BYTES ((size_t)1024 * 1024)

/* Of these, how many are under way at once, if the server allows it. */
#define CLIENT_INFLIGHT 100u

/* Bytes of a packet that a server may send to us, and of output that waits. */
#define CLIENT_PACKET_SIZE ((size_t)1024 * 1024)
#define CLIENT_OUTPUT_SIZE ((size_t)2 * 1024 * 1024)

/* Subscriptions of one client. */
#define CLIENT_SUBSCRIPTIONS 64u

/* Milliseconds from looking up to the end of the handshakes, and from there to the
 * CONNACK. */
#define CLIENT_CONNECT_MS 10000u

/* Shortest silence that means something: a busy machine or a lossy wireless link
 * says nothing for some tenths of a second. */
#define CLIENT_PATIENCE_MIN_MS 1000u

struct loop;
struct client;
struct client_tls;

struct client_will {
	const char *topic;
	const char *payload;
	uint8_t qos; /* 0 or 1 */
	bool retain;
};

struct client_options {
	/* "unix:/run/hearth/mqtt.sock", "192.0.2.7:1883", "[2001:db8::7]:1883";
	 * "mqtt://" or "mqtts://" may stand in front, and then a name instead of
	 * the address; the port may be missing. */
	const char *address;
	/* For mqtts:// (client_tls.h), borrowed for as long as the client lives. */
	const struct client_tls *tls;
	const char *client_id;
	const char *username; /* NULL: none */
	const char *password; /* NULL: none */
	const struct client_will *will; /* NULL: none */
	enum mqtt_version version; /* MQTT_3_1_1 or MQTT_5_0 */
	uint32_t session_expiry; /* seconds, 5.0 */
	/* Pause before connecting again: at first, and at most. */
	uint32_t retry_min_ms;
	uint32_t retry_max_ms;
	uint16_t keep_alive; /* seconds; 0: none */
	bool clean_start;
};

/* Borrowed for the time of the callback. */
struct client_message {
	struct slice topic;
	struct slice payload;
	uint8_t qos;
	bool retain; /* sent because of a subscribe: an old one */
	bool dup;
	const struct mqtt_properties *properties; /* present == 0 before 5.0 */
};

struct client_callbacks {
	void (*connected)(void *arg, bool session_present);
	/* The connection has ended or was not made; another is tried. why says
	 * it in words. */
	void (*disconnected)(void *arg, bool was_connected, const char *why);
	void (*message)(void *arg, const struct client_message *message);
	/* May be NULL. A QoS 1 publish has been answered, or could never be
	 * sent to this server. */
	void (*acknowledged)(void *arg, uint64_t token,
			     enum mqtt_reason reason);
	/* May be NULL. The server's answer to a subscribe: granted or why not. */
	void (*subscribed)(void *arg, struct slice filter,
			   enum mqtt_reason reason);
	/* May be NULL. After client_stop(): all is said, the client is idle. */
	void (*stopped)(void *arg);
};

/*
 * Options are copied; callbacks and loop are borrowed. Returns 0, -EINVAL (an
 * address, version, topic or identifier that cannot be, mqtts:// without tls), or
 * -ENOMEM.
 */
int client_new(struct loop *loop, const struct client_options *options,
	       const struct client_callbacks *callbacks, void *arg,
	       struct client **out);
/* Closes the connection as it is: the server sends the will. NULL is accepted. */
void client_free(struct client *client);

/* Connect, from now on and again. */
void client_start(struct client *client);
/* Wait until everything queued has been acknowledged, disconnect properly (the
 * server forgets the will), then call stopped. Without a connection at once. */
void client_stop(struct client *client);
bool client_connected(const struct client *client);
/* QoS 1 messages that have not been acknowledged. */
size_t client_pending(const struct client *client);

/*
 * The connection ends when the server has said nothing for so long, at least
 * CLIENT_PATIENCE_MIN_MS; it is asked in time. 0: one and a half times the
 * keep-alive, as at first.
 */
void client_set_patience(struct client *client, uint64_t ms);
/* When the server gave its last sign of life (loop_now()), be it that it closed the
 * connection; 0: never yet. */
uint64_t client_heard(const struct client *client);

/*
 * Publish. QoS 0 goes out now or not at all: -ENOTCONN. QoS 1 is kept until it is
 * acknowledged, over connections too. Returns 0; -EINVAL (topic, QoS);
 * -ENOBUFS (the queue, or the output to a server that does not read, is full);
 * -EMSGSIZE (larger than the server takes); -ENOMEM. On error it is not sent.
 */
int client_publish(struct client *client, struct slice topic,
		   struct slice payload, uint8_t qos, bool retain,
		   uint64_t token);

/*
 * Subscribe now and after every connect to a server that has not kept the
 * session. qos is 0 or 1. Returns 0, also when the filter was there already;
 * -EINVAL; -ENOBUFS past CLIENT_SUBSCRIPTIONS; -ENOMEM.
 */
int client_subscribe(struct client *client, const char *filter, uint8_t qos);

#endif
