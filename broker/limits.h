/*
 * Every limit of the broker, with its reason. Those a house may have to change
 * are also in hearth.conf, section [limits], under the same name in lower case;
 * these are then the defaults.
 */
#ifndef BROKER_LIMITS_H
#define BROKER_LIMITS_H

/* Connections at a time, over all listeners: ten times a full house. Memory for
 * each is small; the descriptor table bounds it too. */
#define LIMIT_CONNECTIONS 10000

/* Bytes of a whole packet from a client that has been let in. 1 MiB holds a
 * camera's still; MQTT would allow 256 MiB, a quarter of a Pi. */
#define LIMIT_PACKET_SIZE (1024 * 1024)

/* Bytes of a CONNECT: every string of 3.1.1 at its longest, and some properties.
 * Nobody has been authenticated yet, so no more than these many peers may have
 * more than any device's waiting here, as half of one or behind it; the rest is
 * told Server busy. */
#define LIMIT_CONNECT_SIZE (352 * 1024)
#define LIMIT_CONNECT_USUAL (16 * 1024)
#define LIMIT_CONNECTS_LONG 16

/* Bytes of an AUTH from somebody who is not known yet: a message of SCRAM fits
 * several times. */
#define LIMIT_AUTH_SIZE 4096

/* Milliseconds from accept to a whole CONNECT, and to the last AUTH. */
#define LIMIT_CONNECT_TIME 10000

/* Bytes of a Client Identifier. The specification asks for 23 to be accepted
 * [MQTT-3.1.3-5]; some devices send 60 and more. */
#define LIMIT_CLIENT_ID 1024

/* Bytes of a user name that a certificate may give. */
#define LIMIT_USER_NAME 64

/* Bytes of a listener's mount point: a few levels. */
#define LIMIT_MOUNT_POINT 128

/* Sessions kept for absent clients, expired or not yet. */
#define LIMIT_SESSIONS 20000

/* Subscriptions of one session and of all together. */
#define LIMIT_SUBSCRIPTIONS_PER_SESSION 1000
#define LIMIT_SUBSCRIPTIONS 1000000

/*
 * Predicates, $match/<predicate>/<filter>. Bytes of one as it is written and its
 * comparisons: a screen full. Different ones of one session and of all together:
 * each costs every message that comes to its topics.
 */
#define LIMIT_PREDICATE 1024
#define LIMIT_PREDICATE_TERMS 16
#define LIMIT_PREDICATES_PER_SESSION 200
#define LIMIT_PREDICATES 10000

/* Bytes, depth, and names and values together of a payload that predicates look
 * into: far above what a device says about itself, and what is above matches
 * nothing. The three bound what a message costs, and the memory for reading it,
 * which is taken with the first predicate (128 KiB). */
#define LIMIT_MATCH_PAYLOAD (64 * 1024)
#define LIMIT_MATCH_DEPTH 32
#define LIMIT_MATCH_NODES 4096

/* Bytes that predicates may look at for one message, each counted as often as it is
 * looked at, before the rest of them do not match: some milliseconds. And for all
 * retained messages that one new subscription is compared with. */
#define LIMIT_MATCH_WORK (4 * 1024 * 1024)
#define LIMIT_MATCH_REPLAY_WORK (16 * 1024 * 1024)

/* Stored messages that $history/last/<n>/... may ask for: a chart of a month, and
 * some seconds of a slow client's time. */
#define LIMIT_HISTORY_LAST 100000

/* Replays of what was stored, $history/..., at a time, of one session and of all
 * together: each holds a page (history.h) and delays what is published to its
 * client meanwhile. */
#define LIMIT_PLAYBACKS_PER_SESSION 8
#define LIMIT_PLAYBACKS 64

/* Messages and bytes by which a queue may be longer than usual for that: what comes
 * in the seconds that a large replay takes, at some thousand messages a second. */
#define LIMIT_PLAYBACK_HELD 20000
#define LIMIT_PLAYBACK_HELD_BYTES (4 * 1024 * 1024)

/* Milliseconds after which a client that takes none of what it asked for has to
 * go. */
#define LIMIT_PLAYBACK_STALL 60000

/* Messages and bytes (topic, properties, payload) that wait for one session. */
#define LIMIT_QUEUE_MESSAGES 1000
#define LIMIT_QUEUE_BYTES (1024 * 1024)

/* The same over all sessions: the whole broker must fit in 512 MB. */
#define LIMIT_QUEUE_BYTES_TOTAL (64 * 1024 * 1024)

/* Milliseconds that a full queue may stand still before its subscriber has to go,
 * and that a publisher is held back for the sake of one that moves: longer, so that
 * the former is gone by then, but not as long as clients wait for an answer. */
#define LIMIT_STANDSTILL 5000
#define LIMIT_STALL 10000

/* Our Receive Maximum, and what a 3.1.1 client may have unacknowledged. */
#define LIMIT_RECEIVE_MAXIMUM 1000

/* What we have unacknowledged at one client, when it allows more. The span of
 * packet identifiers in use is at most LIMIT_INFLIGHT_SPAN. */
#define LIMIT_INFLIGHT 1000
#define LIMIT_INFLIGHT_SPAN 4096

