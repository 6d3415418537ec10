/*
 * May a publish at QoS 1 or 2 be taken? Its acknowledgement promises that all
 * who subscribe will get it, so this is asked before anybody does: either there
 * is room for it in every queue, or nobody gets it.
 *
 * A subscriber that is connected and lags behind is waited for: its publishers'
 * sockets are not read, LIMIT_STALL long for each message. One whose queue has
 * not moved for LIMIT_STANDSTILL is disconnected. When that does not help, or nobody is
 * there to wait for, the publish is refused: with 0x97 (5.0), and since a client
 * of an older protocol cannot be told, by closing its connection.
 *
 * While the store refuses (a full disk), so is what somebody who is away, or a
 * retained value, would need it for; those who are there are served on.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_ADMISSION_H
#define BROKER_ROUTING_ADMISSION_H

#include "broker/routing/publish.h"

struct broker;
struct connection;
struct session;
struct topic_entry;

enum admission {
	ADMITTED,
	ADMISSION_WAIT, /* some subscriber lags behind: ask again */
	ADMISSION_REFUSED,
	ADMISSION_NO_DISK, /* it would have to be kept, and cannot be */
};

/* For p, whose topic is entry's; sets p->admitted. */
enum admission admission_ask(struct broker *broker, struct publish *p,
			     const struct topic_entry *entry);
/* For one receiver and the QoS it would get. */
enum admission admission_of(struct session *session, const struct publish *p,
			    uint8_t qos);

/* What a publish counts for in a queue. */
size_t admission_size(const struct publish *p);

/* Stop reading the connection; the PUBLISH at hand is read again when a queue
 * has moved, or after a while. Returns false when it has waited long enough. */
bool admission_stall(struct connection *connection);
/* At the end of a turn: queues have moved. */
void admission_retry(struct broker *broker);

#endif
