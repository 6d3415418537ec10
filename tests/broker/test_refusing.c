/* The store can keep nothing more: what would have to be kept is refused with a
 * reason, and all else goes on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/broker/sim_peer.h"

struct rig {
	struct sim_store *store;
	struct broker *broker;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->store = sim_store_new();
	rig->broker = sim_broker(rig->store, NULL);
	*state = rig;
	return rig->broker ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	broker_free(rig->broker);
	sim_store_free(rig->store);
	free(rig);
	return 0;
}

static void refuse(struct rig *rig, int error)
{
	sim_store_set_refuses(rig->store, error);
	sim_run(rig->broker);
}

static struct sim_peer *durable(struct rig *rig, const char *filter,
				uint8_t qos)
{
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);

	assert_int_equal(sim_peer_subscribed(sub, filter, qos), qos);
	return sub;
}

static struct sim_peer *publisher(struct rig *rig, enum mqtt_version version)
{
	return sim_client(rig->broker, version, "pub", true, NULL);
}

/* Who is away would need a row; with room again it is as before. */
static void test_for_somebody_away(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub = publisher(rig, MQTT_5_0);

	sim_peer_close(durable(rig, "t", 2));
	refuse(rig, -ENOSPC);
	sim_peer_publish(pub, "t", "one", 1, false, 7);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 7),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_publish(pub, "t", "two", 2, false, 8);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBREC, 8),
			 MQTT_QUOTA_EXCEEDED);
	assert_int_equal(sim_store_queued(rig->store), 0);

	refuse(rig, 0);
	sim_peer_publish(pub, "t", "three", 1, false, 9);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 9), MQTT_SUCCESS);
	assert_int_equal(sim_store_queued(rig->store), 1);
	sim_peer_close(pub);
}

/* An acknowledgement would be a lie, and they know no other answer. */
static void test_an_older_client_is_disconnected(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub = publisher(rig, MQTT_3_1_1);

	sim_peer_close(durable(rig, "t", 1));
	refuse(rig, -EIO);
	sim_peer_publish(pub, "t", "one", 1, false, 7);
	assert_true(sim_peer_ended(pub));
	sim_peer_close(pub);
}

static void test_a_retained_value(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub = publisher(rig, MQTT_5_0);

	sim_peer_publish(pub, "t", "old", 1, true, 6);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 6),
			 MQTT_NO_MATCHING_SUBSCRIBERS);
	refuse(rig, -EROFS);
	sim_peer_publish(pub, "t", "one", 1, true, 7);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 7),
			 MQTT_QUOTA_EXCEEDED);
	/* Clearing makes room. */
	sim_peer_publish(pub, "t", "", 1, true, 8);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 8),
			 MQTT_NO_MATCHING_SUBSCRIBERS);
	assert_int_equal(sim_store_retained(rig->store), 0);
	sim_peer_close(pub);
}

/* A publisher whose own session is kept: its identifier would need a row. */
static void test_qos_2_of_a_durable_publisher(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", false, NULL);

	refuse(rig, -ENOSPC);
	sim_peer_publish(pub, "t", "one", 2, false, 7);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBREC, 7),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_publish(pub, "t", "two", 1, false, 8);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 8),
			 MQTT_NO_MATCHING_SUBSCRIBERS);
	sim_peer_close(pub);
}

static void expect(struct sim_peer *sub, const char *payload)
{
	struct mqtt_publish got = sim_peer_message(sub);

	assert_true(slice_equal(got.payload, slice_str(payload)));
}

/* QoS 0, whoever gets it; any QoS to those who keep no session. */
static void test_all_else_goes_on(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub = publisher(rig, MQTT_5_0);
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "there", true, NULL);

	sim_peer_close(durable(rig, "a", 1));
	assert_int_equal(sim_peer_subscribed(sub, "#", 1), 1);
	refuse(rig, -ENOSPC);

	sim_peer_publish(pub, "a", "one", 0, false, 0);
	expect(sub, "one");
	sim_peer_publish(pub, "b", "two", 0, true, 0);
	expect(sub, "two");
	sim_peer_publish(pub, "b", "three", 1, false, 7);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 7), MQTT_SUCCESS);
	expect(sub, "three");

	/* Nobody gets what was refused. */
	sim_peer_publish(pub, "a", "four", 1, false, 8);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 8),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* Refusing from the first: a disk that was full at the start. */
static void test_a_broker_is_told_at_its_start(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub;

	broker_free(rig->broker);
	sim_store_set_refuses(rig->store, -EROFS);
	rig->broker = sim_broker(rig->store, NULL);
	assert_non_null(rig->broker);
	pub = publisher(rig, MQTT_5_0);
	sim_peer_publish(pub, "t", "one", 1, true, 7);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 7),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_close(pub);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_for_somebody_away),
		TEST(test_an_older_client_is_disconnected),
		TEST(test_a_retained_value),
		TEST(test_qos_2_of_a_durable_publisher),
		TEST(test_all_else_goes_on),
		TEST(test_a_broker_is_told_at_its_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