/* Topic aliases a client may set. */
#define LIMIT_TOPIC_ALIASES 32

/* Topic aliases we set at a client that allows more: the topics of a dashboard's
 * page. Each costs a copy of its topic. */
#define LIMIT_TOPIC_ALIASES_SENT 64

/* Bytes of hearth.conf's server_reference and response_information: both go into
 * CONNACK. A host name has 253. */
#define LIMIT_SERVER_REFERENCE 270
#define LIMIT_RESPONSE_INFORMATION 128

/* Bytes of a Reason String that we send: a sentence, which the client need not
 * show whole. */
#define LIMIT_REASON_STRING 160

/* Bytes of output that wait in memory for one socket before messages are queued
 * (QoS 1 and 2) or dropped (QoS 0). */
#define LIMIT_OUTPUT (2 * 1024 * 1024)

/* Bytes of one read: large enough that one call empties a busy socket. Shared by
 * all connections of the broker. */
#define LIMIT_READ (256 * 1024)

/* Retained messages: number, and bytes of topic, properties and payload. */
#define LIMIT_RETAINED 100000
#define LIMIT_RETAINED_BYTES (64 * 1024 * 1024)

/* Retained topics that new subscriptions are compared with in one turn of the loop,
 * and as many for those that wait since the last; at least those of one filter:
 * some ten milliseconds. */
#define LIMIT_REPLAY_WORK 100000

/* Topics whose subscribers are remembered, and places for subscribers in all of
 * them: 30,000 devices publish without a walk through the tree, and 7 + 16 MiB are
 * the most it takes (with the places of one more topic). */
#define LIMIT_TOPIC_CACHE 32768
#define LIMIT_TOPIC_CACHE_TARGETS 524288

/* Longest keep-alive in seconds that we grant; a silent peer is noticed after
 * one and a half times that. 18 hours is the longest a client can ask for. */
#define LIMIT_KEEP_ALIVE 65535

/* Seconds a client has to come back after the hub itself has died, before its will
 * is published: most try again within a few, some after half a minute. */
#define LIMIT_WILL_GRACE 30

/* Longest Session Expiry Interval granted, seconds; 30 days. Ghosts end. */
#define LIMIT_SESSION_EXPIRY (30u * 24 * 3600)

/* [durability] max_delay, ms: longer would make a publisher of QoS 1 believe that
 * its message is lost. */
#define LIMIT_MAX_DELAY 1000

/* [store] state_mb: state.db is held in memory as well, whose limits above keep it
 * well below. Less than the least would be full by the queues of a few clients. */
#define LIMIT_STATE_MB 512
#define LIMIT_STATE_MB_LEAST 16
#define LIMIT_STATE_MB_MOST 16384

/* [store] history_mb: its oldest day goes when it is reached; the least holds some
 * days of a small house. */
#define LIMIT_HISTORY_MB 256
#define LIMIT_HISTORY_MB_LEAST 16
#define LIMIT_HISTORY_MB_MOST 65536

/* [store] ballast_mb: what is given up on a full disk must be more than the log of
 * state.db may grow to, or nothing can be deleted any more. 0: none. */
#define LIMIT_BALLAST_MB 48
#define LIMIT_BALLAST_MB_MOST 4096

/* Acknowledgements of one connection that wait for the disk. */
#define LIMIT_GATED 20000

/* Password checks waiting for the hasher; further CONNECTs are told Server busy. */
#define LIMIT_AUTHENTICATIONS 64

/* Bans made by people, and as many that the broker makes itself: each connection
 * is compared with all of them. */
#define LIMIT_BANS 1000

/* Satellites: one for each room of a large house. Each costs the hub a local client,
 * and the report of its lines: some 100 kB. */
#define LIMIT_SATELLITES 16

/* Client identifiers, or addresses, whose connections are counted to notice those
 * that come and go too often; the one quiet longest is forgotten. */
#define LIMIT_TALLY 1024

/* Things gone wrong that are remembered for the dashboard. */
#define LIMIT_NOTICES 32

/* Connections, or take-overs, of one client identifier within a minute from which
 * on it flaps; 0: never. */
#define LIMIT_FLAPPING 30
/* Seconds for which such a client is banned; 0: it is not. */
#define LIMIT_FLAPPING_BAN 0

/* Wrong passwords from one address within a minute after which it is banned; 0:
 * never. This machine never is: many programs share it. */
#define LIMIT_LOGIN_FAILURES 20
/* For so many seconds. */
#define LIMIT_LOGIN_BAN 60

/* Connections a second from one address (IPv6: one /64); 0: any number. */
#define LIMIT_CONNECT_RATE 0

/* Messages, and bytes, a second from one client; 0: any number. */
#define LIMIT_MESSAGE_RATE 0
#define LIMIT_BYTE_RATE 0

/* A trace: seconds and bytes at most, and unless said otherwise; files kept, of
 * which the oldest goes: together they fit beside everything else on a card. */
#define LIMIT_TRACE_SECONDS (24 * 3600)
#define LIMIT_TRACE_SECONDS_USUAL 600
#define LIMIT_TRACE_BYTES (16 * 1024 * 1024)
#define LIMIT_TRACE_BYTES_USUAL (1024 * 1024)
#define LIMIT_TRACE_FILES 8

#endif
