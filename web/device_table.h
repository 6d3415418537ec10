/*
 * The devices (gpio/devices.h) of a node in config.db: one setting, a list of objects,
 * judged by the code that hearth-gpiod judges them by.
 */
#ifndef WEB_DEVICE_TABLE_H
#define WEB_DEVICE_TABLE_H

#include <stdbool.h>

#include "gpio/pins.h"

struct web_context;

/*
 * Those that are stored of node ("": the hub's own board), into *pins. One that
 * cannot be read (config.db is of a newer hearth, or was written to by hand) is
 * logged and left out. Returns 0 or a negative errno.
 */
int device_table_load(struct web_context *web, const char *node,
		      struct pins *pins);

/* Put in place of the one of its name, or add it. False: there is no room. */
bool device_table_put(struct pins *pins, const struct device *device);
/* False: there is none of this name. */
bool device_table_remove(struct pins *pins, const char *name);

/* Store those of *pins. -EINVAL: more bytes than a setting may have. */
int device_table_store(struct web_context *web, const char *node,
		       const struct pins *pins);

#endif
