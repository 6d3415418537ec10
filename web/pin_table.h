/*
 * The pins in config.db as struct pins, judged by the code that hearth-gpiod
 * judges them by.
 */
#ifndef WEB_PIN_TABLE_H
#define WEB_PIN_TABLE_H

#include "gpio/pins.h"

struct web_context;

/*
 * All that are stored of node ("": the hub's own board), in order of name, with
 * the devices; to be freed by free(). One that cannot be read (config.db is of a
 * newer hearth, or was written to by hand) is logged and left out. Returns 0 or a
 * negative errno.
 */
int pin_table_load(struct web_context *web, const char *node,
		   struct pins **out);

/* A group has one output until its second is set up; the node would refuse it,
 * and with it everything else. */
void pin_table_drop_lone(struct pins *pins);

/* Put in place of the one of its name, or add it. False: there is no room. */
bool pin_table_put(struct pins *pins, const struct pin *pin);
/* False: there is none of this name. */
bool pin_table_remove(struct pins *pins, const char *name);

/* As db_pins_put(); -ENOMEM too. */
int pin_table_store(struct web_context *web, const char *node,
		    const struct pin *pin, char holder[PIN_NAME_MAX + 1]);

#endif
