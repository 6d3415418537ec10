/*
 * Packets of a client, appended whole to its output. Each returns 0, -ENOBUFS
 * (the output is full) or -ENOMEM; then nothing was appended.
 */
#ifndef BROKER_CLIENT_CLIENT_PUT_H
#define BROKER_CLIENT_CLIENT_PUT_H

#include "broker/base/buffer.h"
#include "broker/wire/publish.h"

int client_put_disconnect(struct buffer *out, enum mqtt_version version,
			  enum mqtt_reason reason);
int client_put_puback(struct buffer *out, enum mqtt_version version,
		      uint16_t id);
int client_put_ping(struct buffer *out);
int client_put_subscribe(struct buffer *out, enum mqtt_version version,
			 uint16_t id, struct slice filter, uint8_t qos);
int client_put_publish(struct buffer *out, enum mqtt_version version,
		       const struct mqtt_publish *packet);

#endif
