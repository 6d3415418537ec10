/* The files of the dashboard, as a browser gets them, from a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/web/hub.h"
#include "web/assets.h"

static int setup(void **state)
{
	*state = hub_start(HUB_CLAIMED);
	return 0;
}

static int teardown(void **state)
{
	hub_stop(*state);
	return 0;
}

static void test_files_come_compressed_and_once(void **state)
{
	struct hub *hub = *state;
	struct answer plain, packed, same;
	char headers[128];

	plain = hub_request(hub, "GET", "/", NULL, NULL);
	assert_int_equal(plain.status, 200);
	assert_string_equal(answer_header(&plain, "Content-Type"),
			    "text/html; charset=utf-8");
	assert_string_equal(answer_header(&plain, "Cache-Control"), "no-cache");
	assert_string_equal(answer_header(&plain, "Vary"), "Accept-Encoding");
	packed = hub_request(hub, "GET", "/",
			     "Accept-Encoding: gzip, deflate, br\r\n", NULL);
	assert_int_equal(packed.status, 200);
	assert_string_equal(answer_header(&packed, "Content-Encoding"), "br");
	assert_true(packed.body_len < plain.body_len);
	snprintf(headers, sizeof(headers),
		 "Accept-Encoding: br\r\nIf-None-Match: %s\r\n",
		 answer_header(&packed, "ETag"));
	same = hub_request(hub, "GET", "/", headers, NULL);
	assert_int_equal(same.status, 304);
	answer_free(&plain);
	answer_free(&packed);
	answer_free(&same);
}

static void test_every_file_is_served(void **state)
{
	struct hub *hub = *state;
	struct answer none;
	size_t immutable = 0;

	for (size_t i = 0; i < assets_count; i++) {
		const struct asset *asset = &assets_table[i];
		struct answer answer;

		answer = hub_request(hub, "GET", asset->path, NULL, NULL);
		assert_int_equal(answer.status, 200);
		assert_int_equal(answer.body_len,
				 asset->bytes[0].end - asset->bytes[0].data);
		assert_memory_equal(answer.body, asset->bytes[0].data,
				    answer.body_len);
		if (asset->immutable) {
			assert_non_null(
				strstr(answer_header(&answer, "Cache-Control"),
				       "immutable"));
			immutable++;
		}
		answer_free(&answer);
	}
	assert_true(immutable >= 2);
	none = hub_request(hub, "GET", "/assets/none.js", NULL, NULL);
	assert_int_equal(none.status, 404);
	answer_free(&none);
}

static void test_codings_are_chosen(void **state)
{
	static const uint8_t bytes[1];
	static const struct asset both = { .bytes = { { bytes, bytes },
						      { bytes, bytes },
						      { bytes, bytes } } };
	static const struct asset none = { .bytes = { { bytes, bytes } } };
	static const struct {
		const char *accept;
		enum asset_coding coding;
	} all[] = {
		{ "", ASSET_PLAIN },
		{ "gzip", ASSET_GZIP },
		{ "br", ASSET_BROTLI },
		{ "gzip, deflate, br, zstd", ASSET_BROTLI },
		{ "gzip;q=1.0, br;q=0", ASSET_GZIP },
		{ "gzip;q=0, br;q=0.000", ASSET_PLAIN },
		{ "br;q=0.1", ASSET_BROTLI },
		{ "GZIP", ASSET_GZIP },
		{ "brotli, xgzip", ASSET_PLAIN },
		{ "identity", ASSET_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (assets_choose(&both, all[i].accept) != all[i].coding)
			fail_msg("wrong about %s", all[i].accept);
		assert_int_equal(assets_choose(&none, all[i].accept),
				 ASSET_PLAIN);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files_come_compressed_and_once),
		TEST(test_every_file_is_served),
		TEST(test_codings_are_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
