/*
 * The beginning of a client's connection: its CONNECT, and what the server's
 * CONNACK allows.
 */
#ifndef BROKER_CLIENT_CLIENT_CONNECT_H
#define BROKER_CLIENT_CLIENT_CONNECT_H

#include "broker/client/client.h"
#include "broker/wire/connect.h"

/* The whole CONNECT packet, to be freed by the caller. Returns 0, -EINVAL (an
 * option that cannot be) or -ENOMEM. */
int client_connect_make(const struct client_options *options, uint8_t **bytes,
			size_t *len);

/* What the server takes; before 5.0 it says nothing and takes all. */
struct client_server {
	uint16_t receive_maximum;
	uint32_t maximum_packet_size;
	uint8_t maximum_qos;
	bool retain_available;
	uint64_t keep_alive_ms; /* 0: none */
};

/* keep_alive is what we asked for, in seconds. */
void client_server_learn(struct client_server *server,
			 const struct mqtt_properties *from,
			 uint16_t keep_alive);
/* Can it take such a message at all? MQTT_SUCCESS, or why not. */
enum mqtt_reason client_server_verdict(const struct client_server *server,
				       size_t size, uint8_t qos, bool retain);

#endif
