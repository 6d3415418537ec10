#include <errno.h>

#include "tests/broker/client_script.h"

static const struct client_will will = {
	.topic = "s",
	.payload = "off",
	.qos = 1,
	.retain = true,
};

static void test_connect_carries_all_that_was_asked(void **state)
{
	struct client_options all = old;
	struct client_protocol *p;

	(void)state;
	all.username = "u";
	all.password = "p";
	all.will = &will;
	all.clean_start = false;
	p = make(&all);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, "10 1b 00 04 4d 51 54 54 04 ec 00 3c 00 01 63 "
			"00 01 73 00 03 6f 66 66 00 01 75 00 01 70");
	client_protocol_free(p);

	all = new;
	all.session_expiry = 300;
	p = make(&all);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, "10 18 00 04 4d 51 54 54 05 02 00 3c 0a "
			"11 00 00 01 2c 27 00 10 00 00 00 01 63");
	client_protocol_free(p);
}

static void test_subscriptions_are_asked_for_after_every_connect(void **state)
{
	struct client_protocol *p = make(&old);

	(void)state;
	assert_int_equal(client_protocol_subscribe(p, "a/+", 1), 0);
	assert_int_equal(client_protocol_subscribe(p, "a/+", 1), 0);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "20 02 00 00"), 0);
	assert_sends(p, "82 08 00 01 00 03 61 2f 2b 01");
	assert_int_equal(client_protocol_subscribe(p, "b", 0), 0);
	assert_sends(p, "82 06 00 02 00 01 62 00");
	assert_int_equal(receive(p, "90 03 00 02 80 90 03 00 01 01"), 0);
	assert_story("connected 0\nsubscribed b 80\nsubscribed a/+ 01\n");

	client_protocol_close(p);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "20 02 00 00"), 0);
	assert_sends(p, "82 08 00 03 00 03 61 2f 2b 01 "
			"82 06 00 04 00 01 62 00");
	/* One answer comes, then the connection breaks; the server remembers. */
	assert_int_equal(receive(p, "90 03 00 03 01"), 0);
	client_protocol_close(p);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "20 02 01 00"), 0);
	assert_sends(p, "82 06 00 05 00 01 62 00");
	client_protocol_free(p);
}

static void test_messages_are_delivered_and_acknowledged(void **state)
{
	struct client_protocol *p = make_connected(&old);

	(void)state;
	assert_int_equal(receive(p, "30 04 00 01 74 78 "
				    "3b 06 00 01 74 12 34 79 "
				    "31 03 00 01 74"),
			 0);
	assert_story("t=x qos0\nt=y qos1 old again\nt= qos0 old\n");
	assert_sends(p, "40 02 12 34");
	client_protocol_free(p);

	p = make_connected(&new);
	assert_int_equal(receive(p, "32 0a 00 01 74 00 07 03 26 00 00 79"),
			 -EPROTO);
	client_protocol_free(p);
	p = make_connected(&new);
	assert_int_equal(
		receive(p, "32 0c 00 01 74 00 07 05 26 00 00 00 00 79"), 0);
	assert_story("t=y qos1\n");
	assert_sends(p, "40 02 00 07");
	client_protocol_free(p);
}

static void test_qos0_goes_now_or_not_at_all(void **state)
{
	struct client_protocol *p = make(&old);

	(void)state;
	assert_int_equal(client_protocol_publish(p, slice_str("t"),
						 slice_str("x"), 0, false, 0),
			 -ENOTCONN);
	client_protocol_free(p);
	p = make_connected(&old);
	assert_int_equal(client_protocol_publish(p, slice_str("t"),
						 slice_str("x"), 0, true, 0),
			 0);
	assert_sends(p, "31 04 00 01 74 78");
	client_protocol_free(p);
	p = make_connected(&new);
	assert_int_equal(client_protocol_publish(p, slice_str("t"),
						 slice_str("x"), 0, false, 0),
			 0);
	assert_sends(p, "30 05 00 01 74 00 78");
	client_protocol_free(p);
}

