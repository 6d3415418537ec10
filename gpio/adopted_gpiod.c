/* Lines that a process before us requested: libgpiod has no way to go on with
 * those, the kernel has. */
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gpio/chips_gpiod.h"

struct adopted {
	struct lines lines; /* what the request's calls go through */
	struct line_request request;
	unsigned int offset;
	bool active_low;
	struct adopted *next;
};

static struct adopted *adopted_of(struct line_request *request)
{
	return (struct adopted *)(void *)request->lines;
}

static int adopted_get(struct line_request *request, uint64_t *values)
{
	struct gpio_v2_line_values v = { .mask = 1 };

	if (ioctl(request->fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &v) < 0)
		return -errno;
	*values = v.bits & 1;
	return 0;
}

static int adopted_set(struct line_request *request, uint64_t mask,
		       uint64_t values)
{
	struct gpio_v2_line_values v = { .bits = values & 1, .mask = 1 };

	if (!(mask & 1))
		return 0;
	if (ioctl(request->fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &v) < 0)
		return -errno;
	return 0;
}

static int adopted_read(struct line_request *request, struct line_event *events,
			size_t max)
{
	(void)request;
	(void)events;
	(void)max;
	return 0;
}

static void adopted_release(struct line_request *request)
{
	(void)close(request->fd);
	free(adopted_of(request));
}

static const struct lines_ops adopted_ops = {
	.backend = "gpiod",
	.set = adopted_set,
	.get = adopted_get,
	.read = adopted_read,
	.release = adopted_release,
};

/* The name it came with may be wrong; then the line would be free, or no output. */
static bool is_held_output(struct real_chip *real, unsigned int offset)
{
	struct gpiod_line_info *info =
		gpiod_chip_get_line_info(real->chip, offset);
	bool held;

	if (!info)
		return false;
	held = gpiod_line_info_is_used(info) &&
	       gpiod_line_info_get_direction(info) ==
		       GPIOD_LINE_DIRECTION_OUTPUT;
	gpiod_line_info_free(info);
	return held;
}

int adopted_add(struct real_chip *real, unsigned int offset, bool active_low,
		int fd)
{
	struct adopted *adopted;
	uint64_t value;

	if (offset >= real->base.count || !is_held_output(real, offset))
		return -EINVAL;
	adopted = calloc(1, sizeof(*adopted));
	if (!adopted)
		return -ENOMEM;

	adopted->lines.ops = &adopted_ops;
	adopted->lines.count = real->base.count;
	memcpy(adopted->lines.label, real->base.label,
	       sizeof(adopted->lines.label));
	adopted->request.lines = &adopted->lines;
	adopted->request.fd = fd;
	adopted->request.n = 1;
	adopted->offset = offset;
	adopted->active_low = active_low;
	if (adopted_get(&adopted->request, &value)) {
		free(adopted);
		return -EINVAL;
	}
	adopted->next = real->adopted;
	real->adopted = adopted;
	return 0;
}

static struct adopted *unlink_line(struct real_chip *real, unsigned int offset)
{
	for (struct adopted **at = &real->adopted; *at; at = &(*at)->next) {
		struct adopted *found = *at;

		if (found->offset != offset)
			continue;
		*at = found->next;
		return found;
	}
	return NULL;
}

struct line_request *adopted_take(struct real_chip *real,
				  const struct line_config *configs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct adopted *found = unlink_line(real, configs[i].offset);

		if (!found)
			continue;
		if (n == 1 && configs->direction == LINE_OUTPUT &&
		    configs->keep && configs->active_low == found->active_low)
			return &found->request;
		/* Something else is wanted of it: it has to be free then. */
		adopted_release(&found->request);
	}
	return NULL;
}

void adopted_close(struct real_chip *real)
{
	while (real->adopted) {
		struct adopted *first = real->adopted;

		real->adopted = first->next;
		adopted_release(&first->request);
	}
}
