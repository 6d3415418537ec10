/*
 * What the clients of a house know, and so what the house has promised them. It
 * looks at packets only: an acknowledgement that has arrived is a promise, and a
 * packet that has been sent may have had its effect or not.
 *
 * Plain memory, so that a copy can go on from a simulated power cut while the
 * original goes on without.
 */
#ifndef TESTS_CRASH_MODEL_H
#define TESTS_CRASH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/wire/framing.h"

#define MODEL_CLIENTS 6
#define MODEL_TOPICS 4
#define MODEL_MESSAGES 500
#define MODEL_WINDOW 12 /* publishes of one client under way */
#define MODEL_HELD 600 /* QoS 2 identifiers received */
#define MODEL_UPDATES 400 /* of one topic's retained value */

/* One filter for each topic, so that none matches twice. */
extern const char *const model_topics[MODEL_TOPICS];
extern const char *const model_filters[MODEL_TOPICS];

/* What a client may expect of a message, once its publisher has been told that
 * it was taken. */
enum due {
	DUE_NEVER, /* it had not subscribed, or its session was new since */
	DUE_MAYBE,
	DUE_SURELY,
};

struct sent {
	uint8_t topic;
	uint8_t from; /* client */
	uint8_t qos;
	bool retain;
	bool empty; /* clears a retained value */
	bool taken; /* PUBACK or PUBREC has arrived */
	uint32_t lifetime; /* ms, 0: for ever */
	uint64_t expires; /* house_clock_ms, by the first time it was sent */
	uint64_t expires_last; /* by the last time */
	uint8_t due[MODEL_CLIENTS];
	bool once[MODEL_CLIENTS]; /* QoS 2 from end to end */
	/* Sent again when its first sending may not have reached the client: it
	 * had not subscribed, or that has expired. So it may come behind others. */
	bool late[MODEL_CLIENTS];
	uint8_t came[MODEL_CLIENTS]; /* how often */
};

/* A publish under way. */
struct going {
	uint16_t packet_id;
	uint16_t message;
	bool released; /* PUBREC has come, PUBREL is due or sent */
	bool here; /* sent over the present connection */
};

/* A QoS 2 identifier received, until its PUBREL. */
struct held {
	uint16_t packet_id;
	uint16_t message; /* UINT16_MAX: a retained one */
};

enum attachment {
	MODEL_AWAY,
	MODEL_CONNECTING, /* CONNACK has not come */
	MODEL_ATTACHED,
};

struct party {
	enum mqtt_version version;
	uint32_t expiry; /* 0: its session ends with the connection */
	enum attachment attachment;
	bool may_be_present; /* what the CONNACK under way may say */
	bool has_session; /* promised: it was told so */
	bool may_have_session;
	uint64_t gone; /* house_clock_ms when it went away */
	/* Bit n: may be subscribed with QoS n - 1; bit 0: not at all. More than
	 * one while a change is not acknowledged. */
	uint8_t subscribed[MODEL_TOPICS];
	uint8_t asked; /* topic + 1 of the request under way, or 0 */
	uint8_t asked_bit;
	struct going going[MODEL_WINDOW];
	uint8_t going_count;
	struct held held[MODEL_HELD];
	uint16_t held_count;
	/* Newest message got first, by topic, publisher and QoS, + 1. */
	uint16_t newest[MODEL_TOPICS][MODEL_CLIENTS][3][3];
};

/* The values a topic has been given, in the order the broker saw them. */
struct retained_model {
	uint16_t update[MODEL_UPDATES]; /* message */
	uint16_t count;
	uint16_t first; /* older ones must not be seen any more */
	bool any; /* an update has been promised: it cannot be none */
};

struct model {
	struct sent sent[MODEL_MESSAGES];
	uint16_t count;
	struct party parties[MODEL_CLIENTS];
	struct retained_model retained[MODEL_TOPICS];
	bool blind; /* sees nothing wrong: it cannot know what came first */
	const char *wrong; /* the first promise not kept, or NULL */
	uint32_t wrong_message;
	uint32_t wrong_party;
	uint32_t events; /* counts what has been learnt */
};

void model_init(struct model *m);

/* A promise is broken. */
void model_wrong(struct model *m, const char *what, unsigned int party,
		 unsigned int message);

/* A message is sent (again): who may expect it is decided now. */
void model_publish(struct model *m, uint16_t message, bool again);
void model_taken(struct model *m, uint16_t message);
/* A client gets it with this QoS; not a retained one, not a repetition. */
void model_came(struct model *m, unsigned int party, uint16_t message,
		uint8_t qos);

/* CONNECT is sent. A client that asks for a new session forgets what it knew of
 * the old one; a careful one also when that may have ended. */
void model_connecting(struct model *m, unsigned int party, bool clean);
/* The session may be gone; it is gone; CONNACK says if it was there. */
void model_session_ending(struct model *m, unsigned int party);
void model_session_over(struct model *m, unsigned int party);
void model_connack(struct model *m, unsigned int party, bool present);
/* The connection is lost. */
void model_gone(struct model *m, unsigned int party);
/* Time has passed. */
void model_expire(struct model *m);

/* A change of a subscription has been asked for; has been answered. */
void model_asked(struct model *m, unsigned int party, unsigned int topic,
		 uint8_t bit);
void model_answered(struct model *m, unsigned int party);

/* All have come back and everything has come to rest: is all there? */
void model_settle(struct model *m);
/* The value retained for a topic is this message, or none (UINT16_MAX). */
void model_retained(struct model *m, unsigned int topic, uint16_t message);

#endif
