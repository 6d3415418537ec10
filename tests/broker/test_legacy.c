/* A will survives the death of the hub: whoever does not come back has it
 * published, whoever does has not, and a hub that is stopped says nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

struct rig {
	struct sim_store *store;
	struct broker *broker;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	sim_clock_start();
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
	sim_clock_stop();
	free(rig);
	return 0;
}

/* kill -9, and a new start. The peers stay, deaf. */
static void crash(struct rig *rig)
{
	sim_store_cut(rig->store);
	sim_store_set_auto(rig->store, false);
	broker_free(rig->broker);
	sim_store_cut(rig->store);
	sim_store_set_auto(rig->store, true);
	rig->broker = sim_broker(rig->store, NULL);
	assert_non_null(rig->broker);
}

/* What is left of a client of the hub before. */
static void bury(struct rig *rig, struct sim_peer *peer)
{
	peer->broker = rig->broker;
	sim_peer_close(peer);
}

struct told {
	const char *id;
	const char *topic;
	uint32_t delay;
	uint32_t expiry; /* of the session */
	uint32_t message_expiry; /* 0: none */
};

static struct sim_peer *come(struct rig *rig, const struct told *told)
{
	struct mqtt_connect c = sim_connect(MQTT_5_0, told->id, false);
	struct sim_peer *peer = sim_peer_open(rig->broker);
	struct mqtt_properties *p = &c.will.properties;

