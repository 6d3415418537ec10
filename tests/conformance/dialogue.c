#include "tests/conformance/dialogue.h"

#include "tests/broker/sim_check.h"

/* With DIALOGUE_STORE in the environment every broker keeps its state, so the
 * same dialogues go the way of durable sessions. */
static struct sim_store *store;

int dialogue_setup(void **state)
{
	return dialogue_begin(state, NULL);
}

int dialogue_begin(void **state, struct access *access)
{
	sim_clock_start();
	if (getenv("DIALOGUE_STORE"))
		store = sim_store_new();
	*state = sim_broker(store, access);
	return *state ? 0 : -1;
}

int dialogue_teardown(void **state)
{
	struct broker *broker = *state;

	sim_run(broker);
	sim_check(broker);
	assert_int_equal(broker->connection_count, 0);
	broker_free(broker);
	if (store)
		sim_store_free(store);
	store = NULL;
	sim_clock_stop();
	return 0;
}

struct mqtt_connack dialogue_connack(struct sim_peer *peer)
{
	struct mqtt_connack connack = { 0 };

	assert_int_equal(connack_decode(peer->version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	return connack;
}

struct sim_peer *dialogue_connect(struct broker *broker,
				  const struct mqtt_connect *packet)
{
	struct sim_peer *peer = sim_peer_open(broker);

	assert_non_null(peer);
	sim_peer_connect(peer, packet);
	assert_int_equal(dialogue_connack(peer).reason, MQTT_SUCCESS);
	return peer;
}

struct sim_peer *dialogue_limited(struct broker *broker, const char *id,
				  uint16_t receive_maximum, uint32_t max_packet)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, id, true);
	struct mqtt_properties *p = &packet.properties;

	if (receive_maximum) {
		p->receive_maximum = receive_maximum;
		properties_set(p, MQTT_PROP_RECEIVE_MAXIMUM);
	}
	if (max_packet) {
		p->maximum_packet_size = max_packet;
		properties_set(p, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	}
	return dialogue_connect(broker, &packet);
}

void dialogue_ended(struct sim_peer *peer, enum mqtt_reason reason)
{
	if (peer->version == MQTT_5_0)
		assert_int_equal(sim_peer_disconnected(peer), reason);
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

void dialogue_publish(struct sim_peer *peer, const char *topic,
		      const char *payload, uint8_t qos, bool retain)
{
	sim_peer_publish(peer, topic, payload, qos, retain, qos ? 77 : 0);
	if (qos == 1)
		sim_peer_acked(peer, MQTT_PUBACK, 77);
	if (qos == 2) {
		sim_peer_acked(peer, MQTT_PUBREC, 77);
		sim_peer_ack(peer, MQTT_PUBREL, 77);
		assert_int_equal(sim_peer_acked(peer, MQTT_PUBCOMP, 77), 0);
	}
}

void dialogue_finish(struct sim_peer *peer, uint8_t qos, uint16_t packet_id)
{
	if (qos == 1)
		sim_peer_ack(peer, MQTT_PUBACK, packet_id);
	if (qos == 2) {
		sim_peer_ack(peer, MQTT_PUBREC, packet_id);
		sim_peer_acked(peer, MQTT_PUBREL, packet_id);
		sim_peer_ack(peer, MQTT_PUBCOMP, packet_id);
	}
}

void dialogue_receive(struct sim_peer *peer, const char *topic,
		      const char *payload, uint8_t qos)
{
	dialogue_finish(peer, qos, sim_peer_receive(peer, topic, payload, qos));
}

uint8_t dialogue_unsubscribe(struct sim_peer *peer, const char *filter)
{
	const struct slice filters[] = { slice_str(filter) };
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_suback answer;

	unsubscribe_encode(&w, peer->version, 11, filters, 1);
	sim_peer_send(peer, bytes, w.len);
	assert_int_equal(suback_decode(peer->version, MQTT_UNSUBACK,
				       sim_peer_expect(peer, MQTT_UNSUBACK),
				       &answer),
			 MQTT_SUCCESS);
	assert_int_equal(answer.packet_id, 11);
	if (peer->version != MQTT_5_0)
		return MQTT_SUCCESS;
	assert_int_equal(answer.reasons.len, 1);
	return answer.reasons.data[0];
}

void dialogue_disconnect(struct sim_peer *peer, enum mqtt_reason reason,
			 int64_t expiry)
{
	struct mqtt_reason_packet packet = { .reason = reason };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (expiry >= 0) {
		properties_set(&packet.properties,
			       MQTT_PROP_SESSION_EXPIRY_INTERVAL);
		packet.properties.session_expiry_interval = (uint32_t)expiry;
	}
	disconnect_encode(&w, peer->version, &packet);
	sim_peer_send(peer, bytes, w.len);
}
