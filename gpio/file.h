/* Small files that are there whole or not at all, in a directory of ours. */
#ifndef GPIO_FILE_H
#define GPIO_FILE_H

#include <stdbool.h>

#include "broker/base/slice.h"

/* Larger ones are not ours: a configuration of 64 pins and some more. */
#define FILE_SIZE_MAX ((size_t)96 * 1024)

/* With ".new" and NUL. */
#define FILE_NAME_SIZE 32

/* The bytes, to be freed, or NULL and *error: a negative errno, -EFBIG past
 * FILE_SIZE_MAX. */
char *file_load(const char *directory, const char *name, size_t *len,
		int *error);

/* Returns 0, or a negative errno and the old file is still there. sync: it is on
 * the disk then. Without it is after some seconds, which spares a card, and after
 * a cut of the power the file may be the old one or an empty one. */
int file_replace(const char *directory, const char *name, struct slice bytes,
		 bool sync);

#endif
