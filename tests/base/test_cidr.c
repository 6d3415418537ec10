#include "broker/base/cidr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_one_spelling_for_each_network(void **state)
{
	static const struct {
		const char *text;
		const char *read; /* NULL: refused */
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "192.0.2.7/32", "192.0.2.7" },
		{ "192.0.2.7/24", "192.0.2.0/24" },
		{ "192.0.2.255/25", "192.0.2.128/25" },
		{ "192.0.2.7/0", "0.0.0.0/0" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "2001:db8:1:2:3:4:5:6/33", "2001:db8::/33" },
		{ "2001:db8:8000::/33", "2001:db8:8000::/33" },
		{ "::/0", "::/0" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7/120", "192.0.2.0/24" },
		{ "", NULL },
		{ "/24", NULL },
		{ "192.0.2.7/", NULL },
		{ "192.0.2.7/33", NULL },
		{ "192.0.2.7/-1", NULL },
		{ "192.0.2.7/ 8", NULL },
		{ "192.0.2.7/8x", NULL },
		{ "192.0.2.7/0008", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.256", NULL },
		{ "2001:db8::/129", NULL },
		{ "kitchen", NULL },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CIDR_TEXT_SIZE];
		struct cidr cidr;
		int r = cidr_parse(cases[i].text, &cidr);

		assert_int_equal(r, cases[i].read ? 0 : -EINVAL);
		if (r < 0)
			continue;
		cidr_text(&cidr, text);
		assert_string_equal(text, cases[i].read);
	}
}

static void test_a_network_holds_its_peers_and_no_others(void **state)
{
	static const struct {
		const char *network;
		const char *peer;
		bool in;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.7:49152", true },
		{ "192.0.2.0/24", "192.0.3.7:49152", false },
		{ "192.0.2.7", "192.0.2.7:1", true },
		{ "192.0.2.7", "192.0.2.6:1", false },
		{ "192.0.2.128/25", "192.0.2.128:1", true },
		{ "192.0.2.128/25", "192.0.2.127:1", false },
		{ "0.0.0.0/0", "203.0.113.9:1", true },
		{ "0.0.0.0/0", "[2001:db8::1]:1", false },
		{ "::/0", "[2001:db8::1]:1", true },
		{ "2001:db8::/32", "[2001:db8:ffff::1]:1", true },
		{ "2001:db8::/32", "[2001:db9::1]:1", false },
		{ "2001:db8::/33", "[2001:db8:8000::1]:1", false },
		{ "fe80::/10", "[fe80::1%eth0]:1", true },
		{ "192.0.2.7", "[::ffff:192.0.2.7]:1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cidr network, peer;

		assert_int_equal(cidr_parse(cases[i].network, &network), 0);
		assert_true(cidr_peer(cases[i].peer, &peer));
		assert_int_equal(cidr_contains(&network, &peer), cases[i].in);
	}
}

static void test_who_has_no_address_is_in_no_network(void **state)
{
	static const char *const peers[] = {
		"unix", "local", "",	      "[", "[::1",
		":80",	"x:80",	 "192.0.2.7", /* without a port it would be cut short */
	};
	struct cidr cidr;

	(void)state;
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++)
		assert_false(cidr_peer(peers[i], &cidr));
}

static void test_a_peer_of_ipv6_is_its_network(void **state)
{
	char text[CIDR_TEXT_SIZE];
	struct cidr cidr;

	(void)state;
	assert_int_equal(cidr_parse("2001:db8:1:2:3:4:5:6", &cidr), 0);
	cidr_limit(&cidr, 64);
	cidr_text(&cidr, text);
	assert_string_equal(text, "2001:db8:1:2::/64");
	assert_int_equal(cidr_parse("2001:db8::/32", &cidr), 0);
	cidr_limit(&cidr, 64);
	assert_int_equal(cidr.bits, 32);
	assert_int_equal(cidr_parse("192.0.2.7", &cidr), 0);
	cidr_limit(&cidr, 64);
	cidr_text(&cidr, text);
	assert_string_equal(text, "192.0.2.7");
}

static void test_this_machine_is_known(void **state)
{
	struct cidr cidr;

	(void)state;
	assert_int_equal(cidr_parse("127.3.2.1", &cidr), 0);
	assert_true(cidr_loopback(&cidr));
	assert_int_equal(cidr_parse("::1", &cidr), 0);
	assert_true(cidr_loopback(&cidr));
	assert_int_equal(cidr_parse("128.0.0.1", &cidr), 0);
	assert_false(cidr_loopback(&cidr));
	assert_int_equal(cidr_parse("::2", &cidr), 0);
	assert_false(cidr_loopback(&cidr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_spelling_for_each_network),
		cmocka_unit_test(test_a_network_holds_its_peers_and_no_others),
		cmocka_unit_test(test_who_has_no_address_is_in_no_network),
		cmocka_unit_test(test_a_peer_of_ipv6_is_its_network),
		cmocka_unit_test(test_this_machine_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
