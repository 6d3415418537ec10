#include "tests/broker/playback_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/access.h"
#include "broker/history_rules.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"

/* Somebody to whom rules may be applied. */
struct sim_peer *rig_anyone(struct broker *broker, const char *id)
{
	struct sim_peer *peer = sim_peer_open_as(broker, "someone");
	const struct mqtt_connect packet = sim_connect(MQTT_5_0, id, true);

	sim_peer_connect(peer, &packet);
	sim_peer_expect(peer, MQTT_CONNACK);
	return peer;
}

struct broker *rig_new_broker(struct rig *rig, struct access *access)
{
	const struct history_policy keep = { .keep = true };
	struct history_rules *rules = history_rules_new();
	const struct broker_options options = {
		.node = "test",
		.store = sim_history_store(rig->history),
		.history = sim_history_door(rig->history),
		.history_rules = rules,
		.access = access,
	};
	struct broker *broker;

	assert_non_null(rules);
	assert_int_equal(history_rules_add(rules, slice_str("#"), &keep), 0);
	broker = sim_broker_with(&options);
	history_rules_unref(rules);
	return broker;
}

int rig_setup_with(void **state, struct access *access)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	sim_clock_start();
	rig->store = sim_store_new();
	rig->history = sim_history_new(rig->store, PAGE);
	rig->broker = rig_new_broker(rig, access);
	rig->pub = rig_anyone(rig->broker, "pub");
	*state = rig;
	return 0;
}

int rig_setup(void **state)
{
	return rig_setup_with(state, NULL);
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	sim_history_set_auto(rig->history, true);
	sim_history_answer(rig->history);
	sim_peer_close(rig->pub);
	sim_run(rig->broker);
	sim_check(rig->broker);
	/* Nobody is left: nor is anything of theirs. */
	assert_int_equal(rig->broker->playback_count, 0);
	assert_int_equal(sim_history_open(rig->history), 0);
	broker_free(rig->broker);
	sim_history_free(rig->history);
	sim_store_free(rig->store);
	free(rig);
	sim_clock_stop();
	return 0;
}

struct sim_peer *rig_client(const struct rig *rig, const char *id)
{
	return sim_client(rig->broker, MQTT_5_0, id, true, NULL);
}

void rig_publish(const struct rig *rig, const char *topic, unsigned int n,
		 uint8_t qos)
{
	char payload[16];

	(void)snprintf(payload, sizeof(payload), "%u", n);
	sim_peer_publish(rig->pub, topic, payload, qos, false,
			 qos ? (uint16_t)(n + 1) : 0);
	if (qos == 1)
		sim_peer_expect(rig->pub, MQTT_PUBACK);
}

/* from .. to - 1 on t, a second apart. */
void rig_store(const struct rig *rig, unsigned int from, unsigned int to)
{
	for (unsigned int n = from; n < to; n++) {
		char payload[16];

		(void)snprintf(payload, sizeof(payload), "%u", n);
		sim_history_add(rig->history, "t", payload, T0 + n * 1000);
	}
}

void rig_receive(struct sim_peer *peer, const char *topic, unsigned int n,
		 uint8_t qos)
{
	uint16_t id;
	char payload[16];

	(void)snprintf(payload, sizeof(payload), "%u", n);
	id = sim_peer_receive(peer, topic, payload, qos);
	if (qos == 1)
		sim_peer_ack(peer, MQTT_PUBACK, id);
}

void rig_receive_all(struct sim_peer *peer, unsigned int from, unsigned int to,
		     uint8_t qos)
{
	for (unsigned int n = from; n < to; n++)
		rig_receive(peer, "t", n, qos);
}

struct sim_peer *rig_half_way(struct rig *rig, bool durable, uint8_t qos)
{
	struct sim_peer *a =
		sim_client(rig->broker, MQTT_5_0, "a", !durable, NULL);

	sim_history_set_auto(rig->history, false);
	rig_store(rig, 0, 10);
	sim_peer_subscribed(a, "$history/last/10/t", qos);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	rig_receive_all(a, 0, PAGE, 0);
	rig_publish(rig, "t", 10, qos);
	sim_peer_expect_nothing(a);
	return a;
}