static void test_qos1_is_kept_until_acknowledged(void **state)
{
	struct client_protocol *p = make(&old);

	(void)state;
	/* Before there is a connection, too. */
	assert_int_equal(publish1(p, "1", 11), 0);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "20 02 00 00"), 0);
	assert_sends(p, "32 06 00 01 74 00 01 31");
	assert_int_equal(publish1(p, "2", 12), 0);
	assert_int_equal(publish1(p, "3", 13), 0);
	assert_sends(p, "32 06 00 01 74 00 02 32 32 06 00 01 74 00 03 33");
	/* Out of order, and one that is nobody's. */
	assert_int_equal(receive(p, "40 02 00 02 40 02 00 09"), 0);
	assert_story("connected 0\nacknowledged 12 00\n");

	/* Same session: as duplicates, with their identifiers, in order. */
	client_protocol_close(p);
	assert_int_equal(publish1(p, "4", 14), 0);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "20 02 01 00"), 0);
	assert_sends(p, "3a 06 00 01 74 00 01 31 3a 06 00 01 74 00 03 33 "
			"32 06 00 01 74 00 04 34");

	/* A new session: as new messages, still in order. */
	client_protocol_close(p);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "20 02 00 00"), 0);
	assert_sends(p, "32 06 00 01 74 00 05 31 32 06 00 01 74 00 06 33 "
			"32 06 00 01 74 00 07 34");
	assert_int_equal(receive(p, "40 02 00 05 40 02 00 06 40 02 00 07"), 0);
	assert_story("connected 1\nconnected 0\nacknowledged 11 00\n"
		     "acknowledged 13 00\nacknowledged 14 00\n");
	client_protocol_close(p);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "20 02 01 00"), 0);
	assert_sends(p, "");
	client_protocol_free(p);
}

static void test_a_negative_acknowledgement_ends_it_too(void **state)
{
	struct client_protocol *p = make_connected(&new);

	(void)state;
	assert_int_equal(publish1(p, "1", 11), 0);
	assert_int_equal(receive(p, "40 03 00 01 87"), 0);
	assert_story("acknowledged 11 87\n");
	client_protocol_free(p);
}

static void test_no_more_under_way_than_the_server_takes(void **state)
{
	struct client_protocol *p = make(&new);

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(publish1(p, "x", i), 0);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_5);
	/* Receive Maximum 2. */
	assert_int_equal(receive(p, "20 06 00 00 03 21 00 02"), 0);
	assert_sends(p,
		     "32 07 00 01 74 00 01 00 78 32 07 00 01 74 00 02 00 78");
	assert_int_equal(receive(p, "40 02 00 01"), 0);
	assert_sends(p, "32 07 00 01 74 00 03 00 78");
	assert_int_equal(receive(p, "40 02 00 03"), 0);
	assert_sends(p, "32 07 00 01 74 00 04 00 78");
	client_protocol_free(p);
}

static void test_the_servers_disconnect_gives_its_reason(void **state)
{
	struct client_protocol *p = make_connected(&new);

	(void)state;
	assert_int_equal(receive(p, "e0 01 8e"), -ECONNRESET);
	assert_int_equal(client_protocol_reason(p), MQTT_SESSION_TAKEN_OVER);
	client_protocol_free(p);
	p = make_connected(&old);
	assert_int_equal(receive(p, "e0 00"), -EPROTO);
	client_protocol_free(p);
}

static void test_keep_alive_pings_and_notices_silence(void **state)
{
	struct client_protocol *p = make_connected(&old);

	(void)state;
	assert_int_equal(client_protocol_next(p), 1000 + 45000);
	assert_int_equal(client_protocol_tick(p, 45999), 0);
	assert_sends(p, "");
	assert_int_equal(client_protocol_tick(p, 46000), 0);
	assert_sends(p, "c0 00");
	assert_int_equal(client_protocol_next(p), 46000 + 60000);
	assert_int_equal(receive_at(p, "d0 00", 47000), 0);
	/* What we sent (at 1000 by the clock of this test) was longer ago. */
	client_protocol_sent(p, 0, 46000);
	assert_int_equal(client_protocol_next(p), 46000 + 45000);
	assert_int_equal(client_protocol_tick(p, 91000), 0);
	assert_sends(p, "c0 00");
	assert_int_equal(client_protocol_tick(p, 150999), 0);
	assert_int_equal(client_protocol_tick(p, 151000), -ETIMEDOUT);
	client_protocol_free(p);
}

