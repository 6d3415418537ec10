#include "broker/access.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/base/hash.h"
#include "broker/wire/topic.h"

/* A filter with its names put in may not grow past what a filter may be. */
#define EXPANDED_MAX 65535

struct rule {
	struct access_rule given; /* strings are own copies */
	size_t filter_len;
	bool substitutes; /* holds %u or %c */
};

struct user {
	struct hash_node node;
	struct access_user given;
};

struct access {
	struct hash_table users;
	struct rule *rules;
	size_t rule_count;
	uint8_t scram_secret[SCRAM_KEY_LEN];
};

struct access *access_new(void)
{
	struct access *access = calloc(1, sizeof(*access));

	if (!access)
		return NULL;
	if (hash_table_init(&access->users) < 0) {
		free(access);
		return NULL;
	}
	return access;
}

static void user_free(struct user *user)
{
	free((void *)(uintptr_t)user->given.name);
	free((void *)(uintptr_t)user->given.password_hash);
	free((void *)(uintptr_t)user->given.scram);
	free(user);
}

static void rule_clear(struct rule *rule)
{
	free((void *)(uintptr_t)rule->given.user);
	free((void *)(uintptr_t)rule->given.filter);
}

void access_free(struct access *access)
{
	struct hash_node *node, *after;
	size_t slot = 0;

	if (!access)
		return;

	node = hash_table_walk(&access->users, &slot, NULL);
	while (node) {
		after = hash_table_walk(&access->users, &slot, node);
		user_free(hash_entry(node, struct user, node));
		node = after;
	}
	hash_table_free(&access->users);
	for (size_t i = 0; i < access->rule_count; i++)
		rule_clear(&access->rules[i]);
	free(access->rules);
	free(access);
}

int access_add_user(struct access *access, const struct access_user *given)
{
	struct slice name = slice_str(given->name);
	struct user *user;

	if (access_find_user(access, name))
		return -EEXIST;

	user = calloc(1, sizeof(*user));
	if (!user)
		return -ENOMEM;
	user->given = *given;
	user->given.name = strdup(given->name);
	user->given.password_hash = strdup(given->password_hash);
	user->given.scram = strdup(given->scram ? given->scram : "");
	if (!user->given.name || !user->given.password_hash ||
	    !user->given.scram) {
		user_free(user);
		return -ENOMEM;
	}

	hash_table_add(&access->users, &user->node, hash_bytes(name));
	return 0;
}

void access_set_scram_secret(struct access *access,
			     const uint8_t secret[SCRAM_KEY_LEN])
{
	memcpy(access->scram_secret, secret, SCRAM_KEY_LEN);
}

const uint8_t *access_scram_secret(const struct access *access)
{
	return access->scram_secret;
}

int access_add_rule(struct access *access, const struct access_rule *given)
{
	struct rule rule = { .given = *given };
	struct rule *grown;

	if (given->id == 0 || !(given->action & ACCESS_READWRITE) ||
	    !topic_filter_valid(slice_str(given->filter)))
		return -EINVAL;

	rule.filter_len = strlen(given->filter);
	rule.substitutes =
		strstr(given->filter, "%u") || strstr(given->filter, "%c");
	rule.given.filter = strdup(given->filter);
	rule.given.user = given->user ? strdup(given->user) : NULL;
	if (!rule.given.filter || (given->user && !rule.given.user))
		goto err_clear;

	grown = realloc(access->rules,
			(access->rule_count + 1) * sizeof(*grown));
	if (!grown)
		goto err_clear;
	access->rules = grown;
	access->rules[access->rule_count++] = rule;
	return 0;

err_clear:
	rule_clear(&rule);
	return -ENOMEM;
}

const struct access_user *access_find_user(const struct access *access,
					   struct slice name)
{
	struct hash_node *node =
		hash_table_first(&access->users, hash_bytes(name));

	for (; node; node = hash_table_next(node)) {
		struct user *user = hash_entry(node, struct user, node);

		if (slice_equal(slice_str(user->given.name), name))
			return &user->given;
	}
	return NULL;
}

