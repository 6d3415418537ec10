/* SCRAM keys on their way from who makes them to who keeps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/authenticator.h"
#include "broker/base/mailbox.h"

static struct authenticator_request *with_keys(void)
{
	struct authenticator_request *request = authenticator_request_new(
		AUTHENTICATOR_VERIFY, NULL, slice_str("x"));

	assert_non_null(request);
	memcpy(request->scram, "keys", 5);
	request->owner = request;
	return request;
}

/* Without a keeper, or with one that is behind, keys are made another time. */
static void test_keys_are_handed_on_to_their_keeper(void **state)
{
	struct authenticator *hasher = authenticator_new();
	struct mailbox *keeper = mailbox_new(1);
	struct authenticator_request *kept, *more;

	(void)state;
	assert_non_null(hasher);
	assert_non_null(keeper);
	authenticator_hand_on(hasher, with_keys());
	authenticator_set_keeper(hasher, keeper);
	kept = with_keys();
	authenticator_hand_on(hasher, kept);
	authenticator_hand_on(hasher, with_keys());
	more = mailbox_take(keeper);
	assert_ptr_equal(more, kept);
	assert_null(more->owner);
	assert_string_equal(more->scram, "keys");
	authenticator_request_free(more);
	assert_null(mailbox_take(keeper));
	authenticator_set_keeper(hasher, NULL);
	authenticator_hand_on(hasher, with_keys());
	assert_null(mailbox_take(keeper));
	authenticator_free(hasher);
	mailbox_free(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_handed_on_to_their_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
