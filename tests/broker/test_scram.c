#include "broker/protocol/scram.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/broker/scram_client.h"
#include "tests/failing_malloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 7677, 3. */
#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define OUR_NONCE "%hvYDpWUa2RaTCAfuxFI"
#define REST_OF_NONCE "lj)hNlF$k0"

static const uint8_t salt[] = {
	0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e,
	0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81
};

static struct scram_keys pencil(void)
{
	struct scram_keys keys;

	assert_int_equal(
		scram_keys_derive(slice_str("pencil"), 4096, salt, &keys), 0);
	return keys;
}

static struct scram *begin(const char *message)
{
	struct scram *scram = NULL;

	assert_int_equal(scram_first(slice_str(message), &scram), 0);
	return scram;
}

static void assert_text(struct slice text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.data, expected, text.len);
}

/* The RFC's server nonce has 34 characters, ours has 24 at most: the client's is
 * longer by the difference, and the messages are the same but for the first. */
static void test_the_exchange_of_rfc_7677(void **state)
{
	const struct scram_keys keys = pencil();
	struct scram_client client;
	struct scram *s = begin("n,,n=user,r=" CLIENT_NONCE "%hvYDpWUa2RaTC");
	struct slice out;

	(void)state;
	assert_text(scram_user(s), "user");
	out = scram_challenge(s, &keys, true, "AfuxFIlj)hNlF$k0");
	assert_text(out, "r=" CLIENT_NONCE OUR_NONCE REST_OF_NONCE
			 ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");

	/* The RFC's own proof is over its own client-first, so the client that
	 * the tests use has to give exactly that for the RFC's messages ... */
	scram_client_first(&client, "user", CLIENT_NONCE);
	assert_string_equal(client.message, "n,,n=user,r=" CLIENT_NONCE);
	assert_true(scram_client_prove(&client, "pencil", out));
	assert_string_equal(client.message,
			    "c=biws,r=" CLIENT_NONCE OUR_NONCE REST_OF_NONCE
			    ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	assert_string_equal(client.expected,
			    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

	/* ... and we to accept it for ours. */
	scram_client_first(&client, "user", CLIENT_NONCE "%hvYDpWUa2RaTC");
	assert_true(scram_client_prove(&client, "pencil", out));
	assert_int_equal(scram_final(s, slice_str(client.message), &out), 0);
	assert_text(out, client.expected);
	scram_free(s);
}

static const struct {
	const char *message;
	const char *user; /* NULL: refused */
} firsts[] = {
	{ "n,,n=user,r=x", "user" },
	{ "y,,n=user,r=x", "user" },
	{ "n,a=user,n=user,r=x", "user" },
	{ "n,,n=a=2Cb=3Dc,r=x", "a,b=c" },
	{ "n,,n=\xc3\xa9,r=x", NULL }, /* not without SASLprep */
	{ "n,,n=user,r=x,z=of a later day,Z=1", "user" },
	{ "n,,n=user,r=!~+/=", "user" },
	{ "n,,n=user,r=x,m=1", "user" }, /* behind the nonce it means nothing */
	/* Channel binding. */
	{ "p=tls-unique,,n=user,r=x", NULL },
	{ "p=tls-exporter,,n=user,r=x", NULL },
	{ "p,,n=user,r=x", NULL },
	/* What one must know. */
	{ "n,,m=1,n=user,r=x", NULL },
	/* Somebody else's name. */
	{ "n,a=admin,n=user,r=x", NULL },
	{ "n,a=,n=user,r=x", NULL },
	{ "n,a=user", NULL },
	/* Torn and turned. */
	{ "", NULL },
	{ "n", NULL },
	{ "n,", NULL },
	{ "n,,", NULL },
	{ "n,,n", NULL },
	{ "n,,n=", NULL },
	{ "n,,n=,r=x", NULL },
	{ "n,,n=user", NULL },
	{ "n,,n=user,", NULL },
	{ "n,,n=user,r", NULL },
	{ "n,,n=user,r=", NULL },
	{ "n,,n=user,r=,z=1", NULL },
	{ "n,,r=x,n=user", NULL },
	{ "n=user,r=x", NULL },
	{ "x,,n=user,r=x", NULL },
	{ " n,,n=user,r=x", NULL },
	{ "n,,n=user,r=a b", NULL },
	{ "n,,n=user,r=\xc3\xa9", NULL },
	{ "n,,n=user,r=\x7f", NULL },
	{ "n,,n=user,r=x,", NULL },
	{ "n,,n=user,r=x,z", NULL },
	{ "n,,n=user,r=x,z=", NULL },
	{ "n,,n=user,r=x,1=1", NULL },
	{ "n,,n=user,r=x,z=1,", NULL },
	/* Escapes. */
	{ "n,,n=a=2c,r=x", NULL },
	{ "n,,n=a=,r=x", NULL },
	{ "n,,n=a=3,r=x", NULL },
	{ "n,,n=a==,r=x", NULL },
	{ "n,,n=\xff,r=x", NULL },
	{ "n,,n=a\xc3,r=x", NULL },
};

static void test_each_first_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(firsts); i++) {
		struct scram *s = NULL;
		int r = scram_first(slice_str(firsts[i].message), &s);

		if (r != (firsts[i].user ? 0 : -EINVAL))
			fail_msg("%s: %d", firsts[i].message, r);
		if (r == 0)
			assert_text(scram_user(s), firsts[i].user);
		scram_free(s);
	}
}

static void test_a_nul_ends_nothing(void **state)
{
	struct scram *s = NULL;

	(void)state;
	assert_int_equal(scram_first(slice_of("n,,n=user\0x,r=x", 15), &s),
			 -EINVAL);
	assert_int_equal(scram_first(slice_of("n,,n=user,r=x\0", 14), &s),
			 -EINVAL);
}

static void test_names_and_nonces_have_their_limits(void **state)
{
	char message[SCRAM_MESSAGE_MAX + 2];
	char name[SCRAM_NAME_MAX + 2], nonce[SCRAM_NONCE_MAX + 2];
	struct scram *s;

	(void)state;
	for (int more = 0; more < 3; more++) {
		memset(name, 'n', sizeof(name));
		memset(nonce, 'r', sizeof(nonce));
		name[SCRAM_NAME_MAX + (more == 1)] = '\0';
		nonce[SCRAM_NONCE_MAX + (more == 2)] = '\0';
		(void)snprintf(message, sizeof(message), "n,,n=%s,r=%s", name,
			       nonce);
		s = NULL;
		assert_int_equal(scram_first(slice_str(message), &s),
				 more ? -EINVAL : 0);
		scram_free(s);
	}
	for (size_t more = 0; more < 2; more++) {
		memset(message, 'z', sizeof(message));
		memcpy(message, "n,,n=u,r=x,z=", 13);
		s = NULL;
		assert_int_equal(
			scram_first(slice_of(message, SCRAM_MESSAGE_MAX + more),
				    &s),
			more ? -EINVAL : 0);
		scram_free(s);
	}
}

#define FIRST "n,,n=user,r=abc"
#define NONCE "XYZ"
#define PROOF "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* A proof that is read, and wrong, is -EACCES. */
static void test_each_final_message(void **state)
{
	static const struct {
		const char *message;
		int r;
	} rows[] = {
		{ "c=biws,r=abcXYZ,p=" PROOF, -EACCES },
		{ "c=biws,r=abcXYZ,z=1,p=" PROOF, -EACCES },
		{ "c=eSws,r=abcXYZ,p=" PROOF, -EINVAL }, /* "y,," it was not */
		{ "c=biw=,r=abcXYZ,p=" PROOF, -EINVAL },
		{ "c=,r=abcXYZ,p=" PROOF, -EINVAL },
		{ "r=abcXYZ,p=" PROOF, -EINVAL },
		{ "c=biws,r=abc,p=" PROOF, -EINVAL },
		{ "c=biws,r=abcXYZZ,p=" PROOF, -EINVAL },
		{ "c=biws,r=abcXYz,p=" PROOF, -EINVAL },
		{ "c=biws,p=" PROOF, -EINVAL },
		{ "c=biws,r=abcXYZ", -EINVAL },
		{ "c=biws,r=abcXYZ,", -EINVAL },
		{ "c=biws,r=abcXYZ,p=", -EINVAL },
		{ "c=biws,r=abcXYZ,p=AAAA", -EINVAL },
		{ "c=biws,r=abcXYZ,p=" PROOF "=", -EINVAL },
		{ "c=biws,r=abcXYZ,p="
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		  -EINVAL },
		{ "c=biws,r=abcXYZ,p="
		  "AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAA=",
		  -EINVAL },
		{ "c=biws,r=abcXYZ,p="
		  "    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		  -EINVAL },
		{ "c=biws,r=abcXYZ,p=" PROOF ",z=1", -EINVAL },
		{ "c=biws,r=abcXYZ,z,p=" PROOF, -EINVAL },
		{ "c=biws,r=abcXYZ,,p=" PROOF, -EINVAL },
		{ "", -EINVAL },
		{ "c", -EINVAL },
		{ "c=biws", -EINVAL },
	};
	const struct scram_keys keys = pencil();
	struct slice out;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scram *s = begin(FIRST);
		int r;

		scram_challenge(s, &keys, true, NONCE);
		r = scram_final(s, slice_str(rows[i].message), &out);
		if (r != rows[i].r)
			fail_msg("%s: %d", rows[i].message, r);
		scram_free(s);
	}
}

static int play(const char *first, const char *password, bool known)
{
	const struct scram_keys keys = pencil();
	struct scram_client client;
	struct scram *s = begin(first);
	struct slice out = scram_challenge(s, &keys, known, NONCE);
	int r;

	scram_client_first(&client, "user", "abc");
	assert_true(scram_client_prove(&client, password, out));
	r = scram_final(s, slice_str(client.message), &out);
	if (r == 0)
		assert_text(out, client.expected);
	scram_free(s);
	return r;
}

static void test_only_the_right_proof_is_right(void **state)
{
	(void)state;
	assert_int_equal(play(FIRST, "pencil", true), 0);
	assert_int_equal(play(FIRST, "Pencil", true), -EACCES);
	assert_int_equal(play(FIRST, "", true), -EACCES);
	/* Not even the keys' own password opens for who is not known. */
	assert_int_equal(play(FIRST, "pencil", false), -EACCES);
	/* It was made for another name, and for another header. */
	assert_int_equal(play("n,,n=usel,r=abc", "pencil", true), -EACCES);
	assert_int_equal(play("y,,n=user,r=abc", "pencil", true), -EINVAL);
}

/* Every bit of the message counts. */
static void test_a_changed_bit_is_wrong(void **state)
{
	const struct scram_keys keys = pencil();
	struct scram_client client;
	struct scram *s = begin(FIRST);
	struct slice out = scram_challenge(s, &keys, true, NONCE);

	(void)state;
	scram_client_first(&client, "user", "abc");
	assert_true(scram_client_prove(&client, "pencil", out));
	scram_free(s);
	for (size_t i = 0; i < strlen(client.message); i++) {
		char *byte = &client.message[i];
		const char was = *byte;

		for (int bit = 0; bit < 7; bit++) {
			int r;

			*byte = (char)(was ^ 1 << bit);
			if (*byte == '\0')
				continue;
			s = begin(FIRST);
			scram_challenge(s, &keys, true, NONCE);
			r = scram_final(s, slice_str(client.message), &out);
			scram_free(s);
			*byte = was;
			/* The last character has two bits that mean nothing:
			 * the decoder must not take them for something. */
			if (r == 0 && i != strlen(client.message) - 2)
				fail_msg("byte %zu bit %d", i, bit);
		}
	}
}

static void test_an_allocation_that_fails_is_told(void **state)
{
	struct scram *s = NULL;

	(void)state;
	failing_malloc_arm(0);
	assert_int_equal(scram_first(slice_str(FIRST), &s), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_null(s);
	scram_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_exchange_of_rfc_7677),
		cmocka_unit_test(test_each_first_message),
		cmocka_unit_test(test_a_nul_ends_nothing),
		cmocka_unit_test(test_names_and_nonces_have_their_limits),
		cmocka_unit_test(test_each_final_message),
		cmocka_unit_test(test_only_the_right_proof_is_right),
		cmocka_unit_test(test_a_changed_bit_is_wrong),
		cmocka_unit_test(test_an_allocation_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
