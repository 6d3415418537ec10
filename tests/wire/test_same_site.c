#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/wire/same_site.h"

static const char *const extra[] = { "hub.example" };
static const struct same_site site = {
	.node = "kitchen",
	.hosts = extra,
	.host_count = 1,
};

static void test_hosts(void **state)
{
	static const struct {
		const char *host;
		bool ours;
	} hosts[] = {
		{ "127.0.0.1", true },
		{ "192.168.1.20:8080", true },
		{ "[::1]", true },
		{ "[fe80::1]:8080", true },
		{ "localhost", true },
		{ "LocalHost:80", true },
		{ "kitchen", true },
		{ "KITCHEN:8080", true },
		{ "kitchen.local", true },
		{ "kitchen.local.", true },
		{ "other.local:80", true },
		{ "hub.example", true },
		{ "hub.example:8443", true },
		{ "evil.example", false },
		{ "hub.example.evil.example", false },
		{ "evil-local", false },
		{ ".local", false },
		{ "127.0.0.1.evil.example", false },
		{ "127.0.0.1:80x", false },
		{ "127.0.0.1:", false },
		{ "kitchen:123456", false },
		{ "[::1", false },
		{ "[::1]x", false },
		{ "[evil]", false },
		{ "[127.0.0.1]", false },
		{ "::1", false },
		{ "", false },
		{ "user@kitchen", false },
		{ "user@kitchen.local", false },
		{ "evil/.local", false },
		{ "0x7f.1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (same_site_host(&site, slice_str(hosts[i].host)) !=
		    hosts[i].ours)
			fail_msg("wrong about %s", hosts[i].host);
}

static void test_origins(void **state)
{
	static const struct {
		const char *origin;
		const char *host;
		bool secure;
		bool ours;
	} origins[] = {
		{ "http://kitchen:8080", "kitchen:8080", false, true },
		{ "https://kitchen", "kitchen", true, true },
		{ "http://Kitchen", "kitchen", false, true },
		{ "http://kitchen", "kitchen", true, false },
		{ "https://kitchen", "kitchen", false, true },
		{ "https://kitchen:8080", "kitchen:8080", false, true },
		{ "https://kitchen:8081", "kitchen:8080", false, false },
		{ "httpx://kitchen", "kitchen", false, false },
		{ "http://kitchen:8081", "kitchen:8080", false, false },
		{ "http://kitchen", "kitchen:8080", false, false },
		{ "http://kitchen.evil", "kitchen", false, false },
		{ "http://evil", "kitchen", false, false },
		{ "null", "kitchen", false, false },
		{ "http://", "", false, false },
		{ "", "kitchen", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++)
		if (same_site_origin(slice_str(origins[i].origin),
				     slice_str(origins[i].host),
				     origins[i].secure) != origins[i].ours)
			fail_msg("wrong about %s at %s", origins[i].origin,
				 origins[i].host);
}

static void test_fetch_site(void **state)
{
	(void)state;
	assert_true(same_site_fetch(slice_str("")));
	assert_true(same_site_fetch(slice_str("same-origin")));
	assert_true(same_site_fetch(slice_str("none")));
	assert_false(same_site_fetch(slice_str("same-site")));
	assert_false(same_site_fetch(slice_str("cross-site")));
}

static void test_cookies(void **state)
{
	static const struct {
		const char *header;
		const char *value; /* NULL: not there */
	} cookies[] = {
		{ "id=abc", "abc" },
		{ "a=b; id=abc", "abc" },
		{ "a=b; id=abc; c=d", "abc" },
		{ "a=b;id=abc", "abc" },
		{ "id=", "" },
		{ "id=first; id=second", "first" },
		{ "xid=abc", NULL },
		{ "idx=abc", NULL },
		{ "id", NULL },
		{ "a=id=abc", NULL },
		{ "", NULL },
		{ ";;; ;", NULL },
	};
	struct slice value;

	(void)state;
	for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++) {
		bool found =
			cookie_find(slice_str(cookies[i].header), "id", &value);

		if (found != (cookies[i].value != NULL) ||
		    (found && !slice_equal(value, slice_str(cookies[i].value))))
			fail_msg("wrong about %s", cookies[i].header);
	}
}

/* Of a page elsewhere on the machine that is addressed. */
static void test_pages(void **state)
{
	static const struct {
		const char *origin;
		const char *host;
		bool ours;
	} pages[] = {
		{ "http://kitchen:8080", "kitchen:9001", true },
		{ "https://kitchen", "KITCHEN:9001", true },
		{ "http://192.168.1.20", "192.168.1.20:9001", true },
		{ "http://[::1]:8080", "[::1]:9001", true },
		{ "http://[::1]", "[::1]", true },
		{ "https://hub.example:8443", "hub.example", true },
		/* Another machine, even one of the house. */
		{ "http://192.168.1.21", "192.168.1.20:9001", false },
		{ "http://kitchen.local", "kitchen:9001", false },
		{ "http://[::1]", "[::2]", false },
		/* A name of somebody's that leads here. */
		{ "http://evil.example", "evil.example:9001", false },
		{ "http://evil.example", "kitchen:9001", false },
		{ "http://kitchen", "evil.example:9001", false },
		{ "http://kitchen@evil.example", "kitchen", false },
		{ "http://kitchen/", "kitchen", false },
		{ "http://kitchen:", "kitchen", false },
		{ "ftp://kitchen", "kitchen", false },
		{ "kitchen", "kitchen", false },
		{ "null", "kitchen", false },
		{ "http://", "kitchen", false },
		{ "", "kitchen", false },
		{ "http://kitchen", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (same_site_page(&site, slice_str(pages[i].origin),
				   slice_str(pages[i].host)) != pages[i].ours)
			fail_msg("%s to %s", pages[i].origin, pages[i].host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_fetch_site),
		cmocka_unit_test(test_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
