#include "tests/broker/full_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"

struct broker *full_rig_make(struct sim_store *store,
			     enum full_queue full_queue)
{
	const struct broker_options options = {
		.node = "test",
		.store = sim_store_door(store),
		.max_queue_messages = FULL,
		.max_queue_bytes = 1000,
		.max_retained = 3,
		.full_queue = full_queue,
	};

	return sim_broker_with(&options);
}

int full_rig_start(void **state, enum full_queue full_queue)
{
	struct full_rig *rig = calloc(1, sizeof(*rig));

	sim_clock_start();
	rig->store = sim_store_new();
	rig->broker = full_rig_make(rig->store, full_queue);
	*state = rig;
	return rig->broker ? 0 : -1;
}

int full_rig_teardown(void **state)
{
	struct full_rig *rig = *state;

	sim_run(rig->broker);
	sim_check(rig->broker);
	assert_int_equal(rig->broker->connection_count, 0);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	sim_clock_stop();
	free(rig);
	return 0;
}

struct session *full_rig_session(struct full_rig *rig, const char *id)
{
	return session_find(rig->broker, slice_str(id));
}

enum mqtt_packet_type full_rig_answer(uint8_t qos)
{
	return qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;
}

void full_rig_publish(struct sim_peer *pub, const char *payload, uint8_t qos)
{
	sim_peer_publish(pub, "t", payload, qos, false, 1);
	assert_int_equal(sim_peer_acked(pub, full_rig_answer(qos), 1),
			 MQTT_SUCCESS);
	if (qos < 2)
		return;
	sim_peer_ack(pub, MQTT_PUBREL, 1);
	sim_peer_acked(pub, MQTT_PUBCOMP, 1);
}

void full_rig_leave(struct full_rig *rig, struct sim_peer *pub)
{
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_3_1_1, "ghost", false, NULL);
	char payload[8];

	sim_peer_subscribed(sub, "t", 2);
	sim_peer_close(sub);
	for (int i = 0; i < FULL; i++) {
		snprintf(payload, sizeof(payload), "%d", i);
		full_rig_publish(pub, payload, 1);
	}
}

struct sim_peer *full_rig_come_back(struct full_rig *rig, int first, int count,
				    uint8_t qos)
{
	bool present;
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_3_1_1, "ghost", false, &present);
	char payload[16];

	assert_true(present);
	for (int i = first; i < first + count; i++) {
		snprintf(payload, sizeof(payload), "%d", i);
		sim_peer_ack(sub, MQTT_PUBACK,
			     sim_peer_receive(sub, "t", payload, qos));
	}
	sim_peer_expect_nothing(sub);
	return sub;
}

struct sim_peer *full_rig_lagging(struct broker *broker, bool clean)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "slow", clean);
	struct sim_peer *sub = sim_peer_open(broker);

	packet.properties.receive_maximum = 1;
	properties_set(&packet.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	sim_peer_connect(sub, &packet);
	sim_peer_expect(sub, MQTT_CONNACK);
	sim_peer_subscribed(sub, "t", 1);
	return sub;
}

void full_rig_fill(struct sim_peer *pub)
{
	for (int i = 0; i <= FULL; i++)
		full_rig_publish(pub, "x", 1);
}
