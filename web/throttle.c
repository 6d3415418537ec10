#include "web/throttle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/list.h"
#include "web/limits.h"

/* Longer than any address key, user name or prefix; longer names share what
 * their first bytes have. */
#define KEY_SIZE 96

/* Quiet for so long, a slate is clean again. */
#define FORGET_MS (3600u * 1000)

struct entry {
	struct list link; /* least recently touched first */
	char key[KEY_SIZE];
	unsigned int pending; /* attempts under way */
	unsigned int wrong; /* in a row */
	uint64_t last; /* wrong one */
	uint64_t next; /* when the next attempt is let through */
};

struct throttle {
	struct list used;
	struct list unused;
	struct entry entries[WEB_LOGIN_REMEMBERED];
};

struct throttle *throttle_new(void)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (!throttle)
		return NULL;
	list_init(&throttle->used);
	list_init(&throttle->unused);
	for (size_t i = 0; i < WEB_LOGIN_REMEMBERED; i++)
		list_append(&throttle->unused, &throttle->entries[i].link);
	return throttle;
}

void throttle_free(struct throttle *throttle)
{
	free(throttle);
}

static struct entry *find(struct throttle *throttle, const char *key)
{
	struct list *at, *after;

	list_for_each (at, after, &throttle->used) {
		struct entry *entry = list_entry(at, struct entry, link);

		if (strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static struct entry *obtain(struct throttle *throttle, const char *key)
{
	struct entry *entry = find(throttle, key);
	struct list *link;

	if (!entry) {
		/* One of the two lists has the entries. */
		link = list_empty(&throttle->unused) ? throttle->used.next
						     : throttle->unused.next;
		entry = list_entry(link, struct entry, link);
		snprintf(entry->key, sizeof(entry->key), "%s", key);
		entry->pending = 0;
		entry->wrong = 0;
		entry->next = 0;
	}
	list_remove(&entry->link);
	list_append(&throttle->used, &entry->link);
	return entry;
}

static uint64_t wait_of(struct throttle *throttle, const char *key,
			uint64_t now)
{
	struct entry *entry = find(throttle, key);

	if (!entry)
		return 0;
	if (entry->wrong && now - entry->last >= FORGET_MS)
		entry->wrong = 0;
	return entry->wrong > WEB_LOGIN_FREE && entry->next > now
		       ? entry->next - now
		       : 0;
}

static void count_wrong(struct entry *entry, uint64_t now, uint64_t longest)
{
	uint64_t wait = WEB_LOGIN_WAIT_MS;

	entry->wrong++;
	entry->last = now;
	for (unsigned int i = WEB_LOGIN_FREE + 1;
	     i < entry->wrong && wait < longest; i++)
		wait *= 2;
	entry->next = now + (wait < longest ? wait : longest);
}

static void keys(const char *address, const char *user,
		 char by_address[KEY_SIZE], char by_user[KEY_SIZE])
{
	snprintf(by_address, KEY_SIZE, "address %s", address);
	snprintf(by_user, KEY_SIZE, "user %s", user);
}

uint64_t throttle_wait(struct throttle *throttle, const char *address,
		       const char *user, uint64_t now)
{
	char by_address[KEY_SIZE], by_user[KEY_SIZE];
	uint64_t wait, other;

	keys(address, user, by_address, by_user);
	wait = wait_of(throttle, by_address, now);
	other = wait_of(throttle, by_user, now);
	return other > wait ? other : wait;
}

uint64_t throttle_begin(struct throttle *throttle, const char *address,
			const char *user, uint64_t now)
{
	char by_address[KEY_SIZE], by_user[KEY_SIZE];
	uint64_t wait = throttle_wait(throttle, address, user, now);

	if (wait)
		return wait;
	keys(address, user, by_address, by_user);
	if (obtain(throttle, by_address)->pending >= WEB_LOGIN_PENDING ||
	    obtain(throttle, by_user)->pending >= WEB_LOGIN_PENDING)
		return WEB_LOGIN_WAIT_MS;
	obtain(throttle, by_address)->pending++;
	obtain(throttle, by_user)->pending++;
	return 0;
}

void throttle_end(struct throttle *throttle, const char *address,
		  const char *user, enum throttle_result result, uint64_t now)
{
	char by_address[KEY_SIZE], by_user[KEY_SIZE];
	struct entry *entry;

	keys(address, user, by_address, by_user);
	/* Pending is 0 if the entry was given to another key meanwhile. */
	entry = obtain(throttle, by_address);
	if (entry->pending)
		entry->pending--;
	if (result == THROTTLE_WRONG)
		count_wrong(entry, now, WEB_LOGIN_WAIT_MAX_MS);
	entry = obtain(throttle, by_user);
	if (entry->pending)
		entry->pending--;
	if (result == THROTTLE_WRONG)
		count_wrong(entry, now, WEB_LOGIN_USER_WAIT_MAX_MS);
	else if (result == THROTTLE_RIGHT)
		entry->wrong = 0;
}
