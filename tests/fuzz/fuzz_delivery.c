/*
 * What is acknowledged is delivered or queued, whatever happens: four clients that
 * keep to the specification, on a broker with a store. An input says who connects,
 * vanishes, is taken over, subscribes, publishes and acknowledges when, when the
 * disk is done, when time passes and when the plug is pulled. In the end all come
 * back, and must get what the ledger says is theirs: QoS 2 once, in order, no will
 * that was cancelled; and then nothing may be left, in memory or on disk.
 */
#include <assert.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/limits.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_store.h"
#include "tests/fuzz/actor.h"
#include "tests/fuzz/fuzz.h"

/* With a message each they all fit into one queue. */
#define STEPS_MAX 400

/* Their sum stays below a session's expiry. */
#define SECONDS_MAX 120

/* The broker reads at least as often, so that no socket is full. */
#define SILENT_MAX 6

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

struct scene {
	struct broker *broker;
	struct sim_store *store;
	struct ledger ledger;
	struct actor actors[LEDGER_ACTORS];
	unsigned int silent; /* steps since the broker ran */
};

static uint64_t now_ns;

static uint64_t monotonic(void)
{
	return now_ns;
}

static int64_t wall(void)
{
	return (int64_t)(now_ns / 1000000) + INT64_C(1795251600000);
}

static uint64_t seconds_now(void)
{
	return now_ns / 1000000000;
}

static void swallow(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static uint8_t u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static void start(struct scene *scene)
{
	const struct broker_options options = {
		.node = "fuzz",
		.store = sim_store_door(scene->store),
	};

	scene->broker = broker_new(&options);
	assert(scene->broker);
	assert(broker_load(scene->broker) == 0);
}

static void run(struct scene *scene)
{
	loop_turn(scene->broker->loop, 0);
	sim_check(scene->broker);
	scene->silent = 0;
}

static void pull_the_plug(struct scene *scene)
{
	/* First: a session that ends in the cut hands nothing over. */
	ledger_power_cut(&scene->ledger);
	for (unsigned int i = 0; i < LEDGER_ACTORS; i++)
		actor_vanish(&scene->actors[i], seconds_now());
	sim_store_cut(scene->store);
	broker_free(scene->broker);
	start(scene);
}

static void come(struct scene *scene, struct actor *a, struct input *in)
{
	static const uint32_t delays[] = { 0, 0, 5, 60 };
	const uint8_t how = u8(in);
	const struct actor_options options = {
		.clean_start = (how & 7) == 0,
		.durable = how & 0x38,
		.will = how & 0x40,
		.will_delay = delays[how & 3],
		.receive_maximum = how & 0x80 ? 1 + (how & 3) : 0,
	};

	actor_connect(a, scene->broker, seconds_now(), &options);
}

static void world_event(struct scene *scene, uint8_t what)
{
	switch (what & 7) {
	case 0:
	case 1:
		sim_store_set_auto(scene->store, what & 1);
		break;
	case 2:
		sim_store_set_congested(scene->store, what & 8);
		break;
	case 3:
		now_ns += UINT64_C(1000000000) * (what >> 3) % SECONDS_MAX;
		break;
	case 4:
		/* As long as an acknowledgement is put off for a row. */
		now_ns += UINT64_C(10000000) * (what >> 3);
		break;
	case 5:
		if (what & 8)
			pull_the_plug(scene);
		break;
	default:
		sim_store_commit(scene->store);
		break;
	}
}

static void step(struct scene *scene, struct input *in)
{
	const uint8_t what = u8(in);
	struct actor *a = &scene->actors[what & 3];

	switch (what >> 2 & 15) {
	case 0:
	case 1:
		come(scene, a, in);
		break;
	case 2:
		actor_vanish(a, seconds_now());
		break;
	case 3:
		actor_disconnect(a, scene->broker, seconds_now());
		break;
	case 4:
	case 5:
		actor_subscribe(a, u8(in) % LEDGER_FILTERS, 1 + (what >> 7));
		break;
	case 6:
		actor_unsubscribe(a, u8(in) % LEDGER_FILTERS);
		break;
	case 7:
	case 8:
	case 9:
		actor_publish(a, u8(in) % LEDGER_TOPICS, 1 + (what >> 7));
		break;
	case 10:
	case 11:
		actor_acknowledge(a, 1 + (what >> 6));
		break;
	case 12:
		actor_read(a, seconds_now());
		break;
	case 13:
		world_event(scene, u8(in));
		break;
	default:
		sim_store_commit(scene->store);
		run(scene);
		actor_read(a, seconds_now());
		break;
	}
	if (what & 0x40 || ++scene->silent == SILENT_MAX)
		run(scene);
}

/* Until nobody has anything to say. */
static void settle(struct scene *scene)
{
	bool more = true;

	for (int turn = 0; more || turn < 8; turn++) {
		/* Each time past the moment when rows are written. */
		now_ns += 20000000;
		sim_store_commit(scene->store);
		run(scene);
		more = false;
		for (unsigned int i = 0; i < LEDGER_ACTORS; i++) {
			struct actor *a = &scene->actors[i];

			more |= actor_read(a, seconds_now());
			more |= a->ack_count > 0;
			actor_acknowledge(a, 16);
		}
		assert(turn < 10000);
	}
}

static void all_come(struct scene *scene, bool durable)
{
	const struct actor_options options = { .durable = durable };

	for (unsigned int i = 0; i < LEDGER_ACTORS; i++) {
		actor_connect(&scene->actors[i], scene->broker, seconds_now(),
			      &options);
		run(scene);
	}
	settle(scene);
}

static void all_go(struct scene *scene)
{
	struct actor_options options = { .clean_start = true };

	sim_store_set_congested(scene->store, false);
	for (unsigned int i = 0; i < LEDGER_ACTORS; i++) {
		struct actor *a = &scene->actors[i];

		actor_connect(a, scene->broker, seconds_now(), &options);
		settle(scene);
		actor_disconnect(a, scene->broker, seconds_now());
	}
	settle(scene);
	assert(scene->broker->connection_count == 0);
	assert(scene->broker->session_count == 0);
	assert(scene->broker->subscription_count == 0);
	assert(scene->broker->queued_bytes == 0);
	assert(sim_store_sessions(scene->store) == 0);
	assert(sim_store_subscriptions(scene->store) == 0);
	assert(sim_store_queued(scene->store) == 0);
	assert(sim_store_messages(scene->store) == 0);
	assert(sim_store_inbound(scene->store) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene scene;
	struct input in = { data, data + size };

	log_set_sink(swallow);
	now_ns = UINT64_C(1000000000000);
	clock_set_source(monotonic, wall);
	memset(&scene.ledger, 0, sizeof(scene.ledger));
	for (unsigned int i = 0; i < LEDGER_ACTORS; i++)
		actor_init(&scene.actors[i], i, &scene.ledger);
	scene.store = sim_store_new();
	assert(scene.store);
	start(&scene);
	for (int i = 0; i < STEPS_MAX && in.at < in.end; i++)
		step(&scene, &in);
	sim_store_set_auto(scene.store, true);
	sim_store_set_congested(scene.store, false);
	all_come(&scene, true);
	ledger_settle(&scene.ledger);
	all_go(&scene);
	broker_free(scene.broker);
	sim_store_free(scene.store);
	clock_set_source(NULL, NULL);
	return 0;
}
