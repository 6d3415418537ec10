#include "broker/wire/sha1.h"

#include "tests/wire/bytes.h"

static void assert_digest(struct slice text, const char *hex)
{
	uint8_t *copy = exact_copy(text);
	uint8_t digest[SHA1_SIZE];
	char got[2 * SHA1_SIZE + 1];
	size_t i;

	sha1(slice_of(copy, text.len), digest);
	for (i = 0; i < SHA1_SIZE; i++) {
		got[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		got[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	got[sizeof(got) - 1] = '\0';
	assert_string_equal(got, hex);
	free(copy);
}

/* RFC 3174, section 7.3, and FIPS 180. */
static void test_the_published_examples_come_out(void **state)
{
	(void)state;
	assert_digest(TEXT("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_digest(TEXT("abcdbcdecdefdefgefghfghighijhijk"
			   "ijkljklmklmnlmnomnopnopq"),
		      "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	assert_digest(slice_of(NULL, 0),
		      "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

/* Around the ends of a block; the wanted digests are sha1sum's. */
static void test_padding_is_right_at_every_length(void **state)
{
	static const struct {
		size_t len;
		const char *hex;
	} rows[] = {
		{ 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
		{ 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
		{ 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
		{ 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
		{ 65, "11655326c708d70319be2610e8a57d9a5b959d3b" },
		{ 1024, "8eca554631df9ead14510e1a70ae48c70f9b9384" },
	};
	uint8_t text[SHA1_TEXT_MAX];
	size_t i;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (i = 0; i < COUNT(rows); i++)
		assert_digest(slice_of(text, rows[i].len), rows[i].hex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_published_examples_come_out),
		cmocka_unit_test(test_padding_is_right_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
