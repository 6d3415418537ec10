#include "broker/authenticator.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/base/mailbox.h"

#define MAC_LEN 32

/* How soon an answer that met a full mailbox is tried again. */
#define RETRY_MS 10

/* Below the loops: on one core a hash must not hold up a light switch. */
#define NICE 10

struct remembered {
	uint64_t used; /* the larger the later; 0: empty */
	uint8_t mac[MAC_LEN];
};

struct authenticator {
	pthread_t thread;
	struct mailbox *inbox;
	atomic_uint under_way;
	atomic_uint slow; /* of those under way */
	bool make_scram; /* written before anybody submits */
	_Atomic(struct mailbox *) keeper;

	/* The thread's own from here on. */
	struct list waiting; /* for the slow hash */
	struct list late; /* answered, but their mailbox was full */
	char dummy[PASSWORD_HASH_SIZE]; /* what nobody's password fits */
	uint8_t key[MAC_LEN];
	uint64_t uses;
	struct remembered remembered[AUTHENTICATOR_REMEMBERED];
};

struct authenticator_request *
authenticator_request_new(enum authenticator_kind kind, const char *hash,
			  struct slice password)
{
	struct authenticator_request *request;
	size_t len = password.len;

	if (hash && strlen(hash) >= PASSWORD_HASH_SIZE) {
		errno = EINVAL;
		return NULL;
	}
	/* One byte too many is as wrong as a thousand. */
	if (len > PASSWORD_MAX + 1)
		len = PASSWORD_MAX + 1;

	request = calloc(1, sizeof(*request) + len);
	if (!request)
		return NULL;
	request->kind = kind;
	if (hash)
		memcpy(request->hash, hash, strlen(hash));
	request->password_len = len;
	if (len > 0)
		memcpy(request->password, password.data, len);
	return request;
}

static void wipe_password(struct authenticator_request *request)
{
	OPENSSL_cleanse(request->password, request->password_len);
	request->password_len = 0;
}

void authenticator_request_free(struct authenticator_request *request)
{
	if (!request)
		return;
	wipe_password(request);
	OPENSSL_cleanse(request, sizeof(*request));
	free(request);
}

static bool needs_slow_hash(const struct authenticator_request *request)
{
	return request->kind == AUTHENTICATOR_HASH ||
	       strncmp(request->hash, "$sha256$", 8) != 0;
}

/* Take one of limit places; false if none is left. */
static bool take_place(atomic_uint *count, unsigned int limit)
{
	if (atomic_fetch_add(count, 1) < limit)
		return true;
	atomic_fetch_sub(count, 1);
	return false;
}

int authenticator_submit(struct authenticator *authenticator,
			 struct authenticator_request *request)
{
	bool slow = needs_slow_hash(request);

	assert(request->reply);

	if (!take_place(&authenticator->under_way, AUTHENTICATOR_REQUESTS_MAX))
		return -EAGAIN;
	if (slow && !take_place(&authenticator->slow, LIMIT_AUTHENTICATIONS))
		goto err_under_way;
	if (mailbox_post(authenticator->inbox, request) < 0)
		goto err_slow;
	return 0;

err_slow:
	if (slow)
		atomic_fetch_sub(&authenticator->slow, 1);
err_under_way:
	atomic_fetch_sub(&authenticator->under_way, 1);
	return -EAGAIN;
}

/* From here on all is on the hasher's thread. */

/* False if the mailbox is full. The place is given back first: once the
 * requester has its answer it may ask again. */
static bool deliver(struct authenticator *a,
		    struct authenticator_request *request)
{
	atomic_fetch_sub(&a->under_way, 1);
	if (mailbox_post(request->reply, request) == 0)
		return true;
	atomic_fetch_add(&a->under_way, 1);
	return false;
}

static void answer(struct authenticator *a,
		   struct authenticator_request *request, int result)
{
	request->result = result;
	wipe_password(request);
	if (needs_slow_hash(request))
		atomic_fetch_sub(&a->slow, 1);

	/* Those that wait for room already must not starve. */
	if (!list_empty(&a->late) || !deliver(a, request))
		list_append(&a->late, &request->link);
}

/* Out of waiting or late; NULL when empty. */
static struct authenticator_request *take_first(struct list *list)
{
	struct list *at = list_first(list);

