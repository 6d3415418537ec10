/* What another thread may ask, of a broker that is at work. */
#include "broker/admin.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/local_client.h"
#include "tests/broker/live_broker.h"

struct rig {
	struct live_broker live;
	struct admin *admin;
};

static int start(void **state, bool closed)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	live_broker_start(&rig->live, NULL, closed);
	rig->admin = admin_open(rig->live.broker);
	*state = rig;
	return rig->admin ? 0 : -1;
}

static int setup(void **state)
{
	return start(state, false);
}

static int setup_closed(void **state)
{
	return start(state, true);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	admin_close(rig->admin);
	live_broker_stop(&rig->live);
	live_broker_free(&rig->live);
	free(rig);
	return 0;
}

static void test_counters_count(void **state)
{
	struct rig *rig = *state;
	struct admin_counters c;
	struct live_peer peer;

	assert_int_equal(admin_counters(rig->admin, &c), 0);
	assert_int_equal(c.connections, 0);
	assert_false(c.has_store);
	live_peer_open(&peer, &rig->live, "dev", 60);
	live_peer_subscribe(&peer, "mine/#", 1);
	live_peer_publish(&peer, "r/1", "12345", true);
	live_peer_say(&peer, "mine/1", "x");
	live_peer_receive(&peer, "mine/1", "x");
	assert_int_equal(admin_counters(rig->admin, &c), 0);
	assert_int_equal(c.connections, 1);
	assert_int_equal(c.sessions, 1);
	assert_int_equal(c.subscriptions, 1);
	/* The broker's own under $SYS are among them. */
	assert_true(c.retained >= 1);
	assert_true(c.retained_bytes >= 8);
	assert_int_equal(c.messages_received, 2);
	assert_int_equal(c.messages_sent, 1);
	assert_int_equal(c.queued, 0);
	assert_int_equal(c.queued_bytes, 0);
	assert_true(c.bytes_received > 0 && c.bytes_sent > 0);
	live_peer_close(&peer);
}

static void test_clients_are_listed_in_pages(void **state)
{
	struct rig *rig = *state;
	struct live_peer peers[3];
	struct admin_clients *list;

	live_peer_open(&peers[0], &rig->live, "b", 0);
	live_peer_open(&peers[1], &rig->live, "c", 60);
	live_peer_open(&peers[2], &rig->live, "a", 0);
	live_peer_subscribe(&peers[0], "t", 1);
	assert_int_equal(admin_clients(rig->admin, ADMIN_ALL, NULL, 2, &list),
			 0);
	assert_int_equal(list->count, 2);
	assert_true(list->more);
	assert_string_equal(list->clients[0].id, "a");
	assert_string_equal(list->clients[1].id, "b");
	assert_int_equal(list->clients[1].subscriptions, 1);
	assert_true(list->clients[1].connected && list->clients[1].clean);
	assert_int_equal(list->clients[1].version, 5);
	assert_int_equal(list->clients[1].transport, ADMIN_TCP);
	assert_memory_equal(list->clients[1].address, "127.0.0.1:", 10);
	free(list);
	assert_int_equal(admin_clients(rig->admin, ADMIN_ALL, "b", 2, &list),
			 0);
	assert_int_equal(list->count, 1);
	assert_false(list->more);
	assert_string_equal(list->clients[0].id, "c");
	assert_int_equal(list->clients[0].expiry, 60);
	free(list);
	for (size_t i = 0; i < 3; i++)
		live_peer_close(&peers[i]);
}

/* The list has this client, and no other: it is copied to *out. */
static void only(struct rig *rig, enum admin_which which, const char *id,
		 struct admin_client *out)
{
	struct admin_clients *list;

	assert_int_equal(admin_clients(rig->admin, which, NULL, 10, &list), 0);
	assert_int_equal(list->count, 1);
	assert_string_equal(list->clients[0].id, id);
	*out = list->clients[0];
	free(list);
}

