/* What a satellite is told of its hub; that it reads it so is test_satellites.py. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/crypto.h>

#include "tests/broker/pki.h"
#include "web/node_join.h"

#define HOUR 3600L

static void test_an_address_cannot_be_another_line(void **state)
{
	static const char *const good[] = {
		"mqtts://hub",
		"mqtts://hub.local:8883",
		"mqtts://192.0.2.7",
		"mqtts://[2001:db8::7]:8883",
		"mqtts://[fe80::1%eth0]",
	};
	static const char *const bad[] = {
		"",
		"hub",
		"mqtt://hub",
		"mqtts://",
		"mqtts://h\nx=y",
		"mqtts://h x",
		"mqtts://h/x",
		"mqtts://u@h",
		"mqtts://h#x",
	};
	char longest[NODE_JOIN_HUB_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(node_join_hub_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(node_join_hub_valid(bad[i]));
	memset(longest, 'h', sizeof(longest));
	memcpy(longest, "mqtts://", 8);
	longest[NODE_JOIN_HUB_MAX + 1] = '\0';
	assert_false(node_join_hub_valid(longest));
	longest[NODE_JOIN_HUB_MAX] = '\0';
	assert_true(node_join_hub_valid(longest));
}

static void test_the_hub_is_where_the_browser_found_it(void **state)
{
	static const struct {
		const char *host;
		const char *hub; /* NULL: nowhere for anybody else */
	} examples[] = {
		{ "hearth.local:8443", "mqtts://hearth.local:8883" },
		{ "hearth.local", "mqtts://hearth.local:8883" },
		{ "192.0.2.7:80", "mqtts://192.0.2.7:8883" },
		{ "[2001:db8::7]:80", "mqtts://[2001:db8::7]:8883" },
		{ "[2001:db8::7]", "mqtts://[2001:db8::7]:8883" },
		{ "localhost:8080", NULL },
		{ "127.0.0.1", NULL },
		{ "127.1.2.3:80", NULL },
		{ "[::1]:80", NULL },
		{ "", NULL },
		{ ":80", NULL },
		{ "[::2", NULL },
	};
	char hub[NODE_JOIN_HUB_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		bool good = node_join_hub(examples[i].host, 8883, hub);

		assert_int_equal(good, examples[i].hub != NULL);
		if (good)
			assert_string_equal(hub, examples[i].hub);
	}
}

static char path[] = "/tmp/test_node_join.XXXXXX";

static void put_chain(const char *first, const char *second)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	(void)fputs(first, file);
	(void)fputs(second, file);
	assert_int_equal(fclose(file), 0);
}

static char *join_at(const char *hub)
{
	const struct node_join join = {
		.hub = hub,
		.node = "garage",
		.user = "gpio/garage",
		.password = "secret",
		.certificate = path,
	};

	return node_join_text(&join);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	return 0;
}

static void test_an_authority_of_our_own_is_pinned(void **state)
{
	struct pki ca, hub;
	char *text;

	(void)state;
	pki_make_ca(&ca, "the house");
	pki_make(&hub, &ca, "DNS:hearth.local,IP:192.0.2.7", -HOUR, HOUR);
	put_chain(hub.pem, ca.pem);
	text = join_at("mqtts://hearth.local:8883");
	assert_non_null(text);
	assert_non_null(strstr(text, "\nhub = mqtts://hearth.local:8883\n"
				     "node = garage\nuser = gpio/garage\n"
				     "password = secret\n# The hub is known by "
				     "/CN=the house\n-----BEGIN"));
	assert_non_null(strstr(text, ca.pem));
	assert_null(strstr(text, hub.pem));
	free(text);

	/* Its names are known, or told. */
	text = join_at("mqtts://192.0.2.7");
	assert_null(strstr(text, "server-name"));
	free(text);
	text = join_at("mqtts://192.0.2.8");
	assert_non_null(strstr(text, "\nserver-name = hearth.local\n"));
	free(text);
	pki_free(&ca);
	pki_free(&hub);
}

