#include "gpio/chips_gpiod.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct real_request {
	struct line_request base;
	struct gpiod_line_request *request;
	struct gpiod_edge_event_buffer *events; /* NULL: outputs only */
	unsigned int offsets[LINES_REQUEST_MAX];
};

/* What a request is being made from. */
struct draft {
	const struct line_config *configs;
	size_t n;
	bool as_is[LINES_REQUEST_MAX]; /* first taken without touching it */
	enum gpiod_line_value values[LINES_REQUEST_MAX];
};

static struct real_chip *chip_of(struct lines *lines)
{
	return (struct real_chip *)(void *)lines;
}

static struct real_request *request_of(struct line_request *request)
{
	return (struct real_request *)(void *)request;
}

/* libgpiod says why in errno; a few of its failures forget to. */
static int last_error(void)
{
	return errno ? -errno : -EIO;
}

static void copy_name(char to[LINES_NAME_SIZE], const char *from)
{
	(void)snprintf(to, LINES_NAME_SIZE, "%s", from ? from : "");
}

static void real_close(struct lines *lines)
{
	adopted_close(chip_of(lines));
	gpiod_chip_close(chip_of(lines)->chip);
	free(lines);
}

static int real_info(struct lines *lines, unsigned int offset,
		     struct line_info *out)
{
	struct gpiod_line_info *info;

	if (offset >= lines->count)
		return -EINVAL;

	info = gpiod_chip_get_line_info(chip_of(lines)->chip, offset);
	if (!info)
		return last_error();

	copy_name(out->name, gpiod_line_info_get_name(info));
	out->used = gpiod_line_info_is_used(info);
	copy_name(out->consumer, gpiod_line_info_get_consumer(info));
	gpiod_line_info_free(info);
	return 0;
}

static bool is_output_now(struct gpiod_chip *chip, unsigned int offset)
{
	struct gpiod_line_info *info = gpiod_chip_get_line_info(chip, offset);
	bool output;

	if (!info)
		return false;
	output = gpiod_line_info_get_direction(info) ==
		 GPIOD_LINE_DIRECTION_OUTPUT;
	gpiod_line_info_free(info);
	return output;
}

static enum gpiod_line_bias bias_of(const struct line_config *config)
{
	switch (config->bias) {
	case LINE_BIAS_AS_IS:
		return GPIOD_LINE_BIAS_AS_IS;
	case LINE_BIAS_NONE:
		return GPIOD_LINE_BIAS_DISABLED;
	case LINE_BIAS_UP:
		return GPIOD_LINE_BIAS_PULL_UP;
	case LINE_BIAS_DOWN:
		return GPIOD_LINE_BIAS_PULL_DOWN;
	}
	abort();
}

/* The setters refuse only values outside their enum; ours are inside. */
static void fill_settings(struct gpiod_line_settings *settings,
			  const struct draft *draft, size_t i)
{
	const struct line_config *config = &draft->configs[i];

	gpiod_line_settings_reset(settings);
	gpiod_line_settings_set_active_low(settings, config->active_low);
	if (draft->as_is[i]) {
		/* Neither direction nor bias: the kernel leaves the pin alone. */
		return;
	}

	(void)gpiod_line_settings_set_bias(settings, bias_of(config));
	if (config->direction == LINE_OUTPUT) {
		(void)gpiod_line_settings_set_direction(
			settings, GPIOD_LINE_DIRECTION_OUTPUT);
		(void)gpiod_line_settings_set_output_value(settings,
							   draft->values[i]);
		return;
	}
	(void)gpiod_line_settings_set_direction(settings,
						GPIOD_LINE_DIRECTION_INPUT);
	(void)gpiod_line_settings_set_edge_detection(settings,
						     GPIOD_LINE_EDGE_BOTH);
	(void)gpiod_line_settings_set_event_clock(settings,
						  GPIOD_LINE_CLOCK_MONOTONIC);
	gpiod_line_settings_set_debounce_period_us(settings,
						   config->debounce_us);
}

static int make_config(const struct draft *draft,
		       struct gpiod_line_config **out)
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	struct gpiod_line_config *config = gpiod_line_config_new();
	int r = -ENOMEM;

	if (!settings || !config)
		goto err_free;

	for (size_t i = 0; i < draft->n; i++) {
		fill_settings(settings, draft, i);
		errno = 0;
		if (gpiod_line_config_add_line_settings(
			    config, &draft->configs[i].offset, 1, settings)) {
			r = last_error();
			goto err_free;
		}
	}
	gpiod_line_settings_free(settings);
	*out = config;
	return 0;

