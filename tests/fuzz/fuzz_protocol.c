/*
 * Whole connections: an input is a list of what four peers, the disk, the hasher
 * and the clock do to a broker. Packets are made from a few bytes each, so that
 * the fuzzer meets sessions, wills and handshakes and not only the decoders;
 * there are raw bytes, too. After every turn all counters must add up, and in
 * the end nothing may be left, in memory or on disk.
 */
#include <assert.h>
#include <stdio.h>

#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

/* An input does at most this much: longer ones teach nothing and cost time. */
#define STEPS_MAX 400

#define PACKET_SIZE 16384

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

static uint8_t u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static struct slice some(struct input *in, size_t len)
{
	struct slice bytes;

	if (len > (size_t)(in->end - in->at))
		len = (size_t)(in->end - in->at);
	bytes = slice_of(in->at, len);
	in->at += len;
	return bytes;
}

static const char *pick_topic(uint8_t n)
{
	static const char *const topics[] = {
		"t/a",	   "t/b",  "t/secret", "own/u1/b/x",
		"t/a/b/c", "none", "$SYS/x",   "t//",
	};

	return topics[n % 8];
}

static const char *pick_filter(uint8_t n)
{
	static const char *const filters[] = {
		"t/a",
		"t/+",
		"#",
		"t/#",
		"+/+",
		"$SYS/#",
		"$share/g/t/#",
		"+/+/#",
		"own/u1/b/#",
		"t/secret",
		"$match/n>1/t/#",
		"",
		"t/#/no",
		"$share/h/+/a",
		"t/a/b/c",
		"t//",
	};

	return filters[n % 16];
}

static uint32_t pick_seconds(uint8_t n)
{
	static const uint32_t seconds[] = { 0,	 1,    5,	60,
					    300, 3600, 2678400, UINT32_MAX };

	return seconds[n % 8];
}

static enum mqtt_version pick_version(uint8_t n)
{
	return n % 4 < 2 ? MQTT_5_0 : n % 4 == 2 ? MQTT_3_1_1 : MQTT_3_1;
}