static void test_ghosts_and_slow_clients_are_listed(void **state)
{
	struct rig *rig = *state;
	struct mqtt_connect packet = {
		.version = MQTT_5_0,
		.client_id = slice_str("slow"),
		.clean_start = true,
	};
	struct live_peer ghost, slow, pub;
	struct admin_clients *list;
	struct admin_client c;

	packet.properties.receive_maximum = 1;
	properties_set(&packet.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	live_peer_open(&ghost, &rig->live, "ghost", 60);
	live_peer_subscribe(&ghost, "g", 1);
	assert_int_equal(live_peer_connect(&slow, &rig->live, &packet),
			 MQTT_SUCCESS);
	live_peer_subscribe(&slow, "s", 1);
	live_peer_open(&pub, &rig->live, "pub", 0);
	for (enum admin_which which = ADMIN_GHOSTS; which <= ADMIN_SLOW;
	     which++) {
		assert_int_equal(
			admin_clients(rig->admin, which, NULL, 10, &list), 0);
		assert_int_equal(list->count, 0);
		free(list);
	}
	live_peer_close(&ghost);
	for (int i = 0; i < 3; i++) {
		live_peer_publish(&pub, "g", "12345", false);
		live_peer_publish(&pub, "s", "12345", false);
	}
	only(rig, ADMIN_GHOSTS, "ghost", &c);
	assert_false(c.connected);
	assert_int_equal(c.queued, 3);
	assert_int_equal(c.queued_bytes, 18);
	assert_true(c.since > 0 && c.oldest >= c.since);
	only(rig, ADMIN_SLOW, "slow", &c);
	assert_int_equal(c.queued, 2);
	assert_int_equal(c.inflight, 1);
	assert_true(c.oldest > 0);
	assert_int_equal(c.dropped, 0);
	/* One of them is laid to rest. */
	assert_int_equal(admin_disconnect(rig->admin, "ghost", true), 0);
	assert_int_equal(
		admin_clients(rig->admin, ADMIN_GHOSTS, NULL, 10, &list), 0);
	assert_int_equal(list->count, 0);
	free(list);
	live_peer_close(&slow);
	live_peer_close(&pub);
}

static void test_subscriptions_are_listed(void **state)
{
	struct rig *rig = *state;
	struct admin_subscriptions *list;
	struct live_peer peer;

	assert_int_equal(admin_subscriptions(rig->admin, "dev", &list),
			 -ENOENT);
	live_peer_open(&peer, &rig->live, "dev", 0);
	assert_int_equal(admin_subscriptions(rig->admin, "dev", &list), 0);
	assert_int_equal(list->count, 0);
	free(list);
	live_peer_subscribe(&peer, "a/+/#", 2);
	live_peer_subscribe(&peer, "$share/g/b", 1);
	assert_int_equal(admin_subscriptions(rig->admin, "dev", &list), 0);
	assert_int_equal(list->count, 2);
	assert_string_equal(list->subscriptions[0].filter, "a/+/#");
	assert_int_equal(list->subscriptions[0].options & 3, 2);
	assert_string_equal(list->subscriptions[1].filter, "$share/g/b");
	free(list);
	live_peer_close(&peer);
}

static void expect_disconnect(struct live_peer *peer)
{
	const struct frame frame = live_peer_next(peer);
	struct mqtt_reason_packet packet;

	assert_int_equal(frame.type, MQTT_DISCONNECT);
	assert_int_equal(
		disconnect_decode(MQTT_5_0, false, frame.body, &packet),
		MQTT_SUCCESS);
	assert_int_equal(packet.reason, MQTT_ADMINISTRATIVE_ACTION);
	assert_int_equal(recv(peer->fd, peer->in, 1, 0), 0);
}

static void test_a_client_is_disconnected_and_forgotten(void **state)
{
	struct rig *rig = *state;
	struct admin_counters c;
	struct live_peer peer;

	assert_int_equal(admin_disconnect(rig->admin, "dev", true), -ENOENT);
	live_peer_open(&peer, &rig->live, "dev", 60);
	assert_int_equal(admin_disconnect(rig->admin, "dev", false), 0);
	expect_disconnect(&peer);
	live_peer_close(&peer);
	assert_int_equal(admin_counters(rig->admin, &c), 0);
	assert_int_equal(c.sessions, 1);
	live_peer_open(&peer, &rig->live, "dev", 60);
	assert_int_equal(admin_disconnect(rig->admin, "dev", true), 0);
	expect_disconnect(&peer);
	live_peer_close(&peer);
	assert_int_equal(admin_counters(rig->admin, &c), 0);
	assert_int_equal(c.sessions, 0);
}

static void test_all_of_a_user_are_disconnected(void **state)
{
	struct rig *rig = *state;
	struct live_peer one, two;

	live_peer_open(&one, &rig->live, "one", 0);
	live_peer_open(&two, &rig->live, "two", 0);
	assert_int_equal(admin_disconnect_user(rig->admin, "anna"), 0);
	live_peer_publish(&one, "t", "x", false);
	/* Anonymous ones are a user, too. */
	assert_int_equal(admin_disconnect_user(rig->admin, ""), 0);
	expect_disconnect(&one);
	expect_disconnect(&two);
	live_peer_close(&one);
	live_peer_close(&two);
}

static void test_new_rules_hold_from_the_next_message(void **state)
{
	static const struct access_rule rule = { 1, NULL, "open/#",
						 ACCESS_READWRITE, true };
	struct rig *rig = *state;
	struct access *access = access_new();
	struct live_peer peer;

	live_peer_open(&peer, &rig->live, "dev", 0);
	live_peer_subscribe(&peer, "#", 0);
	live_peer_say(&peer, "secret", "x");
	live_peer_receive(&peer, "secret", "x");
	assert_int_equal(access_add_rule(access, &rule), 0);
	assert_int_equal(admin_set_access(rig->admin, access), 0);
	live_peer_say(&peer, "secret", "y"); /* refused */
	live_peer_say(&peer, "open/1", "z");
	live_peer_receive(&peer, "open/1", "z");
	live_peer_close(&peer);
}

static void test_a_closed_hub_is_opened(void **state)
{
	const struct mqtt_connect packet = {
		.version = MQTT_5_0,
		.client_id = slice_str("dev"),
		.clean_start = true,
	};
	struct rig *rig = *state;
	struct live_peer peer;

	assert_int_equal(live_peer_connect(&peer, &rig->live, &packet),
			 MQTT_SERVER_UNAVAILABLE);
	live_peer_close(&peer);
	assert_int_equal(admin_open_mqtt(rig->admin), 0);
	assert_int_equal(live_peer_connect(&peer, &rig->live, &packet),
			 MQTT_SUCCESS);
	live_peer_close(&peer);
}

static void test_retained_messages_are_shared_out(void **state)
{
	static const char *const topics[] = { "r/a", "r/b", "r/c", "x" };
	struct rig *rig = *state;
	struct admin_messages *list;
	struct live_peer peer;
	struct message *m;

	live_peer_open(&peer, &rig->live, "dev", 0);
	for (size_t i = 0; i < 4; i++)
		live_peer_publish(&peer, topics[i], topics[i], true);
	assert_int_equal(admin_retained(rig->admin, slice_str("r/b"), &m), 0);
	assert_true(slice_equal(message_payload(m), slice_str("r/b")));
	assert_int_equal(admin_retained(rig->admin, slice_str("none"), &m),
			 -ENOENT);
	/* It lives on when the broker has another. */
	live_peer_publish(&peer, "r/b", "new", true);
	assert_true(slice_equal(message_payload(m), slice_str("r/b")));
	message_unref(m);

	assert_int_equal(admin_retained_list(rig->admin, slice_str("r/+"),
					     slice_of("", 0), NULL, 2, &list),
			 0);
	assert_int_equal(list->count, 2);
	assert_true(list->more);
	assert_true(slice_equal(message_topic(list->messages[1]),
				slice_str("r/b")));
	admin_messages_free(list);
	assert_int_equal(admin_retained_list(rig->admin, slice_str("r/+"),
					     slice_str("r/b"), NULL, 2, &list),
			 0);
	assert_int_equal(list->count, 1);
	assert_false(list->more);
	assert_true(slice_equal(message_topic(list->messages[0]),
				slice_str("r/c")));
	admin_messages_free(list);
	live_peer_close(&peer);
}

/* A WebSocket as the web server hands it over, its first bytes read already. */
static void test_a_websocket_is_adopted_with_what_it_said(void **state)
{
	static const uint8_t first[] = "\x82\x8f\0\0\0\0"
				       "\x10\x0d\0\4MQTT\4\2\0\0\0\1w";
	static const uint8_t ping[] = "\x82\x82\0\0\0\0\xc0\0";
	struct rig *rig = *state;
	struct admin_clients *list;
	uint8_t answer[6];
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	const struct admin_websocket socket = {
		.fd = ends[0],
		.left_over = slice_of(first, sizeof(first) - 1),
		.address = "192.0.2.1:5",
	};

	assert_int_equal(admin_adopt_websocket(rig->admin, &socket), 0);
	assert_int_equal(recv(ends[1], answer, 6, MSG_WAITALL), 6);
	assert_memory_equal(answer, "\x82\x04\x20\2\0\0", 6);
	assert_int_equal(send(ends[1], ping, sizeof(ping) - 1, 0), 8);
	assert_int_equal(recv(ends[1], answer, 4, MSG_WAITALL), 4);
	assert_memory_equal(answer, "\x82\x02\xd0\0", 4);
	assert_int_equal(admin_clients(rig->admin, ADMIN_ALL, NULL, 5, &list),
			 0);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->clients[0].transport, ADMIN_WEBSOCKET);
	assert_string_equal(list->clients[0].address, "192.0.2.1:5");
	free(list);
	close(ends[1]);
}

