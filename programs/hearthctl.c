/* hearthctl: see ctl/ctl.h and ctl/hearthctl.1. */
#include <stdlib.h>

#include "ctl/ctl.h"

int main(int argc, char **argv)
{
	const struct ctl_io io = {
		.in = stdin,
		.out = stdout,
		.err = stderr,
		.url = getenv("HEARTH_URL"),
		.password = getenv("HEARTH_PASSWORD"),
	};

	return (int)ctl_run(argc, argv, &io);
}
