#include "tests/crash/trace.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/wire/framing.h"
#include "tests/crash/house.h"

void trace_packet(const char *where, unsigned int party, const char *way,
		  struct slice packet)
{
	if (!getenv("CRASH_LOG"))
		return;
	(void)fprintf(
		stderr, "%s %llu c%u %s %s(%02x)", where,
		(unsigned long long)house_clock_ms, party, way,
		framing_type_name((enum mqtt_packet_type)(packet.data[0] >> 4)),
		packet.data[0]);
	for (size_t i = 2; i < packet.len && i < 24; i++)
		(void)fprintf(stderr,
			      packet.data[i] > ' ' && packet.data[i] < 127
				      ? "%c"
				      : " %02x",
			      packet.data[i]);
	(void)fputc('\n', stderr);
}
