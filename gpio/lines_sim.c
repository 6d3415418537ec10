#include "gpio/lines_sim_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "broker/base/clock.h"

#define SIM_LABEL "pinctrl-bcm2711"
#define EXPANDER_LINES 8u
#define EXPANDER_LABEL "pcf8574"
#define NS_PER_MS UINT64_C(1000000)

/* An even number, so that it ends where it should. */
#define BOUNCES 6u
#define BOUNCE_NS NS_PER_MS

struct sim *lines_sim_of(struct lines *lines)
{
	assert(lines_are_simulated(lines));
	return (struct sim *)(void *)lines;
}

static struct sim_request *request_of(struct line_request *request)
{
	return (struct sim_request *)(void *)request;
}

static struct sim_line *request_line(struct sim_request *request, size_t i)
{
	return &lines_sim_of(request->base.lines)->line[request->offsets[i]];
}

bool sim_line_wire(const struct sim_line *line)
{
	if (line->output)
		return line->driven;
	if (line->connected >= 0)
		return line->connected != line->bounced;
	return line->pulled_up != line->bounced;
}

bool sim_line_level(const struct sim_line *line)
{
	return sim_line_wire(line) != line->active_low;
}

/* As the kernel does: when nobody reads, the oldest edge is lost. */
static void push_event(struct sim_request *request, struct sim_line *line,
		       uint64_t now)
{
	struct line_event *event;

	if (request->waiting == LINES_EVENTS_MAX) {
		request->head = (request->head + 1) % LINES_EVENTS_MAX;
		request->waiting--;
	}
	event = &request->events[(request->head + request->waiting) %
				 LINES_EVENTS_MAX];
	request->waiting++;

	line->seqno += line->fault == LINES_SIM_LOST_EVENTS ? 3 : 1;
	line->reported = sim_line_level(line);
	*event = (struct line_event){
		.time_ns = now,
		.index = line->index,
		.active = line->reported,
		.seqno = line->seqno,
	};
}

/* The level on the wire may have changed. */
static void line_changed(struct sim_line *line, bool before, uint64_t now)
{
	if (!line->holder || line->output || sim_line_level(line) == before)
		return;

	if (line->debounce_ns > 0)
		line->settles = now + line->debounce_ns;
	else
		push_event(line->holder, line, now);
}

/* The same, by something outside: a contact may chatter. */
void sim_line_moved(struct sim_line *line, bool before, uint64_t now)
{
	bool changed = sim_line_level(line) != before;

	line_changed(line, before, now);
	if (!changed || line->fault != LINES_SIM_BOUNCE || line->output)
		return;
	line->bounces = BOUNCES;
	line->bounce_at = now + BOUNCE_NS;
}

static void line_bounce(struct sim_line *line, uint64_t now)
{
	bool before = sim_line_level(line);

	line->bounced = !line->bounced;
	line->bounces--;
	line->bounce_at = line->bounces ? now + BOUNCE_NS : 0;
	line_changed(line, before, now);
}

static void line_settle(struct sim_line *line, uint64_t now)
{
	line->settles = 0;
	if (sim_line_level(line) != line->reported)
		push_event(line->holder, line, now);
}