err_free:
	gpiod_line_config_free(config);
	gpiod_line_settings_free(settings);
	return r;
}

static int take_lines(struct gpiod_chip *chip, const char *consumer,
		      const struct draft *draft,
		      struct gpiod_line_request **out)
{
	struct gpiod_request_config *options = gpiod_request_config_new();
	struct gpiod_line_config *config = NULL;
	int r;

	if (!options)
		return -ENOMEM;
	gpiod_request_config_set_consumer(options, consumer);
	gpiod_request_config_set_event_buffer_size(options, LINES_EVENTS_MAX);

	r = make_config(draft, &config);
	if (r)
		goto err_options;

	errno = 0;
	*out = gpiod_chip_request_lines(chip, options, config);
	if (!*out)
		r = last_error();

	gpiod_line_config_free(config);
err_options:
	gpiod_request_config_free(options);
	return r;
}

/*
 * Outputs whose level is to be kept were taken as they are. Read what is on
 * the wire and make them outputs with just that, within the same request: at no
 * moment does anybody else, or nobody, drive them.
 */
static int settle_outputs(struct gpiod_line_request *request,
			  struct draft *draft)
{
	enum gpiod_line_value now[LINES_REQUEST_MAX];
	struct gpiod_line_config *config;
	bool any = false;
	int r;

	errno = 0;
	if (gpiod_line_request_get_values(request, now))
		return last_error();

	for (size_t i = 0; i < draft->n; i++) {
		if (!draft->as_is[i])
			continue;
		draft->values[i] = now[i];
		draft->as_is[i] = false;
		any = true;
	}
	if (!any)
		return 0;

	r = make_config(draft, &config);
	if (r)
		return r;
	errno = 0;
	if (gpiod_line_request_reconfigure_lines(request, config))
		r = last_error();
	gpiod_line_config_free(config);
	return r;
}

static bool has_inputs(const struct draft *draft)
{
	for (size_t i = 0; i < draft->n; i++)
		if (draft->configs[i].direction == LINE_INPUT)
			return true;
	return false;
}

static void start_draft(struct draft *draft, struct gpiod_chip *chip)
{
	for (size_t i = 0; i < draft->n; i++) {
		const struct line_config *config = &draft->configs[i];

		draft->as_is[i] = config->direction == LINE_OUTPUT &&
				  config->keep &&
				  is_output_now(chip, config->offset);
		draft->values[i] = config->initial ? GPIOD_LINE_VALUE_ACTIVE
						   : GPIOD_LINE_VALUE_INACTIVE;
	}
}

static bool offsets_are_distinct(const struct line_config *configs, size_t n,
				 unsigned int count)
{
	for (size_t i = 0; i < n; i++) {
		if (configs[i].offset >= count)
			return false;
		for (size_t k = 0; k < i; k++)
			if (configs[k].offset == configs[i].offset)
				return false;
	}
	return true;
}

/* Reads must not wait: an event may have been taken away by then. */
static int make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static int real_request(struct lines *lines, const char *consumer,
			const struct line_config *configs, size_t n,
			struct line_request **out)
{
	struct draft draft = { .configs = configs, .n = n };
	struct real_request *request;
	int r;

	if (n < 1 || n > LINES_REQUEST_MAX ||
	    !offsets_are_distinct(configs, n, lines->count))
		return -EINVAL;

	*out = adopted_take(chip_of(lines), configs, n);
	if (*out)
		return 0;
	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	start_draft(&draft, chip_of(lines)->chip);
	r = -ENOMEM;
	if (has_inputs(&draft)) {
		request->events = gpiod_edge_event_buffer_new(LINES_EVENTS_MAX);
		if (!request->events)
			goto err_free;
	}
	r = take_lines(chip_of(lines)->chip, consumer, &draft,
		       &request->request);
	if (r)
		goto err_events;
	r = settle_outputs(request->request, &draft);
	if (r)
		goto err_release;

