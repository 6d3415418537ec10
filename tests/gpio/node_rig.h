/* A node on a simulated board, with a hub that remembers: what the tests of a
 * node begin with. */
#ifndef TESTS_GPIO_NODE_RIG_H
#define TESTS_GPIO_NODE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/lines_sim.h"
#include "gpio/node_internal.h"
#include "tests/gpio/fake_hub.h"
#include "tests/gpio/tree.h"

#define CONFIG "$hearth/gpio/pi/config"
#define REPORT "$hearth/gpio/pi/report"
#define SIM "$hearth/gpio/pi/sim"

#define PUMP "{\"name\":\"pump\",\"dir\":\"out\",\"line\":17}"
#define HEATER                                                             \
	"{\"name\":\"heater\",\"dir\":\"out\",\"line\":27,\"active_low\":" \
	"true}"
#define DESK                                                                 \
	"{\"name\":\"desk\",\"dir\":\"out\",\"line\":23,\"kind\":\"light\"," \
	"\"safe\":\"hold\"}"
#define FAN "{\"name\":\"fan\",\"dir\":\"out\",\"line\":5,\"safe\":\"on\"}"
#define DOOR "{\"name\":\"door\",\"dir\":\"in\",\"line\":22}"
#define BUSY "{\"name\":\"busy\",\"dir\":\"out\",\"line\":2}"

struct rig {
	char directory[32];
	char sysfs[TREE_ROOT_SIZE]; /* empty */
	struct loop *loop;
	struct lines *lines;
	struct fake_hub *hub;
	struct node *node;
	bool stopped;
};

/* cmocka's setup and teardown; *state is a struct rig. */
int node_rig_setup(void **state);
int node_rig_teardown(void **state);
/* Another one, after node_free(). */
void make_node(struct rig *rig);

/* Start, connect, and configure these pins. Returns the report. */
const char *begin(struct rig *rig, const char *pins);
/* A whole configuration. Returns the report. */
const char *configure(struct rig *rig, const char *config);
void command(struct rig *rig, const char *topic, const char *payload);

/* Until this is what the hub keeps; it may have been said while something else was
 * awaited. And until it keeps nothing. */
void await_retained(struct rig *rig, const char *topic, const char *payload);
void await_gone(struct rig *rig, const char *topic);

bool state_of(struct rig *rig, const char *pin);
bool is_held(struct rig *rig, unsigned int line);

#define NODE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, node_rig_setup, node_rig_teardown)

#endif
