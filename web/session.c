#include "web/session.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "web/limits.h"

struct sessions {
	struct list list;
	size_t count;
	uint64_t last_tag;
};

struct sessions *sessions_new(void)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions)
		list_init(&sessions->list);
	return sessions;
}

static struct session *session_of(struct list *link)
{
	return list_entry(link, struct session, link);
}

void sessions_end(struct sessions *sessions, struct session *session)
{
	list_remove(&session->link);
	sessions->count--;
	OPENSSL_cleanse(session, sizeof(*session));
	free(session);
}

void sessions_free(struct sessions *sessions)
{
	struct list *at, *after;

	if (!sessions)
		return;
	list_for_each (at, after, &sessions->list)
		sessions_end(sessions, session_of(at));
	free(sessions);
}

/* size is twice the bytes and one. */
static int random_hex(char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[32];
	size_t n = size / 2;

	if (n > sizeof(bytes) || getrandom(bytes, n, 0) != (ssize_t)n)
		return -EIO;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return 0;
}

static bool hash_id(struct slice id, uint8_t out[SESSION_HASH_SIZE])
{
	return EVP_Digest(id.data, id.len, out, NULL, EVP_sha256(), NULL) == 1;
}

struct session *sessions_start(struct sessions *sessions, const char *user,
			       uint64_t now, char id[SESSION_ID_SIZE])
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	if (random_hex(id, SESSION_ID_SIZE) ||
	    random_hex(session->csrf, SESSION_CSRF_SIZE) ||
	    !hash_id(slice_str(id), session->hash)) {
		free(session);
		errno = EIO;
		return NULL;
	}
	snprintf(session->user, sizeof(session->user), "%s", user);
	session->tag = ++sessions->last_tag;
	session->started = now;
	session->used = now;
	if (sessions->count == WEB_SESSIONS)
		sessions_end(sessions, session_of(list_first(&sessions->list)));
	list_append(&sessions->list, &session->link);
	sessions->count++;
	return session;
}

static bool over(const struct session *session, uint64_t now)
{
	return now - session->used >= WEB_SESSION_IDLE_MS ||
	       now - session->started >= WEB_SESSION_MS;
}

struct session *sessions_find(struct sessions *sessions, struct slice id,
			      uint64_t now)
{
	struct session *found = NULL;
	uint8_t hash[SESSION_HASH_SIZE];
	struct list *at, *after;

	if (id.len != SESSION_ID_SIZE - 1 || !hash_id(id, hash))
		return NULL;
	list_for_each (at, after, &sessions->list) {
		struct session *session = session_of(at);

		if (over(session, now))
			sessions_end(sessions, session);
		else if (CRYPTO_memcmp(session->hash, hash, sizeof(hash)) == 0)
			found = session;
	}
	if (!found)
		return NULL;
	found->used = now;
	list_remove(&found->link);
	list_append(&sessions->list, &found->link);
	return found;
}

void sessions_end_user(struct sessions *sessions, const char *user,
		       const struct session *but)
{
	struct list *at, *after;

	list_for_each (at, after, &sessions->list) {
		struct session *session = session_of(at);

		if (session != but && strcmp(session->user, user) == 0)
			sessions_end(sessions, session);
	}
}
