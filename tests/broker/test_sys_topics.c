#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/access.h"
#include "broker/base/clock.h"
#include "broker/sys_topics.h"
#include "tests/broker/sim_peer.h"

static uint64_t now_ns = 1000000000;

static uint64_t fake_monotonic(void)
{
	return now_ns;
}

/* Anonymous clients may read $SYS and write everything, as far as rules go. */
static struct access *open_access(void)
{
	const struct access_rule sys = {
		.id = 1,
		.filter = "$SYS/#",
		.action = ACCESS_READWRITE,
		.allow = true,
	};
	const struct access_rule all = {
		.id = 2,
		.filter = "#",
		.action = ACCESS_READWRITE,
		.allow = true,
	};
	struct access *access = access_new();

	assert_int_equal(access_add_rule(access, &sys), 0);
	assert_int_equal(access_add_rule(access, &all), 0);
	return access;
}

static struct sim_peer *client(struct broker *broker, const char *id)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, id, true);
	struct sim_peer *peer = sim_peer_open_as(broker, id);

	sim_peer_connect(peer, &packet);
	sim_peer_expect(peer, MQTT_CONNACK);
	return peer;
}

static void test_values_are_there_and_follow(void **state)
{
	struct sim_store *store = sim_store_new();
	struct broker *broker;
	struct sim_peer *peer;

	(void)state;
	clock_set_source(fake_monotonic, NULL);
	broker = sim_broker(store, open_access());
	broker->sys_topics = sys_topics_new(broker);
	peer = client(broker, "tool");
	sim_peer_subscribe(peer, "$SYS/broker/version", 0);
	sim_peer_expect(peer, MQTT_SUBACK);
	sim_peer_receive(peer, "$SYS/broker/version",
			 "hearth version " HEARTH_VERSION, 0);
	sim_peer_subscribe(peer, "$SYS/broker/clients/connected", 0);
	sim_peer_expect(peer, MQTT_SUBACK);
	sim_peer_receive(peer, "$SYS/broker/clients/connected", "0", 0);

	now_ns += UINT64_C(11000000000);
	sim_run(broker);
	sim_peer_receive(peer, "$SYS/broker/clients/connected", "1", 0);
	/* Kept in memory only. */
	assert_int_equal(sim_store_retained(store), 0);

	sim_peer_close(peer);
	broker_free(broker);
	sim_store_free(store);
	clock_set_source(NULL, NULL);
}

static void test_nobody_else_writes_them(void **state)
{
	struct broker *broker = sim_broker(NULL, open_access());
	struct sim_peer *peer = client(broker, "liar");

	(void)state;
	sim_peer_publish(peer, "$SYS/broker/version", "mine", 1, true, 1);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBACK, 1),
			 MQTT_NOT_AUTHORIZED);
	assert_true(sys_topics_own(slice_str("$SYS/broker/x")));
	assert_false(sys_topics_own(slice_str("$SYS")));
	assert_false(sys_topics_own(slice_str("$SYSTEM/x")));
	sim_peer_close(peer);
	broker_free(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_there_and_follow),
		cmocka_unit_test(test_nobody_else_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