	if (!at)
		return NULL;
	list_remove(at);
	return list_entry(at, struct authenticator_request, link);
}

static void retry_late(struct authenticator *a)
{
	struct list *at;
	struct list *after;

	list_for_each (at, after, &a->late) {
		struct authenticator_request *request =
			list_entry(at, struct authenticator_request, link);

		list_remove(at);
		if (!deliver(a, request))
			list_append(after, at); /* back where it was */
	}
}

/* HMAC-SHA256 of "hash NUL password". A hash holds no NUL, so no two pairs give
 * the same text. */
static bool mac_of(const struct authenticator *a,
		   const struct authenticator_request *request,
		   uint8_t mac[MAC_LEN])
{
	uint8_t text[PASSWORD_HASH_SIZE + PASSWORD_MAX];
	size_t len = strlen(request->hash) + 1;
	bool done;

	if (request->password_len > PASSWORD_MAX)
		return false;
	memcpy(text, request->hash, len);
	memcpy(text + len, request->password, request->password_len);
	len += request->password_len;
	done = HMAC(EVP_sha256(), a->key, MAC_LEN, text, len, mac, NULL);
	OPENSSL_cleanse(text, sizeof(text));
	return done;
}

static bool remembers(struct authenticator *a, const uint8_t mac[MAC_LEN])
{
	for (int i = 0; i < AUTHENTICATOR_REMEMBERED; i++) {
		struct remembered *entry = &a->remembered[i];

		if (entry->used &&
		    CRYPTO_memcmp(entry->mac, mac, MAC_LEN) == 0) {
			entry->used = ++a->uses;
			return true;
		}
	}
	return false;
}

static void remember(struct authenticator *a, const uint8_t mac[MAC_LEN])
{
	struct remembered *oldest = &a->remembered[0];

	for (int i = 1; i < AUTHENTICATOR_REMEMBERED; i++) {
		if (a->remembered[i].used < oldest->used)
			oldest = &a->remembered[i];
	}
	memcpy(oldest->mac, mac, MAC_LEN);
	oldest->used = ++a->uses;
}

static bool known(struct authenticator *a,
		  const struct authenticator_request *request)
{
	uint8_t mac[MAC_LEN];

	return mac_of(a, request, mac) && remembers(a, mac);
}

static struct slice password_of(const struct authenticator_request *request)
{
	return slice_of(request->password, request->password_len);
}

/* For a user there is not, or whose stored hash is damaged: as much work as for
 * any other, so that the time taken does not tell. */
static void verify_nobody(const struct authenticator *a,
			  const struct authenticator_request *request)
{
	(void)password_verify(a->dummy, password_of(request));
}

static int verify(struct authenticator *a,
		  const struct authenticator_request *request)
{
	uint8_t mac[MAC_LEN];
	int r;

	if (!*request->hash) {
		verify_nobody(a, request);
		return 0;
	}
	/* Found right while this one waited: a device that came back twice. */
	if (needs_slow_hash(request) && known(a, request))
		return 1;

	r = password_verify(request->hash, password_of(request));
	if (r == -EINVAL)
		verify_nobody(a, request);
	if (r == 1 && needs_slow_hash(request) && mac_of(a, request, mac))
		remember(a, mac);
	return r;
}

/* Does the right password of this request give SCRAM keys, too? */
static bool gives_scram(const struct authenticator *a,
			const struct authenticator_request *request)
{
	return request->wants_scram &&
	       (a->make_scram || !needs_slow_hash(request));
}

/* The login is right without them. */
static void add_scram(struct authenticator_request *request)
{
	if (scram_keys_make(password_of(request),
			    needs_slow_hash(request)
				    ? SCRAM_ITERATIONS_CHOSEN
				    : SCRAM_ITERATIONS_GENERATED,
			    request->scram) < 0)
		request->scram[0] = '\0';
}

static int make(const struct authenticator *a,
		struct authenticator_request *request)
{
	const struct slice password = password_of(request);
	int r = password_hash(PASSWORD_HUMAN, password, request->hash);

	if (r == 0 && a->make_scram && scram_prepared(password))
		r = scram_keys_make(password, SCRAM_ITERATIONS_CHOSEN,
				    request->scram);
	return r;
}

