/*
 * gpio.covers: where the covers stand, kept in the state directory when one begins
 * to move and when it has stopped. While it moves, from where it was to the end it
 * runs to is kept: so what is read after a crash or a cut of the power is true,
 * if not exact.
 */
#ifndef GPIO_COVER_MEMORY_H
#define GPIO_COVER_MEMORY_H

#include <jansson.h>
#include <stdint.h>

#include "gpio/cover.h"

#define COVERS_FILE "gpio.covers"

/* {"NAME":[low,high],...}. Returns 0; -ENOENT; -EINVAL: damaged; or another
 * negative errno. */
int cover_memory_load(const char *directory, json_t **out);
/* On the disk when it returns. 0 or a negative errno. */
int cover_memory_save(const char *directory, const json_t *memory);

/* Not 0: out of memory, and it is as it was. */
int cover_memory_put(json_t *memory, const char *name,
		     const struct cover *cover, uint64_t now);
/* 0 to 100 where nothing is known. */
void cover_memory_get(const json_t *memory, const char *name, double *low,
		      double *high);

#endif
