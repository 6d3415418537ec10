#include <errno.h>
#include <stdio.h>

#include "tests/broker/client_script.h"
#include "tests/failing_malloc.h"

static void test_options_that_cannot_be_are_refused(void **state)
{
	static const struct client_will bad_will = { "a/+", "x", 0, false };
	static const struct client_will will2 = { "a", "x", 2, false };
	struct client_options bad[7];
	struct client_protocol *p;

	(void)state;
	for (size_t i = 0; i < 7; i++)
		bad[i] = old;
	bad[0].version = MQTT_3_1;
	bad[1].client_id = NULL;
	bad[2].client_id = "\xff";
	bad[3].client_id = "";
	bad[3].clean_start = false;
	bad[4].password = "without a name";
	bad[5].will = &bad_will;
	bad[6].will = &will2;
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(
			client_protocol_new(&bad[i], &callbacks, NULL, &p),
			-EINVAL);
}

static void test_a_refusal_gives_the_reason(void **state)
{
	struct client_protocol *p = make(&old);

	(void)state;
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_int_equal(receive(p, "20 02 00 05"), -ECONNREFUSED);
	assert_int_equal(client_protocol_reason(p), MQTT_NOT_AUTHORIZED);
	client_protocol_free(p);

	p = make(&new);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_int_equal(receive(p, "20 03 00 97 00"), -ECONNREFUSED);
	assert_int_equal(client_protocol_reason(p), MQTT_QUOTA_EXCEEDED);
	assert_story("");
	client_protocol_free(p);
}

static void test_bad_filters_and_too_many(void **state)
{
	struct client_protocol *p = make(&old);
	char filter[16];

	(void)state;
	assert_int_equal(client_protocol_subscribe(p, "", 0), -EINVAL);
	assert_int_equal(client_protocol_subscribe(p, "a/#/b", 0), -EINVAL);
	assert_int_equal(client_protocol_subscribe(p, "\xff", 0), -EINVAL);
	assert_int_equal(client_protocol_subscribe(p, "a", 2), -EINVAL);
	for (unsigned int i = 0; i < CLIENT_SUBSCRIPTIONS; i++) {
		(void)snprintf(filter, sizeof(filter), "f%u", i);
		assert_int_equal(client_protocol_subscribe(p, filter, 0), 0);
	}
	assert_int_equal(client_protocol_subscribe(p, "more", 0), -ENOBUFS);
	assert_int_equal(client_protocol_subscribe(p, "f3", 0), 0);
	client_protocol_free(p);
}

static void test_topics_that_cannot_be_are_refused(void **state)
{
	struct client_protocol *p = make_connected(&old);

	(void)state;
	assert_int_equal(client_protocol_publish(p, slice_str(""),
						 slice_str(""), 0, false, 0),
			 -EINVAL);
	assert_int_equal(client_protocol_publish(p, slice_str("a/#"),
						 slice_str(""), 1, false, 0),
			 -EINVAL);
	assert_int_equal(client_protocol_publish(p, slice_str("\xc3"),
						 slice_str(""), 1, false, 0),
			 -EINVAL);
	assert_int_equal(client_protocol_publish(p, slice_str("a"),
						 slice_str(""), 2, false, 0),
			 -EINVAL);
	assert_sends(p, "");
	client_protocol_free(p);
}

static void test_what_a_server_never_takes_is_given_up(void **state)
{
	struct client_protocol *p = make(&new);

	(void)state;
	assert_int_equal(publish1(p, "this is longer than 12 bytes", 1), 0);
	assert_int_equal(publish1(p, "x", 2), 0);
	assert_int_equal(client_protocol_publish(p, slice_str("t"),
						 slice_str("x"), 1, true, 3),
			 0);
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_5);
	/* Maximum Packet Size 12, Retain Available 0. */
	assert_int_equal(receive(p, "20 0a 00 00 07 27 00 00 00 0c 25 00"), 0);
	assert_story("connected 0\nacknowledged 1 95\nacknowledged 3 9a\n");
	assert_sends(p, "32 07 00 01 74 00 01 00 78");
	assert_int_equal(client_protocol_publish(p, slice_str("t"),
						 slice_str("0123456789"), 0,
						 false, 0),
			 -EMSGSIZE);
	client_protocol_free(p);
}

static void test_the_queue_has_a_limit(void **state)
{
	struct client_protocol *p = make(&old);
	static uint8_t big[CLIENT_QUEUE_BYTES / 4];
	unsigned int n = 0;

	(void)state;
	for (unsigned int i = 0; i < CLIENT_QUEUE_MESSAGES; i++)
		assert_int_equal(publish1(p, "x", i), 0);
	assert_int_equal(publish1(p, "x", 0), -ENOBUFS);
	client_protocol_free(p);

	p = make(&old);
	while (client_protocol_publish(p, slice_str("t"),
				       slice_of(big, sizeof(big)), 1, false,
				       n) == 0)
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(publish1(p, "small", 9), 0);
	client_protocol_free(p);
}

/* However much the server allows, so much is at risk at once. */
static void test_no_more_under_way_than_we_want(void **state)
{
	struct client_protocol *p = make_connected(&old);
	size_t size = 8; /* fixed header, topic, identifier, payload */

	(void)state;
	for (unsigned int i = 0; i < CLIENT_INFLIGHT + 5; i++)
		assert_int_equal(publish1(p, "x", i), 0);
	assert_int_equal(client_protocol_output(p).len, CLIENT_INFLIGHT * size);
	client_protocol_sent(p, CLIENT_INFLIGHT * size, 1000);
	assert_sends(p, "");
	assert_int_equal(receive(p, "40 02 00 01"), 0);
	assert_int_equal(client_protocol_output(p).len, size);
	client_protocol_free(p);
}