static void send_connect(struct world *world, unsigned int peer,
			 struct input *in)
{
	static const char *const ids[] = { "a", "b", "c", "" };
	uint8_t bytes[PACKET_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));
	const uint8_t kind = u8(in), flags = u8(in), times = u8(in);
	struct mqtt_connect packet = {
		.version = pick_version(kind),
		.client_id = slice_str(ids[kind >> 2 & 3]),
		.clean_start = flags & 1,
		.has_will = flags & 2,
		.has_username = flags & 4,
		.has_password = flags & 4,
		.username = slice_str(flags & 8 ? "u1" : "u9"),
		.password = slice_str("secret"),
		.keep_alive = (uint16_t)(flags >> 4),
		.will = {
			.topic = slice_str(pick_topic(kind >> 4)),
			.payload = slice_str("gone"),
			.qos = (uint8_t)(times >> 6 == 3 ? 1 : times >> 6),
			.retain = kind >> 7,
		},
	};
	struct mqtt_properties *p = &packet.properties;

	p->session_expiry_interval = pick_seconds(times);
	p->receive_maximum = (uint16_t)(1 + (kind >> 4));
	p->maximum_packet_size = 40;
	p->topic_alias_maximum = 2;
	if (kind & 1)
		properties_set(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
	properties_set(p, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	if (flags & 16)
		properties_set(p, MQTT_PROP_RECEIVE_MAXIMUM);
	if (flags & 32)
		properties_set(p, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	packet.will.properties.will_delay_interval = pick_seconds(times >> 3);
	packet.will.properties.message_expiry_interval = 60;
	properties_set(&packet.will.properties, MQTT_PROP_WILL_DELAY_INTERVAL);
	if (flags & 64)
		properties_set(&packet.will.properties,
			       MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
	connect_encode(&w, &packet);
	world->peers[peer].version = packet.version;
	world_send(world, peer, slice_of(w.data, w.len));
}

static const char *pick_predicate(uint8_t n)
{
	static const char *const predicates[] = { "$qos>0",
						  "$value~payload|$retain=true",
						  "a.b>1,$type=json",
						  "$type!=binary" };

	return predicates[n % 4];
}

/* A filter with a predicate before it. */
static struct slice name_of(char name[128], const char *filter, uint8_t n)
{
	int len =
		snprintf(name, 128, "$match/%s/%s", pick_predicate(n), filter);

	return slice_of(name, (size_t)len);
}

static struct slice match_property(uint8_t bytes[64], uint8_t n)
{
	struct writer w = writer_of(bytes, 64);

	writer_u8(&w, MQTT_PROP_USER_PROPERTY);
	writer_string(&w, slice_str("match"));
	writer_string(&w, slice_str(pick_predicate(n)));
	return slice_of(w.data, w.len);
}

static void send_subscribe(struct world *world, unsigned int peer,
			   struct input *in, bool undo)
{
	uint8_t bytes[PACKET_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));
	const enum mqtt_version version = world->peers[peer].version;
	const uint8_t which = u8(in), options = u8(in);
	struct slice filters[2] = {
		slice_str(pick_filter(which)),
		slice_str(pick_filter(which >> 4)),
	};
	uint8_t user[64];
	char names[2][128];
	struct mqtt_subscription entries[2];
	struct mqtt_properties properties = { 0 };
	const size_t count = 1 + (options >> 7);

	if (options & 32 && version == MQTT_5_0 && which & 1)
		properties.user_encoded = match_property(user, which >> 1);
	else if (options & 32)
		for (uint8_t i = 0; i < 2; i++)
			filters[i] =
				name_of(names[i], pick_filter(which >> 4 * i),
					(uint8_t)(which >> 1 & 3));
	for (size_t i = 0; i < 2; i++)
		entries[i] = (struct mqtt_subscription){
			.filter = filters[i],
			.qos = options % 4 == 3 ? 1 : options % 4,
			.no_local = options & 4,
			.retain_as_published = options & 8,
			.retain_handling = options >> 4 & 1 ? 2 : 0,
		};
	properties.subscription_ids[0] = 1 + (uint32_t)(which << 4);
	properties.subscription_id_count = 1;
	if (options & 64)
		properties_set(&properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
	if (undo)
		unsubscribe_encode(&w, version, 7, filters, count);
	else
		subscribe_encode(&w, version, 8, &properties, entries, count);
	world_send(world, peer, slice_of(w.data, w.len));
}

static void send_publish(struct world *world, unsigned int peer,
			 struct input *in)
{
	static const char text[5000] = "{\"n\":2}";
	static const size_t sizes[] = { 0, 1, 7, 5000 };
	uint8_t bytes[PACKET_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));
	const uint8_t flags = u8(in), more = u8(in);
	struct mqtt_publish packet = {
		.topic = slice_str(pick_topic(more)),
		.payload = slice_of(text, sizes[more >> 6]),
		.qos = flags % 4 == 3 ? 2 : flags % 4,
		.retain = flags & 4,
		.dup = flags & 8 && flags & 3,
		.packet_id = (uint16_t)(1 + (flags >> 5)),
	};

	packet.properties.message_expiry_interval = pick_seconds(more >> 3);
	packet.properties.topic_alias = (uint16_t)(1 + (flags >> 6));
	if (more & 8)
		properties_set(&packet.properties,
			       MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
	if (flags & 16)
		properties_set(&packet.properties, MQTT_PROP_TOPIC_ALIAS);
	if (flags & 16 && more & 32)
		packet.topic.len = 0;
	publish_encode(&w, world->peers[peer].version, &packet);
	world_send(world, peer, slice_of(w.data, w.len));
}

static void send_ack(struct world *world, unsigned int peer, struct input *in)
{
	static const enum mqtt_packet_type types[] = { MQTT_PUBACK, MQTT_PUBREC,
						       MQTT_PUBREL,
						       MQTT_PUBCOMP };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	const uint8_t what = u8(in);
	const struct mqtt_ack ack = {
		.packet_id = (uint16_t)(1 + (what >> 3)),
		.reason = what & 4 && what & 1 ? MQTT_UNSPECIFIED_ERROR : 0,
	};

	ack_encode(&w, world->peers[peer].version, types[what & 3], &ack);
	world_send(world, peer, slice_of(w.data, w.len));
}

static void send_disconnect(struct world *world, unsigned int peer,
			    struct input *in)
{
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	const uint8_t what = u8(in);
	struct mqtt_reason_packet packet = {
		.reason = what & 8 ? MQTT_DISCONNECT_WITH_WILL : MQTT_SUCCESS,
	};

	packet.properties.session_expiry_interval = pick_seconds(what);
	if (what & 16)
		properties_set(&packet.properties,
			       MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	disconnect_encode(&w, world->peers[peer].version, &packet);
	world_send(world, peer, slice_of(w.data, w.len));
}

static void ask_store(struct world *world, uint8_t what)
{
	if (what & 0x80) {
		sim_store_fail(world->store, what & 31);
		world->faulty = true;
	} else {
		sim_store_set_auto(world->store, what & 1);
		sim_store_set_congested(world->store, what & 2);
	}
}

static void happen(struct world *world, uint8_t what, struct input *in)
{
	if (what & 16)
		world_local(world, u8(in));
	else if (what & 8)
		world_restart(world);
	else if (what & 4)
		world_swap_access(world);
	else
		world_answer_login(world, what & 1);
}

static void step(struct world *world, struct input *in)
{
	const uint8_t what = u8(in);
	const unsigned int peer = what & 3;

	switch (what >> 2 & 15) {
	case 0:
		world_feed(world, peer, some(in, u8(in)));
		break;
	case 1:
		world_send(world, peer, some(in, u8(in) * 16u));
		break;
	case 2:
		send_connect(world, peer, in);
		break;
	case 3:
	case 4:
		send_subscribe(world, peer, in, what >> 2 == 4);
		break;
	case 5:
	case 6:
		send_publish(world, peer, in);
		break;
	case 7:
	case 8:
		send_ack(world, peer, in);
		break;
	case 9:
		send_disconnect(world, peer, in);
		break;
	case 10:
		world_hang_up(world, peer);
		break;
	case 11:
		sim_store_commit(world->store);
		break;
	case 12:
		world_advance(pick_seconds(u8(in)) % 2678400);
		break;
	case 13:
		ask_store(world, u8(in));
		break;
	case 14:
		happen(world, u8(in), in);
		break;
	default:
		world_turn(world);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	const uint8_t kind = u8(&in);
	struct world world;

	world_open(&world, !(kind & 1), kind & 2);
	for (int i = 0; i < STEPS_MAX && in.at < in.end; i++) {
		step(&world, &in);
		if (kind & 4)
			world_turn(&world);
	}
	world_close(&world);
	return 0;
}
