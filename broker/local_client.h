/*
 * A client inside the process, on another thread: same session, ACL, will and
 * QoS rules as any other, without bytes. A handle belongs to one thread, which
 * watches local_client_fd() and takes events.
 *
 * QoS 1 and 2 to a local client are acknowledged when the event is put in its
 * mailbox. When the mailbox is full, messages are counted and dropped (QoS 0)
 * or the client is closed (QoS 1, 2): LOCAL_CLIENT_CLOSED is then its last event.
 */
#ifndef BROKER_LOCAL_CLIENT_H
#define BROKER_LOCAL_CLIENT_H

#include "broker/message.h"
#include "broker/wire/reason.h"

struct broker;
struct local_client;

struct local_client_options {
	const char *client_id; /* unique; "$web-1" and the like */
	const char *user; /* judged as this user; NULL: the system, may all */
	const char *address; /* of the person behind it, for history and log */
	size_t mailbox; /* events that may wait, 1..65536 */
};

/* Returns NULL with errno set. The session is clean. */
struct local_client *
local_client_new(struct broker *broker,
		 const struct local_client_options *options);
/* Unsubscribes and frees; events not taken are dropped. */
void local_client_free(struct local_client *client);

/*
 * Ask the broker; each returns 0 or -EAGAIN (its mailbox is full), -ENOMEM,
 * -EINVAL (topic or filter malformed, qos > 2), and is answered by an event
 * with the same token: for a publish when it would be acknowledged to a remote
 * client (MQTT_SUCCESS, _NO_MATCHING_SUBSCRIBERS, or why not).
 */
int local_client_publish(struct local_client *client, struct slice topic,
			 struct slice payload, uint8_t qos, bool retain,
			 uint64_t token);
int local_client_subscribe(struct local_client *client, struct slice filter,
			   uint8_t qos, uint64_t token);
int local_client_unsubscribe(struct local_client *client, struct slice filter,
			     uint64_t token);

/* Is the predicate of a filter, if it has one, well written? Returns 0, -ENOMEM, or
 * -EINVAL: then *why says what is wrong, and *at in which byte of it, from 1. */
int local_client_judge(struct slice filter, const char **why, size_t *at);

enum local_event_type {
	LOCAL_CLIENT_MESSAGE, /* message, retain */
	LOCAL_CLIENT_ANSWER, /* token, reason, rule */
	LOCAL_CLIENT_CLOSED, /* reason; nothing follows */
};

struct local_event {
	enum local_event_type type;
	struct message
		*message; /* one reference, dropped by local_event_free() */
	bool retain; /* a retained message, sent because of a subscribe */
	uint64_t token;
	enum mqtt_reason reason;
	uint32_t rule; /* of the access table, when refused by one */
};

/* Readable while events wait. */
int local_client_fd(const struct local_client *client);
/* The next event, or NULL. */
struct local_event *local_client_next(struct local_client *client);
void local_event_free(struct local_event *event);

#endif
