/* Topic names and filters (4.7), over a whole broker. */
#include "tests/conformance/dialogue.h"

#include "broker/access.h"

static struct sim_peer *administrator(struct broker *broker,
				      enum mqtt_version version)
{
	const struct mqtt_connect packet = sim_connect(version, "p", true);
	struct sim_peer *peer = sim_peer_open_as(broker, "admin");

	sim_peer_connect(peer, &packet);
	assert_int_equal(dialogue_connack(peer).reason, MQTT_SUCCESS);
	return peer;
}

/* As somebody who may do everything: it is not the rules that keep it away. */
static void test_wildcards_do_not_meet_dollar_topics(void **state)
{
	const struct access_user user = {
		.name = "admin",
		.password_hash = "",
		.admin = true,
		.enabled = true,
	};
	struct access *access = access_new();
	struct broker *broker;

	(void)state;
	assert_int_equal(access_add_user(access, &user), 0);
	broker = sim_broker(NULL, access);
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer = administrator(broker, versions[v]);

		dialogue_publish(peer, "$x/y", "kept", 0, true);
		sim_peer_subscribed(peer, "+/y", 0);
		sim_peer_subscribed(peer, "+/#", 0);
		sim_peer_subscribed(peer, "#", 0);
		sim_peer_expect_nothing(peer);
		dialogue_publish(peer, "$x/y", "live", 0, false);
		sim_peer_expect_nothing(peer);
		/* A filter that names the first level does. */
		sim_peer_subscribed(peer, "$x/#", 0);
		dialogue_receive(peer, "$x/y", "kept", 0);
		dialogue_publish(peer, "$x/y", "live", 0, false);
		dialogue_receive(peer, "$x/y", "live", 0);
		dialogue_publish(peer, "$x/y", "", 0, true);
		sim_peer_receive(peer, "$x/y", "", 0);
		sim_peer_close(peer);
	}
	broker_free(broker);
}

static void test_names_are_compared_as_they_are(void **state)
{
	/* Case, a slash more, NFC and NFD, an escape, spaces. */
	static const char *const names[] = {
		"name",	     "Name",	   "/name",  "name/", "name//",
		"n\xc3\xa9", "ne\xcc\x81", "n%61me", " name", "name ",
	};

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(names); i++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_subscribed(peer, names[i], 0);
			for (size_t j = 0; j < COUNT(names); j++)
				dialogue_publish(peer, names[j], "x", 0, false);
			dialogue_receive(peer, names[i], "x", 0);
			sim_peer_expect_nothing(peer);
			sim_peer_close(peer);
		}
	}
}

static void test_a_topic_may_have_65535_bytes(void **state)
{
	static char topic[65536];

	memset(topic, 't', sizeof(topic) - 1);
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_subscribed(peer, "+", 0);
		dialogue_publish(peer, topic, "x", 0, false);
		dialogue_receive(peer, topic, "x", 0);
		sim_peer_close(peer);
	}
}

static void test_malformed_filters_are_refused(void **state)
{
	static const char *const bad[] = { "",	    "a#", "a/b#", "#/a",
					   "a/#/b", "a+", "+a",	  "a/+b/c" };

	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		for (size_t i = 0; i < COUNT(bad); i++)
			assert_int_equal(sim_peer_subscribed(peer, bad[i], 0),
					 versions[v] == MQTT_5_0
						 ? MQTT_TOPIC_FILTER_INVALID
						 : 0x80);
		dialogue_publish(peer, "a/b", "x", 0, false);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_filters_meet_what_they_should(void **state)
{
	static const struct {
		const char *filter, *topic;
		bool met;
	} rows[] = {
		{ "sport/tennis/player1/#", "sport/tennis/player1", true },
		{ "sport/tennis/player1/#", "sport/tennis/player1/x/y", true },
		{ "sport/tennis/+", "sport/tennis/player1", true },
		{ "sport/tennis/+", "sport/tennis/player1/x", false },
		{ "sport/+", "sport", false },
		{ "sport/+", "sport/", true },
		{ "+/+", "/finance", true },
		{ "/+", "/finance", true },
		{ "+", "/finance", false },
	};

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_subscribed(peer, rows[i].filter, 0);
			dialogue_publish(peer, rows[i].topic, "x", 0, true);
			if (rows[i].met)
				dialogue_receive(peer, rows[i].topic, "x", 0);
			sim_peer_expect_nothing(peer);
			sim_peer_subscribed(peer, rows[i].filter, 0);
			if (rows[i].met)
				dialogue_receive(peer, rows[i].topic, "x", 0);
			sim_peer_expect_nothing(peer);
			sim_peer_close(peer);
			peer = sim_client(*state, versions[v], "q", true, NULL);
			dialogue_publish(peer, rows[i].topic, "", 0, true);
			sim_peer_close(peer);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_wildcards_do_not_meet_dollar_topics),
		DIALOGUE(test_names_are_compared_as_they_are),
		DIALOGUE(test_a_topic_may_have_65535_bytes),
		DIALOGUE(test_malformed_filters_are_refused),
		DIALOGUE(test_filters_meet_what_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
