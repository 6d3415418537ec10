#include "tests/gpio/node_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "gpio/cover_memory.h"
#include "gpio/state.h"
#include "gpio/tasmota_numbers.h"

static void quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

void make_node(struct rig *rig)
{
	struct node_options options = {
		.name = "pi",
		.hub = fake_hub_address(rig->hub),
		.state_directory = rig->directory,
		.sysfs = rig->sysfs,
	};

	assert_int_equal(node_new(rig->loop, rig->lines, &options, &rig->node),
			 0);
}

int node_rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	log_set_sink(quiet);
	(void)snprintf(rig->directory, sizeof(rig->directory),
		       "/tmp/test_node.XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	tree_make(rig->sysfs);
	rig->loop = loop_new();
	rig->hub = fake_hub_new(rig->loop, rig->directory);
	*state = rig;
	if (lines_sim_open(&rig->lines))
		return -1;
	make_node(rig);
	return 0;
}

int node_rig_teardown(void **state)
{
	struct rig *rig = *state;
	char path[64];

	clock_set_source(NULL, NULL);
	node_free(rig->node);
	lines_close(rig->lines);
	if (rig->hub)
		fake_hub_free(rig->hub);
	loop_free(rig->loop);
	(void)snprintf(path, sizeof(path), "%s/%s", rig->directory, STATE_FILE);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/%s", rig->directory,
		       MEMORY_FILE);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/%s", rig->directory,
		       TALLIES_FILE);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/%s", rig->directory,
		       COVERS_FILE);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/%s", rig->directory,
		       TASMOTA_NUMBERS_FILE);
	(void)unlink(path);
	tree_remove(rig->sysfs);
	(void)rmdir(rig->directory);
	free(rig);
	return 0;
}

const char *begin(struct rig *rig, const char *pins)
{
	char config[2048];

	node_start(rig->node);
	fake_hub_await_subscribe(rig->hub, CONFIG);
	fake_hub_await(rig->hub, REPORT, NULL);
	(void)snprintf(config, sizeof(config), "{\"revision\":1,\"pins\":[%s]}",
		       pins);
	fake_hub_send(rig->hub, CONFIG, config, true);
	return fake_hub_await(rig->hub, REPORT, NULL);
}

const char *configure(struct rig *rig, const char *config)
{
	fake_hub_send(rig->hub, CONFIG, config, false);
	return fake_hub_await(rig->hub, REPORT, NULL);
}

void command(struct rig *rig, const char *topic, const char *payload)
{
	fake_hub_send(rig->hub, topic, payload, false);
}

void await_retained(struct rig *rig, const char *topic, const char *payload)
{
	const char *now = fake_hub_retained(rig->hub, topic);

	while (!now || strcmp(now, payload) != 0) {
		assert_int_equal(loop_turn(rig->loop, 20), 0);
		now = fake_hub_retained(rig->hub, topic);
	}
}

void await_gone(struct rig *rig, const char *topic)
{
	while (fake_hub_retained(rig->hub, topic))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

bool state_of(struct rig *rig, const char *pin)
{
	bool on = false;

	assert_true(node_state(rig->node, pin, &on));
	return on;
}

bool is_held(struct rig *rig, unsigned int line)
{
	struct line_info info;

	assert_int_equal(lines_info(rig->lines, line, &info), 0);
	return info.used;
}
