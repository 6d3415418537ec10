/*
 * What each GPIO line is for, as JSON: the members of gpio/pins.h, kept as they
 * were judged by whoever put them here. Only what must be unique is told apart.
 */
#ifndef DB_PINS_H
#define DB_PINS_H

#include <stddef.h>
#include <stdint.h>

#include "db/nodes.h"

struct db_config;

#define DB_PIN_NAME_MAX 32
#define DB_PIN_CHIP_MAX 64 /* a chip's label */
#define DB_PIN_DOCUMENT_MAX 2047 /* bytes; all members at their longest: 900 */
/* Of one node: as many as hearth-gpiod takes (PINS_MAX in gpio/pins.h): one more
 * would make it refuse the whole configuration. */
#define DB_PINS_MAX 64

struct db_pin {
	char name[DB_PIN_NAME_MAX + 1];
	char chip[DB_PIN_CHIP_MAX + 1]; /* label; "": the board's header */
	char document[DB_PIN_DOCUMENT_MAX + 1]; /* a JSON object */
	char node[DB_NODE_NAME_MAX + 1]; /* whose it is; "": the hub's own */
	uint32_t line;
};

/* Those of a node, in order of name; *out is freed by free(). 0 or a negative errno. */
int db_pins_list(struct db_config *config, const char *node,
		 struct db_pin **out, size_t *count);

/*
 * Insert or replace by node and name. Returns 1 when it is new, 0 when it replaced one;
 * -EINVAL: it has no name; -EADDRINUSE: the line is
 * another pin's of the node, whose name is put in holder; -ENFILE: DB_PINS_MAX.
 */
int db_pins_put(struct db_config *config, const struct db_pin *pin,
		char holder[DB_PIN_NAME_MAX + 1]);
/* -ENOENT. */
int db_pins_remove(struct db_config *config, const char *node,
		   const char *name);

/* The simulated board's first pins and devices, if no pin has ever been set up
 * here. */
int db_pins_demo(struct db_config *config);

#endif