static void
test_one_that_signed_itself_is_pinned_whatever_its_name(void **state)
{
	struct pki hub;
	char *text;

	(void)state;
	pki_make(&hub, NULL, "DNS:hearth.local", -HOUR, HOUR);
	put_chain(hub.pem, "");
	text = join_at("mqtts://192.0.2.7");
	assert_non_null(strstr(text, hub.pem));
	assert_null(strstr(text, "server-name"));
	free(text);
	pki_free(&hub);
}

/* The chain does not end in one that signed itself: the world knows who did. */
static void test_an_authority_of_the_world_is_the_systems(void **state)
{
	struct pki root, between, hub;
	char *text;

	(void)state;
	pki_make_ca(&root, "the world");
	pki_make(&between, &root, NULL, -HOUR, HOUR);
	pki_make(&hub, &between, "DNS:hub.example", -HOUR, HOUR);
	put_chain(hub.pem, between.pem);
	text = join_at("mqtts://hub.example");
	assert_non_null(strstr(text, "\nca = system\n"));
	assert_null(strstr(text, "BEGIN"));
	free(text);
	pki_free(&root);
	pki_free(&between);
	pki_free(&hub);
}

static void test_without_a_certificate_there_is_no_text(void **state)
{
	(void)state;
	put_chain("nothing", "");
	assert_null(join_at("mqtts://hub"));
	assert_int_equal(errno, EINVAL);
	(void)unlink(path);
	assert_null(join_at("mqtts://hub"));
	assert_int_equal(errno, EINVAL);
}

static void test_a_damaged_chain_is_not_cut_short(void **state)
{
	struct pki ca, hub;

	(void)state;
	pki_make_ca(&ca, "the house");
	pki_make(&hub, &ca, "DNS:hearth.local", -HOUR, HOUR);
	ca.pem[60] = '!';
	put_chain(hub.pem, ca.pem);
	assert_null(join_at("mqtts://hearth.local"));
	assert_int_equal(errno, EINVAL);
	pki_free(&ca);
	pki_free(&hub);
}

/* ---- out of memory ------------------------------------------------------- */

/* OpenSSL's allocations, through the door it has for that. */
static bool armed;
static unsigned int left;

static bool must_fail(void)
{
	return armed && left-- == 0;
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return must_fail() ? NULL : malloc(size);
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return must_fail() ? NULL : realloc(old, size);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Never a part of it: the satellite would believe others, or nobody. */
static void test_out_of_memory_there_is_all_of_it_or_nothing(void **state)
{
	static const char hub_at[] = "mqtts://192.0.2.8";
	unsigned int failures = 0;
	unsigned int n;
	struct pki ca, hub;
	char *whole, *text;

	(void)state;
	pki_make_ca(&ca, "the house");
	pki_make(&hub, &ca, "DNS:hearth.local", -HOUR, HOUR);
	put_chain(hub.pem, ca.pem);
	whole = join_at(hub_at);
	assert_non_null(whole);
	for (n = 0; n < 10000; n++) {
		left = n;
		armed = true;
		text = join_at(hub_at);
		armed = false;
		if (left <= n) {
			assert_non_null(text);
			assert_string_equal(text, whole);
			free(text);
			break;
		}
		failures++;
		if (text)
			assert_string_equal(text, whole);
		else
			assert_true(errno == ENOMEM || errno == EINVAL);
		free(text);
	}
	assert_in_range(failures, 20, 9999);
	free(whole);
	pki_free(&ca);
	pki_free(&hub);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_cannot_be_another_line),
		cmocka_unit_test(test_the_hub_is_where_the_browser_found_it),
		TEST(test_an_authority_of_our_own_is_pinned),
		TEST(test_one_that_signed_itself_is_pinned_whatever_its_name),
		TEST(test_an_authority_of_the_world_is_the_systems),
		TEST(test_without_a_certificate_there_is_no_text),
		TEST(test_a_damaged_chain_is_not_cut_short),
		TEST(test_out_of_memory_there_is_all_of_it_or_nothing),
	};

	/* Possible only before OpenSSL's first allocation. */
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
				      crypto_free))
		return 1;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
