/* The names of what may ail a simulated line. */
#include <string.h>

#include "gpio/lines_sim.h"

static const char *const fault_names[] = {
	[LINES_SIM_WORKS] = "",
	[LINES_SIM_BUSY] = "busy",
	[LINES_SIM_IO_ERROR] = "io_error",
	[LINES_SIM_LOST_EVENTS] = "lost_events",
	[LINES_SIM_BOUNCE] = "bounce",
};

bool lines_sim_fault_find(const char *name, enum lines_sim_fault *out)
{
	for (size_t i = LINES_SIM_BUSY;
	     i < sizeof(fault_names) / sizeof(fault_names[0]); i++) {
		if (strcmp(fault_names[i], name) == 0) {
			*out = (enum lines_sim_fault)i;
			return true;
		}
	}
	return false;
}

const char *lines_sim_fault_name(enum lines_sim_fault fault)
{
	return fault == LINES_SIM_WORKS ? NULL : fault_names[fault];
}
