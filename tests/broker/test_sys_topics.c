#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/access.h"
#include "broker/admin/sys_topics.h"
#include "broker/base/clock.h"
#include "broker/routing/retained.h"
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

struct value {
	const char *name;
	const char *value; /* NULL: any */
};

/* All that Mosquitto 2.0 publishes, read off one that runs. */
static const struct value mosquitto[] = {
	{ "bytes/received", NULL },
	{ "bytes/sent", NULL },
	{ "clients/active", "2" },
	{ "clients/connected", "2" },
	{ "clients/disconnected", "1" },
	{ "clients/expired", "1" },
	{ "clients/inactive", "1" },
	{ "clients/maximum", "3" },
	{ "clients/total", "3" },
	{ "heap/current", NULL },
	{ "heap/maximum", NULL },
	{ "messages/received", NULL },
	{ "messages/sent", NULL },
	{ "messages/stored", NULL },
	{ "publish/bytes/received", "5" },
	{ "publish/bytes/sent", "5" },
	{ "publish/messages/dropped", "0" },
	{ "publish/messages/received", "1" },
	{ "publish/messages/sent", "1" },
	{ "retained messages/count", NULL },
	{ "shared_subscriptions/count", "1" },
	{ "store/messages/bytes", NULL },
	{ "store/messages/count", NULL },
	{ "subscriptions/count", "2" },
	{ "uptime", NULL },
	{ "version", NULL },
};

/* Each over 1, 5 and 15 minutes. */
static const char *const mosquitto_load[] = {
	"bytes/received",    "bytes/sent",    "connections",
	"messages/received", "messages/sent", "publish/dropped",
	"publish/received",  "publish/sent",  "sockets",
};

static const struct value ours[] = {
	{ "hearth/flapping", "0" },
	{ "hearth/takeovers", "0" },
	{ "hearth/login bans", "0" },
	{ "hearth/banned", "0" },
	{ "hearth/refused", "0" },
	{ "hearth/too fast", "0" },
	{ "hearth/held back", "0" },
	{ "hearth/files set aside", "0" },
	{ "hearth/store", "none" },
	{ "hearth/predicates", "0" },
	{ "hearth/rows held", "0" },
	{ "hearth/predicates cut short", "0" },
	{ "hearth/replays", "0" },
	{ "hearth/replays going on", "0" },
	{ "hearth/messages replayed", "0" },
};

static void has_value(struct broker *broker, const struct value *v)
{
	struct message *m;
	char topic[96];

	snprintf(topic, sizeof(topic), "$SYS/broker/%s", v->name);
	m = retained_get(broker->retained, slice_str(topic),
			 loop_now(broker->loop));
	if (!m)
		fail_msg("%s is missing", topic);
	if (v->value && !slice_equal(message_payload(m), slice_str(v->value)))
		fail_msg("%s is %.*s, not %s", topic,
			 (int)message_payload(m).len,
			 (const char *)message_payload(m).data, v->value);
}

static void has_values(struct broker *broker, const struct value *values,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		has_value(broker, &values[i]);
}

static void expect_load(struct broker *broker)
{
	static const char *const minutes[] = { "1min", "5min", "15min" };
	char name[64];

	for (size_t i = 0; i < sizeof(mosquitto_load) / sizeof(char *); i++) {
		for (size_t k = 0; k < 3; k++) {
			snprintf(name, sizeof(name), "load/%s/%s",
				 mosquitto_load[i], minutes[k]);
			has_value(broker, &(struct value){ .name = name });
		}
	}
}

/* A client that is away, for so many seconds, then is forgotten. */
static void leave(struct broker *broker, const char *id, uint32_t expiry)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, id, true);
	struct sim_peer *peer = sim_peer_open(broker);

	packet.properties.session_expiry_interval = expiry;
	properties_set(&packet.properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	sim_peer_connect(peer, &packet);
	sim_peer_expect(peer, MQTT_CONNACK);
	sim_peer_close(peer);
}

/* What keeps acknowledgements waiting is told to who only speaks MQTT, too. */
static void test_the_store_says_how_it_is(void **state)
{
	struct sim_store *store = sim_store_new();
	struct broker *broker;

	(void)state;
	clock_set_source(fake_monotonic, NULL);
	broker = sim_broker(store, open_access());
	broker->sys_topics = sys_topics_new(broker);
	has_value(broker, &(struct value){ "hearth/store", "ok" });
	sim_store_set_health(store, STORE_DEGRADED);
	now_ns += UINT64_C(11000000000);
	sim_run(broker);
	has_value(broker, &(struct value){ "hearth/store", "degraded" });
	sim_store_set_refuses(store, -ENOSPC);
	now_ns += UINT64_C(11000000000);
	sim_run(broker);
	has_value(broker, &(struct value){ "hearth/store", "refusing" });
	sim_store_set_refuses(store, 0);
	sim_store_set_health(store, STORE_OK);
	now_ns += UINT64_C(11000000000);
	sim_run(broker);
	has_value(broker, &(struct value){ "hearth/store", "ok" });

	broker_free(broker);
	sim_store_free(store);
	clock_set_source(NULL, NULL);
}

static void test_all_of_mosquitto_and_some_of_our_own(void **state)
{
	struct broker *broker;
	struct sim_peer *one, *two;

	(void)state;
	clock_set_source(fake_monotonic, NULL);
	broker = sim_broker(NULL, NULL);
	broker->sys_topics = sys_topics_new(broker);
	one = sim_client(broker, MQTT_5_0, "one", true, NULL);
	two = sim_client(broker, MQTT_5_0, "two", true, NULL);
	sim_peer_subscribed(one, "t", 0);
	sim_peer_subscribed(two, "$share/g/s", 0);
	leave(broker, "away", 1000);
	leave(broker, "gone", 1);
	sim_peer_publish(two, "t", "12345", 0, false, 0);
	sim_peer_receive(one, "t", "12345", 0);
	now_ns += UINT64_C(11000000000);
	sim_run(broker);
	has_values(broker, mosquitto, sizeof(mosquitto) / sizeof(*mosquitto));
	expect_load(broker);
	has_values(broker, ours, sizeof(ours) / sizeof(*ours));
	sim_peer_close(one);
	sim_peer_close(two);
	broker_free(broker);
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
		cmocka_unit_test(test_the_store_says_how_it_is),
		cmocka_unit_test(test_all_of_mosquitto_and_some_of_our_own),
		cmocka_unit_test(test_nobody_else_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
