/*
 * Acknowledgements of one connection that wait until what they promise is on
 * disk, in the order in which they leave. The common case, nothing to wait for,
 * never comes here.
 *
 * Broker thread only.
 */
#ifndef BROKER_SESSION_GATE_H
#define BROKER_SESSION_GATE_H

#include "broker/base/list.h"
#include "broker/base/slice.h"

struct message;

struct gated {
	uint64_t ticket; /* commit number that opens it */
	struct message *
		message; /* reference; what must be over as well (hold.h), or NULL */
	uint8_t *
		packet; /* owned, whole; NULL: an acknowledgement of four or five
			  * bytes made of the rest */
	uint32_t packet_len;
	uint16_t packet_id;
	uint8_t type; /* enum mqtt_packet_type */
	uint8_t reason;
};

struct gate {
	struct list link; /* in the broker's list while not empty */
	struct gated *ring;
	uint32_t cap; /* power of two or 0 */
	uint32_t head;
	uint32_t count;
};

void gate_init(struct gate *gate);
void gate_clear(struct gate *gate);

/* Returns 0; -ENOBUFS when LIMIT_GATED wait; -ENOMEM. packet and message are
 * taken on success. */
int gate_push(struct gate *gate, const struct gated *gated);
/* The first, if committed has reached its ticket and nobody is waited for any
 * more, else false. Its packet is the caller's to free; the message is dropped. */
bool gate_pop(struct gate *gate, uint64_t committed, struct gated *out);

#endif