/* A name put into a filter must not become a wildcard, further levels or one of
 * the server's own topics: clients choose their identifiers. */
static bool name_is_plain(const char *name)
{
	return name[0] != '\0' && name[0] != '$' && !strpbrk(name, "/+#");
}

/* Writes filter with %u and %c replaced to out. Returns its length, or 0 if the
 * rule does not hold for these names. */
static size_t expand(const struct rule *rule, const char *user,
		     const char *client_id, char out[EXPANDED_MAX])
{
	size_t len = 0;

	for (const char *at = rule->given.filter; *at; at++) {
		const char *name = NULL;
		size_t n = 1;

		if (at[0] == '%' && at[1] == 'u')
			name = user;
		else if (at[0] == '%' && at[1] == 'c')
			name = client_id;
		if (name) {
			if (!name_is_plain(name))
				return 0;
			n = strlen(name);
			at++;
		}
		if (n > EXPANDED_MAX - len)
			return 0;
		memcpy(out + len, name ? name : at, n);
		len += n;
	}
	return len;
}

static bool is_admin(const struct access *access, const char *user)
{
	const struct access_user *found =
		access_find_user(access, slice_str(user));

	return found && found->admin && found->enabled;
}

/* How a rule's filter must lie to what is asked: allow rules and deny rules are
 * compared differently when a whole subscription is judged. */
typedef bool covers_fn(struct slice rule_filter, struct slice asked);

/* Apart, so that only rules with names in them need so much stack. */
__attribute__((noinline)) static bool covers_names(const struct rule *rule,
						   const char *const names[2],
						   struct slice asked,
						   covers_fn *covers)
{
	char filter[EXPANDED_MAX];
	size_t len = expand(rule, names[0], names[1], filter);

	return len > 0 && covers(slice_of(filter, len), asked);
}

static bool rule_covers(const struct rule *rule, const char *const names[2],
			struct slice asked, covers_fn *covers)
{
	if (rule->given.user && strcmp(rule->given.user, names[0]) != 0)
		return false;
	if (rule->substitutes)
		return covers_names(rule, names, asked, covers);
	return covers(slice_of(rule->given.filter, rule->filter_len), asked);
}

static struct access_verdict
judge(const struct access *access, const char *const names[2],
      struct slice asked, enum access_action action, covers_fn *const covers[2])
{
	struct access_verdict verdict = { .allowed = false };

	for (size_t i = 0; i < access->rule_count; i++) {
		const struct rule *rule = &access->rules[i];

		if (!(rule->given.action & action))
			continue;
		if (rule->given.allow && verdict.allowed)
			continue;
		if (!rule_covers(rule, names, asked, covers[rule->given.allow]))
			continue;
		verdict.rule = rule->given.id;
		verdict.allowed = rule->given.allow;
		if (!verdict.allowed)
			break;
	}
	return verdict;
}

struct access_verdict access_may(const struct access *access, const char *user,
				 const char *client_id, struct slice topic,
				 enum access_action action)
{
	const char *const names[2] = { user, client_id };
	covers_fn *const covers[2] = { topic_matches, topic_matches };

	if (!access)
		return (struct access_verdict){
			.allowed = topic.len > 0 && topic.data[0] != '$',
		};
	if (is_admin(access, user))
		return (struct access_verdict){ .allowed = true,
						.admin = true };
	return judge(access, names, topic, action, covers);
}

struct access_verdict access_may_subscribe(const struct access *access,
					   const char *user,
					   const char *client_id,
					   struct slice filter)
{
	const char *const names[2] = { user, client_id };
	covers_fn *const covers[2] = { topic_filter_contains,
				       topic_filters_overlap };

	if (!access)
		return (struct access_verdict){
			.allowed = filter.len > 0 && filter.data[0] != '$',
		};
	if (is_admin(access, user))
		return (struct access_verdict){ .allowed = true,
						.admin = true };
	return judge(access, names, filter, ACCESS_READ, covers);
}