static void test_patience_is_shorter_than_the_keep_alive(void **state)
{
	struct client_protocol *p = make_connected(&old);

	(void)state;
	assert_int_equal(client_protocol_heard(p), 1000);
	client_protocol_set_patience(p, 6000);
	assert_int_equal(client_protocol_next(p), 1000 + 2000);
	/* That we talk does not say that it listens. */
	client_protocol_sent(p, 0, 2500);
	assert_int_equal(client_protocol_tick(p, 2999), 0);
	assert_sends(p, "");
	assert_int_equal(client_protocol_tick(p, 3000), 0);
	assert_sends(p, "c0 00");
	assert_int_equal(client_protocol_next(p), 1000 + 6000);
	assert_int_equal(receive_at(p, "d0 00", 6999), 0);
	assert_int_equal(client_protocol_heard(p), 6999);
	assert_int_equal(client_protocol_tick(p, 8999), 0);
	assert_sends(p, "c0 00");
	assert_int_equal(client_protocol_tick(p, 12998), 0);
	assert_int_equal(client_protocol_tick(p, 12999), -ETIMEDOUT);
	assert_int_equal(client_protocol_heard(p), 6999);

	/* Longer than the keep-alive it changes nothing. */
	client_protocol_set_patience(p, 1000000);
	assert_int_equal(client_protocol_next(p), 8999 + 60000);
	client_protocol_free(p);
}

static void test_the_servers_keep_alive_counts(void **state)
{
	struct client_options none = old;
	struct client_protocol *p = make(&new);

	(void)state;
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_int_equal(receive_at(p, "20 06 00 00 03 13 00 14", 0), 0);
	assert_int_equal(client_protocol_next(p), 15000);
	client_protocol_free(p);

	none.keep_alive = 0;
	p = make(&none);
	assert_int_equal(client_protocol_next(p), UINT64_MAX);
	assert_int_equal(client_protocol_open(p, 500), 0);
	assert_int_equal(client_protocol_next(p), 500 + CLIENT_CONNECT_MS);
	assert_int_equal(client_protocol_tick(p, 500 + CLIENT_CONNECT_MS),
			 -ETIMEDOUT);
	assert_int_equal(receive(p, "20 02 00 00"), 0);
	assert_int_equal(client_protocol_next(p), UINT64_MAX);
	client_protocol_free(p);
}

static void test_goodbye_waits_for_the_acknowledgements(void **state)
{
	struct client_protocol *p = make_connected(&old);

	(void)state;
	assert_int_equal(publish1(p, "1", 11), 0);
	client_protocol_finish(p);
	assert_false(client_protocol_finished(p));
	assert_sends(p, "32 06 00 01 74 00 01 31");
	assert_int_equal(receive(p, "40 02 00 01"), 0);
	assert_true(client_protocol_finished(p));
	assert_sends(p, "e0 00");
	client_protocol_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_carries_all_that_was_asked),
		cmocka_unit_test(
			test_subscriptions_are_asked_for_after_every_connect),
		cmocka_unit_test(test_messages_are_delivered_and_acknowledged),
		cmocka_unit_test(test_qos0_goes_now_or_not_at_all),
		cmocka_unit_test(test_qos1_is_kept_until_acknowledged),
		cmocka_unit_test(test_a_negative_acknowledgement_ends_it_too),
		cmocka_unit_test(test_no_more_under_way_than_the_server_takes),
		cmocka_unit_test(test_the_servers_disconnect_gives_its_reason),
		cmocka_unit_test(test_keep_alive_pings_and_notices_silence),
		cmocka_unit_test(test_patience_is_shorter_than_the_keep_alive),
		cmocka_unit_test(test_the_servers_keep_alive_counts),
		cmocka_unit_test(test_goodbye_waits_for_the_acknowledgements),
	};

	return run_both_ways(tests);
}