/* Who asks too late gets no answer, and need not wait for one; what was asked goes
 * with the broker. */
static void test_nobody_waits_for_a_broker_that_has_ended(void **state)
{
	struct rig *rig = *state;
	struct admin *other = admin_open(rig->live.broker);
	struct local_client *late;
	struct admin_counters c;
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	const struct admin_websocket socket = {
		.fd = ends[0],
		.left_over = slice_of("", 0),
		.address = "192.0.2.1:5",
	};

	late = local_client_new(rig->live.broker,
				&(struct local_client_options){
					.client_id = "$late", .mailbox = 4 });
	assert_non_null(late);
	live_broker_stop(&rig->live);
	assert_int_equal(admin_counters(other, &c), -ESHUTDOWN);
	assert_int_equal(admin_adopt_websocket(other, &socket), 0);
	admin_close(other);
	local_client_free(late);
	live_broker_free(&rig->live);
	assert_int_equal(read(ends[1], &c, sizeof(c)), 0);
	close(ends[1]);
	live_broker_start(&rig->live, NULL, false);
}

static void *ask_often(void *arg)
{
	struct admin *admin = admin_open(arg);
	struct admin_counters c;

	for (int i = 0; i < 200; i++)
		if (!admin || admin_counters(admin, &c) < 0)
			abort();
	admin_close(admin);
	return NULL;
}

static void test_several_threads_may_ask(void **state)
{
	struct rig *rig = *state;
	pthread_t threads[3];
	struct live_peer peer;

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often,
						rig->live.broker),
				 0);
	for (int i = 0; i < 50; i++) {
		live_peer_open(&peer, &rig->live, "dev", 0);
		live_peer_publish(&peer, "t", "x", false);
		live_peer_close(&peer);
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_counters_count),
		T(test_clients_are_listed_in_pages),
		T(test_ghosts_and_slow_clients_are_listed),
		T(test_subscriptions_are_listed),
		T(test_a_client_is_disconnected_and_forgotten),
		T(test_all_of_a_user_are_disconnected),
		T(test_new_rules_hold_from_the_next_message),
		cmocka_unit_test_setup_teardown(test_a_closed_hub_is_opened,
						setup_closed, teardown),
		T(test_retained_messages_are_shared_out),
		T(test_a_websocket_is_adopted_with_what_it_said),
		T(test_nobody_waits_for_a_broker_that_has_ended),
		T(test_several_threads_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
