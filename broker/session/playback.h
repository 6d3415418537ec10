/*
 * $history/...: a subscription that begins with what was stored. Its messages are
 * read page by page through the door (history.h) and sent at QoS 0, whatever QoS
 * was granted, as the socket takes them; the next page is asked for when the last
 * one is gone. Each is asked of the access rules on its own, is sent to clients of
 * 5.0 with the user property history-time (ms since 1970 UTC), and never has the
 * RETAIN flag.
 *
 * From the SUBSCRIBE on whatever is published waits in the session's outbox until
 * all its playbacks are over: the door fixes which messages are stored ones in the
 * same instant, so none is missing and none comes twice. While they wait, and until
 * they have gone, the queue may be longer than others (backlog.h).
 *
 * A playback ends with its subscription and with its connection: the session that
 * comes back later goes on with what was published since.
 *
 * Broker thread only.
 */
#ifndef BROKER_SESSION_PLAYBACK_H
#define BROKER_SESSION_PLAYBACK_H

#include "broker/wire/history_filter.h"
#include "broker/wire/reason.h"

struct broker;
struct playback;
struct session;
struct subscription;

/* Watch the door. Returns 0 or a negative errno. */
int playback_open(struct broker *broker);
/* All that are left, when the broker ends. */
void playback_close(struct broker *broker);

/* Can one more be begun for the session? why is set if not. */
enum mqtt_reason playback_judge(const struct session *session,
				const char **why);

/* One for the session, of stored messages of filter. NULL when out of memory. */
struct playback *playback_new(struct session *session, struct slice filter,
			      const struct history_filter *asked);
/* One that was not begun. NULL does nothing. */
void playback_free(struct playback *playback);
/* The subscription is made: begin, instead of one that it may still have. Without
 * memory the connection is closed soon. */
void playback_begin(struct playback *playback,
		    const struct subscription *subscription);

/* The subscription ends. */
void playback_cancel(struct session *session,
		     const struct subscription *subscription);
/* The session's connection ends, or the session itself. */
void playback_stop(struct session *session);

/* Does what has this seq in the outbox of a session that is playing wait? */
bool playback_holds(const struct session *session, uint64_t seq);

/* Everything that does not wait has been sent: go on. Returns true when the last one
 * is over by that and what was held may go. */
bool playback_pump(struct session *session);

/* Once a second: whoever does not take what it asked for has to go. */
void playback_sweep(struct broker *broker);

#endif
