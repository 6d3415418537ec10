/* Who is banned, of a broker that is at work. */
#include "broker/admin.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "tests/broker/live_broker.h"

struct rig {
	struct live_broker live;
	struct admin *admin;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	live_broker_start(&rig->live, NULL, false);
	rig->admin = admin_open(rig->live.broker);
	*state = rig;
	return rig->admin ? 0 : -1;
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

static void ban(struct rig *rig, enum ban_kind kind, const char *what,
		uint64_t ends)
{
	const struct ban one = {
		.id = 1,
		.kind = kind,
		.what = what,
		.reason = "noise",
		.ends = ends,
	};
	struct bans *bans = bans_new();

	assert_int_equal(bans_add(bans, &one), 0);
	assert_int_equal(admin_set_bans(rig->admin, bans), 0);
}

static enum mqtt_reason attempt(struct rig *rig, enum mqtt_version version,
				const char *id)
{
	const struct mqtt_connect packet = {
		.version = version,
		.client_id = slice_str(id),
		.clean_start = true,
	};
	struct live_peer peer;
	enum mqtt_reason reason = live_peer_connect(&peer, &rig->live, &packet);

	live_peer_close(&peer);
	return reason;
}

static uint64_t hits(struct rig *rig)
{
	struct admin_bans *list;
	uint64_t n;

	assert_int_equal(admin_bans(rig->admin, &list), 0);
	assert_int_equal(list->count, 1);
	n = list->bans[0].hits;
	free(list);
	return n;
}

static void test_a_banned_client_is_thrown_out_and_kept_out(void **state)
{
	struct rig *rig = *state;
	struct mqtt_reason_packet packet;
	struct live_peer bad, good;
	struct frame frame;

	live_peer_open(&bad, &rig->live, "bad", 0);
	live_peer_open(&good, &rig->live, "good", 0);
	ban(rig, BAN_CLIENT, "bad", UINT64_MAX);
	frame = live_peer_next(&bad);
	assert_int_equal(frame.type, MQTT_DISCONNECT);
	assert_int_equal(
		disconnect_decode(MQTT_5_0, false, frame.body, &packet),
		MQTT_SUCCESS);
	assert_int_equal(packet.reason, MQTT_ADMINISTRATIVE_ACTION);
	live_peer_close(&bad);
	live_peer_publish(&good, "t", "x", false);
	live_peer_close(&good);
	assert_int_equal(hits(rig), 1);

	assert_int_equal(attempt(rig, MQTT_5_0, "bad"), MQTT_BANNED);
	/* 5, the nearest there is. */
	assert_int_equal(attempt(rig, MQTT_3_1_1, "bad"), MQTT_NOT_AUTHORIZED);
	assert_int_equal(attempt(rig, MQTT_3_1, "bad"), MQTT_NOT_AUTHORIZED);
	assert_int_equal(attempt(rig, MQTT_5_0, "bad2"), MQTT_SUCCESS);
	assert_int_equal(hits(rig), 4);
	/* Lifted. */
	assert_int_equal(admin_set_bans(rig->admin, bans_new()), 0);
	assert_int_equal(attempt(rig, MQTT_5_0, "bad"), MQTT_SUCCESS);
}

static void test_a_banned_address_does_not_get_a_word_in(void **state)
{
	const struct mqtt_connect packet = {
		.version = MQTT_5_0,
		.client_id = slice_str("dev"),
		.clean_start = true,
	};
	struct rig *rig = *state;
	struct live_peer peer, later;

	live_peer_open(&peer, &rig->live, "inside", 0);
	ban(rig, BAN_ADDRESS, "127.0.0.0/8", UINT64_MAX);
	/* Whoever was in is out; the next is not even answered. */
	assert_int_equal(live_peer_next(&peer).type, MQTT_DISCONNECT);
	live_peer_close(&peer);
	live_peer_dial(&later, &rig->live, &packet);
	assert_true(recv(later.fd, later.in, 1, 0) <= 0);
	live_peer_close(&later);
	assert_int_equal(hits(rig), 2);
	ban(rig, BAN_ADDRESS, "127.0.0.0/8", clock_ms());
	assert_int_equal(attempt(rig, MQTT_5_0, "dev"), MQTT_SUCCESS);
}

/* As it comes in at the dashboard's port. */
static void test_a_banned_address_has_no_websocket(void **state)
{
	struct rig *rig = *state;
	struct live_peer peer;
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	const struct admin_websocket socket = {
		.fd = ends[0],
		.address = "[2001:db8::7]:5",
	};

	ban(rig, BAN_ADDRESS, "2001:db8::/32", UINT64_MAX);
	assert_int_equal(admin_adopt_websocket(rig->admin, &socket), 0);
	assert_true(recv(ends[1], peer.in, 1, 0) <= 0);
	close(ends[1]);
	assert_int_equal(hits(rig), 1);
}

static void test_only_its_own_bans_does_the_broker_lift(void **state)
{
	const struct ban own = {
		.id = BAN_AUTOMATIC,
		.kind = BAN_USER,
		.what = "bob",
		.reason = "",
		.ends = UINT64_MAX,
	};
	struct rig *rig = *state;
	struct bans *bans = bans_new();
	struct admin_bans *list;

	assert_int_equal(bans_add(bans, &own), 0);
	assert_int_equal(admin_set_bans(rig->admin, bans), 0);
	ban(rig, BAN_USER, "anna", UINT64_MAX);
	assert_int_equal(admin_bans(rig->admin, &list), 0);
	assert_int_equal(list->count, 2);
	assert_string_equal(list->bans[0].what, "anna");
	assert_string_equal(list->bans[1].what, "bob");
	free(list);
	assert_int_equal(admin_unban(rig->admin, BAN_AUTOMATIC), 0);
	assert_int_equal(admin_unban(rig->admin, BAN_AUTOMATIC), -ENOENT);
	assert_int_equal(hits(rig), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_banned_client_is_thrown_out_and_kept_out),
		T(test_a_banned_address_does_not_get_a_word_in),
		T(test_a_banned_address_has_no_websocket),
		T(test_only_its_own_bans_does_the_broker_lift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
