#include <errno.h>
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/password.h"

#define SALT "AAECAwQFBgcICQoLDA0ODw" /* 00 01 .. 0f */
#define SLOW_KEY "nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE"
#define SLOW "$scrypt$ln=10,r=8,p=1$" SALT "$" SLOW_KEY
#define QUICK_KEY "SsdijnPTV+9OdmKA2DFD8Dispz7omhyKa/mwrNYH4Po"
/* Of 1,025 times 'x': one more than may be. */
#define TOO_LONG "$sha256$" SALT "$eI6gN1eaFQ6cofxl+PPyXelBrKh86/bkWaI+n1YNTHQ"
#define QUICK "$sha256$" SALT "$" QUICK_KEY

static int cheap(void **state)
{
	(void)state;
	password_set_cost(10);
	return 0;
}

static int verify(const char *hash, const char *password)
{
	return password_verify(hash, slice_str(password));
}

/* Made by another implementation: Python's hashlib. */
static void test_hashes_made_elsewhere_verify(void **state)
{
	static const char *const hashes[] = {
		SLOW,
		"$scrypt$ln=14,r=8,p=5$" SALT
		"$1G5RfCzjKRcC/LgE3RJJUhGgvovUaGPhRY2m55Tfpi4",
		QUICK,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		assert_int_equal(verify(hashes[i], "correct horse"), 1);
		assert_int_equal(verify(hashes[i], "correct horsf"), 0);
		assert_int_equal(verify(hashes[i], "correct horse "), 0);
		assert_int_equal(verify(hashes[i], "correct hors"), 0);
		assert_int_equal(verify(hashes[i], ""), 0);
		assert_int_equal(password_verify(hashes[i], slice_of(NULL, 0)),
				 0);
	}
}

static void test_a_stand_in_is_like_a_hash_and_fits_nobody(void **state)
{
	char hash[PASSWORD_HASH_SIZE];
	char one[PASSWORD_HASH_SIZE];
	char other[PASSWORD_HASH_SIZE];
	size_t head;

	(void)state;
	assert_int_equal(
		password_hash(PASSWORD_HUMAN, slice_str("correct horse"), hash),
		0);
	assert_int_equal(password_stand_in(one), 0);
	assert_int_equal(password_stand_in(other), 0);
	/* The same cost and the same fields: it is dear to check. */
	head = (size_t)(strrchr(hash, '=') - hash);
	assert_memory_equal(one, hash, head);
	assert_int_equal(strlen(one), strlen(hash));
	assert_string_not_equal(one, other);
	assert_int_equal(password_verify(one, slice_str("correct horse")), 0);
	assert_int_equal(password_verify(one, slice_str("")), 0);
}

static void test_what_is_none_of_ours_lets_nobody_in(void **state)
{
	static const char *const hashes[] = {
		"",
		"correct horse",
		"$",
		"$7$101$" SALT "$" SLOW_KEY, /* mosquitto's */
		"$scrypt$",
		"$scrypt$ln=10,r=8,p=1$" SALT "$",
		"$scrypt$ln=10,r=8,p=1$" SALT "$" SLOW_KEY "=",
		"$scrypt$ln=10,r=8,p=1$" SALT "$" SLOW_KEY "A",
		"$scrypt$ln=10,r=8,p=1$" SALT "$nfkj3u1f",
		"$scrypt$ln=10,r=8,p=1$AAECAwQF$" SLOW_KEY,
		"$scrypt$ln=10,r=8,p=1$$" SLOW_KEY,
		"$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0OD*$" SLOW_KEY,
		"$scrypt$ln=10,r=8$" SALT "$" SLOW_KEY,
		"$scrypt$r=8,ln=10,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=0,r=8,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=010,r=8,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=-1,r=8,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=+10,r=8,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=21,r=8,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=4294967306,r=8,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=10,r=9,p=1$" SALT "$" SLOW_KEY,
		"$scrypt$ln=10,r=8,p=17$" SALT "$" SLOW_KEY,
		"$scrypt$ln=10,r=8,p=1 $" SALT "$" SLOW_KEY,
		"$sha256$" SALT "$",
		"$sha256$" SALT "$" QUICK_KEY "$",
		"$sha256$" SALT QUICK_KEY,
		" " QUICK,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (verify(hashes[i], "correct horse") != -EINVAL)
			fail_msg("accepted: %s", hashes[i]);
	}
}

