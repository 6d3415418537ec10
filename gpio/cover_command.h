/* A command to a cover, as bytes: OPEN, CLOSE or STOP in any case, a position from
 * 0 to 100, or {"state":"OPEN","id":"x"}, {"position":30,"id":"x"}. */
#ifndef GPIO_COVER_COMMAND_H
#define GPIO_COVER_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "broker/base/slice.h"

struct cover_command {
	bool stop;
	double position; /* where to, if not stop */
	json_t *id; /* NULL: none; freed by cover_command_free() */
};

/* Returns 0, or -EINVAL and *reason, a text that lives for ever. */
int cover_command_parse(struct slice payload, struct cover_command *out,
			const char **reason);
void cover_command_free(struct cover_command *command);

#endif
