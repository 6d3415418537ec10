#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"
#include "web/address.h"
#include "web/peers.h"

static union {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
} address;

static const struct sockaddr *from(const char *text, uint16_t port)
{
	memset(&address, 0, sizeof(address));
	if (inet_pton(AF_INET, text, &address.in.sin_addr) == 1) {
		address.in.sin_family = AF_INET;
		address.in.sin_port = htons(port);
	} else {
		assert_int_equal(
			inet_pton(AF_INET6, text, &address.in6.sin6_addr), 1);
		address.in6.sin6_family = AF_INET6;
		address.in6.sin6_port = htons(port);
	}
	return &address.sa;
}

static void test_addresses_as_text(void **state)
{
	static const struct {
		const char *address;
		const char *text;
		const char *key;
		bool loopback;
	} all[] = {
		{ "192.0.2.7", "192.0.2.7:99", "192.0.2.7", false },
		{ "::ffff:192.0.2.7", "192.0.2.7:99", "192.0.2.7", false },
		{ "2001:db8:1:2:3:4:5:6", "[2001:db8:1:2:3:4:5:6]:99",
		  "2001:db8:1:2::/64", false },
		{ "127.3.2.1", "127.3.2.1:99", "127.3.2.1", true },
		{ "::ffff:127.0.0.1", "127.0.0.1:99", "127.0.0.1", true },
		{ "::1", "[::1]:99", "::/64", true },
	};
	char text[ADDRESS_TEXT_SIZE], key[ADDRESS_KEY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct sockaddr *sa = from(all[i].address, 99);

		address_text(sa, text);
		address_key(sa, key);
		assert_string_equal(text, all[i].text);
		assert_string_equal(key, all[i].key);
		assert_int_equal(address_is_loopback(sa), all[i].loopback);
	}
}

static void test_one_address_cannot_take_all(void **state)
{
	struct peers *peers = peers_new(5, 2);
	int first;

	(void)state;
	assert_non_null(peers);
	first = peers_enter(peers, from("192.0.2.1", 1));
	assert_true(first >= 0);
	assert_true(peers_enter(peers, from("192.0.2.1", 2)) >= 0);
	assert_int_equal(peers_enter(peers, from("192.0.2.1", 3)), -EUSERS);
	assert_int_equal(peers_enter(peers, from("::ffff:192.0.2.1", 3)),
			 -EUSERS);
	assert_true(peers_enter(peers, from("192.0.2.2", 3)) >= 0);
	peers_leave(peers, first);
	assert_true(peers_enter(peers, from("192.0.2.1", 3)) >= 0);
	assert_int_equal(peers_count(peers), 3);
	peers_free(peers);
}

static void test_a_64_is_one_address(void **state)
{
	struct peers *peers = peers_new(5, 2);

	(void)state;
	assert_true(peers_enter(peers, from("2001:db8::1", 1)) >= 0);
	assert_true(peers_enter(peers, from("2001:db8::ffff:2", 1)) >= 0);
	assert_int_equal(peers_enter(peers, from("2001:db8::3", 1)), -EUSERS);
	assert_true(peers_enter(peers, from("2001:db8:0:1::3", 1)) >= 0);
	peers_free(peers);
}

static void test_loopback_is_bound_by_the_total(void **state)
{
	struct peers *peers = peers_new(4, 1);
	int place = -1;

	(void)state;
	for (int i = 0; i < 4; i++) {
		place = peers_enter(peers, from("127.0.0.1", 1));
		assert_true(place >= 0);
	}
	assert_int_equal(peers_enter(peers, from("192.0.2.1", 1)), -ENFILE);
	peers_leave(peers, place);
	peers_leave(peers, -1);
	assert_true(peers_enter(peers, from("192.0.2.1", 1)) >= 0);
	peers_free(peers);
}

static void test_no_memory(void **state)
{
	(void)state;
	failing_malloc_arm(0);
	assert_null(peers_new(4, 1));
	assert_true(failing_malloc_disarm());
	peers_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_as_text),
		cmocka_unit_test(test_one_address_cannot_take_all),
		cmocka_unit_test(test_a_64_is_one_address),
		cmocka_unit_test(test_loopback_is_bound_by_the_total),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