	c.has_will = told->topic != NULL;
	if (told->topic) {
		c.will.topic = slice_str(told->topic);
		c.will.payload = slice_str("gone");
		c.will.qos = 1;
		p->will_delay_interval = told->delay;
		properties_set(p, MQTT_PROP_WILL_DELAY_INTERVAL);
		if (told->message_expiry) {
			p->message_expiry_interval = told->message_expiry;
			properties_set(p, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
		}
	}
	c.properties.session_expiry_interval = told->expiry;
	properties_set(&c.properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	sim_peer_connect(peer, &c);
	sim_peer_expect(peer, MQTT_CONNACK);
	return peer;
}

static struct sim_peer *watcher(struct rig *rig)
{
	struct sim_peer *peer =
		sim_client(rig->broker, MQTT_3_1_1, "watcher", true, NULL);

	assert_int_equal(sim_peer_subscribed(peer, "will/#", 0), 0);
	return peer;
}

static const struct told cases[] = {
	{ "plain", "will/plain", 0, 0, 0 },
	{ "durable", "will/durable", 0, 3600, 0 },
	{ "delayed", "will/delayed", 20, 3600, 0 },
	/* Without a session there is nothing to wait for [MQTT-3.1.3-9]. */
	{ "brief", "will/brief", 20, 0, 0 },
};
static const uint64_t delays[] = { 0, 0, 20000, 0 };

#define GRACE (LIMIT_WILL_GRACE * 1000ull)

static void test_who_does_not_come_back_is_told_of(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sim_peer *gone = come(rig, &cases[i]);
		struct sim_peer *peer;

		assert_int_equal(sim_store_wills(rig->store), 1);
		crash(rig);
		bury(rig, gone);
		peer = watcher(rig);
		sim_clock_advance(rig->broker, GRACE + delays[i] - 1);
		sim_peer_expect_nothing(peer);
		assert_int_equal(sim_store_wills(rig->store), 1);
		sim_clock_advance(rig->broker, 1);
		sim_peer_receive(peer, cases[i].topic, "gone", 0);
		assert_int_equal(sim_store_wills(rig->store), 0);
		sim_clock_advance(rig->broker, 2 * GRACE);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

/* With a new will or without one. */
static void test_who_comes_back_is_not(void **state)
{
	static const struct told without = { .id = "plain" };
	struct rig *rig = *state;
	struct sim_peer *gone = come(rig, &cases[0]);
	struct sim_peer *back, *peer;

	crash(rig);
	bury(rig, gone);
	peer = watcher(rig);
	sim_clock_advance(rig->broker, GRACE - 1);
	back = come(rig, &cases[0]);
	assert_int_equal(sim_store_wills(rig->store), 1);
	sim_clock_advance(rig->broker, GRACE);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);

	crash(rig);
	bury(rig, back);
	back = come(rig, &without);
	assert_int_equal(sim_store_wills(rig->store), 0);
	peer = watcher(rig);
	sim_clock_advance(rig->broker, GRACE);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
	sim_peer_close(back);
}

/* A session belongs to its user, and what is said of it, too. */
static void test_another_user_of_its_name_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *gone = come(rig, &cases[0]);
	struct mqtt_connect c = sim_connect(MQTT_3_1_1, "plain", true);
	struct sim_peer *other, *peer;

	crash(rig);
	bury(rig, gone);
	peer = watcher(rig);
	other = sim_peer_open_as(rig->broker, "mallory");
	sim_peer_connect(other, &c);
	sim_peer_expect(other, MQTT_CONNACK);
	sim_clock_advance(rig->broker, GRACE);
	sim_peer_receive(peer, "will/plain", "gone", 0);
	sim_peer_close(other);
	sim_peer_close(peer);
}

/* Its row goes with whatever ends a will. */
static void test_a_row_goes_with_its_will(void **state)
{
	static const struct told none = { .id = "durable", .expiry = 3600 };
	static const uint8_t disconnect[] = { 0xe0, 0 };
	struct rig *rig = *state;
	struct sim_peer *peer;

	peer = come(rig, &cases[1]);
	assert_int_equal(sim_store_wills(rig->store), 1);
	sim_peer_send(peer, disconnect, sizeof(disconnect));
	assert_int_equal(sim_store_wills(rig->store), 0);
	sim_peer_close(peer);

	/* Published at once. */
	peer = come(rig, &cases[1]);
	sim_peer_close(peer);
	assert_int_equal(sim_store_wills(rig->store), 0);

	/* While it is delayed it is kept; the next connection has none. */
	peer = come(rig, &(struct told){ "durable", "will/x", 60, 3600, 0 });
	sim_peer_close(peer);
	assert_int_equal(sim_store_wills(rig->store), 1);
	peer = come(rig, &none);
	assert_int_equal(sim_store_wills(rig->store), 0);
	sim_peer_close(peer);
	assert_int_equal(sim_store_wills(rig->store), 0);
}

static void test_a_stop_of_the_hub_is_nobodys_death(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *gone = come(rig, &cases[0]);
	struct sim_peer *away = come(rig, &cases[2]);
	struct sim_peer *peer;

	sim_peer_close(away);
	assert_int_equal(sim_store_wills(rig->store), 2);
	broker_stop(rig->broker);
	assert_int_equal(broker_run(rig->broker), 0);
	/* That of the client whose connection was lost before goes on. */
	assert_int_equal(sim_store_wills(rig->store), 1);
	crash(rig);
	bury(rig, gone);
	peer = watcher(rig);
	sim_clock_advance(rig->broker, GRACE + 20000);
	sim_peer_receive(peer, "will/delayed", "gone", 0);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
}

static void test_its_expiry_begins_with_its_publication(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *gone, *peer;
	struct mqtt_publish got;

	gone = come(rig, &(struct told){ "e", "will/e", 0, 0, 90 });
	crash(rig);
	bury(rig, gone);
	peer = sim_client(rig->broker, MQTT_5_0, "watcher", true, NULL);
	assert_int_equal(sim_peer_subscribed(peer, "will/#", 0), 0);
	sim_clock_advance(rig->broker, GRACE);
	got = sim_peer_message(peer);
	assert_int_equal(got.properties.message_expiry_interval, 90);
	sim_peer_close(peer);
}

/* Numbers of sessions that were never stored are not given again. */
static void test_a_number_of_a_will_is_not_used_again(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *gone = come(rig, &cases[0]);
	struct sim_peer *other;

	crash(rig);
	bury(rig, gone);
	other = come(rig, &(struct told){ "other", "will/other", 0, 0, 0 });
	assert_int_equal(sim_store_wills(rig->store), 2);
	sim_clock_advance(rig->broker, GRACE);
	assert_int_equal(sim_store_wills(rig->store), 1);
	sim_peer_close(other);
	assert_int_equal(sim_store_wills(rig->store), 0);
}

/* Without memory for the row a client comes and goes as if there were no store. */
static void test_a_row_that_cannot_be_kept_hurts_nobody(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *peer;

	sim_store_fail(rig->store, 0);
	peer = come(rig, &cases[0]);
	assert_true(sim_store_failed(rig->store));
	assert_int_equal(sim_store_wills(rig->store), 0);
	sim_peer_close(peer);
}

static void test_loading_survives_allocation_failure(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *gone = come(rig, &cases[0]);
	struct broker *broker;
	unsigned int n = 0;

	crash(rig);
	bury(rig, gone);
	do {
		const struct broker_options options = {
			.store = sim_store_door(rig->store),
		};

		failing_malloc_arm(n++);
		broker = sim_broker_with(&options);
		if (!failing_malloc_disarm())
			break;
		broker_free(broker);
	} while (n < 1000);
	assert_non_null(broker);
	assert_in_range(n, 2, 999);
	assert_int_equal(sim_store_wills(rig->store), 1);
	broker_free(broker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_does_not_come_back_is_told_of),
		TEST(test_who_comes_back_is_not),
		TEST(test_another_user_of_its_name_changes_nothing),
		TEST(test_a_row_goes_with_its_will),
		TEST(test_a_stop_of_the_hub_is_nobodys_death),
		TEST(test_its_expiry_begins_with_its_publication),
		TEST(test_a_number_of_a_will_is_not_used_again),
		TEST(test_a_row_that_cannot_be_kept_hurts_nobody),
		TEST(test_loading_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
