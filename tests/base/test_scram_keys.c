#include "broker/base/scram_keys.h"

#include <errno.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/password.h"

/* RFC 7677, 3: user "user", password "pencil". */
static const uint8_t rfc_salt[] = { 0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12,
				    0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14,
				    0x12, 0x36, 0xfa, 0x81 };
/* Of these 4096 iterations; the ones that PostgreSQL keeps, too. */
static const char rfc_text[] = "$scram-sha-256$i=4096$W22ZaJ0SNY7soEsUEjb6gQ"
			       "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY"
			       "$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU";

static struct scram_keys derive(const char *password, uint32_t iterations)
{
	struct scram_keys keys;

	assert_int_equal(scram_keys_derive(slice_str(password), iterations,
					   rfc_salt, &keys),
			 0);
	return keys;
}

static void test_the_rfcs_password_gives_its_keys(void **state)
{
	const struct scram_keys keys = derive("pencil", 4096);
	char text[SCRAM_TEXT_SIZE];

	(void)state;
	scram_keys_format(&keys, text);
	assert_string_equal(text, rfc_text);
}

static void test_password_salt_and_count_all_matter(void **state)
{
	const struct scram_keys keys = derive("pencil", 4096);
	const struct scram_keys others[] = {
		derive("pencil ", 4096),
		derive("pencil", 4097),
		derive("", 4096),
	};
	struct scram_keys salted;
	uint8_t salt[SCRAM_SALT_LEN] = { 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_memory_not_equal(keys.stored, others[i].stored,
					SCRAM_KEY_LEN);
		assert_memory_not_equal(keys.server, others[i].server,
					SCRAM_KEY_LEN);
	}
	assert_int_equal(
		scram_keys_derive(slice_str("pencil"), 4096, salt, &salted), 0);
	assert_memory_not_equal(keys.stored, salted.stored, SCRAM_KEY_LEN);
}

static void test_what_cannot_be_derived_is_refused(void **state)
{
	static const uint8_t endless[PASSWORD_MAX + 1];
	struct scram_keys keys;

	(void)state;
	assert_int_equal(scram_keys_derive(slice_str("x"), 0, rfc_salt, &keys),
			 -EINVAL);
	assert_int_equal(scram_keys_derive(slice_str("x"),
					   SCRAM_ITERATIONS_MAX + 1, rfc_salt,
					   &keys),
			 -EINVAL);
	assert_int_equal(scram_keys_derive(slice_of(endless, sizeof(endless)),
					   1, rfc_salt, &keys),
			 -EINVAL);
	assert_int_equal(
		scram_keys_derive(slice_of(NULL, 0), 1, rfc_salt, &keys), 0);
}

static void test_text_is_read_back(void **state)
{
	const struct scram_keys keys =
		derive("pencil", SCRAM_ITERATIONS_MAX / 100000);
	struct scram_keys most = keys, back;
	char text[SCRAM_TEXT_SIZE];

	(void)state;
	scram_keys_format(&keys, text);
	assert_true(scram_keys_parse(text, &back));
	assert_memory_equal(&back, &keys, sizeof(keys));

	most.iterations = SCRAM_ITERATIONS_MAX;
	memset(most.salt, 0xff, sizeof(most.salt));
	memset(most.stored, 0xff, sizeof(most.stored));
	memset(most.server, 0, sizeof(most.server));
	scram_keys_format(&most, text);
	assert_true(strlen(text) < SCRAM_TEXT_SIZE);
	assert_true(scram_keys_parse(text, &back));
	assert_memory_equal(&back, &most, sizeof(most));
}

#define SALT "W22ZaJ0SNY7soEsUEjb6gQ"
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY"
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU"

