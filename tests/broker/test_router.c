/* Where a publish goes besides its subscribers: retained, history, nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "broker/history_rules.h"
#include "broker/limits.h"
#include "broker/routing/retained.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"

struct rig {
	struct sim_store *store;
	struct broker *broker;
};

static char logged[512];

static void keep_warning(enum log_level level, const char *line)
{
	if (level <= LOG_LEVEL_WARN)
		snprintf(logged, sizeof(logged), "%s", line);
}

static int setup(void **state)
{
	static const char *const history[] = { "sensor/+", "log/#" };
	const struct history_policy keep = { .keep = true };
	const struct access_rule rules[] = {
		{ 1, NULL, "#", ACCESS_READWRITE, true },
		{ 2, NULL, "forbidden/#", ACCESS_WRITE, false },
	};
	struct broker_options options = {
		.node = "test",
		.history_rules = history_rules_new(),
		.access = access_new(),
	};
	struct rig *rig;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(access_add_rule(options.access, &rules[i]), 0);
		assert_int_equal(history_rules_add(options.history_rules,
						   slice_str(history[i]),
						   &keep),
				 0);
	}
	rig = calloc(1, sizeof(*rig));
	rig->store = sim_store_new();
	options.store = sim_store_door(rig->store);
	rig->broker = broker_new(&options);
	history_rules_unref(options.history_rules);
	log_set_sink(keep_warning);
	logged[0] = '\0';
	*state = rig;
	return rig->broker ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_run(rig->broker);
	sim_check(rig->broker);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	free(rig);
	return 0;
}

/* Without a table of users a listener would let nobody in without a name. */
static struct sim_peer *anyone(struct broker *broker, enum mqtt_version version,
			       const char *id)
{
	struct sim_peer *peer = sim_peer_open_as(broker, "someone");
	const struct mqtt_connect packet = sim_connect(version, id, true);
	struct mqtt_connack connack;

	sim_peer_connect(peer, &packet);
	assert_int_equal(connack_decode(version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	assert_int_equal(connack.reason, MQTT_SUCCESS);
	return peer;
}

static void test_history_is_offered_what_its_filters_name(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *peer = anyone(rig->broker, MQTT_5_0, "p");

	sim_peer_publish(peer, "sensor/1", "x", 0, false, 0);
	sim_peer_publish(peer, "sensor/1/deep", "x", 0, false, 0);
	sim_peer_publish(peer, "other", "x", 0, false, 0);
	sim_peer_publish(peer, "log", "x", 0, false, 0);
	sim_peer_publish(peer, "forbidden/log", "x", 0, false, 0);
	sim_store_commit(rig->store);
	assert_int_equal(sim_store_history(rig->store), 2);
	/* It is not lost in silence for those who asked to be told. */
	sim_store_fail(rig->store, 0);
	sim_peer_publish(peer, "sensor/1", "x", 1, false, 1);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_UNSPECIFIED_ERROR);
	sim_peer_close(peer);
}

static void test_a_refused_publish_goes_nowhere(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *five = anyone(rig->broker, MQTT_5_0, "five");
	struct sim_peer *four = anyone(rig->broker, MQTT_3_1_1, "four");

	sim_peer_subscribed(five, "#", 0);
	sim_peer_publish(five, "forbidden/x", "x", 1, true, 1);
	assert_int_equal(sim_peer_acked(five, MQTT_PUBACK, 1),
			 MQTT_NOT_AUTHORIZED);
	assert_non_null(strstr(logged, "five"));
	assert_non_null(strstr(logged, "denied by rule 2"));
	sim_peer_publish(five, "forbidden/x", "x", 2, false, 2);
	assert_int_equal(sim_peer_acked(five, MQTT_PUBREC, 2),
			 MQTT_NOT_AUTHORIZED);
	/* 3.1.1 has no word for it [MQTT-3.3.5-2]. */
	sim_peer_publish(four, "forbidden/x", "x", 1, true, 1);
	assert_int_equal(sim_peer_acked(four, MQTT_PUBACK, 1), MQTT_SUCCESS);
	assert_int_equal(retained_count(rig->broker->retained), 0);
	sim_peer_expect_nothing(five);
	sim_peer_close(five);
	sim_peer_close(four);
}

static void test_a_will_is_judged_like_any_publish(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *heir = anyone(rig->broker, MQTT_5_0, "heir");
	struct mqtt_connect packet = sim_connect(MQTT_3_1_1, "mortal", true);
	struct sim_peer *mortal = sim_peer_open_as(rig->broker, "someone");

	sim_peer_subscribed(heir, "#", 0);
	packet.has_will = true;
	packet.will.topic = slice_str("forbidden/will");
	packet.will.payload = slice_str("gone");
	packet.will.retain = true;
	sim_peer_connect(mortal, &packet);
	sim_peer_close(mortal);
	sim_peer_expect_nothing(heir);
	assert_non_null(strstr(logged, "mortal"));
	assert_non_null(strstr(logged, "will refused"));
	sim_peer_close(heir);
}

/* At the limit a retained message is refused, the old one stays. */
static void test_too_much_retained_is_refused(void **state)
{
	static char large[LIMIT_PACKET_SIZE - 64];
	struct rig *rig = *state;
	struct sim_peer *five = anyone(rig->broker, MQTT_5_0, "five");
	struct sim_peer *four = anyone(rig->broker, MQTT_3_1_1, "four");
	uint8_t reason = 0;
	char topic[16];

	memset(large, 'x', sizeof(large) - 1);
	for (unsigned int i = 0; reason < MQTT_UNSPECIFIED_ERROR && i < 100;
	     i++) {
		snprintf(topic, sizeof(topic), "r/%u", i);
		sim_peer_publish(five, topic, large, 1, true, 1);
		reason = sim_peer_acked(five, MQTT_PUBACK, 1);
	}
	assert_int_equal(reason, MQTT_QUOTA_EXCEEDED);
	assert_true(retained_bytes(rig->broker->retained) <=
		    LIMIT_RETAINED_BYTES);
	sim_peer_publish(five, topic, large, 2, true, 2);
	assert_int_equal(sim_peer_acked(five, MQTT_PUBREC, 2),
			 MQTT_QUOTA_EXCEEDED);
	/* Before 5.0 only a closed connection says so. */
	sim_peer_publish(four, topic, large, 1, true, 1);
	assert_true(sim_peer_ended(four));
	sim_peer_publish(five, topic, "small", 1, true, 3);
	assert_true(sim_peer_acked(five, MQTT_PUBACK, 3) <
		    MQTT_UNSPECIFIED_ERROR);
	sim_peer_close(five);
	sim_peer_close(four);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_history_is_offered_what_its_filters_name),
		T(test_a_refused_publish_goes_nowhere),
		T(test_a_will_is_judged_like_any_publish),
		T(test_too_much_retained_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