static void test_packets_that_a_server_may_not_send_end_it(void **state)
{
	static const struct {
		const char *hex;
		enum mqtt_reason reason;
	} cases[] = {
		{ "20 03 00 00 00", MQTT_PROTOCOL_ERROR }, /* a second one */
		{ "10 00", MQTT_PROTOCOL_ERROR },
		{ "82 00", MQTT_PROTOCOL_ERROR },
		{ "c0 00", MQTT_PROTOCOL_ERROR },
		{ "50 02 00 01", MQTT_PROTOCOL_ERROR },
		{ "f0 00", MQTT_PROTOCOL_ERROR },
		{ "00 00", MQTT_MALFORMED_PACKET },
		{ "d0 01 00", MQTT_MALFORMED_PACKET },
		{ "d1 00", MQTT_MALFORMED_PACKET },
		{ "90 04 00 09 00 00", MQTT_PROTOCOL_ERROR },
		{ "40 02 00 00", MQTT_MALFORMED_PACKET },
		{ "34 07 00 01 74 00 01 00 78", MQTT_QOS_NOT_SUPPORTED },
		{ "30 08 00 01 74 03 23 00 01 78", MQTT_TOPIC_ALIAS_INVALID },
		{ "30 05 00 01 2b 00 78", MQTT_TOPIC_NAME_INVALID },
		{ "30 80 80 80 80 01", MQTT_MALFORMED_PACKET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client_protocol *p = make_connected(&new);
		char goodbye[16];

		assert_int_equal(receive(p, cases[i].hex), -EPROTO);
		assert_int_equal(client_protocol_reason(p), cases[i].reason);
		(void)snprintf(goodbye, sizeof(goodbye), "e0 01 %02x",
			       cases[i].reason);
		assert_sends(p, goodbye);
		assert_story("");
		client_protocol_free(p);
	}
}

static void test_nothing_may_come_before_the_connack(void **state)
{
	struct client_protocol *p = make(&old);

	(void)state;
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	assert_int_equal(receive(p, "30 04 00 01 74 78"), -EPROTO);
	assert_story("");
	client_protocol_free(p);
}

static void test_a_packet_too_large_is_refused_by_its_header(void **state)
{
	struct client_protocol *p = make_connected(&new);

	(void)state;
	assert_int_equal(receive(p, "30 ff ff 7f"), -EMSGSIZE);
	assert_sends(p, "e0 01 95");
	client_protocol_free(p);
}

static void test_every_allocation_may_fail(void **state)
{
	struct client_protocol *p = NULL;
	unsigned int n = 0;
	int r;

	(void)state;
	for (;;) {
		failing_malloc_arm(n++);
		r = client_protocol_new(&old, &callbacks, NULL, &p);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_int_equal(n, 4);

	failing_malloc_arm(0);
	assert_int_equal(client_protocol_subscribe(p, "a", 0), -ENOMEM);
	assert_true(failing_malloc_disarm());
	failing_malloc_arm(0);
	assert_int_equal(publish1(p, "1", 11), -ENOMEM);
	assert_true(failing_malloc_disarm());
	failing_malloc_arm(0);
	assert_int_equal(client_protocol_open(p, 0), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(client_protocol_open(p, 0), 0);
	assert_sends(p, CONNECT_311);
	client_protocol_free(p);
}

/* No room for what we want to say: it is said later, in order. */
static void test_output_without_memory_is_made_later(void **state)
{
	static uint8_t big[CLIENT_QUEUE_BYTES / 4];
	struct client_protocol *p = make_connected(&old);
	size_t before;

	(void)state;
	assert_int_equal(publish1(p, "1", 11), 0);
	before = client_protocol_output(p).len;
	/* The message is kept (first allocation), the output cannot grow. */
	failing_malloc_arm(1);
	assert_int_equal(client_protocol_publish(p, slice_str("t"),
						 slice_of(big, sizeof(big)), 1,
						 false, 12),
			 0);
	assert_true(failing_malloc_disarm());
	assert_int_equal(client_protocol_output(p).len, before);
	client_protocol_sent(p, before, 1000);
	assert_true(client_protocol_output(p).len > sizeof(big));
	client_protocol_free(p);
}

static void test_a_torn_packet_without_memory_ends_it(void **state)
{
	struct client_protocol *p = make_connected(&old);
	uint8_t part[] = { 0x30, 0x04, 0x00 };

	(void)state;
	client_protocol_close(p);
	assert_int_equal(client_protocol_open(p, 0), 0);
	failing_malloc_arm(0);
	assert_int_equal(client_protocol_input(p, part, sizeof(part), 0),
			 -ENOMEM);
	assert_true(failing_malloc_disarm());
	client_protocol_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_that_cannot_be_are_refused),
		cmocka_unit_test(test_a_refusal_gives_the_reason),
		cmocka_unit_test(test_bad_filters_and_too_many),
		cmocka_unit_test(test_topics_that_cannot_be_are_refused),
		cmocka_unit_test(test_what_a_server_never_takes_is_given_up),
		cmocka_unit_test(test_the_queue_has_a_limit),
		cmocka_unit_test(test_no_more_under_way_than_we_want),
		cmocka_unit_test(
			test_packets_that_a_server_may_not_send_end_it),
		cmocka_unit_test(test_nothing_may_come_before_the_connack),
		cmocka_unit_test(
			test_a_packet_too_large_is_refused_by_its_header),
		cmocka_unit_test(test_every_allocation_may_fail),
		cmocka_unit_test(test_output_without_memory_is_made_later),
		cmocka_unit_test(test_a_torn_packet_without_memory_ends_it),
	};

	return run_both_ways(tests);
}
