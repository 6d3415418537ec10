/*
 * Every limit of the web side, with its reason. What is over a limit is told so
 * by the HTTP status named here.
 */
#ifndef WEB_LIMITS_H
#define WEB_LIMITS_H

/* Connections at once, waiting for their first request or being served (503).
 * Each costs 32 KiB, 68 KiB with TLS: about 8 MiB at worst. Those handed to the
 * broker count there. */
#define WEB_CONNECTIONS 128

/* Of one address (IPv6: one /64), so that one peer cannot shut out the others
 * (429). A browser opens six. Loopback may have all: there a reverse proxy
 * stands for everybody. */
#define WEB_CONNECTIONS_PER_IP 24

/* Memory of one libmicrohttpd connection: request head and answer head. */
#define WEB_CONNECTION_MEMORY (32 * 1024)

/* A request head, as websocket.h (431). */
#define WEB_HEAD_MAX 8192

/* Absolute, in milliseconds, not renewed by a dripping peer. */
#define WEB_HANDSHAKE_MS 10000 /* TLS */
#define WEB_HEAD_MS 10000 /* the first head of a connection (408) */
#define WEB_REQUEST_MS \
	30000 /* a request with its body, also the next one on
			      * a kept connection from the answer before */
#define WEB_ANSWER_MS \
	120000 /* sending an answer: 2 MiB of history at 140 kbit/s */

/* A JSON body (413). The longest ordinary one is a message to publish. */
#define WEB_BODY_MAX (64 * 1024)

/* Segments of a path, and parameters of a query (400). */
#define WEB_PATH_SEGMENTS 8
#define WEB_QUERY_PARAMETERS 8

/* Sessions of all users; the one idle longest goes. */
#define WEB_SESSIONS 256
/* After so long without a request, and after so long in any case. */
#define WEB_SESSION_IDLE_MS (30u * 60 * 1000)
#define WEB_SESSION_MS (24u * 3600 * 1000)

/* Wrong passwords in a row, of one address or for one user, that cost nothing;
 * from then on each one doubles the wait, up to the longest (429). */
#define WEB_LOGIN_FREE 5
#define WEB_LOGIN_WAIT_MS 1000
#define WEB_LOGIN_WAIT_MAX_MS (5u * 60 * 1000) /* of an address */
#define WEB_LOGIN_USER_WAIT_MAX_MS 30000
/* Attempts of one address, or for one user, under way at once (429): what one
 * address has connections for. */
#define WEB_LOGIN_PENDING WEB_CONNECTIONS_PER_IP
/* Addresses and users remembered for that; the one quiet longest goes. */
#define WEB_LOGIN_REMEMBERED 1024

/* Passwords remembered as right: of the programs that send one with every
 * request. */
#define WEB_KNOWN_PASSWORDS 64

/* Until the broker has acknowledged a publish (504). */
#define WEB_BROKER_MS 10000

/* Event streams at once (503), bytes that wait in one before messages are
 * dropped and the stream says how many, and the comment that shows a stream
 * lives, which is also how one abandoned is noticed. */
#define WEB_STREAMS 32
#define WEB_STREAM_BYTES (256 * 1024)
#define WEB_STREAM_COMMENT_MS 15000

/* Waiting events of a local client that serves one request, and one stream. */
#define WEB_MAILBOX 64
#define WEB_STREAM_MAILBOX 1024

/* Entries of one page of a list. */
#define WEB_PAGE_MAX 1000

#endif