static void test_a_hash_fits_its_password_only(void **state)
{
	static const enum password_kind kinds[] = { PASSWORD_HUMAN,
						    PASSWORD_GENERATED };
	char first[PASSWORD_HASH_SIZE];
	char second[PASSWORD_HASH_SIZE];
	struct slice right = slice_str("gar\0ten zwerg");

	(void)state;
	right.len = 13; /* bytes after a NUL count */
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(password_hash(kinds[i], right, first), 0);
		assert_int_equal(password_verify(first, right), 1);
		assert_int_equal(verify(first, "gar"), 0);

		/* Each has its own salt. */
		assert_int_equal(password_hash(kinds[i], right, second), 0);
		assert_string_not_equal(first, second);
		assert_null(strpbrk(first, " :\n"));
	}
	assert_memory_equal(first, "$sha256$", 8);
}

static void test_the_cost_is_written_down(void **state)
{
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(
		password_hash(PASSWORD_HUMAN, slice_str("12345678"), hash), 0);
	assert_memory_equal(hash, "$scrypt$ln=10,r=8,p=5$", 22);
	password_set_cost(11);
	assert_int_equal(
		password_hash(PASSWORD_HUMAN, slice_str("12345678"), hash), 0);
	assert_memory_equal(hash, "$scrypt$ln=11,r=8,p=5$", 22);
	assert_int_equal(verify(hash, "12345678"), 1);
}

static void test_length_is_bounded_both_ways(void **state)
{
	char hash[PASSWORD_HASH_SIZE] = "untouched";
	char bytes[PASSWORD_MAX + 1];
	struct slice s;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (int kind = PASSWORD_HUMAN; kind <= PASSWORD_GENERATED; kind++) {
		enum password_kind k = (enum password_kind)kind;

		s = slice_of(bytes, PASSWORD_MIN - 1);
		assert_int_equal(password_hash(k, s, hash), -EINVAL);
		s = slice_of(bytes, PASSWORD_MAX + 1);
		assert_int_equal(password_hash(k, s, hash), -EINVAL);
	}
	assert_string_equal(hash, "untouched");

	s = slice_of(bytes, PASSWORD_MIN);
	assert_int_equal(password_hash(PASSWORD_HUMAN, s, hash), 0);
	s = slice_of(bytes, PASSWORD_MAX);
	assert_int_equal(password_hash(PASSWORD_HUMAN, s, hash), 0);
	assert_int_equal(password_verify(hash, s), 1);
	s = slice_of(bytes, PASSWORD_MAX + 1);
	assert_int_equal(password_verify(hash, s), 0);
	assert_int_equal(password_verify(TOO_LONG, s), 0);
}

static void test_a_generated_secret_is_32_hex_digits_and_new(void **state)
{
	char first[PASSWORD_TOKEN_SIZE];
	char second[PASSWORD_TOKEN_SIZE];

	(void)state;
	assert_int_equal(password_generate(first), 0);
	assert_int_equal(password_generate(second), 0);
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strspn(first, "0123456789abcdef"), 32);
	assert_string_not_equal(first, second);
}

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

static void test_out_of_memory_is_neither_right_nor_wrong(void **state)
{
	static const char *const hashes[] = { SLOW, QUICK };
	unsigned int failures = 0;
	unsigned int n;
	int r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (n = 0; n < 1000; n++) {
			left = n;
			armed = true;
			r = verify(hashes[i], "correct horse");
			armed = false;
			if (left > n)
				failures++; /* it wrapped: one was refused */
			else
				break;
			/* OpenSSL does without some of them. */
			assert_true(r == -ENOMEM || r == 1);
		}
		assert_true(n < 1000);
		assert_int_equal(r, 1);
	}
	assert_true(failures > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes_made_elsewhere_verify),
		cmocka_unit_test(test_what_is_none_of_ours_lets_nobody_in),
		cmocka_unit_test(
			test_a_stand_in_is_like_a_hash_and_fits_nobody),
		cmocka_unit_test_setup(test_a_hash_fits_its_password_only,
				       cheap),
		cmocka_unit_test_setup(test_the_cost_is_written_down, cheap),
		cmocka_unit_test_setup(test_length_is_bounded_both_ways, cheap),
		cmocka_unit_test(
			test_a_generated_secret_is_32_hex_digits_and_new),
		cmocka_unit_test(test_out_of_memory_is_neither_right_nor_wrong),
	};

	/* Possible only before OpenSSL's first allocation. */
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
				      crypto_free))
		return 1;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
