/*
 * The board's lines, behind a table of functions, so that the simulated board
 * and libgpiod are the same to everything above. A chip has lines with offsets
 * 0..n-1; on a Raspberry Pi the offset is the BCM number. To use lines one
 * requests them: n lines in one request have one file descriptor and change in
 * one operation. Values are logical: active_low is applied below.
 *
 * Debouncing is done below as well (by the kernel, and by the simulated board
 * as the kernel does it): an event comes at the end of the quiet time.
 *
 * A value bit n belongs to the nth line of the request. Not thread-safe: one
 * thread owns a chip and its requests.
 */
#ifndef GPIO_LINES_H
#define GPIO_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines in one request: one bit each in a word, and the kernel's own limit. */
#define LINES_REQUEST_MAX 64u

/* Bytes of a line's name, consumer or chip label with its NUL; the kernel has
 * 32 (GPIO_MAX_NAME_SIZE). */
#define LINES_NAME_SIZE 32u

/* Edges that wait for us in one request. The kernel's default of 16 a line
 * loses the oldest of a bouncing contact on a busy board. */
#define LINES_EVENTS_MAX 128u

enum line_direction {
	LINE_INPUT,
	LINE_OUTPUT,
};

enum line_bias {
	LINE_BIAS_AS_IS,
	LINE_BIAS_NONE,
	LINE_BIAS_UP,
	LINE_BIAS_DOWN,
};

struct line_config {
	unsigned int offset;
	enum line_direction direction;
	enum line_bias bias;
	bool active_low;
	uint32_t debounce_us; /* inputs; 0 none */
	bool initial; /* outputs: the first value */
	/* Outputs: a line that is an output already keeps the level it has, so
	 * that a restart does not make a relay click; initial is for a line
	 * that is still an input. */
	bool keep;
};

struct line_event {
	uint64_t time_ns; /* of the edge, CLOCK_MONOTONIC */
	unsigned int index; /* in the request */
	bool active; /* the value after the edge */
	uint32_t
		seqno; /* counts this line's edges from 1; a gap: some were lost */
};

struct line_info {
	char name[LINES_NAME_SIZE]; /* "" when it has none */
	bool used;
	char consumer[LINES_NAME_SIZE]; /* who holds it; "" when not known */
};

struct lines;
struct line_request;

struct lines_ops {
	const char *backend; /* "gpiod", "sim" */
	void (*close)(struct lines *lines); /* of this chip alone */
	/* Have chips come since? They are put behind the last. */
	void (*rescan)(struct lines *lines);
	int (*adopt)(struct lines *lines, unsigned int offset, bool active_low,
		     int fd);
	int (*info)(struct lines *lines, unsigned int offset,
		    struct line_info *out);
	int (*request)(struct lines *lines, const char *consumer,
		       const struct line_config *configs, size_t n,
		       struct line_request **out);
	int (*set)(struct line_request *request, uint64_t mask,
		   uint64_t values);
	int (*get)(struct line_request *request, uint64_t *values);
	int (*read)(struct line_request *request, struct line_event *events,
		    size_t max);
	void (*release)(struct line_request *request);
};

/* The backends' structs begin with these. */
struct lines {
	const struct lines_ops *ops;
	char label[LINES_NAME_SIZE];
	unsigned int count; /* of lines */
	struct lines *next; /* another chip of the board; its own */
};

struct line_request {
	struct lines *lines;
	int fd; /* readable when lines_read() has something to do */
	size_t n;
};

/* The chip and those behind it. Every request must have been released. NULL is
 * accepted. */
static inline void lines_close(struct lines *lines)
{
	while (lines) {
		struct lines *next = lines->next;

		lines->ops->close(lines);
		lines = next;
	}
}

/*
 * Of the board's chips, lines being the first, the one with this label; "" is
 * the first itself. NULL: there is none, or there are two, which nobody could
 * tell apart. A chip may come later: then it is looked for again.
 */
struct lines *lines_chip(struct lines *lines, const char *label);

/* Returns 0, -EINVAL (no such line) or what the kernel says. */
static inline int lines_info(struct lines *lines, unsigned int offset,
			     struct line_info *out)
{
	return lines->ops->info(lines, offset, out);
}

/*
 * Take n lines (1..LINES_REQUEST_MAX). consumer is what others are shown.
 * Returns 0, -EBUSY (one of them is held by somebody), -EINVAL (no such line,
 * one twice), -ENOMEM or another errno of the kernel. On error no line has been
 * touched.
 */
static inline int lines_request(struct lines *lines, const char *consumer,
				const struct line_config *configs, size_t n,
				struct line_request **out)
{
	return lines->ops->request(lines, consumer, configs, n, out);
}

/*
 * fd is a request of one output that a process before us made, whose line was
 * held ever since (base/fdstore.h): the next request of just that line with that
 * polarity, as an output to keep, goes on with it, and nothing moves. Returns
 * 0, and fd is taken, or -EINVAL: it is no such thing, -ENOTSUP, -ENOMEM.
 */
static inline int lines_adopt(struct lines *lines, unsigned int offset,
			      bool active_low, int fd)
{
	return lines->ops->adopt(lines, offset, active_low, fd);
}

/* Drive the outputs in mask. Returns 0 or a negative errno. */
static inline int lines_set(struct line_request *request, uint64_t mask,
			    uint64_t values)
{
	return request->lines->ops->set(request, mask, values);
}

/* Read all values back from the lines. Returns 0 or a negative errno. */
static inline int lines_get(struct line_request *request, uint64_t *values)
{
	return request->lines->ops->get(request, values);
}

/*
 * Take up to max edges, oldest first. Returns how many, 0 when there are none
 * (a wake-up may be for nothing), or a negative errno. Never waits.
 */
static inline int lines_read(struct line_request *request,
			     struct line_event *events, size_t max)
{
	return request->lines->ops->read(request, events, max);
}

/* Let the lines go. What level they have then is the board's affair: a Pi keeps
 * it, others may fall back to the pull. NULL is accepted. */
static inline void lines_release(struct line_request *request)
{
	if (request)
		request->lines->ops->release(request);
}

#endif
