/*
 * Passwords for requests: the slow work is the hasher's (authenticator.h), and
 * the request waits suspended until its answer comes back. The web thread's
 * alone.
 */
#ifndef WEB_HASHING_H
#define WEB_HASHING_H

#include "broker/authenticator.h"
#include "web/request.h"

struct hashing;

/* result as in struct authenticator_request; answer has the hash that was made,
 * and perhaps SCRAM keys, or the hash that was checked; it is gone afterwards.
 * The function answers the request or starts another job. */
typedef void hashing_fn(struct request *request, int result,
			const struct authenticator_request *answer);

/* authenticator is borrowed. Returns NULL with errno set. */
struct hashing *hashing_new(struct loop *loop,
			    struct authenticator *authenticator);
/* SCRAM keys that somebody else made for a user who had none. */
typedef void hashing_keep_fn(struct web_context *web,
			     const struct authenticator_request *made);
void hashing_keep_with(struct hashing *hashing, struct web_context *web,
		       hashing_keep_fn *fn);

/* After the loop's last turn: answers are taken no more. */
void hashing_stop(struct hashing *hashing);
/* After the authenticator has gone. NULL does nothing. */
void hashing_free(struct hashing *hashing);

/*
 * Become the request's job: verify (hash NULL: a user there is not; takes as
 * long; wants_scram: SCRAM keys, too, if it is right) or make a hash. On error (hasher busy, out of memory) the request has
 * been answered 503 and false comes back; fn is not called then.
 */
bool hashing_verify(struct request *request, const char *hash,
		    const char *password, bool wants_scram, hashing_fn *fn);
bool hashing_make(struct request *request, const char *password,
		  hashing_fn *fn);

#endif