static void line_let_go(struct sim_line *line, uint64_t now)
{
	bool before = sim_line_level(line);

	line->press_ends = 0;
	line->connected = -1;
	line->bounced = false;
	sim_line_moved(line, before, now);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

/* When something happens at the line by itself; 0: nothing does. */
static uint64_t line_due(const struct sim_line *line)
{
	return earliest(earliest(line->settles, line->press_ends),
			line->bounce_at);
}

/* Let happen what is due by now, in the order it happens. */
void sim_line_catch_up(struct sim_line *line, uint64_t now)
{
	uint64_t due;

	while ((due = line_due(line)) && due <= now) {
		if (due == line->settles)
			line_settle(line, due);
		else if (due == line->press_ends)
			line_let_go(line, due);
		else
			line_bounce(line, due);
	}
}

/* Make the descriptor readable when there is something to do. */
void sim_request_arm(struct sim_request *request)
{
	struct itimerspec at = { 0 };
	uint64_t due = request->waiting ? 1 : 0;

	for (size_t i = 0; i < request->base.n && due != 1; i++) {
		const struct sim_line *line = request_line(request, i);

		due = earliest(due, line_due(line));
		if (line->fault == LINES_SIM_IO_ERROR)
			due = 1;
	}
	at.it_value.tv_sec = (time_t)(due / 1000000000);
	at.it_value.tv_nsec = (long)(due % 1000000000);
	/* Cannot fail with a valid descriptor and time. */
	(void)timerfd_settime(request->base.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void request_catch_up(struct sim_request *request, uint64_t now)
{
	for (size_t i = 0; i < request->base.n; i++)
		sim_line_catch_up(request_line(request, i), now);
}

static void sim_close(struct lines *lines)
{
	struct sim *sim = lines_sim_of(lines);

	for (unsigned int i = 0; i < lines->count; i++)
		assert(!sim->line[i].holder);
	free(sim);
}

static void copy_name(char to[LINES_NAME_SIZE], const char *from)
{
	(void)snprintf(to, LINES_NAME_SIZE, "%s", from);
}

static int sim_info(struct lines *lines, unsigned int offset,
		    struct line_info *out)
{
	const struct sim_line *line;

	if (offset >= lines->count)
		return -EINVAL;

	line = &lines_sim_of(lines)->line[offset];
	copy_name(out->name, line->name);
	out->used = line->consumer[0] != '\0';
	copy_name(out->consumer, line->consumer);
	return 0;
}

static int check_request(const struct sim *sim,
			 const struct line_config *configs, size_t n)
{
	if (n < 1 || n > LINES_REQUEST_MAX)
		return -EINVAL;

	for (size_t i = 0; i < n; i++) {
		if (configs[i].offset >= sim->base.count)
			return -EINVAL;
		for (size_t k = 0; k < i; k++)
			if (configs[k].offset == configs[i].offset)
				return -EINVAL;
		if (sim->line[configs[i].offset].consumer[0])
			return -EBUSY;
	}
	return 0;
}

static void take_line(struct sim_line *line, const char *consumer,
		      const struct line_config *config)
{
	bool was_output = line->output;

	copy_name(line->consumer, consumer);
	line->active_low = config->active_low;
	line->output = config->direction == LINE_OUTPUT;
	line->debounce_ns = (uint64_t)config->debounce_us * 1000;
	line->seqno = 0;
	line->settles = 0;
	if (config->bias != LINE_BIAS_AS_IS)
		line->pulled_up = config->bias == LINE_BIAS_UP;
	if (line->output && !(config->keep && was_output))
		line->driven = config->initial != config->active_low;
	line->reported = sim_line_level(line);
}

static int sim_request(struct lines *lines, const char *consumer,
		       const struct line_config *configs, size_t n,
		       struct line_request **out)
{
	struct sim *sim = lines_sim_of(lines);
	struct sim_request *request;
	int r = check_request(sim, configs, n);

	if (r)
		return r;

	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	request->base.fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (request->base.fd < 0) {
		r = -errno;
		free(request);
		return r;
	}

	request->base.lines = lines;
	request->base.n = n;
	for (unsigned int i = 0; i < n; i++) {
		struct sim_line *line = &sim->line[configs[i].offset];

		sim_line_catch_up(line, clock_ns());
		take_line(line, consumer, &configs[i]);
		line->holder = request;
		line->index = i;
		request->offsets[i] = configs[i].offset;
	}
	sim_request_arm(request);
	*out = &request->base;
	return 0;
}

static int request_broken(struct sim_request *request)
{
	for (size_t i = 0; i < request->base.n; i++)
		if (request_line(request, i)->broken)
			return -request_line(request, i)->broken;
	return 0;
}

static int sim_set(struct line_request *base, uint64_t mask, uint64_t values)
{
	struct sim_request *request = request_of(base);
	int r = request_broken(request);

	if (r)
		return r;

	/* As the kernel has it: inputs are refused, and nothing is set then. */
	for (size_t i = 0; i < base->n; i++)
		if ((mask >> i & 1) && !request_line(request, i)->output)
			return -EPERM;
	for (size_t i = 0; i < base->n; i++) {
		struct sim_line *line = request_line(request, i);

		if (mask >> i & 1)
			line->driven = (values >> i & 1) != line->active_low;
	}
	return 0;
}

static int sim_get(struct line_request *base, uint64_t *values)
{
	struct sim_request *request = request_of(base);
	int r = request_broken(request);

	if (r)
		return r;

	request_catch_up(request, clock_ns());
	sim_request_arm(request);
	*values = 0;
	for (size_t i = 0; i < base->n; i++) {
		const struct sim_line *line = request_line(request, i);
		bool on = line->debounce_ns ? line->reported
					    : sim_line_level(line);

		*values |= (uint64_t)on << i;
	}
	return 0;
}

static int sim_read(struct line_request *base, struct line_event *events,
		    size_t max)
{
	struct sim_request *request = request_of(base);
	uint64_t expirations;
	size_t n = 0;

	/* Only to make it unreadable; nothing there is fine too. */
	if (read(base->fd, &expirations, sizeof(expirations)) < 0 &&
	    errno != EAGAIN)
		return -errno;
	for (size_t i = 0; i < base->n; i++)
		if (request_line(request, i)->fault == LINES_SIM_IO_ERROR)
			return -EIO;

	request_catch_up(request, clock_ns());
	while (n < max && request->waiting > 0) {
		events[n++] = request->events[request->head];
		request->head = (request->head + 1) % LINES_EVENTS_MAX;
		request->waiting--;
	}
	sim_request_arm(request);
	return (int)n;
}

static void sim_release(struct line_request *base)
{
	struct sim_request *request = request_of(base);

	for (size_t i = 0; i < base->n; i++) {
		struct sim_line *line = request_line(request, i);

		line->holder = NULL;
		line->consumer[0] = '\0';
		line->settles = 0;
	}
	(void)close(base->fd);
	free(request);
}

/* Nothing is plugged in by itself. */
static void sim_rescan(struct lines *lines)
{
	(void)lines;
}

/* A simulated wire does not outlive the process. */
static int sim_adopt(struct lines *lines, unsigned int offset, bool active_low,
		     int fd)
{
	(void)lines;
	(void)offset;
	(void)active_low;
	(void)fd;
	return -ENOTSUP;
}

static const struct lines_ops sim_ops = {
	.backend = "sim",
	.close = sim_close,
	.rescan = sim_rescan,
	.adopt = sim_adopt,
	.info = sim_info,
	.request = sim_request,
	.set = sim_set,
	.get = sim_get,
	.read = sim_read,
	.release = sim_release,
};

bool lines_are_simulated(const struct lines *lines)
{
	return lines->ops == &sim_ops;
}

static struct sim *make_chip(const char *label, unsigned int count)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->base.ops = &sim_ops;
	sim->base.count = count;
	copy_name(sim->base.label, label);
	for (unsigned int i = 0; i < count; i++)
		sim->line[i].connected = -1;
	return sim;
}

int lines_sim_open(struct lines **out)
{
	struct sim *sim = make_chip(SIM_LABEL, SIM_LINES);
	struct sim *expander = make_chip(EXPANDER_LABEL, EXPANDER_LINES);

	if (!sim || !expander) {
		free(sim);
		free(expander);
		return -ENOMEM;
	}

	for (unsigned int i = 0; i < SIM_LINES; i++) {
		struct sim_line *line = &sim->line[i];

		/* The BCM chips' pulls at power-up: 0..8 up, 9.. down. */
		line->pulled_up = i <= 8;
		if (i < 28)
			(void)snprintf(line->name, sizeof(line->name), "GPIO%u",
				       i);
	}
	copy_name(sim->line[0].name, "ID_SDA");
	copy_name(sim->line[1].name, "ID_SCL");
	copy_name(sim->line[2].consumer, "i2c-1");
	copy_name(sim->line[3].consumer, "i2c-1");
	/* Its inputs are pulled up, weakly. */
	for (unsigned int i = 0; i < EXPANDER_LINES; i++)
		expander->line[i].pulled_up = true;
	sim->base.next = &expander->base;
	*out = &sim->base;
	return 0;
}