static void test_other_text_is_none_of_ours(void **state)
{
	static const char *const texts[] = {
		"",
		"$",
		"$scram-sha-256$i=4096",
		"$scram-sha-256$i=4096$" SALT "$" STORED,
		"$scram-sha-256$i=4096$" SALT "$" STORED "$",
		"$scram-sha-256$i=4096$" SALT "$" STORED "$" SERVER "=",
		"$scram-sha-256$i=4096$" SALT "$" STORED "$" SERVER "$",
		"$scram-sha-256$i=4096$" SALT "A$" STORED "$" SERVER,
		"$scram-sha-256$i=4096$" SALT STORED "$" SERVER,
		"$scram-sha-256$i=4096$    aJ0SNY7soEsUEjb6gQ$" STORED
		"$" SERVER,
		"$scram-sha-256$i=4096$" SALT "$" STORED
		"$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2d ",
		"$scram-sha-256$i=0$" SALT "$" STORED "$" SERVER,
		"$scram-sha-256$i=04096$" SALT "$" STORED "$" SERVER,
		"$scram-sha-256$i=-4096$" SALT "$" STORED "$" SERVER,
		"$scram-sha-256$i=$" SALT "$" STORED "$" SERVER,
		"$scram-sha-256$i=10000001$" SALT "$" STORED "$" SERVER,
		"$scram-sha-256$i=4294971392$" SALT "$" STORED "$" SERVER,
		"$scram-sha-1$i=4096$" SALT "$" STORED "$" SERVER,
		"$sha256$" SALT "$" STORED,
	};
	struct scram_keys keys;

	(void)state;
	assert_true(scram_keys_parse(rfc_text, &keys));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (scram_keys_parse(texts[i], &keys))
			fail_msg("taken: %s", texts[i]);
	}
}

static void
test_made_keys_fit_their_password_and_have_their_own_salt(void **state)
{
	struct scram_keys keys[2], again;
	char text[SCRAM_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(scram_keys_make(slice_str("secret"), 7, text),
				 0);
		assert_true(scram_keys_parse(text, &keys[i]));
		assert_int_equal(keys[i].iterations, 7);
		assert_int_equal(scram_keys_derive(slice_str("secret"), 7,
						   keys[i].salt, &again),
				 0);
		assert_memory_equal(&keys[i], &again, sizeof(again));
	}
	assert_memory_not_equal(keys[0].salt, keys[1].salt, SCRAM_SALT_LEN);
	assert_int_equal(scram_keys_make(slice_str("secret"), 0, text),
			 -EINVAL);
}

/* SASLprep may change what is no printable ASCII (RFC 4013), and so we make none. */
static void test_what_saslprep_may_change_gives_no_keys(void **state)
{
	static const char *const none[] = {
		"caf\xc3\xa9", "I\xc2\xadX", "\xc2\xaa", "a\tb", "\x7f",
	};
	char text[SCRAM_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(scram_keys_make(slice_str(none[i]), 7, text),
				 -EILSEQ);
	assert_int_equal(scram_keys_make(slice_str(" ~correct horse"), 7, text),
			 0);
	assert_true(scram_prepared(slice_of(NULL, 0)));
}

/* Who asks twice is told the same; other names and other hubs differ; both counts
 * are seen. */
static void test_nobody_has_keys_that_stay(void **state)
{
	static const uint8_t secret[SCRAM_KEY_LEN] = { 1 };
	static const uint8_t other[SCRAM_KEY_LEN] = { 2 };
	struct scram_keys a, b;
	bool generated = false, chosen = false;

	(void)state;
	assert_true(scram_keys_of_nobody(secret, slice_str("eve"), &a));
	assert_true(scram_keys_of_nobody(secret, slice_str("eve"), &b));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(scram_keys_of_nobody(secret, slice_str("eva"), &b));
	assert_memory_not_equal(a.salt, b.salt, SCRAM_SALT_LEN);
	assert_true(scram_keys_of_nobody(other, slice_str("eve"), &b));
	assert_memory_not_equal(a.salt, b.salt, SCRAM_SALT_LEN);

	for (char name = 'a'; name <= 'z'; name++) {
		assert_true(
			scram_keys_of_nobody(secret, slice_of(&name, 1), &a));
		generated |= a.iterations == SCRAM_ITERATIONS_GENERATED;
		chosen |= a.iterations == SCRAM_ITERATIONS_CHOSEN;
	}
	assert_true(generated);
	assert_true(chosen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_rfcs_password_gives_its_keys),
		cmocka_unit_test(test_password_salt_and_count_all_matter),
		cmocka_unit_test(test_what_cannot_be_derived_is_refused),
		cmocka_unit_test(test_text_is_read_back),
		cmocka_unit_test(test_other_text_is_none_of_ours),
		cmocka_unit_test(
			test_made_keys_fit_their_password_and_have_their_own_salt),
		cmocka_unit_test(test_what_saslprep_may_change_gives_no_keys),
		cmocka_unit_test(test_nobody_has_keys_that_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
