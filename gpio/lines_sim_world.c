/* The world around the simulated board: wires, fingers, faults. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/base/clock.h"
#include "gpio/lines_sim_internal.h"

#define NS_PER_MS UINT64_C(1000000)

/* Whom a line that is busy says it is held by. */
#define SIM_OTHER "another program"

static void copy_name(char to[LINES_NAME_SIZE], const char *from)
{
	(void)snprintf(to, LINES_NAME_SIZE, "%s", from);
}

static int wire_of_input(struct lines *lines, unsigned int offset,
			 struct sim_line **out)
{
	if (offset >= lines->count)
		return -EINVAL;
	*out = &lines_sim_of(lines)->line[offset];
	if ((*out)->output)
		return -EPERM;

	sim_line_catch_up(*out, clock_ns());
	return 0;
}

static void connect_line(struct sim_line *line, int level, uint64_t press_ends)
{
	bool before = sim_line_level(line);

	line->connected = level;
	line->bounced = false;
	line->bounces = 0;
	line->bounce_at = 0;
	line->press_ends = press_ends;
	sim_line_moved(line, before, clock_ns());
	if (line->holder)
		sim_request_arm(line->holder);
}

int lines_sim_connect(struct lines *lines, unsigned int offset, int level)
{
	struct sim_line *line;
	int r = wire_of_input(lines, offset, &line);

	if (r)
		return r;
	if (level < -1 || level > 1)
		return -EINVAL;

	connect_line(line, level, 0);
	return 0;
}

int lines_sim_press(struct lines *lines, unsigned int offset, uint32_t ms)
{
	struct sim_line *line;
	int r = wire_of_input(lines, offset, &line);

	if (r)
		return r;
	if (ms < 1 || ms > LINES_SIM_PRESS_MAX)
		return -EINVAL;

	connect_line(line, !line->pulled_up, clock_ns() + ms * NS_PER_MS);
	return 0;
}

bool lines_sim_level(struct lines *lines, unsigned int offset)
{
	assert(offset < lines->count);
	return sim_line_wire(&lines_sim_of(lines)->line[offset]);
}

void lines_sim_break(struct lines *lines, unsigned int offset, int error)
{
	assert(offset < lines->count);
	lines_sim_of(lines)->line[offset].broken = error;
}

void lines_sim_occupy(struct lines *lines, unsigned int offset,
		      const char *consumer)
{
	assert(offset < lines->count &&
	       !lines_sim_of(lines)->line[offset].holder);
	copy_name(lines_sim_of(lines)->line[offset].consumer,
		  consumer ? consumer : "");
}

int lines_sim_set_fault(struct lines *lines, unsigned int offset,
			enum lines_sim_fault fault)
{
	struct sim_line *line;

	if (offset >= lines->count)
		return -EINVAL;
	line = &lines_sim_of(lines)->line[offset];
	if (fault == LINES_SIM_BUSY && line->fault != fault &&
	    line->consumer[0])
		return -EBUSY;

	if (line->fault == LINES_SIM_BUSY)
		line->consumer[0] = '\0';
	line->fault = fault;
	line->broken = fault == LINES_SIM_IO_ERROR ? EIO : 0;
	if (fault == LINES_SIM_BUSY)
		copy_name(line->consumer, SIM_OTHER);
	/* Whoever waits for edges is told that none will come. */
	if (line->holder)
		sim_request_arm(line->holder);
	return 0;
}

enum lines_sim_fault lines_sim_get_fault(struct lines *lines,
					 unsigned int offset)
{
	assert(offset < lines->count);
	return lines_sim_of(lines)->line[offset].fault;
}
