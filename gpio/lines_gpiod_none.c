/* Built without libgpiod: there are no real lines. */
#include "gpio/lines_gpiod.h"

#include <errno.h>

int lines_gpiod_open(const char *label, struct lines **out)
{
	(void)label;
	(void)out;
	return -ENODEV;
}
