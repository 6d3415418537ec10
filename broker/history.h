/*
 * The broker's door to what was stored: a table of functions that the broker
 * calls. db/ fills it in; tests fill it with one in memory; the broker also runs
 * with none (NULL), and then refuses $history/... subscriptions.
 *
 * A request asks for the stored messages of one subscription, page by page, and
 * travels: ask() hands it over, answer() brings it back with the next page. What
 * belongs to it is fixed by its first ask(): all that store->history() was given
 * before, and nothing that it is given later. So whoever delivers those pages and
 * then what was published since has no gap and no repeat.
 *
 * Called by the broker thread; nothing here waits.
 */
#ifndef BROKER_HISTORY_H
#define BROKER_HISTORY_H

#include "broker/message.h"

struct history;

/* Messages, and bytes of topics and payloads, of one page: large enough that the
 * way there and back does not count, small enough that many fit in memory. The
 * last message of a page may exceed the bytes. */
#define HISTORY_PAGE 256
#define HISTORY_PAGE_BYTES ((size_t)64 * 1024)

struct history_row {
	struct message *message; /* one reference; its time is when it came */
	bool cut; /* only the payload's first part was kept, or may have been */
};

struct history_request {
	uint64_t token; /* whoever asks knows it by this */

	/* The question, which stays the same from page to page. */
	uint32_t last; /* so many of the newest; 0: all since */
	int64_t since; /* ms since 1970 UTC */

	/* The answer. */
	int result; /* 0, or a negative errno: no rows, and no more will come */
	bool more; /* ask again: a page may be empty all the same */
	size_t count;
	struct history_row rows[HISTORY_PAGE]; /* oldest first */

	/* Where it stands: the door's own. */
	bool marked;
	bool found; /* first is the first that belongs to it */
	int64_t first; /* of the rows not given yet */
	int64_t end; /* the last that belongs to it */
	int64_t scan; /* looking for the first, so far down */
	uint32_t missing; /* of the last so many */
	struct message **tail; /* what was not written yet; or NULL */
	size_t tail_count;
	size_t tail_next; /* the first that was not given yet */
	size_t tail_bytes; /* of all of it */

	size_t filter_len;
	uint8_t filter[];
};

struct history_ops {
	/* The request is taken and comes back by answer(), once. Its rows must
	 * have been taken out of it. Returns 0, or -ENOMEM or -EAGAIN: it is
	 * still the caller's. */
	int (*ask)(struct history *history, struct history_request *request);
	/* One that has come back, or NULL. */
	struct history_request *(*answer)(struct history *history);
	/* Readable while there is one; answer() until NULL makes it unreadable. */
	int (*fd)(const struct history *history);
	/* A request that was asked and is here again is not asked any more. It is
	 * not freed by this. */
	void (*over)(struct history *history, struct history_request *request);
};

/* The first member of whatever implements it. */
struct history {
	const struct history_ops *ops;
};

/* filter is copied. NULL when out of memory. */
struct history_request *history_request_new(struct slice filter);
/* Drops all references. NULL does nothing. */
void history_request_free(struct history_request *request);
/* Only those of its rows. */
void history_request_clear(struct history_request *request);

static inline struct slice
history_request_filter(const struct history_request *r)
{
	return slice_of(r->filter, r->filter_len);
}

#endif
