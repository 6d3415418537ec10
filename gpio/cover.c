#include "gpio/cover.h"

#include <math.h>

/* From low to high it is this close together where its position is known. */
#define KNOWN 1.0

static double within(double percent)
{
	return fmin(fmax(percent, 0), 100);
}

void cover_init(struct cover *cover, const struct cover_rules *rules,
		double low, double high)
{
	*cover = (struct cover){
		.rules = *rules,
		.low = within(low),
		.high = within(high),
	};
}

void cover_at(const struct cover *cover, uint64_t now, double *low,
	      double *high)
{
	double ms = now > cover->since ? (double)(now - cover->since) : 0;
	double by = 0;

	if (cover->motion == COVER_UP)
		by = 100 * ms / (double)cover->rules.up_ms;
	else if (cover->motion == COVER_DOWN)
		by = -100 * ms / (double)cover->rules.down_ms;
	*low = within(cover->low + by);
	*high = within(cover->high + by);
}

static bool is_known(double low, double high)
{
	return high - low < KNOWN;
}

void cover_moves(struct cover *cover, enum cover_motion motion, uint64_t now)
{
	bool changed = cover->motion != motion;
	double low, high;

	cover_at(cover, now, &low, &high);
	cover->low = low;
	cover->high = high;
	cover->motion = motion;
	cover->since = now;
	if (!changed || !cover->going)
		return;

	if (motion == COVER_STILL) {
		/* Somebody else has stopped it, or safety has. */
		if (cover->run_end && now + COVER_EARLY_MS < cover->run_end)
			cover->going = false;
	} else if (motion == cover->run && !cover->run_end) {
		cover->run_end = now + cover->run_ms;
	} else {
		/* Not ours. One that turns round lets go of the other first. */
		cover->going = false;
	}
}

void cover_lost(struct cover *cover)
{
	cover->low = 0;
	cover->high = 100;
	cover->motion = COVER_STILL;
	cover->going = false;
}

static uint64_t time_for(const struct cover *cover, enum cover_motion motion,
			 double percent)
{
	uint64_t whole =
		motion == COVER_UP ? cover->rules.up_ms : cover->rules.down_ms;

	return (uint64_t)llround((double)whole * percent / 100);
}

/* Not there yet, nor known to be: which way, and for how long? */
static struct cover_order plan(const struct cover *cover, double low,
			       double high)
{
	struct cover_order order = { COVER_STILL, 0 };
	double goal = cover->goal;
	double by;

	/* First to the end that is nearer to where it is to be. */
	if (!is_known(low, high))
		goal = goal >= 50 ? 100 : 0;
	order.motion = goal > (low + high) / 2 ? COVER_UP : COVER_DOWN;
	if (goal >= 100)
		order.motion = COVER_UP;
	else if (goal <= 0)
		order.motion = COVER_DOWN;
	by = order.motion == COVER_UP ? goal - low : high - goal;
	order.ms = time_for(cover, order.motion, fmax(by, 0));
	if (goal <= 0 || goal >= 100)
		order.ms += cover->rules.end_ms;
	if (order.ms < COVER_RUN_MIN_MS)
		order = (struct cover_order){ COVER_STILL, 0 };
	return order;
}

static struct cover_order order_run(struct cover *cover, uint64_t now)
{
	struct cover_order order;
	double low, high;

	cover_at(cover, now, &low, &high);
	order = plan(cover, low, high);
	cover->run = order.motion;
	cover->run_ms = order.ms;
	/* One that runs that way already does not begin anew. */
	cover->run_end = cover->motion == order.motion ? now + order.ms : 0;
	cover->going = order.motion != COVER_STILL;
	return order;
}

struct cover_order cover_go(struct cover *cover, double goal, uint64_t now)
{
	cover->goal = within(goal);
	return order_run(cover, now);
}

struct cover_order cover_stop(struct cover *cover)
{
	cover->going = false;
	return (struct cover_order){ COVER_STILL, 0 };
}

/* At an end it was for as long as it takes. */
static bool arrived(const struct cover *cover)
{
	return cover->goal == (cover->run == COVER_UP ? 100 : 0);
}

bool cover_go_on(struct cover *cover, uint64_t now, struct cover_order *order)
{
	if (!cover->going || cover->motion != COVER_STILL || !cover->run_end)
		return false;
	if (arrived(cover)) {
		cover->going = false;
		return false;
	}
	*order = order_run(cover, now);
	return cover->going;
}

int cover_position(const struct cover *cover, uint64_t now)
{
	double low, high;

	cover_at(cover, now, &low, &high);
	return is_known(low, high) ? (int)lround((low + high) / 2) : -1;
}

const char *cover_text(const struct cover *cover, uint64_t now)
{
	int position = cover_position(cover, now);

	if (cover->motion != COVER_STILL)
		return cover->motion == COVER_UP ? "opening" : "closing";
	if (position < 0)
		return "stopped";
	return position == 0 ? "closed" : "open";
}
