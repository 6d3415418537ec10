/*
 * Any bytes as the file that a person has pasted for a satellite to join its hub.
 * What is taken is whole and says what it said, line by line; what is not says
 * why, and leaves nothing behind.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gpio/join.h"
#include "gpio/topics.h"
#include "tests/fuzz/fuzz.h"

static void check_value(const char *value)
{
	size_t len = strlen(value);

	assert(len > 0 && len <= JOIN_VALUE_MAX);
	assert(!strchr(value, '\n'));
	assert(!strchr(" \t", value[0]) && !strchr(" \t\r", value[len - 1]));
}

static void check_taken(const struct join *join)
{
	const char *const needed[] = { join->hub, join->node, join->user,
				       join->password };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		assert(needed[i]);
		check_value(needed[i]);
	}
	if (join->server_name)
		check_value(join->server_name);
	if (join->ca)
		check_value(join->ca);
	assert(memcmp(join->hub, "mqtts://", 8) == 0);
	assert(topics_node_valid(join->node));
	assert(!join->ca != !join->pem);
	if (join->pem)
		assert(strstr(join->pem, "-----BEGIN "));
}

static void line(FILE *out, const char *key, const char *value)
{
	if (value)
		(void)fprintf(out, "%s=%s\n", key, value);
}

/* Written down again it is the same. */
static void check_again(const struct join *join)
{
	char why[JOIN_WHY_SIZE];
	struct join again;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert(out);
	line(out, "password", join->password);
	line(out, "user", join->user);
	line(out, "node", join->node);
	line(out, "hub", join->hub);
	line(out, "server-name", join->server_name);
	line(out, "ca", join->ca);
	(void)fputs(join->pem ? join->pem : "", out);
	assert(fclose(out) == 0);
	assert(join_parse(slice_of(text, len), &again, why) == 0);
	assert(strcmp(again.hub, join->hub) == 0);
	assert(strcmp(again.node, join->node) == 0);
	assert(strcmp(again.user, join->user) == 0);
	assert(strcmp(again.password, join->password) == 0);
	assert(!join->ca || strcmp(again.ca, join->ca) == 0);
	assert(!join->pem || strcmp(again.pem, join->pem) == 0);
	assert(!join->server_name ||
	       strcmp(again.server_name, join->server_name) == 0);
	join_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_copy copy = fuzz_copy(data, size);
	struct join join = { 0 };
	char why[JOIN_WHY_SIZE];
	int r = join_parse(copy.bytes, &join, why);

	assert(r == 0 || r == -EINVAL);
	assert((r == 0) == (why[0] == '\0'));
	assert(memchr(why, 0, sizeof(why)));
	if (r == 0) {
		check_taken(&join);
		check_again(&join);
		join_free(&join);
	}
	assert(!join.hub && !join.password && !join.pem);
	fuzz_copy_free(&copy);
	return 0;
}
