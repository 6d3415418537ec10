#include "broker/wire/utf8.h"

#include "tests/wire/bytes.h"

/* The last code point but one of every boundary in table 3-7 of Unicode. */
static void test_well_formed_text_is_valid(void **state)
{
	const struct slice rows[] = {
		TEXT(""),
		TEXT("\x01"),
		TEXT("\x7f"),
		TEXT("A\xf0\xaa\x9b\x94"), /* 1.5.4, non-normative example */
		TEXT("\xef\xbb\xbf"), /* U+FEFF is itself [MQTT-1.5.4-3] */
		TEXT("\xc2\x80"),
		TEXT("\xdf\xbf"),
		TEXT("\xe0\xa0\x80"),
		TEXT("\xec\xbf\xbf"),
		TEXT("\xed\x80\x80"),
		TEXT("\xed\x9f\xbf"), /* U+D7FF */
		TEXT("\xee\x80\x80"), /* U+E000 */
		TEXT("\xef\xbf\xbe"), /* U+FFFE, a non-character */
		TEXT("\xef\xbf\xbf"),
		TEXT("\xf0\x90\x80\x80"),
		TEXT("\xf3\xbf\xbf\xbf"),
		TEXT("\xf4\x80\x80\x80"),
		TEXT("\xf4\x8f\xbf\xbf"), /* U+10FFFF */
		TEXT("K\xc3\xbc"
		     "che/Lampe \xe2\x82\xac 1"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_true(utf8_valid(rows[i]));
	assert_true(utf8_valid(slice_of(NULL, 0)));
}

static void test_ill_formed_text_is_refused(void **state)
{
	const struct slice rows[] = {
		TEXT("\0"), /* [MQTT-1.5.4-2] */
		TEXT("a\0b"),
		TEXT("\x80"),
		TEXT("\xbf"),
		TEXT("\xc0\x80"), /* U+0000 in two bytes */
		TEXT("\xc1\xbf"),
		TEXT("\xc2"),
		TEXT("\xc2\x7f"),
		TEXT("\xc2\xc0"),
		TEXT("\xdf\x41"),
		TEXT("\xe0\x80\x80"),
		TEXT("\xe0\x9f\xbf"), /* U+07FF in three bytes */
		TEXT("\xe1\x80"),
		TEXT("\xe1\x80\x7f"),
		TEXT("\xe1\x7f\x80"),
		TEXT("\xed\xa0\x80"), /* U+D800 [MQTT-1.5.4-1] */
		TEXT("\xed\xbf\xbf"), /* U+DFFF */
		TEXT("\xed\xa1\x8c\xed\xbe\xb4"), /* CESU-8 of U+233B4 */
		TEXT("\xf0\x80\x80\x80"),
		TEXT("\xf0\x8f\xbf\xbf"), /* U+FFFF in four bytes */
		TEXT("\xf0\x90\x80"),
		TEXT("\xf1\x80\x80\xc0"),
		TEXT("\xf1\x80\x7f\x80"),
		TEXT("\xf4\x90\x80\x80"), /* U+110000 */
		TEXT("\xf5\x80\x80\x80"),
		TEXT("\xf8\x88\x80\x80\x80"),
		TEXT("\xfe"),
		TEXT("\xff"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		uint8_t *copy = exact_copy(rows[i]);

		assert_false(utf8_valid(slice_of(copy, rows[i].len)));
		free(copy);
	}
}

/* A straightforward reading of table 3-7 for one whole sequence. */
static bool naive_valid(const uint8_t *b, size_t len)
{
	uint32_t point;

	if (len == 1)
		return b[0] >= 1 && b[0] <= 0x7f;
	if (len == 2) {
		point = (uint32_t)(b[0] & 0x1f) << 6 | (b[1] & 0x3f);
		return (b[0] & 0xe0) == 0xc0 && (b[1] & 0xc0) == 0x80 &&
		       point >= 0x80;
	}
	point = (uint32_t)(b[0] & 0x0f) << 12 | (uint32_t)(b[1] & 0x3f) << 6 |
		(b[2] & 0x3f);
	return (b[0] & 0xf0) == 0xe0 && (b[1] & 0xc0) == 0x80 &&
	       (b[2] & 0xc0) == 0x80 && point >= 0x800 &&
	       (point < 0xd800 || point > 0xdfff);
}

/* Every two bytes, and every three that begin with 0xe0 to 0xef. */
static void test_short_sequences_agree_with_a_plain_reading(void **state)
{
	unsigned int a, b, c;

	(void)state;
	for (a = 0; a < 256; a++) {
		for (b = 0; b < 256; b++) {
			uint8_t two[2] = { (uint8_t)a, (uint8_t)b };
			bool wanted = naive_valid(two, 2) ||
				      (naive_valid(two, 1) &&
				       naive_valid(two + 1, 1));

			assert_int_equal(utf8_valid(slice_of(two, 2)), wanted);
		}
	}
	for (a = 0xe0; a < 0xf0; a++) {
		for (b = 0; b < 256; b++) {
			for (c = 0; c < 256; c += 5) {
				uint8_t three[3] = { (uint8_t)a, (uint8_t)b,
						     (uint8_t)c };

				assert_int_equal(utf8_valid(slice_of(three, 3)),
						 naive_valid(three, 3));
			}
		}
	}
}

/* The words of eight must not hide a bad byte, wherever it stands. */
static void test_a_bad_byte_is_found_at_every_place(void **state)
{
	static const uint8_t bad[] = { 0x00, 0x80, 0xff, 0xc3 };
	uint8_t *text = malloc(40);
	size_t len, at, i;

	(void)state;
	assert_non_null(text);
	for (len = 1; len <= 40; len++) {
		uint8_t *end = text + 40 - len;

		memset(end, 'a', len);
		assert_true(utf8_valid(slice_of(end, len)));
		for (at = 0; at < len; at++) {
			for (i = 0; i < sizeof(bad); i++) {
				end[at] = bad[i];
				assert_false(utf8_valid(slice_of(end, len)));
			}
			end[at] = at % 2 ? 0x01 : 0x7f;
			assert_true(utf8_valid(slice_of(end, len)));
		}
	}
	free(text);
}

static void test_a_character_may_straddle_two_words(void **state)
{
	static const uint8_t bulb[] = { 0xf0, 0x9f, 0x92, 0xa1 }; /* U+1F4A1 */
	uint8_t text[32];
	size_t before;

	(void)state;
	for (before = 0; before < 16; before++) {
		memset(text, 'a', sizeof(text));
		memcpy(text + before, bulb, sizeof(bulb));
		assert_true(utf8_valid(slice_of(text, sizeof(text))));
		text[before + 2] = 'a';
		assert_false(utf8_valid(slice_of(text, sizeof(text))));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well_formed_text_is_valid),
		cmocka_unit_test(test_ill_formed_text_is_refused),
		cmocka_unit_test(
			test_short_sequences_agree_with_a_plain_reading),
		cmocka_unit_test(test_a_bad_byte_is_found_at_every_place),
		cmocka_unit_test(test_a_character_may_straddle_two_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
