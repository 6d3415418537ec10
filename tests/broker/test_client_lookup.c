/* Names looked up by a thread. The resolver is the test. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/loop.h"
#include "broker/client/client.h"
#include "broker/client/client_lookup.h"
#include "tests/failing_malloc.h"

#define DEADLINE_MS 30000

/* Held by the test: the resolver hangs. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static unsigned int asked; /* both guarded by gate */
static unsigned int answered;
static unsigned int addresses; /* that there are; 0: no such name */

int __real_getaddrinfo(const char *host, const char *port,
		       const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port,
		       const struct addrinfo *hints, struct addrinfo **out);
void __wrap_freeaddrinfo(struct addrinfo *list);

int __wrap_getaddrinfo(const char *host, const char *port,
		       const struct addrinfo *hints, struct addrinfo **out)
{
	static struct sockaddr_in in[2 * CLIENT_LOOKUP_MAX];
	static struct addrinfo list[2 * CLIENT_LOOKUP_MAX];
	unsigned int count;

	/* Whether it is numeric is found out at once. */
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	assert_string_equal(host, "hub.local");
	assert_string_equal(port, "8883");
	(void)pthread_mutex_lock(&gate);
	asked++;
	(void)pthread_cond_broadcast(&moved);
	while (answered < asked)
		(void)pthread_cond_wait(&moved, &gate);
	count = addresses;
	(void)pthread_mutex_unlock(&gate);
	for (unsigned int i = 0; i < count; i++) {
		in[i].sin_family = AF_INET;
		in[i].sin_port = (in_port_t)i;
		list[i].ai_addr = (struct sockaddr *)(void *)&in[i];
		list[i].ai_addrlen = sizeof(in[i]);
		list[i].ai_next = i + 1 < count ? &list[i + 1] : NULL;
	}
	*out = list;
	return count ? 0 : EAI_AGAIN;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

static void answer(unsigned int count)
{
	(void)pthread_mutex_lock(&gate);
	addresses = count;
	answered++;
	(void)pthread_cond_broadcast(&moved);
	(void)pthread_mutex_unlock(&gate);
}

static unsigned int times_asked(void)
{
	unsigned int n;

	(void)pthread_mutex_lock(&gate);
	n = asked;
	(void)pthread_mutex_unlock(&gate);
	return n;
}

static int setup(void **state)
{
	(void)state;
	asked = 0;
	answered = 0;
	return 0;
}

static const char name[] = "mqtts://hub.local";

static void await(const struct client_lookup *lookup)
{
	struct pollfd p = { .fd = client_lookup_fd(lookup), .events = POLLIN };

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
}

static void test_a_name_has_its_addresses_in_turn(void **state)
{
	struct client_lookup *lookup;
	struct client_address address;

	(void)state;
	assert_int_equal(client_address_parse(name, &address), 0);
	assert_int_equal(address.len, 0);
	assert_true(address.tls);
	assert_int_equal(client_lookup_start(&address, &lookup), 0);
	assert_int_equal(client_lookup_take(lookup, 0, &address), -EAGAIN);
	/* More than are looked at. */
	answer(CLIENT_LOOKUP_MAX + 3);
	await(lookup);
	for (unsigned int i = 0; i < 2 * CLIENT_LOOKUP_MAX; i++) {
		struct sockaddr_in in;

		assert_int_equal(client_lookup_take(lookup, i, &address), 0);
		assert_int_equal(address.len, sizeof(in));
		memcpy(&in, &address.storage, sizeof(in));
		assert_int_equal(in.sin_port, i % CLIENT_LOOKUP_MAX);
	}
	client_lookup_free(lookup);
}

static void test_a_name_that_is_not_there_is_said_so(void **state)
{
	struct client_lookup *lookup;
	struct client_address address;

	(void)state;
	assert_int_equal(client_address_parse(name, &address), 0);
	assert_int_equal(client_lookup_start(&address, &lookup), 0);
	answer(0);
	await(lookup);
	assert_int_equal(client_lookup_take(lookup, 0, &address),
			 -EHOSTUNREACH);
	client_lookup_free(lookup);
}

/* The thread ends later, and frees what it holds. */
static void test_one_that_nobody_wants_any_more_ends_by_itself(void **state)
{
	struct client_lookup *lookup;
	struct client_address address;

	(void)state;
	assert_int_equal(client_address_parse(name, &address), 0);
	assert_int_equal(client_lookup_start(&address, &lookup), 0);
	client_lookup_free(lookup);
	(void)pthread_mutex_lock(&gate);
	while (asked == 0)
		(void)pthread_cond_wait(&moved, &gate);
	(void)pthread_mutex_unlock(&gate);
	answer(1);
	client_lookup_free(NULL);
}

static unsigned int failed;
static char why[192];

static void on_disconnected(void *arg, bool was_connected, const char *text)
{
	(void)arg;
	assert_false(was_connected);
	failed++;
	(void)snprintf(why, sizeof(why), "%s", text);
}

/* However often the client gives up waiting: one thread, and its answer counts. */
static void test_a_resolver_that_hangs_is_asked_once(void **state)
{
	const struct client_callbacks callbacks = {
		.disconnected = on_disconnected,
	};
	const struct client_options options = {
		.address = "mqtt://hub.local:8883",
		.version = MQTT_5_0,
		.client_id = "c",
		.retry_min_ms = 1,
		.retry_max_ms = 1,
	};
	struct loop *loop = loop_new();
	struct client *client;

	(void)state;
	assert_int_equal(client_new(loop, &options, &callbacks, NULL, &client),
			 0);
	client_start(client);
	while (times_asked() == 0)
		assert_int_equal(loop_turn(loop, 5), 0);
	client_stop(client);
	client_start(client);
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(loop, 5), 0);
	assert_int_equal(times_asked(), 1);
	assert_int_equal(failed, 0);
	answer(0);
	while (failed == 0)
		assert_int_equal(loop_turn(loop, 5), 0);
	assert_string_equal(why, "no address of hub.local is found");
	client_free(client);
	/* It may have asked again. */
	answer(0);
	loop_free(loop);
}

static void test_start_survives_allocation_failure(void **state)
{
	struct client_lookup *lookup = NULL;
	struct client_address address;

	(void)state;
	assert_int_equal(client_address_parse(name, &address), 0);
	failing_malloc_arm(0);
	assert_int_equal(client_lookup_start(&address, &lookup), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_null(lookup);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_name_has_its_addresses_in_turn),
		TEST(test_a_name_that_is_not_there_is_said_so),
		TEST(test_one_that_nobody_wants_any_more_ends_by_itself),
		TEST(test_a_resolver_that_hangs_is_asked_once),
		TEST(test_start_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
