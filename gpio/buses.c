#include "gpio/buses.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gpio/sysfs.h"

#define TREE "firmware/devicetree/base"

/* A cell of the tree, which is big-endian. */
#define CELL 4u

/* ---- by alias: I2C, SPI, UART, audio ------------------------------------- */

/* The tree's names for what comes out at the header, the better one first. Those of
 * the controllers differ from board to board. */
static const char *const aliases[][2] = {
	[BOARD_FREE] = { NULL, NULL },
	[BOARD_EEPROM] = { NULL, NULL },
	/* Of the first board it is another controller. */
	[BOARD_I2C] = { "i2c_arm", "i2c1" },
	[BOARD_ONE_WIRE] = { NULL, NULL },
	[BOARD_UART] = { "serial0", NULL },
	[BOARD_SPI] = { "spi0", NULL },
	[BOARD_AUDIO] = { "i2s", NULL },
};

/* "/soc/i2c@7e804000": nothing that leads anywhere else. */
static bool is_node(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789,._+-@/";

	return path[0] == '/' && path[1] && path[strspn(path, plain)] == '\0' &&
	       !strstr(path, "..");
}

/* A node without the property is on (Devicetree Specification, 2.3.4). */
static enum bus_state status_of(const char *root, const char *node)
{
	char text[SYSFS_TEXT_SIZE];
	char path[SYSFS_PATH_SIZE];
	int r = sysfs_read(root, text, TREE "%s/status", node);

	(void)snprintf(path, sizeof(path), TREE "%s", node);
	if (r == -ENOENT && sysfs_there(root, path))
		return BUS_ON;
	if (r)
		return BUS_UNKNOWN;
	if (strcmp(text, "okay") == 0 || strcmp(text, "ok") == 0)
		return BUS_ON;
	return strcmp(text, "disabled") == 0 ? BUS_OFF : BUS_UNKNOWN;
}

static enum bus_state by_alias(const char *root, const char *const names[2])
{
	char node[SYSFS_TEXT_SIZE];

	for (int i = 0; i < 2 && names[i]; i++) {
		int r = sysfs_read(root, node, TREE "/aliases/%s", names[i]);

		if (r == -ENOENT)
			continue;
		return !r && is_node(node) ? status_of(root, node)
					   : BUS_UNKNOWN;
	}
	return BUS_UNKNOWN;
}

/* ---- 1-Wire: a node of its own for each bus, from an overlay -------------- */

struct wanted {
	const char *root;
	unsigned int line;
	enum bus_state state;
};

/* gpios = <chip line flags>. False: it says something else. */
static bool line_of(const char *root, const char *node, unsigned int *line)
{
	unsigned char cells[3][CELL];
	const unsigned char *c = cells[1];

	if (sysfs_bytes(root, cells, sizeof(cells), TREE "%s/gpios", node) !=
	    (int)sizeof(cells))
		return false;
	*line = (unsigned int)c[0] << 24 | (unsigned int)c[1] << 16 |
		(unsigned int)c[2] << 8 | c[3];
	return true;
}

static bool look_at(const char *name, void *arg)
{
	struct wanted *wanted = arg;
	char node[SYSFS_TEXT_SIZE];
	enum bus_state state;
	unsigned int line;

	(void)snprintf(node, sizeof(node), "/%.200s", name);
	state = status_of(wanted->root, node);
	if (state == BUS_OFF)
		return false;
	if (!line_of(wanted->root, node, &line))
		wanted->state = BUS_UNKNOWN;
	else if (line == wanted->line)
		wanted->state = state;
	return wanted->state == BUS_ON;
}

static enum bus_state one_wire(const char *root, unsigned int line)
{
	struct wanted wanted = { root, line, BUS_OFF };

	if (!sysfs_there(root, TREE "/aliases"))
		return BUS_UNKNOWN;
	(void)sysfs_each(root, TREE, "onewire", look_at, &wanted);
	return wanted.state;
}

enum bus_state buses_state(const char *root, enum board_risk risk,
			   unsigned int line)
{
	return risk == BOARD_ONE_WIRE ? one_wire(root, line)
				      : by_alias(root, aliases[risk]);
}