static void work(struct authenticator *a, struct authenticator_request *request)
{
	int r;

	if (request->kind == AUTHENTICATOR_VERIFY)
		r = verify(a, request);
	else
		r = make(a, request);
	if (r == 1 && gives_scram(a, request))
		add_scram(request);
	answer(a, request, r);
}

/* Answer now if that is cheap, else queue it for the slow hash. */
static void sort_in(struct authenticator *a,
		    struct authenticator_request *request)
{
	if (!needs_slow_hash(request))
		work(a, request);
	else if (request->kind == AUTHENTICATOR_VERIFY &&
		 !gives_scram(a, request) && known(a, request))
		answer(a, request, 1);
	else
		list_append(&a->waiting, &request->link);
}

static void cancel_waiting(struct authenticator *a)
{
	struct authenticator_request *request;
	struct list *at;
	struct list *after;

	while ((request = take_first(&a->waiting)))
		answer(a, request, -ECANCELED);
	retry_late(a);
	list_for_each (at, after, &a->late)
		authenticator_request_free(
			list_entry(at, struct authenticator_request, link));
	list_init(&a->late);
}

static int wait_ms(const struct authenticator *a)
{
	if (!list_empty(&a->waiting))
		return 0;
	return list_empty(&a->late) ? -1 : RETRY_MS;
}

static void *run(void *arg)
{
	struct authenticator *a = arg;
	struct authenticator_request *request;
	void *item;

	(void)setpriority(PRIO_PROCESS, 0, NICE); /* of this thread, on Linux */

	for (;;) {
		item = mailbox_wait(a->inbox, wait_ms(a));
		for (; item; item = mailbox_take(a->inbox)) {
			/* It posts itself to say that this was all. */
			if (item == a) {
				cancel_waiting(a);
				return NULL;
			}
			sort_in(a, item);
		}
		retry_late(a);

		request = take_first(&a->waiting);
		if (request)
			work(a, request);
	}
}

/* Signals are the main thread's. */
static int start_thread(struct authenticator *a)
{
	sigset_t all;
	sigset_t old;
	int r;

	sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &old);
	if (r != 0)
		return r;
	r = pthread_create(&a->thread, NULL, run, a);
	if (r == 0)
		(void)pthread_setname_np(a->thread, "hasher");
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

struct authenticator *authenticator_new(void)
{
	struct authenticator *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return NULL;
	list_init(&a->waiting);
	list_init(&a->late);
	atomic_init(&a->under_way, 0);
	atomic_init(&a->slow, 0);

	r = getentropy(a->key, sizeof(a->key)) < 0 ? errno : 0;
	if (r == 0)
		r = -password_stand_in(a->dummy);
	if (r != 0)
		goto err_free;
	/* One more, for the word that ends it. */
	a->inbox = mailbox_new(AUTHENTICATOR_REQUESTS_MAX + 1);
	if (!a->inbox) {
		r = errno;
		goto err_free;
	}
	r = start_thread(a);
	if (r != 0)
		goto err_inbox;

	return a;

err_inbox:
	mailbox_free(a->inbox);
err_free:
	free(a);
	errno = r;
	return NULL;
}

void authenticator_make_scram(struct authenticator *authenticator, bool make)
{
	authenticator->make_scram = make;
}

void authenticator_set_keeper(struct authenticator *authenticator,
			      struct mailbox *keeper)
{
	atomic_store(&authenticator->keeper, keeper);
}

void authenticator_hand_on(struct authenticator *authenticator,
			   struct authenticator_request *request)
{
	struct mailbox *keeper = atomic_load(&authenticator->keeper);

	request->owner = NULL;
	if (!keeper || mailbox_post(keeper, request) < 0)
		authenticator_request_free(request);
}

void authenticator_free(struct authenticator *authenticator)
{
	int r;

	if (!authenticator)
		return;

	r = mailbox_post(authenticator->inbox, authenticator);
	assert(r == 0);
	r = pthread_join(authenticator->thread, NULL);
	assert(r == 0);
	(void)r;

	mailbox_free(authenticator->inbox);
	OPENSSL_cleanse(authenticator, sizeof(*authenticator));
	free(authenticator);
}
