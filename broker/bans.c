#include "broker/bans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/cidr.h"
#include "broker/base/list.h"
#include "broker/limits.h"

struct entry {
	struct list link;
	struct ban ban;
	struct cidr network; /* of BAN_ADDRESS */
	char text[];
};

/* A list is enough: it is read once for each connection, not for a message. */
struct bans {
	struct list entries; /* in order of id */
	size_t manual;
	size_t automatic;
	uint32_t last; /* automatic id given out */
};

static const char *const kinds[] = { "user", "client", "address" };

const char *ban_kind_text(enum ban_kind kind)
{
	return kinds[kind];
}

int ban_kind_parse(const char *text, enum ban_kind *out)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i], text) == 0) {
			*out = (enum ban_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

struct bans *bans_new(void)
{
	struct bans *bans = calloc(1, sizeof(*bans));

	if (bans)
		list_init(&bans->entries);
	return bans;
}

static bool automatic(const struct ban *ban)
{
	return ban->id >= BAN_AUTOMATIC;
}

static size_t *counter(struct bans *bans, const struct entry *entry)
{
	return automatic(&entry->ban) ? &bans->automatic : &bans->manual;
}

static void drop(struct bans *bans, struct entry *entry)
{
	--*counter(bans, entry);
	list_remove(&entry->link);
	free(entry);
}

void bans_free(struct bans *bans)
{
	struct list *at, *after;

	if (!bans)
		return;
	list_for_each (at, after, &bans->entries)
		drop(bans, list_entry(at, struct entry, link));
	free(bans);
}

/* Behind those with a smaller id. */
static void insert(struct bans *bans, struct entry *entry)
{
	struct list *at, *after;
	struct list *before = &bans->entries;

	list_for_each (at, after, &bans->entries)
		if (list_entry(at, struct entry, link)->ban.id < entry->ban.id)
			before = at;
	list_append(before->next, &entry->link);
	++*counter(bans, entry);
}

static struct entry *same(const struct bans *bans, const struct ban *ban)
{
	struct list *at, *after;

	list_for_each (at, after, &bans->entries) {
		struct entry *e = list_entry(at, struct entry, link);

		if (automatic(&e->ban) == automatic(ban) &&
		    e->ban.kind == ban->kind &&
		    strcmp(e->ban.what, ban->what) == 0)
			return e;
	}
	return NULL;
}

static struct entry *oldest_automatic(const struct bans *bans)
{
	struct list *at, *after;

	list_for_each (at, after, &bans->entries) {
		struct entry *e = list_entry(at, struct entry, link);

		if (automatic(&e->ban))
			return e;
	}
	return NULL;
}

static struct entry *make(const struct ban *ban)
{
	const size_t what = strlen(ban->what) + 1;
	const size_t reason = strlen(ban->reason) + 1;
	struct entry *entry = malloc(sizeof(*entry) + what + reason);

	if (!entry)
		return NULL;
	entry->ban = *ban;
	entry->ban.what = memcpy(entry->text, ban->what, what);
	entry->ban.reason = memcpy(entry->text + what, ban->reason, reason);
	return entry;
}

int bans_add(struct bans *bans, const struct ban *ban)
{
	const bool own = automatic(ban);
	struct entry *old = same(bans, ban);
	struct cidr network = { 0 };
	struct entry *entry;

	if (ban->kind == BAN_ADDRESS && cidr_parse(ban->what, &network) < 0)
		return -EINVAL;
	if (!own && !old && bans->manual >= LIMIT_BANS)
		return -ENFILE;
	entry = make(ban);
	if (!entry)
		return -ENOMEM;
	entry->network = network;
	if (own)
		entry->ban.id = BAN_AUTOMATIC + bans->last++ % BAN_AUTOMATIC;
	if (own && !old && bans->automatic >= LIMIT_BANS)
		old = oldest_automatic(bans);
	else if (old)
		entry->ban.hits += old->ban.hits;
	if (old)
		drop(bans, old);
	insert(bans, entry);
	return 0;
}

int bans_remove(struct bans *bans, uint32_t id)
{
	struct list *at, *after;

	list_for_each (at, after, &bans->entries) {
		struct entry *e = list_entry(at, struct entry, link);

		if (e->ban.id == id) {
			drop(bans, e);
			return 0;
		}
	}
	return -ENOENT;
}

void bans_inherit(struct bans *bans, struct bans *old)
{
	struct list *at, *after;

	if (!old)
		return;
	bans->last = old->last;
	list_for_each (at, after, &old->entries) {
		struct entry *e = list_entry(at, struct entry, link);
		struct entry *now = same(bans, &e->ban);

		if (automatic(&e->ban)) {
			--old->automatic;
			list_remove(at);
			insert(bans, e);
		} else if (now) {
			now->ban.hits += e->ban.hits;
		}
	}
	bans_free(old);
}

static bool matches(const struct entry *e, struct slice text,
		    const struct cidr *address)
{
	if (e->ban.kind == BAN_ADDRESS)
		return cidr_contains(&e->network, address);
	return slice_equal(slice_str(e->ban.what), text);
}

/* As text that ends; peers' addresses are short. */
static bool peer_address(struct slice text, struct cidr *out)
{
	char peer[80];

	if (text.len >= sizeof(peer))
		return false;
	memcpy(peer, text.data, text.len);
	peer[text.len] = '\0';
	return cidr_peer(peer, out);
}

const struct ban *bans_find(struct bans *bans, enum ban_kind kind,
			    struct slice text, uint64_t now)
{
	struct cidr address = { 0 };
	struct list *at, *after;

	if (list_empty(&bans->entries) || text.len == 0 ||
	    (kind == BAN_ADDRESS && !peer_address(text, &address)))
		return NULL;
	list_for_each (at, after, &bans->entries) {
		struct entry *e = list_entry(at, struct entry, link);

		if (e->ban.kind == kind && now < e->ban.ends &&
		    matches(e, text, &address)) {
			e->ban.hits++;
			return &e->ban;
		}
	}
	return NULL;
}

size_t bans_count(struct bans *bans, uint64_t now)
{
	struct list *at, *after;

	list_for_each (at, after, &bans->entries) {
		struct entry *e = list_entry(at, struct entry, link);

		if (now >= e->ban.ends)
			drop(bans, e);
	}
	return bans->manual + bans->automatic;
}

struct ban *bans_next(struct bans *bans, struct ban *at)
{
	struct list *next = bans->entries.next;

	if (at)
		next = list_entry(at, struct entry, ban)->link.next;
	return next == &bans->entries
		       ? NULL
		       : &list_entry(next, struct entry, link)->ban;
}
