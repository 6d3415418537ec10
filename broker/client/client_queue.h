/*
 * QoS 1 messages on their way from a client to the server, in order. Each is
 * kept as the bytes of its PUBLISH, made once; its packet identifier and DUP
 * flag are patched in when it is sent.
 */
#ifndef BROKER_CLIENT_CLIENT_QUEUE_H
#define BROKER_CLIENT_CLIENT_QUEUE_H

#include "broker/base/list.h"
#include "broker/wire/publish.h"

struct client_queue {
	struct list entries; /* those sent first, then the others */
	size_t count;
	size_t bytes;
	size_t inflight; /* sent, not acknowledged */
};

struct client_queued {
	struct list link;
	uint64_t token;
	uint16_t id; /* 0: not sent on any connection yet */
	bool sent; /* on this connection */
	bool retain;
	size_t id_at;
	size_t len;
	uint8_t bytes[];
};

void client_queue_init(struct client_queue *queue);
void client_queue_clear(struct client_queue *queue);

/* Returns 0, -ENOBUFS or -ENOMEM. packet is copied; its identifier is not
 * looked at. */
int client_queue_add(struct client_queue *queue, enum mqtt_version version,
		     const struct mqtt_publish *packet, uint64_t token);
/* The first that has not been sent on this connection, or NULL. */
struct client_queued *client_queue_next(const struct client_queue *queue);
/* By its identifier, among those sent on this connection; or NULL. */
struct client_queued *client_queue_find(const struct client_queue *queue,
					uint16_t id);
/* Is the identifier given to an entry, sent on this connection or before? */
bool client_queue_has_id(const struct client_queue *queue, uint16_t id);
void client_queue_sent(struct client_queue *queue, struct client_queued *entry,
		       uint16_t id);
/* Takes it out and frees it. */
void client_queue_remove(struct client_queue *queue,
			 struct client_queued *entry);
/*
 * A new connection: nothing has been sent on it. same_session: what was sent
 * before keeps its identifier and goes out as a duplicate [MQTT-4.4.0-1]; else
 * it is a new message to a server that has forgotten.
 */
void client_queue_rewind(struct client_queue *queue, bool same_session);

#endif
