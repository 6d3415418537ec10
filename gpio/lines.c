#include "gpio/lines.h"

#include <string.h>

static struct lines *only(struct lines *lines, const char *label, size_t *n)
{
	struct lines *found = NULL;

	*n = 0;
	for (struct lines *chip = lines; chip; chip = chip->next) {
		if (strcmp(chip->label, label) != 0)
			continue;
		found = chip;
		(*n)++;
	}
	return *n == 1 ? found : NULL;
}

struct lines *lines_chip(struct lines *lines, const char *label)
{
	struct lines *found;
	size_t n;

	/* The first is the one, whoever is called like it. */
	if (!label[0] || strcmp(label, lines->label) == 0)
		return lines;
	found = only(lines, label, &n);
	if (found || n > 1)
		return found;
	lines->ops->rescan(lines);
	return only(lines, label, &n);
}