	request->base.fd = gpiod_line_request_get_fd(request->request);
	r = make_nonblocking(request->base.fd);
	if (r)
		goto err_release;
	request->base.lines = lines;
	request->base.n = n;
	for (size_t i = 0; i < n; i++)
		request->offsets[i] = configs[i].offset;
	*out = &request->base;
	return 0;

err_release:
	gpiod_line_request_release(request->request);
err_events:
	gpiod_edge_event_buffer_free(request->events);
err_free:
	free(request);
	return r;
}

static int real_set(struct line_request *base, uint64_t mask, uint64_t values)
{
	struct real_request *request = request_of(base);
	unsigned int offsets[LINES_REQUEST_MAX];
	enum gpiod_line_value levels[LINES_REQUEST_MAX];
	size_t n = 0;

	for (size_t i = 0; i < base->n; i++) {
		if (!(mask >> i & 1))
			continue;
		offsets[n] = request->offsets[i];
		levels[n++] = values >> i & 1 ? GPIOD_LINE_VALUE_ACTIVE
					      : GPIOD_LINE_VALUE_INACTIVE;
	}
	if (n == 0)
		return 0;

	errno = 0;
	if (gpiod_line_request_set_values_subset(request->request, n, offsets,
						 levels))
		return last_error();
	return 0;
}

static int real_get(struct line_request *base, uint64_t *values)
{
	struct real_request *request = request_of(base);
	enum gpiod_line_value levels[LINES_REQUEST_MAX];

	errno = 0;
	if (gpiod_line_request_get_values(request->request, levels))
		return last_error();

	*values = 0;
	for (size_t i = 0; i < base->n; i++)
		if (levels[i] == GPIOD_LINE_VALUE_ACTIVE)
			*values |= UINT64_C(1) << i;
	return 0;
}

static unsigned int index_of(const struct real_request *request,
			     unsigned int offset)
{
	unsigned int i = 0;

	while (request->offsets[i] != offset)
		i++;
	return i;
}

static int real_read(struct line_request *base, struct line_event *events,
		     size_t max)
{
	struct real_request *request = request_of(base);
	int n;

	if (!request->events)
		return 0;
	if (max > LINES_EVENTS_MAX)
		max = LINES_EVENTS_MAX;

	errno = 0;
	n = gpiod_line_request_read_edge_events(request->request,
						request->events, max);
	if (n < 0)
		return errno == EAGAIN ? 0 : last_error();

	for (int i = 0; i < n; i++) {
		struct gpiod_edge_event *event =
			gpiod_edge_event_buffer_get_event(request->events,
							  (unsigned long)i);

		events[i] = (struct line_event){
			.time_ns = gpiod_edge_event_get_timestamp_ns(event),
			.index = index_of(
				request,
				gpiod_edge_event_get_line_offset(event)),
			.active = gpiod_edge_event_get_event_type(event) ==
				  GPIOD_EDGE_EVENT_RISING_EDGE,
			.seqno = (uint32_t)gpiod_edge_event_get_line_seqno(
				event),
		};
	}
	return n;
}

static void real_release(struct line_request *base)
{
	struct real_request *request = request_of(base);

	gpiod_line_request_release(request->request);
	gpiod_edge_event_buffer_free(request->events);
	free(request);
}

static int real_adopt(struct lines *lines, unsigned int offset, bool active_low,
		      int fd)
{
	return adopted_add(chip_of(lines), offset, active_low, fd);
}

static const struct lines_ops real_ops = {
	.backend = "gpiod",
	.close = real_close,
	.rescan = chips_gpiod_rescan,
	.adopt = real_adopt,
	.info = real_info,
	.request = real_request,
	.set = real_set,
	.get = real_get,
	.read = real_read,
	.release = real_release,
};

int real_chip_new(struct gpiod_chip *chip, const char *node, struct lines **out)
{
	struct real_chip *real = calloc(1, sizeof(*real));
	struct gpiod_chip_info *info;

	if (!real)
		return -ENOMEM;

	errno = 0;
	info = gpiod_chip_get_info(chip);
	if (!info) {
		int r = last_error();

		free(real);
		return r;
	}
	real->base.ops = &real_ops;
	real->base.count = (unsigned int)gpiod_chip_info_get_num_lines(info);
	copy_name(real->base.label, gpiod_chip_info_get_label(info));
	copy_name(real->node, node);
	real->chip = chip;
	gpiod_chip_info_free(info);
	*out = &real->base;
	return 0;
}
