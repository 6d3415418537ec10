/*
 * The hasher: one thread that checks and makes password hashes, slow on purpose,
 * so that nobody's loop stands still meanwhile. Broker and web both use it.
 *
 * A request is allocated by its requester, passes to the hasher with
 * authenticator_submit() and comes back, answered, through the requester's own
 * mailbox. Checks that cost nothing (a generated secret; a password found right
 * since start) are answered before slow ones, so a flood of wrong passwords does
 * not keep devices out. (A quick refusal tells that a user with a generated secret
 * has this name, but there are 2^128 secrets.) What was found right is remembered
 * as an HMAC, under a key of this start, over the exact stored hash and the
 * password: with another hash stored, nothing remembered fits.
 */
#ifndef BROKER_AUTHENTICATOR_H
#define BROKER_AUTHENTICATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/list.h"
#include "broker/base/password.h"
#include "broker/base/scram_keys.h"
#include "broker/base/slice.h"
#include "broker/limits.h"

struct authenticator;
struct mailbox;

/* Requests under way, of all requesters together; those that need the slow hash
 * may take LIMIT_AUTHENTICATIONS of them. Reply mailboxes hold this many; while
 * one is full the hasher keeps its answers and tries again. */
#define AUTHENTICATOR_REQUESTS_MAX 256

/* Passwords remembered as right; the least recently used goes. */
#define AUTHENTICATOR_REMEMBERED 256

enum authenticator_kind {
	AUTHENTICATOR_VERIFY, /* is password the one of hash? */
	AUTHENTICATOR_HASH, /* make what is stored of a person's password */
};

struct authenticator_request {
	struct list link; /* the hasher's while it has the request */
	enum authenticator_kind kind;
	/* VERIFY: the stored hash. HASH: on success the new one. */
	char hash[PASSWORD_HASH_SIZE];
	/* HASH, and VERIFY that found right and was asked for them: the SCRAM keys,
	 * or "" if the owner wants none of a chosen password. */
	char scram[SCRAM_TEXT_SIZE];
	bool wants_scram; /* VERIFY: the user has none yet */
	char user[LIMIT_USER_NAME + 1]; /* whose they are: for the keeper */
	/* VERIFY: 1 right, 0 wrong, or -EINVAL: the stored hash is damaged.
	 * HASH: 0, or -EINVAL: the password is too short or too long.
	 * Both: -ENOMEM, -EIO; -ECANCELED when the hasher ends before. */
	int result;

	/* The requester's, for finding its way back. */
	struct mailbox *reply;
	uint64_t token;
	void *owner;

	size_t password_len; /* wiped once answered */
	uint8_t password[];
};

/*
 * Copies both. hash is NULL (or "") for a user there is not or who may not come
 * in, and for HASH: to verify without one takes as long as with one and finds the
 * password wrong. Of a password longer than PASSWORD_MAX only so much is kept as
 * shows that it is: it is wrong, or -EINVAL for HASH. The caller sets reply, and
 * token and owner as it likes. Returns NULL with errno ENOMEM, or EINVAL if hash
 * is too long to be one of ours.
 */
struct authenticator_request *
authenticator_request_new(enum authenticator_kind kind, const char *hash,
			  struct slice password);
/* Wipes it first. NULL does nothing. */
void authenticator_request_free(struct authenticator_request *request);

/* Starts the thread. Returns NULL with errno set. */
struct authenticator *authenticator_new(void);

/* Make SCRAM keys with each new hash (hearth.conf, scram). Before anybody
 * submits; not unless told. */
void authenticator_make_scram(struct authenticator *authenticator, bool make);

/* Any thread; answers come in no order. Returns 0: the request is the hasher's
 * until it comes back; or -EAGAIN: too many are under way, and it is still the
 * caller's. */
int authenticator_submit(struct authenticator *authenticator,
			 struct authenticator_request *request);

/* Where SCRAM keys go that somebody made who cannot keep them: a mailbox that
 * outlives everybody who hands on. */
void authenticator_set_keeper(struct authenticator *authenticator,
			      struct mailbox *keeper);
/* Any thread: give an answered request with its SCRAM keys to the keeper, who frees
 * it; without one, or when its mailbox is full, it is freed. owner is NULL then. */
void authenticator_hand_on(struct authenticator *authenticator,
			   struct authenticator_request *request);

/* Ends the thread, after nobody submits any more and before reply mailboxes are
 * freed: requests under way come back with -ECANCELED, or are freed when their
 * mailbox is full. NULL does nothing. */
void authenticator_free(struct authenticator *authenticator);

#endif
